package seal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/seal"
)

func all(s seal.Scope) seal.Selection { return seal.Camera(s.Tenant, s.Subject, s.Binding) }

func (b *bench) ensure(s seal.Scope) id.Key {
	b.t.Helper()
	key, err := b.Ensure(ctx, s)
	if err != nil {
		b.t.Fatal(err)
	}
	return key
}

func (b *bench) destroy(s seal.Selection, why string) seal.Destruction {
	b.t.Helper()
	d, err := b.Destroy(ctx, s, why)
	if err != nil {
		b.t.Fatal(err)
	}
	return d
}

func TestDestroyedKeysAreNowhere(t *testing.T) {
	for _, n := range []int{1, 1000} {
		t.Run(fmt.Sprint(n, " keys"), func(t *testing.T) {
			b := newBench(t)
			ada, bob := person(), person()
			door, bobs := camera(ada), camera(bob)
			for day := range n { // interleaved, so that the pages hold both
				b.ensure(footage(door, clock0(day)))
				if day%3 == 0 {
					b.ensure(footage(bobs, clock0(day)))
				}
			}
			raw, wrapped, err := b.Material(ctx, all(ada))
			if err != nil || len(raw) != n+2 {
				t.Fatalf("%d keys, %v; want %d", len(raw), err, n+2)
			}
			before := b.files()
			for _, w := range wrapped {
				if !bytes.Contains(before, w) {
					t.Fatal("a live key is not where the hunt would find it: the hunt proves nothing")
				}
			}
			d := b.destroy(all(ada), seal.Closed)
			if d.Keys != n+2 || !d.At.Equal(start) {
				t.Errorf("destroyed %d keys at %v", d.Keys, d.At)
			}
			hunt(t, b, append(raw, wrapped...))
			if _, orphans, err := b.Orphans(ctx); err != nil || orphans != 0 {
				t.Errorf("%d orphans, %v", orphans, err)
			}
			if looked, found, err := b.Residue(ctx, d); looked != n+2 || found != 0 || err != nil {
				t.Errorf("residue: looked for %d, found %d, %v", looked, found, err)
			}
			if left, err := b.Count(ctx, all(bob)); err != nil || left != (n+2)/3+2 {
				t.Errorf("the neighbour has %d keys, %v", left, err)
			}
			at := place(footage(bobs, 0))
			v := b.seal(footage(bobs, clock0(0)), at, "bob's")
			b.reopen()
			if plain, err := b.Open(ctx, b.permit(at), at, v); err != nil || string(plain) != "bob's" {
				t.Errorf("the neighbour's value: %q, %v", plain, err)
			}
			hunt(t, b, append(raw, wrapped...))
		})
	}
}

// hunt looks for each needle in every file of the key folder. Wrapped keys are looked for without
// their epoch number.
func hunt(t *testing.T, b *bench, needles [][]byte) {
	t.Helper()
	files := b.files()
	for _, n := range needles {
		if len(n) == 64 {
			n = n[4:]
		}
		for _, part := range [][]byte{n[:16], n[len(n)-16:]} {
			if bytes.Contains(files, part) {
				t.Fatalf("key bytes %x are still in a file", part)
			}
		}
	}
}

func TestResidueFindsWhatIsThere(t *testing.T) {
	b := newBench(t)
	door := camera(person())
	for day := range 50 {
		b.ensure(footage(door, clock0(day)))
	}
	_, wrapped, err := b.Material(ctx, all(door))
	if err != nil {
		t.Fatal(err)
	}
	d := b.destroy(all(door), seal.Removed)
	stale := make([]byte, 0, 1<<20)
	stale = append(stale, bytes.Repeat([]byte{7}, 1<<20-30)...) // across the edge of what is read at once
	stale = append(append(stale, wrapped[3]...), bytes.Repeat([]byte{7}, 100)...)
	if err := os.WriteFile(filepath.Join(b.dir, "keys.db-journal"), stale, 0o600); err != nil {
		t.Fatal(err)
	}
	if looked, found, err := b.Residue(ctx, d); looked != 51 || found != 1 || err != nil {
		t.Errorf("looked for %d, found %d, %v; want 51, 1", looked, found, err)
	}
	d.Zero()
	if looked, _, err := b.Residue(ctx, d); looked != 0 || err != nil {
		t.Errorf("after Zero it still knew %d keys, %v", looked, err)
	}
	if err := os.Remove(filepath.Join(b.dir, "keys.db-journal")); err != nil {
		t.Fatal(err)
	}
}

func TestNothingOpensOrGrowsUnderATombstone(t *testing.T) {
	b := newBench(t)
	ada := person()
	door, yard := camera(ada), camera(ada)
	own, name, hour := place(ada), place(door), place(footage(door, 100))
	ownValue := b.seal(ada, own, "ada")
	nameValue := b.seal(door, name, "door")
	hourValue := b.seal(footage(door, 100), hour, "hour")
	yardName := place(yard)
	yardValue := b.seal(yard, yardName, "yard")
	key, wrapped, keyID, err := b.NewObject(ctx, footage(door, 100), []byte("segment"))
	if err != nil {
		t.Fatal(err)
	}
	key.Zero()

	closed := func(at seal.Place, v seal.Value) {
		t.Helper()
		if plain, err := b.Open(ctx, b.permit(at), at, v); !errors.Is(err, seal.ErrClosed) || plain != nil {
			t.Errorf("opened %q, %v", plain, err)
		}
	}
	gone := func(s seal.Scope) {
		t.Helper()
		if _, err := b.Ensure(ctx, s); !errors.Is(err, seal.ErrGone) {
			t.Errorf("a key was made again: %v", err)
		}
		if is, err := b.Tombstoned(ctx, s); !is || err != nil {
			t.Errorf("tombstoned: %v, %v", is, err)
		}
	}

	if d := b.destroy(all(door), seal.Removed); d.Keys != 2 {
		t.Errorf("removing the camera destroyed %d keys, want 2", d.Keys)
	}
	closed(name, nameValue)
	closed(hour, hourValue)
	if _, err := b.OpenObject(ctx, b.permit(hour), hour, keyID, wrapped, []byte("segment")); !errors.Is(err, seal.ErrClosed) {
		t.Errorf("object: %v", err)
	}
	gone(door)
	gone(footage(door, 101))
	if plain, err := b.Open(ctx, b.permit(yardName), yardName, yardValue); err != nil || string(plain) != "yard" {
		t.Errorf("the other camera: %q, %v", plain, err)
	}

	b.destroy(seal.Everything(ada.Tenant, ada.Subject), seal.Closed)
	closed(own, ownValue)
	closed(yardName, yardValue)
	gone(ada)
	gone(yard)
	gone(footage(yard, 1))
	b.reopen()
	gone(camera(ada))
	closed(own, ownValue)
	if b.Cached() != 0 {
		t.Errorf("%d keys unwrapped in memory", b.Cached())
	}
	stones, err := b.Tombstones(ctx)
	if err != nil || len(stones) != 1 || stones[0].Scope != ada || stones[0].Reason != seal.Closed {
		t.Errorf("tombstones %+v, %v: want the person's only", stones, err)
	}
}

func TestWithdrawalSparesTheCameraAndAllowsAnotherBeginning(t *testing.T) {
	b := newBench(t)
	door := camera(person())
	name, hour, still := place(door), place(footage(door, 100)), place(door.In(seal.Bucket{Day: 100, Category: passport.Picture, Class: seal.Continuous}))
	nameValue := b.seal(door, name, "door")
	hourValue := b.seal(footage(door, 100), hour, "hour")
	stillValue := b.seal(door.In(seal.Bucket{Day: 100, Category: passport.Picture, Class: seal.Continuous}), still, "still")
	first := b.ensure(footage(door, 100))

	if d := b.destroy(seal.Buckets(door.Tenant, door.Subject, door.Binding, passport.Footage), seal.Withdrawn+":recording"); d.Keys != 1 {
		t.Errorf("destroyed %d keys, want 1", d.Keys)
	}
	if _, err := b.Open(ctx, b.permit(hour), hour, hourValue); !errors.Is(err, seal.ErrClosed) {
		t.Errorf("footage: %v", err)
	}
	for _, c := range []seal.Sealed{{Place: name, Value: nameValue}, {Place: still, Value: stillValue}} {
		if _, err := b.Open(ctx, b.permit(c.Place), c.Place, c.Value); err != nil {
			t.Errorf("%s should still open: %v", c.Place.Category, err)
		}
	}
	stones, err := b.Tombstones(ctx)
	if err != nil || len(stones) != 1 || !stones[0].Bucket || stones[0].Scope != door || stones[0].Keys != 1 || stones[0].Reason != seal.Withdrawn+":recording" {
		t.Errorf("tombstones %+v, %v", stones, err)
	}
	if again := b.ensure(footage(door, 100)); again == first {
		t.Error("the new bucket has the old key's name")
	}
	if _, err := b.Open(ctx, b.permit(hour), hour, hourValue); !errors.Is(err, seal.ErrClosed) {
		t.Errorf("old footage under the new key: %v", err)
	}
}

func TestExpiryTakesOldDaysOfOneClass(t *testing.T) {
	b := newBench(t)
	door := camera(person())
	for day := range 10 {
		b.ensure(footage(door, clock0(day)))
	}
	kept := footage(door, clock0(1))
	kept.Bucket.Class = seal.Kept
	b.ensure(kept)
	s := seal.Buckets(door.Tenant, door.Subject, id.Binding{}, passport.Footage)
	s.Class, s.Until = seal.Continuous, clock0(6)
	if d := b.destroy(s, seal.Expired); d.Keys != 7 {
		t.Errorf("expired %d keys, want 7", d.Keys)
	}
	days, err := b.Days(ctx, door.Binding, passport.Footage, seal.Continuous)
	if err != nil || len(days) != 3 || days[0] != clock0(7) {
		t.Errorf("days left: %v, %v", days, err)
	}
	oldest, err := b.Oldest(ctx)
	if err != nil || len(oldest) != 2 || oldest[0].Day != clock0(7) || oldest[1].Class != seal.Kept || oldest[1].Day != clock0(1) {
		t.Errorf("oldest: %+v, %v", oldest, err)
	}
}

func TestExpireReachesEverybody(t *testing.T) {
	b := newBench(t)
	for range 3 {
		door := camera(person())
		for day := range 4 {
			b.ensure(footage(door, clock0(day)))
		}
	}
	if d, err := b.Expire(ctx, passport.Footage, seal.Continuous, clock0(1)); err != nil || d.Keys != 6 {
		t.Errorf("expired %d keys, %v; want 6", d.Keys, err)
	}
	if oldest, err := b.Oldest(ctx); err != nil || len(oldest) != 1 || oldest[0].Day != clock0(2) || oldest[0].Keys != 6 {
		t.Errorf("oldest: %+v, %v", oldest, err)
	}
}

func TestOldGoodbyeSparesLaterKeys(t *testing.T) {
	b := newBench(t)
	door := camera(person())
	b.ensure(footage(door, 1))
	s := seal.Buckets(door.Tenant, door.Subject, door.Binding, passport.Footage)
	s.MadeBy = clock.At(b.clock.Now())
	b.clock.Advance(1e6)
	b.ensure(footage(door, 2))
	if n, err := b.Count(ctx, s); err != nil || n != 1 {
		t.Errorf("%d keys from before, %v", n, err)
	}
	if d := b.destroy(s, seal.Withdrawn); d.Keys != 1 {
		t.Errorf("destroyed %d keys, want 1", d.Keys)
	}
}

func TestGoodbyeTwiceIsNoError(t *testing.T) {
	b := newBench(t)
	ada := person()
	b.ensure(camera(ada))
	b.destroy(all(ada), seal.Closed)
	if d := b.destroy(all(ada), seal.Closed); d.Keys != 0 {
		t.Errorf("the second time it destroyed %d keys", d.Keys)
	}
	nobody := person() // somebody without keys gets none later either
	b.destroy(all(nobody), seal.Closed)
	if _, err := b.Ensure(ctx, nobody); !errors.Is(err, seal.ErrGone) {
		t.Errorf("after a goodbye without keys: %v", err)
	}
}

func TestDestroyNeedsSomebody(t *testing.T) {
	b := newBench(t)
	b.ensure(person())
	for _, s := range []seal.Selection{{}, {Tenant: id.DefaultTenant}, {Tenant: id.DefaultTenant, Subject: person().Subject, Until: 5}} {
		if _, err := b.Destroy(ctx, s, seal.Closed); !errors.Is(err, seal.ErrScope) {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestDestroyGoesOnWhenTheCallerIsGone(t *testing.T) {
	b := newBench(t)
	ada := person()
	b.ensure(ada)
	left, cancel := context.WithCancel(ctx)
	cancel()
	if d, err := b.Destroy(left, all(ada), seal.Closed); err != nil || d.Keys != 1 {
		t.Errorf("destroyed %d, %v", d.Keys, err)
	}
	if _, err := b.Ensure(left, camera(person())); !errors.Is(err, context.Canceled) {
		t.Errorf("a key was made for an ended lease: %v", err)
	}
}

func TestOpenAndDestroyAtTheSameTime(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 10 {
				door := camera(person())
				at := place(door)
				v, err := b.Seal(ctx, door, at, []byte("x"))
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := b.Open(ctx, b.permit(at), at, v); err != nil {
					t.Errorf("before: %v", err)
				}
				if _, err := b.Destroy(ctx, all(door), seal.Removed); err != nil {
					t.Error(err)
				}
				if _, err := b.Open(ctx, b.permit(at), at, v); !errors.Is(err, seal.ErrClosed) {
					t.Errorf("after: %v", err)
				}
			}
		})
	}
	wg.Wait()
}

func TestProbesOpenUntilTheGoodbye(t *testing.T) {
	b := newBench(t)
	door := camera(person())
	for day := range 20 {
		b.ensure(footage(door, clock0(day)))
	}
	probes, err := b.Probe(ctx, all(door), 5)
	if err != nil || len(probes) != 5 {
		t.Fatalf("%d probes, %v", len(probes), err)
	}
	for want, do := range []func(){func() { b.destroy(all(door), seal.Removed) }, func() {}} {
		for i, p := range probes {
			if opens, err := b.Opens(ctx, p); opens != (want == 0) || err != nil {
				t.Errorf("probe %d opens: %v, %v", i, opens, err)
			}
		}
		do()
	}
	if opens, err := b.Opens(ctx, []byte("rubbish")); opens || err != nil {
		t.Errorf("rubbish opens: %v, %v", opens, err)
	}
}
