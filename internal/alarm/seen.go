package alarm

import (
	"context"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
)

// seenRow is one row of alarm_seen.
type seenRow struct {
	bun.BaseModel `bun:"table:alarm_seen"`

	Tenant  id.Tenant   `bun:"tenant_id,pk"`
	Account id.Account  `bun:"account_id,pk"`
	Event   id.Sighting `bun:"event_id,pk"`
	Subject id.Subject  `bun:"subject_id"`
	Binding id.Binding  `bun:"binding_id"`
	Day     clock.Day   `bun:"day"`
}

func (r *Room) hasSeen(ctx context.Context, t id.Tenant, a id.Account, e id.Sighting) (bool, error) {
	return r.DB.Read.NewSelect().Model((*seenRow)(nil)).Where("tenant_id = ? AND account_id = ? AND event_id = ?", t, a, e).Exists(ctx)
}

// MarkSeen notes that somebody has seen events, or takes it back. What the permits do not reach is
// passed by as if it were not there. It returns the events it was said of.
func (r *Room) MarkSeen(ctx context.Context, viewer id.Account, may []permit.Permit, events []id.Sighting, seen bool) ([]Ref, error) {
	reach, err := reachOf(may)
	if err != nil || len(reach) == 0 || len(events) == 0 {
		return nil, err
	}
	wanted := make([][]byte, len(events))
	for i, e := range events {
		wanted[i] = e[:]
	}
	var rows []*row
	err = r.DB.Read.NewSelect().Model(&rows).Where("tenant_id = ? AND id IN (?)", reach[0].grant.Tenant, bun.In(wanted)).Scan(ctx)
	if err != nil {
		return nil, err
	}
	var marks []seenRow
	var refs []Ref
	for _, a := range reach {
		var mine []*row
		for i, w := range rows {
			if w != nil && reaches(a.grant, w) {
				mine, rows[i] = append(mine, w), nil
			}
		}
		opened, err := r.open(ctx, a.permit, mine) // the permit's window decides, and only what is opened tells
		if err != nil {
			return nil, err
		}
		for _, e := range opened {
			m := seenRow{Tenant: a.grant.Tenant, Account: viewer, Event: e.ID, Subject: e.Subject, Binding: e.Binding, Day: clock.DayOf(e.Start.Time())}
			marks = append(marks, m)
			refs = append(refs, Ref{Tenant: m.Tenant, Subject: m.Subject, Binding: m.Binding, ID: m.Event, Day: m.Day, State: e.State, Picture: e.Bytes > 0})
		}
	}
	if len(marks) == 0 {
		return nil, nil
	}
	if seen {
		_, err = r.DB.Write.NewInsert().Model(&marks).On("CONFLICT DO NOTHING").Exec(ctx)
	} else {
		_, err = r.DB.Write.NewDelete().Model(&marks).WherePK().Exec(ctx)
	}
	return refs, err
}
