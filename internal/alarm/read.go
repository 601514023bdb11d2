package alarm

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
)

// Ref is what is known of an event without a permit: ids and states.
type Ref struct {
	Tenant  id.Tenant
	Subject id.Subject // the camera's owner
	Binding id.Binding
	ID      id.Sighting
	Day     clock.Day
	State   State
	Picture bool
}

// Find tells whose an event is; false when there is none (any more).
func (r *Room) Find(ctx context.Context, t id.Tenant, e id.Sighting) (Ref, bool, error) {
	w, ok, err := r.get(ctx, t, e)
	if !ok {
		return Ref{}, false, err
	}
	return Ref{w.Tenant, w.Subject, w.Binding, w.ID, w.Day, w.State, w.Bytes > 0}, true, nil
}

// Read opens one event of a camera.
func (r *Room) Read(ctx context.Context, p permit.Permit, b id.Binding, e id.Sighting) (Event, error) {
	_, ev, err := r.read(ctx, p, b, e)
	return ev, err
}

func (r *Room) read(ctx context.Context, p permit.Permit, b id.Binding, e id.Sighting) (*row, Event, error) {
	g, ok := p.Grant()
	if !ok {
		return nil, Event{}, permit.ErrNone
	}
	w, ok, err := r.get(ctx, g.Tenant, e)
	if err != nil {
		return nil, Event{}, err
	}
	if !ok || w.Binding != b || !reaches(g, w) {
		return nil, Event{}, problem.NotFound()
	}
	if !g.Actor.Account.IsZero() {
		if w.Seen, err = r.hasSeen(ctx, g.Tenant, g.Actor.Account, e); err != nil {
			return nil, Event{}, err
		}
	}
	got, err := r.open(ctx, p, []*row{w})
	if err == nil && len(got) == 0 {
		err = problem.NotFound()
	}
	if err != nil {
		return nil, Event{}, err
	}
	return w, got[0], nil
}

// reaches reports whether a row is about whom and what a grant is.
func reaches(g permit.Grant, w *row) bool {
	return w.Tenant == g.Tenant && w.Subject == g.Subject && (g.Binding.IsZero() || w.Binding == g.Binding)
}

// open opens rows that the permit reaches. What does not open any more, and what lies outside of the
// permit's window, is left out.
func (r *Room) open(ctx context.Context, p permit.Permit, rows []*row) ([]Event, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	g, ok := p.Grant()
	if !ok {
		return nil, permit.ErrNone
	}
	sealed := make([]seal.Sealed, len(rows))
	for i, w := range rows {
		sealed[i] = seal.Sealed{Place: place(w.camera(), detailsPassport, w.ID), Value: w.Details}
	}
	plain, err := r.Keys.OpenAll(ctx, p, sealed)
	if errors.Is(err, seal.ErrClosed) && !errors.Is(err, permit.ErrExpired) && !errors.Is(err, permit.ErrOther) {
		plain = make([][]byte, len(rows)) // a day's key went meanwhile: what still opens is shown
		for i := range sealed {
			one, err := r.Keys.OpenAll(ctx, p, sealed[i:i+1])
			if err == nil {
				plain[i] = one[0]
			} else if !errors.Is(err, seal.ErrClosed) {
				return nil, err
			}
		}
		err = nil
	}
	if err != nil {
		return nil, err
	}
	out := make([]Event, 0, len(rows))
	for i, b := range plain {
		if b == nil {
			continue
		}
		d, err := parseDetails(b)
		if err != nil {
			r.Log.Error("an event does not read", "err", err)
			continue
		}
		if _, _, within := g.Window(d.Start, d.End+1); within {
			out = append(out, rows[i].event(d))
		}
	}
	return out, nil
}

// Between lists a camera's events that touch a stretch of time, oldest first.
func (r *Room) Between(ctx context.Context, p permit.Permit, b id.Binding, from, to clock.Millis) ([]Event, error) {
	g, _ := p.Grant()
	return r.between(ctx, g.Actor.Account, p, b, from, to)
}

func (r *Room) between(ctx context.Context, viewer id.Account, p permit.Permit, b id.Binding, from, to clock.Millis) ([]Event, error) {
	g, ok := p.Grant()
	if !ok {
		return nil, permit.ErrNone
	}
	if !g.Binding.IsZero() && g.Binding != b {
		return nil, problem.NotFound()
	}
	var rows []*row
	// An event may have begun the day before.
	err := r.DB.Read.NewSelect().Model(&rows).ColumnExpr("e.*").ColumnExpr(seenColumn, viewer[:]).
		Where("tenant_id = ? AND subject_id = ? AND binding_id = ?", g.Tenant, g.Subject, b).
		Where("day >= ? AND day <= ?", clock.DayOf(from.Time())-1, clock.DayOf(to.Time())).Scan(ctx)
	if err != nil {
		return nil, err
	}
	all, err := r.open(ctx, p, rows)
	all = slices.DeleteFunc(all, func(e Event) bool { return e.Start >= to || e.End < from })
	slices.SortFunc(all, func(a, b Event) int { return cmp.Or(cmp.Compare(a.Start, b.Start), id.Compare(a.ID, b.ID)) })
	return all, err
}

// seenColumn tells of each event whether an account has seen it.
const seenColumn = `EXISTS (SELECT 1 FROM alarm_seen AS s WHERE s.tenant_id = e.tenant_id AND s.account_id = ? AND s.event_id = e.id) AS seen`
