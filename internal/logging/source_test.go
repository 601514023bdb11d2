package logging_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"candor/internal/logging"
)

// TestEveryKeyInTheSourceHasAPassport reads the whole module: a log call with a key that the
// registry does not know would lose the attribute at run time.
func TestEveryKeyInTheSourceHasAPassport(t *testing.T) {
	files := token.NewFileSet()
	for _, root := range []string{"..", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil && path == root:
				return fs.SkipDir
			case err != nil:
				return err
			case d.IsDir() && (d.Name() == "testdata" || d.Name() == "node_modules"):
				return fs.SkipDir
			case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return nil // does not compile: the build says so
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					for _, key := range logKeys(call) {
						if name, err := strconv.Unquote(key.Value); err == nil && !logging.Known(name) {
							t.Errorf("%s: log attribute %q has no passport", files.Position(key.Pos()), name)
						}
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

var (
	levels = []string{"Debug", "Info", "Warn", "Error", "DebugContext", "InfoContext", "WarnContext", "ErrorContext"}
	attrs  = []string{"String", "Int", "Int64", "Uint64", "Float64", "Bool", "Time", "Duration", "Any"}
)

// logKeys finds the constant keys of a call on a logger: x.log.Info("…", "key", v), log.With("key", v)
// and slog.String("key", v).
func logKeys(call *ast.CallExpr) []*ast.BasicLit {
	sel, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	on := last(sel.X)
	var args []ast.Expr
	switch name := sel.Sel.Name; {
	case on == "slog" && slices.Contains(attrs, name):
		args = call.Args[:min(1, len(call.Args))]
	case !strings.EqualFold(on, "log") && !strings.EqualFold(on, "logger") && on != "slog":
		return nil
	case name == "With":
		args = call.Args
	case slices.Contains(levels, name):
		skip := 1
		if strings.HasSuffix(name, "Context") {
			skip = 2
		}
		args = call.Args[min(skip, len(call.Args)):]
	}
	var out []*ast.BasicLit
	for i := 0; i < len(args); {
		if lit, ok := args[i].(*ast.BasicLit); ok && lit.Kind == token.STRING {
			out = append(out, lit)
			i += 2
			continue
		}
		i++
	}
	return out
}

// last is the rightmost name of a.b.c().
func last(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	case *ast.CallExpr:
		return last(e.Fun)
	}
	return ""
}
