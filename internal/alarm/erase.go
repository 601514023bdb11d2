package alarm

import (
	"context"
	"strings"

	"github.com/uptrace/bun"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/rights"
)

// Erase takes away rows and pictures. It waits for watches whose lease has ended, so that nothing of
// theirs comes after it, and leaves open ones alone: they rest on a newer agreement.
func (h holder) Erase(ctx context.Context, w rights.Whose) (rights.Swept, error) {
	var out rights.Swept
	if !aboutEvents(w) {
		return out, nil
	}
	r := h.r
	for _, watch := range r.active(func(watch *Watch) bool { return covers(w, watch.cam) && watch.lease.State() == permit.Ended }) {
		watch.halt()
	}
	err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		out = rights.Swept{}
		gone := whose(tx.NewSelect().Table("alarm_event"), w)
		gone = before(gone, w)
		if err := gone.Clone().ColumnExpr("coalesce(CAST(sum(bytes) AS bigint), 0)").Scan(ctx, &out.Bytes); err != nil {
			return err
		}
		seen := whose(tx.NewDelete().Table("alarm_seen"), w).Where("event_id IN (?)", gone.Column("id"))
		if err := counted(ctx, seen, &out); err != nil {
			return err
		}
		if err := counted(ctx, before(whose(tx.NewDelete().Table("alarm_event"), w), w), &out); err != nil {
			return err
		}
		if aboutSettings(w) && w.Before == 0 {
			if err := counted(ctx, whose(tx.NewDelete().Table("alarm_camera"), w), &out); err != nil {
				return err
			}
		}
		if aboutSeen(w) && w.Before == 0 {
			return counted(ctx, sawThem(tx.NewDelete().Table("alarm_seen"), w), &out)
		}
		return nil
	})
	if err != nil {
		return rights.Swept{}, err
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	stray, _, err := r.stray(ctx, w)
	for _, name := range stray {
		if err := r.Store.Delete(name); err != nil {
			return out, err
		}
		out.Objects++
	}
	return out, err
}

// before narrows a query to what was noticed by watches that began before.
func before[Q interface{ Where(string, ...any) Q }](q Q, w rights.Whose) Q {
	if w.Before != 0 {
		q = q.Where("watch_ms < ?", w.Before)
	}
	return q
}

// stray are the objects and drafts of a person, or of one camera of theirs, that no row speaks of, and
// how many objects there are.
func (r *Room) stray(ctx context.Context, w rights.Whose) (names []string, looked int64, err error) {
	prefix := prefixOf(w.Tenant, w.Subject, w.Binding)
	var rows []*row
	q := whose(r.DB.Write.NewSelect().Model(&rows), w).Column("tenant_id", "subject_id", "binding_id", "day", "object").Where("object IS NOT NULL")
	if err := q.Scan(ctx); err != nil {
		return nil, 0, err
	}
	known := map[string]bool{}
	for _, row := range rows {
		known[row.object()] = true
	}
	drafts, err := r.Store.Drafts()
	if err != nil {
		return nil, 0, err
	}
	look := func(name string) {
		looked++
		if strings.HasPrefix(name, prefix+"/") && !known[name] {
			names = append(names, name)
		}
	}
	for _, name := range drafts {
		look(name)
	}
	for info, err := range r.Store.List(ctx, prefix) {
		if err != nil {
			return nil, 0, err
		}
		look(info.Name)
	}
	return names, looked, nil
}

// Scan looks for what Erase should have taken away.
func (h holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	if !aboutEvents(w) {
		return nil, nil
	}
	db := h.r.DB.Write
	look := func(where string, found *bun.SelectQuery) (rights.Finding, error) {
		all, err := db.NewSelect().Table(where).Where("tenant_id = ?", w.Tenant).Count(ctx)
		if err != nil {
			return rights.Finding{}, err
		}
		n, err := found.Count(ctx)
		return rights.Finding{Where: where, Looked: int64(all), Found: int64(n)}, err
	}
	found := map[string]*bun.SelectQuery{"alarm_event": before(whose(db.NewSelect().Table("alarm_event"), w), w)}
	tables := []string{"alarm_event", "alarm_seen"}
	gone := db.NewSelect().Table("alarm_event").Column("id").Where("tenant_id = ?", w.Tenant)
	found["alarm_seen"] = whose(db.NewSelect().Table("alarm_seen"), w).Where("event_id NOT IN (?)", gone)
	if aboutSeen(w) && w.Before == 0 {
		found["alarm_seen"] = db.NewSelect().Table("alarm_seen").
			Where("tenant_id = ? AND (subject_id = ? OR account_id = ?)", w.Tenant, w.Subject, id.Account(w.Subject))
	}
	if aboutSettings(w) && w.Before == 0 {
		tables = append(tables, "alarm_camera")
		found["alarm_camera"] = whose(db.NewSelect().Table("alarm_camera"), w)
	}
	var out []rights.Finding
	for _, table := range tables {
		f, err := look(table, found[table])
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	h.r.writing.Lock()
	defer h.r.writing.Unlock()
	stray, looked, err := h.r.stray(ctx, w)
	return append(out, rights.Finding{Where: "blob:events", Looked: looked, Found: int64(len(stray))}), err
}
