package footage

import (
	"context"
	"errors"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
)

// closed is a segment that is whole on the medium and has no row yet.
type closed struct {
	cam     *camera
	profile media.Profile
	row     segmentRow
	draft   blob.Draft
}

// close ends the open segment in order. next is the DTS at which the next one begins, or 0;
// reason says why nothing follows, or is "" when something does.
func (t *tape) close(next int64, reason Reason) {
	t.follows = next
	o := t.open
	if o == nil {
		t.note(reason)
		return
	}
	if t.lease.State() != permit.Open { // nothing is written: what was buffered is let go
		t.note(reason)
		t.part(false)
		return
	}
	err := t.room.roomFor()
	if err == nil && (o.w.Size() > 0 || o.w.Buffered() > 0) {
		err = o.w.Close(next)
	}
	if err != nil {
		t.fault(err)
		return
	}
	t.edge = o.header.Start + clock.Millis(o.w.Ticks()/ticksPerMilli)
	t.note(reason)
	t.part(true)
}

// abandon ends the open segment where it is: nothing is written into it any more.
func (t *tape) abandon() {
	if t.open != nil {
		t.part(false)
	}
}

// fault ends the open segment after an error: what was whole stays, what is torn is cut off.
func (t *tape) fault(err error) {
	reason := trouble(err)
	t.room.Metrics.Faults.Add(1)
	t.retry = time.Now().Add(retryAfter)
	t.follows = 0
	if t.edge == 0 {
		t.edge = clock.At(t.room.Clock.Now())
	}
	if t.note(reason) {
		t.room.Log.Error("recording has stopped for now", "binding", t.cam.Binding.String(), "reason", string(reason), "err", err)
	}
	if t.open == nil {
		return
	}
	if err := t.open.draft.Truncate(t.open.w.Size()); err != nil {
		t.room.Log.Warn("a torn chunk stays at the end of a segment", "err", err)
	}
	t.part(false)
}

// note remembers why nothing follows the edge.
func (t *tape) note(reason Reason) bool {
	if reason == recording || t.edge == 0 {
		return false
	}
	return t.cam.note(t.edge, reason)
}

// part lets go of the open segment and settles what there is of it.
func (t *tape) part(whole bool) {
	o := t.open
	t.open = nil
	o.key.Zero()
	have := extent{o.w.Size(), o.w.Ticks()}
	if have.size > 0 && have != o.safe {
		t.room.Metrics.Syncs.Add(1)
		if err := o.draft.Sync(); err != nil {
			// What the medium holds beyond the last good sync is unknown: it is not footage.
			t.room.Log.Error("a segment could not be brought onto the disk", "err", err)
			t.room.Metrics.Faults.Add(1)
			t.retry = time.Now().Add(retryAfter)
			t.cam.note(o.header.Start+clock.Millis(o.safe.ticks/ticksPerMilli), trouble(err))
			have, whole = o.safe, false
		}
	}
	row := o.row(have)
	if have.size == 0 {
		if err := errors.Join(o.draft.Close(), t.room.Store.Delete(row.object())); err != nil {
			t.room.Log.Warn("an empty segment stays behind", "err", err)
		}
		t.publish()
		return
	}
	if whole {
		row.Closed = 1
	}
	t.room.Metrics.Segments.Add(1)
	c := &closed{cam: t.cam, profile: t.profile, row: row, draft: o.draft}
	if err := t.room.commit(context.WithoutCancel(t.room.ctx), c, t.leaseContext()); err != nil {
		t.room.Log.Warn("a segment waits for the database", "err", err)
	}
	t.publish()
}

// commit writes the row of a closed segment and then gives the object its place. With a lease's
// context the hour's summary is sealed and written with it; without one the row stands alone.
// If that fails the segment stays readable from memory, and commit is called again.
func (r *Room) commit(ctx context.Context, c *closed, lease context.Context) error {
	cam := c.cam
	cam.writing.Lock()
	defer cam.writing.Unlock()
	if c.row.Start < cam.erasedTo() {
		r.forgetUnsettled(c)
		return errors.Join(c.draft.Close(), r.Store.Delete(c.row.object()))
	}
	var hours []sealedHour
	if lease != nil {
		cam.add(run{profile: c.profile, from: c.row.Start, to: c.row.end(), bytes: c.row.Bytes})
		var err error
		if hours, err = cam.seal(lease, r.Keys); err != nil {
			hours = nil // the summary stays news; until it is written the row stands alone
			r.Log.Warn("an hour could not be summed up", "err", err)
		}
	}
	c.row.Summed = 0
	if hours != nil {
		c.row.Summed = 1
	}
	r.mu.Lock()
	r.unsettled[c.row.ID] = c
	r.mu.Unlock()
	err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return insertSegment(ctx, tx, &c.row, hours) })
	if err != nil {
		return err
	}
	cam.wrote(hours)
	err = c.draft.Commit()
	r.forgetUnsettled(c)
	return err
}

func (r *Room) forgetUnsettled(c *closed) {
	r.mu.Lock()
	delete(r.unsettled, c.row.ID)
	r.mu.Unlock()
}

// Note records why nothing is recorded of a camera from now on. It is kept on the medium while a
// lease to record the camera is open, and otherwise only until the program ends: why a camera
// does not record is no business of a room whose owner did not agree to recording.
func (r *Room) Note(ctx context.Context, c Camera, reason Reason) error {
	cam := r.camera(c)
	if !cam.note(clock.At(r.Clock.Now()), reason) {
		return nil
	}
	for _, rec := range r.active(func(rec *Recording) bool { return rec.cam == c }) {
		if lease := rec.tape.leaseContext(); lease != nil {
			return r.writeHours(ctx, cam, lease)
		}
	}
	return nil
}

// writeHours seals and writes the news of a camera.
func (r *Room) writeHours(ctx context.Context, cam *camera, lease context.Context) error {
	cam.writing.Lock()
	defer cam.writing.Unlock()
	hours, err := cam.seal(lease, r.Keys)
	if err != nil || len(hours) == 0 {
		return err
	}
	if err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error { return putHours(ctx, tx, hours) }); err != nil {
		return problem.Unavailable("footage.database").Because(err)
	}
	cam.wrote(hours)
	return nil
}
