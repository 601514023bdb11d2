package footage

import (
	"context"
	"errors"
	"hash/fnv"
	"sync"
	"sync/atomic"
	"time"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/footage/segment"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/seal"
)

const (
	ticksPerMilli = media.TickRate / 1000
	// maxOpenTicks bounds a segment whose camera sends no key picture; maxOpenBytes its size.
	maxOpenTicks = 300 * media.TickRate
	maxOpenBytes = 1 << 30
	// jump is how long a camera may be silent within a segment.
	jump = 5 * media.TickRate
	// drift is how far wall time and media time may part before a new segment begins.
	drift = 1000
	// syncEvery keeps a power cut from costing more than 10 s, one chunk included.
	syncEvery = 9 * time.Second
	// eagerSync is how often somebody looking at the timeline may make a recording sync.
	eagerSync = 1500 * time.Millisecond
	// retryAfter is how long a recording waits after an error of the disk.
	retryAfter = time.Second
)

// tape turns units into segments. One goroutine works it; only its tail is for everybody.
type tape struct {
	room    *Room
	cam     *camera
	profile media.Profile
	lease   *permit.Lease
	desc    func() *media.Description

	open    *open
	first   bool         // the next segment is the first: its length sets the stagger
	lastDTS int64        // newest on the leading track
	lastKey int64        // DTS of the newest key picture
	edge    clock.Millis // wall time at which footage ends so far
	follows int64        // DTS at which the closed segment ended, if the next may follow it
	retry   time.Time

	wantSync atomic.Bool
	mu       sync.Mutex
	tail     *tail         // the open segment as others may see it
	synced   chan struct{} // closed at each change of tail
}

// open is the segment being written.
type open struct {
	id       id.Segment
	header   segment.Header
	w        *segment.Writer
	draft    blob.Draft
	key      *seal.ObjectKey
	startDTS int64
	limit    int64
	syncedAt time.Time
	safe     extent // on the medium
}

// extent is how much of a segment there is.
type extent struct{ size, ticks int64 }

// tail is what is readable of an open segment.
type tail struct {
	row     segmentRow // bytes and duration: whole chunks
	durable int64      // milliseconds that are on the medium
}

func newTape(r *Room, c Camera, p media.Profile, lease *permit.Lease, desc func() *media.Description) *tape {
	return &tape{room: r, cam: r.camera(c), profile: p, lease: lease, desc: desc, first: true, synced: make(chan struct{})}
}

// take records one unit, or does what must be done first.
func (t *tape) take(u *media.Unit) {
	switch t.lease.State() {
	case permit.Ended:
		return
	case permit.Paused:
		t.close(0, Waiting)
		return
	}
	if o := t.open; o != nil {
		t.turn(u, o.w.Body().Tracks[0])
	}
	if t.open == nil && !t.begin(u) {
		return
	}
	i := t.open.w.Track(u.Track)
	if i < 0 || (i > 0 && abs(u.DTS-t.lastDTS) > 2*jump) {
		return // sound of other parameters than the segment's, or of another time
	}
	if t.open.w.Due(u) && !t.flush() {
		return
	}
	if err := t.open.w.Add(i, u); err != nil {
		t.close(0, NoKeyPicture)
		return
	}
	if i == 0 {
		t.lastDTS = u.DTS
		if u.Key {
			t.lastKey = u.DTS
		}
	}
	t.room.Metrics.Units.Add(1)
	if t.wantSync.Load() {
		t.eager()
	}
}

// turn ends the open segment if u does not belong into it any more.
func (t *tape) turn(u *media.Unit, lead *media.Track) {
	if u.Track.Video() != lead.Video() {
		return
	}
	o := t.open
	step, age := u.DTS-t.lastDTS, u.DTS-o.startDTS
	silent := step <= 0 || step > jump
	next := int64(0)
	if u.Key && !silent {
		next = u.DTS
	}
	skew := int64(u.Wall-o.header.Start) - age/ticksPerMilli
	switch {
	case silent:
		t.close(0, Offline)
	case u.Track != lead && !u.Key:
		t.close(0, NoKeyPicture)
	case u.Track != lead, u.Key && (abs(skew) > drift || age+u.DTS-t.lastKey > o.limit || dayOf(u.Wall) != dayOf(o.header.Start)):
		t.close(next, recording)
	case age > maxOpenTicks || o.w.Size() > maxOpenBytes:
		t.close(0, NoKeyPicture)
	}
}

func dayOf(m clock.Millis) clock.Day { return clock.DayOf(m.Time()) }

func abs(v int64) int64 { return max(v, -v) }

// begin opens a segment with u as its first unit. It reports false if that cannot be.
func (t *tape) begin(u *media.Unit) bool {
	desc := t.desc()
	if !u.Key || (!u.Track.Video() && desc.Video() != nil) || time.Now().Before(t.retry) {
		return false
	}
	tracks := []*media.Track{u.Track}
	if audio := desc.Audio(); audio != nil && audio != u.Track && (desc.Video() == u.Track) {
		tracks = append(tracks, audio)
	}
	if err := t.start(u, tracks); err != nil {
		if errors.Is(err, seal.ErrGone) || t.lease.State() == permit.Ended {
			return false // the goodbye is on its way here
		}
		t.fault(err)
		return false
	}
	t.cam.began(u.Wall)
	t.first = false
	t.lastDTS, t.lastKey = u.DTS-1, u.DTS
	return true
}

func (t *tape) start(u *media.Unit, tracks []*media.Track) (err error) {
	if err := t.room.roomFor(); err != nil {
		return err
	}
	c := t.cam.Camera
	o := &open{id: id.Make[id.Segment](), startDTS: u.DTS, limit: segment.MaxTicks, syncedAt: time.Now()}
	if t.first {
		o.limit = stagger(c.Binding, t.profile)
	}
	h := segment.Header{
		Segment: o.id, Tenant: c.Tenant, Subject: c.Subject, Binding: c.Binding, Device: c.Device,
		Profile: t.profile, Start: u.Wall, Salt: segment.NewSalt(),
	}
	if o.key, h.Wrapped, h.Key, err = t.room.Keys.NewObject(t.lease.Context(), c.scope(dayOf(u.Wall)), objectAAD(o.id)); err != nil {
		return err
	}
	name := objectName(c.Tenant, c.Subject, c.Binding, u.Wall, o.id)
	if o.draft, err = t.room.Store.Create(name); err != nil {
		o.key.Zero()
		return err
	}
	o.header = h
	body := segment.Body{MediaStart: u.DTS, Follows: t.follows == u.DTS && u.DTS != 0, Tracks: tracks}
	if o.w, err = segment.NewWriter(counted{o.draft, &t.room.Metrics}, h, body, o.key.AEAD()); err != nil {
		o.key.Zero()
		return errors.Join(err, o.draft.Close(), t.room.Store.Delete(name))
	}
	t.open = o
	return nil
}

// objectAAD names a segment in the wrapping of its key.
func objectAAD(s id.Segment) []byte { return append([]byte("candor.segment.1:"), s[:]...) }

// stagger spreads the rotations of many streams over the minute: the first segment of each
// recording is 20 to 60 s long, by its stream.
func stagger(b id.Binding, p media.Profile) int64 {
	h := fnv.New32a()
	_, _ = h.Write(b[:])
	_, _ = h.Write([]byte(p))
	return (20 + int64(h.Sum32()%41)) * media.TickRate
}

// counted counts the writes of a draft.
type counted struct {
	blob.Draft
	m *Metrics
}

func (c counted) Write(b []byte) (int, error) {
	n, err := c.Draft.Write(b)
	c.m.Writes.Add(1)
	c.m.Bytes.Add(int64(n))
	return n, err
}

// roomFor refuses to write when the disk is full up to the reserve.
func (r *Room) roomFor() error {
	free, err := r.free()
	if err == nil && free < r.Reserve {
		return errReserve
	}
	return err
}

// flush writes the open chunk. It reports false when the segment is over.
func (t *tape) flush() bool {
	o := t.open
	if t.lease.State() != permit.Open {
		return false
	}
	err := t.room.roomFor()
	if err == nil {
		err = o.w.Flush()
	}
	if err != nil {
		t.fault(err)
		return false
	}
	t.edge = o.header.Start + clock.Millis(o.w.Ticks()/ticksPerMilli)
	t.publish()
	if time.Since(o.syncedAt) >= syncEvery {
		return t.sync()
	}
	return true
}

// eager syncs for somebody who looks at the timeline.
func (t *tape) eager() {
	o := t.open
	if o == nil || o.w.Size() == o.safe.size || (o.safe.size > 0 && time.Since(o.syncedAt) < eagerSync) {
		return
	}
	t.wantSync.Store(false)
	t.sync()
}

// sync brings the written chunks onto the medium and acknowledges them.
func (t *tape) sync() bool {
	o := t.open
	if o.w.Size() == o.safe.size {
		return true
	}
	t.room.Metrics.Syncs.Add(1)
	if err := o.draft.Sync(); err != nil {
		t.fault(err)
		return false
	}
	o.safe, o.syncedAt = extent{o.w.Size(), o.w.Ticks()}, time.Now()
	t.publish()
	return true
}

// publish shows the open segment to readers.
func (t *tape) publish() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tail = nil
	if o := t.open; o != nil && o.w.Size() > 0 {
		t.tail = &tail{row: o.row(extent{o.w.Size(), o.w.Ticks()}), durable: o.safe.ticks / ticksPerMilli}
	}
	close(t.synced)
	t.synced = make(chan struct{})
}

// look is the tail now, and a channel that closes when there is another.
func (t *tape) look() (*tail, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tail, t.synced
}

// tick is called about once a second, also when the camera sends nothing.
func (t *tape) tick(silence time.Duration) {
	if t.open == nil {
		return
	}
	if t.wantSync.Load() {
		t.eager()
	}
	switch {
	case t.open == nil:
	case silence > time.Duration(jump/media.TickRate)*time.Second:
		t.close(0, Offline)
	case silence > time.Second:
		t.flush()
	case time.Since(t.open.syncedAt) >= syncEvery && t.open.w.Size() > t.open.safe.size:
		t.sync()
	}
}

// row is the segment's row if it ended here.
func (o *open) row(e extent) segmentRow {
	h := &o.header
	code, _ := segment.ProfileCode(h.Profile)
	return segmentRow{
		Tenant: h.Tenant, Binding: h.Binding, Subject: h.Subject, ID: h.Segment, Profile: int64(code), Start: h.Start,
		Duration: e.ticks / ticksPerMilli, Bytes: e.size, Key: h.Key, Wrapped: h.Wrapped,
	}
}

// leaseContext is the lease's context while the lease is open, and nil afterwards.
func (t *tape) leaseContext() context.Context {
	if t.lease.State() == permit.Ended {
		return nil
	}
	return t.lease.Context()
}
