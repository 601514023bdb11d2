package door

import (
	"context"
	"encoding/json"
	"errors"

	"candor/internal/clock"
	"candor/internal/consent"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/privlog"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/share"
	"candor/internal/station"
	"candor/internal/translog"
)

// Privacy tells people what is held about them and carries out what they decide.
type Privacy struct {
	Office  *rights.Office
	Log     *translog.Log
	Shares  *share.Room
	Consent *consent.Room
	Proofs  *privlog.Log
	Station *station.Station
	Cameras interface {
		All(ctx context.Context) ([]station.Ref, error)
	}
	Tell func(account id.Account, b id.Binding) // recording may have changed
}

var _ httpapi.Privacy = Privacy{}

// Held is the inventory.
func (p Privacy) Held(ctx context.Context, may permit.Permit, _ id.Account) ([]httpapi.Held, error) {
	all, err := p.Office.Inventory(ctx, may)
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.Held, 0, len(all))
	for _, h := range all {
		until := h.Ends
		if h.Until != 0 {
			b, _ := httpapi.Moment(h.Until).MarshalText()
			until = string(b)
		}
		out = append(out, httpapi.Held{
			Category: string(h.Category), Kind: h.Kind, Count: h.Count, Bytes: h.Bytes, Oldest: httpapi.Moment(h.Oldest),
			Until: until, Purpose: string(h.Purpose), Basis: string(h.Basis), Room: h.Room,
		})
	}
	return out, nil
}

// Accesses is a page of who opened what, of one camera or of all.
func (p Privacy) Accesses(ctx context.Context, may permit.Permit, a id.Account, b id.Binding, before int64, limit int) ([]httpapi.Access, int64, error) {
	g, err := granted(may)
	if err != nil {
		return nil, 0, err
	}
	list := p.Log.List
	if !b.IsZero() {
		list = func(ctx context.Context, may permit.Permit, t id.Tenant, s id.Subject, cursor int64, limit int) ([]translog.Entry, int64, error) {
			return p.Log.About(ctx, may, t, s, b, cursor, limit)
		}
	}
	page, next, err := list(ctx, may, g.Tenant, id.SubjectOf(a), before, limit)
	if err != nil {
		return nil, 0, err
	}
	given, err := p.Shares.Given(ctx, may, g.Tenant, a)
	if err != nil {
		return nil, 0, err
	}
	members, links := share.Names(given)
	out := make([]httpapi.Access, 0, len(page))
	for _, e := range page {
		actor, name := who(e.Actor, a, members, links)
		line := httpapi.Access{
			Seq: e.Seq, At: httpapi.Moment(clock.At(e.At)), Actor: actor, Name: name, Action: string(e.Action), Purpose: string(e.Purpose), Client: e.Client,
		}
		if !e.Binding.IsZero() {
			line.Camera = &e.Binding
		}
		out = append(out, line)
	}
	return out, next, nil
}

// who tells who used something, and by which word its owner calls them.
func who(actor permit.Actor, owner id.Account, members map[id.Account]string, links map[id.Share]string) (kind, name string) {
	switch {
	case actor.System == ByLink:
		return "link:export", ""
	case actor.System != "":
		return "system:" + actor.System, ""
	case actor.Account == owner:
		return "you", ""
	case !actor.Link.IsZero():
		return "link", links[actor.Link]
	}
	if name, known := members[actor.Account]; known {
		return "member", name
	}
	return "former", ""
}

// Consents is what was agreed to.
func (p Privacy) Consents(ctx context.Context, may permit.Permit, a id.Account) (httpapi.Consents, error) {
	g, err := granted(may)
	if err != nil {
		return httpapi.Consents{}, err
	}
	current, err := p.Consent.Current(ctx, may, g.Tenant, id.SubjectOf(a))
	if err != nil {
		return httpapi.Consents{}, err
	}
	history, err := p.Consent.History(ctx, may, g.Tenant, id.SubjectOf(a))
	if err != nil {
		return httpapi.Consents{}, err
	}
	return httpapi.Consents{Current: decisions(current), History: decisions(history)}, nil
}

func decisions(all []consent.Record) []httpapi.Consent {
	out := make([]httpapi.Consent, 0, len(all))
	for _, r := range all {
		out = append(out, decision(r))
	}
	return out
}

func decision(r consent.Record) httpapi.Consent {
	c := httpapi.Consent{
		ID: r.ID, Purpose: string(r.Purpose), State: string(r.State), At: httpapi.Moment(r.At),
		TextHash: r.TextHash, Policy: r.PolicyHash, Language: r.Language,
	}
	if !r.Binding.IsZero() {
		c.Camera = &r.Binding
	}
	return c
}

// Decide writes a decision about a camera, or about all (the zero binding), down and makes it so. A
// withdrawal first stops what rested on the consent, then destroys what was kept under it.
//
// promise:P279
func (p Privacy) Decide(ctx context.Context, may permit.Permit, a id.Account, b id.Binding, purpose passport.Purpose, c httpapi.Consented) (httpapi.Consent, *httpapi.Receipt, error) {
	g, err := granted(may)
	if err != nil {
		return httpapi.Consent{}, nil, err
	}
	d := consent.Decision{
		Tenant: g.Tenant, Subject: id.SubjectOf(a), Binding: b, Purpose: purpose, State: consent.State(c.State), TextHash: c.TextHash,
		How: "privacy", Actor: g.Actor,
	}
	if promise.Cut("P279") {
		return httpapi.Consent{}, nil, problem.NotFound()
	}
	ctx = context.WithoutCancel(ctx)
	if d.State == consent.Refused { // no to what was agreed takes it back, with all that follows
		given, err := p.Consent.Any(ctx, d.Tenant, d.Subject, b, purpose)
		if err != nil {
			return httpapi.Consent{}, nil, err
		}
		if given {
			d.State = consent.Withdrawn
		}
	}
	if _, err := p.Consent.Record(ctx, d); err != nil {
		if d.State == consent.Withdrawn && refusal(err) == nil { // a full disk must not keep what is withdrawn
			_, gone := p.Office.Withdraw(ctx, may, b, purpose)
			err = errors.Join(err, gone)
		}
		return httpapi.Consent{}, nil, err
	}
	var gone *httpapi.Receipt
	if d.State == consent.Withdrawn {
		r, err := p.Office.Withdraw(ctx, may, b, purpose)
		if err != nil {
			return httpapi.Consent{}, nil, err
		}
		gone = new(receipt(r))
	}
	if err := p.look(ctx, a, b); err != nil {
		return httpapi.Consent{}, nil, err
	}
	current, err := p.Consent.Current(ctx, may, g.Tenant, d.Subject)
	if err != nil {
		return httpapi.Consent{}, nil, err
	}
	for _, r := range current {
		if r.Binding == b && r.Purpose == purpose {
			return decision(r), gone, nil
		}
	}
	return httpapi.Consent{}, nil, problem.NotFound()
}

// look has every camera that a decision is about looked at anew.
func (p Privacy) look(ctx context.Context, a id.Account, b id.Binding) error {
	about := []id.Binding{b}
	if b.IsZero() {
		about = nil
		all, err := p.Cameras.All(ctx)
		if err != nil {
			return err
		}
		for _, r := range all {
			if r.Account == a {
				about = append(about, r.Binding)
			}
		}
	}
	for _, one := range about {
		p.Station.Poke(one)
		if p.Tell != nil {
			p.Tell(a, one)
		}
	}
	return nil
}

// refusal is the problem that the person can do something about, or nil where the machine failed.
func refusal(err error) *problem.Problem {
	if p, ok := problem.Of(err); ok && p.Status < 500 {
		return p
	}
	return nil
}

// Receipt opens a receipt by its link.
func (p Privacy) Receipt(ctx context.Context, token string) (httpapi.Receipt, error) {
	r, err := p.Office.Receipt(ctx, token)
	if err != nil {
		return httpapi.Receipt{}, err
	}
	out := receipt(r)
	out.Logged = p.Proofs.Has(ctx, r.Leaf)
	return out, nil
}

// Proof is an erasure receipt that can be checked without this server.
func (p Privacy) Proof(ctx context.Context, token string) (json.RawMessage, error) {
	r, err := p.Office.Receipt(ctx, token)
	if err != nil {
		return nil, err
	}
	if !r.Done() || r.Leaf.IsZero() {
		return nil, problem.Unavailable("log.pending")
	}
	d, err := p.Proofs.Receipt(ctx, r.Leaf, r.Statement(), r.Opening)
	if err != nil {
		return nil, err
	}
	return json.Marshal(d)
}

// ConsentReceipt is a consent record (ISO/IEC TS 27560) that can be checked without this server.
func (p Privacy) ConsentReceipt(ctx context.Context, may permit.Permit, which id.Consent) (json.RawMessage, error) {
	g, err := granted(may)
	if err != nil {
		return nil, err
	}
	rec, err := p.Consent.One(ctx, may, g.Tenant, g.Subject, which)
	if err != nil {
		return nil, err
	}
	if rec.Leaf.IsZero() {
		return nil, problem.Conflict("log.older")
	}
	d, err := p.Proofs.Receipt(ctx, rec.Leaf, rec.Standard(g.Subject), rec.Opening)
	if err != nil {
		return nil, err
	}
	return json.Marshal(d)
}
