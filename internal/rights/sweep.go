package rights

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"candor/internal/promise"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// finish sweeps and scans until nothing is left, and completes the receipt. It tries again, at
// growing intervals and without end; only the end of the program stops it, and then the next start
// goes on.
func (o *Office) finish(ctx context.Context, g *goodbye) {
	for {
		err := o.attempt(ctx, g)
		if err == nil {
			err = o.complete(ctx, g)
		}
		if err == nil {
			return
		}
		if ctx.Err() != nil {
			o.leave(ctx, g)
			return
		}
		if o.MakeRoom != nil && o.MakeRoom() {
			o.Log.Warn("sweeping again with the room that was kept for it", "err", err)
			continue
		}
		tries := 0
		g.change(func(s *state) { s.tries++; tries = s.tries })
		o.Log.Error("goodbye is not over yet, trying again", "err", err, "tries", tries)
		if err := o.save(ctx, g); err != nil {
			o.Log.Warn("goodbye goes on unwritten", "err", err)
		}
		if o.Clock.Sleep(ctx, pause(tries)) != nil {
			o.leave(ctx, g)
			return
		}
	}
}

// leave writes down how far the goodbye has come, for the next start. If even that fails, the
// tombstone in keys.db has the next start sweep all the same.
func (o *Office) leave(ctx context.Context, g *goodbye) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := o.save(ctx, g); err != nil {
		o.Log.Warn("goodbye is left unwritten", "err", err)
	}
}

func pause(tries int) time.Duration {
	steps := []time.Duration{time.Second, 5 * time.Second, 30 * time.Second, 5 * time.Minute, time.Hour}
	return steps[min(max(tries, 1), len(steps))-1]
}

// attempt takes the steps that have not been taken.
func (o *Office) attempt(ctx context.Context, g *goodbye) error {
	revoked := o.revoke(ctx, g)
	if err := o.destroy(ctx, g); err != nil {
		return errors.Join(revoked, err)
	}
	if err := o.save(ctx, g); err != nil {
		o.Log.Warn("goodbye goes on unwritten", "err", err) // the sweep may make room on the disk
	}
	for _, step := range []struct {
		name string
		take func(context.Context, *goodbye) error
	}{
		{StepSwept, o.sweep},
		{StepScrubbed, func(ctx context.Context, _ *goodbye) error { return o.DB.Scrub(ctx) }},
		{StepTurned, o.turn},
		{StepScanned, o.scan},
	} {
		if g.took(step.name) || step.name == StepScrubbed && o.DB.Dialect == sqldb.Postgres {
			continue // a step that nobody took is on no receipt
		}
		if err := step.take(ctx, g); err != nil {
			return errors.Join(revoked, fmt.Errorf("%s: %w", step.name, err))
		}
		g.take(step.name, o.now())
	}
	return revoked
}

// sweep has every room take away what is the person's. The rooms work side by side: one that is
// slow or fails holds up no other.
//
// promise:P276
func (o *Office) sweep(ctx context.Context, g *goodbye) error {
	if promise.Cut("P276") {
		return nil
	}
	w := g.now().whose
	return o.each(func(h Holder) error {
		swept, err := h.Erase(ctx, w)
		g.change(func(s *state) { s.receipt.Swept.Add(swept) })
		return err
	})
}

// each asks every holder, side by side.
func (o *Office) each(f func(Holder) error) error {
	errs := make([]error, len(o.Holders))
	var wg sync.WaitGroup
	for i, h := range o.Holders {
		wg.Go(func() {
			if err := f(h); err != nil {
				errs[i] = fmt.Errorf("%s: %w", h.Room(), err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// turn wraps the keys that are left anew, so that no older copy of the key file opens.
//
// promise:P274
func (o *Office) turn(ctx context.Context, _ *goodbye) error {
	if promise.Cut("P274") {
		return nil
	}
	return o.Keys.TurnEpoch(ctx)
}

// scan looks for what should be gone. Something found is an error: the sweep goes on.
func (o *Office) scan(ctx context.Context, g *goodbye) error {
	s := g.now()
	findings, err := o.scanKeys(ctx, s)
	if err != nil {
		return err
	}
	var mu sync.Mutex
	err = o.each(func(h Holder) error {
		got, err := h.Scan(ctx, s.whose)
		mu.Lock()
		defer mu.Unlock()
		findings = append(findings, got...)
		return err
	})
	if err == nil && o.Hunt != nil {
		var got []Finding
		got, err = o.Hunt(ctx, s.whose)
		findings = append(findings, got...)
	}
	if err != nil {
		return err
	}
	slices.SortStableFunc(findings, func(a, b Finding) int { return strings.Compare(a.Where, b.Where) })
	g.change(func(s *state) { s.receipt.LookedFor = findings })
	for _, f := range findings {
		if f.Found != 0 {
			g.change(func(s *state) {
				s.receipt.Steps = slices.DeleteFunc(s.receipt.Steps, func(s Step) bool { return s.Name == StepSwept })
			})
			return fmt.Errorf("%d of %d are left in %s", f.Found, f.Looked, f.Where)
		}
	}
	return nil
}

// Where the scan looks in the key file.
const (
	WhereKeys      = "keys.db/key"       // rows of destroyed keys
	WhereBytes     = "keys.db/bytes"     // their wrapped bytes, anywhere in the file and its journal
	WhereSlots     = "keys.db/slot"      // key material without a row
	WhereTombstone = "keys.db/tombstone" // tombstones that should stand and do not
	WhereOpening   = "opening"           // probes sealed before, tried again
)

func (o *Office) scanKeys(ctx context.Context, s state) ([]Finding, error) {
	left, err := o.live(ctx, s.whose)
	if err != nil {
		return nil, err
	}
	out := []Finding{{WhereKeys, int64(s.receipt.KeysDestroyed), int64(left)}}
	looked, found, err := o.Keys.Residue(ctx, s.keys)
	if err != nil {
		return nil, err
	}
	if looked > 0 || s.receipt.KeysDestroyed == 0 {
		out = append(out, Finding{WhereBytes, int64(looked), int64(found)})
	}
	slots, orphans, err := o.Keys.Orphans(ctx)
	if err != nil {
		return nil, err
	}
	out = append(out, Finding{WhereSlots, slots, orphans})
	if s.whose.Purpose == "" {
		stands, err := o.Keys.Tombstoned(ctx, seal.OfBinding(s.whose.Tenant, s.whose.Subject, s.whose.Binding))
		if err != nil {
			return nil, err
		}
		f := Finding{WhereTombstone, 1, 1}
		if stands {
			f.Found = 0
		}
		out = append(out, f)
	}
	opening := Finding{WhereOpening, int64(len(s.probes)), 0}
	for _, p := range s.probes {
		opens, err := o.Keys.Opens(ctx, p)
		if err != nil {
			return nil, err
		}
		if opens {
			opening.Found++
		}
	}
	return append(out, opening), nil
}

// live is how many keys of a goodbye there are.
func (o *Office) live(ctx context.Context, w Whose) (int, error) {
	sel, some := o.selection(w)
	if !some {
		return 0, nil
	}
	return o.Keys.Count(ctx, sel)
}

// complete closes the receipt. From then on nothing says whose it was.
func (o *Office) complete(ctx context.Context, g *goodbye) error {
	at := o.now()
	if err := o.markReplayed(ctx, g.now().whose, at); err != nil {
		return err
	}
	g.take(StepDone, at)
	g.change(func(s *state) {
		s.receipt.DoneAt = &at
		notes := []string{NoteUnopenable, NoteUnrecoverable, NoteCopies}
		if slices.Contains(s.receipt.Notes, NoteResumed) {
			notes = append(notes, NoteResumed)
		}
		s.receipt.Notes = notes
		s.keys.Zero()
		s.probes = nil
	})
	if err := o.save(ctx, g); err != nil {
		return fmt.Errorf("write the receipt: %w", err)
	}
	o.mu.Lock()
	delete(o.going, g.id)
	o.mu.Unlock()
	close(g.ended)
	o.Log.Info("goodbye is over", "what", string(g.what), "keys", g.now().receipt.KeysDestroyed)
	return nil
}
