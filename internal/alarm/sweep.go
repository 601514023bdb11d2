package alarm

import (
	"context"
	"errors"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/passport"
	"candor/internal/seal"
)

// Sweep lets go of events that are older than their camera's policy allows: the keys of whole days
// first, then rows and pictures. It also begins the keys of a new day for cameras that are watched.
// One camera that cannot be swept does not keep the others from it.
func (r *Room) Sweep(ctx context.Context) error {
	var errs []error
	oldest, err := r.oldest(ctx)
	if err != nil {
		return err
	}
	for cam, day := range oldest {
		errs = append(errs, r.sweepCamera(ctx, cam, day))
	}
	today := clock.DayOf(r.Clock.Now())
	for _, w := range r.active(func(*Watch) bool { return true }) {
		if _, err := r.Keys.Ensure(w.lease.Context(), w.cam.scope(today)); err != nil && w.lease.Context().Err() == nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// oldest is the oldest day of each camera that has events.
func (r *Room) oldest(ctx context.Context) (map[Camera]clock.Day, error) {
	var lines []*row
	err := r.DB.Read.NewSelect().Model(&lines).Column("tenant_id", "subject_id", "binding_id").ColumnExpr("min(day) AS day").
		Group("tenant_id", "subject_id", "binding_id").Scan(ctx)
	out := map[Camera]clock.Day{}
	for _, l := range lines {
		out[l.camera()] = l.Day
	}
	return out, err
}

func (r *Room) sweepCamera(ctx context.Context, c Camera, oldest clock.Day) error {
	days, err := r.days(ctx, c)
	if err != nil || days <= 0 {
		return err
	}
	last := clock.DayOf(r.Clock.Now()) - clock.Day(days) - 1 // the last day of which all is older than that
	keys, err := r.Keys.Days(ctx, c.Binding, passport.Event, seal.Continuous)
	if err != nil {
		return err
	}
	if len(keys) > 0 && keys[0] <= last {
		which := seal.Buckets(c.Tenant, c.Subject, c.Binding, passport.Event)
		which.Class, which.Until = seal.Continuous, last
		if _, err := r.Keys.Destroy(ctx, which, seal.Expired); err != nil {
			return err
		}
	}
	for day := oldest; day <= last; day++ {
		if err := r.removeDay(ctx, c, day); err != nil {
			return err
		}
	}
	return nil
}

// removeDay takes away the objects and rows of one camera and day.
func (r *Room) removeDay(ctx context.Context, c Camera, day clock.Day) error {
	var names []string
	for info, err := range r.Store.List(ctx, dayOf(c, day)) {
		if err != nil {
			return err
		}
		names = append(names, info.Name)
	}
	for _, name := range names {
		if err := r.Store.Delete(name); err != nil {
			return err
		}
	}
	return r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		for _, table := range []string{"alarm_seen", "alarm_event"} {
			_, err := tx.NewDelete().Table(table).Where("tenant_id = ? AND subject_id = ? AND binding_id = ? AND day = ?", c.Tenant, c.Subject, c.Binding, day).Exec(ctx)
			if err != nil {
				return err
			}
		}
		return nil
	})
}
