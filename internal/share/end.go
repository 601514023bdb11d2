package share

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

func refused(err error) bool {
	p, ok := problem.Of(err)
	return ok && p.Status < http.StatusInternalServerError
}

// End takes a share of one's own back: an invite, a link or a member's. What rests on it has ended when
// it returns. One that has ended already is forgotten, with what it was called.
//
// promise:P123
func (r *Room) End(ctx context.Context, p permit.Permit, t id.Tenant, owner id.Account, s id.Share) error {
	if err := r.may(p, t, owner, permit.ShareChange); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	ended, err := r.end(ctx, "account_id = ?", t, s, owner)
	if err != nil || ended {
		return err
	}
	return r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		const it = "tenant_id = ? AND id = ? AND account_id = ?"
		if err := bury(ctx, tx, r.now(), it, t, s, owner); err != nil {
			return err
		}
		res, err := tx.NewRaw("DELETE FROM share_share WHERE "+it, t, s, owner).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); err != nil || n == 0 {
			return errors.Join(err, problem.NotFound())
		}
		_, err = tx.NewRaw("DELETE FROM share_visit WHERE tenant_id = ? AND share_id = ?", t, s).Exec(ctx)
		return err
	})
}

// Leave ends what was shared with a member, and forgets it on the member's side.
func (r *Room) Leave(ctx context.Context, p permit.Permit, t id.Tenant, member id.Account, s id.Share) error {
	if err := r.may(p, t, member, permit.ShareChange); err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	_, err := r.end(ctx, "id IN (SELECT share_id FROM share_member WHERE account_id = ?)", t, s, member)
	if err != nil {
		return err
	}
	res, err := r.DB.Write.NewRaw("DELETE FROM share_member WHERE tenant_id = ? AND share_id = ? AND account_id = ?", t, s, member).Exec(ctx)
	if err != nil {
		return fmt.Errorf("leave share: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(err, problem.NotFound())
	}
	return nil
}

// end writes the end of a share down and revokes it. It reports whether there was one to end.
func (r *Room) end(ctx context.Context, whose string, t id.Tenant, s id.Share, a id.Account) (bool, error) {
	res, err := r.DB.Write.NewRaw("UPDATE share_share SET state = 'ended', ended_ms = ? WHERE tenant_id = ? AND id = ? AND state <> 'ended' AND "+whose, int64(r.now()), t, s, a).Exec(ctx)
	if err != nil {
		return false, fmt.Errorf("end share: %w", err)
	}
	n, err := res.RowsAffected()
	if err != nil || n == 0 {
		return false, err
	}
	return true, r.Gate.Revoke(ctx, gate.Right{Tenant: t, Share: s})
}

// Expire writes down what is over by the clock, revokes it, and forgets what ended longer ago than
// access records name it. It returns how many shares ended.
func (r *Room) Expire(ctx context.Context) (int, error) {
	now := r.now()
	var gone []struct {
		Tenant id.Tenant `bun:"tenant_id"`
		ID     id.Share  `bun:"id"`
	}
	err := r.DB.Write.NewRaw(`UPDATE share_share SET state = 'ended', ended_ms = ? WHERE state = 'open' AND until_ms > 0 AND until_ms <= ? OR state = 'invited' AND (accept_ms <= ? OR until_ms > 0 AND until_ms <= ?)
		RETURNING tenant_id, id`, int64(now), int64(now), int64(now), int64(now)).Scan(ctx, &gone)
	if err != nil {
		return 0, fmt.Errorf("expire shares: %w", err)
	}
	for _, g := range gone {
		err = errors.Join(err, r.Gate.Revoke(ctx, gate.Right{Tenant: g.Tenant, Share: g.ID}))
	}
	old := now - clock.Millis(keepEnded.Milliseconds())
	for _, q := range []struct {
		sql    string
		before clock.Millis
	}{
		{"DELETE FROM share_visit WHERE share_id IN (SELECT id FROM share_share WHERE state = 'ended' AND ended_ms < ?)", old},
		{"DELETE FROM share_share WHERE state = 'ended' AND ended_ms < ?", old},
		{"DELETE FROM share_over WHERE until_ms < ?", now},
	} {
		_, gone := r.DB.Write.NewRaw(q.sql, int64(q.before)).Exec(ctx)
		err = errors.Join(err, gone)
	}
	return len(gone), err
}

// endOf writes down on the owners' side that a member has left for good.
func endOf(ctx context.Context, tx bun.Tx, t id.Tenant, member id.Account, now clock.Millis) error {
	_, err := tx.NewRaw(`UPDATE share_share SET state = 'ended', ended_ms = ? WHERE tenant_id = ? AND state <> 'ended' AND id IN (SELECT share_id FROM share_member WHERE tenant_id = ? AND account_id = ?)`,
		int64(now), t, t, member).Exec(ctx)
	return err
}
