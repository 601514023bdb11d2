package gate

import (
	"context"
	"errors"
	"fmt"
	"time"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/id"
)

// Beat is the heartbeat; its number is that of the newest revocation its sender acted upon.
const Beat bus.Type = "gate.node.beat"

const (
	beatEvery   = 250 * time.Millisecond
	deafAfter   = 750 * time.Millisecond
	reviewEvery = time.Minute
	tidyEvery   = time.Hour
)

// Start checks the rules against the policy, reads the revocation counter and begins to listen,
// to beat and to watch. Until then the gate gives no leases.
func (g *Gate) Start(ctx context.Context) error {
	if err := g.checkRules(); err != nil {
		return fmt.Errorf("rules and policy disagree: %w", err)
	}
	seen, err := g.counter(ctx)
	if err != nil {
		return fmt.Errorf("read the revocation counter: %w", err)
	}
	g.mu.Lock()
	g.seen, g.heard, g.running = seen, g.Clock.Now(), true
	g.mu.Unlock()
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	g.cancel = cancel
	for typ, hear := range map[bus.Type]func(context.Context, bus.Envelope){Beat: g.hearBeat, Revoked: g.hearRevoked} {
		sub, err := g.Bus.Subscribe(id.Tenant{}, typ, func(e bus.Envelope) { hear(run, e) })
		if err != nil {
			return errors.Join(err, g.Close())
		}
		g.subs = append(g.subs, sub)
	}
	g.loop(run, beatEvery, func(context.Context) { g.beat() })
	g.loop(run, beatEvery, g.watch)
	g.loop(run, reviewEvery, func(ctx context.Context) {
		if err := g.review(ctx); err != nil && ctx.Err() == nil {
			g.Log.Error("review leases", "err", err)
		}
	})
	g.loop(run, tidyEvery, g.tidy)
	return nil
}

// tidy drops revocations that nobody needs any more: they name people, if only by random ids.
func (g *Gate) tidy(ctx context.Context) {
	_, err := g.DB.Write.NewRaw("DELETE FROM gate_revocation WHERE at_ms < ?", int64(clock.At(g.Clock.Now().Add(-keepRevocations)))).Exec(ctx)
	if err != nil && ctx.Err() == nil {
		g.Log.Warn("old revocations stay", "err", err)
	}
}

// loop calls f at once and then every d, until Close.
func (g *Gate) loop(ctx context.Context, d time.Duration, f func(context.Context)) {
	g.loops.Go(func() {
		for {
			f(ctx)
			if g.Clock.Sleep(ctx, d) != nil {
				return
			}
		}
	})
}

// Close stops listening and ends every lease.
func (g *Gate) Close() error {
	var errs []error
	g.cancel()
	for _, s := range g.subs {
		errs = append(errs, s.Close())
	}
	g.loops.Wait()
	g.mu.Lock()
	g.running = false
	var all []*entry
	for e := range g.leases {
		e.ended = errClosed
		all = append(all, e)
	}
	clear(g.leases)
	g.mu.Unlock()
	for _, e := range all {
		if e.lease != nil {
			e.lease.End(errClosed)
		}
	}
	return errors.Join(errs...)
}

var errClosed = errors.New("gate closed")

func (g *Gate) beat() {
	e := g.Bus.Say(Beat, id.Tenant{}, id.Row{})
	g.mu.Lock()
	e.Seq = g.seen
	g.mu.Unlock()
	if err := g.Bus.Publish(e); err != nil {
		g.Log.Error("heartbeat", "err", err)
	}
}

// hearBeat notes that the bus is there, learns of revocations it missed, and opens paused leases
// once nothing is left to learn.
func (g *Gate) hearBeat(ctx context.Context, e bus.Envelope) {
	g.mu.Lock()
	g.heard = g.Clock.Now()
	paused, behind := g.paused, e.Seq > g.seen
	g.mu.Unlock()
	if behind || paused {
		if err := g.catchUp(ctx); err != nil {
			g.deaf(ctx, err)
			return
		}
	}
	if !paused {
		return
	}
	if err := g.review(ctx); err != nil {
		g.deaf(ctx, err)
		return
	}
	g.resume()
	g.Log.Info("leases resumed")
}

// hearRevoked acts upon a revocation of whichever node.
func (g *Gate) hearRevoked(ctx context.Context, _ bus.Envelope) {
	if err := g.catchUp(ctx); err != nil {
		g.deaf(ctx, err)
	}
}

// deaf pauses when the gate cannot learn what was revoked.
func (g *Gate) deaf(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	g.Log.Error("leases pause: revocations cannot be read", "err", err)
	g.pause()
}

// watch pauses when no heartbeat was heard for too long, and reads revocations that came by no
// bus: an operator's command beside the server writes to SQL only.
func (g *Gate) watch(ctx context.Context) {
	if seq, err := g.counter(ctx); err != nil {
		g.deaf(ctx, err)
	} else if g.behind(seq) {
		g.hearRevoked(ctx, bus.Envelope{})
	}
	g.mu.Lock()
	silent := g.Clock.Now().Sub(g.heard)
	pause := silent >= deafAfter && !g.paused
	g.mu.Unlock()
	if pause {
		g.Log.Warn("leases pause: no heartbeat", "silent", silent)
		g.pause()
	}
}

func (g *Gate) behind(seq int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return seq > g.seen
}
