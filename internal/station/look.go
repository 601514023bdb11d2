package station

import (
	"context"

	"candor/internal/id"
	"candor/internal/problem"
)

// watch makes the looking for movement agree with what the owner switched on and the gate allows.
func (p *post) watch(ctx context.Context, r Ref) error {
	s := p.station
	if s.Looker == nil {
		return nil
	}
	if !r.Motion {
		p.lookAway(r)
		return nil
	}
	if p.open(&p.motion) && !p.blind() {
		return nil
	}
	p.lookAway(r)
	lease, err := s.Gate.Motion(ctx, r)
	if notAllowed(err) {
		return nil
	}
	if err != nil {
		return err
	}
	look, err := s.Looker.Look(lease, r)
	if err != nil {
		lease.End(err)
		return err
	}
	p.set(&p.motion, lease)
	p.look = look
	p.tellLook(r, true)
	return nil
}

// blind reports whether the looker gave up by itself.
func (p *post) blind() bool {
	if p.look == nil {
		return true
	}
	select {
	case <-p.look.Done():
		return true
	default:
		return false
	}
}

// lookAway ends the looking, if there is one, and returns when it has ended.
func (p *post) lookAway(r Ref) {
	if p.look != nil {
		p.look.Stop()
		p.look = nil
	}
	p.end(&p.motion)
	p.tellLook(r, false)
}

func (p *post) tellLook(r Ref, on bool) {
	if p.looking.Swap(on) != on && p.station.OnLook != nil {
		p.station.OnLook(r)
	}
}

// Watching reports whether the camera is being looked at for movement now.
func (s *Station) Watching(b id.Binding) bool {
	s.mu.Lock()
	p := s.posts[b]
	s.mu.Unlock()
	return p != nil && p.looking.Load()
}

// notAllowed reports whether the person has not said yes: to the purpose, or to the version of the policy
// that has it.
func notAllowed(err error) bool {
	return problem.Is(err, "consent.needed") || problem.Is(err, "policy.not_agreed")
}
