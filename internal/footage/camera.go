package footage

import (
	"context"
	"sync"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
)

// The permanent names that seal what the room keeps.
const (
	hourSummary   passport.ID = "footage.hour"
	segmentObject passport.ID = "footage.segment"
)

// camera is what the room remembers of one camera while it runs: the summaries of the hours it is
// working on, each of which it can seal anew without opening what was sealed before.
//
// Lock order: writing, then mu.
type camera struct {
	Camera
	writing sync.Mutex // held from sealing to the end of the transaction that writes it

	mu     sync.Mutex
	hours  map[int64]*hour
	now    Reason // newest note; "" while footage is recorded
	since  clock.Millis
	erased clock.Millis // what began before was erased and must not come back
}

// hour is one row of footage_hour in the making.
type hour struct {
	summary
	id      id.Row
	version int // moves with each change
	written int // the version that is in SQL
}

func (r *Room) camera(c Camera) *camera {
	r.mu.Lock()
	defer r.mu.Unlock()
	have, ok := r.cameras[c.Binding]
	if !ok {
		have = &camera{Camera: c, hours: map[int64]*hour{}}
		r.cameras[c.Binding] = have
	}
	return have
}

// at is the hour of a moment. Older hours that are written are let go.
func (c *camera) at(at clock.Millis) *hour {
	n := hourOf(at)
	h, ok := c.hours[n]
	if !ok {
		h = &hour{id: id.Make[id.Row]()}
		c.hours[n] = h
		for old, o := range c.hours {
			if old < n-1 && o.version == o.written {
				delete(c.hours, old)
			}
		}
	}
	return h
}

// note remembers why nothing is recorded from at on, and reports whether that is news.
func (c *camera) note(at clock.Millis, reason Reason) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now == reason {
		return false
	}
	c.now, c.since = reason, at
	h := c.at(at)
	h.notes = append(h.notes, note{at, reason})
	h.version++
	return true
}

// began says that footage begins: there is no reason any more.
func (c *camera) began(at clock.Millis) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.since = recording, at
}

// recordingSince is when the newest footage began if nothing has ended it, else 0.
func (c *camera) recordingSince() clock.Millis {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.now != recording {
		return 0
	}
	return c.since
}

// add puts a closed segment into its hour.
func (c *camera) add(r run) {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.at(r.from)
	h.add(r)
	h.version++
}

// forget lets go of everything that began before, and of whatever would bring it back.
func (c *camera) forget(before clock.Millis) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.erased = max(c.erased, before)
	for n := range c.hours {
		if clock.Millis(n*hourMillis) < before {
			delete(c.hours, n)
		}
	}
}

func (c *camera) erasedTo() clock.Millis {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.erased
}

// sealedHour is a row of footage_hour ready to be written.
type sealedHour struct {
	hourRow
	of      *hour
	version int
}

// seal seals every hour that has news, in the bucket of its day. The context is that of a lease:
// without one nothing is sealed, since sealing may begin a key.
func (c *camera) seal(ctx context.Context, keys Keys) ([]sealedHour, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var out []sealedHour
	for n, h := range c.hours {
		if h.version == h.written {
			continue
		}
		plain, err := h.marshal(n)
		if err != nil {
			return nil, err
		}
		day := clock.DayOf(clock.Millis(n * hourMillis).Time())
		v, err := keys.Seal(ctx, c.scope(day), c.place(hourSummary, h.id), plain)
		if err != nil {
			return nil, err
		}
		row := hourRow{Tenant: c.Tenant, Binding: c.Binding, Hour: n, ID: h.id, Subject: c.Subject, Summary: v}
		out = append(out, sealedHour{row, h, h.version})
	}
	return out, nil
}

// wrote says that rows are in SQL now.
func (c *camera) wrote(rows []sealedHour) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range rows {
		r.of.written = r.version
	}
}

// memory copies the summaries that are not, or not newly enough, in SQL.
func (c *camera) memory() map[id.Row]summary {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := map[id.Row]summary{}
	for _, h := range c.hours {
		out[h.id] = summary{runs: append([]run(nil), h.runs...), notes: append([]note(nil), h.notes...)}
	}
	return out
}
