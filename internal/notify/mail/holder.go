package mail

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
	"candor/internal/seal"
)

// Holder is the room as rights sees it: letters that wait, which go with the account.
type Holder struct{ Of *Room }

var _ rights.Holder = Holder{}

// Room is the room's name.
func (Holder) Room() string { return "mail" }

func spared(w rights.Whose) bool { return !w.Binding.IsZero() || w.Purpose != "" }

const ofPerson = " FROM mail_letter WHERE tenant_id = ? AND account_id = ?"

// Count tells how many letters to a person wait.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if spared(w) {
		return nil, nil
	}
	held := rights.Held{Room: h.Room(), Category: passport.Identity, Kind: "letter", Ends: "sent", Purpose: passport.Security, Basis: passport.Contract}
	var until int64
	err := h.Of.DB.Read.NewRaw("SELECT count(*), coalesce(sum(length(letter)), 0), coalesce(min(until_ms), 0)"+ofPerson, w.Tenant, w.Subject).Scan(ctx, &held.Count, &held.Bytes, &until)
	if err != nil || held.Count == 0 {
		return nil, err
	}
	held.Until = clock.Millis(until)
	return []rights.Held{held}, nil
}

// Export writes the letters that wait, oldest first.
func (h Holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if spared(w) {
		return nil
	}
	var rows []struct {
		ID     id.Row `bun:"id"`
		Letter []byte `bun:"letter"`
	}
	if err := h.Of.DB.Read.NewRaw("SELECT id, letter"+ofPerson+" ORDER BY id", w.Tenant, w.Subject).Scan(ctx, &rows); err != nil {
		return fmt.Errorf("export letters: %w", err)
	}
	sealed := make([]seal.Sealed, len(rows))
	for i, row := range rows {
		sealed[i] = seal.Sealed{Place: place(w.Tenant, id.Account(w.Subject), row.ID), Value: row.Letter}
	}
	plain, err := h.Of.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return fmt.Errorf("export letters: %w", err)
	}
	out := json.NewEncoder(to)
	for i, row := range rows {
		var b body
		if err := json.Unmarshal(plain[i], &b); err != nil {
			return fmt.Errorf("export letters: %w", err)
		}
		if err := out.Encode(map[string]any{"kind": "letter", "id": row.ID, "to": b.To, "subject": b.Subject, "text": b.Text, "purpose": b.Purpose}); err != nil {
			return err
		}
	}
	return nil
}

// Erase takes away the letters that wait, those in memory as well.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (swept rights.Swept, err error) {
	if spared(w) {
		return swept, nil
	}
	h.Of.mu.Lock()
	for at, one := range h.Of.waiting {
		if one.tenant == w.Tenant && id.SubjectOf(one.account) == w.Subject {
			delete(h.Of.waiting, at)
		}
	}
	h.Of.mu.Unlock()
	err = h.Of.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		swept = rights.Swept{}
		if err := tx.NewRaw("SELECT count(*), coalesce(sum(length(letter)), 0)"+ofPerson, w.Tenant, w.Subject).Scan(ctx, &swept.Rows, &swept.Bytes); err != nil {
			return err
		}
		_, err := tx.NewRaw("DELETE"+ofPerson, w.Tenant, w.Subject).Exec(ctx)
		return err
	})
	if err != nil {
		return rights.Swept{}, fmt.Errorf("erase letters: %w", err)
	}
	return swept, nil
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	if spared(w) {
		return nil, nil
	}
	f := rights.Finding{Where: "mail_letter"}
	err := h.Of.DB.Read.NewRaw("SELECT count(*), coalesce(sum(CASE WHEN tenant_id = ? AND account_id = ? THEN 1 ELSE 0 END), 0) FROM mail_letter", w.Tenant, w.Subject).
		Scan(ctx, &f.Looked, &f.Found)
	if err != nil {
		return nil, fmt.Errorf("scan letters: %w", err)
	}
	return []rights.Finding{f}, nil
}
