package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"candor/internal/account"
	"candor/internal/app/door"
	"candor/internal/bus"
	"candor/internal/config"
	"candor/internal/front"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/policy"
	"candor/internal/version"
	"candor/internal/webapp"
	"candor/web"
	"candor/words"
)

// doors fits the rooms to the HTTP door.
func (h *house) doors(ctx context.Context) error {
	if err := h.beginSetup(ctx); err != nil {
		return err
	}
	sessions := door.Sessions{Room: h.people, Gate: h.gate}
	cameras := door.Cameras{
		Devices: h.devices, People: h.people, Consent: h.consent, Office: h.office, Station: h.station, Puller: h.puller, Egress: h.egress, Demo: h.camera,
		Alarms: h.alarms, Tell: h.news.tell, Shares: h.shares, Gate: h.gate, Footage: h.footage, Clock: h.clock,
	}
	h.api = httpapi.New(httpapi.Deps{
		Tenant: h.tenant, Language: h.config.Language, Clock: h.clock, Log: h.room("httpapi"), Words: words.Sentence,
		Metrics: httpapi.NewMeter(h.metrics), Page: h.page(), Ready: h.ready,
		Gate:     door.Gate{Gate: h.gate},
		Setup:    door.Setup{Tenant: h.tenant, People: h.people, Devices: h.devices, Gate: h.gate, Versions: h.versions, Sessions: sessions, Cameras: cameras, Secret: h.code.get, Done: h.code.done},
		Sessions: sessions,
		Accounts: door.Accounts{Room: h.people, Office: h.office, Gone: h.gone},
		Seconds:  door.Seconds{Room: h.people, Sessions: sessions},
		SignUps:  door.SignUps{Tenant: h.tenant, People: h.people, Devices: h.devices, Versions: h.versions, Sessions: sessions, Mail: h.mail, Over: h.notices.Over},
		Cameras:  cameras,
		Finding:  door.NewFinding(h.devices, h.egress, h.camera, h.clock),
		Live:     door.Live{Cameras: h.bindings(), Hub: h.hub, Stills: h.stills, WHEP: h.whep, MSE: h.mse},
		Footage:  door.Footage{Cameras: h.bindings(), Room: h.footage, Decoder: h.decoder, Zones: cameras},
		Privacy:  door.Privacy{Office: h.office, Log: h.records, Shares: h.shares, Consent: h.consent, Proofs: h.proofs, Station: h.station, Cameras: h.bindings(), Tell: func(a id.Account, b id.Binding) { h.agreed(b, a) }},
		Alarms:   h.alarmDoor(),
		Exports:  h.exports(),
		Alerts:   door.Alerts{Tenant: h.tenant, Room: h.notify, Consent: h.consent},
		Reports:  door.Reports{Room: h.reports},
		Notices:  door.Notices{Room: h.notices},
		Policy:   door.Policy{Policy: h.policy, History: h.history, Versions: h.versions, Facts: h.facts(), Seen: h.watch.Seen},
		Shares: door.Shares{
			Room: h.shares, People: h.people, Devices: h.devices, Puller: h.puller, Gate: h.gate, Log: h.records, Mail: letters{h.mail}, Tell: h.news.only,
		},
	})
	h.news.events.Store(h.api.Events())
	return h.hearSessions()
}

// hearSessions ends the feeds of a session that ended in whatever way: by a new password, say.
func (h *house) hearSessions() error {
	ended, err := h.bus.Subscribe(h.tenant, account.SessionEnded, func(e bus.Envelope) { h.api.Events().EndSession(id.Session(e.Resource)) })
	if err != nil {
		return err
	}
	h.closing("feeds", ended.Close)
	return nil
}

// facts are what the operator adds to the published policy.
func (h *house) facts() policy.Facts {
	f := policy.Facts{Operator: h.config.Operator.Name, Contact: h.config.Operator.Contact}
	if h.config.HTTP.TLS == "acme" {
		f.Configured = append(f.Configured, "acme")
	}
	if h.config.SMTP.Host != "" {
		f.Configured = append(f.Configured, "smtp")
	}
	return f
}

// beginSetup has a code ready while no account exists.
func (h *house) beginSetup(ctx context.Context) error {
	any, err := h.people.Any(ctx, h.tenant)
	if err != nil || any {
		return err
	}
	return h.code.load(h.config.DataDir, h.config.SetupCode.Reveal())
}

// page is the metrics page, unless it has a listener of its own.
func (h *house) page() http.Handler {
	if h.config.Metrics.Listen != "" {
		return nil
	}
	return h.metrics.Handler()
}

// ready reports whether requests can be served.
func (h *house) ready(ctx context.Context) error {
	var one int
	return h.db.Read.NewRaw("SELECT one FROM sqldb_installation").Scan(ctx, &one)
}

// open opens the front door.
func (h *house) open(ctx context.Context) error {
	app, err := webapp.New(web.Files, webapp.Options{Strict: h.config.HTTP.TLS == "acme"})
	if err != nil {
		return err
	}
	authority, err := h.authority()
	if err != nil {
		return err
	}
	c := h.config.HTTP
	h.front, err = front.New(front.Options{
		Mode: front.Mode(c.TLS), Listen: c.Listen, TLSListen: c.TLSListen, Domains: c.Domains, BasePath: c.BasePath, TrustedProxies: c.TrustedProxies,
		Dir: h.path(tlsFolder), Authority: authority, StopWithin: h.stopWithin(), Log: h.room("front"), Clock: h.clock, Words: words.Sentence,
		OnStop: h.api.Drain,
	})
	if err != nil {
		return err
	}
	api, logged := h.api.Handler(), httpapi.LogFiles(h.proofs)
	h.served = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p := r.URL.Path; {
		case strings.HasPrefix(p, "/log/"):
			logged.ServeHTTP(w, r)
		case strings.HasPrefix(p, "/api/"), p == "/healthz", p == "/readyz", p == "/metrics":
			api.ServeHTTP(w, r)
		default:
			app.ServeHTTP(w, r)
		}
	})
	if err := h.front.Start(ctx, h.served); err != nil {
		return err
	}
	if at := h.config.Metrics.Listen; at != "" {
		if err := h.front.Also(at, h.metrics.Handler()); err != nil {
			return errors.Join(err, h.front.Stop(ctx))
		}
	}
	h.closing("front door", func() error { return h.front.Stop(context.Background()) })
	return nil
}

// greet tells the person who started it where to look.
func (h *house) greet(context.Context) error {
	urls := h.front.URLs()
	fmt.Fprintf(h.out, "\n  Candor %s is running.\n\n  Open      %s\n", version.Version, strings.TrimSuffix(urls[0], "/"))
	for _, u := range urls[1:] {
		fmt.Fprintf(h.out, "            %s\n", strings.TrimSuffix(u, "/"))
	}
	if code := h.code.get(); code != "" {
		again := "candor setup-code"
		if h.config.DataDir != config.Default().DataDir {
			again += " --data_dir " + h.config.DataDir
		}
		fmt.Fprintf(h.out, "  Set-up code  %s   (`%s` prints it again)\n", code, again)
	}
	if page, print := h.front.Trust(); page != "" {
		fmt.Fprintf(h.out, "  Trust     %s   (each phone and computer, once)\n            fingerprint %s\n", page, print)
	}
	fmt.Fprintf(h.out, "  Data      %s\n\n", h.config.DataDir)
	return nil
}
