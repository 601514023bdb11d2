// Package retention lets go of what is due. Nothing here knows what rooms keep: each room sweeps
// its own things, by its own rules, whenever the loop asks.
//
// The loop also keeps watch over the rooms. Once an hour it compares the oldest live bucket key of
// each category and class with the longest stay the policy allows. A room that let one get older is
// at fault: that is logged and counted, and the key is destroyed here and now, whatever the room
// still keeps under it. So what is past its time opens nothing, even where sweeping fails.
//
// Once a day the epoch is turned: after that no older copy of the key file opens.
package retention

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/passport"
	"candor/internal/promise"
	"candor/internal/seal"
)

// Sweeper is one room's sweep.
type Sweeper struct {
	Room  string
	Every time.Duration // 0 means a minute
	Sweep func(ctx context.Context) error
}

// Keys is what the loop needs of the keeper of keys.
type Keys interface {
	Oldest(ctx context.Context) ([]seal.Oldest, error)
	Expire(ctx context.Context, c passport.Category, class seal.Class, until clock.Day) (seal.Destruction, error)
	TurnEpoch(ctx context.Context) error
}

var _ Keys = (*seal.Keeper)(nil)

// Age is how old the oldest live bucket of a category and class is, and how old it may be.
type Age struct {
	Category passport.Category
	Class    seal.Class
	Keys     int           // live ones
	Oldest   time.Duration // since the end of its day; 0 while the day lasts
	Limit    time.Duration // 0: no timer ends it
	Overdue  int           // keys that were older than the limit and have been destroyed now
}

// Loop is the loop. Exported fields are inputs; Start begins, Close stops and waits.
type Loop struct {
	Clock    clock.Clock
	Log      *slog.Logger
	Sweepers []Sweeper
	Keys     Keys
	// Limit is the policy's longest stay of a category, in days; false if no timer ends it.
	Limit func(passport.Category) (days int, ok bool)
	// OnAges is told the ages of every check, for the gauges; may be nil.
	OnAges func([]Age)

	stop context.CancelFunc
	work sync.WaitGroup
}

// Start begins to sweep and to watch.
func (l *Loop) Start(ctx context.Context) error {
	ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
	for _, s := range l.Sweepers {
		every := s.Every
		if every <= 0 {
			every = time.Minute
		}
		l.work.Go(func() { l.each(ctx, every, func() { l.sweep(ctx, s) }) })
	}
	l.work.Go(func() { l.each(ctx, time.Hour, func() { l.watch(ctx) }) })
	l.work.Go(func() {
		for l.Clock.Sleep(ctx, 24*time.Hour) == nil {
			l.turn(ctx)
		}
	})
	return nil
}

// Close stops the loop and waits for it.
func (l *Loop) Close() error {
	if l.stop != nil {
		l.stop()
	}
	l.work.Wait()
	return nil
}

func (l *Loop) each(ctx context.Context, every time.Duration, f func()) {
	for ctx.Err() == nil {
		f()
		if l.Clock.Sleep(ctx, every) != nil {
			return
		}
	}
}

func (l *Loop) sweep(ctx context.Context, s Sweeper) {
	if err := s.Sweep(ctx); err != nil && ctx.Err() == nil {
		l.Log.Error("what is due stays for now", "room", s.Room, "err", err)
	}
}

func (l *Loop) turn(ctx context.Context) {
	if err := l.Keys.TurnEpoch(ctx); err != nil && ctx.Err() == nil {
		l.Log.Error("the epoch is not turned", "err", err)
	}
}

func (l *Loop) watch(ctx context.Context) {
	ages, err := l.Check(ctx)
	if err != nil && ctx.Err() == nil {
		l.Log.Error("the age of keys is not known", "err", err)
	}
	if l.OnAges != nil && err == nil {
		l.OnAges(ages)
	}
}

// Check looks at every category and class once, and destroys what is overdue.
//
// promise:P281
func (l *Loop) Check(ctx context.Context) ([]Age, error) {
	oldest, err := l.Keys.Oldest(ctx)
	if err != nil {
		return nil, err
	}
	now := l.Clock.Now()
	var ages []Age
	var errs []error
	for _, o := range oldest {
		a := Age{Category: o.Category, Class: o.Class, Keys: o.Keys, Oldest: max(0, now.Sub((o.Day + 1).Start()))}
		if days, ok := l.Limit(o.Category); ok {
			a.Limit = time.Duration(days) * 24 * time.Hour
			if a.Oldest >= a.Limit && !promise.Cut("P281") {
				due := clock.DayOf(now.Add(-a.Limit)) - 1 // the last day that ended so long ago
				d, err := l.Keys.Expire(ctx, o.Category, o.Class, due)
				a.Overdue = d.Keys
				l.Log.Error("keys older than the policy allows were destroyed", "category", string(o.Category), "keys", d.Keys)
				if err != nil {
					errs = append(errs, fmt.Errorf("destroy overdue keys of %s: %w", o.Category, err))
				}
			}
		}
		ages = append(ages, a)
	}
	return ages, errors.Join(errs...)
}
