package alarm

import (
	"context"
	"encoding/json"
	"sync"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Report is what is known of an event now.
type Report struct {
	Kind    Kind
	Start   clock.Millis // when it began
	At      clock.Millis // when it was last noticed
	Score   int          // 0 to 100
	Area    Area         // where it is now
	Picture []byte       // JPEG of a moment more telling than any before; nil for none
	Shown   clock.Millis // when that was
}

const (
	// calm is how long the room waits, in ms, before an event that goes on is written and told anew.
	calm = 2000
	// largestPicture bounds a picture.
	largestPicture = 1 << 20
)

// Watch is one camera being looked at. One event is going on at a time.
type Watch struct {
	room  *Room
	cam   Camera
	lease *permit.Lease
	since clock.Millis

	mu      sync.Mutex
	over    bool
	event   *row // the newest of this watch, nil before the first
	open    bool
	details details
	written clock.Millis // when the event was last written
	picture []byte       // the best that is not written yet
	hour    int64        // the hour that count is about
	count   int          // events kept whole in it
}

// Watch begins to take events of a camera, until the lease ends or Close. The lease must be one to
// look at that camera for motion.
func (r *Room) Watch(lease *permit.Lease, c Camera) (*Watch, error) {
	g := lease.Grant()
	if g.Tenant != c.Tenant || g.Subject != c.Subject || g.Binding != c.Binding || g.Purpose != passport.Motion || g.Action != permit.CameraMotion {
		return nil, problem.Forbidden("alarm.lease").Because(permit.ErrOther)
	}
	ctx := lease.Context()
	if err := r.cutOff(ctx, c); err != nil {
		return nil, err
	}
	w := &Watch{room: r, cam: c, lease: lease, since: clock.At(r.Clock.Now())}
	if err := w.recount(ctx); err != nil {
		return nil, err
	}
	r.mu.Lock()
	r.watches[w] = struct{}{}
	r.mu.Unlock()
	return w, nil
}

func hourOf(at clock.Millis) int64 { return int64(at) / 3_600_000 }

// recount finds out how many events of this hour are kept, so that starting anew makes no room for a
// flood. It also begins the day's key now: made at the first event it would tell the moment.
func (w *Watch) recount(ctx context.Context) error {
	now := w.room.Clock.Now()
	if _, err := w.room.Keys.Ensure(ctx, w.cam.scope(clock.DayOf(now))); err != nil {
		return err
	}
	w.hour = hourOf(clock.At(now))
	begin := clock.Millis(w.hour * 3_600_000)
	got, err := w.room.between(ctx, id.Account{}, w.lease.Permit(), w.cam.Binding, begin, clock.At(now)+1)
	for _, e := range got {
		if e.Start >= begin {
			w.count++
		}
	}
	return err
}

// writable reports whether something may be written now. The caller holds mu.
func (w *Watch) writable() bool { return !w.over && w.lease.State() == permit.Open }

// Begin says that an event began. Beyond the limit of an hour it is counted into the one before.
func (w *Watch) Begin(p Report) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.writable() {
		return permit.ErrEnded
	}
	if w.open { // whoever begins again has ended
		if err := w.finish(Over, w.details.End); err != nil {
			return err
		}
	}
	if h := hourOf(p.Start); h != w.hour {
		w.hour, w.count = h, 0
	}
	if w.count >= w.room.Whole && w.event != nil && hourOf(w.details.Start) == w.hour {
		w.details.More++
		w.event.State, w.open = Open, true
		w.take(p)
		return w.write(Changed, p.At)
	}
	w.count++
	w.event = &row{
		Tenant: w.cam.Tenant, ID: id.Random[id.Sighting](), Subject: w.cam.Subject, Binding: w.cam.Binding,
		Day: clock.DayOf(p.Start.Time()), Watch: w.since,
	}
	w.details, w.open, w.picture = details{Kind: p.Kind, Start: p.Start, End: p.Start}, true, nil
	w.take(p)
	return w.write(Opened, p.At)
}

// Update says what is known by now. It is written at once where that is due, else a little later.
func (w *Watch) Update(p Report) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.writable() {
		return permit.ErrEnded
	}
	if !w.open {
		return nil
	}
	w.take(p)
	if p.At-w.written < calm && p.At >= w.written {
		return nil
	}
	return w.write(Changed, p.At)
}

// End says that it was quiet again, and since when.
func (w *Watch) End(at clock.Millis) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.writable() {
		return permit.ErrEnded
	}
	return w.finish(Over, at)
}

// Abandon ends an event of which no more can be told: the scene changed as a whole, say.
func (w *Watch) Abandon() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.writable() {
		return permit.ErrEnded
	}
	return w.finish(CutOff, w.details.End)
}

// Close ends the watch, and an event that is going on with it.
func (w *Watch) Close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.over {
		return
	}
	if w.writable() {
		if err := w.finish(CutOff, w.details.End); err != nil {
			w.room.Log.Warn("the end of an event could not be noted", "err", err)
		}
	}
	w.leave()
}

// leave ends the watch. The caller holds mu.
func (w *Watch) leave() {
	w.over = true
	w.room.mu.Lock()
	defer w.room.mu.Unlock()
	delete(w.room.watches, w)
}

// finish ends the event that is going on, if one is. The caller holds mu.
func (w *Watch) finish(as State, at clock.Millis) error {
	if !w.open {
		return nil
	}
	w.open = false
	w.event.State = as
	w.details.End = max(w.details.End, at)
	return w.write(Closed, w.details.End)
}

// take remembers what a report tells.
func (w *Watch) take(p Report) {
	d := &w.details
	d.End = max(d.End, p.At)
	d.Score = max(d.Score, min(p.Score, 100))
	d.Area = d.Area.with(p.Area)
	if w.room.Recorded != nil && w.room.Recorded(w.cam.Binding) {
		d.Recorded = true
	}
	if len(p.Picture) > 0 && len(p.Picture) <= largestPicture {
		w.picture, d.Shown = p.Picture, p.Shown
	}
}

// write keeps what is known and tells of it. What was written while the lease ended is gone with its
// keys. The caller holds mu.
func (w *Watch) write(tell bus.Type, at clock.Millis) error {
	ctx, r := w.lease.Context(), w.room
	r.writing.RLock()
	defer r.writing.RUnlock()
	next := *w.event
	old := ""
	if w.picture != nil {
		if next.Bytes > 0 {
			old = next.object()
		}
		if err := r.putPicture(ctx, &next, w.picture); err != nil { // the event counts for more than its picture
			r.Log.Warn("an event's picture is not kept", "err", err)
			next, old = *w.event, ""
		}
		w.picture = nil
	}
	plain, err := json.Marshal(w.details)
	if err != nil {
		return err
	}
	if next.Details, err = r.Keys.Seal(ctx, w.cam.scope(next.Day), place(w.cam, detailsPassport, next.ID), plain); err != nil {
		return err
	}
	if err := r.put(ctx, &next); err != nil {
		return err
	}
	*w.event, w.written = next, at
	if old != "" {
		if err := r.Store.Delete(old); err != nil {
			r.Log.Warn("an event's older picture stays", "err", err)
		}
	}
	r.tell(tell, w.cam.Tenant, next.ID)
	return nil
}

// halt waits for a write that is under way; none comes after it.
func (w *Watch) halt() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leave()
}
