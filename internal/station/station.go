// Package station keeps every bound camera connected, and recorded and looked at for movement where its
// owner agreed.
//
// Each camera has one goroutine that owns what runs for it. It asks the gate for a lease to
// connect and, for what is switched on, for one to record and one to look; it starts what the leases allow,
// and asks anew when something changed (Poke) or a lease ended. What the gate refuses does not
// run. The goroutine never opens anything itself: it holds leases, the rooms open.
//
// Who wants a camera's state asks here; who wants its pictures takes the stream from the hub
// under a lease of their own.
package station

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/media"
	"candor/internal/permit"
)

// Ref names a bound camera and says what its owner switched on. It holds nothing personal.
type Ref struct {
	Tenant  id.Tenant
	Account id.Account
	Binding id.Binding
	Device  id.Device
	Record  bool // the switch is on; whether the owner consented is the gate's business
	Motion  bool // the same, for looking for movement
}

// Cameras knows which cameras are bound and how to reach them.
type Cameras interface {
	All(ctx context.Context) ([]Ref, error)
	// Find gives one camera; false when it is not bound (any more).
	Find(ctx context.Context, b id.Binding) (Ref, bool, error)
	Spec(ctx context.Context, p permit.Permit, r Ref) (ingest.Spec, error)
}

// Gate gives leases to the parts of the system.
type Gate interface {
	Pull(ctx context.Context, r Ref) (*permit.Lease, error)
	Record(ctx context.Context, r Ref) (*permit.Lease, error)
	Motion(ctx context.Context, r Ref) (*permit.Lease, error)
}

// Puller connects to cameras.
type Puller interface {
	Start(lease *permit.Lease, spec ingest.Spec)
	Stop(device id.Device)
	State(device id.Device) ingest.State
}

// Recorder keeps footage of a stream until its lease ends or it is stopped.
type Recorder interface {
	Record(lease *permit.Lease, r Ref, stream *media.Stream) (Recording, error)
	// Note says why nothing is recorded from now on.
	Note(ctx context.Context, r Ref, why Reason) error
}

// Recording is one run of the recorder.
type Recording interface {
	Stop(why Reason)
	Done() <-chan struct{}
}

// Looker looks at a camera for movement until its lease ends or it is stopped.
type Looker interface {
	Look(lease *permit.Lease, r Ref) (Looking, error)
}

// Looking is one run of the looker.
type Looking interface {
	// Stop ends it and returns when it has ended.
	Stop()
	Done() <-chan struct{}
}

// Troubled is a Recording that can tell what keeps it from writing.
type Troubled interface {
	// Trouble is the reason, or empty while footage is being written.
	Trouble() Reason
}

// Reason says why nothing is recorded.
type Reason string

// The reasons that the station knows; the recorder has more of its own.
const (
	Off       Reason = "recording_off" // not consented to, or withdrawn
	PausedNow Reason = "paused"        // switched off for now
	Offline   Reason = "offline"       // the camera does not deliver
	Stopping  Reason = "restart"       // the server stops
)

// Station keeps cameras going. Fill the exported fields, then Start.
type Station struct {
	Cameras  Cameras
	Gate     Gate
	Puller   Puller
	Recorder Recorder
	Looker   Looker // nil: nothing is looked at
	Hub      *media.Hub
	Log      *slog.Logger
	OnChange func(Ref) // recording began or ended; may be nil
	OnLook   func(Ref) // looking for movement began or ended; may be nil

	ctx    context.Context
	cancel context.CancelFunc
	mu     sync.Mutex
	posts  map[id.Binding]*post
	loops  sync.WaitGroup
}

// again is how long a camera waits before the gate or a room is asked anew after a refusal.
const again = 5 * time.Second

// Start begins with every camera that is bound.
func (s *Station) Start(ctx context.Context) error {
	all, err := s.Cameras.All(ctx)
	if err != nil {
		return err
	}
	s.ctx, s.cancel = context.WithCancel(context.WithoutCancel(ctx))
	s.posts = map[id.Binding]*post{}
	for _, r := range all {
		s.Poke(r.Binding)
	}
	return nil
}

// Close ends what runs and returns when it has ended.
func (s *Station) Close() {
	if s.cancel == nil {
		return
	}
	s.mu.Lock()
	s.cancel()
	s.mu.Unlock()
	s.loops.Wait()
}

// Poke has a camera looked at anew: it was added, changed, or its owner decided something.
// A camera that is gone is let go.
func (s *Station) Poke(b id.Binding) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx.Err() != nil {
		return
	}
	p, ok := s.posts[b]
	if !ok {
		p = &post{station: s, binding: b, poked: make(chan struct{}, 1)}
		s.posts[b] = p
		s.loops.Go(func() { p.run(s.ctx) })
	}
	select {
	case p.poked <- struct{}{}:
	default:
	}
}

// Settle pokes a camera and returns when what runs agrees with what was decided before, or with
// the context's end.
func (s *Station) Settle(ctx context.Context, b id.Binding) {
	done := make(chan struct{})
	s.mu.Lock()
	p := s.posts[b]
	if p != nil {
		p.settling = append(p.settling, done)
	}
	s.mu.Unlock()
	if p == nil {
		return
	}
	s.Poke(b)
	select {
	case <-ctx.Done():
	case <-done:
	}
}

// Reconnect has a camera connected anew with what is known of it now.
func (s *Station) Reconnect(b id.Binding) {
	s.mu.Lock()
	p := s.posts[b]
	s.mu.Unlock()
	if p != nil {
		p.end(&p.pull)
	}
	s.Poke(b)
}

// Recording reports whether footage of the camera is being kept now.
func (s *Station) Recording(b id.Binding) bool {
	s.mu.Lock()
	p := s.posts[b]
	s.mu.Unlock()
	return p != nil && p.recording.Load()
}

// Trouble says why nothing of a camera is being written although it is recorded; empty when all
// is well.
func (s *Station) Trouble(b id.Binding) Reason {
	s.mu.Lock()
	p := s.posts[b]
	s.mu.Unlock()
	if p == nil {
		return ""
	}
	if rec := p.running.Load(); rec != nil {
		if t, ok := (*rec).(Troubled); ok {
			return t.Trouble()
		}
	}
	return ""
}

// Count is how many cameras are looked after, and how many of them are recorded.
func (s *Station) Count() (cameras, recorded int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.posts {
		if p.recording.Load() {
			recorded++
		}
	}
	return len(s.posts), recorded
}
