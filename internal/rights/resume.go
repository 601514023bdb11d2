package rights

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/promise"
	"candor/internal/seal"
)

// Start opens the office. Before it returns, the keys of every goodbye that was interrupted are
// destroyed, and what a restored backup brought back is swept: nothing is served before that.
// The sweeps of interrupted goodbyes go on behind it.
func (o *Office) Start(ctx context.Context) error {
	o.mu.Lock()
	o.ctx, o.stop = context.WithCancel(context.WithoutCancel(ctx))
	o.going = map[id.Receipt]*goodbye{}
	o.mu.Unlock()
	open, err := o.unfinished(ctx)
	if err != nil {
		return err
	}
	owed, err := o.owed(ctx, open)
	if err != nil {
		return err
	}
	open = append(open, owed...)
	for _, g := range open {
		if err := o.destroy(ctx, g); err != nil {
			return fmt.Errorf("goodbye %s: %w", g.id, err)
		}
	}
	if err := o.replay(ctx, open); err != nil {
		return err
	}
	for _, g := range open {
		o.mu.Lock()
		o.going[g.id] = g
		o.mu.Unlock()
		o.Log.Info("goodbye goes on", "what", string(g.what), "tries", g.now().tries)
		o.work.Go(func() { o.finish(o.ctx, g) })
	}
	o.work.Go(func() { o.tidy(o.ctx) })
	return nil
}

// owed begins the goodbyes that were asked for and never begun. Nobody holds their receipts.
func (o *Office) owed(ctx context.Context, open []*goodbye) ([]*goodbye, error) {
	var all []Whose
	for _, h := range o.Holders {
		if l, ok := h.(Leaver); ok {
			left, err := l.Leaving(ctx)
			if err != nil {
				return nil, fmt.Errorf("list what was let go of: %s: %w", h.Room(), err)
			}
			all = append(all, left...)
		}
	}
	var out []*goodbye
	for _, w := range all {
		w.Before = 0
		going := slices.ContainsFunc(open, func(g *goodbye) bool {
			of := g.now().whose
			of.Before = 0
			return of == w
		})
		if going {
			continue
		}
		what := Account
		switch {
		case w.Purpose != "":
			what = took(w.Purpose)
			left, err := o.live(ctx, w)
			if err != nil {
				return nil, err
			}
			if left == 0 { // it was said long ago
				continue
			}
		case !w.Binding.IsZero():
			what = Camera
		}
		g, _ := o.begin(what, w)
		g.receipt.Notes = append(g.receipt.Notes, NoteResumed)
		out = append(out, g)
	}
	return out, nil
}

// Close stops sweeping and waits. What is not over goes on at the next start.
func (o *Office) Close() error {
	o.mu.Lock()
	if o.stop != nil {
		o.stop()
	}
	o.mu.Unlock()
	o.work.Wait()
	return nil
}

// Pending tells how many goodbyes are not over, how many of these have failed three times or more
// (somebody should look), and when the oldest began.
func (o *Office) Pending() (all, stuck int, oldest time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, g := range o.going {
		s := g.now()
		all++
		if s.tries >= 3 {
			stuck++
		}
		if oldest.IsZero() || s.receipt.RequestedAt.Before(oldest) {
			oldest = s.receipt.RequestedAt
		}
	}
	return all, stuck, oldest
}

// replay sweeps for every tombstone this database has not been told of. Those of goodbyes that
// are still on their way are swept by these.
//
// promise:P271
func (o *Office) replay(ctx context.Context, open []*goodbye) error {
	if promise.Cut("P271") {
		return nil
	}
	stones, err := o.Keys.Tombstones(ctx)
	if err != nil {
		return err
	}
	var marked []id.Key
	if err := o.DB.Read.NewRaw("SELECT tombstone_id FROM rights_replayed").Scan(ctx, &marked); err != nil {
		return fmt.Errorf("read tombstone marks: %w", err)
	}
	known := map[id.Key]bool{}
	for _, m := range marked {
		known[m] = true
	}
	// People and cameras first: nothing is written for who is gone.
	slices.SortStableFunc(stones, func(a, b seal.Tombstone) int { return cmp.Compare(order(a), order(b)) })
	swept := 0
	for _, t := range stones {
		w, ok := told(t)
		going := slices.ContainsFunc(open, func(g *goodbye) bool { return tells(t, g.now().whose) })
		if !ok || known[t.ID] || going {
			continue
		}
		err := o.each(func(h Holder) error {
			if c, keeps := h.(Withdrawer); keeps && w.Purpose != "" {
				if err := c.Withdraw(ctx, w); err != nil {
					return err
				}
			}
			_, err := h.Erase(ctx, w)
			return err
		})
		if err == nil {
			err = o.mark(ctx, t, o.now())
		}
		if err != nil {
			return fmt.Errorf("sweep what a tombstone names: %w", err)
		}
		swept++
	}
	if swept == 0 {
		return nil
	}
	o.Log.Info("swept what tombstones name and this database did not know", "count", swept)
	return o.DB.Scrub(ctx)
}

func order(t seal.Tombstone) int {
	if t.Bucket {
		return 1
	}
	return 0
}

// tidy lets go, once an hour, of receipts and bucket tombstones whose time is over.
func (o *Office) tidy(ctx context.Context) {
	for {
		oldest := o.Clock.Now().AddDate(0, 0, -o.BackupDays)
		if err := errors.Join(o.dropReceipts(ctx), o.Keys.Prune(ctx, clock.At(oldest))); err != nil && ctx.Err() == nil {
			o.Log.Warn("old receipts stay", "err", err)
		}
		if o.Clock.Sleep(ctx, time.Hour) != nil {
			return
		}
	}
}
