package station

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/permit"
)

// post looks after one camera. Only its run loop starts things.
type post struct {
	station   *Station
	binding   id.Binding
	poked     chan struct{}
	recording atomic.Bool
	settling  []chan struct{} // closed after the next look; guarded by the station's mu

	mu     sync.Mutex // guards the leases against Reconnect
	pull   *permit.Lease
	record *permit.Lease
	motion *permit.Lease

	look    Looking // what the looker runs under motion
	looking atomic.Bool

	rec     Recording                 // what the recorder runs under record
	running atomic.Pointer[Recording] // the same, for everybody
	noted   Reason                    // the last reason given to the recorder
}

func (p *post) run(ctx context.Context) {
	s := p.station
	log := s.Log.With("binding", p.binding.String())
	var ref Ref
	defer func() {
		p.stop(ref, Stopping)
		p.lookAway(ref)
		p.end(&p.pull)
		s.mu.Lock()
		delete(s.posts, p.binding)
		settled(p.settling)
		s.mu.Unlock()
	}()
	for {
		s.mu.Lock()
		waiting := p.settling
		p.settling = nil
		s.mu.Unlock()
		found, ok, err := s.Cameras.Find(ctx, p.binding)
		wait := time.Duration(0)
		switch {
		case ctx.Err() != nil:
			settled(waiting)
			return
		case err != nil:
			log.Warn("camera cannot be looked up", "err", err)
			wait = again
		case !ok:
			settled(waiting)
			return
		default:
			ref = found
			if err := p.arrange(ctx, ref); err != nil {
				if ctx.Err() != nil {
					settled(waiting)
					return
				}
				log.Warn("camera cannot be looked after as it should", "err", err)
				wait = again
			}
		}
		settled(waiting)
		if wait > 0 {
			p.tidy(ref)
		}
		if !p.wait(ctx, wait) {
			return
		}
	}
}

// tidy lets go of what has ended when a look failed: its end is no news any more, and wait would
// come back at once instead of after a while.
func (p *post) tidy(r Ref) {
	if !p.open(&p.pull) {
		p.end(&p.pull)
	}
	if !p.open(&p.record) || p.ended() {
		p.stop(r, Off)
		p.end(&p.record)
	}
	if !p.open(&p.motion) || p.blind() {
		p.lookAway(r)
	}
}

func settled(waiting []chan struct{}) {
	for _, w := range waiting {
		close(w)
	}
}

// arrange makes what runs agree with what the owner switched on and the gate allows.
func (p *post) arrange(ctx context.Context, r Ref) error {
	if err := p.connect(ctx, r); err != nil {
		return err
	}
	return errors.Join(p.keep(ctx, r), p.watch(ctx, r)) // neither keeps the other from it
}

func (p *post) connect(ctx context.Context, r Ref) error {
	if p.open(&p.pull) {
		return nil
	}
	p.end(&p.pull)
	s := p.station
	lease, err := s.Gate.Pull(ctx, r)
	if err != nil {
		return err
	}
	spec, err := s.Cameras.Spec(ctx, lease.Permit(), r)
	if err != nil {
		lease.End(err)
		return err
	}
	s.Puller.Start(lease, spec)
	p.set(&p.pull, lease)
	return nil
}

func (p *post) keep(ctx context.Context, r Ref) error {
	if !r.Record {
		p.stop(r, PausedNow)
		return p.note(ctx, r, PausedNow)
	}
	if p.open(&p.record) && !p.ended() {
		return nil
	}
	p.stop(r, Off)
	p.end(&p.record)
	s := p.station
	lease, err := s.Gate.Record(ctx, r)
	if notAllowed(err) {
		return p.note(ctx, r, Off)
	}
	if err != nil {
		return err
	}
	run, err := s.Recorder.Record(lease, r, s.Hub.Open(media.Key{Device: r.Device, Profile: media.Main}))
	if err != nil {
		lease.End(err)
		return err
	}
	p.set(&p.record, lease)
	p.rec, p.noted = run, ""
	p.running.Store(&run)
	p.tell(r, true)
	return nil
}

// stop ends the recording, if there is one, and returns when it has ended.
func (p *post) stop(r Ref, why Reason) {
	if p.rec == nil {
		return
	}
	p.rec.Stop(why)
	<-p.rec.Done()
	p.rec = nil
	p.running.Store(nil)
	p.end(&p.record)
	p.tell(r, false)
}

func (p *post) tell(r Ref, on bool) {
	if p.recording.Swap(on) != on && p.station.OnChange != nil {
		p.station.OnChange(r)
	}
}

// note tells the recorder a reason once.
func (p *post) note(ctx context.Context, r Ref, why Reason) error {
	if p.noted == why {
		return nil
	}
	if err := p.station.Recorder.Note(ctx, r, why); err != nil {
		return err
	}
	p.noted = why
	return nil
}

// wait returns true when there is something to look at: a poke, a lease or a recording that
// ended, or the time to try again.
func (p *post) wait(ctx context.Context, d time.Duration) bool {
	var retry <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		retry = t.C
	}
	var ended <-chan struct{}
	if p.rec != nil {
		ended = p.rec.Done()
	}
	var blind <-chan struct{}
	if p.look != nil {
		blind = p.look.Done()
	}
	select {
	case <-ctx.Done():
		return false
	case <-p.poked:
	case <-retry:
	case <-p.done(&p.pull):
	case <-p.done(&p.record):
	case <-ended:
	case <-p.done(&p.motion):
	case <-blind:
	}
	return true
}

// ended reports whether the recorder gave up by itself.
func (p *post) ended() bool {
	if p.rec == nil {
		return true
	}
	select {
	case <-p.rec.Done():
		return true
	default:
		return false
	}
}

func (p *post) open(l **permit.Lease) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return *l != nil && (*l).State() != permit.Ended && (*l).Context().Err() == nil
}

func (p *post) set(l **permit.Lease, to *permit.Lease) {
	p.mu.Lock()
	defer p.mu.Unlock()
	*l = to
}

func (p *post) end(l **permit.Lease) {
	p.mu.Lock()
	lease := *l
	*l = nil
	p.mu.Unlock()
	if lease != nil {
		lease.End(nil)
	}
}

// done closes when the lease ends; without one it never does.
func (p *post) done(l **permit.Lease) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	if *l == nil {
		return nil
	}
	return (*l).Context().Done()
}
