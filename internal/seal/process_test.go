package seal_test

import (
	"testing"

	"candor/internal/seal"
)

// Another process (candor user reset) works on the same file: what it destroys does not open here
// from memory, and what it turns is noticed.
func TestAnotherProcessIsNoticed(t *testing.T) {
	b := newBench(t)
	ada, bob := person(), person()
	at, bobs := place(ada), place(bob)
	v, w := b.seal(ada, at, "ada"), b.seal(bob, bobs, "bob")
	other, err := seal.Open(ctx, seal.Options{Dir: b.dir, Clock: b.clock})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	if _, err := b.Open(ctx, b.permit(at), at, v); err != nil || b.Cached() == 0 {
		t.Fatalf("%v; %d cached", err, b.Cached())
	}
	if _, err := other.Destroy(ctx, all(ada), seal.Closed); err != nil {
		t.Fatal(err)
	}
	if plain, err := b.Open(ctx, b.permit(at), at, v); err == nil {
		t.Errorf("opened %q from memory", plain)
	}
	if err := other.TurnEpoch(ctx); err != nil {
		t.Fatal(err)
	}
	if plain, err := b.Open(ctx, b.permit(bobs), bobs, w); err != nil || string(plain) != "bob" {
		t.Errorf("after the turn: %q, %v", plain, err)
	}
	b.ensure(camera(bob))
	if b.Epoch() != 2 {
		t.Errorf("epoch %d", b.Epoch())
	}
}
