package gate

import (
	"context"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Told allows that an account is told now of what happens in front of a camera: its owner, or a
// member to whom the ability is given at this moment. Nobody has to be signed in to be told. The
// permit opens what the camera is called.
func (g *Gate) Told(ctx context.Context, t id.Tenant, who id.Account, b id.Binding) (permit.Permit, error) {
	r, err := g.address(ctx, Request{Tenant: t, Actor: permit.System(Notify), Action: permit.AlertName, Binding: b})
	switch {
	case err != nil:
		return permit.Permit{}, err
	case who.IsZero() || r.Account.IsZero():
		return permit.Permit{}, problem.NotFound()
	}
	if who != r.Account {
		if err := g.member(ctx, r, who); err != nil {
			return permit.Permit{}, err
		}
	}
	return g.Permit(ctx, r)
}

// member refuses an account that is closing, or that the owner did not give the ability.
func (g *Gate) member(ctx context.Context, r Request, who id.Account) error {
	if g.Shares == nil {
		return problem.NotFound()
	}
	if err := g.open(ctx, Request{Tenant: r.Tenant, Account: who}); err != nil {
		return err
	}
	r.Actor = permit.Actor{Account: who}
	_, err := g.shared(ctx, r, permit.Alarms)
	return err
}
