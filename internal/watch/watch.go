package watch

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"time"

	"candor/internal/clock"
)

// Broken is a promise that is not kept, and what shows it.
type Broken struct{ Promise, Why string }

// Probe is one look.
type Probe struct {
	Name     string
	Promises []string // it is about
	Look     func(ctx context.Context) ([]Broken, error)
}

// Seen is what the last look said of a promise.
type Seen struct {
	At   time.Time
	Kept bool
	Why  string // when it is not
}

// Every is how often all probes look.
const Every = time.Hour

const (
	first = time.Minute // after the start
	limit = time.Minute // of one look
)

// Watch runs probes. Fill the fields, then Start.
type Watch struct {
	Clock  clock.Clock
	Log    *slog.Logger
	Probes []Probe

	mu   sync.Mutex
	seen map[string]Seen
	stop context.CancelFunc
	done chan struct{}
}

// Start begins to watch.
func (w *Watch) Start(ctx context.Context) {
	ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
	w.done = make(chan struct{})
	go func() {
		defer close(w.done)
		for pause := first; w.Clock.Sleep(ctx, pause) == nil; pause = Every {
			w.Look(ctx)
		}
	}()
}

// Close stops watching and waits for the look that is under way.
func (w *Watch) Close() error {
	if w.stop != nil {
		w.stop()
		<-w.done
	}
	return nil
}

// Look has every probe look once.
func (w *Watch) Look(ctx context.Context) {
	at := w.Clock.Now() // of the round: of two probes about one promise, that it is broken counts
	for _, p := range w.Probes {
		broken, err := p.look(ctx)
		if ctx.Err() != nil {
			return // the house closes: nothing was seen
		}
		if err != nil {
			w.Log.ErrorContext(ctx, "promises could not be looked at", "what", p.Name, "err", err)
		}
		w.mu.Lock()
		if w.seen == nil {
			w.seen = map[string]Seen{}
		}
		for _, id := range p.Promises {
			now := Seen{At: at, Kept: true}
			if i := slices.IndexFunc(broken, func(b Broken) bool { return b.Promise == id }); i >= 0 {
				now.Kept, now.Why = false, broken[i].Why
			}
			if err != nil {
				now.Kept, now.Why = false, "it could not be looked at"
			}
			if was, known := w.seen[id]; known && !was.Kept && was.At.Equal(at) {
				continue // another probe saw it broken in this round
			}
			w.seen[id] = now
		}
		w.mu.Unlock()
		for _, b := range broken {
			w.Log.ErrorContext(ctx, "a promise is not kept", "what", p.Name, "code", b.Promise, "reason", b.Why)
		}
	}
}

func (p Probe) look(ctx context.Context) ([]Broken, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return p.Look(ctx)
}

// Seen is what the last look said, by promise. Those that nobody looked at yet are not in it.
func (w *Watch) Seen() map[string]Seen {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := make(map[string]Seen, len(w.seen))
	for id, s := range w.seen {
		out[id] = s
	}
	return out
}

// Broken is how many promises the last look found not kept.
func (w *Watch) Broken() (n int) {
	for _, s := range w.Seen() {
		if !s.Kept {
			n++
		}
	}
	return n
}
