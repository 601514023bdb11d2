package footage

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/footage/segment"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
)

func isNoRows(err error) bool { return errors.Is(err, sql.ErrNoRows) }

// maxMovie bounds one movie: its head is kept in memory while it is read.
const maxMovie = clock.Millis(6 * hourMillis)

// readable is an opened segment and how to read it.
type readable struct {
	*segment.Segment
	name string
	size int64
	key  *seal.ObjectKey
}

// rows are the segments that touch a range, closed and open, in order.
func (r *Room) rows(ctx context.Context, c Camera, profile media.Profile, from, to clock.Millis) ([]*segmentRow, error) {
	var open []segmentRow
	for _, rec := range r.active(r.of(c, profile)) {
		if t, _ := rec.tape.look(); t != nil {
			open = append(open, t.row)
		}
	}
	r.mu.Lock()
	for _, u := range r.unsettled {
		if u.cam.Camera == c && u.profile == profile {
			open = append(open, u.row)
		}
	}
	r.mu.Unlock()
	rows, err := r.segments(ctx, c, profile, from, to, false)
	if err != nil {
		return nil, err
	}
	for i := range open {
		o := &open[i]
		known := o.Start >= to || o.end() <= from
		for _, row := range rows {
			known = known || row.ID == o.ID
		}
		if !known {
			rows = append(rows, o)
		}
	}
	return rows, nil
}

// openSegment opens one segment. It returns nil without an error when the segment is gone
// meanwhile, or its day's key is.
func (r *Room) openSegment(ctx context.Context, p permit.Permit, c Camera, row *segmentRow) (*readable, error) {
	out := &readable{name: row.object(), size: row.Bytes}
	o, err := r.Store.Open(out.name)
	if errors.Is(err, blob.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open segment: %w", err)
	}
	defer o.Close()
	h, err := segment.ReadHeader(o)
	if err != nil || h.Segment != row.ID || h.Tenant != row.Tenant || h.Subject != row.Subject || h.Binding != row.Binding {
		r.Log.Error("a segment is damaged", "binding", c.Binding.String(), "err", err)
		return nil, nil
	}
	out.key, err = r.Keys.OpenObject(ctx, p, c.place(segmentObject, [16]byte(row.ID)), row.Key, row.Wrapped, objectAAD(row.ID))
	if errors.Is(err, seal.ErrClosed) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if out.Segment, err = segment.Open(o, row.Bytes, h, out.key.AEAD()); err != nil {
		out.key.Zero()
		r.Log.Error("a segment is damaged", "binding", c.Binding.String(), "err", err)
		return nil, nil
	}
	return out, nil
}

// permitted answers a permit that does not fit as if nothing were there.
func (r *Room) permitted(p permit.Permit, c Camera) error {
	place := c.place(segmentObject, [16]byte{})
	if err := p.Opens(c.Tenant, c.Subject, c.Binding, place.Category, r.Clock.Now()); err != nil {
		return problem.NotFound().Because(err)
	}
	return nil
}

// none is the answer to a range without footage.
func none() error { return problem.New(404, "footage.none") }

// keyLookback is how far before a moment a scrub picture may be.
const keyLookback = clock.Millis(2 * 60_000)

// KeyUnit is the newest key picture at or before a moment, no more than two minutes older, or the
// first one after it within its segment.
func (r *Room) KeyUnit(ctx context.Context, p permit.Permit, c Camera, profile media.Profile, at clock.Millis) (*media.Track, *media.Unit, error) {
	if err := r.permitted(p, c); err != nil {
		return nil, nil, err
	}
	g, _ := p.Grant()
	if _, _, within := g.Window(at, at+1); !within {
		return nil, nil, none()
	}
	rows, err := r.rows(ctx, c, profile, max(at-keyLookback, g.From), at+1)
	if err != nil {
		return nil, nil, err
	}
	for i := len(rows) - 1; i >= 0; i-- {
		s, err := r.openSegment(ctx, p, c, rows[i])
		if err != nil {
			return nil, nil, err
		}
		if s == nil {
			continue
		}
		t, u, err := r.keyIn(s, at, g)
		s.key.Zero()
		if err != nil {
			r.Log.Error("a segment is damaged", "binding", c.Binding.String(), "err", err)
			continue
		}
		if u != nil {
			return t, u, nil
		}
	}
	return nil, nil, none()
}

// keyIn reads the key picture of one segment that is shown at a moment and within the window.
func (r *Room) keyIn(s *readable, at clock.Millis, window permit.Grant) (*media.Track, *media.Unit, error) {
	limit := int64(at-s.Start) * ticksPerMilli
	chunk, track, best := -1, 0, segment.Frame{}
	for n, c := range s.Chunks {
		for k, frames := range c.Tracks {
			if !s.Tracks[k].Video() {
				continue
			}
			for _, f := range frames {
				shown := s.Start + clock.Millis(f.PTS()/ticksPerMilli)
				if _, _, within := window.Window(shown, shown+1); !within {
					continue
				}
				if f.Key && (chunk < 0 || f.PTS() <= limit) {
					chunk, track, best = n, k, f
				}
			}
		}
	}
	if chunk < 0 {
		return nil, nil, nil
	}
	o, err := r.Store.Open(s.name)
	if err != nil {
		return nil, nil, err
	}
	defer o.Close()
	var room []byte
	plain, err := s.ReadChunk(o, chunk, &room)
	if err != nil {
		return nil, nil, err
	}
	t := s.Tracks[track]
	return t, &media.Unit{
		Track: t, DTS: s.MediaStart + best.DTS, PTS: s.MediaStart + best.PTS(), Key: true,
		Wall: s.Start + clock.Millis(best.DTS/ticksPerMilli), Data: plain[best.At : best.At+best.Size],
	}, nil
}
