package door

import (
	"context"

	"candor/internal/account"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/takeaway"
	"candor/internal/translog"
)

// ByLink is how the access log names whoever downloads a copy by its link alone.
const ByLink = "export-link"

// Exports makes and gives copies of everything.
type Exports struct {
	Room   *takeaway.Room
	People *account.Room
	Gate   *gate.Gate
	Log    *translog.Log
}

var _ httpapi.Exports = Exports{}

// Begin compares the password, and has a copy made. That it was asked for is in the access log first.
func (x Exports) Begin(ctx context.Context, may permit.Permit, a id.Account, password, lang string) (httpapi.Export, error) {
	g, err := granted(may)
	if err != nil {
		return httpapi.Export{}, err
	}
	if err := x.People.VerifyPassword(ctx, g.Tenant, a, password); err != nil {
		return httpapi.Export{}, err
	}
	p, err := x.Gate.Permit(ctx, gate.Request{Tenant: g.Tenant, Actor: g.Actor, Action: permit.PrivacyExport, Account: a})
	if err != nil {
		return httpapi.Export{}, err
	}
	e, err := x.Room.Begin(ctx, p, lang)
	return Export(e), err
}

// List lists a person's copies.
func (x Exports) List(ctx context.Context, may permit.Permit) ([]httpapi.Export, error) {
	all, err := x.Room.List(ctx, may)
	out := make([]httpapi.Export, 0, len(all))
	for _, e := range all {
		out = append(out, Export(e))
	}
	return out, err
}

// End ends a copy.
func (x Exports) End(ctx context.Context, may permit.Permit, which id.Export) (httpapi.Export, error) {
	e, err := x.Room.End(ctx, may, which)
	return Export(e), err
}

// Open opens a copy for its person.
func (x Exports) Open(ctx context.Context, l *permit.Lease, which id.Export) (httpapi.Copy, error) {
	c, err := x.Room.Open(ctx, l, which)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// Link opens a copy for whoever has its link. The gate knows nobody there, so the lease is the
// system's and the access record is written here, before anything is opened.
func (x Exports) Link(ctx context.Context, token, client string) (*permit.Lease, httpapi.Copy, error) {
	t, s, which, err := x.Room.Link(ctx, token)
	if err != nil {
		return nil, nil, err
	}
	l, err := x.Gate.Lease(ctx, gate.Request{Tenant: t, Actor: permit.System(gate.Rights), Action: permit.PrivacyExport, Account: id.Account(s)})
	if err != nil {
		return nil, nil, err
	}
	err = x.Log.Append(ctx, translog.Access{
		Tenant: t, Subject: s, Actor: permit.System(ByLink), Action: permit.PrivacyExport, Purpose: passport.Rights, Client: client,
		Policy: l.Grant().Policy,
	})
	if err != nil {
		l.End(nil)
		return nil, nil, problem.Unavailable("gate.log_down").Because(err)
	}
	c, err := x.Room.Open(l.Context(), l, which)
	if err != nil {
		l.End(nil)
		return nil, nil, err
	}
	return l, c, nil
}

// Export is a copy as the door shows it.
func Export(e takeaway.Export) httpapi.Export {
	out := httpapi.Export{
		ID: e.ID, State: string(e.State), Why: string(e.Why), CreatedAt: httpapi.Moment(e.Created), ReadyAt: httpapi.Moment(e.ReadyAt),
		EndedAt: httpapi.Moment(e.EndedAt), ExpiresAt: httpapi.Moment(e.Expires), Whole: httpapi.Moment(e.Whole), Size: e.Size, Done: e.Done, Total: e.Total,
	}
	if e.Token != "" {
		out.Link = "api/v1/exports/" + e.Token + ".zip"
	}
	return out
}
