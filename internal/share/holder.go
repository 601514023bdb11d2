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
	rights.Rows
	kind, sealed, since string
}

func parts(w rights.Whose) []part {
	if w.Purpose != "" {
		return nil
	}
	const whose = "tenant_id = ? AND account_id = ?"
	given := part{rights.Rows{Table: "share_share", Where: whose, Args: []any{w.Tenant, w.Subject}}, "share", "length(terms) + length(about)", "created_ms"}
	if !w.Binding.IsZero() {
		given.Where, given.Args = whose+" AND binding_id = ?", append(given.Args, w.Binding)
		return []part{given}
	}
	return []part{given, {rights.Rows{Table: "share_member", Where: whose, Args: []any{w.Tenant, w.Subject}}, "membership", "length(told)", "accepted_ms"}}
}

func owned(w rights.Whose) (out []rights.Rows) {
	for _, p := range parts(w) {
		out = append(out, p.Rows)
	}
	return out
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
		err := h.Of.DB.Read.NewRaw("SELECT count(*) AS n, coalesce(sum("+p.sealed+"), 0) AS bytes, coalesce(min("+p.since+"), 0) AS oldest FROM "+p.Table+" WHERE "+p.Where, p.Args...).Scan(ctx, &sum)
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
func (h Holder) Erase(ctx context.Context, w rights.Whose) (rights.Swept, error) {
	all := owned(w)
	if len(all) == 0 {
		return rights.Swept{}, nil
	}
	given := all[0]
	return rights.EraseRows(ctx, h.Of.DB, all, func(ctx context.Context, tx bun.Tx) error {
		if w.Binding.IsZero() {
			if err := endOf(ctx, tx, w.Tenant, id.Account(w.Subject), h.Of.now()); err != nil {
				return err
			}
		}
		if err := bury(ctx, tx, h.Of.now(), given.Where, given.Args...); err != nil {
			return err
		}
		_, err := tx.NewRaw("DELETE FROM share_visit WHERE share_id IN (SELECT id FROM share_share WHERE "+given.Where+")", given.Args...).Exec(ctx)
		return err
	})
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	return rights.ScanRows(ctx, h.Of.DB, owned(w))
}
