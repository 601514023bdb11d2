package ingest

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/democam"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
)

const clips = "../../clips/"

// world is a demo camera and a supervisor that pulls it.
type world struct {
	cam    *democam.Server
	hub    *media.Hub
	super  *Supervisor
	issuer *permit.Issuer
	spec   Spec

	mu     sync.Mutex
	states []State
}

func build(t *testing.T) *world {
	t.Helper()
	w := &world{
		cam:    &democam.Server{Main: clips + "people.mp4", Sub: clips + "people.sub.mp4"},
		hub:    media.NewHub(),
		issuer: permit.NewIssuer(clock.Wall),
	}
	if err := w.cam.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.cam.Close)
	w.super = &Supervisor{
		Hub: w.hub, Clock: clock.Wall, Log: slog.New(slog.DiscardHandler),
		Dialer: func(id.Binding) Dialer { return &net.Dialer{} },
		OnState: func(_ id.Device, s State) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.states = append(w.states, s)
		},
	}
	t.Cleanup(w.super.Close)
	w.spec = Spec{
		Tenant: id.DefaultTenant, Binding: id.Binding{1}, Device: id.Device{2},
		Main: Address{URL: w.cam.URL(media.Main)}, Sub: &Address{URL: w.cam.URL(media.Sub)},
	}
	return w
}

func (w *world) lease(t *testing.T) *permit.Lease {
	return w.issuer.Lease(t.Context(), permit.Grant{
		Tenant: id.DefaultTenant, Actor: permit.System("ingest"), Action: permit.CameraPull, Binding: w.spec.Binding, Purpose: passport.Live,
	})
}

func (w *world) viewer(t *testing.T, p media.Profile) *media.Viewer {
	t.Helper()
	s, ok := w.hub.Stream(media.Key{Device: w.spec.Device, Profile: p})
	if !ok {
		t.Fatalf("no %s stream", p)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := s.Ready(ctx); err != nil {
		t.Fatalf("%s: %v; state %+v", p, err, w.super.State(w.spec.Device))
	}
	return s.Join(media.JoinOptions{Backlog: true})
}

func fetch(t *testing.T, v *media.Viewer) *media.Unit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	u, err := v.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestMainAndSubRun(t *testing.T) {
	t.Parallel()
	w := build(t)
	w.super.Start(w.lease(t), w.spec)
	main, sub := w.viewer(t, media.Main), w.viewer(t, media.Sub)
	m, s := fetch(t, main), fetch(t, sub)
	if d := m.Wall - s.Wall; d < -3000 || d > 3000 {
		t.Errorf("main and sub are %d ms apart", d)
	}
	state := w.super.State(w.spec.Device)
	if state.Phase != Live || state.Code != "" || len(state.Streams) != 2 {
		t.Errorf("state %+v", state)
	}
	if d := state.Streams[media.Sub].Description; d == nil || d.Video().Width != 384 || d.Audio() != nil {
		t.Errorf("sub is %+v", d)
	}
	if d := state.Streams[media.Main].Description; d == nil || d.Video().Width != 768 || d.Audio().Codec != media.Opus {
		t.Errorf("main is %+v", d)
	}
	w.super.Stop(w.spec.Device)
	if s := w.super.State(w.spec.Device); s.Phase != Stopped {
		t.Errorf("after Stop: %+v", s)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if last := w.states[len(w.states)-1]; last.Streams[media.Sub].Phase != Stopped && last.Phase != Stopped {
		t.Errorf("the last thing told is %+v", last)
	}
}

// Nothing is delivered once End has returned, and nobody can join what was.
func TestLeaseEndsAtOnce(t *testing.T) {
	t.Parallel()
	w := build(t)
	lease := w.lease(t)
	w.super.Start(lease, w.spec)
	main, sub := w.viewer(t, media.Main), w.viewer(t, media.Sub)
	fetch(t, main)
	lease.End(errors.New("withdrawn"))
	for _, v := range []*media.Viewer{main, sub} {
		if u, err := v.Next(t.Context()); !errors.Is(err, io.EOF) {
			t.Errorf("after the end: unit %v, %v", u, err)
		}
		if k, gop := v.Stream().Last(); k != nil || gop != nil {
			t.Error("pictures are kept after the end")
		}
	}
	if _, ok := w.hub.Stream(media.Key{Device: w.spec.Device, Profile: media.Main}); ok {
		t.Error("the hub still has the stream")
	}
	if s := w.super.State(w.spec.Device); s.Phase != Stopped {
		t.Errorf("state %+v", s)
	}
	w.super.Start(lease, w.spec) // an ended lease starts nothing
	if s, ok := w.hub.Stream(media.Key{Device: w.spec.Device, Profile: media.Main}); ok {
		t.Errorf("a stream under an ended lease: %v", s.Key())
	}
}

func TestPausedLeaseDeliversNothing(t *testing.T) {
	t.Parallel()
	w := build(t)
	lease := w.lease(t)
	w.super.Start(lease, w.spec)
	v := w.viewer(t, media.Main)
	fetch(t, v)
	lease.Pause()
	time.Sleep(300 * time.Millisecond) // what was on its way
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		u, err := v.Next(ctx)
		cancel()
		if err != nil {
			break
		}
		if time.Since(u.Wall.Time()) < 250*time.Millisecond {
			t.Fatal("a unit was delivered under a paused lease")
		}
	}
	lease.Resume()
	if u := fetch(t, v); !u.Key {
		t.Error("resumed in mid-group")
	}
}

// A second Start takes over, and the first lease's end does not touch it.
func TestStartAgain(t *testing.T) {
	t.Parallel()
	w := build(t)
	first, second := w.lease(t), w.lease(t)
	w.super.Start(first, w.spec)
	old := w.viewer(t, media.Main)
	w.super.Start(second, w.spec)
	if _, err := old.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("a viewer of the first run: %v", err)
	}
	first.End(nil)
	fetch(t, w.viewer(t, media.Main))
}

func TestNothingIsKept(t *testing.T) {
	if kept := Passports(); len(kept) != 0 {
		t.Errorf("this room is not to keep anything: %v", kept)
	}
}
