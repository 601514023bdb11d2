package seal_test

import (
	"os"
	"path/filepath"
	"testing"

	"candor/internal/seal"
)

// An export opens, elsewhere, what the keys opened when it was taken, and says that it is theirs.
func TestAnExportIsTheKeysAgain(t *testing.T) {
	b := newBench(t)
	p, v := b.sealed(t)
	files, err := b.Export(ctx)
	if err != nil {
		t.Fatal(err)
	}
	mine, err := b.Identity(ctx)
	if err != nil || len(mine) != 32 {
		t.Fatalf("identity %q, %v", mine, err)
	}
	dir := filepath.Join(t.TempDir(), "keys")
	if err := seal.Import(dir, files); err != nil {
		t.Fatal(err)
	}
	if err := seal.Import(dir, files); err == nil {
		t.Error("keys were put over others")
	}
	if got, err := seal.IdentityIn(ctx, dir); err != nil || got != mine {
		t.Errorf("the copy is %q, %v; want %q", got, err, mine)
	}
	other, err := seal.Open(ctx, seal.Options{Dir: dir, Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if got, err := other.Open(ctx, b.permit(p), p, v); err != nil || string(got) != "a secret" {
		t.Errorf("the copy opens %q, %v", got, err)
	}
}

// An export from before an erasure holds what was erased; one from after does not, and neither the old
// keys.db with the new epoch key does.
func TestAnExportAfterAGoodbyeOpensNothingOfIt(t *testing.T) {
	b := newBench(t)
	p, v := b.sealed(t)
	before, err := b.Export(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.Destroy(ctx, seal.Everything(p.Tenant, p.Subject), seal.Closed); err != nil {
		t.Fatal(err)
	}
	if err := b.TurnEpoch(ctx); err != nil {
		t.Fatal(err)
	}
	after, err := b.Export(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		files []seal.KeyFile
		opens bool
	}{
		"before":                       {before, true},
		"after":                        {after, false},
		"before, with the epoch after": {[]seal.KeyFile{before[0], after[1]}, false},
	} {
		dir := filepath.Join(t.TempDir(), "keys")
		if err := seal.Import(dir, c.files); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		other, err := seal.Open(ctx, seal.Options{Dir: dir, Clock: b.clock})
		if err != nil {
			if c.opens {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if _, err := other.Open(ctx, b.permit(p), p, v); (err == nil) != c.opens {
			t.Errorf("%s: opening what was erased: %v", name, err)
		}
		_ = other.Close()
	}
}

func TestAnImportThatIsNotWholeIsRefused(t *testing.T) {
	b := newBench(t)
	files, err := b.Export(ctx)
	if err != nil {
		t.Fatal(err)
	}
	foreign := seal.KeyFile{Name: "../candor.db", Bytes: files[1].Bytes}
	torn := seal.KeyFile{Name: files[1].Name, Bytes: files[1].Bytes[:20]}
	for name, f := range map[string][]seal.KeyFile{
		"nothing": nil, "no epoch": files[:1], "no keys": files[1:], "foreign": {files[0], foreign}, "torn": {files[0], torn},
	} {
		dir := filepath.Join(t.TempDir(), "keys")
		if err := seal.Import(dir, f); err == nil {
			t.Errorf("%s was taken for keys", name)
		}
		if left, _ := os.ReadDir(dir); len(left) != 0 {
			t.Errorf("%s left %v", name, left)
		}
	}
}

// sealed is a value of somebody, and its place.
func (b *bench) sealed(t *testing.T) (seal.Place, seal.Value) {
	t.Helper()
	s := person()
	b.ensure(s)
	p := place(s)
	return p, b.seal(s, p, "a secret")
}
