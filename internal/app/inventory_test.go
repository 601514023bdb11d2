package app

import (
	"database/sql"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"candor/internal/bus"
	"candor/internal/id"
	"candor/internal/metrics"
	"candor/internal/passport"
	"candor/internal/policy"
	"candor/internal/promise"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

// compare says how the things that are there and the passports differ. Only passports whose place
// has the form are asked for.
func compare(there []string, all []passport.Passport, form func(where string) bool) []string {
	var wrong []string
	count := map[string]int{}
	for _, p := range all {
		if form(p.Where) {
			count[p.Where]++
		}
	}
	for _, place := range there {
		if n := count[place]; n != 1 {
			wrong = append(wrong, fmt.Sprintf("%s has %d passports", place, n))
		}
		delete(count, place)
	}
	for place := range count {
		wrong = append(wrong, "a passport for "+place+", which is not there")
	}
	slices.Sort(wrong)
	return wrong
}

func column(where string) bool { return !strings.ContainsAny(where, ":/") }

func begins(with string) func(string) bool {
	return func(where string) bool { return strings.HasPrefix(where, with) }
}

// columns lists table.column of the live schema.
func columns(t *testing.T, db *sql.DB, dialect sqldb.Dialect) []string {
	t.Helper()
	out, err := sqldb.Columns(t.Context(), db, dialect)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEveryColumnHasOnePassport(t *testing.T) {
	promise.Proves(t, "P296")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		if promise.Cut("P296") {
			if _, err := db.Write.Exec("ALTER TABLE account_account ADD COLUMN mood TEXT"); err != nil {
				t.Fatal(err)
			}
		}
		there := columns(t, db.Read.DB, db.Dialect)
		if len(there) < 80 {
			t.Fatalf("only %d columns were found", len(there))
		}
		for _, wrong := range compare(there, Passports(), column) {
			t.Error(wrong)
		}
		// A column, a table and a passport that nobody knows are noticed.
		for _, plant := range []string{"ALTER TABLE account_account ADD COLUMN nickname TEXT", "CREATE TABLE holiday (place TEXT)"} {
			if _, err := db.Write.Exec(plant); err != nil {
				t.Fatal(err)
			}
		}
		stray := passport.Passport{Where: "account_account.shoe_size"}
		got := compare(columns(t, db.Read.DB, db.Dialect), append(Passports(), stray), column)
		want := []string{"a passport for account_account.shoe_size, which is not there", "account_account.nickname has 0 passports", "holiday.place has 0 passports"}
		if !slices.Equal(got, want) {
			t.Errorf("after planting: %q", got)
		}
	})
}

func TestEveryColumnOfTheKeysHasOnePassport(t *testing.T) {
	w, _ := share(t)
	files, err := filepath.Glob(filepath.Join(snapshot(t, w.dir), keysFolder, "*.db"))
	if err != nil || len(files) != 1 {
		t.Fatalf("key files %q, %v", files, err)
	}
	db, err := sql.Open("sqlite", files[0])
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var there []string
	for _, c := range columns(t, db, sqldb.SQLite) {
		there = append(there, "keys.db/"+c)
	}
	if len(there) < 20 {
		t.Fatalf("only %d columns were found", len(there))
	}
	for _, wrong := range compare(there, Passports(), begins("keys.db/")) {
		t.Error(wrong)
	}
}

// TestEveryPassportFitsThePolicy: a word the policy does not know, a purpose that may not touch
// the category, or a stay longer than promised.
func TestEveryPassportFitsThePolicy(t *testing.T) {
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	ids := map[passport.ID]bool{}
	for _, one := range Passports() {
		if err := p.Judge(one); err != nil {
			t.Error(err)
		}
		if ids[one.ID] {
			t.Errorf("two passports are called %s", one.ID)
		}
		ids[one.ID] = true
		if one.Sealed && one.Erasure != passport.Shred {
			t.Errorf("passport %s: what is sealed is erased by its key", one.ID)
		}
		if strings.HasPrefix(one.Where, "metric:") && one.Category != passport.Technical || strings.HasPrefix(one.Where, "log:") && one.Category != passport.Technical {
			t.Errorf("passport %s: %s data does not belong into logs and metrics", one.ID, one.Category)
		}
	}
	planted := passport.Passport{
		ID: "account.nickname", Where: "account_account.nickname", Category: passport.Identity, Purposes: []passport.Purpose{"advertising"},
		Until: "account closed", Erasure: passport.Delete, Owner: "account_account.id",
	}
	if p.Judge(planted) == nil {
		t.Error("a purpose that the policy does not have was let through")
	}
}

// sources are the module's own Go files but the tests.
func sources(t *testing.T) map[string]*ast.File {
	t.Helper()
	out := map[string]*ast.File{}
	set := token.NewFileSet()
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		f, err := parser.ParseFile(set, path, nil, 0)
		out[path] = f
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// literals are the strings written in a file.
func literals(f *ast.File) []string {
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			if s, err := strconv.Unquote(lit.Value); err == nil {
				out = append(out, s)
			}
		}
		return true
	})
	return out
}

// subjects are the constants of type bus.Type.
func subjects(f *ast.File) []string {
	var out []string
	ast.Inspect(f, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if sel, ok := spec.Type.(*ast.SelectorExpr); ok && sel.Sel.Name == "Type" {
			if pkg, ok := sel.X.(*ast.Ident); ok && pkg.Name == "bus" {
				for _, v := range spec.Values {
					if lit, ok := v.(*ast.BasicLit); ok {
						s, _ := strconv.Unquote(lit.Value)
						out = append(out, "bus:"+s)
					}
				}
			}
		}
		return true
	})
	return out
}

func TestEverySubjectOfTheBusHasOnePassport(t *testing.T) {
	var there []string
	for _, f := range sources(t) {
		there = append(there, subjects(f)...)
	}
	if len(there) < 5 {
		t.Fatalf("only %d subjects were found", len(there))
	}
	for _, wrong := range compare(there, Passports(), begins("bus:")) {
		t.Error(wrong)
	}
	// One that has none does not travel.
	w, _ := share(t)
	if err := w.bus.Publish(w.bus.Say("account.account.followed", w.tenant, id.Row{})); err == nil || !strings.Contains(err.Error(), bus.ErrUnknown.Error()) {
		t.Errorf("a subject without a passport was published: %v", err)
	}
}

// TestEveryLogKeyIsInUse: the other direction, that no other key reaches the log, is proved in
// package logging and by the log of every house that these tests run.
func TestEveryLogKeyIsInUse(t *testing.T) {
	used := map[string]bool{}
	for path, f := range sources(t) {
		if path == filepath.Join("..", "logging", "passport.go") {
			continue
		}
		for _, s := range literals(f) {
			used[s] = true
		}
	}
	for _, p := range Passports() {
		if key, ok := strings.CutPrefix(p.Where, "log:"); ok && !used[key] {
			t.Errorf("no line of the log has the key %q: take it out of the registry", key)
		}
	}
}

var sample = regexp.MustCompile(`(?m)^(candor_[a-z_]+?)(?:_bucket|_sum|_count)?(?:\{([^}]*)\})? `)

// kinds are what a metric may be told apart by: states and parts of the program, never people.
var kinds = map[string]bool{
	"category": true, "class": true, "go": true, "method": true, "route": true, "state": true, "version": true,
}

func TestMetricsCountNobody(t *testing.T) {
	promise.Proves(t, "P185")
	all, seen := Passports(), 0
	if promise.Cut("P185") {
		all = append(all, metrics.Passport("clicks_total", "account", "page"))
	}
	for _, p := range all {
		name, labels, ok := strings.Cut(strings.TrimSuffix(p.Where, "}"), "{")
		if !strings.HasPrefix(name, "metric:") || !ok || labels == "" {
			continue
		}
		seen++
		for _, l := range strings.Split(labels, ",") {
			if !kinds[l] {
				t.Errorf("%s is told apart by %q", name, l)
			}
		}
	}
	if seen < 3 {
		t.Errorf("only %d metrics have labels", seen)
	}
}

func TestEveryMetricHasOnePassport(t *testing.T) {
	w, p := share(t)
	p.cameras()
	w.gauges.age.With("footage").Set(0)
	w.gauges.overdue.With("footage").Add(0)
	page := p.page("/metrics")
	there := map[string]bool{}
	for _, m := range sample.FindAllStringSubmatch(page, -1) {
		var labels []string
		for _, l := range strings.Split(m[2], `",`) {
			if name, _, ok := strings.Cut(l, "="); ok && name != "le" {
				labels = append(labels, name)
			}
		}
		name := strings.TrimPrefix(m[1], metrics.Prefix)
		there[metrics.Where(name, labels...)] = true
	}
	var list []string
	for place := range there {
		list = append(list, place)
	}
	if len(list) < 10 {
		t.Fatalf("only %d metrics were found in %s", len(list), page)
	}
	for _, wrong := range compare(list, Passports(), begins("metric:")) {
		t.Error(wrong)
	}
	for _, private := range []string{anna.email, anna.name, p.account.String(), p.camera, "127.0.0.1"} {
		if strings.Contains(page, private) {
			t.Errorf("the metrics page says %q", private)
		}
	}
	defer func() {
		if recover() == nil {
			t.Error("a metric without a passport was made")
		}
	}()
	w.metrics.Gauge("visitors", "Planted.", "name")
}

// TestNothingElseLiesInTheDataFolder: databases, keys and certificates have their own tests; all
// other folders hold objects, and each has a passport.
func TestNothingElseLiesInTheDataFolder(t *testing.T) {
	w, p := share(t)
	p.recorded(p.camera, 0)
	known := map[string]bool{databaseFile: false, databaseFile + "-wal": false, databaseFile + "-shm": false, keysFolder: false, lockFile: false, spareFile: false, pushKeyFile: false}
	for _, one := range Passports() {
		if prefix, ok := strings.CutPrefix(one.Where, "blob:"); ok {
			known[strings.TrimSuffix(prefix, "/")] = false
		}
	}
	entries, err := os.ReadDir(w.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if _, ok := known[e.Name()]; !ok {
			t.Errorf("%s lies in the data folder and has no passport", e.Name())
		}
		known[e.Name()] = true
		if info, err := e.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s: others may read it (%v, %v)", e.Name(), info.Mode(), err)
		}
	}
	for name, there := range known {
		if !there {
			t.Errorf("%s is not in the data folder", name)
		}
	}
}

// heldKinds are the kinds that a holder's inventory names: literals of the field Kind, and the second
// arguments of a helper called line.
func heldKinds(f *ast.File) []string {
	var out []string
	take := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			s, _ := strconv.Unquote(lit.Value)
			out = append(out, s)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Kind" {
				take(n.Value)
			}
		case *ast.CompositeLit: // package share lists its tables and kinds
			if name, ok := n.Type.(*ast.Ident); ok && name.Name == "part" && len(n.Elts) > 1 {
				take(n.Elts[1])
			}
		case *ast.CallExpr:
			if name, ok := n.Fun.(*ast.Ident); ok && name.Name == "line" && len(n.Args) > 1 {
				take(n.Args[1])
			}
		}
		return true
	})
	return out
}
