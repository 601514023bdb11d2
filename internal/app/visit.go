package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/config"
	"candor/internal/egress"
	"candor/internal/front"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/problem"
)

// visit opens as much of the house as an operator's command needs, beside a server that may be
// running: no lock, no cameras, no doors.
func (h *house) visit(ctx context.Context) (err error) {
	if err := h.governed(); err != nil {
		return err
	}
	if h.db, h.keys, err = vault(ctx, h.config, h.clock, h.log); err != nil {
		return err
	}
	h.closing("database", h.db.Close)
	h.closing("keys", h.keys.Close)
	if h.bus, err = bus.Start(h.clock, h.log, Passports()); err != nil {
		return err
	}
	h.closing("bus", h.bus.Close)
	h.outbox = &bus.Outbox{DB: h.db, Bus: h.bus, Clock: h.clock, Log: h.log}
	h.outbox.Start()
	h.closing("outbox", h.outbox.Close)
	return h.rooms(ctx)
}

// beside has f do an operator's work in an installation, beside a server that may be running.
func beside(ctx context.Context, c config.Config, f func(h *house) error) (err error) {
	if !exists(c.DataDir, keysFolder) {
		return problem.Conflict("data.none").With("folder", c.DataDir)
	}
	h := &house{config: c, clock: clock.Wall, tenant: id.DefaultTenant, log: quiet()}
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.visit(ctx); err != nil {
		return err
	}
	return f(h)
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// OpenAPI is the description of the HTTP API.
func OpenAPI() []byte { return httpapi.New(httpapi.Deps{Page: http.NotFoundHandler()}).OpenAPI() }

// authority is how an own domain's certificate is got: through egress, as a declared recipient.
func (h *house) authority() (front.Authority, error) {
	c := h.config.HTTP
	a := front.Authority{Email: c.ACME.Email, Directory: c.ACME.Directory}
	if front.Mode(c.TLS) != front.ACME {
		return a, nil
	}
	directory, err := url.Parse(c.ACME.Directory)
	if err != nil {
		return a, err
	}
	third, err := h.egress.Third(egress.Recipient{
		Name: "acme", Purpose: passport.Security, Fields: []string{"domain name", "operator e-mail address"},
		Hosts: []string{directory.Hostname()}, Private: c.ACME.Roots != "",
	})
	if err != nil {
		return a, err
	}
	a.Client = third.Client()
	return a, nil
}

func (h *house) stopWithin() time.Duration {
	return time.Duration(h.config.HTTP.StopSeconds) * time.Second
}
