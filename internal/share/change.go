package share

import (
	"context"
	"errors"
	"fmt"

	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Change gives a member's share or an invite other terms and another label, whole: what is absent is
// gone. What rests on the old terms has ended when it returns, so that nothing goes on under them;
// whoever may still look comes in anew. What is shared stays as it was, and links stay as they were
// made. The permit is that of permit.ShareChange. Problems: not_found, share.fixed (a link, or a
// share that has ended), and those of Invite about terms.
//
// promise:P123
func (r *Room) Change(ctx context.Context, p permit.Permit, t id.Tenant, owner id.Account, s id.Share, label string, to Terms) (Given, error) {
	if err := r.may(p, t, owner, permit.ShareChange); err != nil {
		return Given{}, err
	}
	label, err := checkLabel(label)
	if err == nil {
		err = to.check(r.now(), longestShare)
	}
	if err != nil {
		return Given{}, err
	}
	r.making.Lock()
	defer r.making.Unlock()
	var rows []row
	if err := r.DB.Write.NewRaw("SELECT "+columns+joinMember+"WHERE s.tenant_id = ? AND s.id = ? AND s.account_id = ?", t, s, owner).Scan(ctx, &rows); err != nil {
		return Given{}, fmt.Errorf("find share: %w", err)
	}
	switch {
	case len(rows) == 0:
		return Given{}, problem.NotFound()
	case Kind(rows[0].Kind) != Member || rows[0].over(r.now()):
		return Given{}, problem.Conflict("share.fixed")
	}
	g, err := r.one(ctx, t, rows[0])
	if err != nil {
		return Given{}, err
	}
	g.Terms, g.Label = to, label
	if err := r.rewrite(ctx, t, owner, g); err != nil {
		return Given{}, err
	}
	return g, r.Gate.Revoke(context.WithoutCancel(ctx), gate.Right{Tenant: t, Share: s})
}

// rewrite puts a share's terms and label in the place of what was written, unless it ended meanwhile.
func (r *Room) rewrite(ctx context.Context, t id.Tenant, owner id.Account, g Given) error {
	sealedTerms, err := r.sealJSON(ctx, place(t, owner, g.Binding, g.ID, termsPassport), terms{g.Hours, g.From, g.To})
	if err != nil {
		return err
	}
	sealedAbout, err := r.sealJSON(ctx, place(t, owner, g.Binding, g.ID, aboutPassport), g.About)
	if err != nil {
		return err
	}
	res, err := r.DB.Write.NewRaw("UPDATE share_share SET abilities = ?, terms = ?, about = ?, until_ms = ? WHERE tenant_id = ? AND id = ? AND account_id = ? AND state <> 'ended'",
		joined(g.Abilities), sealedTerms, sealedAbout, int64(g.Until), t, g.ID, owner).Exec(ctx)
	if err != nil {
		return fmt.Errorf("change share: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, problem.Conflict("share.fixed"))
	}
	return nil
}
