// Package door fits the rooms to what the HTTP door asks for. Each type here is one of httpapi's
// interfaces, made of rooms; it converts and decides nothing. What takes more than one room, like
// adding a camera, is put in its order here.
//
// It belongs to app: nobody else imports it.
package door

import (
	"context"

	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/rights"
	"candor/internal/station"
)

// Gate lets the door ask package gate.
type Gate struct{ Gate *gate.Gate }

var _ httpapi.Gate = Gate{}

// Permit asks for a permit.
func (g Gate) Permit(ctx context.Context, r httpapi.Request) (permit.Permit, error) {
	return g.Gate.Permit(ctx, gate.Request(r))
}

// Lease asks for a lease.
func (g Gate) Lease(ctx context.Context, r httpapi.Request) (*permit.Lease, error) {
	return g.Gate.Lease(ctx, gate.Request(r))
}

// Bound finds the camera behind a binding.
type Bound interface {
	Find(ctx context.Context, b id.Binding) (station.Ref, bool, error)
}

// bound is the camera a grant is about; whoever asks for another gets nothing.
func bound(ctx context.Context, all Bound, g permit.Grant, b id.Binding) (station.Ref, error) {
	ref, ok, err := all.Find(ctx, b)
	switch {
	case err != nil:
		return station.Ref{}, err
	case !ok || b != g.Binding || ref.Tenant != g.Tenant || id.SubjectOf(ref.Account) != g.Subject:
		return station.Ref{}, problem.NotFound()
	}
	return ref, nil
}

// granted is what a permit is about; the zero permit is about nothing.
func granted(p permit.Permit) (permit.Grant, error) {
	g, ok := p.Grant()
	if !ok {
		return permit.Grant{}, permit.ErrNone
	}
	return g, nil
}

func receipt(r rights.Receipt) httpapi.Receipt {
	out := httpapi.Receipt{
		ID: r.ID, Token: r.Token, What: string(r.What), RequestedAt: moment(&r.RequestedAt), UnopenableAt: moment(r.UnopenableAt), DoneAt: moment(r.DoneAt),
		Keys: r.KeysDestroyed, Swept: httpapi.Swept{Objects: r.Swept.Objects, Bytes: r.Swept.Bytes, Rows: r.Swept.Rows}, Days: r.UnrecoverableByDays,
	}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, httpapi.Step{Step: s.Name, At: moment(&s.At), Done: true})
	}
	for _, f := range r.LookedFor {
		out.LookedFor = append(out.LookedFor, httpapi.Looked(f))
	}
	return out
}
