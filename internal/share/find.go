package share

import (
	"context"
	"fmt"
	"slices"
	"time"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/promise"
	"candor/internal/seal"
)

// Find answers the gate: the share by which a member or a visitor may use an ability with an owner's
// camera now. Where several do, it is the one that reaches furthest back, then the one that lasts longest.
//
// promise:P123
// promise:P125
func (r *Room) Find(ctx context.Context, t id.Tenant, actor permit.Actor, owner id.Account, b id.Binding, a permit.Ability, at time.Time) (gate.Share, bool, error) {
	of, site, err := r.Places.Where(ctx, t, b)
	if err != nil || of != owner || owner.IsZero() {
		return gate.Share{}, false, err
	}
	rows, err := r.held(ctx, t, actor, owner, b, site)
	if err != nil {
		return gate.Share{}, false, err
	}
	now, related := r.now(), false
	var best gate.Share
	for _, w := range rows {
		if w.over(now) && !promise.Cut("P123") {
			if Kind(w.Kind) == Link {
				return gate.Share{}, false, linkOver()
			}
			continue
		}
		related = true
		//promise:P125
		if a != permit.See && !slices.Contains(split(w.Abilities), a) && !promise.Cut("P125") {
			continue
		}
		s, ok, err := r.allowed(ctx, t, w, site, a, at)
		if err != nil {
			return gate.Share{}, false, err
		}
		if ok && (best.ID.IsZero() || better(s, best)) {
			best = s
		}
	}
	return best, related, nil
}

// held are the shares of an actor that reach a camera: a visitor's link, or a member's.
func (r *Room) held(ctx context.Context, t id.Tenant, actor permit.Actor, owner id.Account, b id.Binding, site id.Site) (rows []row, err error) {
	const reaches = " AND s.tenant_id = ? AND s.account_id = ? AND (s.binding_id = ? OR s.site_id = ?) ORDER BY s.created_ms, s.id"
	switch {
	case !actor.Link.IsZero():
		err = r.DB.Read.NewRaw("SELECT "+columns+joinMember+"WHERE s.id = ? AND s.kind = 'link' AND s.state <> 'invited'"+reaches, actor.Link, t, owner, b, site).Scan(ctx, &rows)
	case !actor.Account.IsZero():
		err = r.DB.Read.NewRaw("SELECT "+columns+joinMember+"WHERE m.account_id = ? AND s.kind = 'member' AND s.state <> 'invited'"+reaches, actor.Account, t, owner, b, site).Scan(ctx, &rows)
	}
	if err != nil {
		return nil, fmt.Errorf("find shares: %w", err)
	}
	return rows, nil
}

// allowed adds to a share that includes the ability what its terms say: stretch, hours and end.
// That a thing is there may be seen at any hour.
func (r *Room) allowed(ctx context.Context, t id.Tenant, w row, site id.Site, a permit.Ability, at time.Time) (gate.Share, bool, error) {
	s := gate.Share{ID: w.ID, Until: clock.Millis(w.Until)}
	if a == permit.See {
		return s, true, nil
	}
	p, err := r.weigh(ctx, t, w.Owner)
	if err != nil {
		return gate.Share{}, false, err
	}
	said, err := open[terms](ctx, r, p, []seal.Sealed{w.sealedTerms(t)})
	if err != nil {
		return gate.Share{}, false, err
	}
	s.From, s.To = said[0].From, said[0].To
	if len(said[0].Hours) == 0 {
		return s, true, nil
	}
	zone, err := r.Places.Zone(ctx, p, t, w.Owner, site)
	if err != nil {
		return gate.Share{}, false, err
	}
	end, within := said[0].Hours.at(at, zone)
	if e := clock.At(end); within && (s.Until == 0 || e < s.Until) {
		s.Until = e
	}
	return s, within, nil
}

func better(a, b gate.Share) bool {
	if a.From != b.From {
		return a.From < b.From
	}
	return a.Until == 0 && b.Until != 0 || a.Until != 0 && b.Until != 0 && a.Until > b.Until
}

// Members lists the accounts that may know of a camera now, for telling their browsers of it.
func (r *Room) Members(ctx context.Context, t id.Tenant, owner id.Account, b id.Binding) ([]id.Account, error) {
	of, site, err := r.Places.Where(ctx, t, b)
	if err != nil || of != owner || owner.IsZero() {
		return nil, err
	}
	var rows []row
	err = r.DB.Read.NewRaw("SELECT "+columns+joinMember+`WHERE s.tenant_id = ? AND s.account_id = ? AND s.state = 'open' AND s.kind = 'member' AND m.share_id IS NOT NULL
		AND (s.binding_id = ? OR s.site_id = ?)`, t, owner, b, site).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list members: %w", err)
	}
	var out []id.Account
	for _, w := range rows {
		if !w.over(r.now()) && !slices.Contains(out, w.Member) {
			out = append(out, w.Member)
		}
	}
	return out, nil
}

// Reach is a camera that was shared with somebody, and what they may do with it.
type Reach struct {
	Owner     id.Account
	Binding   id.Binding
	Abilities []permit.Ability
}

// With lists the cameras shared with an account now, in the order of acceptance. Hours are not
// weighed: whoever may come later knows that the camera is there.
func (r *Room) With(ctx context.Context, t id.Tenant, member id.Account) ([]Reach, error) {
	var rows []row
	err := r.DB.Read.NewRaw("SELECT "+columns+joinMember+"WHERE m.tenant_id = ? AND m.account_id = ? AND s.state = 'open' ORDER BY m.accepted_ms, s.id", t, member).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list what is shared: %w", err)
	}
	var out []Reach
	for _, w := range rows {
		if w.over(r.now()) {
			continue
		}
		cameras := []id.Binding{w.Binding}
		if !w.Site.IsZero() {
			if cameras, err = r.Places.At(ctx, t, w.Owner, w.Site); err != nil {
				return nil, err
			}
		}
		for _, b := range cameras {
			i := slices.IndexFunc(out, func(o Reach) bool { return o.Binding == b })
			if i < 0 {
				i, out = len(out), append(out, Reach{Owner: w.Owner, Binding: b})
			}
			out[i].Abilities, _ = set(append(out[i].Abilities, split(w.Abilities)...))
		}
	}
	return out, nil
}

// Can is what an account may do with a camera of somebody else, hours not weighed; nothing if it is
// not shared with them.
func (r *Room) Can(ctx context.Context, t id.Tenant, member id.Account, b id.Binding) ([]permit.Ability, error) {
	all, err := r.With(ctx, t, member)
	for _, c := range all {
		if c.Binding == b {
			return c.Abilities, err
		}
	}
	return nil, err
}
