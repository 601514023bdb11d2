package share

import (
	"context"
	"fmt"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

// Given lists an owner's shares, invites and links, newest first. The permit is that of
// permit.ShareRead, or one that opens the person's own identity and choices.
//
// promise:P130
func (r *Room) Given(ctx context.Context, p permit.Permit, t id.Tenant, owner id.Account) ([]Given, error) {
	var rows []row
	err := r.DB.Read.NewRaw("SELECT "+columns+joinMember+"WHERE s.tenant_id = ? AND s.account_id = ? ORDER BY s.created_ms DESC, s.id DESC", t, owner).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list shares: %w", err)
	}
	if promise.Cut("P130") && len(rows) > 0 {
		rows = rows[1:]
	}
	return r.givens(ctx, p, t, rows)
}

// Received lists what was shared with an account, newest first. What its owner has taken back, or
// what went with the owner, is over. The permit opens the member's own identity.
func (r *Room) Received(ctx context.Context, p permit.Permit, t id.Tenant, member id.Account) ([]Received, error) {
	var mine []struct {
		ID       id.Share   `bun:"share_id"`
		Owner    id.Account `bun:"owner_id"`
		Told     []byte     `bun:"told"`
		Accepted int64      `bun:"accepted_ms"`
	}
	err := r.DB.Read.NewRaw("SELECT share_id, owner_id, told, accepted_ms FROM share_member WHERE tenant_id = ? AND account_id = ? ORDER BY accepted_ms DESC, share_id DESC", t, member).Scan(ctx, &mine)
	if err != nil {
		return nil, fmt.Errorf("list what is shared: %w", err)
	}
	sealed := make([]seal.Sealed, len(mine))
	for i, w := range mine {
		sealed[i] = seal.Sealed{Place: toldPlace(t, member, w.ID), Value: w.Told}
	}
	told, err := open[Told](ctx, r, p, sealed)
	if err != nil {
		return nil, err
	}
	out := make([]Received, len(mine))
	for i, w := range mine {
		out[i] = Received{ID: w.ID, Owner: w.Owner, Place: told[i].Place, By: told[i].By, Over: true, Accepted: clock.Millis(w.Accepted)}
		if err := r.still(ctx, t, member, &out[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// still fills in what a share that is not over allows.
func (r *Room) still(ctx context.Context, t id.Tenant, member id.Account, s *Received) error {
	var rows []row
	err := r.DB.Read.NewRaw("SELECT "+columns+joinMember+"WHERE s.tenant_id = ? AND s.id = ? AND s.state = 'open' AND m.account_id = ?", t, s.ID, member).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 || rows[0].over(r.now()) {
		return err
	}
	g, err := r.one(ctx, t, rows[0])
	if err != nil { // whose owner is leaving: nothing to tell any more
		if refused(err) {
			return nil
		}
		return err
	}
	s.Over, s.Scope, s.Terms = false, g.Scope, g.Terms
	return nil
}

// Names tells by which of an owner's words to call who used something: a member, or a link. What is
// not in it has left, or was forgotten.
func Names(given []Given) (members map[id.Account]string, links map[id.Share]string) {
	members, links = map[id.Account]string{}, map[id.Share]string{}
	for _, g := range given { // newest first: the newest word stays
		name := g.Label
		if name == "" {
			name = g.Email
		}
		if g.Kind == Link {
			links[g.ID] = name
		} else if !g.Member.IsZero() && members[g.Member] == "" {
			members[g.Member] = name
		}
	}
	return members, links
}

// Sides are the owner and, where there is one, the member of a share: whose browsers are told of it.
func (r *Room) Sides(ctx context.Context, t id.Tenant, s id.Share) ([]id.Account, error) {
	var rows []row
	if err := r.DB.Read.NewRaw("SELECT "+columns+joinMember+"WHERE s.tenant_id = ? AND s.id = ?", t, s).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("find share: %w", err)
	}
	var out []id.Account
	for _, w := range rows {
		out = append(out, w.Owner)
		if !w.Member.IsZero() {
			out = append(out, w.Member)
		}
	}
	return out, nil
}

// ZoneOf is the time zone of the place a shared camera stands at.
func (r *Room) ZoneOf(ctx context.Context, t id.Tenant, owner id.Account, b id.Binding) (*time.Location, error) {
	of, site, err := r.Places.Where(ctx, t, b)
	if err == nil && of != owner {
		err = problem.NotFound()
	}
	if err != nil {
		return nil, err
	}
	p, err := r.weigh(ctx, t, owner)
	if err != nil {
		return nil, err
	}
	return r.Places.Zone(ctx, p, t, owner, site)
}
