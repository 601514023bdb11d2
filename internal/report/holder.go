package report

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"candor/internal/clock"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
)

// Holder is the room as rights sees it.
type Holder struct{ Of *Room }

var _ rights.Holder = Holder{}

// Room is the room's name.
func (Holder) Room() string { return "report" }

func concerns(w rights.Whose) bool { return w.Purpose == "" || w.Purpose == passport.Reports }

func where(w rights.Whose) (string, []any) {
	q, args := " FROM report_state WHERE tenant_id = ? AND subject_id = ?", []any{w.Tenant, w.Subject}
	if !w.Binding.IsZero() {
		q, args = q+" AND binding_id = ?", append(args, w.Binding)
	}
	return q, args
}

// erased narrows to what a goodbye takes. Only the day is in clear, so a withdrawal takes what was
// reported that day after somebody agreed again, too, if its sweep comes as late.
func erased(w rights.Whose) (string, []any) {
	q, args := where(w)
	if w.Before != 0 {
		q, args = q+" AND day <= ?", append(args, int64(clock.DayOf((w.Before-1).Time())))
	}
	return q, args
}

// Count tells how many reports there are.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if !concerns(w) {
		return nil, nil
	}
	held := rights.Held{Room: h.Room(), Category: passport.DeviceData, Kind: "report", Ends: "camera removed", Purpose: passport.Reports, Basis: passport.Consent}
	q, args := where(w)
	var day int64
	err := h.Of.DB.Read.NewRaw("SELECT count(*), coalesce(sum(length(state)), 0), coalesce(min(day), 0)"+q, args...).Scan(ctx, &held.Count, &held.Bytes, &day)
	if err != nil || held.Count == 0 {
		return nil, err
	}
	held.Oldest = clock.At(clock.Day(day).Start())
	held.Until = clock.At(clock.Day(day + keptDays + 1).Start())
	return []rights.Held{held}, nil
}

// Export writes a line for each report, newest first.
func (h Holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if !concerns(w) {
		return nil
	}
	all, err := h.Of.list(ctx, p, w.Tenant, w.Subject, w.Binding)
	if err != nil {
		return err
	}
	out := json.NewEncoder(to)
	for _, one := range all {
		if err := out.Encode(map[string]any{
			"kind": "report", "camera": one.Binding, "at": one.At.Time().Format("2006-01-02T15:04:05.000Z"), "reached": one.Reached, "code": one.Code,
		}); err != nil {
			return err
		}
	}
	return nil
}

// Erase takes reports away; their keys are gone.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (swept rights.Swept, err error) {
	if !concerns(w) {
		return swept, nil
	}
	q, args := erased(w)
	res, err := h.Of.DB.Write.NewRaw("DELETE"+q, args...).Exec(ctx)
	if err != nil {
		return swept, fmt.Errorf("erase reports: %w", err)
	}
	swept.Rows, err = res.RowsAffected()
	return swept, err
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	if !concerns(w) {
		return nil, nil
	}
	f := rights.Finding{Where: "report_state"}
	q, args := erased(w)
	err := h.Of.DB.Write.NewRaw("SELECT count(*)"+q, args...).Scan(ctx, &f.Found)
	if err == nil {
		err = h.Of.DB.Write.NewRaw("SELECT count(*) FROM report_state").Scan(ctx, &f.Looked)
	}
	if err != nil {
		return nil, fmt.Errorf("scan reports: %w", err)
	}
	return []rights.Finding{f}, nil
}
