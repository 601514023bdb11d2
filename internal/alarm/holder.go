package alarm

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/rights"
)

// Holder is the room as rights sees it. Events serve motion and nothing else; what an owner set for a
// camera stays when motion is withdrawn, as other settings of the camera do, and goes with the camera.
func (r *Room) Holder() rights.Holder { return holder{r} }

type holder struct{ r *Room }

var _ rights.Holder = holder{}

// Room names the room.
func (holder) Room() string { return "alarm" }

func aboutEvents(w rights.Whose) bool   { return w.Purpose == "" || w.Purpose == passport.Motion }
func aboutSettings(w rights.Whose) bool { return w.Purpose == "" }
func aboutSeen(w rights.Whose) bool     { return w.Purpose == "" && w.Binding.IsZero() } // of the person's own eyes

// whose narrows a query to the rows asked about.
func whose[Q interface{ Where(string, ...any) Q }](q Q, w rights.Whose) Q {
	q = q.Where("tenant_id = ? AND subject_id = ?", w.Tenant, w.Subject)
	if !w.Binding.IsZero() {
		q = q.Where("binding_id = ?", w.Binding)
	}
	return q
}

func sawThem[Q interface{ Where(string, ...any) Q }](q Q, w rights.Whose) Q {
	return q.Where("tenant_id = ? AND account_id = ?", w.Tenant, id.Account(w.Subject))
}

// Count tells how many events there are, what was set and what was seen.
func (h holder) Count(ctx context.Context, p permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if g, ok := p.Grant(); !ok || g.Tenant != w.Tenant || g.Subject != w.Subject { // counting opens nothing
		return nil, permit.ErrOther
	}
	var out []rights.Held
	if aboutEvents(w) {
		held, err := h.countEvents(ctx, w)
		if err != nil {
			return nil, err
		}
		out = append(out, held...)
	}
	read := h.r.DB.Read
	if aboutSettings(w) {
		held := rights.Held{Room: h.Room(), Category: passport.DeviceData, Kind: "motion_setting", Ends: "camera removed", Purpose: passport.Live, Basis: passport.Contract}
		err := whose(read.NewSelect().Table("alarm_camera"), w).ColumnExpr("count(*), coalesce(sum(length(details)), 0)").Scan(ctx, &held.Count, &held.Bytes)
		if err != nil {
			return nil, err
		}
		out = append(out, held)
	}
	if aboutSeen(w) {
		held := rights.Held{Room: h.Room(), Category: passport.Technical, Kind: "event_seen", Ends: "account closed", Purpose: passport.Motion, Basis: passport.Consent}
		err := sawThem(read.NewSelect().Table("alarm_seen"), w).ColumnExpr("count(*)").Scan(ctx, &held.Count)
		if err != nil {
			return nil, err
		}
		out = append(out, held)
	}
	kept := out[:0]
	for _, held := range out {
		if held.Count > 0 {
			kept = append(kept, held)
		}
	}
	return kept, nil
}

const dayMillis = 24 * 3_600_000

func (h holder) countEvents(ctx context.Context, w rights.Whose) ([]rights.Held, error) {
	var lines []struct {
		Binding id.Binding `bun:"binding_id"`
		N       int64      `bun:"n"`
		Bytes   int64      `bun:"total"`
		Oldest  clock.Day  `bun:"oldest"`
	}
	q := whose(h.r.DB.Read.NewSelect().Table("alarm_event"), w).Column("binding_id").ColumnExpr("count(*) AS n").
		ColumnExpr("CAST(sum(bytes + length(details)) AS bigint) AS total").ColumnExpr("min(day) AS oldest").Group("binding_id")
	if err := q.Scan(ctx, &lines); err != nil || len(lines) == 0 {
		return nil, err
	}
	out := rights.Held{Room: h.Room(), Category: passport.Event, Kind: "event", Purpose: passport.Motion, Basis: passport.Consent}
	for _, l := range lines {
		out.Count += l.N
		out.Bytes += l.Bytes
		oldest := clock.At(l.Oldest.Start())
		if out.Oldest == 0 || oldest < out.Oldest {
			out.Oldest = oldest
		}
		days, err := h.r.days(ctx, Camera{Tenant: w.Tenant, Subject: w.Subject, Binding: l.Binding})
		if err != nil {
			return nil, err
		}
		if days > 0 {
			if until := oldest + clock.Millis(days+1)*dayMillis; out.Until == 0 || until < out.Until {
				out.Until = until
			}
		}
	}
	if out.Until == 0 {
		out.Ends = "camera removed"
	}
	return []rights.Held{out}, nil
}

// exported is one line of an export.
type exported struct {
	Room        string      `json:"room"`
	Kind        string      `json:"kind"`
	Camera      *id.Binding `json:"camera,omitempty"`
	Event       id.Sighting `json:"event,omitzero"`
	What        Kind        `json:"what,omitempty"`
	Start       string      `json:"start,omitempty"`
	End         string      `json:"end,omitempty"`
	Score       int         `json:"score,omitempty"`
	Area        Area        `json:"area,omitzero"`
	More        int         `json:"more,omitempty"`
	MediaType   string      `json:"media_type,omitempty"`
	Picture     string      `json:"picture,omitempty"` // base64
	On          *bool       `json:"on,omitempty"`
	Sensitivity int         `json:"sensitivity,omitempty"`
	LeftOut     string      `json:"left_out,omitempty"`
	Day         string      `json:"day,omitempty"`
}

// batch bounds what is read at once.
const batch = 500

// Export writes a line for each event with its picture, each setting and each event seen.
func (h holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	enc := json.NewEncoder(to)
	if aboutEvents(w) {
		if err := h.exportEvents(ctx, p, w, enc); err != nil {
			return err
		}
	}
	if aboutSettings(w) {
		var rows []*cameraRow
		if err := whose(h.r.DB.Read.NewSelect().Model(&rows), w).Order("binding_id").Scan(ctx); err != nil {
			return err
		}
		for _, row := range rows {
			s, err := h.r.setting(ctx, p, row)
			if err != nil {
				return err
			}
			line := exported{Room: h.Room(), Kind: "motion_setting", Camera: &row.Binding, On: &s.On, Sensitivity: s.Sensitivity, LeftOut: s.Out.String()}
			if err := enc.Encode(line); err != nil {
				return err
			}
		}
	}
	if aboutSeen(w) {
		return h.exportSeen(ctx, w, enc)
	}
	return nil
}

func (h holder) exportEvents(ctx context.Context, p permit.Permit, w rights.Whose, enc *json.Encoder) error {
	if err := p.Opens(w.Tenant, w.Subject, w.Binding, passport.Event, h.r.Clock.Now()); err != nil {
		return err
	}
	for last := (*row)(nil); ; {
		var rows []*row
		q := whose(h.r.DB.Read.NewSelect().Model(&rows), w).Order("id").Limit(batch)
		if last != nil {
			q = q.Where("id > ?", last.ID)
		}
		if err := q.Scan(ctx); err != nil || len(rows) == 0 {
			return err
		}
		byID := map[id.Sighting]*row{}
		for _, row := range rows {
			byID[row.ID] = row
		}
		events, err := h.r.open(ctx, p, rows)
		if err != nil {
			return err
		}
		for _, e := range events {
			if err := h.exportEvent(ctx, p, byID[e.ID], e, enc); err != nil {
				return err
			}
		}
		last = rows[len(rows)-1]
	}
}

const written = "2006-01-02T15:04:05.000Z"

func (h holder) exportEvent(ctx context.Context, p permit.Permit, w *row, e Event, enc *json.Encoder) error {
	line := exported{
		Room: h.Room(), Kind: "event", Camera: &e.Binding, Event: e.ID, What: e.Kind, Start: e.Start.Time().Format(written), End: e.End.Time().Format(written),
		Score: e.Score, Area: e.Area, More: e.More,
	}
	jpeg, err := h.r.picture(ctx, p, w)
	switch why, ok := problem.Of(err); {
	case err == nil:
		line.MediaType, line.Picture = "image/jpeg", base64.StdEncoding.EncodeToString(jpeg)
	case !ok || why.Status != 404:
		return err
	}
	return enc.Encode(line)
}

func (h holder) exportSeen(ctx context.Context, w rights.Whose, enc *json.Encoder) error {
	for last := (*seenRow)(nil); ; {
		var rows []*seenRow
		q := sawThem(h.r.DB.Read.NewSelect().Model(&rows), w).Order("event_id").Limit(batch)
		if last != nil {
			q = q.Where("event_id > ?", last.Event)
		}
		if err := q.Scan(ctx); err != nil || len(rows) == 0 {
			return err
		}
		for _, s := range rows {
			if err := enc.Encode(exported{Room: h.Room(), Kind: "event_seen", Camera: &s.Binding, Event: s.Event, Day: s.Day.String()}); err != nil {
				return err
			}
		}
		last = rows[len(rows)-1]
	}
}

// covers reports whether a question is about that camera.
func covers(w rights.Whose, c Camera) bool {
	return w.Tenant == c.Tenant && w.Subject == c.Subject && (w.Binding.IsZero() || w.Binding == c.Binding)
}

// counted adds what a deletion took.
func counted(ctx context.Context, q *bun.DeleteQuery, to *rights.Swept) error {
	res, err := q.Exec(ctx)
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	to.Rows += n
	return err
}
