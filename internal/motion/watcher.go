package motion

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"candor/internal/clock"
	"candor/internal/decode"
	"candor/internal/media"
	"candor/internal/permit"
)

// Decoder makes small grey pictures; decode.Pool is one.
type Decoder interface {
	Grey(ctx context.Context, q decode.Sequence, units ...*media.Unit) ([]byte, error)
	NewSequence() uint32
}

// Moment is what was seen at one time of an event.
type Moment struct {
	At    clock.Millis // the camera's wall time
	Share float64      // part of the looked-at picture that moves, 0 to 1
	Zones uint32       // bit n: it moves in zone n of the settings
	Box   Box          // around all that moves
	// Units show it: a key unit and, if the picture is no key picture, those up to it. They are
	// there at Begin only, and nil if they were no longer at hand.
	Units []*media.Unit
}

// Why says why an event ended.
type Why string

// The reasons.
const (
	Calm    Why = "calm"    // the scene equalled the background
	Scene   Why = "scene"   // the scene changed as a whole: what goes on cannot be told
	Silence Why = "silence" // the camera sends no pictures
	Over    Why = "over"    // the lease ended, or the watcher was stopped
)

// Sink hears of the events of one camera, in order, from one goroutine: Begin, any number of
// Update, End, and so on. It should not take long; a sink that does costs pictures, not memory.
type Sink interface {
	Begin(Moment)
	Update(Moment)
	End(at clock.Millis, why Why)
}

// Stats count what a watcher did.
type Stats struct {
	Looked  uint64 // pictures that were looked at
	Skipped uint64 // pictures that were due but not looked at, for want of time
	Failed  uint64 // pictures that could not be decoded
	Keys    bool   // it looks at key pictures alone
}

// Times of watching.
const (
	every       = time.Second             // a picture is due
	soon        = 40 * time.Millisecond   // and so much before is near enough
	shortGOP    = 2100 * time.Millisecond // key pictures at most so far apart will do
	silence     = 10 * time.Second        // without a unit for so long, an event is over
	chooseAgain = 10 * time.Second        // a smaller stream may have come
	behind      = 4 * time.Second         // a watcher so late goes on with the newest
	restLeast   = 2 * time.Second         // after a picture that failed; it doubles
	restMost    = time.Minute
	maxPend     = 8 << 20 // bytes that wait to be decoded
)

// Watcher watches one camera. Fill the exported fields, then Run.
type Watcher struct {
	Decoder Decoder
	Sink    Sink
	// Streams are the camera's streams as they are now. The smallest one that runs is watched.
	Streams func() []*media.Stream
	Log     *slog.Logger // may be nil

	mu       sync.Mutex
	settings Settings
	changed  bool
	patience time.Duration // instead of silence, in tests

	at                      atomic.Int64 // decoding time of the last unit that was dealt with
	looked, skipped, failed atomic.Uint64
	keys                    atomic.Bool
}

// Set changes the settings, also while it runs.
func (w *Watcher) Set(s Settings) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.settings, w.changed = s, true
}

// Stats are the counts so far.
func (w *Watcher) Stats() Stats {
	return Stats{w.looked.Load(), w.skipped.Load(), w.failed.Load(), w.keys.Load()}
}

// Run watches until the lease ends. A paused lease pauses it.
func (w *Watcher) Run(lease *permit.Lease) {
	if w.Log == nil {
		w.Log = slog.New(slog.DiscardHandler)
	}
	if w.patience == 0 {
		w.patience = silence
	}
	w.mu.Lock()
	r := &run{w: w, lease: lease, detector: NewDetector(w.settings), sequence: w.Decoder.NewSequence()}
	w.changed = false
	w.mu.Unlock()
	ctx := lease.Context()
	for ctx.Err() == nil {
		s := choose(w.Streams())
		if s == nil {
			r.wait(ctx)
			continue
		}
		r.watch(ctx, s)
	}
	r.end(Over)
}

// choose is the smallest picture that runs; without any that runs, there is nothing to watch.
func choose(streams []*media.Stream) *media.Stream {
	var best *media.Stream
	least := 0
	for _, s := range streams {
		v := s.Description().Video()
		if v == nil || !s.Running() {
			continue
		}
		if n := v.Width * v.Height; best == nil || n < least {
			best, least = s, n
		}
	}
	return best
}

// run is one run of a watcher, of one goroutine.
type run struct {
	w        *Watcher
	lease    *permit.Lease
	detector *Detector
	open     bool         // an event is
	last     clock.Millis // wall time of the last sighting
	line     timeLine

	viewer    *media.Viewer
	gop       gop
	sequence  uint32
	going     bool          // the decoder knows the sequence up to the first of pending
	pending   []*media.Unit // not decoded yet; empty while a key unit is waited for
	bytes     int           // of pending
	due       time.Duration // the next picture is
	keysOnly  bool          // the decoder knows nothing else
	rest      time.Duration
	restUntil time.Duration
	dropped   uint64
}

// wait passes the time while nothing runs.
func (r *run) wait(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(every / 2):
	}
	if r.open && r.line.since() > r.w.patience {
		r.end(Silence)
	}
}

// watch looks at one stream until it is silent or ended, or the lease has.
func (r *run) watch(ctx context.Context, s *media.Stream) {
	r.viewer = s.Join(media.JoinOptions{Backlog: true})
	defer r.viewer.Close()
	r.gop, r.dropped, r.due, r.restUntil = gop{}, 0, 0, 0
	r.forget()
	until := time.Duration(-1)
	for _, u := range r.viewer.Backlog() {
		r.take(u)
	}
	for {
		next, cancel := context.WithTimeout(ctx, r.w.patience)
		u, err := r.viewer.Next(next)
		cancel()
		if err != nil {
			if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
				r.end(Silence)
			}
			return
		}
		if d := r.viewer.Dropped(); d != r.dropped { // there is a gap before u
			r.dropped = d
			r.w.skipped.Add(1)
			r.forget()
		}
		r.take(u)
		at := ticks(u.PTS)
		if u.Track.Video() && len(r.pending) > 0 && at >= r.due-soon && r.ready(u) {
			r.look(ctx, u, at)
		}
		if until < 0 {
			until = at + chooseAgain
		}
		if at > until {
			if choose(r.w.Streams()) != s {
				return
			}
			until = at + chooseAgain
		}
		r.w.at.Store(u.DTS)
	}
}

// forget lets go of what is not decoded: the next picture to be decoded is a key picture.
func (r *run) forget() { r.pending, r.bytes, r.going = nil, 0, false }

// take adds a unit to those that wait. A key picture stands alone: those before it are not needed,
// unless the decoder follows the sequence, which does no harm.
func (r *run) take(u *media.Unit) {
	if !u.Track.Video() {
		return
	}
	r.gop.see(u)
	switch {
	case u.Key:
		if !r.going || r.byKeys() || len(r.pending) > 0 && r.pending[0].Track != u.Track || r.gop.changed {
			r.forget()
		}
	case len(r.pending) == 0 && !r.going:
		return
	}
	if r.bytes += len(u.Data); r.bytes > maxPend {
		r.w.skipped.Add(1)
		r.forget()
		return
	}
	r.pending = append(r.pending, u)
}

// byKeys reports whether key pictures alone are looked at.
func (r *run) byKeys() bool { return r.keysOnly || r.gop.short() }

// ready reports whether a picture that is due should be looked at.
func (r *run) ready(u *media.Unit) bool {
	switch at := ticks(u.PTS); {
	case r.lease.State() != permit.Open:
		r.forget()
		return false
	case at < r.restUntil:
		return false
	case r.byKeys() && !u.Key:
		return false
	}
	if _, gop := r.viewer.Stream().Last(); len(gop) > 0 && ticks(gop[len(gop)-1].DTS-u.DTS) > behind {
		r.w.skipped.Add(1)
		if !u.Key {
			r.forget() // what is lost by waiting for the next key picture is less than what would queue up
		}
		return false
	}
	return true
}

// look decodes what waits, up to u, and looks at it.
func (r *run) look(ctx context.Context, u *media.Unit, at time.Duration) {
	q := decode.Sequence{}
	units := r.pending
	if r.byKeys() {
		units = units[len(units)-1:]
	} else {
		q = decode.Sequence{ID: r.sequence, Begins: !r.going}
	}
	r.w.keys.Store(q.ID == 0)
	luma, err := r.w.Decoder.Grey(ctx, q, units...)
	if err != nil && r.going && !r.byKeys() && ctx.Err() == nil {
		// The child was replaced or lost. What it knew is made up for from the last key picture.
		if again := r.shows(u); again != nil {
			q.Begins = true
			luma, err = r.w.Decoder.Grey(ctx, q, again...)
		}
	}
	if q.ID != 0 {
		r.pending, r.bytes, r.going = nil, 0, true
	}
	switch {
	case ctx.Err() != nil:
		return
	case errors.Is(err, decode.ErrKeysOnly):
		r.keysOnly = true
		r.forget()
		return
	case err != nil:
		r.w.failed.Add(1)
		r.w.Log.LogAttrs(ctx, slog.LevelDebug, "a picture could not be looked at", slog.Any("err", err))
		r.forget()
		r.rest = min(max(2*r.rest, restLeast), restMost)
		r.restUntil = at + r.rest
		return
	}
	r.rest = 0
	if r.due += every; at > r.due || r.due > at+every {
		r.due = at + every
	}
	r.w.looked.Add(1)
	r.see(u, luma)
}

// see has the detector look, and tells the sink.
func (r *run) see(u *media.Unit, luma []byte) {
	r.w.mu.Lock()
	if r.w.changed {
		r.detector.Set(r.w.settings)
		r.w.changed = false
	}
	r.w.mu.Unlock()
	at := r.line.at(u)
	for _, c := range r.detector.Look(Picture{At: at, Luma: luma}) {
		if r.lease.State() == permit.Ended {
			return
		}
		m := Moment{At: u.Wall - clock.Millis((at - c.At).Milliseconds()), Share: c.Share, Zones: c.Zones, Box: c.Box}
		switch c.Kind {
		case Began:
			r.open, r.last = true, u.Wall
			m.Units = r.shows(u)
			r.w.Sink.Begin(m)
		case Goes:
			r.last = u.Wall
			r.w.Sink.Update(m)
		case Ended:
			r.open = false
			r.w.Sink.End(m.At, Calm)
		case Dropped:
			r.end(Scene)
		}
	}
}

// shows are the units that a picture of u can be made of.
func (r *run) shows(u *media.Unit) []*media.Unit {
	if u.Key {
		return []*media.Unit{u}
	}
	_, gop := r.viewer.Stream().Last()
	var units []*media.Unit
	for _, g := range gop {
		if g.Track == u.Track {
			units = append(units, g)
		}
		if g == u {
			return units
		}
	}
	return nil
}

// end tells that an open event ended because nothing more can be seen of it.
func (r *run) end(why Why) {
	r.detector.Forget()
	if r.open {
		r.open = false
		r.w.Sink.End(r.last, why)
	}
}

func ticks(t int64) time.Duration { return time.Duration(t) * time.Second / media.TickRate }
