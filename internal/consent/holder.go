package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/uptrace/bun"

	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
)

// Holder is the room as rights sees it. Records stay when one purpose is withdrawn or one camera
// goes, and go when the account does.
type Holder struct{ Of *Room }

var (
	_ rights.Holder = Holder{}
	_ rights.Leaver = Holder{}
)

// Leaving lists the purposes that were withdrawn and not agreed to again, for a camera or for all. One
// that was withdrawn for all and since agreed to for a single camera is over: whatever interrupted
// its goodbye, the start before that agreement said it.
func (h Holder) Leaving(ctx context.Context) ([]rights.Whose, error) {
	var rows []struct {
		Tenant  id.Tenant  `bun:"tenant_id"`
		Subject id.Subject `bun:"subject_id"`
		Binding id.Binding `bun:"binding_id"`
		Purpose string     `bun:"purpose"`
	}
	all := id.Binding{}
	err := h.Of.DB.Read.NewRaw(`SELECT tenant_id, subject_id, binding_id, purpose FROM consent_record AS c WHERE state = ? AND NOT EXISTS (
		SELECT 1 FROM consent_record AS later WHERE later.tenant_id = c.tenant_id AND later.subject_id = c.subject_id AND
			later.purpose = c.purpose AND later.n > c.n AND
			(later.binding_id = c.binding_id OR later.binding_id = ? OR c.binding_id = ? AND later.state = ?))`,
		string(Withdrawn), all[:], all[:], string(Given)).Scan(ctx, &rows)
	if err != nil {
		return nil, err
	}
	var out []rights.Whose
	for _, r := range rows {
		out = append(out, rights.Whose{Tenant: r.Tenant, Subject: r.Subject, Binding: r.Binding, Purpose: passport.Purpose(r.Purpose)})
	}
	return out, nil
}

// Room is the room's name.
func (Holder) Room() string { return "consent" }

func spared(w rights.Whose) bool { return !w.Binding.IsZero() || w.Purpose != "" }

const ofSubject = " FROM consent_record WHERE tenant_id = ? AND subject_id = ?"

// Count tells how many decisions are on record.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if spared(w) {
		return nil, nil
	}
	held := rights.Held{Room: h.Room(), Category: passport.ConsentLog, Kind: "consent", Ends: "account closed", Purpose: passport.Rights, Basis: passport.Obligation}
	err := h.Of.DB.Read.NewRaw("SELECT count(*), coalesce(sum(length(details)), 0)"+ofSubject, w.Tenant, w.Subject).Scan(ctx, &held.Count, &held.Bytes)
	if err != nil {
		return nil, err
	}
	var all []rights.Held
	if held.Count > 0 {
		all = append(all, held)
	}
	if h.Of.Versions == nil {
		return all, nil
	}
	answers, err := h.Of.Versions.count(ctx, w)
	return append(all, answers...), err
}

// Export writes every record under the standard's names, newest first.
func (h Holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if spared(w) {
		return nil
	}
	all, err := h.Of.History(ctx, p, w.Tenant, w.Subject)
	if err != nil {
		return err
	}
	out := json.NewEncoder(to)
	for _, r := range all {
		if err := out.Encode(struct {
			Kind string `json:"kind"`
			Standard
		}{"consent", r.Standard(w.Subject)}); err != nil {
			return err
		}
	}
	if h.Of.Versions == nil {
		return nil
	}
	return h.Of.Versions.export(ctx, p, w, out)
}

// Erase takes every record away when the person leaves.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (swept rights.Swept, err error) {
	if spared(w) {
		return swept, nil
	}
	err = h.Of.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		swept = rights.Swept{}
		if err := tx.NewRaw("SELECT count(*), coalesce(sum(length(details)), 0)"+ofSubject, w.Tenant, w.Subject).Scan(ctx, &swept.Rows, &swept.Bytes); err != nil {
			return err
		}
		if _, err := tx.NewRaw("DELETE"+ofSubject, w.Tenant, w.Subject).Exec(ctx); err != nil || h.Of.Versions == nil {
			return err
		}
		return h.Of.Versions.erase(ctx, tx, w, &swept)
	})
	if err != nil {
		return rights.Swept{}, fmt.Errorf("erase consents: %w", err)
	}
	return swept, nil
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	if spared(w) {
		return nil, nil
	}
	f := rights.Finding{Where: "consent_record"}
	err := h.Of.DB.Read.NewRaw("SELECT count(*), coalesce(sum(CASE WHEN tenant_id = ? AND subject_id = ? THEN 1 ELSE 0 END), 0) FROM consent_record", w.Tenant, w.Subject).
		Scan(ctx, &f.Looked, &f.Found)
	if err != nil {
		return nil, fmt.Errorf("scan consents: %w", err)
	}
	if h.Of.Versions == nil {
		return []rights.Finding{f}, nil
	}
	answers, err := h.Of.Versions.scan(ctx, w)
	return []rights.Finding{f, answers}, err
}
