package notify

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

// Holder is the room as rights sees it. A camera that goes takes along what everybody chose and was
// told about it; a consent to push that is withdrawn takes the person's devices.
type Holder struct{ Of *Room }

var _ rights.Holder = Holder{}

// Room is the room's name.
func (Holder) Room() string { return "notify" }

// tables are those with rows about people; sealed names the column that counts as their size.
var tables = []struct {
	name, sealed string
	kind         string // in the inventory; "": random ids only
	category     passport.Category
	ends         string
	camera       bool // goes with its camera
	push         bool // goes with the consent to push
}{
	{name: "notify_rule", sealed: "choice", kind: "alert_rule", category: passport.Setting, ends: "account closed", camera: true},
	{name: "notify_pause", sealed: "span", kind: "alert_pause", category: passport.Setting, ends: "account closed", camera: true},
	{name: "notify_device", sealed: "subscription", kind: "push_device", category: passport.Setting, ends: "account closed", push: true},
	{name: "notify_outbox", sealed: "message", kind: "message_waiting", category: passport.Event, camera: true},
	{name: "notify_log", sealed: "entry", kind: "message", category: passport.Event, camera: true},
	{name: "notify_ticket", sealed: "hash", camera: true},
	{name: "notify_gap", sealed: "binding_id", camera: true},
}

func whole(w rights.Whose) bool { return w.Binding.IsZero() && w.Purpose == "" }

// Count tells what is held about a person.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if !whole(w) {
		return nil, nil
	}
	var out []rights.Held
	for _, t := range tables {
		if t.kind == "" {
			continue
		}
		held := rights.Held{Room: h.Room(), Category: t.category, Kind: t.kind, Ends: t.ends, Purpose: passport.Alerts, Basis: passport.Contract}
		if err := h.Of.DB.Read.NewRaw("SELECT count(*), coalesce(sum(length(?)), 0) FROM ? WHERE tenant_id = ? AND account_id = ?",
			bun.Ident(t.sealed), bun.Ident(t.name), w.Tenant, w.Subject).Scan(ctx, &held.Count, &held.Bytes); err != nil {
			return nil, fmt.Errorf("count %s: %w", t.name, err)
		}
		if held.Count == 0 {
			continue
		}
		switch t.name {
		case "notify_log":
			var day int64
			if err := h.Of.DB.Read.NewRaw("SELECT coalesce(min(day), 0) FROM notify_log WHERE tenant_id = ? AND account_id = ?", w.Tenant, w.Subject).Scan(ctx, &day); err != nil {
				return nil, fmt.Errorf("count %s: %w", t.name, err)
			}
			held.Oldest = clock.At(clock.Day(day).Start())
			held.Until = clock.At(clock.Day(day).Start().Add(Keep))
		case "notify_outbox":
			held.Until = clock.At(h.Of.Clock.Now().Add(message{}.useful()))
		case "notify_device":
			held.Purpose, held.Basis = passport.Push, passport.Consent
		}
		out = append(out, held)
	}
	return out, nil
}

// Export writes what is held, opened.
func (h Holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if !whole(w) {
		return nil
	}
	a, out := id.Account(w.Subject), json.NewEncoder(to)
	rules, err := h.Of.Rules(ctx, p, w.Tenant, a)
	if err != nil {
		return err
	}
	for _, r := range rules {
		if err := out.Encode(map[string]any{
			"kind": "alert_rule", "camera": r.Binding, "of": r.Kind, "channels": r.Channels, "pictures": r.Pictures, "hours": r.Hours, "mail_off": r.MailOff,
		}); err != nil {
			return err
		}
	}
	return h.exportRest(ctx, p, w, out)
}

func (h Holder) exportRest(ctx context.Context, p permit.Permit, w rights.Whose, out *json.Encoder) error {
	a := id.Account(w.Subject)
	var pauses []pauseRow
	if err := h.Of.DB.Read.NewRaw("SELECT tenant_id, account_id, binding_id, row_id, span FROM notify_pause WHERE tenant_id = ? AND account_id = ?", w.Tenant, a).Scan(ctx, &pauses); err != nil {
		return err
	}
	for _, one := range pauses {
		var s span
		if err := h.open(ctx, p, place(w.Tenant, a, spanPassport, one.Row), one.Span, &s); err != nil {
			return err
		}
		if err := out.Encode(map[string]any{"kind": "alert_pause", "camera": one.Binding, "at": s.At.Time(), "left_seconds": s.Left.Seconds()}); err != nil {
			return err
		}
	}
	devices, err := h.Of.devices(ctx, w.Tenant, a, "")
	if err != nil {
		return err
	}
	known, err := h.Of.abouts(ctx, p, w.Tenant, a, devices)
	if err != nil {
		return err
	}
	for i, s := range known { // the address itself is of no use to anybody but this installation
		if err := out.Encode(map[string]any{"kind": "push_device", "agent": s.Agent, "added_at": s.At.Time(), "state": devices[i].State}); err != nil {
			return err
		}
	}
	var waiting []queueRow
	if err := h.Of.DB.Read.NewRaw("SELECT row_id, message, channel FROM notify_outbox WHERE tenant_id = ? AND account_id = ?", w.Tenant, a).Scan(ctx, &waiting); err != nil {
		return err
	}
	for _, q := range waiting {
		var m message
		if err := h.open(ctx, p, place(w.Tenant, a, messagePassport, q.Row), q.Message, &m); err != nil {
			return err
		}
		if err := out.Encode(map[string]any{"kind": "message_waiting", "of": m.Kind, "camera": m.Camera, "at": m.At.Time(), "count": m.Count, "channel": q.Channel}); err != nil {
			return err
		}
	}
	for before := int64(0); ; {
		page, next, err := h.Of.Sent(ctx, p, w.Tenant, a, before, 500)
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := out.Encode(map[string]any{
				"kind": "message", "at": e.At.Time(), "of": e.Kind, "camera": e.Camera, "channel": e.Channel, "device": e.Device, "result": e.Result, "count": e.Count, "moment": e.Moment.Time(),
			}); err != nil {
				return err
			}
		}
		if before = next; next == 0 {
			return nil
		}
	}
}

func (h Holder) open(ctx context.Context, p permit.Permit, at seal.Place, v []byte, into any) error {
	plain, err := h.Of.Keeper.Open(ctx, p, at, v)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, into)
}

// owned is what a goodbye takes of each table.
func owned(w rights.Whose) (out []rights.Rows) {
	for _, t := range tables {
		switch {
		case whole(w), w.Purpose == passport.Push && w.Binding.IsZero() && t.push:
			out = append(out, rights.Rows{Table: t.name, Where: "tenant_id = ? AND account_id = ?", Args: []any{w.Tenant, w.Subject}})
		case w.Purpose == "" && t.camera:
			out = append(out, rights.Rows{Table: t.name, Where: "tenant_id = ? AND binding_id = ?", Args: []any{w.Tenant, w.Binding}})
		}
	}
	return out
}

// Erase takes rows away.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (rights.Swept, error) {
	swept, err := rights.EraseRows(ctx, h.Of.DB, owned(w))
	if err == nil {
		h.Of.drop(w)
	}
	return swept, err
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	return rights.ScanRows(ctx, h.Of.DB, owned(w))
}

// drop forgets what memory holds of it.
func (r *Room) drop(w rights.Whose) {
	r.mu.Lock()
	defer r.mu.Unlock()
	gone := func(t id.Tenant, a id.Account, b id.Binding) bool {
		return t == w.Tenant && (w.Binding.IsZero() && id.SubjectOf(a) == w.Subject || !w.Binding.IsZero() && b == w.Binding)
	}
	if w.Purpose != "" {
		return
	}
	for k := range r.series {
		if gone(k.tenant, k.account, k.binding) {
			delete(r.series, k)
		}
	}
	for k := range r.pauses {
		if gone(k.tenant, k.account, k.binding) {
			delete(r.pauses, k)
		}
	}
}
