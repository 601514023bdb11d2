// Package clock makes time an input. Rooms that promise deadlines take a Clock, so that
// "within 30 days" is a test that runs in a millisecond.
//
// It is the wall clock. Media pacing is monotonic and never injected: it uses package time.
// Storage keeps int64 milliseconds UTC (Millis); keys and retention cut by UTC day (Day).
package clock

import (
	"context"
	"sync"
	"time"
)

// Clock tells the time and waits.
type Clock interface {
	Now() time.Time
	// Sleep returns after d, or with the context's error before that.
	Sleep(ctx context.Context, d time.Duration) error
}

// Wall is the machine's clock, in UTC.
var Wall Clock = wall{}

type wall struct{}

func (wall) Now() time.Time { return time.Now().UTC() }

func (wall) Sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// Millis is how SQL keeps a moment: milliseconds since 1970, UTC.
type Millis int64

// At converts a moment to Millis.
func At(t time.Time) Millis { return Millis(t.UnixMilli()) }

// Time is the moment, in UTC.
func (m Millis) Time() time.Time { return time.UnixMilli(int64(m)).UTC() }

// Day is a UTC day, counted from 1970-01-01.
type Day int32

// DayOf is the UTC day that contains t.
func DayOf(t time.Time) Day { return Day(floorDiv(t.Unix(), 86400)) }

// Start is the first moment of the day.
func (d Day) Start() time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// String is the day as RFC 3339 writes dates.
func (d Day) String() string { return d.Start().Format(time.DateOnly) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Virtual is a clock that stands still until a test moves it.
type Virtual struct {
	mu      sync.Mutex
	now     time.Time
	waiters []waiter
}

type waiter struct {
	until time.Time
	done  chan struct{}
}

// NewVirtual makes a clock that shows now.
func NewVirtual(now time.Time) *Virtual { return &Virtual{now: now.UTC()} }

// Now is the time the clock shows.
func (v *Virtual) Now() time.Time {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.now
}

// Advance moves the clock forward and wakes whoever slept until then.
func (v *Virtual) Advance(d time.Duration) { v.Set(v.Now().Add(d)) }

// Set moves the clock to t, which may lie in the past: sleepers are woken only by time that has come.
func (v *Virtual) Set(t time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.now = t.UTC()
	rest := v.waiters[:0]
	for _, w := range v.waiters {
		if w.until.After(v.now) {
			rest = append(rest, w)
			continue
		}
		close(w.done)
	}
	v.waiters = rest
}

// Sleep waits until the clock has been moved by d.
func (v *Virtual) Sleep(ctx context.Context, d time.Duration) error {
	v.mu.Lock()
	if d <= 0 {
		v.mu.Unlock()
		return ctx.Err()
	}
	w := waiter{until: v.now.Add(d), done: make(chan struct{})}
	v.waiters = append(v.waiters, w)
	v.mu.Unlock()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.done:
		return nil
	}
}
