package housetest

import (
	"go/ast"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"candor/internal/policy"
	"candor/internal/promise"
	"candor/internal/promise/absent"
)

// plantedFields are the promises whose absent thing is planted in this build.
var plantedFields = map[string]bool{
	"P113": promise.Cut("P113"), "P035": promise.Cut("P035"), "P051": promise.Cut("P051"), "P054": promise.Cut("P054"),
	"P044": promise.Cut("P044"), "P055": promise.Cut("P055"), "P017": promise.Cut("P017"), "P255": promise.Cut("P255"),
	"P090": promise.Cut("P090"), "P088": promise.Cut("P088"), "P138": promise.Cut("P138"), "P143": promise.Cut("P143"),
	"P145": promise.Cut("P145"), "P201": promise.Cut("P201"), "P214": promise.Cut("P214"), "P304": promise.Cut("P304"),
	"P305": promise.Cut("P305"), "P323": promise.Cut("P323"), "P135": promise.Cut("P135"), "P139": promise.Cut("P139"),
	"P140": promise.Cut("P140"), "P144": promise.Cut("P144"), "P222": promise.Cut("P222"), "P137": promise.Cut("P137"),
}

// Struct fields, JSON names, SQL columns, and the fields of the web app's types: what has no
// name there has no place.
func TestNoFieldForWhatIsNeverKept(t *testing.T) {
	promise.Proves(t, "P113", "P035", "P051", "P054", "P044", "P055", "P017", "P255", "P090", "P088", "P138")
	promise.Proves(t, "P143", "P145", "P201", "P214", "P304", "P305", "P323", "P135", "P137", "P139", "P140", "P144", "P222")
	names := fieldNames(t)
	if len(names) < 200 {
		t.Fatalf("only %d names found: the source is not being read", len(names))
	}
	for _, n := range absent.Fields {
		if plantedFields[n.Promise] {
			names[n.Example] = "planted"
		}
	}
	for name, where := range names {
		for _, n := range absent.Fields {
			if w := n.In(name); w != "" {
				t.Errorf("%s: %s in %s looks like a field for %q", n.Promise, name, where, w)
			}
		}
	}
}

func TestEachAbsentFieldWouldBeFound(t *testing.T) {
	for _, n := range absent.Fields {
		if n.In(n.Example) == "" {
			t.Errorf("%s: %q has none of %q", n.Promise, n.Example, n.Words)
		}
	}
}

var column = regexp.MustCompile(`(?im)^\s+"?([a-z][a-z0-9_]*)"?\s+(?:TEXT|BLOB|BYTEA|INTEGER|BIGINT|SMALLINT|REAL|DOUBLE|NUMERIC|BOOLEAN|JSONB?|UUID|VARCHAR|TIMESTAMP)`)

// fieldNames maps each name under which something could be kept or sent to where it is.
func fieldNames(t *testing.T) map[string]string {
	t.Helper()
	names := map[string]string{}
	house(t).each(func(p *pkg, f *file) {
		if !below(p.path, "internal") && !below(p.path, "cmd") {
			return
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			s, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			for _, field := range s.Fields.List {
				for _, id := range field.Names {
					names[id.Name] = f.name
				}
				if field.Tag != nil {
					tag := reflect.StructTag(strings.Trim(field.Tag.Value, "`"))
					for _, key := range []string{"json", "bun", "yaml", "path", "query", "form"} {
						if v, _, _ := strings.Cut(tag.Get(key), ","); v != "" {
							names[v] = f.name
						}
					}
				}
			}
			return true
		})
	})
	walk(t, []string{"internal"}, []string{".sql"}, func(name, text string) {
		for _, m := range column.FindAllStringSubmatch(text, -1) {
			names[m[1]] = name
		}
	})
	property := regexp.MustCompile(`(?m)^\s+(?:readonly )?"?([A-Za-z_]\w*)"?\??:\s`)
	walk(t, []string{"web/src"}, []string{".ts"}, func(name, text string) {
		for _, m := range property.FindAllStringSubmatch(text, -1) {
			names[m[1]] = name
		}
	})
	return names
}

// A location or a face has no category, so no passport for one passes and nothing can keep it.
func TestPolicyHasNoPlaceForAbsentKinds(t *testing.T) {
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	for _, absent := range []string{"location", "biometric", "installed_apps", "hardware_id", "advertising_id", "profile", "contact_list"} {
		if !slices.Contains(p.Absent, absent) {
			t.Errorf("the policy no longer says that %s is absent", absent)
		}
	}
}
