package takeaway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"candor/internal/clock"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
)

// Holder is the room as rights sees it. A copy is about all there is: whatever is taken back or
// deleted ends the copies made before.
type Holder struct{ Of *Room }

var _ rights.Holder = Holder{}

// Room is the room's name.
func (Holder) Room() string { return "takeaway" }

func narrow(w rights.Whose) bool { return !w.Binding.IsZero() || w.Purpose != "" }

const ofSubject = "tenant_id = ? AND subject_id = ?"

// Count tells how many copies were asked for in the last month.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if narrow(w) {
		return nil, nil
	}
	all, err := h.Of.find(ctx, h.Of.DB.Read, ofSubject, w.Tenant, w.Subject)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	held := rights.Held{Room: h.Room(), Category: passport.Technical, Kind: "copy", Ends: "account closed", Purpose: passport.Rights, Basis: passport.Obligation}
	for _, one := range all {
		held.Count++
		if one.State == Ready {
			held.Bytes += one.Frozen
		}
		if held.Oldest == 0 || one.Created < held.Oldest {
			held.Oldest = one.Created
		}
	}
	held.Until = held.Oldest + clock.Millis(history.Milliseconds()) + days*clock.Millis(day.Milliseconds())
	return []rights.Held{held}, nil
}

// Export writes a line for each copy, newest first.
func (h Holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if narrow(w) {
		return nil
	}
	if g, ok := p.Grant(); !ok || g.Tenant != w.Tenant || g.Subject != w.Subject {
		return permit.ErrOther
	}
	all, err := h.Of.find(ctx, h.Of.DB.Read, ofSubject, w.Tenant, w.Subject)
	if err != nil {
		return err
	}
	out := json.NewEncoder(to)
	for _, one := range all {
		if err := out.Encode(map[string]any{
			"kind": "copy", "id": one.ID, "state": one.State, "ended_because": one.Why, "asked_at": stamp(one.Created), "language": one.Language, "bytes": one.Size,
		}); err != nil {
			return err
		}
	}
	return nil
}

// void are the copies that end with what w says.
func (h Holder) void(ctx context.Context, w rights.Whose) ([]*row, error) {
	where, args := ofSubject+" AND state <> ?", []any{w.Tenant, w.Subject, string(Ended)}
	if w.Before != 0 {
		where, args = where+" AND created_ms < ?", append(args, int64(w.Before))
	}
	return h.Of.find(ctx, h.Of.DB.Write, where, args...)
}

// Void destroys the keys of the copies that end with what w says, before anything is swept.
func (h Holder) Void(ctx context.Context, w rights.Whose) error {
	all, err := h.void(ctx, w)
	errs := []error{err}
	for _, one := range all {
		errs = append(errs, h.Of.end(ctx, one, Changed))
	}
	return errors.Join(errs...)
}

// Erase ends copies, and forgets them when their person leaves.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (swept rights.Swept, err error) {
	alive, err := h.void(ctx, w)
	if err != nil {
		return swept, err
	}
	for _, one := range alive {
		if err := h.Of.end(ctx, one, Changed); err != nil {
			return swept, err
		}
		swept.Add(rights.Swept{Objects: 1, Bytes: one.Frozen})
	}
	if narrow(w) {
		return swept, nil
	}
	for o, err := range h.Of.Store.List(ctx, prefix(w)) {
		if err == nil {
			err = h.Of.Store.Delete(o.Name)
		}
		if err != nil {
			return swept, fmt.Errorf("erase copies: %w", err)
		}
		swept.Add(rights.Swept{Objects: 1, Bytes: o.Size})
	}
	res, err := h.Of.DB.Write.NewRaw("DELETE FROM takeaway_export WHERE "+ofSubject, w.Tenant, w.Subject).Exec(ctx)
	if err != nil {
		return swept, fmt.Errorf("erase copies: %w", err)
	}
	n, err := res.RowsAffected()
	swept.Rows += n
	return swept, err
}

func prefix(w rights.Whose) string { return w.Tenant.Hex() + "/" + w.Subject.Hex() }

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	rows := rights.Finding{Where: "takeaway_export"}
	if err := h.Of.DB.Write.NewRaw("SELECT count(*) FROM takeaway_export").Scan(ctx, &rows.Looked); err != nil {
		return nil, fmt.Errorf("scan copies: %w", err)
	}
	alive, err := h.void(ctx, w)
	rows.Found = int64(len(alive))
	if err != nil || narrow(w) {
		return []rights.Finding{rows}, err
	}
	if err := h.Of.DB.Write.NewRaw("SELECT count(*) FROM takeaway_export WHERE "+ofSubject, w.Tenant, w.Subject).Scan(ctx, &rows.Found); err != nil {
		return nil, fmt.Errorf("scan copies: %w", err)
	}
	objects := rights.Finding{Where: "blob:exports"}
	drafts, err := h.Of.Store.Drafts()
	if err != nil {
		return nil, fmt.Errorf("scan copies: %w", err)
	}
	for _, name := range drafts {
		objects.Looked++
		if strings.HasPrefix(name, prefix(w)+"/") {
			objects.Found++
		}
	}
	for _, err := range h.Of.Store.List(ctx, prefix(w)) {
		if err != nil {
			return nil, fmt.Errorf("scan copies: %w", err)
		}
		objects.Looked++
		objects.Found++
	}
	return []rights.Finding{rows, objects}, nil
}
