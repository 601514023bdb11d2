package share

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
)

// Holder is the room as rights sees it. What an owner shared is theirs, and goes with the camera or
// the account; what was shared with a member is the member's, and goes with the member's account.
// Neither takes the other's row along.
type Holder struct{ Of *Room }

var _ rights.Holder = Holder{}

// Room is the room's name.
func (Holder) Room() string { return "share" }

// part is one of the two sides.
type part struct {
	table, kind, sealed, since string
	where                      string
	args                       []any
}

func parts(w rights.Whose) []part {
	if w.Purpose != "" {
		return nil
	}
	given := part{"share_share", "share", "length(terms) + length(about)", "created_ms", "tenant_id = ? AND account_id = ?", []any{w.Tenant, w.Subject}}
	if !w.Binding.IsZero() {
		given.where, given.args = given.where+" AND binding_id = ?", append(given.args, w.Binding)
		return []part{given}
	}
	return []part{given, {"share_member", "membership", "length(told)", "accepted_ms", "tenant_id = ? AND account_id = ?", []any{w.Tenant, w.Subject}}}
}

// Count tells what is held of both sides.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	var out []rights.Held
	for _, p := range parts(w) {
		var sum struct {
			N      int64 `bun:"n"`
			Bytes  int64 `bun:"bytes"`
			Oldest int64 `bun:"oldest"`
		}
		err := h.Of.DB.Read.NewRaw("SELECT count(*) AS n, coalesce(sum("+p.sealed+"), 0) AS bytes, coalesce(min("+p.since+"), 0) AS oldest FROM "+p.table+" WHERE "+p.where, p.args...).Scan(ctx, &sum)
		if err != nil {
			return nil, fmt.Errorf("count shares: %w", err)
		}
		if sum.N > 0 {
			out = append(out, rights.Held{
				Room: h.Room(), Category: passport.Contact, Kind: p.kind, Count: sum.N, Bytes: sum.Bytes, Oldest: clock.Millis(sum.Oldest),
				Ends: "share ended", Purpose: passport.Sharing, Basis: passport.Contract,
			})
		}
	}
	return out, nil
}

// Export writes what was shared by the person and with the person. Who a member is, beyond what the
// owner calls them, is not the owner's to take along.
func (h Holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if len(parts(w)) == 0 {
		return nil
	}
	a, out := id.Account(w.Subject), json.NewEncoder(to)
	given, err := h.Of.Given(ctx, p, w.Tenant, a)
	if err != nil {
		return err
	}
	for _, g := range given {
		if !w.Binding.IsZero() && g.Binding != w.Binding {
			continue
		}
		line := lineOf("share", g.ID, g.Scope, g.Terms)
		line["with"], line["state"], line["label"], line["email"], line["created_at"] = g.Kind, g.State, g.Label, g.Email, g.Created.Time()
		line["confirmed_at"] = g.Confirmed.Time()
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	if !w.Binding.IsZero() {
		return nil
	}
	received, err := h.Of.Received(ctx, p, w.Tenant, a)
	if err != nil {
		return err
	}
	for _, s := range received {
		line := lineOf("membership", s.ID, s.Scope, s.Terms)
		line["place"], line["by"], line["over"], line["accepted_at"] = s.Place, s.By, s.Over, s.Accepted.Time()
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func lineOf(kind string, s id.Share, scope Scope, t Terms) map[string]any {
	line := map[string]any{"kind": kind, "id": s, "abilities": t.Abilities, "hours": t.Hours}
	if !scope.Site.IsZero() {
		line["site"] = scope.Site
	}
	if !scope.Binding.IsZero() {
		line["camera"] = scope.Binding
	}
	for name, m := range map[string]clock.Millis{"from": t.From, "to": t.To, "until": t.Until} {
		if m != 0 {
			line[name] = m.Time()
		}
	}
	return line
}

// Erase takes a person's rows away. What was shared with them ends on the other side, which stays.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (swept rights.Swept, err error) {
	all := parts(w)
	if len(all) == 0 {
		return swept, nil
	}
	err = h.Of.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		swept = rights.Swept{}
		if w.Binding.IsZero() {
			if err := endOf(ctx, tx, w.Tenant, id.Account(w.Subject), h.Of.now()); err != nil {
				return err
			}
		}
		if err := bury(ctx, tx, h.Of.now(), all[0].where, all[0].args...); err != nil {
			return err
		}
		if _, err := tx.NewRaw("DELETE FROM share_visit WHERE share_id IN (SELECT id FROM share_share WHERE "+all[0].where+")", all[0].args...).Exec(ctx); err != nil {
			return err
		}
		for _, p := range all {
			res, err := tx.NewRaw("DELETE FROM "+p.table+" WHERE "+p.where, p.args...).Exec(ctx)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			swept.Rows += n
		}
		return nil
	})
	if err != nil {
		return rights.Swept{}, fmt.Errorf("erase shares: %w", err)
	}
	return swept, nil
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	var out []rights.Finding
	for _, p := range parts(w) {
		f := rights.Finding{Where: p.table}
		err := h.Of.DB.Read.NewRaw("SELECT count(*), coalesce(sum(CASE WHEN "+p.where+" THEN 1 ELSE 0 END), 0) FROM "+p.table, p.args...).Scan(ctx, &f.Looked, &f.Found)
		if err != nil {
			return nil, fmt.Errorf("scan shares: %w", err)
		}
		out = append(out, f)
	}
	return out, nil
}
