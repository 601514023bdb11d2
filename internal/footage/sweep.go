package footage

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/passport"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

// Swept is what a Sweep let go of.
type Swept struct {
	Keys    int
	Objects int64
	Bytes   int64
}

// Sweep lets go of footage that is older or more than its camera's policy allows. Keys of whole
// days are destroyed first; then rows and objects go. One camera that cannot be swept does not
// keep the others from it.
func (r *Room) Sweep(ctx context.Context) (Swept, error) {
	var cams []cameraRow
	if err := r.DB.Read.NewSelect().Model(&cams).Order("tenant_id", "binding_id").Scan(ctx); err != nil {
		return Swept{}, err
	}
	var out Swept
	var errs []error
	for _, row := range cams {
		c := Camera{Tenant: row.Tenant, Subject: row.Subject, Binding: row.Binding}
		s, err := r.sweepCamera(ctx, c)
		out.Keys += s.Keys
		out.Objects += s.Objects
		out.Bytes += s.Bytes
		errs = append(errs, err)
	}
	errs = append(errs, r.collectGarbage(ctx))
	return out, errors.Join(errs...)
}

func (r *Room) policy(ctx context.Context, c Camera) (Policy, error) {
	if r.Policy == nil {
		return DefaultPolicy, nil
	}
	p, err := r.Policy(ctx, c)
	if why, ok := problem.Of(err); ok && why.Status == http.StatusNotFound {
		return DefaultPolicy, nil // the camera is gone, and so must its footage be one day
	}
	return p, err
}

func (r *Room) sweepCamera(ctx context.Context, c Camera) (Swept, error) {
	p, err := r.policy(ctx, c)
	if err != nil {
		return Swept{}, err
	}
	cutoff := clock.Millis(0)
	if p.Days > 0 {
		cutoff = clock.At(r.Clock.Now().Add(-time.Duration(p.Days) * 24 * time.Hour))
	}
	if p.Bytes > 0 {
		by, err := r.cutoffByBytes(ctx, c, p.Bytes)
		if err != nil {
			return Swept{}, err
		}
		cutoff = max(cutoff, by)
	}
	if cutoff == 0 {
		return Swept{}, nil
	}
	var out Swept
	// Whole days: their keys first, so that from this moment on nothing of them opens anywhere.
	last := dayOf(cutoff) - 1
	days, err := r.Keys.Days(ctx, c.Binding, passport.Footage, seal.Continuous)
	if err != nil {
		return out, err
	}
	//promise:P283
	if len(days) > 0 && days[0] <= last && !promise.Cut("P283") {
		which := seal.Buckets(c.Tenant, c.Subject, c.Binding, passport.Footage)
		which.Class, which.Until = seal.Continuous, last
		d, err := r.Keys.Destroy(ctx, which, seal.Expired)
		if err != nil {
			return out, err
		}
		out.Keys = d.Keys
	}
	//promise:P282
	if promise.Cut("P282") {
		return out, nil
	}
	rows, bytes, err := r.remove(ctx, c, cutoff)
	out.Objects, out.Bytes = rows, bytes
	return out, err
}

// cutoffByBytes is the start of the oldest segment that may stay.
func (r *Room) cutoffByBytes(ctx context.Context, c Camera, limit int64) (clock.Millis, error) {
	var total *int64
	mine := r.DB.Read.NewSelect().Table("footage_segment").Where("tenant_id = ? AND binding_id = ?", c.Tenant, c.Binding)
	if err := mine.Clone().ColumnExpr("sum(bytes)").Scan(ctx, &total); err != nil {
		return 0, err
	}
	if total == nil || *total <= limit {
		return 0, nil
	}
	over := *total - limit
	rows, err := mine.Clone().Column("start_ms", "bytes").Order("start_ms").Rows(ctx)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	cutoff := clock.Millis(0)
	for rows.Next() {
		var start, bytes int64
		if err := rows.Scan(&start, &bytes); err != nil {
			return 0, err
		}
		if over <= 0 {
			return clock.Millis(start), rows.Err()
		}
		over -= bytes
		cutoff = clock.Millis(start) + 1
	}
	return cutoff, rows.Err()
}

// batch bounds one transaction.
const batch = 500

// remove lets go of a camera's segments that began before cutoff.
func (r *Room) remove(ctx context.Context, c Camera, cutoff clock.Millis) (count, bytes int64, err error) {
	for {
		var rows []*segmentRow
		err := r.DB.Read.NewSelect().Model(&rows).Where("tenant_id = ? AND binding_id = ? AND start_ms < ?", c.Tenant, c.Binding, cutoff).
			Order("start_ms").Limit(batch).Scan(ctx)
		if err != nil {
			return count, bytes, err
		}
		if len(rows) > 0 {
			if err := r.discard(ctx, rows); err != nil {
				return count, bytes, err
			}
		}
		for _, row := range rows {
			count++
			bytes += row.Bytes
		}
		if len(rows) < batch {
			break
		}
	}
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewDelete().Table("footage_hour").
			Where("tenant_id = ? AND binding_id = ? AND hour < ?", c.Tenant, c.Binding, hourOf(cutoff)).Exec(ctx)
		return err
	})
	return count, bytes, err
}

// discard makes rows garbage, unlinks their objects and forgets the garbage. On a disk too full
// for SQL it unlinks first: that makes the room the rows need to go.
func (r *Room) discard(ctx context.Context, rows []*segmentRow) error {
	err := r.toGarbage(ctx, rows)
	if isFull(err) {
		for _, row := range rows {
			if err := r.Store.Delete(row.object()); err != nil {
				return err
			}
		}
		err = r.toGarbage(ctx, rows)
	}
	if err != nil {
		return err
	}
	return r.collectGarbage(ctx)
}

func (r *Room) toGarbage(ctx context.Context, rows []*segmentRow) error {
	return r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		garbage := make([]garbageRow, len(rows))
		ids := make([][]byte, len(rows))
		expired := clock.Millis(0)
		for i, row := range rows {
			garbage[i] = garbageRow{Tenant: row.Tenant, ID: row.ID, Subject: row.Subject, Object: row.object()}
			ids[i] = row.ID[:]
			expired = max(expired, row.end())
		}
		if _, err := tx.NewInsert().Model(&garbage).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
			return err
		}
		if _, err := tx.NewDelete().Table("footage_segment").Where("id IN (?)", bun.In(ids)).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewUpdate().Table("footage_camera").Set("expired_ms = ?", expired).
			Where("tenant_id = ? AND binding_id = ? AND expired_ms < ?", rows[0].Tenant, rows[0].Binding, expired).Exec(ctx)
		return err
	})
}

// collectGarbage unlinks what has no row any more. An object that cannot be unlinked stays listed,
// and the next sweep tries again; without its row nobody is shown it.
func (r *Room) collectGarbage(ctx context.Context) error {
	var failed error
	for after := []byte(nil); ; {
		var rows []garbageRow
		q := r.DB.Write.NewSelect().Model(&rows).Order("id").Limit(batch)
		if after != nil {
			q = q.Where("id > ?", after)
		}
		if err := q.Scan(ctx); err != nil || len(rows) == 0 {
			return errors.Join(failed, err)
		}
		var ids [][]byte
		for _, row := range rows {
			if err := r.Store.Delete(row.Object); err != nil {
				failed = err
				continue
			}
			ids = append(ids, row.ID[:])
		}
		after = rows[len(rows)-1].ID[:]
		if len(ids) == 0 {
			continue
		}
		err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
			_, err := tx.NewDelete().Table("footage_garbage").Where("id IN (?)", bun.In(ids)).Exec(ctx)
			return err
		})
		if err != nil {
			return errors.Join(failed, err)
		}
	}
}
