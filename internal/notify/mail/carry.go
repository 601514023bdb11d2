package mail

import (
	"context"
	"database/sql"
	"time"
)

var errNoRows = sql.ErrNoRows

// Waits between tries.
const (
	firstWait = 10 * time.Second
	longest   = time.Hour
)

func wait(tries int) time.Duration { return min(firstWait<<min(tries, 12), longest) }

// run carries letters one after the other.
func (r *Room) run(ctx context.Context) {
	defer close(r.done)
	for ctx.Err() == nil {
		w, pause := r.due()
		if w == nil {
			r.rest(ctx, pause)
			continue
		}
		r.carry(ctx, w)
	}
}

// rest waits for a letter or until one is due.
func (r *Room) rest(ctx context.Context, pause time.Duration) {
	sleeping, cancel := context.WithCancel(ctx)
	defer cancel()
	up := make(chan struct{})
	go func() {
		defer close(up)
		_ = r.Clock.Sleep(sleeping, pause)
	}()
	select {
	case <-up:
		return
	case <-r.wake:
	case <-ctx.Done():
	}
	cancel()
	<-up
}

// due is the letter to carry now, or how long until there may be one. Somebody waits for a fleeting
// letter, so those go first; the rest go in the order in which they came.
func (r *Room) due() (*waiting, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.Clock.Now()
	pause := longest
	var best *waiting
	for _, w := range r.waiting {
		next := w.next
		if r.resume.After(next) && w.until.After(now) {
			next = r.resume
		}
		if until := next.Sub(now); until > 0 {
			pause = min(pause, until)
			continue
		}
		if best == nil || w.before(best) {
			best = w
		}
	}
	return best, pause
}

func (w *waiting) before(o *waiting) bool {
	if (w.message != nil) != (o.message != nil) {
		return w.message != nil
	}
	return w.id.Hex() < o.id.Hex()
}

func (r *Room) carry(ctx context.Context, w *waiting) {
	now := r.Clock.Now()
	if !now.Before(w.until) {
		r.Log.Warn("a letter could not be sent in time", "tries", w.tries)
		r.drop(ctx, w)
		return
	}
	m, gone, err := r.open(ctx, w)
	switch {
	case gone:
		r.drop(ctx, w)
		return
	case err != nil:
		r.Log.Warn("a letter does not open", "err", err)
		r.putOff(w)
		return
	}
	became, err := r.Server.deliver(ctx, r.Dial, m)
	if ctx.Err() != nil && became != sent {
		return
	}
	r.mu.Lock()
	if became == down {
		r.resume = r.Clock.Now().Add(wait(r.tries))
		r.tries++
	} else {
		r.resume, r.tries = time.Time{}, 0
	}
	r.mu.Unlock()
	switch became {
	case sent:
		r.Log.Info("letter sent", "purpose", string(m.Purpose), "tries", w.tries+1)
		r.drop(ctx, w)
	case never:
		r.Log.Warn("letter refused for good", "purpose", string(m.Purpose), "err", err)
		r.drop(ctx, w)
	case later:
		r.Log.Info("letter put off", "purpose", string(m.Purpose), "err", err)
		r.putOff(w)
	case down:
		r.Log.Warn("mail server cannot be used", "err", err, "tries", r.tries)
	}
}

func (r *Room) putOff(w *waiting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	w.next = r.Clock.Now().Add(wait(w.tries))
	w.tries++
}
