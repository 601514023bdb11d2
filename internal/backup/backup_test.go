package backup

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

var start = time.Date(2030, 5, 4, 10, 0, 0, 0, time.UTC)

// house is the data folder of an installation.
type house struct {
	Source
	t     *testing.T
	clock *clock.Virtual
}

func newHouse(t *testing.T, address string) *house {
	t.Helper()
	c := clock.NewVirtual(start)
	h := &house{t: t, clock: c}
	h.Source = Source{
		Data: t.TempDir(), Database: address, Keys: "k1", Program: "test", Days: 30, Now: c.Now,
		Objects: []string{"footage/kept", "events/kept"}, Files: []string{"push.key", "tls"},
	}
	if address == "" {
		h.Database = filepath.Join(h.Data, "candor.db")
	}
	db, err := sqldb.Open(t.Context(), h.Database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	if _, err := db.Write.NewRaw("INSERT INTO sqldb_installation VALUES (1, ?, ?)", id.New[struct{}](), int64(7)).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.put("push.key", "push")
	h.put("tls/a/cert.pem", "certificate")
	h.put("keys/keys.db", "SECRET")
	return h
}

func (h *house) put(name, text string) {
	h.t.Helper()
	at := filepath.Join(h.Data, name)
	if err := os.MkdirAll(filepath.Dir(at), 0o700); err != nil {
		h.t.Fatal(err)
	}
	if err := os.WriteFile(at, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) take(to string) Run {
	h.t.Helper()
	r, err := h.Take(h.t.Context(), to)
	if err != nil {
		h.t.Fatal(err)
	}
	return r
}

func target(t *testing.T, address string) Target {
	d := t.TempDir()
	if address == "" {
		address = filepath.Join(d, "candor.db")
	}
	return Target{Data: d, Database: address, Beside: []string{"keys", "lock"}}
}

// tree is what lies in a folder.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(at string, e os.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(at)
		rel, _ := filepath.Rel(dir, at)
		out[rel] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestWhatWasTakenIsThereAgain(t *testing.T) {
	for name, address := range map[string]func() string{"sqlite": func() string { return "" }, "postgres": func() string { return sqltest.PostgresURL(t) }} {
		t.Run(name, func(t *testing.T) {
			h, to := newHouse(t, address()), filepath.Join(t.TempDir(), "to")
			h.put("footage/kept/a/1", "one")
			h.put("footage/open/a+9", "half")
			h.put("events/kept/b/2", "two")
			h.take(to)
			h.clock.Advance(time.Hour)
			h.put("footage/kept/a/3", "three")
			r := h.take(to)
			if r.Objects != 3 || r.Keys != "k1" {
				t.Errorf("the run: %+v", r)
			}
			for file, text := range tree(t, to) {
				if strings.Contains(text, "SECRET") || strings.Contains(file, part) {
					t.Errorf("%s is in the backup", file)
				}
			}
			out := target(t, address())
			got, err := out.Restore(t.Context(), to, "")
			if err != nil || got.Lost != 0 || got.Name() != r.Name() {
				t.Fatalf("restore: %+v, %v", got, err)
			}
			there := tree(t, out.Data)
			for file, text := range map[string]string{"footage/kept/a/1": "one", "events/kept/b/2": "two", "footage/kept/a/3": "three", "push.key": "push", "tls/a/cert.pem": "certificate"} {
				if there[file] != text {
					t.Errorf("%s holds %q, want %q", file, there[file], text)
				}
			}
			if _, ok := there["keys/keys.db"]; ok || there["footage/open/a+9"] != "" {
				t.Errorf("too much is there: %v", there)
			}
			if who, err := sqldb.Identify(t.Context(), out.Database); err != nil || who.Installation != r.Installation {
				t.Errorf("the database is of %+v, %v", who, err)
			}
			out.Data = t.TempDir()
			if _, err := out.Restore(t.Context(), to, ""); err == nil {
				t.Error("a database was written over")
			}
		})
	}
}

// An erased piece leaves with the last run that names it; the newest run stays, however old.
func TestOldRunsGoWithWhatNobodyNames(t *testing.T) {
	h, to := newHouse(t, ""), filepath.Join(t.TempDir(), "to")
	h.put("footage/kept/a/1", "erased")
	h.put("footage/kept/a/2", "stays")
	first := h.take(to)
	if err := os.Remove(filepath.Join(h.Data, "footage/kept/a/1")); err != nil {
		t.Fatal(err)
	}
	h.clock.Advance(29 * 24 * time.Hour)
	h.take(to)
	if there := tree(t, to); there["objects/footage/kept/a/1"] != "erased" {
		t.Error("a run's piece is gone before its time")
	}
	old := target(t, "")
	if _, err := old.Restore(t.Context(), to, first.Name()); err != nil || tree(t, old.Data)["footage/kept/a/1"] != "erased" {
		t.Errorf("the first run: %v", err)
	}
	h.clock.Advance(2 * 24 * time.Hour)
	h.take(to)
	there := tree(t, to)
	if _, ok := there["objects/footage/kept/a/1"]; ok || there["objects/footage/kept/a/2"] != "stays" {
		t.Errorf("after the time: %v", there)
	}
	if _, ok := there["runs/"+first.Name()+"/backup.json"]; ok {
		t.Error("an old run stays")
	}
	h.clock.Advance(90 * 24 * time.Hour)
	f, err := enter(to, "", false)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.prune(h.clock.Now()); err != nil {
		t.Fatal(err)
	}
	if all, _ := f.runs(); len(all) != 1 {
		t.Errorf("%d runs are left", len(all))
	}
	if _, err := h.Take(t.Context(), to); err == nil || !strings.Contains(err.Error(), "wait for it") {
		t.Errorf("two at once: %v", err)
	}
	_ = f.leave()
}

func TestFoldersThatAreRefused(t *testing.T) {
	h, other, to := newHouse(t, ""), newHouse(t, ""), filepath.Join(t.TempDir(), "to")
	other.take(to)
	full := t.TempDir()
	if err := os.WriteFile(filepath.Join(full, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(h.Data, link); err != nil {
		t.Fatal(err)
	}
	for dir, want := range map[string]string{
		to: "another installation", full: "letter.txt", filepath.Join(h.Data, "x"): "in one another", filepath.Dir(h.Data): "in one another",
		filepath.Join(link, "x"): "in one another", "/dev/null/x": "cannot be used",
	} {
		if _, err := h.Take(t.Context(), dir); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want … %s …", dir, err, want)
		}
	}
	if there := tree(t, full); len(there) != 1 {
		t.Errorf("a refused folder holds %v", there)
	}
	mine := filepath.Join(t.TempDir(), "mine")
	r := h.take(mine)
	strange := target(t, "")
	strange.Keys = "k2"
	if _, err := strange.Restore(t.Context(), mine, ""); err == nil || !strings.Contains(err.Error(), "another installation") {
		t.Errorf("other keys: %v", err)
	}
	if _, err := target(t, "").Restore(t.Context(), mine, "20010101T000000Z"); err == nil || !strings.Contains(err.Error(), r.Name()) {
		t.Errorf("no such run: %v", err)
	}
	if _, err := target(t, "").Restore(t.Context(), full, ""); err == nil || !strings.Contains(err.Error(), "no backup of Candor") {
		t.Errorf("no backup: %v", err)
	}
}

// A changed piece is left out and counted; a changed database is not put back.
func TestDamageIsNoticed(t *testing.T) {
	h, to := newHouse(t, ""), filepath.Join(t.TempDir(), "to")
	h.put("footage/kept/a/1", "one")
	h.put("footage/kept/a/2", "two")
	r := h.take(to)
	if err := os.WriteFile(filepath.Join(to, "objects/footage/kept/a/1"), []byte("eno"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := target(t, "")
	if got, err := out.Restore(t.Context(), to, ""); err != nil || got.Lost != 1 || tree(t, out.Data)["footage/kept/a/2"] != "two" {
		t.Errorf("restore: %+v, %v", got, err)
	}
	db := filepath.Join(to, "runs", r.Name(), "candor.db")
	if err := os.Truncate(db, 4096); err != nil {
		t.Fatal(err)
	}
	out = target(t, "")
	if _, err := out.Restore(t.Context(), to, ""); err == nil || !strings.Contains(err.Error(), "candor.db is not what was written") || len(tree(t, out.Data)) != 0 {
		t.Errorf("a cut database: %v", err)
	}
}

// A run that stops on its way leaves what looks whole alone, and nothing else.
func TestAnInterruptedRunLeavesNothingThatLooksWhole(t *testing.T) {
	h, to := newHouse(t, ""), filepath.Join(t.TempDir(), "to")
	h.put("footage/kept/a/1", "one")
	h.take(to)
	ctx, stop := context.WithCancel(t.Context())
	stop()
	h.clock.Advance(time.Hour)
	if _, err := h.Take(ctx, to); err == nil {
		t.Fatal("a stopped run ended well")
	}
	if all, _ := runsIn(to); len(all) != 1 {
		t.Errorf("%d runs", len(all))
	}
	for name := range tree(t, to) {
		if strings.Contains(name, part) {
			t.Errorf("%s is left", name)
		}
	}
	h.take(to)
}

func TestAMirrorOpensWithItsRecoveryKeyOnly(t *testing.T) {
	dir, folder := filepath.Join(t.TempDir(), "keys"), filepath.Join(t.TempDir(), "mirror")
	c := clock.NewVirtual(start)
	k, err := seal.Open(t.Context(), seal.Options{Dir: dir, Fresh: true, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	mine, _ := age.GenerateX25519Identity()
	other, _ := age.GenerateX25519Identity()
	save := func(i *age.X25519Identity) string {
		name := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(name, []byte(i.String()), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	var file string
	for _, wait := range []time.Duration{0, time.Hour, 24 * time.Hour, 29 * 24 * time.Hour, 2 * 24 * time.Hour} {
		c.Advance(wait)
		if file, err = Mirror(t.Context(), k, folder, mine.Recipient().String(), c.Now(), 30); err != nil {
			t.Fatal(err)
		}
	}
	if all, _ := mirrors(folder); len(all) != 2 || !all[1].Equal(c.Now()) {
		t.Errorf("mirrors of %v are left", all)
	}
	if _, err := Mirror(t.Context(), k, folder, "age1x", c.Now(), 30); err == nil || !strings.Contains(err.Error(), "age-keygen") {
		t.Errorf("no recipient: %v", err)
	}
	to := filepath.Join(t.TempDir(), "keys")
	if err := Unmirror(file, save(other), to); err == nil || !strings.Contains(err.Error(), "another recovery key") {
		t.Errorf("another key: %v", err)
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	cut := filepath.Join(t.TempDir(), "cut")
	if err := os.WriteFile(cut, b[:len(b)-20], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Unmirror(cut, save(mine), to); err == nil {
		t.Error("a cut mirror opens")
	}
	if _, err := os.Stat(to); err == nil {
		t.Error("what did not open left something")
	}
	if err := Unmirror(file, save(mine), to); err != nil {
		t.Fatal(err)
	}
	want, _ := k.Identity(t.Context())
	if got, err := seal.IdentityIn(t.Context(), to); err != nil || got != want {
		t.Errorf("keys of %q, %v; want %q", got, err, want)
	}
}
