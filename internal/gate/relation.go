package gate

import (
	"context"
	"net/http"
	"slices"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

// related finds out whether the actor has to do with the thing at all, and by which share where
// it is not the actor's own. Every way out that is not the end of a check is a refusal.
//
// promise:P019
func (g *Gate) related(ctx context.Context, r Request, ru rule) (Share, error) {
	a := r.Actor
	kinds := 0
	for _, is := range []bool{a.System != "", !a.Account.IsZero(), !a.Link.IsZero()} {
		if is {
			kinds++
		}
	}
	if kinds != 1 || a.Account.IsZero() && !a.Session.IsZero() {
		return Share{}, problem.NotFound()
	}
	switch {
	case a.System != "":
		return Share{}, g.system(ctx, r, ru)
	case a.Account == r.Account:
		return Share{}, g.owner(ctx, r, ru)
	}
	return g.letIn(ctx, r, ru)
}

// system: a part of the program, for what its rule names.
func (g *Gate) system(ctx context.Context, r Request, ru rule) error {
	if !slices.Contains(ru.systems, r.Actor.System) {
		return problem.NotFound()
	}
	if ru.after {
		return nil
	}
	if err := g.open(ctx, r); err != nil {
		return err
	}
	return g.bound(ctx, r)
}

// owner: the person it is about, in a session of theirs.
func (g *Gate) owner(ctx context.Context, r Request, ru rule) error {
	if !ru.owner {
		return problem.NotFound()
	}
	if err := g.signedIn(ctx, r); err != nil {
		return err
	}
	return g.bound(ctx, r)
}

// letIn: a member in a session, or a visitor with a link, for what the owner shared.
func (g *Gate) letIn(ctx context.Context, r Request, ru rule) (Share, error) {
	if ru.ability == "" || r.Binding.IsZero() || g.Shares == nil {
		return Share{}, g.stranger(ctx, r)
	}
	if r.Actor.Link.IsZero() {
		if err := g.signedIn(ctx, r); err != nil {
			return Share{}, err
		}
	}
	if err := g.open(ctx, r); err != nil {
		return Share{}, err
	}
	if err := g.bound(ctx, r); err != nil {
		return Share{}, err
	}
	return g.shared(ctx, r, ru.ability)
}

// shared finds the share by which whoever asks may use the ability now.
func (g *Gate) shared(ctx context.Context, r Request, a permit.Ability) (Share, error) {
	share, related, err := g.Shares.Find(ctx, r.Tenant, r.Actor, r.Account, r.Binding, a, g.Clock.Now())
	if p, ok := problem.Of(err); ok && p.Status < http.StatusInternalServerError {
		return Share{}, err
	}
	switch {
	case err != nil:
		return Share{}, unsure(err)
	case !related:
		return Share{}, problem.NotFound()
	case share.ID.IsZero():
		return Share{}, problem.Forbidden("share.not_included")
	case share.Until != 0 && !g.Clock.Now().Before(share.Until.Time()):
		return Share{}, problem.Forbidden("share.not_included")
	}
	return share, nil
}

// stranger answers who asks for what only an owner may: a member may know that the camera exists.
func (g *Gate) stranger(ctx context.Context, r Request) error {
	if r.Binding.IsZero() || g.Shares == nil {
		return problem.NotFound()
	}
	if _, err := g.letIn(ctx, r, rule{ability: permit.See}); err != nil {
		return err
	}
	return problem.Forbidden("share.owner_only")
}

// open: whose data it is has an account that is not being closed.
func (g *Gate) open(ctx context.Context, r Request) error {
	switch open, err := g.People.Open(ctx, r.Tenant, r.Account); {
	case err != nil:
		return unsure(err)
	case !open:
		return problem.NotFound()
	}
	return nil
}

// signedIn: the session is the actor's and has not ended.
func (g *Gate) signedIn(ctx context.Context, r Request) error {
	if r.Actor.Session.IsZero() {
		return problem.NotFound()
	}
	switch in, err := g.People.SignedIn(ctx, r.Tenant, r.Actor.Account, r.Actor.Session); {
	case err != nil:
		return unsure(err)
	case !in:
		return problem.New(http.StatusUnauthorized, "session.ended")
	}
	return nil
}

// bound: the camera, where one is named, is tied to whom the request names.
func (g *Gate) bound(ctx context.Context, r Request) error {
	if r.Binding.IsZero() || promise.Cut("P019") {
		return nil
	}
	switch owner, err := g.Relations.Owner(ctx, r.Tenant, r.Binding); {
	case err != nil:
		return unsure(err)
	case owner != r.Account || owner == id.Account{}:
		return problem.NotFound()
	}
	return nil
}
