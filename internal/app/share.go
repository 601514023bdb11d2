package app

import (
	"context"
	"time"

	"candor/internal/device"
	"candor/internal/id"
	"candor/internal/notify/mail"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/retention"
	shares "candor/internal/share"
)

// sharing wires whom owners let in. The gate asks it from the first decision on.
func (h *house) sharing() {
	h.shares = &shares.Room{DB: h.db, Keeper: h.keys, Gate: h.gate, Places: places{h.devices}, Clock: h.clock}
	h.gate.Shares = h.shares
	h.news.members = func(a id.Account, b id.Binding) []id.Account {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		all, err := h.shares.Members(ctx, h.tenant, a, b)
		if err != nil {
			h.log.Warn("members were not told of a change", "err", err)
		}
		return all
	}
}

// letters lets shares write to people who may have no account.
type letters struct{ *mail.Room }

// Letter hands a letter over to be sent.
func (l letters) Letter(ctx context.Context, t id.Tenant, to, subject, text string, until time.Time) error {
	return l.Send(ctx, mail.Message{Tenant: t, To: to, Subject: subject, Text: text, Purpose: passport.Sharing, Until: until})
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
