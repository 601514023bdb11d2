package account

import (
	"context"
	"encoding/json"
	"io"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
)

// Holder is the room as rights sees it. What it holds is about the person, not about a camera or
// one purpose, so it goes with the account only.
type Holder struct{ Of *Room }

var (
	_ rights.Holder = Holder{}
	_ rights.Leaver = Holder{}
)

// Leaving lists the accounts that are being closed.
func (h Holder) Leaving(ctx context.Context) ([]rights.Whose, error) {
	var rows []struct {
		Tenant  id.Tenant  `bun:"tenant_id"`
		Subject id.Subject `bun:"id"`
	}
	if err := h.Of.DB.Read.NewRaw("SELECT tenant_id, id FROM account_account WHERE state = 'closing'").Scan(ctx, &rows); err != nil {
		return nil, err
	}
	out := make([]rights.Whose, len(rows))
	for i, r := range rows {
		out[i] = rights.Whose{Tenant: r.Tenant, Subject: r.Subject}
	}
	return out, nil
}

// Room is the room's name.
func (Holder) Room() string { return "account" }

func spared(w rights.Whose) bool { return !w.Binding.IsZero() || w.Purpose != "" }

// Count tells what is held about a person.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if spared(w) {
		return nil, nil
	}
	var a struct {
		N        int64 `bun:"n"`
		Identity int64 `bun:"identity"`
		Settings int64 `bun:"settings"`
		Verifier int64 `bun:"verifier"`
		Second   int64 `bun:"second"`
		Since    int64 `bun:"since"`
		Sessions int64 `bun:"sessions"`
		About    int64 `bun:"about"`
	}
	err := h.Of.DB.Read.NewRaw(`SELECT count(*) AS n, coalesce(sum(length(name) + length(email) + coalesce(length(clients), 0)), 0) AS identity, coalesce(sum(length(settings)), 0) AS settings,
		coalesce(sum(length(verifier)), 0) AS verifier, coalesce(sum(length(second)), 0) AS second, coalesce(min(created_ms), 0) AS since,
		(SELECT count(*) FROM account_session WHERE tenant_id = ? AND account_id = ?) AS sessions,
		(SELECT coalesce(sum(length(about)), 0) FROM account_session WHERE tenant_id = ? AND account_id = ?) AS about
		FROM account_account WHERE tenant_id = ? AND id = ?`, w.Tenant, w.Subject, w.Tenant, w.Subject, w.Tenant, w.Subject).Scan(ctx, &a)
	if err != nil || a.N == 0 {
		return nil, err
	}
	line := func(c passport.Category, kind string, n, bytes int64, p passport.Purpose, ends string) rights.Held {
		return rights.Held{Room: h.Room(), Category: c, Kind: kind, Count: n, Bytes: bytes, Oldest: clock.Millis(a.Since), Ends: ends, Purpose: p, Basis: passport.Contract}
	}
	out := []rights.Held{
		line(passport.Identity, "profile", a.N, a.Identity, passport.Account, "account closed"),
		line(passport.Setting, "settings", a.N, a.Settings, passport.Account, "account closed"),
		line(passport.Credential, "password", a.N, a.Verifier, passport.Security, "account closed"),
	}
	if a.Second > 0 {
		out = append(out, line(passport.Credential, "second_step", 1, a.Second, passport.Security, "account closed"))
	}
	if a.Sessions > 0 {
		s := line(passport.Identity, "session", a.Sessions, a.About, passport.Security, "signed out")
		s.Oldest = 0
		out = append(out, s)
	}
	return out, nil
}

// Export writes the profile, the choices and the sessions. Of the password and the
// second step it says that there is one.
func (h Holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if spared(w) {
		return nil
	}
	a := id.Account(w.Subject)
	prof, err := h.Of.Get(ctx, p, w.Tenant, a)
	if err != nil {
		return err
	}
	clients, err := h.Of.clients(ctx, p, w.Tenant, a)
	if err != nil {
		return err
	}
	out := json.NewEncoder(to)
	for _, line := range []map[string]any{
		{"kind": "profile", "id": prof.ID, "name": prof.Name, "email": prof.Email, "created_at": prof.CreatedAt.Time(), "clients": clients},
		{"kind": "settings", "language": prof.Language, "theme": prof.Theme, "time_zone": prof.TimeZone},
		{"kind": "password", "held": "a verifier, from which nobody can tell the password"},
	} {
		if err := out.Encode(line); err != nil {
			return err
		}
	}
	on, since, err := h.Of.HasSecond(ctx, w.Tenant, a)
	if err != nil {
		return err
	}
	if on {
		if err := out.Encode(map[string]any{"kind": "second_step", "on_since": since.String(), "held": "a key and hashes of recovery codes, which are not copied: they let in"}); err != nil {
			return err
		}
	}
	all, err := h.Of.Sessions(ctx, p, w.Tenant, a)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := out.Encode(map[string]any{
			"kind": "session", "id": s.ID, "client": s.Client, "created_at": s.CreatedAt.Time(), "seen_on": s.SeenOn.String(), "expires_at": s.Expires.Time(),
		}); err != nil {
			return err
		}
	}
	return nil
}

func owned(w rights.Whose) []rights.Rows {
	if spared(w) {
		return nil
	}
	args := []any{w.Tenant, w.Subject}
	return []rights.Rows{{Table: "account_session", Where: "tenant_id = ? AND account_id = ?", Args: args}, {Table: "account_account", Where: "tenant_id = ? AND id = ?", Args: args}}
}

// Erase takes the account's rows away.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (rights.Swept, error) {
	return rights.EraseRows(ctx, h.Of.DB, owned(w))
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	return rights.ScanRows(ctx, h.Of.DB, owned(w))
}
