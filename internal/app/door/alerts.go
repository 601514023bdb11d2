package door

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	"candor/internal/consent"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/notify"
	"candor/internal/passport"
	"candor/internal/permit"
)

// Alerts lets people choose how they are told.
type Alerts struct {
	Tenant  id.Tenant
	Room    *notify.Room
	Consent *consent.Room
}

var _ httpapi.Alerts = Alerts{}

// Settings is how a person is told.
func (s Alerts) Settings(ctx context.Context, p permit.Permit, a id.Account, in id.Session) (httpapi.AlertSettings, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.AlertSettings{}, err
	}
	said, err := s.Consent.State(ctx, g.Tenant, id.SubjectOf(a), id.Binding{}, passport.Push)
	if err != nil {
		return httpapi.AlertSettings{}, err
	}
	out := httpapi.AlertSettings{PushKey: s.Room.Key(), PushConsent: string(said), Mail: s.Room.Mail != nil}
	rules, err := s.Room.Rules(ctx, p, g.Tenant, a)
	if err != nil {
		return httpapi.AlertSettings{}, err
	}
	for _, r := range rules {
		out.Rules = append(out.Rules, rule(r))
	}
	for _, one := range s.Room.Pauses(g.Tenant, a) {
		out.Pauses = append(out.Pauses, pause(one))
	}
	devices, err := s.Room.Devices(ctx, p, g.Tenant, a, in)
	for _, d := range devices {
		out.Devices = append(out.Devices, pushDevice(d))
	}
	return out, err
}

func rule(r notify.Rule) httpapi.AlertRule {
	out := httpapi.AlertRule{Camera: r.Binding, MailStopped: r.MailOff, AlertChoice: httpapi.AlertChoice{
		Kind: string(r.Kind), Pictures: r.Pictures, App: slices.Contains(r.Channels, notify.App), Push: slices.Contains(r.Channels, notify.Push),
		Mail: slices.Contains(r.Channels, notify.ByMail),
	}}
	for _, h := range r.Hours {
		out.Hours = append(out.Hours, httpapi.AlertHours{Days: h.Days, From: clockOf(h.From), To: clockOf(h.To)})
	}
	return out
}

func clockOf(minutes int) string { return fmt.Sprintf("%02d:%02d", minutes/60, minutes%60) }

func minutesOf(clock string) int {
	var h, m int
	_, _ = fmt.Sscanf(clock, "%d:%d", &h, &m) // the document has checked the form
	return h*60 + m
}

func pause(p notify.Pause) httpapi.AlertPause {
	out := httpapi.AlertPause{Until: httpapi.Moment(p.Until)}
	if !p.Binding.IsZero() {
		out.Camera = &p.Binding
	}
	return out
}

func pushDevice(d notify.Device) httpapi.PushDevice {
	return httpapi.PushDevice{ID: d.ID, Agent: d.Agent, AddedAt: httpapi.Moment(d.AddedAt), Gone: d.Gone, Current: d.Mine}
}

// Choose keeps a choice about a camera.
func (s Alerts) Choose(ctx context.Context, p permit.Permit, a id.Account, b id.Binding, c httpapi.AlertChoice) (httpapi.AlertRule, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.AlertRule{}, err
	}
	r := notify.Rule{Binding: b, Kind: notify.Kind(c.Kind), Pictures: c.Pictures, Channels: []notify.Channel{}}
	for _, ch := range []struct {
		on bool
		c  notify.Channel
	}{{c.App, notify.App}, {c.Push, notify.Push}, {c.Mail, notify.ByMail}} {
		if ch.on {
			r.Channels = append(r.Channels, ch.c)
		}
	}
	for _, h := range c.Hours {
		r.Hours = append(r.Hours, notify.Hours{Days: h.Days, From: minutesOf(h.From), To: minutesOf(h.To)})
	}
	return rule(r), s.Room.Choose(ctx, g.Tenant, a, r)
}

// Pause leaves a person alone for a while.
func (s Alerts) Pause(ctx context.Context, p permit.Permit, a id.Account, b id.Binding, length string) (httpapi.AlertPause, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.AlertPause{}, err
	}
	out, err := s.Room.Pause(ctx, g.Tenant, a, b, notify.Length(length))
	return pause(out), err
}

// Resume ends a pause.
func (s Alerts) Resume(ctx context.Context, p permit.Permit, a id.Account, b id.Binding) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return s.Room.Resume(ctx, g.Tenant, a, b)
}

// Subscribe takes a browser's subscription.
func (s Alerts) Subscribe(ctx context.Context, p permit.Permit, a id.Account, in id.Session, d httpapi.NewPushDevice) (httpapi.PushDevice, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.PushDevice{}, err
	}
	body, err := json.Marshal(map[string]any{"endpoint": d.Endpoint, "keys": map[string]string{"p256dh": d.P256dh, "auth": d.Auth}})
	if err != nil {
		return httpapi.PushDevice{}, err
	}
	got, err := s.Room.Subscribe(ctx, g.Tenant, a, in, d.Agent, d.Base, body)
	return pushDevice(got), err
}

// Unsubscribe forgets a device.
func (s Alerts) Unsubscribe(ctx context.Context, p permit.Permit, a id.Account, d id.Row) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return s.Room.Unsubscribe(ctx, g.Tenant, a, d)
}

// Try sends a test message.
func (s Alerts) Try(ctx context.Context, p permit.Permit, a id.Account, d id.Row) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return s.Room.Try(ctx, p, g.Tenant, a, d)
}

// Arrived is told that one came.
func (s Alerts) Arrived(_ context.Context, p permit.Permit, a id.Account, token string) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return s.Room.Arrived(g.Tenant, a, token)
}

// Sent is what a person was sent.
func (s Alerts) Sent(ctx context.Context, p permit.Permit, a id.Account, before int64, limit int) ([]httpapi.SentMessage, int64, error) {
	g, err := granted(p)
	if err != nil {
		return nil, 0, err
	}
	all, next, err := s.Room.Sent(ctx, p, g.Tenant, a, before, limit)
	out := make([]httpapi.SentMessage, 0, len(all))
	for _, e := range all {
		line := httpapi.SentMessage{
			Number: e.Number, At: httpapi.Moment(e.At), Kind: string(e.Kind), Name: e.Camera, Channel: string(e.Channel), Device: e.Device,
			Result: string(e.Result), Count: e.Count, Moment: httpapi.Moment(e.Moment),
		}
		if !e.Binding.IsZero() {
			line.Camera = &e.Binding
		}
		out = append(out, line)
	}
	return out, next, err
}

// Picture is that of a ticket.
func (s Alerts) Picture(ctx context.Context, p permit.Permit, _ id.Account, ticket string) ([]byte, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	return s.Room.Redeem(ctx, g.Tenant, g.Actor, ticket)
}

// StopMail ends the mails of a link.
func (s Alerts) StopMail(ctx context.Context, token string) error {
	return s.Room.StopMail(ctx, s.Tenant, token)
}
