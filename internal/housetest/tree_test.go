package housetest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// root is the module's, seen from this package.
const root = "../.."

// file is one Go source file.
type file struct {
	name    string // from the root, with slashes
	test    bool
	lines   int
	ast     *ast.File
	imports map[string]string // name used in the file → import path
}

// pkg is one folder of Go files.
type pkg struct {
	path  string // "internal/gate"
	files []*file
}

// tree is the module's own source, parsed once.
type tree struct {
	fset *token.FileSet
	pkgs map[string]*pkg
}

var load = sync.OnceValues(func() (*tree, error) {
	t := &tree{fset: token.NewFileSet(), pkgs: map[string]*pkg{}}
	for _, top := range []string{"cmd", "internal", "policy", "smoke", "bench", "web", "words"} {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil {
				return err
			}
			if d.IsDir() && slices.Contains([]string{"node_modules", "testdata", "dist", "out"}, d.Name()) {
				return fs.SkipDir
			}
			if d.IsDir() || filepath.Ext(name) != ".go" {
				return nil
			}
			return t.add(name)
		})
		if err != nil {
			return nil, err
		}
	}
	return t, nil
})

func (t *tree) add(name string) error {
	data, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	rel, err := filepath.Rel(root, name)
	if err != nil {
		return err
	}
	return t.parse(filepath.ToSlash(rel), data)
}

// parse adds a file under its name from the root.
func (t *tree) parse(rel string, data []byte) error {
	parsed, err := parser.ParseFile(t.fset, rel, data, parser.ParseComments)
	if err != nil {
		return err
	}
	f := &file{name: rel, test: strings.HasSuffix(rel, "_test.go"), lines: strings.Count(string(data), "\n"), ast: parsed, imports: map[string]string{}}
	for _, i := range parsed.Imports {
		p, _ := strconv.Unquote(i.Path.Value)
		as := path.Base(p)
		if i.Name != nil {
			as = i.Name.Name
		}
		f.imports[as] = p
	}
	dir := path.Dir(rel)
	if t.pkgs[dir] == nil {
		t.pkgs[dir] = &pkg{path: dir}
	}
	t.pkgs[dir].files = append(t.pkgs[dir].files, f)
	return nil
}

// planted is a tree made of the given files.
func planted(tb testing.TB, files map[string]string) *tree {
	tb.Helper()
	t := &tree{fset: token.NewFileSet(), pkgs: map[string]*pkg{}}
	for name, src := range files {
		if err := t.parse(name, []byte(src)); err != nil {
			tb.Fatal(err)
		}
	}
	return t
}

// with is the tree and one more file, for trying whether a rule notices it.
func (t *tree) with(tb testing.TB, name, src string) *tree {
	tb.Helper()
	more := planted(tb, map[string]string{name: src})
	for dir, p := range t.pkgs {
		if mine := more.pkgs[dir]; mine != nil {
			mine.files = append(mine.files, p.files...)
		} else {
			more.pkgs[dir] = p
		}
	}
	return more
}

func house(tb testing.TB) *tree {
	tb.Helper()
	t, err := load()
	if err != nil {
		tb.Fatal(err)
	}
	return t
}

// each calls f for every file that is not a test, in order.
func (t *tree) each(f func(*pkg, *file)) {
	for _, p := range t.sorted() {
		for _, one := range p.files {
			if !one.test {
				f(p, one)
			}
		}
	}
}

func (t *tree) sorted() []*pkg {
	var list []*pkg
	for _, p := range t.pkgs {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b *pkg) int { return strings.Compare(a.path, b.path) })
	return list
}

// imports are the import paths of a package's files that are not tests.
func (p *pkg) imports() []string {
	var list []string
	for _, f := range p.files {
		if f.test {
			continue
		}
		for _, i := range f.ast.Imports {
			path, _ := strconv.Unquote(i.Path.Value)
			list = append(list, path)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// reach maps every import path that a package reaches through our own packages to the way there.
func (t *tree) reach(from string) map[string]string {
	way := map[string]string{}
	var walk func(p, trail string)
	walk = func(p, trail string) {
		one := t.pkgs[p]
		if one == nil {
			return
		}
		for _, i := range one.imports() {
			if _, seen := way[i]; seen {
				continue
			}
			way[i] = trail + " → " + strings.TrimPrefix(i, "candor/")
			if ours, ok := strings.CutPrefix(i, "candor/"); ok {
				walk(ours, way[i])
			}
		}
	}
	walk(from, from)
	return way
}

// ways is reach, or only the package's own imports.
func (t *tree) ways(p string, direct bool) map[string]string {
	if !direct {
		return t.reach(p)
	}
	way := map[string]string{}
	for _, i := range t.pkgs[p].imports() {
		way[i] = p + " → " + i
	}
	return way
}

// below reports whether a package or import path is dir or beneath it; "candor/" is ours.
func below(p, dir string) bool {
	p = strings.TrimPrefix(p, "candor/")
	return p == dir || strings.HasPrefix(p, dir+"/")
}

// uses calls f for every pkg.Name in a file where pkg is an import, with the path and the name.
func (f *file) uses(visit func(path, name string, at token.Pos)) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		sel, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); ok && x.Obj == nil {
			if p, ok := f.imports[x.Name]; ok {
				visit(p, sel.Sel.Name, sel.Pos())
			}
		}
		return true
	})
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// walk visits the product's source files, neither tests nor what others wrote.
func walk(t *testing.T, tops, exts []string, visit func(name, text string)) {
	t.Helper()
	for _, top := range tops {
		err := filepath.WalkDir(filepath.Join(root, top), func(name string, d fs.DirEntry, err error) error {
			if os.IsNotExist(err) {
				return nil
			}
			if err != nil {
				return err
			}
			if d.IsDir() {
				if slices.Contains([]string{"node_modules", "testdata", "dist", "out", "e2e", "housetest"}, d.Name()) {
					return fs.SkipDir
				}
				return nil
			}
			base := filepath.Base(name)
			if !slices.Contains(exts, filepath.Ext(name)) || strings.HasSuffix(base, "_test.go") || strings.Contains(base, ".spec.") || strings.Contains(base, ".test.") || base == "package-lock.json" {
				return nil
			}
			data, err := os.ReadFile(name)
			visit(filepath.ToSlash(strings.TrimPrefix(name, root+string(filepath.Separator))), string(data))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
