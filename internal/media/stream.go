package media

import (
	"context"
	"io"
	"sync"
	"sync/atomic"
)

// Bounds of the backlog. A camera that sends no key picture for longer keeps its live viewers;
// who joins later waits for the next key picture.
const (
	maxBacklogBytes = 64 << 20
	maxBacklogTicks = 60 * TickRate
)

// Stream is one running source of media: one writer, any number of viewers.
//
// Describe, Write and Interrupt belong to the writer and are called by one goroutine at a time.
// Everything else may be called by anybody.
type Stream struct {
	key Key

	viewers atomic.Pointer[[]*Viewer] // copy on write, replaced under mu

	mu      sync.Mutex // never held while a viewer works
	desc    *Description
	changed chan struct{} // closed at the next change of desc
	ready   chan struct{} // closed once there is a description and a key unit
	done    chan struct{} // closed by Close
	closed  bool
	waits   bool    // the next video unit that is let through must be a key unit
	last    *Unit   // newest key unit
	gop     []*Unit // last and the units since; nil when it grew past its bounds. Append only.
	bytes   int     // of gop
	written uint64
}

func newStream(key Key) *Stream {
	s := &Stream{
		key:     key,
		changed: make(chan struct{}),
		ready:   make(chan struct{}),
		done:    make(chan struct{}),
		waits:   true,
	}
	s.viewers.Store(new([]*Viewer))
	return s
}

// Key names the stream.
func (s *Stream) Key() Key { return s.key }

// Describe says what the stream consists of from now on. Units written after it point at the
// tracks of d.
func (s *Stream) Describe(d *Description) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.desc == d {
		return
	}
	s.desc = d
	close(s.changed)
	s.changed = make(chan struct{})
	s.markReady()
}

func (s *Stream) markReady() {
	if s.desc == nil || s.last == nil {
		return
	}
	select {
	case <-s.ready:
	default:
		close(s.ready)
	}
}

// Description is what the stream consists of, or nil when that is not known yet.
func (s *Stream) Description() *Description {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.desc
}

// Changed closes when the description changes. Take the channel before reading Description.
func (s *Stream) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// Done closes when the stream is closed.
func (s *Stream) Done() <-chan struct{} { return s.done }

// Ready waits until there is a description and a key unit. It returns the context's error, or
// io.EOF when the stream is closed before that.
func (s *Stream) Ready(ctx context.Context) error {
	select {
	case <-s.ready:
	default:
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.done:
			return io.EOF
		case <-s.ready:
		}
	}
	select {
	case <-s.done:
		return io.EOF
	default:
		return nil
	}
}

// Write hands one unit to every viewer and keeps it if it belongs to the last group of pictures.
// It reports whether the unit was taken: at the start and after Interrupt nothing is until a
// key unit of the video track comes. The stream owns u and its Data from now on.
func (s *Stream) Write(u *Unit) bool {
	key := u.Key && u.Track.Video()
	s.mu.Lock()
	if s.closed || (s.waits && !key) {
		s.mu.Unlock()
		return false
	}
	s.keep(u, key)
	viewers := *s.viewers.Load()
	s.mu.Unlock()
	for _, v := range viewers {
		v.push(u, key)
	}
	return true
}

// keep extends the backlog by u, or begins a new one.
func (s *Stream) keep(u *Unit, key bool) {
	s.written++
	if key {
		s.waits, s.last, s.bytes = false, u, 0
		s.gop = make([]*Unit, 0, max(16, len(s.gop)+8)) // who joined keeps the old one
		s.markReady()
	}
	if s.gop == nil {
		return
	}
	s.bytes += len(u.Data)
	if s.bytes > maxBacklogBytes || u.DTS-s.last.DTS > maxBacklogTicks {
		s.gop = nil
		return
	}
	s.gop = append(s.gop, u)
}

// Interrupt says that the source is gone for now. Viewers stay and wait; Last goes on to know
// the newest key unit; who joins gets no backlog; the next unit that is taken is a key unit.
func (s *Stream) Interrupt() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waits = true
	s.gop = nil
}

// Running reports whether units flow: the source is there and has sent a key unit.
func (s *Stream) Running() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return !s.closed && !s.waits
}

// Last is the newest key unit, and the units since including itself; gop is nil when it grew past
// its bounds or the source is gone. Nobody changes gop.
func (s *Stream) Last() (key *Unit, gop []*Unit) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.last, s.gop[:len(s.gop):len(s.gop)]
}

// Close ends the stream for good: every viewer's Next returns io.EOF at once, and what was kept
// is let go.
func (s *Stream) Close() {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return
	}
	s.closed = true
	s.last, s.gop, s.bytes = nil, nil, 0
	viewers := *s.viewers.Load()
	s.viewers.Store(new([]*Viewer))
	close(s.done)
	s.mu.Unlock()
	for _, v := range viewers {
		v.end()
	}
}

// Watching is the number of viewers.
func (s *Stream) Watching() int { return len(*s.viewers.Load()) }

// Written is the number of units taken since the stream began.
func (s *Stream) Written() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.written
}

// Join adds a viewer. Its backlog and what Next returns follow each other without a gap and
// without a unit twice. A viewer without a backlog begins with the next key unit.
func (s *Stream) Join(o JoinOptions) *Viewer {
	v := newViewer(s, o.Size)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		v.end()
		return v
	}
	if o.Backlog && len(s.gop) > 0 {
		v.backlog = s.gop[:len(s.gop):len(s.gop)]
		v.skips, v.began = false, true
	}
	old := *s.viewers.Load()
	list := make([]*Viewer, 0, len(old)+1)
	list = append(append(list, old...), v)
	s.viewers.Store(&list)
	return v
}

// leave removes a viewer from the list.
func (s *Stream) leave(v *Viewer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := *s.viewers.Load()
	list := make([]*Viewer, 0, len(old))
	for _, o := range old {
		if o != v {
			list = append(list, o)
		}
	}
	s.viewers.Store(&list)
}
