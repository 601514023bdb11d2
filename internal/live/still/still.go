// Package still makes one JPEG of what a camera shows now: the newest key picture.
//
// A picture is made once, however many ask for it at the same time, and kept until the camera
// sends a newer key picture. It is kept in memory only, and an ended lease gets none.
package still

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"sync"

	"golang.org/x/sync/singleflight"

	"candor/internal/clock"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

// Decoder makes a JPEG of a key unit; decode.Pool is one.
type Decoder interface {
	JPEG(ctx context.Context, track *media.Track, key *media.Unit, maxWidth int) ([]byte, error)
}

// Picture is one still. Nobody changes JPEG.
type Picture struct {
	JPEG          []byte
	At            clock.Millis // when the camera took it
	Width, Height int
}

// Maker makes stills. Decoder and Clock are inputs.
type Maker struct {
	Decoder Decoder
	Clock   clock.Clock // nil: the machine's

	group singleflight.Group
	mu    sync.Mutex
	kept  map[media.Key]*shelf // of each stream, its newest key unit's pictures
}

// shelf holds the pictures of one unit, by width.
type shelf struct {
	unit     *media.Unit
	pictures map[int]Picture
}

// Widths are the widths that are made; one that is asked for is rounded up to one of these, so
// that a page cannot make the decoder work for every pixel of a window.
var Widths = []int{160, 320, 640, 960, 1280, 1920}

func width(w int) int {
	if w <= 0 {
		return 0
	}
	for _, have := range Widths {
		if w <= have {
			return have
		}
	}
	return 0
}

// Latest is the newest key picture of a stream, about w wide (0: as the camera sends it).
// Problems: live.not_ready, decode.none, decode.failed.
//
// promise:P057
func (m *Maker) Latest(ctx context.Context, p permit.Permit, stream *media.Stream, w int) (Picture, error) {
	if err := m.may(p); err != nil && !promise.Cut("P057") {
		return Picture{}, err
	}
	if stream == nil {
		return Picture{}, problem.Unavailable("live.not_ready")
	}
	unit, _ := stream.Last()
	if unit == nil {
		return Picture{}, problem.Unavailable("live.not_ready")
	}
	w = width(w)
	if w >= unit.Track.Width {
		w = 0
	}
	key := stream.Key()
	if pic, ok := m.have(key, unit, w); ok {
		return pic, nil
	}
	// The work goes on for the others when the one who began it leaves.
	ch := m.group.DoChan(fmt.Sprintf("%p %d", unit, w), func() (any, error) {
		if pic, ok := m.have(key, unit, w); ok {
			return pic, nil
		}
		pic, err := m.make(context.WithoutCancel(ctx), unit, w)
		if err == nil {
			m.keep(key, unit, w, pic, stream.Done())
		}
		return pic, err
	})
	select {
	case <-ctx.Done():
		return Picture{}, ctx.Err()
	case r := <-ch:
		pic, _ := r.Val.(Picture)
		return pic, r.Err
	}
}

func (m *Maker) may(p permit.Permit) error {
	now := clock.Wall
	if m.Clock != nil {
		now = m.Clock
	}
	g, ok := p.Grant()
	switch {
	case !ok || g.Action != permit.CameraStill && g.Action != permit.CameraWatch:
		return permit.ErrNone
	case !now.Now().Before(g.Expires):
		return permit.ErrExpired
	}
	return nil
}

func (m *Maker) make(ctx context.Context, u *media.Unit, w int) (Picture, error) {
	b, err := m.Decoder.JPEG(ctx, u.Track, u, w)
	if err != nil {
		return Picture{}, err
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(b))
	if err != nil {
		return Picture{}, err
	}
	return Picture{JPEG: b, At: u.Wall, Width: c.Width, Height: c.Height}, nil
}

func (m *Maker) have(k media.Key, u *media.Unit, w int) (Picture, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.kept[k]
	if s == nil || s.unit != u {
		return Picture{}, false
	}
	pic, ok := s.pictures[w]
	return pic, ok
}

// keep remembers a picture until its stream shows a newer one or is closed.
func (m *Maker) keep(k media.Key, u *media.Unit, w int, pic Picture, closed <-chan struct{}) {
	m.mu.Lock()
	defer m.mu.Unlock()
	select {
	case <-closed:
		return
	default:
	}
	s := m.kept[k]
	if s == nil || s.unit != u {
		if s != nil && s.unit.Wall > u.Wall {
			return
		}
		if m.kept == nil {
			m.kept = map[media.Key]*shelf{}
		}
		if s == nil {
			go func() {
				<-closed
				m.Forget(k)
			}()
		}
		s = &shelf{unit: u, pictures: map[int]Picture{}}
		m.kept[k] = s
	}
	s.pictures[w] = pic
}

// Forget lets the pictures of a stream go. It happens by itself when the stream is closed.
func (m *Maker) Forget(k media.Key) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.kept, k)
}

// Kept is the number of streams of which pictures are kept.
func (m *Maker) Kept() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.kept)
}
