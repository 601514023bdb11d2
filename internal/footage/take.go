package footage

import (
	"context"
	"errors"
	"fmt"

	"candor/internal/clock"
	"candor/internal/footage/movie"
	"candor/internal/footage/segment"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/rights"
)

var _ rights.Library = holder{}

// filePath is where an hour of a camera's footage lies in a copy of everything.
func filePath(b id.Binding, profile media.Profile, at clock.Millis) string {
	name := at.Time().Format("2006-01-02/15") + "h"
	if profile != media.Main {
		name += "-" + string(profile)
	}
	return b.String() + "/" + name + ".mp4"
}

// Files lists what was recorded as one film for each camera and UTC hour. A film is made of the
// segments that begin in its hour, so it stays the same until one of them goes.
func (h holder) Files(ctx context.Context, p permit.Permit, w rights.Whose) ([]rights.File, error) {
	if !concerns(w) {
		return nil, nil
	}
	if err := p.Opens(w.Tenant, w.Subject, w.Binding, passport.Footage, h.r.Clock.Now()); err != nil {
		return nil, err
	}
	rows, err := whose(h.r.DB.Read.NewSelect().Table("footage_segment"), w).Column("binding_id", "profile", "start_ms").
		Order("binding_id", "profile", "start_ms", "id").Rows(ctx)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []rights.File
	for rows.Next() {
		var b id.Binding
		var code int64
		var start clock.Millis
		if err := rows.Scan(&b, &code, &start); err != nil {
			return nil, err
		}
		profile, err := segment.ProfileOf(byte(code))
		if err != nil {
			return nil, err
		}
		path := filePath(b, profile, start)
		if n := len(out) - 1; n >= 0 && out[n].Path == path {
			out[n].To = start + 1
			continue
		}
		out = append(out, rights.File{Path: path, Binding: b, From: start, To: start + 1, Ref: string(profile)})
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	return out, h.until(ctx, w, out)
}

// until says when each film begins to go.
func (h holder) until(ctx context.Context, w rights.Whose, files []rights.File) error {
	days := map[id.Binding]int{}
	for i, f := range files {
		if _, known := days[f.Binding]; !known {
			p, err := h.r.policy(ctx, Camera{Tenant: w.Tenant, Subject: w.Subject, Binding: f.Binding})
			if err != nil {
				return err
			}
			days[f.Binding] = p.Days
		}
		if d := days[f.Binding]; d > 0 {
			files[i].Until = f.From + clock.Millis(d)*24*hourMillis
		}
	}
	return nil
}

// Open opens the film of exactly those segments that Files counted in.
func (h holder) Open(ctx context.Context, l *permit.Lease, w rights.Whose, f rights.File) (rights.Content, error) {
	p, r := l.Permit(), h.r
	c := Camera{Tenant: w.Tenant, Subject: w.Subject, Binding: f.Binding}
	if err := r.permitted(p, c); err != nil {
		return nil, err
	}
	code, err := segment.ProfileCode(media.Profile(f.Ref))
	if err != nil {
		return nil, problem.Gone("footage.gone").Because(err)
	}
	var rows []*segmentRow
	err = r.DB.Read.NewSelect().Model(&rows).Where("tenant_id = ? AND binding_id = ? AND subject_id = ? AND profile = ?", c.Tenant, c.Binding, c.Subject, code).
		Where("start_ms >= ? AND start_ms < ?", f.From, f.To).Order("start_ms", "id").Scan(ctx)
	if err != nil {
		return nil, err
	}
	m := &Movie{room: r, ctx: ctx, lease: l, part: -1, chunk: -1}
	var segs []*segment.Segment
	for _, row := range rows {
		s, err := r.openSegment(ctx, p, c, row)
		if err != nil || s == nil {
			return nil, errors.Join(gone(err), m.Close())
		}
		m.segs, segs = append(m.segs, s), append(segs, s.Segment)
	}
	if len(rows) == 0 || rows[0].Start != f.From {
		return nil, errors.Join(gone(nil), m.Close())
	}
	if m.layout, err = movie.Make(segs, f.From, rows[len(rows)-1].end()+1); err != nil {
		return nil, errors.Join(gone(err), m.Close())
	}
	m.forgetEntries()
	return m, nil
}

// gone is the answer to a film that is not there any more, or trouble with finding out.
func gone(err error) error {
	if err != nil && !errors.Is(err, movie.ErrEmpty) {
		return fmt.Errorf("open film: %w", err)
	}
	return problem.Gone("footage.gone").Because(err)
}

// forgetEntries lets go of the frame entries: the layout has what it needs of them.
func (m *Movie) forgetEntries() {
	for _, s := range m.segs {
		for i := range s.Chunks {
			s.Chunks[i].Tracks = nil
		}
	}
}
