package mse

import (
	"bytes"
	"errors"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"candor/internal/live"
	"candor/internal/live/livetest"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

func TestJoinInMidGroup(t *testing.T) {
	for _, c := range []struct {
		clip, audio string
		skip        time.Duration
		group       int
	}{
		{"cars.mp4", "opus", 6 * time.Second, 76},
		{"car-detection.mp4", "mp4a.40.2", 4 * time.Second, 0},
		{"one-by-one-person-detection.mp4", "", 5500 * time.Millisecond, 0},
	} {
		t.Run(c.clip, func(t *testing.T) {
			s := livetest.Stream(media.Main)
			p := livetest.Play(t, livetest.Load(t, c.clip), s).Skip(c.skip)
			_, gop := s.Last()
			p.Go(t, 1)
			ws := serve(t, live.Source{Main: s}, live.Options{Audio: true}).dial(t)
			all := collect(t, ws, count(30))
			h := all[0].hello
			if h.Type != "hello" || h.Audio != c.audio || h.Profile != media.Main || h.Width != 768 || h.Height != 432 || h.Reason != "" {
				t.Errorf("hello is %+v", h)
			}
			if c.group > 0 && (h.Units < c.group-2 || h.Units > c.group+4) {
				t.Errorf("%d units in the group, want about %d", h.Units, c.group)
			}
			if all[1].segment == nil || string(all[1].segment[4:8]) != "ftyp" {
				t.Fatal("no initialisation segment after hello")
			}
			group := parts(t, all[2].segment)[0].Tracks[0]
			if len(group.Samples) != h.Units || group.Samples[0].IsNonSyncSample {
				t.Errorf("first fragment has %d pictures, want %d from a key picture on", len(group.Samples), h.Units)
			}
			if !bytes.Equal(group.Samples[0].Payload, gop[0].Data) && len(gop) > 3 {
				t.Error("the first picture is not the key picture that was kept")
			}
			if begin := float64(group.BaseTime) / 90000; h.Start < begin || h.Edge < h.Start {
				t.Errorf("start %.3f, edge %.3f, and the fragment begins at %.3f", h.Start, h.Edge, begin)
			}
			pictures := continuous(t, all[2:])
			if n := decode(t, all); n != pictures {
				t.Errorf("%d of %d pictures decode", n, pictures)
			}
		})
	}
}

// continuous checks that decoding times of pictures follow each other and returns their number.
func continuous(t *testing.T, all []message) int {
	t.Helper()
	n, last := 0, int64(-1)
	for _, m := range all {
		if m.segment == nil {
			continue
		}
		for _, p := range parts(t, m.segment) {
			for _, track := range p.Tracks {
				if track.ID != videoRun {
					continue
				}
				at := int64(track.BaseTime)
				for _, s := range track.Samples {
					if last >= 0 && (at <= last || at-last > 65000) {
						t.Errorf("picture %d is %d ticks after the one before", n, at-last)
					}
					last = at
					at += int64(s.Duration)
					n++
				}
			}
		}
	}
	return n
}

func TestSubFirstThenMain(t *testing.T) {
	for name, ahead := range map[string]time.Duration{"on time": 0, "sub's clock is ahead": 450 * time.Millisecond, "sub's clock is behind": -450 * time.Millisecond} {
		t.Run(name, func(t *testing.T) { subFirst(t, ahead) })
	}
}

func subFirst(t *testing.T, ahead time.Duration) {
	main, sub := livetest.Stream(media.Main), livetest.Stream(media.Sub)
	clip, small := livetest.Load(t, "people.mp4"), livetest.Load(t, "people.sub.mp4")
	a, b := livetest.Play(t, clip, main), livetest.Play(t, small, sub)
	b.Shift, b.Ahead = -1234567, ahead
	a.Skip(5 * time.Second)
	b.Skip(5 * time.Second)
	a.Go(t, 1)
	b.Go(t, 1)
	ws := serve(t, live.Source{Main: main, Sub: sub}, live.Options{Audio: true, Decode: time.Hour}).dial(t)
	switched := 0
	all := collect(t, ws, func(all []message) bool {
		if n := len(all); n > 0 && all[n-1].Type == "switch" {
			switched = n - 1
		}
		return switched > 0 && len(all) > switched+40
	})
	if all[0].Profile != media.Sub || all[0].Width != 384 || all[0].Audio != "opus" {
		t.Errorf("hello is %+v, want sub with main's sound", all[0].hello)
	}
	sw := all[switched]
	if sw.Profile != media.Main || sw.Mime == all[0].Mime || sw.Audio != "opus" {
		t.Errorf("switch is %+v", sw.hello)
	}
	if string(all[switched+1].segment[4:8]) != "ftyp" {
		t.Error("no initialisation segment after switch")
	}
	first := parts(t, all[switched+2].segment)[0].Tracks[0]
	if first.ID != videoRun || first.Samples[0].IsNonSyncSample {
		t.Error("main does not begin with a key picture")
	}
	// No picture of main begins before the last one of sub: a browser would not go back to it.
	last := int64(0)
	for _, m := range all[2:switched] {
		for _, p := range parts(t, m.segment) {
			if track := p.Tracks[0]; track.ID == videoRun {
				last = int64(track.BaseTime)
				for _, s := range track.Samples[1:] {
					last += int64(s.Duration)
				}
			}
		}
	}
	if d := int64(first.BaseTime) - last; d <= 0 || d > 90*700 {
		t.Errorf("main begins %d ticks after the last picture of sub", d)
	}
	if n, want := decode(t, append(all[switched+1:switched+2:switched+2], all[switched+2:]...)), continuous(t, all[switched+2:]); n != want {
		t.Errorf("%d of %d pictures of main decode", n, want)
	}
}

func TestNewParametersMidway(t *testing.T) {
	s := livetest.Stream(media.Main)
	p := livetest.Play(t, livetest.Load(t, "people.mp4").Without(false), s).Skip(time.Second)
	ws := serve(t, live.Source{Main: s}, live.Options{}).dial(t)
	collect(t, ws, count(3))
	other := livetest.Play(t, livetest.Load(t, "people.sub.mp4"), s)
	other.Shift = p.At()
	other.Go(t, 1)
	all := collect(t, ws, func(all []message) bool { return len(all) > 6 })
	if all[0].Type != "switch" || all[0].Width != 384 || string(all[1].segment[4:8]) != "ftyp" {
		t.Errorf("first came %+v", all[0].hello)
	}
	if n := decode(t, all[1:]); n != len(all)-2 {
		t.Errorf("%d of %d pictures decode", n, len(all)-2)
	}
}

func TestSlowReaderLosesPicturesAndNotTheStream(t *testing.T) {
	c := livetest.Load(t, "people.mp4").Without(false)
	s := livetest.Stream(media.Main)
	p := livetest.Play(t, c, s).Skip(time.Second)
	ws := serve(t, live.Source{Main: s}, live.Options{}).dial(t)
	collect(t, ws, count(3))
	for range 40 { // some minutes of footage, while nobody reads
		p.Skip(time.Duration(p.At())*time.Second/media.TickRate + 10*time.Second)
		time.Sleep(5 * time.Millisecond)
	}
	p.Go(t, 4)
	var hole *message
	all := collect(t, ws, func(all []message) bool {
		n := len(all)
		if n > 0 && all[n-1].Type == "skip" {
			hole = &all[n-1]
		}
		return hole != nil && all[n-1].segment != nil
	})
	if hole.To <= hole.From {
		t.Errorf("a hole from %.3f to %.3f", hole.From, hole.To)
	}
	after := parts(t, all[len(all)-1].segment)[0].Tracks[0]
	if after.Samples[0].IsNonSyncSample || float64(after.BaseTime)/90000 != hole.To {
		t.Error("goes on with something else than the key picture behind the hole")
	}
}

func TestNothingLeavesWithoutAnOpenLease(t *testing.T) {
	promise.Proves(t, "P057")
	s := livetest.Stream(media.Main)
	livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(time.Second).Go(t, 1)
	e := serve(t, live.Source{Main: s}, live.Options{Audio: true})
	ws := e.dial(t)
	collect(t, ws, count(10))
	e.lease.Pause()
	paused := time.Now()
	time.AfterFunc(1500*time.Millisecond, e.lease.Resume)
	all := collect(t, ws, func(all []message) bool { return len(all) > 0 && time.Since(paused) > 1700*time.Millisecond })
	for _, m := range all {
		if d := m.at.Sub(paused); d > 300*time.Millisecond && d < 1400*time.Millisecond {
			t.Errorf("a message came %v into the pause", d)
		}
	}
	ended := time.Now()
	e.lease.End(nil)
	for {
		m, err := read(t, ws)
		if err != nil {
			if websocket.CloseStatus(err) != 4403 || !strings.Contains(err.Error(), "live.ended") {
				t.Errorf("closed with %v, want 4403 live.ended", err)
			}
			break
		}
		if d := m.at.Sub(ended); d > time.Second {
			t.Fatalf("a message came %v after the end of the lease", d)
		}
	}
	if err := <-e.errs; !errors.Is(err, permit.ErrEnded) {
		t.Errorf("Serve returned %v", err)
	}
	if s.Watching() != 0 || e.server.Watching() != 0 {
		t.Error("somebody is left at the stream")
	}
}

// TestEndOfALeaseAtASlowReader measures withdraw → last byte where it is hardest: the kernel holds
// megabytes that a slow reader has not fetched.
func TestEndOfALeaseAtASlowReader(t *testing.T) {
	s := livetest.Stream(media.Main)
	p := livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(time.Second)
	e := serve(t, live.Source{Main: s}, live.Options{Audio: true})
	// What lies in the reader's own buffer has been delivered: it is made small.
	narrow := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		return c.Control(func(fd uintptr) { syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4<<10) })
	}}
	raw, err := narrow.Dial("tcp", strings.TrimPrefix(e.url, "ws://"))
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	_, err = raw.Write([]byte("GET / HTTP/1.1\r\nHost: " + raw.RemoteAddr().String() + "\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	for range 30 {
		p.Skip(time.Duration(p.At())*time.Second/media.TickRate + 10*time.Second)
		time.Sleep(2 * time.Millisecond)
	}
	b := make([]byte, 2<<10)
	drip := func() error { // 40 KB a second
		raw.SetReadDeadline(time.Now().Add(5 * time.Second))
		_, err := raw.Read(b)
		time.Sleep(50 * time.Millisecond)
		return err
	}
	for range 10 {
		if err := drip(); err != nil {
			t.Fatal(err)
		}
	}
	ended := time.Now()
	e.lease.End(nil)
	if err := <-e.errs; !errors.Is(err, permit.ErrEnded) {
		t.Errorf("Serve returned %v", err)
	}
	t.Logf("the server let go after %v", time.Since(ended))
	for err == nil {
		if err = drip(); err == nil && time.Since(ended) > 20*time.Second {
			t.Fatal("bytes still come 20 s after the end of the lease")
		}
	}
	t.Logf("the last byte was read %v after the end", time.Since(ended))
}

func TestRefusals(t *testing.T) {
	g711 := livetest.Load(t, "people.mp4")
	*g711.Desc.Tracks[1] = media.Track{ID: 1, Codec: media.PCMA, Profile: "alaw", SampleRate: 8000, Channels: 1}
	s := livetest.Stream(media.Main)
	livetest.Play(t, g711, s).Skip(time.Second)
	src := live.Source{Main: s}
	if err := Check(t.Context(), src, live.Options{Audio: true, Strict: true}); !problem.Is(err, "live.audio") {
		t.Errorf("G.711, strictly: %v, want live.audio", err)
	}
	m, err := read(t, serve(t, src, live.Options{Audio: true}).dial(t))
	if err != nil || m.Audio != "" || m.Reason != live.ReasonNoSound || strings.Contains(m.Mime, "alaw") {
		t.Errorf("G.711: %+v, %v, want the picture and the reason", m.hello, err)
	}
	full := serve(t, src, live.Options{})
	full.server.Viewers = 1
	first := full.dial(t)
	collect(t, first, count(3))
	if _, err := read(t, full.dial(t)); websocket.CloseStatus(err) != 4429 {
		t.Errorf("one too many: %v, want 4429", err)
	}
	_, res, err := websocket.Dial(t.Context(), full.url, &websocket.DialOptions{HTTPHeader: http.Header{"Origin": {"https://elsewhere.example"}}})
	if err == nil || res == nil || res.StatusCode != http.StatusForbidden {
		t.Error("a page of another origin may watch")
	}
	s.Close()
	for {
		if _, err = read(t, first); err != nil {
			break
		}
	}
	if websocket.CloseStatus(err) != 4404 {
		t.Errorf("camera gone: %v, want 4404", err)
	}
}
