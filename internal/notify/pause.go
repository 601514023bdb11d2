package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
	"candor/internal/seal"
)

// Length is how long a pause is.
type Length string

// The lengths. Morning is seven o'clock where the person is.
const (
	HalfHour Length = "half_hour"
	TwoHours Length = "two_hours"
	Morning  Length = "morning"
)

const morningHour = 7

// Pause is a pause that is not over.
type Pause struct {
	Binding id.Binding // zero: all cameras
	Until   clock.Millis
}

type pauseKey struct {
	tenant  id.Tenant
	account id.Account
	binding id.Binding
}

// span is the sealed part: at that wall time, so much was left.
type span struct {
	At   clock.Millis  `json:"at"`
	Left time.Duration `json:"left"`
}

// left is what remains at a wall time, between nothing and what was left.
func (s span) left(now clock.Millis) time.Duration {
	gone := time.Duration(now-s.At) * time.Millisecond
	return max(0, min(s.Left, s.Left-gone))
}

func (l Length) from(now time.Time) (time.Duration, error) {
	switch l {
	case HalfHour:
		return 30 * time.Minute, nil
	case TwoHours:
		return 2 * time.Hour, nil
	case Morning:
		next := time.Date(now.Year(), now.Month(), now.Day(), morningHour, 0, 0, 0, now.Location())
		if !next.After(now) {
			next = time.Date(now.Year(), now.Month(), now.Day()+1, morningHour, 0, 0, 0, now.Location())
		}
		return next.Sub(now), nil
	}
	return 0, problem.Invalid("alert.pause")
}

// Pause has a person left alone for a while, by one camera or (zero) by all. A new pause takes the
// place of the one before. Problem: alert.pause.
func (r *Room) Pause(ctx context.Context, t id.Tenant, a id.Account, b id.Binding, l Length) (Pause, error) {
	p, err := r.Gate.Own(ctx, t, a)
	if err != nil {
		return Pause{}, err
	}
	who, err := r.People.Who(ctx, p, t, a)
	if err != nil {
		return Pause{}, err
	}
	now := r.now()
	length, err := l.from(who.local(now))
	if err != nil {
		return Pause{}, err
	}
	key := pauseKey{t, a, b}
	r.pausing.Lock()
	defer r.pausing.Unlock()
	if err := r.keepPause(ctx, key, span{now, length}); err != nil {
		return Pause{}, err
	}
	r.mu.Lock()
	r.pauses[key] = r.Uptime() + length
	r.mu.Unlock()
	return Pause{b, now + clock.Millis(length/time.Millisecond)}, nil
}

func (r *Room) keepPause(ctx context.Context, k pauseKey, s span) error {
	plain, err := json.Marshal(s)
	if err != nil {
		return err
	}
	row := newRow()
	sealed, err := r.seal(ctx, k.tenant, k.account, spanPassport, row, plain)
	if err != nil {
		return fmt.Errorf("keep pause: %w", err)
	}
	if _, err := r.DB.Write.NewRaw(`INSERT INTO notify_pause (tenant_id, account_id, binding_id, row_id, span) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (tenant_id, account_id, binding_id) DO UPDATE SET row_id = excluded.row_id, span = excluded.span`,
		k.tenant, k.account, k.binding[:], row, sealed).Exec(ctx); err != nil {
		return fmt.Errorf("keep pause: %w", err)
	}
	return nil
}

// Resume ends a pause early. One that is over already is no error.
func (r *Room) Resume(ctx context.Context, t id.Tenant, a id.Account, b id.Binding) error {
	key := pauseKey{t, a, b}
	r.pausing.Lock()
	defer r.pausing.Unlock()
	if err := r.dropPause(ctx, key); err != nil {
		return err
	}
	r.mu.Lock()
	delete(r.pauses, key)
	r.mu.Unlock()
	nudge(r.wake)
	return nil
}

func (r *Room) dropPause(ctx context.Context, k pauseKey) error {
	_, err := r.DB.Write.NewRaw("DELETE FROM notify_pause WHERE tenant_id = ? AND account_id = ? AND binding_id = ?", k.tenant, k.account, k.binding[:]).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end pause: %w", err)
	}
	return nil
}

// Pauses are a person's own that are not over.
func (r *Room) Pauses(t id.Tenant, a id.Account) []Pause {
	r.mu.Lock()
	defer r.mu.Unlock()
	now, up := r.now(), r.Uptime()
	out := []Pause{}
	for k, ends := range r.pauses {
		if k.tenant == t && k.account == a && ends > up {
			out = append(out, Pause{k.binding, now + clock.Millis((ends-up)/time.Millisecond)})
		}
	}
	return out
}

// paused reports whether a person is to be left alone by a camera.
func (r *Room) paused(t id.Tenant, a id.Account, b id.Binding) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	up := r.Uptime()
	return r.pauses[pauseKey{t, a, b}] > up || r.pauses[pauseKey{t, a, id.Binding{}}] > up
}

type pauseRow struct {
	Tenant  id.Tenant  `bun:"tenant_id"`
	Account id.Account `bun:"account_id"`
	Binding id.Binding `bun:"binding_id"`
	Row     id.Row     `bun:"row_id"`
	Span    []byte     `bun:"span"`
}

func (w pauseRow) key() pauseKey { return pauseKey{w.Tenant, w.Account, w.Binding} }

// loadPauses takes up the pauses of the run before. One that cannot be opened is of somebody who is
// gone, and goes.
func (r *Room) loadPauses(ctx context.Context) error {
	var rows []pauseRow
	if err := r.DB.Read.NewRaw("SELECT tenant_id, account_id, binding_id, row_id, span FROM notify_pause").Scan(ctx, &rows); err != nil {
		return fmt.Errorf("read pauses: %w", err)
	}
	now, up := r.now(), r.Uptime()
	for _, w := range rows {
		s, err := r.openPause(ctx, w)
		if err != nil {
			r.Log.Warn("a pause cannot be read", "err", err)
			continue
		}
		if left := s.left(now); left > 0 {
			r.pauses[w.key()] = up + left
		}
	}
	return nil
}

func (r *Room) openPause(ctx context.Context, w pauseRow) (s span, err error) {
	p, err := r.Gate.Own(ctx, w.Tenant, w.Account)
	if err != nil {
		return s, err
	}
	plain, err := r.Keeper.OpenAll(ctx, p, []seal.Sealed{{Place: place(w.Tenant, w.Account, spanPassport, w.Row), Value: w.Span}})
	if err != nil {
		return s, err
	}
	return s, json.Unmarshal(plain[0], &s)
}

// tick writes down what is left of the pauses, and lets go of those that are over.
func (r *Room) tick(ctx context.Context) {
	r.pausing.Lock()
	defer r.pausing.Unlock()
	now, up := r.now(), r.Uptime()
	r.mu.Lock()
	all := make(map[pauseKey]time.Duration, len(r.pauses))
	for k, ends := range r.pauses {
		all[k] = ends - up
	}
	r.mu.Unlock()
	for k, left := range all {
		var err error
		if left > 0 {
			err = r.keepPause(ctx, k, span{now, left})
		} else if err = r.dropPause(ctx, k); err == nil {
			r.mu.Lock()
			if r.pauses[k] <= up {
				delete(r.pauses, k)
			}
			r.mu.Unlock()
		}
		if err != nil && ctx.Err() == nil {
			r.Log.Warn("a pause cannot be kept", "err", err)
		}
	}
}
