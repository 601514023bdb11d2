package retention_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/policy"
	"candor/internal/promise"
	"candor/internal/retention"
	"candor/internal/seal"
)

var (
	ctx   = context.Background()
	start = time.Date(2030, 5, 4, 23, 0, 0, 0, time.UTC)
)

func newLoop(t *testing.T) (*retention.Loop, *clock.Virtual, *seal.Keeper) {
	t.Helper()
	c := clock.NewVirtual(start)
	keys, err := seal.Open(ctx, seal.Options{Dir: t.TempDir(), Fresh: true, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	l := &retention.Loop{Clock: c, Log: slog.New(slog.DiscardHandler), Keys: keys, Limit: func(c passport.Category) (int, bool) {
		life, ok := p.Lifetime(c)
		return life.Days, ok && life.Days > 0
	}}
	t.Cleanup(func() { _ = l.Close(); _ = keys.Close() })
	return l, c, keys
}

func bucket(t *testing.T, keys *seal.Keeper, day clock.Day, c passport.Category) {
	t.Helper()
	door := seal.OfBinding(id.DefaultTenant, id.Subject(id.New[struct{}]()), id.Binding(id.New[struct{}]()))
	if _, err := keys.Ensure(ctx, door.In(seal.Bucket{Day: day, Category: c, Class: seal.Continuous})); err != nil {
		t.Fatal(err)
	}
}

// The clock goes on for more than the longest stay of any category, day by day. No room sweeps, and
// still no key is ever older than the policy's table allows.
func TestNoKeyOutlivesThePolicy(t *testing.T) {
	promise.Proves(t, "P281")
	l, c, keys := newLoop(t)
	destroyed := map[passport.Category]int{}
	for day := range 380 {
		if day < 5 {
			bucket(t, keys, clock.DayOf(c.Now()), passport.Footage)
			bucket(t, keys, clock.DayOf(c.Now()), passport.Picture)
		}
		c.Advance(24 * time.Hour)
		if _, err := l.Check(ctx); err != nil {
			t.Fatal(err)
		}
		ages, err := l.Check(ctx) // the scan
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range ages {
			if a.Limit == 0 || a.Oldest >= a.Limit {
				t.Fatalf("after %d days a key of %s is %v old, the limit is %v", day, a.Category, a.Oldest, a.Limit)
			}
			destroyed[a.Category]++
		}
	}
	if oldest, err := keys.Oldest(ctx); err != nil || len(oldest) != 0 {
		t.Errorf("left at the end: %+v, %v", oldest, err)
	}
	if destroyed[passport.Picture] < 3 || destroyed[passport.Footage] < 360 {
		t.Errorf("keys were destroyed long before their time: live on %v checks", destroyed)
	}
}

func TestOnlyWhatIsDueGoes(t *testing.T) {
	l, c, keys := newLoop(t)
	today := clock.DayOf(c.Now())
	for _, back := range []clock.Day{0, 1, 2, 3, 400} {
		bucket(t, keys, today-back, passport.Picture)
		bucket(t, keys, today-back, passport.Footage)
	}
	bucket(t, keys, today-4000, passport.Identity) // no timer ends it
	ages, err := l.Check(ctx)
	if err != nil {
		t.Fatal(err)
	}
	want := map[passport.Category]int{passport.Picture: 3, passport.Footage: 1, passport.Identity: 0}
	for _, a := range ages {
		if a.Overdue != want[a.Category] {
			t.Errorf("%s: %d overdue, want %d", a.Category, a.Overdue, want[a.Category])
		}
	}
	for _, o := range must(keys.Oldest(ctx)) {
		left := map[passport.Category]int{passport.Picture: 2, passport.Footage: 4, passport.Identity: 1}
		if o.Keys != left[o.Category] {
			t.Errorf("%s: %d keys left, want %d", o.Category, o.Keys, left[o.Category])
		}
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestLoopSweepsWatchesAndTurns(t *testing.T) {
	l, c, keys := newLoop(t)
	var quick, broken, checks atomic.Int64
	slow := make(chan struct{})
	l.Sweepers = []retention.Sweeper{
		{Room: "stuck", Sweep: func(ctx context.Context) error {
			select {
			case <-slow:
			case <-ctx.Done():
			}
			return ctx.Err()
		}},
		{Room: "broken", Sweep: func(context.Context) error { broken.Add(1); return errors.New("no disk") }},
		{Room: "quick", Every: time.Hour, Sweep: func(context.Context) error { quick.Add(1); return nil }},
	}
	l.OnAges = func([]retention.Age) { checks.Add(1) }
	if err := l.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for range 3000 {
		if quick.Load() > 24 && broken.Load() > 24 && checks.Load() > 24 && keys.Epoch() > 1 {
			break
		}
		c.Advance(20 * time.Minute)
		time.Sleep(time.Millisecond)
	}
	if err := l.Close(); err != nil { // also while a room is stuck
		t.Fatal(err)
	}
	if quick.Load() <= 24 || broken.Load() <= 24 || checks.Load() <= 24 || keys.Epoch() < 2 {
		t.Errorf("quick %d, broken %d, checks %d, epoch %d", quick.Load(), broken.Load(), checks.Load(), keys.Epoch())
	}
	after := quick.Load()
	c.Advance(48 * time.Hour)
	if quick.Load() != after {
		t.Error("a closed loop sweeps")
	}
}
