package rights

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

// goodbye is one on its way. Its state is read and changed under mu only.
type goodbye struct {
	id       id.Receipt
	what     What
	tokenSum []byte
	ended    chan struct{} // closed when the receipt is complete
	saving   sync.Mutex    // one write at a time, so that the newest state is written last

	mu sync.Mutex
	state
}

// state is what is written down of a goodbye.
type state struct {
	whose   Whose
	probes  []seal.Value
	keys    seal.Destruction // what Destroy gave back; lost with the process
	tries   int
	receipt Receipt
}

func (g *goodbye) now() state {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.state
	r := &s.receipt
	r.Steps, r.LookedFor, r.Notes = slices.Clone(r.Steps), slices.Clone(r.LookedFor), slices.Clone(r.Notes)
	return s
}

func (g *goodbye) change(f func(s *state)) {
	g.mu.Lock()
	defer g.mu.Unlock()
	f(&g.state)
}

// took reports whether a step has been taken.
func (g *goodbye) took(step string) bool {
	return slices.ContainsFunc(g.now().receipt.Steps, func(s Step) bool { return s.Name == step })
}

func (g *goodbye) take(step string, at time.Time) {
	if !g.took(step) {
		g.change(func(s *state) { s.receipt.Steps = append(s.receipt.Steps, Step{step, at}) })
	}
}

func (o *Office) now() time.Time { return o.Clock.Now().UTC().Truncate(time.Millisecond) }

// selection is the keys that a goodbye destroys, and false where no key rests on the purpose: the
// rooms then take away what they keep for it.
func (o *Office) selection(w Whose) (seal.Selection, bool) {
	switch {
	case w.Purpose != "":
		rests := o.Rests(w.Purpose)
		if len(rests) == 0 { // a selection of no categories would be the whole camera
			return seal.Selection{}, false
		}
		s := seal.Buckets(w.Tenant, w.Subject, w.Binding, rests...)
		if w.Before != 0 {
			s.MadeBy = w.Before - 1
		}
		return s, true
	case !w.Binding.IsZero():
		return seal.Camera(w.Tenant, w.Subject, w.Binding), true
	}
	return seal.Everything(w.Tenant, w.Subject), true
}

// reason is what the tombstones say.
func reason(w Whose) string {
	switch {
	case w.Purpose != "":
		return seal.Withdrawn + ":" + string(w.Purpose)
	case !w.Binding.IsZero():
		return seal.Removed
	}
	return seal.Closed
}

const (
	// before is how long a goodbye waits, all in all, for what comes before the destruction of keys.
	before = 400 * time.Millisecond
	// probed is how many of the keys are tried with a probe afterwards.
	probed = 32
)

// say begins a goodbye: when it returns, leases have ended and keys are destroyed. It then waits a
// little for the sweep, so that most people see a complete receipt at once.
func (o *Office) say(ctx context.Context, what What, w Whose) (Receipt, error) {
	g, token := o.begin(what, w)
	o.mu.Lock()
	if o.ctx == nil || o.ctx.Err() != nil {
		o.mu.Unlock()
		return Receipt{}, problem.Unavailable("rights.closed").Because(errors.New("office is not open"))
	}
	o.going[g.id] = g
	o.work.Add(1) // for finish; under the lock, so that Close waits for it
	o.mu.Unlock()

	ctx = context.WithoutCancel(ctx)
	o.announce(ctx, g)
	destroyed := o.destroy(ctx, g)
	go func() { // also if destroying failed: it is tried again
		defer o.work.Done()
		o.finish(o.ctx, g)
	}()
	if destroyed != nil {
		return Receipt{}, problem.Unavailable("rights.keys").Because(destroyed)
	}
	select {
	case <-g.ended:
	case <-time.After(o.patience()):
	}
	r := g.now().receipt
	r.Token = token
	return r, nil
}

// begin makes a goodbye of which no step has been taken, and the token that opens its receipt.
func (o *Office) begin(what What, w Whose) (g *goodbye, token string) {
	token, sum := newToken()
	at := o.now()
	g = &goodbye{id: id.Receipt(id.New[struct{}]()), what: what, tokenSum: sum, ended: make(chan struct{})}
	g.whose = w
	g.receipt = Receipt{
		ID: g.id, What: what, RequestedAt: at, Steps: []Step{{StepAsked, at}}, LookedFor: []Finding{},
		UnrecoverableByDays: o.BackupDays, ExpiresAt: at.AddDate(0, 0, o.ReceiptDays), Notes: []string{NoteSweeping},
	}
	return g, token
}

// announce revokes the right and writes the goodbye down. Neither may hold up the destruction of
// keys: what takes too long or fails here is done again behind it.
func (o *Office) announce(ctx context.Context, g *goodbye) {
	waited, cancel := context.WithTimeout(ctx, before)
	aside := func(what string, f func() error) <-chan struct{} {
		done := make(chan struct{})
		o.work.Go(func() {
			defer close(done)
			if err := f(); err != nil {
				o.Log.Warn(what, "err", err)
			}
		})
		return done
	}
	wait := func(done <-chan struct{}) {
		select {
		case <-done:
		case <-waited.Done():
		}
	}
	revoked := aside("right is revoked here, perhaps not everywhere yet", func() error { return o.revoke(ctx, g) })
	if sel, some := o.selection(g.now().whose); some {
		probes, err := o.Keys.Probe(waited, sel, probed)
		if err != nil {
			o.Log.Warn("no probes for a goodbye", "err", err)
		}
		g.change(func(s *state) { s.probes = probes })
	}
	wait(revoked)
	saved := aside("goodbye begins unwritten", func() error { defer cancel(); return o.save(waited, g) })
	wait(saved)
}

// revoke takes the right away, everywhere.
//
// promise:P277
func (o *Office) revoke(ctx context.Context, g *goodbye) error {
	if g.took(StepRevoked) || g.what == Account && promise.Cut("P277") {
		return nil
	}
	if err := o.Revoke(ctx, g.now().whose); err != nil {
		return fmt.Errorf("revoke: %w", err)
	}
	g.take(StepRevoked, o.now())
	return nil
}

// destroy makes everything of the goodbye unopenable.
//
// promise:P283
func (o *Office) destroy(ctx context.Context, g *goodbye) error {
	if g.took(StepDestroyed) || promise.Cut("P283") {
		return nil
	}
	w := g.now().whose
	d := seal.Destruction{At: o.now()}
	if sel, some := o.selection(w); some {
		var err error
		if d, err = o.Keys.Destroy(ctx, sel, reason(w)); err != nil {
			return fmt.Errorf("destroy keys: %w", err)
		}
	}
	at := d.At.UTC().Truncate(time.Millisecond)
	by := at.AddDate(0, 0, o.BackupDays)
	g.change(func(s *state) {
		s.keys = d
		s.receipt.KeysDestroyed, s.receipt.UnopenableAt, s.receipt.UnrecoverableBy = d.Keys, &at, &by
		if s.whose.Purpose != "" {
			s.whose.Before = spare(at)
		}
	})
	g.take(StepDestroyed, at)
	return nil
}

// spare is Whose.Before of a withdrawal: what begins later than the destruction of keys is under a
// new consent.
func spare(at time.Time) clock.Millis { return clock.At(at) + 1 }
