package share

import (
	"context"
	"crypto/hmac"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
)

// Letter is what an invite says to whoever holds its token.
type Letter struct {
	By, Place string
	Site      bool // all cameras of the place
	Terms
	AcceptBy  clock.Millis
	Addressed bool // only the account with the invited address may accept it
}

// Letter opens an invite by its token. Problems: not_found, invite.used, invite.over.
func (r *Room) Letter(ctx context.Context, t id.Tenant, token string) (Letter, error) {
	w, err := r.invite(ctx, r.DB.Read, t, token)
	if err != nil {
		return Letter{}, err
	}
	g, err := r.one(ctx, t, w)
	if err != nil {
		return Letter{}, err
	}
	return Letter{By: g.By, Place: g.Place, Site: !g.Site.IsZero(), Terms: g.Terms, AcceptBy: g.AcceptBy, Addressed: len(w.Addressed) > 0}, nil
}

// Invited reports why somebody with that address may not come in by an invite: who was invited may
// sign up where signing up is closed. Problems: those of Letter, invite.other.
func (r *Room) Invited(ctx context.Context, t id.Tenant, token, email string) error {
	w, err := r.invite(ctx, r.DB.Read, t, token)
	if err != nil {
		return err
	}
	return w.allows(token, email)
}

func (w row) allows(token, email string) error {
	if len(w.Addressed) > 0 && !hmac.Equal(w.Addressed, addressed(token, email)) {
		return inviteOther()
	}
	return nil
}

// invite finds the invite of a token that can still be accepted.
func (r *Room) invite(ctx context.Context, db bun.IDB, t id.Tenant, token string) (row, error) {
	hash, ok := hashed(token)
	if !ok {
		return row{}, problem.NotFound()
	}
	var rows []row
	if err := db.NewRaw("SELECT "+columns+joinMember+"WHERE s.tenant_id = ? AND s.token_hash = ? AND s.kind = 'member'", t, hash).Scan(ctx, &rows); err != nil {
		return row{}, fmt.Errorf("find invite: %w", err)
	}
	switch {
	case len(rows) != 1:
		return row{}, problem.NotFound()
	case rows[0].AcceptBy == 0:
		return row{}, inviteUsed()
	case rows[0].over(r.now()):
		return row{}, inviteOver()
	}
	return rows[0], nil
}

// Accept lets a person in who holds an invite's token. Email is that of their account. Problems:
// those of Letter, invite.self, invite.other, invite.already.
func (r *Room) Accept(ctx context.Context, t id.Tenant, token string, member id.Account, email string) (Given, error) {
	w, err := r.invite(ctx, r.DB.Read, t, token)
	if err != nil {
		return Given{}, err
	}
	if w.Owner == member {
		return Given{}, problem.Conflict("invite.self")
	}
	if err := w.allows(token, email); err != nil {
		return Given{}, err
	}
	g, err := r.one(ctx, t, w)
	if err != nil {
		return Given{}, err
	}
	now := r.now()
	told, err := r.sealJSON(ctx, toldPlace(t, member, w.ID), Told{Place: g.Place, By: g.By})
	if err != nil {
		return Given{}, err
	}
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		res, err := tx.NewRaw("UPDATE share_share SET state = 'open', accept_ms = 0 WHERE tenant_id = ? AND id = ? AND state = 'invited'", t, w.ID).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n != 1 { // somebody was faster
			return errors.Join(err, inviteUsed())
		}
		var same int
		if err := tx.NewRaw(`SELECT count(*) FROM share_member AS m JOIN share_share AS s ON s.tenant_id = m.tenant_id AND s.id = m.share_id
			WHERE m.tenant_id = ? AND m.account_id = ? AND s.account_id = ? AND s.state = 'open' AND (s.until_ms = 0 OR s.until_ms > ?) AND (s.site_id = ? OR s.binding_id = ?)`,
			t, member, w.Owner, int64(now), w.Site, w.Binding).Scan(ctx, &same); err != nil {
			return err
		}
		if same > 0 {
			return problem.Conflict("invite.already")
		}
		_, err = tx.NewRaw("INSERT INTO share_member (tenant_id, share_id, account_id, owner_id, told, accepted_ms) VALUES (?, ?, ?, ?, ?, ?)",
			t, w.ID, member, w.Owner, told, int64(now)).Exec(ctx)
		return err
	})
	if err != nil {
		return Given{}, fmt.Errorf("accept invite: %w", err)
	}
	g.State, g.Member, g.Accepted, g.AcceptBy = Open, member, now, 0
	return g, nil
}

// Told is what a member keeps of a share: as it was called when they accepted.
type Told struct {
	Place string `json:"place"`
	By    string `json:"by"`
}

// one opens a share under the permit for weighing.
func (r *Room) one(ctx context.Context, t id.Tenant, w row) (Given, error) {
	p, err := r.weigh(ctx, t, w.Owner)
	if err != nil {
		return Given{}, err
	}
	all, err := r.givens(ctx, p, t, []row{w})
	if err != nil {
		return Given{}, err
	}
	return all[0], nil
}

// givens opens shares of one owner.
func (r *Room) givens(ctx context.Context, p permit.Permit, t id.Tenant, rows []row) ([]Given, error) {
	sealedTerms, sealedAbout := make([]seal.Sealed, len(rows)), make([]seal.Sealed, len(rows))
	for i, w := range rows {
		sealedTerms[i], sealedAbout[i] = w.sealedTerms(t), w.sealedAbout(t)
	}
	said, err := open[terms](ctx, r, p, sealedTerms)
	if err != nil {
		return nil, err
	}
	about, err := open[About](ctx, r, p, sealedAbout)
	if err != nil {
		return nil, err
	}
	now := r.now()
	out := make([]Given, len(rows))
	for i, w := range rows {
		out[i] = Given{
			ID: w.ID, Kind: Kind(w.Kind), State: State(w.State), Scope: w.scope(), About: about[i],
			Terms:    Terms{split(w.Abilities), said[i].Hours, said[i].From, said[i].To, clock.Millis(w.Until)},
			AcceptBy: clock.Millis(w.AcceptBy), Created: clock.Millis(w.Created), Ended: clock.Millis(w.Ended), Member: w.Member,
		}
		if w.Accepted != nil {
			out[i].Accepted = clock.Millis(*w.Accepted)
		}
		if w.over(now) && out[i].State != Ended {
			out[i].State, out[i].Ended = Ended, max(clock.Millis(w.Until), clock.Millis(w.AcceptBy))
			if State(w.State) == Open {
				out[i].Ended = clock.Millis(w.Until)
			}
		}
	}
	return out, nil
}
