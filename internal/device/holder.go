package device

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
)

// Holder is the room as rights sees it. A camera serves more than one purpose, so it does not go
// when one of them is withdrawn; sites go with the account.
type Holder struct{ Of *Room }

var (
	_ rights.Holder = Holder{}
	_ rights.Leaver = Holder{}
)

// Leaving lists the cameras that were released.
func (h Holder) Leaving(ctx context.Context) ([]rights.Whose, error) {
	var rows []struct {
		Tenant  id.Tenant  `bun:"tenant_id"`
		Subject id.Subject `bun:"account_id"`
		Binding id.Binding `bun:"id"`
	}
	if err := h.Of.DB.Read.NewRaw("SELECT tenant_id, account_id, id FROM device_camera WHERE state = 'leaving'").Scan(ctx, &rows); err != nil {
		return nil, err
	}
	out := make([]rights.Whose, len(rows))
	for i, r := range rows {
		out[i] = rights.Whose{Tenant: r.Tenant, Subject: r.Subject, Binding: r.Binding}
	}
	return out, nil
}

// Room is the room's name.
func (Holder) Room() string { return "device" }

// cameras is the condition that picks a person's cameras, or one of them, in whatever state.
func cameras(w rights.Whose) (where string, args []any) {
	where, args = "tenant_id = ? AND account_id = ?", []any{w.Tenant, w.Subject}
	if !w.Binding.IsZero() {
		where, args = where+" AND id = ?", append(args, w.Binding)
	}
	return where, args
}

const sites = "tenant_id = ? AND account_id = ?"

// Count tells what is held about a person's cameras and places.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if w.Purpose != "" {
		return nil, nil
	}
	var sum struct {
		N      int64 `bun:"n"`
		About  int64 `bun:"about"`
		Secret int64 `bun:"secret"`
		Oldest int64 `bun:"oldest"`
	}
	where, args := cameras(w)
	err := h.Of.DB.Read.NewRaw(`SELECT count(*) AS n, coalesce(sum(length(name) + length(address)), 0) AS about, coalesce(sum(length(credentials)), 0) AS secret,
		coalesce(min(created_ms), 0) AS oldest FROM device_camera WHERE `+where, args...).Scan(ctx, &sum)
	if err != nil {
		return nil, fmt.Errorf("count cameras: %w", err)
	}
	var out []rights.Held
	line := func(c passport.Category, kind string, n, bytes, oldest int64, ends string) {
		if n > 0 {
			out = append(out, rights.Held{Room: h.Room(), Category: c, Kind: kind, Count: n, Bytes: bytes, Oldest: clock.Millis(oldest), Ends: ends, Purpose: passport.Live, Basis: passport.Contract})
		}
	}
	line(passport.DeviceData, "camera", sum.N, sum.About, sum.Oldest, "camera removed")
	line(passport.Credential, "camera password", sum.N, sum.Secret, sum.Oldest, "camera removed")
	if w.Binding.IsZero() {
		sum.N, sum.About, sum.Oldest = 0, 0, 0
		err := h.Of.DB.Read.NewRaw("SELECT count(*) AS n, coalesce(sum(length(name) + length(time_zone)), 0) AS about, coalesce(min(created_ms), 0) AS oldest FROM device_site WHERE "+sites,
			w.Tenant, w.Subject).Scan(ctx, &sum)
		if err != nil {
			return nil, fmt.Errorf("count sites: %w", err)
		}
		line(passport.DeviceData, "site", sum.N, sum.About, sum.Oldest, "account closed")
	}
	return out, nil
}

// Export writes cameras and places. Of credentials it says only that they are held.
func (h Holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if w.Purpose != "" {
		return nil
	}
	a, out := id.Account(w.Subject), json.NewEncoder(to)
	all, err := h.Of.List(ctx, p, w.Tenant, a)
	if err != nil {
		return err
	}
	for _, c := range all {
		if !w.Binding.IsZero() && c.Binding != w.Binding {
			continue
		}
		if err := out.Encode(map[string]any{
			"kind": "camera", "id": c.Binding, "device": c.Device, "site": c.Site, "name": c.Name, "address": c.Main, "sub_address": c.Sub,
			"recording": c.Recording, "retention": c.Retention, "created_at": c.CreatedAt.Time(),
		}); err != nil {
			return err
		}
		if err := out.Encode(map[string]any{"kind": "camera password", "camera": c.Binding, "held": "what signs in to the camera, if it needs that; it is not taken along"}); err != nil {
			return err
		}
	}
	if !w.Binding.IsZero() {
		return nil
	}
	places, err := h.Of.Sites(ctx, p, w.Tenant, a)
	if err != nil {
		return err
	}
	for _, s := range places {
		if err := out.Encode(map[string]any{"kind": "site", "id": s.ID, "name": s.Name, "time_zone": s.TimeZone}); err != nil {
			return err
		}
	}
	return nil
}

// owned are a camera's row, or everything of a person.
func owned(w rights.Whose) []rights.Rows {
	if w.Purpose != "" {
		return nil
	}
	where, args := cameras(w)
	out := []rights.Rows{{Table: "device_camera", Where: where, Args: args}}
	if w.Binding.IsZero() {
		out = append(out, rights.Rows{Table: "device_site", Where: sites, Args: []any{w.Tenant, w.Subject}})
	}
	return out
}

// Erase takes a camera's row away, or everything of a person.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (rights.Swept, error) {
	return rights.EraseRows(ctx, h.Of.DB, owned(w))
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	return rights.ScanRows(ctx, h.Of.DB, owned(w))
}
