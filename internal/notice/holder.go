package notice

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
)

// Holder is the room as rights sees it.
type Holder struct{ Of *Room }

var _ rights.Holder = Holder{}

// Room is the room's name.
func (Holder) Room() string { return "notice" }

// whole reports whether a question or a goodbye is about the whole account; only that concerns notices.
func whole(w rights.Whose) bool { return w.Binding.IsZero() && w.Purpose == "" }

const toldTo = " FROM notice_told WHERE tenant_id = ? AND subject_id = ?"

// Count tells how many notices concern a person.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if !whole(w) {
		return nil, nil
	}
	held := rights.Held{Room: h.Room(), Category: passport.Technical, Kind: "notice", Ends: "account closed", Purpose: passport.Rights, Basis: passport.Obligation}
	if err := h.Of.DB.Read.NewRaw("SELECT count(*)"+toldTo, w.Tenant, w.Subject).Scan(ctx, &held.Count); err != nil || held.Count == 0 {
		return nil, err
	}
	return []rights.Held{held}, nil
}

// Export writes a line for each notice that concerns a person.
func (h Holder) Export(ctx context.Context, _ permit.Permit, w rights.Whose, to io.Writer) error {
	if !whole(w) {
		return nil
	}
	var rows []row
	err := h.Of.DB.Read.NewRaw("SELECT "+columns+", t.state FROM notice_notice n JOIN notice_told t ON t.tenant_id = n.tenant_id AND t.notice_id = n.id WHERE t.tenant_id = ? AND t.subject_id = ? ORDER BY n.id", w.Tenant, w.Subject).Scan(ctx, &rows)
	if err != nil {
		return fmt.Errorf("export notices: %w", err)
	}
	out := json.NewEncoder(to)
	for _, one := range rows {
		n, err := one.notice()
		if err != nil {
			return err
		}
		if err := out.Encode(map[string]any{"kind": "notice", "about": n.Kind, "declared_at_ms": n.Declared, "state": one.State, "texts": n.Texts}); err != nil {
			return err
		}
	}
	return nil
}

// Erase takes away that notices concerned a person.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (swept rights.Swept, err error) {
	if !whole(w) {
		return swept, nil
	}
	res, err := h.Of.DB.Write.NewRaw("DELETE"+toldTo, w.Tenant, w.Subject).Exec(ctx)
	if err != nil {
		return swept, fmt.Errorf("erase who was told: %w", err)
	}
	swept.Rows, err = res.RowsAffected()
	return swept, err
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	if !whole(w) {
		return nil, nil
	}
	f := rights.Finding{Where: "notice_told"}
	err := h.Of.DB.Write.NewRaw("SELECT count(*)"+toldTo, w.Tenant, w.Subject).Scan(ctx, &f.Found)
	if err == nil {
		err = h.Of.DB.Write.NewRaw("SELECT count(*) FROM notice_told").Scan(ctx, &f.Looked)
	}
	if err != nil {
		return nil, fmt.Errorf("scan who was told: %w", err)
	}
	return []rights.Finding{f}, nil
}
