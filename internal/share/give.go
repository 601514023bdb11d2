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
)

// Wanted is a share that an owner wants to give. Confirmed says that the owner has read what sharing
// means and, for a member, has that person's consent to be entered here.
type Wanted struct {
	Scope
	Terms
	Label, Email string
	By, Place    string // what the invited person is told
	Named        bool   // of a link: its page tells name and moment
	Confirmed    bool
}

// Invite makes an invite and the token that accepts it, which is nowhere else. The permit is that of
// permit.ShareChange. An email address was checked before. Problems: share.scope, share.abilities,
// share.hours, share.window, share.until, share.label, share.confirm, share.too_many, share.too_fast.
//
// promise:P126
func (r *Room) Invite(ctx context.Context, p permit.Permit, t id.Tenant, owner id.Account, w Wanted) (Given, string, error) {
	if !w.Confirmed && !promise.Cut("P126") {
		return Given{}, "", problem.Invalid("share.confirm")
	}
	w.Named = false
	return r.give(ctx, p, t, owner, Member, w, longestShare)
}

// Link makes a link and its token: to the clip from From to To or, without these, to the live
// picture. It ends by itself, after a day if nothing else is said.
//
// promise:P127
func (r *Room) Link(ctx context.Context, p permit.Permit, t id.Tenant, owner id.Account, w Wanted) (Given, string, error) {
	clip := w.From != 0 || w.To != 0
	live := len(w.Abilities) == 1 && w.Abilities[0] == permit.LiveView
	switch {
	case !w.Confirmed && !promise.Cut("P127"):
		return Given{}, "", problem.Invalid("share.warned")
	case w.Binding.IsZero(), len(w.Hours) > 0, live == clip:
		return Given{}, "", problem.Invalid("share.link")
	case clip && (w.From == 0 || w.To <= w.From || w.To-w.From > clock.Millis(maxClip.Milliseconds())):
		return Given{}, "", problem.Invalid("share.window")
	}
	for _, a := range w.Abilities {
		if a != permit.LiveView && a != permit.Playback && a != permit.Export {
			return Given{}, "", problem.Invalid("share.abilities")
		}
	}
	if w.Until == 0 {
		w.Until = clock.At(r.Clock.Now().Add(linkFor))
	}
	w.Email = ""
	return r.give(ctx, p, t, owner, Link, w, longestLink)
}

func (r *Room) give(ctx context.Context, p permit.Permit, t id.Tenant, owner id.Account, kind Kind, w Wanted, longest time.Duration) (Given, string, error) {
	//promise:P132
	if err := r.may(p, t, owner, permit.ShareChange); err != nil && !promise.Cut("P132") {
		return Given{}, "", err
	}
	now := r.now()
	err := w.Scope.check()
	if err == nil {
		err = w.Terms.check(now, longest)
	}
	if err == nil {
		w.Label, err = checkLabel(w.Label)
	}
	if err == nil && !promise.Cut("P132") {
		err = r.owns(ctx, t, owner, w.Scope)
	}
	if err != nil {
		return Given{}, "", err
	}
	g := Given{
		ID: id.Make[id.Share](), Kind: kind, State: Open, Scope: w.Scope, Terms: w.Terms, Created: now,
		About: About{Label: w.Label, Email: w.Email, By: w.By, Place: w.Place, Named: w.Named, Confirmed: now},
	}
	if kind == Member {
		g.State, g.AcceptBy = Invited, now+clock.Millis(inviteFor.Milliseconds())
	}
	text, hash := token()
	var to []byte
	if w.Email != "" {
		to = addressed(text, w.Email)
	}
	r.making.Lock()
	defer r.making.Unlock()
	if err := r.room(ctx, t, owner, kind, now); err != nil {
		return Given{}, "", err
	}
	sealedTerms, err := r.sealJSON(ctx, place(t, owner, w.Binding, g.ID, termsPassport), terms{w.Hours, w.From, w.To})
	if err != nil {
		return Given{}, "", err
	}
	sealedAbout, err := r.sealJSON(ctx, place(t, owner, w.Binding, g.ID, aboutPassport), g.About)
	if err != nil {
		return Given{}, "", err
	}
	_, err = r.DB.Write.NewRaw(`INSERT INTO share_share (tenant_id, id, account_id, kind, state, site_id, binding_id, abilities, terms, about, token_hash, addressed, accept_ms, until_ms, created_ms, ended_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0)`, t, g.ID, owner, string(kind), string(g.State), w.Site, w.Binding, joined(w.Abilities),
		sealedTerms, sealedAbout, hash, to, int64(g.AcceptBy), int64(w.Until), int64(now)).Exec(ctx)
	if err != nil {
		return Given{}, "", fmt.Errorf("give share: %w", err)
	}
	return g, text, nil
}

// owns reports whether what is to be shared is the owner's; what is not is not there.
func (r *Room) owns(ctx context.Context, t id.Tenant, owner id.Account, s Scope) error {
	if !s.Site.IsZero() {
		mine, err := r.Places.Owns(ctx, t, owner, s.Site)
		if err == nil && !mine {
			err = problem.NotFound()
		}
		return err
	}
	of, _, err := r.Places.Where(ctx, t, s.Binding)
	if err == nil && of != owner {
		err = problem.NotFound()
	}
	return err
}

// room reports whether an owner may have one more.
func (r *Room) room(ctx context.Context, t id.Tenant, owner id.Account, kind Kind, now clock.Millis) error {
	var have struct {
		Open  int `bun:"open"`
		Links int `bun:"links"`
		Made  int `bun:"made"`
	}
	day := clock.Millis((24 * time.Hour).Milliseconds())
	err := r.DB.Write.NewRaw(`SELECT coalesce(sum(CASE WHEN state <> 'ended' THEN 1 ELSE 0 END), 0) AS open,
		coalesce(sum(CASE WHEN state <> 'ended' AND kind = 'link' THEN 1 ELSE 0 END), 0) AS links,
		coalesce(sum(CASE WHEN kind = ? AND created_ms > ? THEN 1 ELSE 0 END), 0) AS made FROM share_share WHERE tenant_id = ? AND account_id = ?`,
		string(kind), int64(now-day), t, owner).Scan(ctx, &have)
	switch {
	case err != nil:
		return fmt.Errorf("count shares: %w", err)
	case have.Open >= maxShares, kind == Link && have.Links >= maxLinks:
		return problem.Conflict("share.too_many")
	case kind == Member && have.Made >= maxInvites, kind == Link && have.Made >= maxLinksDaily:
		return tooMany("share.too_fast")
	}
	return nil
}
