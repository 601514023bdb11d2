package ingest

import (
	"context"
	"log/slog"
	"sync"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/ingest/rtsp"
	"candor/internal/media"
	"candor/internal/permit"
)

// Address is where a stream is and how to sign in there.
type Address = rtsp.Address

// Dialer opens connections to devices.
type Dialer = rtsp.Dialer

// Phase says where a camera stands.
type Phase = rtsp.Phase

// The phases.
const (
	Connecting = rtsp.Connecting
	Live       = rtsp.Live
	Waiting    = rtsp.Waiting
	Stopped    = rtsp.Stopped
)

// Spec is one camera to keep connected.
type Spec struct {
	Tenant  id.Tenant
	Binding id.Binding
	Device  id.Device
	Main    Address
	Sub     *Address
}

// State is what is known of a camera. Phase, Since, Away, Code, Args and NextTry are those of its main
// stream.
type State struct {
	Phase   Phase
	Since   clock.Millis
	Away    clock.Millis // since when it has not been live; 0 while it is
	Code    string       // problem code, empty when nothing is wrong
	Args    map[string]string
	NextTry clock.Millis
	Streams map[media.Profile]StreamState
}

// StreamState is what is known of one profile.
type StreamState struct {
	rtsp.State
	Description *media.Description // nil until known
}

// Supervisor keeps cameras connected. Fill the exported fields before the first Start.
type Supervisor struct {
	Hub     *media.Hub
	Clock   clock.Clock
	Log     *slog.Logger
	Dialer  func(id.Binding) Dialer
	OnState func(device id.Device, s State) // told every change; must not call the Supervisor's Start or Stop

	changing sync.Mutex // held by Start, Stop and Close; taken before mu
	mu       sync.Mutex
	cameras  map[id.Device]*camera
	pulling  sync.WaitGroup // every source, also of leases that ended
}

// camera is one running camera.
type camera struct {
	device  id.Device
	cancel  context.CancelFunc
	done    sync.WaitGroup
	streams map[media.Profile]*media.Stream
	sources map[media.Profile]*rtsp.Source
}

// Start keeps a camera connected until its lease ends or Stop is called. One that runs already
// is stopped first.
func (s *Supervisor) Start(lease *permit.Lease, spec Spec) {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.stop(spec.Device)
	ctx, cancel := context.WithCancel(lease.Context())
	c := &camera{
		device: spec.Device, cancel: cancel,
		streams: map[media.Profile]*media.Stream{},
		sources: map[media.Profile]*rtsp.Source{},
	}
	c.add(s, lease, spec, media.Main, spec.Main)
	if spec.Sub != nil {
		c.add(s, lease, spec, media.Sub, *spec.Sub)
	}
	s.mu.Lock()
	if s.cameras == nil {
		s.cameras = map[id.Device]*camera{}
	}
	s.cameras[spec.Device] = c
	s.mu.Unlock()
	for _, src := range c.sources {
		s.pulling.Add(1)
		c.done.Go(func() {
			defer s.pulling.Done()
			src.Run(ctx)
		})
	}
	lease.OnEnd(func() { s.leaseEnded(c) })
}

func (c *camera) add(s *Supervisor, lease *permit.Lease, spec Spec, profile media.Profile, a Address) {
	stream := s.Hub.Open(media.Key{Device: spec.Device, Profile: profile})
	c.streams[profile] = stream
	c.sources[profile] = &rtsp.Source{
		Address: a,
		Dialer:  s.Dialer(spec.Binding),
		Stream:  stream,
		Clock:   s.Clock,
		Log:     s.Log.With("device", spec.Device.String(), "profile", string(profile)),
		Open:    func() bool { return lease.State() == permit.Open },
		OnState: func(rtsp.State) { s.tell(c) },
	}
}

// leaseEnded closes the camera's streams at once; its sources wind up on their own.
func (s *Supervisor) leaseEnded(c *camera) {
	c.cancel()
	s.mu.Lock()
	current := s.cameras[c.device] == c
	if current {
		delete(s.cameras, c.device)
	}
	s.mu.Unlock()
	if current {
		s.Hub.Close(c.device)
	}
}

// Stop ends a camera's streams at once, and returns when its connections are closed. Stopping
// what does not run does nothing.
func (s *Supervisor) Stop(device id.Device) {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.stop(device)
}

func (s *Supervisor) stop(device id.Device) {
	if c := s.forget(device); c != nil {
		c.done.Wait()
	}
}

// forget ends a camera without waiting for its connections.
func (s *Supervisor) forget(device id.Device) *camera {
	s.mu.Lock()
	c := s.cameras[device]
	delete(s.cameras, device)
	s.mu.Unlock()
	if c != nil {
		c.cancel()
		s.Hub.Close(device)
	}
	return c
}

// Close stops every camera and returns when all connections are closed.
func (s *Supervisor) Close() {
	s.changing.Lock()
	defer s.changing.Unlock()
	s.mu.Lock()
	var devices []id.Device
	for d := range s.cameras {
		devices = append(devices, d)
	}
	s.mu.Unlock()
	for _, d := range devices {
		s.forget(d)
	}
	s.pulling.Wait()
}

// State is what is known of a camera; one that does not run is Stopped.
func (s *Supervisor) State(device id.Device) State {
	s.mu.Lock()
	c := s.cameras[device]
	s.mu.Unlock()
	if c == nil {
		return State{Phase: Stopped}
	}
	return c.state()
}

func (c *camera) state() State {
	main := c.sources[media.Main].State()
	all := State{
		Phase: main.Phase, Since: main.Since, Away: main.Away, Code: main.Code, Args: main.Args, NextTry: main.NextTry,
		Streams: map[media.Profile]StreamState{},
	}
	for profile, src := range c.sources {
		all.Streams[profile] = StreamState{src.State(), c.streams[profile].Description()}
	}
	return all
}

func (s *Supervisor) tell(c *camera) {
	if s.OnState != nil {
		s.OnState(c.device, c.state())
	}
}
