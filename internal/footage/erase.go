package footage

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/uptrace/bun"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/permit"
	"candor/internal/promise"
	"candor/internal/rights"
)

// covers reports whether a question is about that camera.
func covers(w rights.Whose, c Camera) bool {
	return w.Tenant == c.Tenant && w.Subject == c.Subject && (w.Binding.IsZero() || w.Binding == c.Binding)
}

// Erase takes away rows, objects, drafts and what is remembered of them. It waits for recordings
// whose lease has ended, so that nothing of theirs comes after it, and leaves open ones alone:
// they rest on a newer agreement.
//
// promise:P069,P076
func (h holder) Erase(ctx context.Context, w rights.Whose) (rights.Swept, error) {
	if !concerns(w) || promise.Cut("P076") || promise.Cut("P069") {
		return rights.Swept{}, nil
	}
	r := h.r
	before := w.Before
	if before == 0 {
		before = clock.At(r.Clock.Now()) + 1
	}
	ended := func(rec *Recording) bool { return covers(w, rec.cam) && rec.tape.lease.State() == permit.Ended }
	for _, rec := range r.active(ended) {
		select {
		case <-rec.done:
		case <-ctx.Done():
			return rights.Swept{}, ctx.Err()
		}
	}
	var out rights.Swept
	errs := []error{r.forget(w, before)}
	for {
		var rows []*segmentRow
		err := whose(r.DB.Read.NewSelect().Model(&rows), w).Where("start_ms < ?", before).Order("binding_id", "start_ms").Limit(batch).Scan(ctx)
		if err == nil && len(rows) > 0 {
			err = r.discard(ctx, rows)
		}
		if err != nil {
			return out, errors.Join(append(errs, err)...)
		}
		for _, row := range rows {
			out.Add(rights.Swept{Objects: 1, Rows: 1, Bytes: row.Bytes})
		}
		if len(rows) < batch {
			break
		}
	}
	rest, err := r.eraseRows(ctx, w, before)
	out.Rows += rest
	errs = append(errs, err)
	orphans, err := r.eraseOrphans(ctx, w, before)
	out.Objects += orphans
	return out, errors.Join(append(errs, err, r.collectGarbage(ctx))...)
}

// forget lets go of what memory holds.
func (r *Room) forget(w rights.Whose, before clock.Millis) error {
	r.mu.Lock()
	var cams []*camera
	for _, cam := range r.cameras {
		if covers(w, cam.Camera) {
			cams = append(cams, cam)
		}
	}
	r.mu.Unlock()
	for _, cam := range cams { // a commit that is under way ends first, and none comes after
		cam.writing.Lock()
		cam.forget(before)
		cam.writing.Unlock()
	}
	r.mu.Lock()
	var waiting []*closed
	for _, c := range r.unsettled {
		if covers(w, c.cam.Camera) && c.row.Start < before {
			waiting = append(waiting, c)
		}
	}
	r.mu.Unlock()
	var errs []error
	for _, c := range waiting {
		r.forgetUnsettled(c)
		errs = append(errs, c.draft.Close(), r.Store.Delete(c.row.object()))
	}
	return errors.Join(errs...)
}

// eraseRows takes away what is left beside the segments. Segments newer than before lose their
// summary with the hour they share, so they are marked to be read themselves.
func (r *Room) eraseRows(ctx context.Context, w rights.Whose, before clock.Millis) (n int64, err error) {
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		hours, err := whose(tx.NewDelete().Table("footage_hour"), w).Where("hour <= ?", hourOf(before-1)).Exec(ctx)
		if err != nil {
			return err
		}
		_, err = whose(tx.NewUpdate().Table("footage_segment").Set("summed = 0"), w).
			Where("start_ms < ?", (hourOf(before-1)+1)*hourMillis).Exec(ctx)
		if err != nil {
			return err
		}
		cams, err := whose(tx.NewDelete().Table("footage_camera"), w).Where(cameraEmpty).Exec(ctx)
		if err != nil {
			return err
		}
		a, _ := hours.RowsAffected() // both engines tell
		b, _ := cams.RowsAffected()
		n = a + b
		return nil
	})
	return n, err
}

const cameraEmpty = `NOT EXISTS (SELECT 1 FROM footage_segment AS s
	WHERE s.tenant_id = footage_camera.tenant_id AND s.binding_id = footage_camera.binding_id)`

// eraseOrphans takes away drafts and objects that no row speaks of.
func (r *Room) eraseOrphans(ctx context.Context, w rights.Whose, before clock.Millis) (n int64, err error) {
	prefix := prefixOf(w.Tenant, w.Subject, w.Binding)
	names, err := r.strayDrafts(prefix, before)
	if err != nil {
		return 0, err
	}
	for info, err := range r.Store.List(ctx, prefix) {
		if err != nil {
			return n, err
		}
		known, err := r.DB.Write.NewSelect().Table("footage_segment").Where("id = ?", hexID(lastPart(info.Name))).Exists(ctx)
		if err != nil {
			return n, err
		}
		if !known {
			names = append(names, info.Name)
		}
	}
	for _, name := range names {
		if err := r.Store.Delete(name); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func lastPart(name string) string { return name[strings.LastIndexByte(name, '/')+1:] }

// strayDrafts are the drafts under a prefix that nobody is writing and that began before.
func (r *Room) strayDrafts(prefix string, before clock.Millis) ([]string, error) {
	drafts, err := r.Store.Drafts()
	if err != nil {
		return nil, err
	}
	var busy []string
	r.mu.Lock()
	for rec := range r.recordings {
		busy = append(busy, prefixOf(rec.cam.Tenant, rec.cam.Subject, rec.cam.Binding)+"/")
	}
	r.mu.Unlock()
	return slices.DeleteFunc(drafts, func(name string) bool {
		if !strings.HasPrefix(name, prefix+"/") {
			return true
		}
		written := slices.ContainsFunc(busy, func(p string) bool { return strings.HasPrefix(name, p) })
		found, err := r.survey(name)
		if errors.Is(err, blob.ErrNotFound) {
			return true
		}
		if err != nil { // no header yet: of the recording that runs, or of nobody
			return written
		}
		return found.Header.Start >= before
	}), nil
}

// Scan looks for what Erase should have taken away.
func (h holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	if !concerns(w) {
		return nil, nil
	}
	r := h.r
	before := w.Before
	if before == 0 {
		before = 1 << 60
	}
	found := map[string]*bun.SelectQuery{
		"footage_segment": whose(r.DB.Write.NewSelect().Table("footage_segment"), w).Where("start_ms < ?", before),
		"footage_hour":    whose(r.DB.Write.NewSelect().Table("footage_hour"), w).Where("hour < ?", hourOf(before)),
		"footage_camera":  whose(r.DB.Write.NewSelect().Table("footage_camera"), w).Where(cameraEmpty),
		"footage_garbage": r.DB.Write.NewSelect().Table("footage_garbage").Where("tenant_id = ? AND object LIKE ?", w.Tenant, prefixOf(w.Tenant, w.Subject, w.Binding)+"/%"),
	}
	if w.Before == 0 {
		found["footage_camera"] = whose(r.DB.Write.NewSelect().Table("footage_camera"), w)
	}
	var out []rights.Finding
	for _, table := range []string{"footage_segment", "footage_hour", "footage_camera", "footage_garbage"} {
		all, err := r.DB.Write.NewSelect().Table(table).Where("tenant_id = ?", w.Tenant).Count(ctx)
		if err != nil {
			return nil, err
		}
		n, err := found[table].Count(ctx)
		if err != nil {
			return nil, err
		}
		out = append(out, rights.Finding{Where: table, Looked: int64(all), Found: int64(n)})
	}
	objects, err := r.scanObjects(ctx, w, before)
	return append(out, objects), err
}

// scanObjects looks at every draft and at every object under the person's prefix.
func (r *Room) scanObjects(ctx context.Context, w rights.Whose, before clock.Millis) (rights.Finding, error) {
	out := rights.Finding{Where: "blob:footage"}
	prefix := prefixOf(w.Tenant, w.Subject, w.Binding)
	drafts, err := r.Store.Drafts()
	if err != nil {
		return out, err
	}
	look := func(name string) error {
		out.Looked++
		if !strings.HasPrefix(name, prefix+"/") {
			return nil
		}
		f, err := r.survey(name)
		if errors.Is(err, blob.ErrNotFound) {
			return nil
		}
		if err != nil || f.Header.Start < before { // what cannot be read is counted as found
			out.Found++
		}
		return nil
	}
	for _, name := range drafts {
		if err := look(name); err != nil {
			return out, err
		}
	}
	for info, err := range r.Store.List(ctx, prefix) {
		if err != nil {
			return out, err
		}
		if err := look(info.Name); err != nil {
			return out, err
		}
	}
	return out, nil
}
