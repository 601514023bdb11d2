package still

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/jpeg"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/live/livetest"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

// counter is a decoder that counts; what a decoder really does is tested in decode.
type counter struct {
	calls atomic.Int32
	gate  chan struct{}
	err   error
}

func (c *counter) JPEG(_ context.Context, t *media.Track, _ *media.Unit, w int) ([]byte, error) {
	c.calls.Add(1)
	if c.gate != nil {
		<-c.gate
	}
	if w == 0 {
		w = t.Width
	}
	var b bytes.Buffer
	err := jpeg.Encode(&b, image.NewGray(image.Rect(0, 0, w, 9)), nil)
	return b.Bytes(), errors.Join(c.err, err)
}

func playing(t *testing.T) *livetest.Player {
	return livetest.Play(t, livetest.Load(t, "people.mp4"), livetest.Stream(media.Main)).Skip(time.Second)
}

func TestAPictureIsMadeOnceAndKeptUntilTheNext(t *testing.T) {
	p := playing(t)
	d := &counter{gate: make(chan struct{})}
	m := &Maker{Decoder: d}
	allowed := livetest.Lease(t).Permit()
	var wg sync.WaitGroup
	for range 5 {
		wg.Go(func() {
			pic, err := m.Latest(t.Context(), allowed, p.Stream, 300)
			if err != nil || pic.Width != 320 {
				t.Errorf("%d wide, %v", pic.Width, err)
			}
		})
	}
	hurried, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := m.Latest(hurried, allowed, p.Stream, 300); err == nil {
		t.Error("who left got a picture")
	}
	close(d.gate)
	wg.Wait()
	first, err := m.Latest(t.Context(), allowed, p.Stream, 310)
	if n := d.calls.Load(); err != nil || n != 1 {
		t.Errorf("%d decodings for one picture, %v", n, err)
	}
	if u, _ := p.Stream.Last(); first.At != u.Wall {
		t.Errorf("taken at %d, want %d", first.At, u.Wall)
	}
	p.Skip(3 * time.Second)
	second, err := m.Latest(t.Context(), allowed, p.Stream, 310)
	if err != nil || second.At <= first.At || d.calls.Load() != 2 {
		t.Errorf("after the next key picture: taken at %d after %d, %v", second.At, first.At, err)
	}
	p.Stream.Close()
	for end := time.Now().Add(10 * time.Second); m.Kept() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("the picture is still kept after the stream was closed")
		}
	}
	if _, err := m.Latest(t.Context(), allowed, p.Stream, 310); !problem.Is(err, "live.not_ready") {
		t.Errorf("after the stream was closed: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	promise.Proves(t, "P057")
	p := playing(t)
	d := &counter{}
	m := &Maker{Decoder: d}
	ended := livetest.Lease(t)
	ended.End(nil)
	paused := livetest.Lease(t)
	paused.Pause()
	for name, allowed := range map[string]permit.Permit{"none": {}, "ended": ended.Permit(), "paused": paused.Permit()} {
		if pic, err := m.Latest(t.Context(), allowed, p.Stream, 0); err == nil || pic.JPEG != nil {
			t.Errorf("%s: got a picture", name)
		}
	}
	late := &Maker{Decoder: d, Clock: clock.NewVirtual(time.Now().Add(time.Hour))}
	if _, err := late.Latest(t.Context(), livetest.Lease(t).Permit(), p.Stream, 0); !errors.Is(err, permit.ErrExpired) {
		t.Errorf("an hour later: %v", err)
	}
	if d.calls.Load() != 0 {
		t.Error("something was decoded for nobody")
	}
	allowed := livetest.Lease(t).Permit()
	if _, err := m.Latest(t.Context(), allowed, nil, 0); !problem.Is(err, "live.not_ready") {
		t.Errorf("no stream: %v", err)
	}
	if _, err := m.Latest(t.Context(), allowed, livetest.Stream(media.Sub), 0); !problem.Is(err, "live.not_ready") {
		t.Errorf("no picture yet: %v", err)
	}
	d.err = problem.Unavailable("decode.none")
	if _, err := m.Latest(t.Context(), allowed, p.Stream, 0); !problem.Is(err, "decode.none") {
		t.Errorf("no decoder: %v", err)
	}
	if m.Kept() != 0 {
		t.Error("a failure was kept")
	}
}

func TestWidths(t *testing.T) {
	p := playing(t)
	m := &Maker{Decoder: &counter{}}
	allowed := livetest.Lease(t).Permit()
	for asked, want := range map[int]int{0: 768, 1: 160, 320: 320, 700: 768, 9000: 768} {
		pic, err := m.Latest(t.Context(), allowed, p.Stream, asked)
		if err != nil || pic.Width != want {
			t.Errorf("asked for %d: %d wide, %v, want %d", asked, pic.Width, err, want)
		}
	}
}
