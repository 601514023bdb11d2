package app

import (
	"context"
	"time"

	"candor/internal/device"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/retention"
	shares "candor/internal/share"
)

// sharing wires whom owners let in. The gate asks it from the first decision on.
func (h *house) sharing() {
	h.shares = &shares.Room{DB: h.db, Keeper: h.keys, Gate: h.gate, Places: places{h.devices}, Clock: h.clock}
	h.gate.Shares = h.shares
}

// overdue ends the shares whose time is over.
func (h *house) overdue() retention.Sweeper {
	return retention.Sweeper{Room: "share", Sweep: func(ctx context.Context) error { _, err := h.shares.Expire(ctx); return err }}
}

// places are the sites and cameras of package device as shares see them.
type places struct{ devices *device.Room }

var _ shares.Places = places{}

// Where is whose camera it is, and at which site.
func (p places) Where(ctx context.Context, t id.Tenant, b id.Binding) (id.Account, id.Site, error) {
	return p.devices.Where(ctx, t, b)
}

// At lists the cameras at a site.
func (p places) At(ctx context.Context, t id.Tenant, owner id.Account, s id.Site) ([]id.Binding, error) {
	all, err := p.devices.Of(ctx, t, owner)
	var out []id.Binding
	for _, r := range all {
		if r.Site == s {
			out = append(out, r.Binding)
		}
	}
	return out, err
}

// Owns reports whether the site is that account's.
func (p places) Owns(ctx context.Context, t id.Tenant, owner id.Account, s id.Site) (bool, error) {
	return p.devices.OwnsSite(ctx, t, owner, s)
}

// Zone is a site's time zone.
func (p places) Zone(ctx context.Context, may permit.Permit, t id.Tenant, owner id.Account, s id.Site) (*time.Location, error) {
	return p.devices.Zone(ctx, may, t, owner, s)
}
