package seal_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

var (
	start = time.Date(2030, 5, 4, 10, 0, 0, 0, time.UTC)
	ctx   = context.Background()
)

// bench is a keeper in a folder of its own, with what a test needs around it.
type bench struct {
	t      testing.TB
	dir    string
	clock  *clock.Virtual
	issuer *permit.Issuer
	*seal.Keeper
}

func newBench(t testing.TB) *bench {
	t.Helper()
	c := clock.NewVirtual(start)
	b := &bench{t: t, dir: folder(t), clock: c, issuer: permit.NewIssuer(c)}
	b.open(true)
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// folder is in memory where the machine has such a place: what is tested here is what the files
// hold, and not how fast a disk syncs.
func folder(t testing.TB) string {
	dir, err := os.MkdirTemp("/dev/shm", "candor-seal-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func (b *bench) open(fresh bool) {
	b.t.Helper()
	k, err := seal.Open(ctx, seal.Options{Dir: b.dir, Fresh: fresh, Clock: b.clock})
	if err != nil {
		b.t.Fatal(err)
	}
	b.Keeper = k
}

func (b *bench) reopen() {
	b.t.Helper()
	if err := b.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.open(false)
}

// permit opens everything of a person, unless change says otherwise.
func (b *bench) permit(p seal.Place, change ...func(*permit.Grant)) permit.Permit {
	g := permit.Grant{
		Tenant: p.Tenant, Subject: p.Subject, Binding: p.Binding, Action: permit.AccountRead,
		Categories: []passport.Category{p.Category}, Expires: b.clock.Now().Add(time.Minute),
	}
	for _, f := range change {
		f(&g)
	}
	return b.issuer.Permit(g)
}

func (b *bench) seal(s seal.Scope, p seal.Place, plain string) seal.Value {
	b.t.Helper()
	v, err := b.Seal(ctx, s, p, []byte(plain))
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

func (b *bench) files() []byte {
	b.t.Helper()
	var all []byte
	entries, err := os.ReadDir(b.dir)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, e := range entries {
		c, err := os.ReadFile(filepath.Join(b.dir, e.Name()))
		if err != nil {
			b.t.Fatal(err)
		}
		all = append(all, c...)
	}
	return all
}

// clock0 is the nth day of a test.
func clock0(n int) clock.Day { return clock.Day(20000 + n) }

func person() seal.Scope {
	return seal.OfSubject(id.DefaultTenant, id.Subject(id.New[struct{}]()))
}

func camera(s seal.Scope) seal.Scope {
	return seal.OfBinding(s.Tenant, s.Subject, id.Binding(id.New[struct{}]()))
}

func footage(c seal.Scope, day clock.Day) seal.Scope {
	return c.In(seal.Bucket{Day: day, Category: passport.Footage, Class: seal.Continuous})
}

func place(s seal.Scope) seal.Place {
	p := seal.Place{Tenant: s.Tenant, Subject: s.Subject, Binding: s.Binding, Passport: "account.email",
		Category: passport.Identity, Row: id.Row(id.New[struct{}]())}
	if s.Bucket.Category != "" {
		p.Category, p.Passport = s.Bucket.Category, "footage.segment"
	}
	return p
}

func TestValueOpensOnlyInItsPlace(t *testing.T) {
	promise.Proves(t, "P291")
	b := newBench(t)
	ada := person()
	home := place(ada)
	v := b.seal(ada, home, "ada@example.org")
	if plain, err := b.Open(ctx, b.permit(home), home, v); err != nil || string(plain) != "ada@example.org" {
		t.Fatalf("opened %q, %v", plain, err)
	}
	bob := person()
	if _, err := b.Ensure(ctx, bob); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*seal.Place){
		"another row":     func(p *seal.Place) { p.Row = id.Row(id.New[struct{}]()) },
		"another column":  func(p *seal.Place) { p.Passport = "account.name" },
		"another account": func(p *seal.Place) { p.Subject = bob.Subject },
		"another tenant":  func(p *seal.Place) { p.Tenant = id.Tenant(id.New[struct{}]()) },
	} {
		other := home
		change(&other)
		if plain, err := b.Open(ctx, b.permit(other), other, v); !errors.Is(err, seal.ErrClosed) || plain != nil {
			t.Errorf("copied to %s: opened %q, %v", name, plain, err)
		}
	}
}

func TestNothingIsStoredOpen(t *testing.T) {
	promise.Proves(t, "P290", "P227")
	b := newBench(t)
	const marker = "Ada Canary Quill"
	keys := map[id.Key]bool{}
	var dump []byte // what a room would store, and the key folder
	for range 5 {
		ada := person()
		door := camera(ada)
		for _, s := range []seal.Scope{ada, door, footage(door, 100)} {
			v := b.seal(s, place(s), marker)
			key, ok := v.Key()
			if !ok || keys[key] {
				t.Errorf("value %x: key %v is no key of its own", v, key)
			}
			keys[key] = true
			dump = append(dump, v...)
		}
	}
	dump = append(dump, b.files()...)
	if bytes.Contains(dump, []byte(marker)) || bytes.Contains(dump, []byte("Canary")) {
		t.Error("a planted word is stored as it is")
	}
	if b.reopen(); bytes.Contains(b.files(), []byte(marker)) {
		t.Error("after a restart a planted word is in the key folder")
	}
}

func TestCameraValuesStayWithTheirCamera(t *testing.T) {
	b := newBench(t)
	ada := person()
	door, yard := camera(ada), camera(ada)
	at := place(door)
	v := b.seal(door, at, "rtsp://door")
	moved := at
	moved.Binding = yard.Binding
	if _, err := b.Open(ctx, b.permit(moved), moved, v); !errors.Is(err, seal.ErrClosed) {
		t.Errorf("under another camera: %v", err)
	}
	moved.Binding = id.Binding{}
	if _, err := b.Open(ctx, b.permit(moved), moved, v); !errors.Is(err, seal.ErrClosed) {
		t.Errorf("as a value of no camera: %v", err)
	}
	day := footage(door, 100)
	rowPlace := place(day)
	hour := b.seal(day, rowPlace, "hour")
	rowPlace.Category = passport.Picture
	if _, err := b.Open(ctx, b.permit(rowPlace), rowPlace, hour); !errors.Is(err, seal.ErrClosed) {
		t.Errorf("as another category: %v", err)
	}
}

func TestNoPermitNoPlaintext(t *testing.T) {
	promise.Proves(t, "P242")
	b := newBench(t)
	cam := camera(person())
	at := place(cam)
	v := b.seal(cam, at, "secret name")
	for name, p := range map[string]permit.Permit{
		"none":             {},
		"expired":          b.permit(at, func(g *permit.Grant) { g.Expires = b.clock.Now() }),
		"another person":   b.permit(at, func(g *permit.Grant) { g.Subject = id.Subject(id.New[struct{}]()) }),
		"another tenant":   b.permit(at, func(g *permit.Grant) { g.Tenant = id.Tenant(id.New[struct{}]()) }),
		"another camera":   b.permit(at, func(g *permit.Grant) { g.Binding = id.Binding(id.New[struct{}]()) }),
		"another category": b.permit(at, func(g *permit.Grant) { g.Categories = []passport.Category{passport.Footage} }),
		"no category":      b.permit(at, func(g *permit.Grant) { g.Categories = nil }),
	} {
		plain, err := b.Open(ctx, p, at, v)
		if !errors.Is(err, seal.ErrClosed) || plain != nil {
			t.Errorf("%s: opened %q, %v", name, plain, err)
		}
		if err != nil && bytes.Contains([]byte(err.Error()), []byte("secret")) {
			t.Errorf("%s: the error tells the value: %v", name, err)
		}
	}
	if plain, err := b.Open(ctx, b.permit(at), at, v); err != nil || string(plain) != "secret name" {
		t.Errorf("with its permit: %q, %v", plain, err)
	}
}

func TestChangedBytesDoNotOpen(t *testing.T) {
	b := newBench(t)
	ada := person()
	at := place(ada)
	v := b.seal(ada, at, "hello")
	for i := range v {
		bad := bytes.Clone(v)
		bad[i] ^= 1
		if _, err := b.Open(ctx, b.permit(at), at, bad); !errors.Is(err, seal.ErrClosed) {
			t.Fatalf("byte %d changed: %v", i, err)
		}
		if _, err := b.Open(ctx, b.permit(at), at, v[:i]); !errors.Is(err, seal.ErrClosed) {
			t.Fatalf("cut to %d bytes: %v", i, err)
		}
	}
}

func TestSealRefusesAForeignScope(t *testing.T) {
	b := newBench(t)
	ada, bob := person(), person()
	door := camera(ada)
	for name, c := range map[string]struct {
		scope seal.Scope
		place seal.Place
	}{
		"another person's key":  {bob, place(ada)},
		"camera key, no camera": {door, place(ada)},
		"nobody":                {seal.Scope{}, place(ada)},
		"place without row":     {ada, func() seal.Place { p := place(ada); p.Row = id.Row{}; return p }()},
		"bucket without camera": {ada.In(seal.Bucket{Day: 1, Category: passport.Footage, Class: seal.Kept}), place(ada)},
	} {
		if v, err := b.Seal(ctx, c.scope, c.place, []byte("x")); !errors.Is(err, seal.ErrScope) || v != nil {
			t.Errorf("%s: %x, %v", name, v, err)
		}
	}
}

func TestValuesOutliveARestart(t *testing.T) {
	b := newBench(t)
	ada := person()
	at := place(ada)
	v := b.seal(ada, at, "still here")
	b.reopen()
	if plain, err := b.Open(ctx, b.permit(at), at, v); err != nil || string(plain) != "still here" {
		t.Fatalf("after a restart: %q, %v", plain, err)
	}
	if bytes.Contains(b.files(), []byte("still here")) {
		t.Error("plaintext in the key folder")
	}
}

func TestMissingOrDamagedKeysAreSaid(t *testing.T) {
	for name, c := range map[string]struct {
		harm func(dir string) error
		code string
	}{
		"no keys.db":    {func(d string) error { return os.Remove(filepath.Join(d, "keys.db")) }, "keys.missing"},
		"empty keys.db": {func(d string) error { return os.Truncate(filepath.Join(d, "keys.db"), 0) }, "keys.missing"},
		"no epoch key":  {func(d string) error { return os.Remove(filepath.Join(d, "epoch-1.key")) }, "keys.missing"},
		"cut epoch key": {func(d string) error { return os.Truncate(filepath.Join(d, "epoch-1.key"), 20) }, "keys.damaged"},
		"not a database": {func(d string) error {
			return os.WriteFile(filepath.Join(d, "keys.db"), bytes.Repeat([]byte("no"), 4096), 0o600)
		}, "keys.damaged"},
		"another epoch key": {func(d string) error { return swapEpoch(d) }, "keys.damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			if _, err := b.Ensure(ctx, person()); err != nil {
				t.Fatal(err)
			}
			if err := b.Close(); err != nil {
				t.Fatal(err)
			}
			if err := c.harm(b.dir); err != nil {
				t.Fatal(err)
			}
			k, err := seal.Open(ctx, seal.Options{Dir: b.dir, Clock: b.clock})
			if !problem.Is(err, c.code) {
				t.Fatalf("opened with %v, want problem %s", err, c.code)
			}
			if k != nil {
				t.Fatal("a keeper came back all the same")
			}
		})
	}
}

// swapEpoch puts another installation's epoch key in place of this one's.
func swapEpoch(dir string) error {
	other, err := os.MkdirTemp(dir, "other")
	if err != nil {
		return err
	}
	k, err := seal.Open(ctx, seal.Options{Dir: other, Fresh: true, Clock: clock.Wall})
	if err != nil {
		return err
	}
	if err := k.Close(); err != nil {
		return err
	}
	return os.Rename(filepath.Join(other, "epoch-1.key"), filepath.Join(dir, "epoch-1.key"))
}

func TestKeyFilesArePrivate(t *testing.T) {
	b := newBench(t)
	for _, name := range []string{"keys.db", "epoch-1.key", "keys.reserve"} {
		info, err := os.Stat(filepath.Join(b.dir, name))
		if err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v, want -rw-------", name, info, err)
		}
	}
}
