package alarm

import (
	"context"
	"encoding/json"

	"candor/internal/clock"
	"candor/internal/id"
)

// Fill keeps n events of a camera, one each step from a moment on, without pictures and without telling.
func (r *Room) Fill(ctx context.Context, c Camera, from, step clock.Millis, n int) error {
	var rows []*row
	for i := range n {
		at := from + clock.Millis(i)*step
		w := &row{Tenant: c.Tenant, ID: id.Random[id.Sighting](), Subject: c.Subject, Binding: c.Binding, Day: clock.DayOf(at.Time()), State: Over, Watch: from}
		plain, err := json.Marshal(details{Kind: Motion, Start: at, End: at + 5000, Score: 30, Recorded: true})
		if err != nil {
			return err
		}
		if w.Details, err = r.Keys.Seal(ctx, c.scope(w.Day), place(c, detailsPassport, w.ID), plain); err != nil {
			return err
		}
		if rows = append(rows, w); len(rows) == 1000 || i == n-1 {
			if _, err := r.DB.Write.NewInsert().Model(&rows).Exec(ctx); err != nil {
				return err
			}
			rows = nil
		}
	}
	return nil
}
