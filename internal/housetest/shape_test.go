package housetest

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"
	"testing"
)

type tokenPos = token.Pos

// A reader who opens a package learns first what it is for.
func TestEveryPackageHasADoc(t *testing.T) {
	for _, p := range house(t).sorted() {
		var doc string
		plain := false
		for _, f := range p.files {
			if f.test {
				continue
			}
			plain = true
			if f.ast.Doc != nil {
				doc += f.ast.Doc.Text()
			}
		}
		if plain && len(strings.Fields(doc)) < 6 {
			t.Errorf("%s has no package doc that says what it is for", p.path)
		}
	}
}

// A long file hides two ideas.
func TestFilesAreShort(t *testing.T) {
	const limit, notice = 600, 400
	for _, p := range house(t).sorted() {
		for _, f := range p.files {
			switch {
			case f.lines > limit && !f.test:
				t.Errorf("%s has %d lines: find its second idea and give it a file", f.name, f.lines)
			case f.lines > notice:
				t.Logf("%s has %d lines", f.name, f.lines)
			}
		}
	}
}

// never are names of other packages that our code does not use, with where it may and why not.
var never = []struct {
	path, name string   // name "" is any
	except     []string // folders
	why        string
}{
	{"context", "TODO", nil, "somebody knows the context: take it as the first argument"},
	{"log", "", nil, "log/slog is handed in, so that a line carries its room and passes the registry"},
	{"fmt", "Print", []string{"cmd", "internal/cli"}, "print to what you were given; logs go through slog"},
	{"fmt", "Println", []string{"cmd", "internal/cli", "smoke", "bench"}, "print to what you were given; logs go through slog"},
	{"fmt", "Printf", []string{"cmd", "internal/cli", "smoke", "bench"}, "print to what you were given; logs go through slog"},
	{"os", "Exit", []string{"cmd", "smoke", "bench", "internal/decode/child"}, "only main ends the process, so that everything else can close"},
	{"math/rand", "", nil, "use crypto/rand, or math/rand/v2 where the number is no secret"},
	{"io/ioutil", "", nil, "it has been replaced by os and io"},
	{"unsafe", "", []string{"internal/decode/child"}, "only the decoder's child talks to foreign memory"},
}

// mayGuess are the folders that may use math/rand/v2, each with what its numbers are for: they
// are never keys, tokens or ids.
var mayGuess = map[string]string{
	"internal/democam": "RTP sequence numbers of the demo camera",
	"internal/ingest":  "jitter of reconnecting",
	"internal/live":    "RTP sequence numbers",
	"internal/footage": "staggering of segment rotation",
	"bench":            "load",
	"smoke":            "load",
}

func TestForbiddenNames(t *testing.T) {
	house(t).each(func(p *pkg, f *file) {
		f.uses(func(path, name string, at tokenPos) {
			for _, n := range never {
				if path == "log" && (name == "New" || name == "Logger") {
					continue // http.Server wants one, in front of a slog handler
				}
				if n.path == path && (n.name == "" || n.name == name) && !slices.ContainsFunc(n.except, func(e string) bool { return below(p.path, e) }) {
					t.Errorf("%s uses %s.%s: %s", f.name, path, name, n.why)
				}
			}
			if path == "math/rand/v2" && !mayGuessIn(p.path) {
				t.Errorf("%s uses %s.%s: secrets come from crypto/rand; if this is none, say so in the table", f.name, path, name)
			}
			if path == "log/slog" && (name == "SetDefault" || name == "Default" || slices.Contains([]string{"Debug", "Info", "Warn", "Error", "Log"}, name)) && !below(p.path, "cmd") {
				t.Errorf("%s uses slog.%s: a logger is handed in, not taken from the air", f.name, name)
			}
		})
	})
}

func mayGuessIn(p string) bool {
	for dir := range mayGuess {
		if below(p, dir) {
			return true
		}
	}
	return false
}

// Unfinished work is in an issue, not in a comment.
var unfinished = regexp.MustCompile(`\b(TODO|FIXME|XXX|HACK)\b`)

func TestNothingIsLeftForLater(t *testing.T) {
	for _, p := range house(t).sorted() {
		if below(p.path, "internal/housetest") {
			continue
		}
		for _, f := range p.files {
			for _, g := range f.ast.Comments {
				if m := unfinished.FindString(g.Text()); m != "" {
					t.Errorf("%s has a %s", f.name, m)
				}
			}
		}
	}
}

// The reader of a signature looks for the context first.
func TestContextComesFirst(t *testing.T) {
	house(t).each(func(p *pkg, f *file) {
		if f.imports["context"] != "context" {
			return
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() {
				continue
			}
			for i, param := range fn.Type.Params.List {
				if sel, ok := param.Type.(*ast.SelectorExpr); ok && i > 0 && sel.Sel.Name == "Context" {
					if x, ok := sel.X.(*ast.Ident); ok && x.Name == "context" {
						t.Errorf("%s: %s takes its context late", f.name, fn.Name.Name)
					}
				}
			}
		}
	})
}

// Wall time is an input. Reading it directly is for the clock, for main and for media pacing,
// which is monotonic.
var mayReadTime = []string{"internal/clock", "cmd", "smoke", "bench", "internal/cli"}

func TestWallTimeIsAnInput(t *testing.T) {
	seen := map[string]int{}
	house(t).each(func(p *pkg, f *file) {
		if slices.ContainsFunc(mayReadTime, func(d string) bool { return below(p.path, d) }) {
			return
		}
		f.uses(func(path, name string, _ tokenPos) {
			if path == "time" && name == "Now" {
				seen[f.name]++
			}
		})
	})
	for name, n := range seen {
		t.Logf("%s reads the machine's clock %d times: right only for pacing and for deadlines of the network", name, n)
	}
}
