package gate

import (
	"context"
	"errors"

	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Causes of a lease that ended because its right did.
var (
	ErrRevoked = errors.New("right revoked")
	ErrOver    = errors.New("the share, or its hours, are over")
)

// Right is what a lease rests on, or what a Revoke takes away. In a Revoke zero fields mean
// "whichever".
type Right struct {
	Tenant  id.Tenant
	Subject id.Subject
	Binding id.Binding
	Purpose passport.Purpose
	Session id.Session
	Actor   id.Account // who uses it: an account's goodbye ends what it uses of others, too
	Share   id.Share   // the share it rests on
}

// takes reports whether revoking r takes away the right h of a lease. A lease about all cameras
// of a subject rests on each of them, and one without a purpose on each purpose.
func (r Right) takes(h Right) bool {
	return r.Tenant == h.Tenant &&
		(r.Subject.IsZero() || r.Subject == h.Subject) &&
		(r.Binding.IsZero() || r.Binding == h.Binding || h.Binding.IsZero()) &&
		(r.Purpose == "" || r.Purpose == h.Purpose || h.Purpose == "") &&
		(r.Session.IsZero() || r.Session == h.Session) &&
		(r.Actor.IsZero() || r.Actor == h.Actor) &&
		(r.Share.IsZero() || r.Share == h.Share)
}

// entry is one lease in the register. It is there before its decision begins.
type entry struct {
	right   Right
	since   int64 // number of the last revocation before it was registered: what that said, the decision saw
	request Request
	decided bool // right.Share is known
	exempt  bool // erasure goes on while rights end
	lease   *permit.Lease
	ended   error
}

// Lease decides a request for something that lasts. The lease's context descends from ctx, so
// hand in that of whatever holds the lease: it ends with it.
func (g *Gate) Lease(ctx context.Context, r Request) (*permit.Lease, error) {
	r, err := g.address(ctx, r)
	if err != nil {
		return nil, err
	}
	since, err := g.counter(ctx)
	if err != nil {
		return nil, unsure(err)
	}
	e := g.register(r, since)
	grant, ru, err := g.decide(ctx, r)
	if err == nil {
		g.rest(e, grant.Share)
		err = g.record(ctx, r, ru, grant)
	}
	if err != nil {
		g.forget(e)
		return nil, err
	}
	return g.grant(ctx, e, grant)
}

// register makes a request visible to Revoke from now on.
func (g *Gate) register(r Request, since int64) *entry {
	ru := rules[r.Action]
	e := &entry{request: r, since: since, exempt: ru.after && r.Actor.System != "", right: Right{
		Tenant: r.Tenant, Subject: id.SubjectOf(r.Account), Binding: r.Binding, Purpose: ru.purpose, Session: r.Actor.Session,
		Actor: r.Actor.Account,
	}}
	if ru.whole {
		e.right.Purpose = ""
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.leases == nil {
		g.leases = map[*entry]struct{}{}
	}
	g.leases[e] = struct{}{}
	return e
}

// rest writes down which share a lease rests on.
func (g *Gate) rest(e *entry, s id.Share) {
	g.mu.Lock()
	defer g.mu.Unlock()
	e.right.Share, e.decided = s, true
}

// ends reports whether revoking r ends the entry. Of what is still being decided nobody knows
// which share it will rest on, so revoking any share ends it where it is not the owner's own.
func (e *entry) ends(r Right) bool {
	h := e.right
	if !e.decided && !r.Share.IsZero() && id.SubjectOf(h.Actor) != h.Subject && e.request.Actor.System == "" {
		h.Share = r.Share
	}
	return r.takes(h)
}

func (g *Gate) forget(e *entry) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.leases, e)
}

// grant makes the lease, unless its right was taken away while it was decided.
func (g *Gate) grant(ctx context.Context, e *entry, grant permit.Grant) (*permit.Lease, error) {
	lease := g.Issuer.Lease(ctx, grant)
	g.mu.Lock()
	switch {
	case e.ended != nil:
		g.mu.Unlock()
		lease.End(e.ended)
		return nil, problem.NotFound().Because(e.ended)
	case g.paused || !g.running:
		delete(g.leases, e)
		g.mu.Unlock()
		lease.End(permit.ErrEnded)
		return nil, problem.Unavailable("gate.paused")
	}
	e.lease = lease
	g.mu.Unlock()
	lease.OnEnd(func() { g.forget(e) })
	if until := grant.Expires; !until.IsZero() { // the end of a share, or of today's hours of one
		g.loops.Go(func() {
			if g.Clock.Sleep(lease.Context(), until.Sub(g.Clock.Now())) == nil {
				lease.End(ErrOver)
			}
		})
	}
	context.AfterFunc(lease.Context(), func() { lease.End(context.Cause(lease.Context())) })
	return lease, nil
}

// end ends every lease, given or being decided, that rests on the right and was registered before
// the revocation of that number. It returns how many.
func (g *Gate) end(r Right, number int64, cause error) int {
	var leases []*permit.Lease
	n := 0
	g.mu.Lock()
	for e := range g.leases {
		if e.exempt || e.since >= number || !e.ends(r) {
			continue
		}
		delete(g.leases, e)
		e.ended = cause
		n++
		if e.lease != nil {
			leases = append(leases, e.lease)
		}
	}
	g.mu.Unlock()
	for _, l := range leases {
		l.End(cause)
	}
	return n
}

// Leases is how many leases are open or being decided.
func (g *Gate) Leases() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.leases)
}

// pause stops delivery under every lease.
func (g *Gate) pause() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.paused = true
	for e := range g.leases {
		if e.lease != nil {
			e.lease.Pause()
		}
	}
}

// resume opens again what is still there. The caller has caught up and reviewed.
func (g *Gate) resume() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.paused = false
	for e := range g.leases {
		if e.lease != nil {
			e.lease.Resume()
		}
	}
}

// review decides every given lease anew and ends those that would be refused now. A decision that
// cannot be made ends nothing but is returned: who asked keeps the leases paused, or asks again.
func (g *Gate) review(ctx context.Context) error {
	g.mu.Lock()
	var given []*entry
	for e := range g.leases {
		if e.lease != nil {
			given = append(given, e)
		}
	}
	g.mu.Unlock()
	var errs []error
	for _, e := range given {
		grant, _, err := g.decide(ctx, e.request)
		if err == nil && grant.Share == e.lease.Grant().Share {
			continue
		}
		if problem.Is(err, "gate.unsure") {
			errs = append(errs, err)
			continue
		}
		e.lease.End(errors.Join(ErrRevoked, err))
	}
	return errors.Join(errs...)
}
