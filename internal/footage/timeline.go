package footage

import (
	"context"
	"errors"
	"slices"
	"time"

	"candor/internal/clock"
	"candor/internal/footage/segment"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
)

// Range is a stretch of footage.
type Range struct{ From, To clock.Millis }

// Gap is a stretch without, and why.
type Gap struct {
	From, To clock.Millis
	Reason   Reason
}

// Timeline is what there is between two moments. Ranges and gaps together cover it.
type Timeline struct {
	Ranges []Range
	Gaps   []Gap
	Bytes  int64        // of the ranges, about
	Oldest clock.Millis // of all the camera's footage; 0 if there is none
	Newest clock.Millis
}

// maxTimeline bounds one question: three years.
const maxTimeline = clock.Millis(1100 * 24 * hourMillis)

// Timeline tells what is recorded between from and to. What it calls recorded is on the medium:
// it makes running recordings sync first, and waits for that a moment.
func (r *Room) Timeline(ctx context.Context, p permit.Permit, c Camera, profile media.Profile, from, to clock.Millis) (*Timeline, error) {
	v, err := r.view(ctx, p, c, profile, from, to)
	if err != nil {
		return nil, err
	}
	out := &Timeline{}
	g, _ := p.Grant()
	lo, hi, within := g.Window(from, to)
	if !within {
		out.Gaps = []Gap{{from, to, NotShared}}
		return out, nil
	}
	if lo > from {
		out.Gaps = []Gap{{from, lo, NotShared}}
	}
	defer func(end clock.Millis) {
		if hi < end {
			out.Gaps = append(out.Gaps, Gap{hi, end, NotShared})
		}
	}(to)
	from, to = lo, hi
	at := from
	for _, n := range v.runs {
		lo, hi := max(n.from, from), min(n.to, to)
		if lo >= hi {
			continue
		}
		v.gap(out, at, lo)
		out.Ranges = append(out.Ranges, Range{lo, hi})
		if span := n.to - n.from; span > 0 {
			out.Bytes += n.bytes * int64(hi-lo) / int64(span)
		}
		at = hi
	}
	v.gap(out, at, to)
	return out, r.ends(ctx, g, v, out, c, profile)
}

// view is everything a timeline is made of.
type view struct {
	runs    []run
	notes   []note
	first   clock.Millis // recorded at all since; 0 if never
	expired clock.Millis
	now     clock.Millis
	live    clock.Millis // up to where a recording that runs has acknowledged; 0 if none runs
}

func (r *Room) view(ctx context.Context, p permit.Permit, c Camera, profile media.Profile, from, to clock.Millis) (*view, error) {
	if from >= to || to-from > maxTimeline {
		return nil, problem.Invalid("footage.range")
	}
	if _, err := segment.ProfileCode(profile); err != nil {
		return nil, problem.Invalid("footage.profile").Because(err)
	}
	if err := p.Opens(c.Tenant, c.Subject, c.Binding, c.place(hourSummary, [16]byte{1}).Category, r.Clock.Now()); err != nil {
		return nil, problem.NotFound().Because(err)
	}
	v := &view{now: clock.At(r.Clock.Now())}
	// First what runs, then memory, then SQL: a segment that is settled meanwhile is seen twice,
	// never missed.
	for _, rec := range r.active(r.of(c, profile)) {
		v.live = max(v.live, rec.tape.cam.recordingSince())
		t := rec.acknowledged(ctx)
		if t == nil {
			continue
		}
		v.live = t.row.Start + clock.Millis(t.durable)
		if t.durable > 0 {
			bytes := t.row.Bytes * t.durable / max(t.row.Duration, 1)
			v.runs = append(v.runs, run{profile: profile, from: t.row.Start, to: v.live, bytes: bytes})
		}
	}
	r.mu.Lock()
	for _, u := range r.unsettled {
		if u.cam.Camera.Binding == c.Binding && u.profile == profile {
			v.runs = append(v.runs, run{profile: profile, from: u.row.Start, to: u.row.end(), bytes: u.row.Bytes})
		}
	}
	r.mu.Unlock()
	cam := &cameraRow{}
	err := r.DB.Read.NewSelect().Model(cam).Where("tenant_id = ? AND binding_id = ? AND subject_id = ?", c.Tenant, c.Binding, c.Subject).Scan(ctx)
	if err == nil {
		v.first, v.expired = cam.First, cam.Expired
	} else if !isNoRows(err) {
		return nil, err
	}
	if err := r.summaries(ctx, p, c, profile, from, to, v); err != nil {
		return nil, err
	}
	loose, err := r.segments(ctx, c, profile, from, to, true)
	if err != nil {
		return nil, err
	}
	for _, row := range loose {
		v.runs = append(v.runs, run{profile: profile, from: row.Start, to: row.end(), bytes: row.Bytes})
	}
	for i := range v.runs {
		v.runs[i].from = max(v.runs[i].from, v.expired)
	}
	v.runs = merge(slices.DeleteFunc(v.runs, func(n run) bool { return n.from >= n.to }))
	v.narrow(p)
	slices.SortStableFunc(v.notes, func(a, b note) int { return int(min(max(a.at-b.at, -1), 1)) })
	return v, nil
}

// narrow takes out what the permit's window does not reach.
func (v *view) narrow(p permit.Permit) {
	g, _ := p.Grant()
	inside := v.runs[:0]
	for _, n := range v.runs {
		if from, to, ok := g.Window(n.from, n.to); ok {
			n.bytes = n.bytes * int64(to-from) / int64(n.to-n.from)
			n.from, n.to = from, to
			inside = append(inside, n)
		}
	}
	v.runs = inside
}

// summaries opens the hours of a range, and the newest hour before it for the reason it ended with.
func (r *Room) summaries(ctx context.Context, p permit.Permit, c Camera, profile media.Profile, from, to clock.Millis, v *view) error {
	lo, hi := hourOf(from-longest), hourOf(to-1)
	var rows []hourRow
	mine := r.DB.Read.NewSelect().Model(&rows).
		Where("tenant_id = ? AND binding_id = ? AND subject_id = ?", c.Tenant, c.Binding, c.Subject)
	err := mine.Where("hour <= ?", hi).
		Where("hour >= COALESCE((SELECT max(hour) FROM footage_hour WHERE tenant_id = ? AND binding_id = ? AND hour < ?), ?)", c.Tenant, c.Binding, lo, lo).
		Order("hour").Scan(ctx)
	if err != nil {
		return err
	}
	memory := r.camera(c).memory()
	sealed := make([]seal.Sealed, 0, len(rows))
	hours := make([]int64, 0, len(rows))
	for _, row := range rows {
		if _, newer := memory[row.ID]; !newer {
			sealed = append(sealed, seal.Sealed{Place: c.place(hourSummary, row.ID), Value: row.Summary})
			hours = append(hours, row.Hour)
		}
	}
	plains, err := r.openHours(ctx, p, sealed)
	if err != nil {
		return err
	}
	for i, plain := range plains {
		if plain == nil { // its day's key is gone
			continue
		}
		s, err := parseSummary(plain, hours[i])
		if err != nil {
			r.Log.Error("an hour of a timeline cannot be read", "err", err)
			continue
		}
		v.take(*s, profile)
	}
	for _, s := range memory {
		v.take(s, profile)
	}
	return nil
}

// openHours opens all at once, or each by itself when one of them does not open any more.
func (r *Room) openHours(ctx context.Context, p permit.Permit, sealed []seal.Sealed) ([][]byte, error) {
	plains, err := r.Keys.OpenAll(ctx, p, sealed)
	if !errors.Is(err, seal.ErrClosed) {
		return plains, err
	}
	plains = make([][]byte, len(sealed))
	for i := range sealed {
		one, err := r.Keys.OpenAll(ctx, p, sealed[i:i+1])
		if err != nil && !errors.Is(err, seal.ErrClosed) {
			return nil, err
		}
		if err == nil {
			plains[i] = one[0]
		}
	}
	return plains, nil
}

func (v *view) take(s summary, profile media.Profile) {
	for _, n := range s.runs {
		if n.profile == profile {
			v.runs = append(v.runs, n)
		}
	}
	v.notes = append(v.notes, s.notes...)
}

// gap adds the gap between two moments, in pieces where the reason changed in it.
func (v *view) gap(out *Timeline, from, to clock.Millis) {
	put := func(lo, hi clock.Millis, why Reason) {
		if lo >= hi {
			return
		}
		if n := len(out.Gaps) - 1; n >= 0 && out.Gaps[n].Reason == why && out.Gaps[n].To == lo {
			out.Gaps[n].To = hi
			return
		}
		out.Gaps = append(out.Gaps, Gap{lo, hi, why})
	}
	piece := func(hi clock.Millis, why Reason) { // up to hi
		put(from, min(hi, to), why)
		from = max(from, min(hi, to))
	}
	switch {
	case v.first == 0:
		piece(to, NotYet)
	case v.expired > v.first:
		piece(v.first, NotYet)
		piece(v.expired, Expired)
	default:
		piece(v.first, NotYet)
	}
	if v.live > 0 && from >= v.live-joint { // being written just now
		piece(to, NotYet)
		return
	}
	end := min(to, v.now)
	why := Restart
	for i, n := range v.notes {
		switch {
		case n.at < v.before(from)-joint: // about an earlier gap
		case n.at <= from+joint:
			why = n.reason
		case n.at >= end:
		default:
			if i == 0 || v.notes[i-1].at < from-joint {
				if n.at-from <= explains {
					why = n.reason
				}
			}
			piece(n.at, why)
			why = n.reason
		}
	}
	piece(end, why)
	piece(to, NotYet)
}

// explains is how far back a note tells the reason of a gap that has no other.
const explains = 60_000

// before is where the footage before a moment ends, or 0.
func (v *view) before(at clock.Millis) clock.Millis {
	end := clock.Millis(0)
	for _, n := range v.runs {
		if n.to > at+joint {
			break
		}
		end = n.to
	}
	return end
}

// ends fills in the oldest and the newest footage of the camera that the grant reaches.
func (r *Room) ends(ctx context.Context, g permit.Grant, v *view, out *Timeline, c Camera, profile media.Profile) error {
	code, _ := segment.ProfileCode(profile)
	var ends struct {
		Oldest *int64 `bun:"oldest"`
		Newest *int64 `bun:"newest"`
	}
	where := "tenant_id = ? AND binding_id = ? AND profile = ?"
	err := r.DB.Read.NewRaw("SELECT (SELECT start_ms FROM footage_segment WHERE "+where+" ORDER BY start_ms LIMIT 1) AS oldest, "+
		"(SELECT start_ms + duration_ms FROM footage_segment WHERE "+where+" ORDER BY start_ms DESC LIMIT 1) AS newest",
		c.Tenant, c.Binding, code, c.Tenant, c.Binding, code).Scan(ctx, &ends)
	if err != nil {
		return err
	}
	if ends.Oldest != nil && ends.Newest != nil {
		if from, to, ok := g.Window(clock.Millis(*ends.Oldest), clock.Millis(*ends.Newest)); ok {
			out.Oldest, out.Newest = from, to
		}
	}
	if n := len(v.runs); n > 0 {
		out.Newest = max(out.Newest, v.runs[n-1].to)
		if out.Oldest == 0 || v.runs[0].from < out.Oldest {
			out.Oldest = v.runs[0].from
		}
	}
	return nil
}

// Day is one day's share of footage.
type Day struct {
	Date   time.Time // midnight at its beginning, in the asked-for zone
	Millis int64     // recorded
}

// Days tells on which days there is footage and how much, in a time zone.
func (r *Room) Days(ctx context.Context, p permit.Permit, c Camera, profile media.Profile, from, to clock.Millis, zone *time.Location) ([]Day, error) {
	v, err := r.view(ctx, p, c, profile, from, to)
	if err != nil {
		return nil, err
	}
	var out []Day
	for _, n := range v.runs {
		at, end := max(n.from, from), min(n.to, to)
		for at < end {
			y, m, d := at.Time().In(zone).Date()
			date := time.Date(y, m, d, 0, 0, 0, 0, zone)
			next := min(end, clock.At(time.Date(y, m, d+1, 0, 0, 0, 0, zone)))
			if k := len(out) - 1; k >= 0 && out[k].Date.Equal(date) {
				out[k].Millis += int64(next - at)
			} else {
				out = append(out, Day{date, int64(next - at)})
			}
			at = next
		}
	}
	return out, nil
}
