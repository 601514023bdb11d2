package app

import (
	"context"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"candor/internal/account"
	"candor/internal/alarm"
	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/consent"
	"candor/internal/egress"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/notify"
	"candor/internal/notify/mail"
	"candor/internal/notify/webpush"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/words"
)

const (
	pushKeyFile  = "push.key"
	pushPatience = 10 * time.Second
	gapsEvery    = 5 * time.Second
)

// messages wires how people are told.
func (h *house) messages(ctx context.Context) error {
	began := time.Now()
	h.notify = &notify.Room{
		DB: h.db, Keeper: h.keys, Gate: teller{h}, Cameras: teller{h}, People: teller{h}, Clock: h.clock, Log: h.room("notify"), Words: words.Sentence,
		Uptime: func() time.Duration { return time.Since(began) }, Tell: h.news.notice, Base: h.address,
	}
	push, err := h.pushing()
	if err != nil {
		return err
	}
	h.notify.Push = push
	if h.mail.Can() {
		h.notify.Mail = alertMail{h.mail}
	}
	h.notify.Pictures = eventPictures{h}
	if err := h.notify.Start(ctx); err != nil {
		return err
	}
	h.closing("messages", h.notify.Close)
	if err := h.hearEvents(); err != nil {
		return err
	}
	if err := h.hearGoings(); err != nil {
		return err
	}
	h.watchGaps()
	return nil
}

// pushing is the way to the push services, as a declared recipient; nil when there are none.
func (h *house) pushing() (*webpush.Sender, error) {
	c := h.config.Push
	if len(c.Services) == 0 {
		return nil, nil
	}
	who, err := webpush.Keep(h.path(pushKeyFile))
	if err != nil {
		return nil, err
	}
	services := webpush.Services(c.Services)
	to := egress.Recipient{Name: "push", Purpose: passport.Push, Fields: []string{"endpoint", "encrypted text", "urgency", "time to live"}, Hosts: services.Hosts(), Private: c.Roots != ""}
	if c.Roots != "" {
		pem, err := os.ReadFile(c.Roots)
		if err != nil {
			return nil, fmt.Errorf("push.roots: %w", err)
		}
		to.Roots = x509.NewCertPool()
		if !to.Roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("push.roots: %s holds no certificate", c.Roots)
		}
	}
	third, err := h.egress.Third(to)
	if err != nil {
		return nil, err
	}
	client := third.Client()
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &webpush.Sender{Identity: who, Services: services, Client: client, Contact: h.contact(), Patience: pushPatience}, nil
}

// contact is whom a push service may write to about us.
func (h *house) contact() string {
	c := h.config.Operator.Contact
	if strings.HasPrefix(c, "https://") || strings.Count(c, "@") == 1 && !strings.ContainsAny(c, " <>") {
		return c
	}
	if len(h.config.HTTP.Domains) > 0 {
		return "https://" + h.config.HTTP.Domains[0]
	}
	return "https://localhost"
}

// address is the app's, as mails name it; it ends with a slash.
func (h *house) address() string {
	if h.front == nil {
		return "http://localhost/"
	}
	return strings.TrimSuffix(h.front.URLs()[0], "/") + "/"
}

// notice tells the browsers of an account.
func (n *news) notice(to id.Account, about notify.Notice) {
	events := n.events.Load()
	if events == nil {
		return
	}
	data := map[string]any{"kind": about.Kind}
	if !about.Binding.IsZero() {
		data["camera_id"], data["count"], data["at"] = about.Binding.String(), about.Count, httpapi.Moment(about.At)
	}
	if !about.Event.IsZero() {
		data["event_id"] = about.Event.String()
	}
	events.Publish(httpapi.Event{Type: "notice", Account: to, Data: data})
}

// hearEvents has people told of events that begin.
func (h *house) hearEvents() error {
	opened, err := h.bus.Subscribe(h.tenant, alarm.Opened, func(e bus.Envelope) {
		ref, ok, err := h.alarms.Find(context.Background(), e.Tenant, id.Sighting(e.Resource))
		if err != nil {
			h.log.Error("nobody is told of an event", "err", err)
		}
		if ok {
			h.notify.Hear(notify.Happening{
				Tenant: e.Tenant, Owner: id.Account(ref.Subject), Binding: ref.Binding, Event: id.RowOf(ref.ID), Kind: notify.Motion, At: clock.At(e.Time),
			})
		}
	})
	if err != nil {
		return err
	}
	h.closing("messages of events", opened.Close)
	return nil
}

// hearGoings lets go of devices when their session ends, or their owner takes the consent back.
func (h *house) hearGoings() error {
	ended, err := h.bus.Subscribe(h.tenant, account.SessionEnded, func(e bus.Envelope) {
		if err := h.notify.SignedOut(context.Background(), e.Tenant, id.Session(e.Resource)); err != nil {
			h.log.Error("a device of a session that ended stays", "err", err)
		}
	})
	if err != nil {
		return err
	}
	h.closing("devices of sessions", ended.Close)
	decided, err := h.bus.Subscribe(h.tenant, consent.Made, func(e bus.Envelope) {
		s := id.Subject(e.Resource)
		state, err := h.consent.State(context.Background(), e.Tenant, s, id.Binding{}, passport.Push)
		if err == nil && state == consent.Withdrawn {
			err = h.notify.Withdrawn(context.Background(), e.Tenant, id.Account(s))
		}
		if err != nil {
			h.log.Error("devices of a consent that was withdrawn may stay", "err", err)
		}
	})
	if err != nil {
		return err
	}
	h.closing("devices and consents", decided.Close)
	return nil
}

// watchGaps looks every few seconds whether what should be recorded is.
func (h *house) watchGaps() {
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan struct{})
	gaps := &notify.Gaps{Room: h.notify}
	go func() {
		defer close(done)
		for h.clock.Sleep(ctx, gapsEvery) == nil {
			all, err := h.watched(ctx)
			if err == nil {
				err = gaps.Look(ctx, all)
			}
			if err != nil && ctx.Err() == nil {
				h.log.Warn("gaps of recording are not watched", "err", err)
			}
		}
	}()
	h.closing("watch over gaps", func() error { stop(); <-done; return nil })
}

func (h *house) watched(ctx context.Context) ([]notify.Watched, error) {
	all, err := h.bindings().All(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]notify.Watched, 0, len(all))
	for _, r := range all {
		w := notify.Watched{Tenant: r.Tenant, Owner: r.Account, Binding: r.Binding}
		if r.Record {
			said, err := h.consent.State(ctx, r.Tenant, id.SubjectOf(r.Account), r.Binding, passport.Recording)
			if err != nil {
				return nil, err
			}
			w.Should = said == consent.Given
		}
		w.Writing = h.station.Recording(r.Binding) && h.station.Trouble(r.Binding) == ""
		out = append(out, w)
	}
	return out, nil
}

// eventPictures opens pictures for whoever a ticket was made for, as if they asked for the event
// themselves: by the ability they have now, and with its line in the access record.
type eventPictures struct{ h *house }

func (p eventPictures) Picture(ctx context.Context, t id.Tenant, who permit.Actor, b id.Binding, event id.Row) ([]byte, error) {
	may, err := p.h.gate.Permit(ctx, gate.Request{Tenant: t, Actor: who, Action: permit.EventRead, Binding: b})
	if err != nil {
		return nil, err
	}
	jpeg, _, err := p.h.alarms.Picture(ctx, may, b, id.Sighting(event))
	return jpeg, err
}

// alertMail hands the messages of alerts to the mail room.
type alertMail struct{ room *mail.Room }

func (l alertMail) Carry(ctx context.Context, m notify.Mail) error {
	return l.room.Carry(ctx, mail.Message{Tenant: m.Tenant, Account: m.Account, To: m.To, Subject: m.Subject, Text: m.Text, Stop: m.Stop, Purpose: passport.Alerts})
}

// teller fits the rooms around notify to what it asks for.
type teller struct{ h *house }

var (
	_ notify.Gate    = teller{}
	_ notify.Cameras = teller{}
	_ notify.People  = teller{}
)

func (t teller) Told(ctx context.Context, tenant id.Tenant, who id.Account, b id.Binding) (permit.Permit, error) {
	return t.h.gate.Told(ctx, tenant, who, b)
}

func (t teller) ask(ctx context.Context, tenant id.Tenant, who id.Account, b id.Binding, a permit.Action) (permit.Permit, error) {
	return t.h.gate.Permit(ctx, gate.Request{Tenant: tenant, Actor: permit.System(gate.Notify), Action: a, Account: who, Binding: b})
}

func (t teller) Own(ctx context.Context, tenant id.Tenant, who id.Account) (permit.Permit, error) {
	return t.ask(ctx, tenant, who, id.Binding{}, permit.AlertSend)
}

func (t teller) Push(ctx context.Context, tenant id.Tenant, who id.Account) (permit.Permit, error) {
	return t.ask(ctx, tenant, who, id.Binding{}, permit.PushSend)
}

func (t teller) Picture(ctx context.Context, tenant id.Tenant, b id.Binding) error {
	_, err := t.ask(ctx, tenant, id.Account{}, b, permit.AlertPicture)
	return err
}

func (t teller) Name(ctx context.Context, p permit.Permit, tenant id.Tenant, b id.Binding) (string, error) {
	c, err := t.h.devices.Get(ctx, p, tenant, b)
	return c.Name, err
}

func (t teller) Who(ctx context.Context, p permit.Permit, tenant id.Tenant, a id.Account) (notify.Person, error) {
	lang, name, err := t.h.people.Manner(ctx, p, tenant, a)
	if err != nil {
		return notify.Person{}, err
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		zone = time.UTC
	}
	return notify.Person{Language: lang, Zone: zone}, nil
}

func (t teller) Address(ctx context.Context, tenant id.Tenant, a id.Account) (string, error) {
	p, err := t.ask(ctx, tenant, a, id.Binding{}, permit.AccountMail)
	if err != nil {
		return "", err
	}
	return t.h.people.Address(ctx, p, tenant, a)
}
