package footage

import (
	"context"
	"encoding/json"
	"io"

	"candor/internal/clock"
	"candor/internal/footage/segment"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
)

// Holder is the room as rights sees it.
func (r *Room) Holder() rights.Holder { return holder{r} }

type holder struct{ r *Room }

var _ rights.Holder = holder{}

// Room names the room.
func (h holder) Room() string { return "footage" }

// concerns reports whether a question is about footage at all: it serves recording and nothing else.
func concerns(w rights.Whose) bool { return w.Purpose == "" || w.Purpose == passport.Recording }

// whose narrows a query to the rows asked about.
func whose[Q interface{ Where(string, ...any) Q }](q Q, w rights.Whose) Q {
	q = q.Where("tenant_id = ? AND subject_id = ?", w.Tenant, w.Subject)
	if !w.Binding.IsZero() {
		q = q.Where("binding_id = ?", w.Binding)
	}
	return q
}

// Count tells how much footage there is, camera by camera added up.
func (h holder) Count(ctx context.Context, p permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if !concerns(w) {
		return nil, nil
	}
	if g, ok := p.Grant(); !ok || g.Tenant != w.Tenant || g.Subject != w.Subject { // counting opens nothing
		return nil, permit.ErrOther
	}
	var lines []struct {
		Binding id.Binding   `bun:"binding_id"`
		N       int64        `bun:"n"`
		Bytes   int64        `bun:"total"`
		Oldest  clock.Millis `bun:"oldest"`
	}
	q := whose(h.r.DB.Read.NewSelect().Table("footage_segment"), w).Column("binding_id").
		ColumnExpr("count(*) AS n").ColumnExpr("CAST(sum(bytes) AS bigint) AS total").ColumnExpr("min(start_ms) AS oldest").Group("binding_id")
	if err := q.Scan(ctx, &lines); err != nil {
		return nil, err
	}
	if len(lines) == 0 {
		return nil, nil
	}
	out := rights.Held{
		Room: "footage", Category: passport.Footage, Kind: "segment", Purpose: passport.Recording, Basis: passport.Consent,
	}
	for _, l := range lines {
		out.Count += l.N
		out.Bytes += l.Bytes
		if out.Oldest == 0 || l.Oldest < out.Oldest {
			out.Oldest = l.Oldest
		}
		policy, err := h.r.policy(ctx, Camera{Tenant: w.Tenant, Subject: w.Subject, Binding: l.Binding})
		if err != nil {
			return nil, err
		}
		if policy.Days > 0 {
			if until := l.Oldest + clock.Millis(policy.Days)*24*hourMillis; out.Until == 0 || until < out.Until {
				out.Until = until
			}
		}
	}
	if out.Until == 0 {
		out.Ends = "camera removed"
	}
	return []rights.Held{out}, nil
}

// exported is one line of an export: one segment, and the film it is in (Files).
type exported struct {
	Room    string        `json:"room"`
	Kind    string        `json:"kind"`
	Camera  id.Binding    `json:"camera"`
	Profile media.Profile `json:"profile"`
	Start   string        `json:"start"`
	Millis  int64         `json:"duration_ms"`
	Bytes   int64         `json:"bytes"`
	File    string        `json:"file"`
}

// Export writes a line for each segment; its pictures and sound are in the films.
func (h holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if !concerns(w) {
		return nil
	}
	if err := p.Opens(w.Tenant, w.Subject, w.Binding, passport.Footage, h.r.Clock.Now()); err != nil {
		return err
	}
	enc := json.NewEncoder(to)
	for last := (*segmentRow)(nil); ; {
		var rows []*segmentRow
		q := whose(h.r.DB.Read.NewSelect().Model(&rows), w).Order("id").Limit(batch)
		if last != nil {
			q = q.Where("id > ?", last.ID)
		}
		if err := q.Scan(ctx); err != nil || len(rows) == 0 {
			return err
		}
		for _, row := range rows {
			profile, err := segment.ProfileOf(byte(row.Profile))
			if err != nil {
				return err
			}
			if err := enc.Encode(exported{
				Room: "footage", Kind: "segment", Camera: row.Binding, Profile: profile, Start: row.Start.Time().Format("2006-01-02T15:04:05.000Z"),
				Millis: row.Duration, Bytes: row.Bytes, File: filePath(row.Binding, profile, row.Start),
			}); err != nil {
				return err
			}
		}
		last = rows[len(rows)-1]
	}
}
