package housetest

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the pages that are made from others anew")

// elsewhere are targets of links that are made by other means than writing them.
var elsewhere = []string{"guide/pictures/"}

var link = regexp.MustCompile(`\]\(([^)#\s]+)(?:#[^)]*)?\)`)

func TestLinksInDocsLeadSomewhere(t *testing.T) {
	pages(t, func(name, text string) {
		for _, m := range link.FindAllStringSubmatch(text, -1) {
			if strings.Contains(m[1], "://") || strings.HasPrefix(m[1], "mailto:") {
				continue
			}
			target := path.Join(path.Dir(name), m[1])
			if slices.ContainsFunc(elsewhere, func(e string) bool { return strings.HasPrefix(target, e) }) {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(target))); err != nil {
				t.Errorf("%s links to %s, which is not there", name, target)
			}
		}
	})
}

// pages are the project's own Markdown files.
func pages(t *testing.T, visit func(name, text string)) {
	t.Helper()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains([]string{"node_modules", ".git", "data", "bin", "dist", "out"}, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		data, err := os.ReadFile(name)
		rel, _ := filepath.Rel(root, name)
		visit(filepath.ToSlash(rel), string(data))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Each module and package that we chose is explained, and nothing is explained that is gone.
func TestDependenciesAreExplained(t *testing.T) {
	page := read(t, "design/dependencies.md")
	var chosen []string
	imported := map[string]bool{}
	for _, p := range house(t).pkgs {
		for _, f := range p.files {
			for _, i := range f.ast.Imports {
				imported[strings.Trim(i.Path.Value, `"`)] = true
			}
		}
	}
	required := regexp.MustCompile(`(?m)^\s+([a-z0-9.]+\.[a-z]+/\S+) v\S+( // indirect)?$`)
	for _, m := range required.FindAllStringSubmatch(read(t, "go.mod"), -1) {
		uses := func(i string) bool { return i == m[1] || strings.HasPrefix(i, m[1]+"/") }
		if m[2] == "" || slices.ContainsFunc(slices.Collect(maps.Keys(imported)), uses) {
			chosen = append(chosen, m[1])
		}
	}
	var web struct {
		Dependencies, DevDependencies map[string]string
	}
	if err := json.Unmarshal([]byte(read(t, "web/package.json")), &web); err != nil {
		t.Fatal(err)
	}
	chosen = slices.AppendSeq(chosen, maps.Keys(web.Dependencies))
	chosen = slices.AppendSeq(chosen, maps.Keys(web.DevDependencies))
	for _, tool := range regexp.MustCompile(`(?m)^tool (\S+)$`).FindAllStringSubmatch(read(t, "tools/go.mod"), -1) {
		chosen = append(chosen, tool[1])
	}
	for _, c := range chosen {
		if !strings.Contains(page, "`"+c+"`") {
			t.Errorf("design/dependencies.md does not say why %s is here", c)
		}
	}
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)`").FindAllStringSubmatch(page, -1) {
		if !slices.Contains(chosen, m[1]) {
			t.Errorf("design/dependencies.md explains %s, which is not used", m[1])
		}
	}
}

const problemsHead = `# Problems

Every failure that a person can do something about has a code, which never changes, and a sentence that says what was
seen and what to try. The cause is in the log under the same request number. This page is written from the message
catalogue: ` + "`go test ./internal/housetest -run Problems -update`" + `.

| code | sentence |
|---|---|
`

func TestProblemsPageFitsTheCatalogue(t *testing.T) {
	var words map[string]string
	if err := json.Unmarshal([]byte(read(t, "words/en.json")), &words); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString(problemsHead)
	for _, key := range slices.Sorted(maps.Keys(words)) {
		if code, ok := strings.CutPrefix(key, "problem."); ok {
			fmt.Fprintf(&b, "| `%s` | %s |\n", code, strings.ReplaceAll(words[key], "|", "\\|"))
		}
	}
	const page = "ref/problems.md"
	if *update {
		if err := os.WriteFile(filepath.Join(root, page), []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if read(t, page) != b.String() {
		t.Errorf("%s does not fit words/en.json: run the command on the page", page)
	}
}
