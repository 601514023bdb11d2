package housetest

import (
	"encoding/json"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"candor/internal/policy"
	"candor/internal/promise"
	"candor/internal/promise/absent"
)

// plantedVendors are the promises whose absent thing is planted in this build.
var plantedVendors = map[string]bool{
	"P013": promise.Cut("P013"), "P014": promise.Cut("P014"), "P015": promise.Cut("P015"), "P016": promise.Cut("P016"),
	"P028": promise.Cut("P028"), "P029": promise.Cut("P029"), "P091": promise.Cut("P091"), "P092": promise.Cut("P092"),
	"P093": promise.Cut("P093"), "P094": promise.Cut("P094"), "P095": promise.Cut("P095"), "P096": promise.Cut("P096"),
	"P097": promise.Cut("P097"), "P098": promise.Cut("P098"), "P120": promise.Cut("P120"), "P142": promise.Cut("P142"),
	"P161": promise.Cut("P161"), "P169": promise.Cut("P169"), "P170": promise.Cut("P170"), "P181": promise.Cut("P181"),
	"P182": promise.Cut("P182"), "P191": promise.Cut("P191"), "P192": promise.Cut("P192"), "P193": promise.Cut("P193"),
	"P194": promise.Cut("P194"), "P195": promise.Cut("P195"), "P196": promise.Cut("P196"), "P197": promise.Cut("P197"),
	"P203": promise.Cut("P203"), "P204": promise.Cut("P204"), "P205": promise.Cut("P205"), "P206": promise.Cut("P206"),
	"P207": promise.Cut("P207"), "P208": promise.Cut("P208"), "P209": promise.Cut("P209"), "P210": promise.Cut("P210"),
	"P211": promise.Cut("P211"), "P212": promise.Cut("P212"), "P213": promise.Cut("P213"), "P215": promise.Cut("P215"),
	"P216": promise.Cut("P216"), "P217": promise.Cut("P217"), "P198": promise.Cut("P198"), "P202": promise.Cut("P202"),
}

// What a build contains of others, and whom its source names as a host, is known completely:
// the module list, the lock file of the web app, and the addresses written in the source.
func TestNoPromisedVendorIsLinkedOrNamed(t *testing.T) {
	promise.Proves(t, "P013", "P014", "P015", "P016", "P028", "P029", "P091", "P092", "P093", "P094", "P095", "P096", "P097", "P098")
	promise.Proves(t, "P120", "P142", "P161", "P169", "P170", "P181", "P182", "P191", "P192", "P193", "P194", "P195", "P196", "P197")
	promise.Proves(t, "P198", "P202", "P203", "P204", "P205", "P206", "P207", "P208", "P209", "P210", "P211", "P212", "P213", "P215", "P216", "P217")
	parts := slices.Concat(modules(t), hosts(t))
	if len(parts) < 50 {
		t.Fatalf("only %d parts found: the lists are not being read", len(parts))
	}
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range p.Recipients {
		parts = append(parts, "recipient "+r.ID)
	}
	for _, v := range absent.Vendors {
		if plantedVendors[v.Promise] {
			parts = append(parts, v.Example)
		}
	}
	for _, part := range parts {
		for _, v := range absent.Vendors {
			if n := v.In(part); n != "" {
				t.Errorf("%s: %q is part of the build: %s", v.Promise, n, part)
			}
		}
	}
}

// Each planted name would be found, so the list of names is not empty talk.
func TestEachVendorWouldBeFound(t *testing.T) {
	for _, v := range absent.Vendors {
		if v.In(v.Example) == "" {
			t.Errorf("%s: %q has none of %q", v.Promise, v.Example, v.Names)
		}
	}
}

// modules are the Go modules of every binary and the packages of the web app, by name.
func modules(t *testing.T) []string {
	t.Helper()
	var list []string
	data := read(t, "go.mod")
	required := regexp.MustCompile(`(?m)^(?:require )?\s*([a-z0-9.]+\.[a-z]+/\S+) v\S+`)
	for _, m := range required.FindAllStringSubmatch(data, -1) {
		list = append(list, "go "+m[1])
	}
	var lock struct {
		Packages map[string]struct{} `json:"packages"`
	}
	if err := json.Unmarshal([]byte(read(t, "web/package-lock.json")), &lock); err != nil {
		t.Fatal(err)
	}
	for name := range lock.Packages {
		list = append(list, "npm "+name[strings.LastIndex(name, "node_modules/")+1:])
	}
	return list
}

// hosts are the hosts that addresses in the product's source name, with where.
func hosts(t *testing.T) []string {
	t.Helper()
	var list []string
	walk(t, []string{"cmd", "internal", "web"}, []string{".go", ".ts", ".js", ".svelte", ".html", ".css", ".json"}, func(name, text string) {
		for _, m := range absent.Host.FindAllStringSubmatch(text, -1) {
			list = append(list, "host "+m[1]+" in "+filepath.Base(name))
		}
	})
	return list
}
