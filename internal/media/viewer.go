package media

import (
	"context"
	"io"
	"sync"
)

// defaultRing is how many units a viewer may lag behind: about five seconds of 25 pictures and
// 50 audio frames.
const defaultRing = 512

// JoinOptions say how a viewer joins.
type JoinOptions struct {
	Backlog bool // begin with the units since the last key unit
	Size    int  // units the ring holds; 0 means the default
}

// Viewer is one consumer of a stream. One goroutine calls Next; Close and Dropped may be called
// by any.
type Viewer struct {
	stream *Stream
	wake   chan struct{} // holds one token when something changed

	mu      sync.Mutex // held for the few instructions of a push or a pop
	backlog []*Unit
	ring    []*Unit
	head    int // oldest unit
	count   int
	skips   bool // everything is dropped until a key unit
	began   bool // has been given a unit or a backlog
	ended   bool
	dropped uint64
}

func newViewer(s *Stream, size int) *Viewer {
	if size <= 0 {
		size = defaultRing
	}
	return &Viewer{stream: s, wake: make(chan struct{}, 1), ring: make([]*Unit, size), skips: true}
}

// Backlog is the units since the last key unit at the time of joining, the key unit first; empty
// when there was none or it was not asked for. It is let go at the first Next.
func (v *Viewer) Backlog() []*Unit {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.backlog
}

// Next is the next unit, in the order written. It returns the context's error, or io.EOF once
// the stream or the viewer is closed: what lay in the ring then is not delivered any more.
func (v *Viewer) Next(ctx context.Context) (*Unit, error) {
	for {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		u, ended := v.pop()
		switch {
		case ended:
			return nil, io.EOF
		case u != nil:
			return u, nil
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-v.wake:
		}
	}
}

func (v *Viewer) pop() (u *Unit, ended bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.backlog = nil
	if v.ended {
		return nil, true
	}
	if v.count == 0 {
		return nil, false
	}
	u = v.ring[v.head]
	v.ring[v.head] = nil
	v.head = (v.head + 1) % len(v.ring)
	v.count--
	return u, false
}

// push adds a unit. When the ring is full the viewer loses everything up to the next key unit;
// if there is no room for that one either, it loses what it had not fetched yet instead.
func (v *Viewer) push(u *Unit, key bool) {
	v.mu.Lock()
	switch {
	case v.ended:
		v.mu.Unlock()
		return
	case key && v.count == len(v.ring):
		v.dropped += uint64(v.count)
		clear(v.ring)
		v.head, v.count, v.skips = 0, 0, false
	case key:
		v.skips, v.began = false, true
	case v.count == len(v.ring):
		v.skips = true
	}
	if v.skips {
		if v.began {
			v.dropped++
		}
		v.mu.Unlock()
		return
	}
	v.ring[(v.head+v.count)%len(v.ring)] = u
	v.count++
	v.mu.Unlock()
	v.signal()
}

func (v *Viewer) signal() {
	select {
	case v.wake <- struct{}{}:
	default:
	}
}

// Dropped is how many units the viewer lost because it was too slow; what came before its first
// key unit does not count. A change between two calls of Next marks a gap.
func (v *Viewer) Dropped() uint64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.dropped
}

// Stream is what the viewer looks at.
func (v *Viewer) Stream() *Stream { return v.stream }

// Close ends the viewer; a waiting Next returns io.EOF.
func (v *Viewer) Close() {
	v.stream.leave(v)
	v.end()
}

func (v *Viewer) end() {
	v.mu.Lock()
	v.ended = true
	v.backlog = nil
	clear(v.ring)
	v.head, v.count = 0, 0
	v.mu.Unlock()
	v.signal()
}
