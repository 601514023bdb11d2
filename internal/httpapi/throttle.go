package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"strconv"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/problem"
)

// throttle slows guessing down. Each key has a bucket of tries that fills again with time; an
// empty one answers 429 with the seconds to wait. Nothing is ever locked: the owner who waits
// gets in, whatever somebody else tried. Tries are kept in memory only.
type throttle struct {
	clock clock.Clock
	mu    sync.Mutex
	full  map[string]time.Time // when the key's bucket will be full again
}

const throttleKeys = 10000

func newThrottle(c clock.Clock) *throttle { return &throttle{clock: c, full: map[string]time.Time{}} }

// place names where a request comes from.
func place(ctx context.Context) string { return "place " + network(of(ctx).visit.Client).String() }

// network is the address behind which one line is: with IPv6 whoever has one address has the 2⁶⁴
// beside it.
func network(a netip.Addr) netip.Addr {
	if p, err := a.Prefix(64); err == nil && a.Is6() && !a.Is4In6() {
		return p.Addr()
	}
	return a
}

// try takes one of burst tries, each of which comes back after refill.
func (t *throttle) try(key string, burst int, refill time.Duration) error {
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	full := t.full[key]
	if full.Before(now) {
		full = now
	}
	next := full.Add(refill)
	if wait := next.Sub(now) - time.Duration(burst)*refill; wait > 0 {
		seconds := strconv.Itoa(int((wait + time.Second - 1) / time.Second))
		return problem.New(http.StatusTooManyRequests, "request.too_many").With("retry_after", seconds)
	}
	if len(t.full) >= throttleKeys {
		t.forget(now)
	}
	t.full[key] = next
	return nil
}

// forget drops full buckets; if all are in use, any one of them.
func (t *throttle) forget(now time.Time) {
	for k, full := range t.full {
		if !full.After(now) {
			delete(t.full, k)
		}
	}
	for k := range t.full {
		if len(t.full) < throttleKeys {
			return
		}
		delete(t.full, k)
	}
}

// forgive gives a key all its tries back, after one succeeded.
func (t *throttle) forgive(key string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.full, key)
}
