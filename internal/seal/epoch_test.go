package seal_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"candor/internal/problem"
	"candor/internal/seal"
)

func (b *bench) file(name string) []byte {
	b.t.Helper()
	c, err := os.ReadFile(filepath.Join(b.dir, name))
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func (b *bench) has(name string) bool {
	_, err := os.Stat(filepath.Join(b.dir, name))
	return !errors.Is(err, fs.ErrNotExist)
}

func TestTurningTheEpochKeepsSurvivorsAndClosesOldCopies(t *testing.T) {
	b := newBench(t)
	ada, bob := person(), person()
	at, bobs := place(ada), place(bob)
	gone := b.seal(ada, at, "ada")
	stays := b.seal(bob, bobs, "bob")
	for day := range 2500 { // more than one batch
		b.ensure(footage(camera(bob), clock0(day)))
		if day > 20 && day%2 == 0 {
			break
		}
	}
	oldCopy, oldEpoch := b.file("keys.db"), b.file("epoch-1.key")
	b.destroy(all(ada), seal.Closed)
	if err := b.TurnEpoch(ctx); err != nil {
		t.Fatal(err)
	}
	if b.Epoch() != 2 || b.has("epoch-1.key") {
		t.Errorf("epoch %d, old key there: %v", b.Epoch(), b.has("epoch-1.key"))
	}
	if bytes.Contains(b.files(), oldEpoch[12:44]) {
		t.Error("the old epoch key is still in a file")
	}
	for range 2 {
		if plain, err := b.Open(ctx, b.permit(bobs), bobs, stays); err != nil || string(plain) != "bob" {
			t.Errorf("survivor: %q, %v", plain, err)
		}
		b.reopen()
	}
	if left, err := b.Query1("SELECT count(*) FROM slot WHERE hex(substr(wrapped, 1, 4)) NOT IN ('00000002', '00000000')"); err != nil || left != 0 {
		t.Errorf("%d keys are still wrapped under the old epoch, %v", left, err)
	}
	// The copy somebody made before the goodbye opens with the old epoch key only, which is gone.
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "keys.db"), oldCopy, 0o600); err != nil {
		t.Fatal(err)
	}
	if k, err := seal.Open(ctx, seal.Options{Dir: b.dir, Clock: b.clock}); !problem.Is(err, "keys.missing") || k != nil {
		t.Errorf("the old copy: %v", err)
	}
	_ = gone
}

func TestInterruptedTurnGoesOn(t *testing.T) {
	prepare := func(t *testing.T) (*bench, seal.Place, seal.Value) {
		b := newBench(t)
		door := camera(person())
		at := place(door)
		return b, at, b.seal(door, at, "door")
	}
	finished := func(t *testing.T, b *bench, at seal.Place, v seal.Value, epoch uint32) {
		t.Helper()
		if plain, err := b.Open(ctx, b.permit(at), at, v); err != nil || string(plain) != "door" {
			t.Errorf("opened %q, %v", plain, err)
		}
		for n, want := range map[string]bool{"epoch-1.key": epoch == 1, "epoch-2.key": epoch == 2, "epoch-3.key": false} {
			if b.has(n) != want {
				t.Errorf("%s there: %v, want %v", n, !want, want)
			}
		}
		if b.Epoch() != epoch {
			t.Errorf("epoch %d, want %d", b.Epoch(), epoch)
		}
	}
	t.Run("after the new file", func(t *testing.T) {
		b, at, v := prepare(t)
		if err := os.WriteFile(filepath.Join(b.dir, "epoch-2.key"), []byte("half"), 0o600); err != nil {
			t.Fatal(err)
		}
		b.reopen()
		finished(t, b, at, v, 1)
		if err := b.TurnEpoch(ctx); err != nil {
			t.Fatal(err)
		}
		finished(t, b, at, v, 2)
	})
	t.Run("between the batches", func(t *testing.T) {
		b, at, v := prepare(t)
		if err := b.StopTurnAfter(ctx, 1); err != nil {
			t.Fatal(err)
		}
		b.reopen()
		finished(t, b, at, v, 2)
	})
	t.Run("before the old file goes", func(t *testing.T) {
		b, at, v := prepare(t)
		old := b.file("epoch-1.key")
		if err := b.TurnEpoch(ctx); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(b.dir, "epoch-1.key"), old, 0o600); err != nil {
			t.Fatal(err)
		}
		b.reopen()
		finished(t, b, at, v, 2)
	})
}

func TestWorkGoesOnInTheMiddleOfATurn(t *testing.T) {
	b := newBench(t)
	ada, bob := person(), person()
	at := place(ada)
	v := b.seal(ada, at, "ada")
	b.ensure(camera(bob))
	if err := b.StopTurnAfter(ctx, 2); err != nil {
		t.Fatal(err)
	}
	door := camera(ada)
	name := place(door)
	nameValue := b.seal(door, name, "door")
	b.destroy(all(bob), seal.Closed)
	if err := b.TurnEpoch(ctx); err != nil {
		t.Fatal(err)
	}
	b.reopen()
	for _, c := range []seal.Sealed{{Place: at, Value: v}, {Place: name, Value: nameValue}} {
		if _, err := b.Open(ctx, b.permit(c.Place), c.Place, c.Value); err != nil {
			t.Error(err)
		}
	}
}

func TestShredOverwritesBeforeItUnlinks(t *testing.T) {
	name := filepath.Join(t.TempDir(), "epoch-9.key")
	if err := os.WriteFile(name, []byte("a very secret key"), 0o600); err != nil {
		t.Fatal(err)
	}
	other := name + ".link" // the same bytes under a second name show what became of them
	if err := os.Link(name, other); err != nil {
		t.Fatal(err)
	}
	if err := seal.Shred(name); err != nil {
		t.Fatal(err)
	}
	if c, err := os.ReadFile(other); err != nil || !bytes.Equal(c, make([]byte, 17)) {
		t.Errorf("the bytes are %q, %v", c, err)
	}
	if _, err := os.Stat(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the name is there: %v", err)
	}
	if err := seal.Shred(name); err != nil {
		t.Errorf("a file that is not there: %v", err)
	}
}

func FuzzEpochFile(f *testing.F) {
	f.Add([]byte{}, uint32(1))
	f.Add([]byte("CANDOREK"), uint32(1))
	f.Add(make([]byte, seal.EpochSize), uint32(0))
	f.Fuzz(func(t *testing.T, b []byte, n uint32) {
		if err := seal.ParseEpoch(b, n); err == nil && len(b) != seal.EpochSize {
			t.Errorf("%d bytes passed for an epoch key", len(b))
		}
	})
}

func TestManyTurnsAtOnceLoseNothing(t *testing.T) {
	b := newBench(t)
	door := camera(person())
	at := place(door)
	v := b.seal(door, at, "door")
	other, err := seal.Open(ctx, seal.Options{Dir: b.dir, Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	var wg sync.WaitGroup
	for i := range 12 {
		wg.Go(func() {
			k := b.Keeper
			if i%2 == 0 {
				k = other
			}
			if err := k.TurnEpoch(ctx); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for range 2 {
		if plain, err := b.Open(ctx, b.permit(at), at, v); err != nil || string(plain) != "door" {
			t.Errorf("opened %q, %v", plain, err)
		}
		b.reopen()
	}
}
