// Package scan finds what the source says about promises: the marks at controls, the cuts, the
// Go tests and browser tests that prove them. cmd/promisecheck writes the result to
// policy/controls.json, and a test notices when that file no longer fits the source.
//
// Only what can be read off the source counts, so the numbers given to promise.Proves and
// promise.Cut must be literal strings. A cut in a test file is the planting of something whose
// absence was promised; a cut anywhere else takes out a control.
package scan

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"candor/internal/promise"
	"candor/internal/promise/board"
)

// Tree scans the module's source below fsys, whose root is the module's.
func Tree(fsys fs.FS) (board.Controls, error) {
	s := scanner{out: sortable{}}
	for _, top := range []string{"cmd", "internal", "policy", "web"} {
		err := fs.WalkDir(fsys, top, func(name string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) && name == top {
				return fs.SkipDir
			}
			if err != nil {
				return err
			}
			if d.IsDir() {
				if name == "internal/promise" { // its own tests name promises without proving them
					return fs.SkipDir
				}
				if slices.Contains([]string{"node_modules", "dist", "testdata", "out"}, d.Name()) {
					return fs.SkipDir
				}
				return nil
			}
			return s.file(fsys, name)
		})
		if err != nil {
			return nil, err
		}
	}
	return s.out.sorted(), errors.Join(s.errs...)
}

type scanner struct {
	out  sortable
	errs []error
}

// sortable is board.Controls while it is being filled.
type sortable board.Controls

func (o sortable) sorted() board.Controls {
	for id, b := range o {
		for _, list := range []*[]string{&b.Controls, &b.Cuts, &b.Proofs, &b.Browser} {
			slices.Sort(*list)
			*list = slices.Compact(*list)
		}
		o[id] = b
	}
	return board.Controls(o)
}

func (s *scanner) file(fsys fs.FS, name string) error {
	ext := path.Ext(name)
	if !slices.Contains([]string{".go", ".ts", ".js", ".svelte", ".html", ".sql"}, ext) {
		return nil
	}
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return err
	}
	switch {
	case ext == ".go":
		s.goFile(name, data)
	case strings.HasSuffix(name, ".spec.ts") || strings.HasPrefix(name, "web/e2e/"):
		s.browserFile(name, string(data))
	default:
		s.otherFile(name, string(data))
	}
	return nil
}

// add notes something about a promise, or the mistake of naming one that was never made.
func (s *scanner) add(id, where string, to func(*board.Binding) *[]string) {
	if !promise.Known(id) {
		s.errs = append(s.errs, fmt.Errorf("%s: %s was never promised", where, id))
		return
	}
	b := s.out[id]
	list := to(&b)
	*list = append(*list, where)
	s.out[id] = b
}

func controls(b *board.Binding) *[]string { return &b.Controls }
func cuts(b *board.Binding) *[]string     { return &b.Cuts }
func proofs(b *board.Binding) *[]string   { return &b.Proofs }
func browser(b *board.Binding) *[]string  { return &b.Browser }

// mark is the comment at a control: //promise:P113 or // promise:P113,P020, in SQL with --, in
// HTML with <!--.
var mark = regexp.MustCompile(`(?://|--) ?promise:(P[0-9]+(?:[ ,]+P[0-9]+)*)`)

var number = regexp.MustCompile(`P[0-9]+`)

func (s *scanner) otherFile(name, text string) {
	for _, m := range mark.FindAllStringSubmatch(text, -1) {
		for _, id := range number.FindAllString(m[1], -1) {
			s.add(id, name, controls)
		}
	}
}

// title is a browser test's title with tags such as @P113.
var (
	title = regexp.MustCompile("\\btest(?:\\.\\w+)?\\(\\s*(?:'([^'\n]*)'|\"([^\"\n]*)\"|`([^`\n]*)`)")
	tag   = regexp.MustCompile(`@(P[0-9]+)\b`)
)

func (s *scanner) browserFile(name, text string) {
	for _, m := range title.FindAllStringSubmatch(text, -1) {
		t := m[1] + m[2] + m[3]
		for _, id := range tag.FindAllStringSubmatch(t, -1) {
			s.add(id[1], name+" "+strings.TrimSpace(tag.ReplaceAllString(t, "")), browser)
		}
	}
}

func (s *scanner) goFile(name string, data []byte) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, name, data, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		s.errs = append(s.errs, err)
		return
	}
	inTest := strings.HasSuffix(name, "_test.go")
	for _, group := range f.Comments {
		for _, c := range group.List {
			if m := mark.FindStringSubmatch(c.Text); m != nil && mark.FindStringIndex(c.Text)[0] == 0 && !inTest {
				for _, id := range number.FindAllString(m[1], -1) {
					s.add(id, name+":"+enclosing(f, c.Pos()), controls)
				}
			}
		}
	}
	imported := slices.ContainsFunc(f.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"candor/internal/promise"` })
	if !imported {
		return
	}
	ast.Inspect(f, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		sel, ok := call.Fun.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := sel.X.(*ast.Ident); !ok || x.Name != "promise" {
			return true
		}
		in := enclosing(f, call.Pos())
		switch {
		case sel.Sel.Name == "Cut" && len(call.Args) == 1:
			s.literals(fset, call.Args, name+":"+in, cuts)
		case sel.Sel.Name == "Proves" && len(call.Args) > 1 && inTest:
			s.literals(fset, call.Args[1:], path.Dir(name)+" "+in, proofs)
		}
		return true
	})
}

func (s *scanner) literals(fset *token.FileSet, args []ast.Expr, where string, to func(*board.Binding) *[]string) {
	for _, a := range args {
		lit, ok := a.(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			s.errs = append(s.errs, fmt.Errorf("%v: the promise must be named by a literal", fset.Position(a.Pos())))
			continue
		}
		id, _ := strconv.Unquote(lit.Value)
		s.add(id, where, to)
	}
}

// enclosing names the declaration around a position: "Permit", "(*Gate).Permit", "table".
func enclosing(f *ast.File, pos token.Pos) string {
	for _, d := range f.Decls {
		start := d.Pos()
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Doc != nil {
				start = d.Doc.Pos()
			}
			if start <= pos && pos <= d.End() {
				if d.Recv == nil {
					return d.Name.Name
				}
				return receiver(d.Recv.List[0].Type) + "." + d.Name.Name
			}
		case *ast.GenDecl:
			if d.Doc != nil {
				start = d.Doc.Pos()
			}
			if start <= pos && pos <= d.End() {
				return declared(d)
			}
		}
	}
	return "package"
}

func receiver(t ast.Expr) string {
	switch t := t.(type) {
	case *ast.StarExpr:
		return "(*" + receiver(t.X) + ")"
	case *ast.IndexExpr:
		return receiver(t.X)
	case *ast.Ident:
		return t.Name
	}
	return "?"
}

func declared(d *ast.GenDecl) string {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			return spec.Name.Name
		case *ast.ValueSpec:
			return spec.Names[0].Name
		}
	}
	return "package"
}
