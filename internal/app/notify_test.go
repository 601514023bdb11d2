package app

import (
	"encoding/json"
	"encoding/pem"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/config"
	"candor/internal/id"
	"candor/internal/notify"
	"candor/internal/notify/webpush/pushtest"
	"candor/internal/promise"
)

// agree answers a question about the person themselves.
func (p *person) agree(purpose, state string) {
	p.t.Helper()
	var all []struct{ ID, Hash string }
	p.call("GET", "/purposes", nil, &all)
	for _, one := range all {
		if one.ID == purpose {
			p.call("PUT", "/consents/"+purpose, map[string]any{"state": state, "text_hash": one.Hash}, nil)
			return
		}
	}
	p.t.Fatalf("no purpose called %s", purpose)
}

// pushed makes a house whose only push service is the test's own.
func pushed(t *testing.T) (*world, *pushtest.Service) {
	t.Helper()
	service := pushtest.Start(t)
	roots := filepath.Join(t.TempDir(), "roots.pem")
	if err := os.WriteFile(roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: service.Certificate()}), 0o600); err != nil {
		t.Fatal(err)
	}
	return fresh(t, func(c *config.Config) { c.Push.Services, c.Push.Roots = []string{service.Host()}, roots }), service
}

type alertSettings struct {
	PushKey     string `json:"push_key"`
	PushConsent string `json:"push_consent"`
	Devices     []struct {
		ID      string
		Current bool
	}
}

func (p *person) alerts() (s alertSettings) {
	p.t.Helper()
	p.call("GET", "/alerts", nil, &s)
	return s
}

func (p *person) subscribe(b *pushtest.Browser) answer {
	p.t.Helper()
	var sub struct {
		Endpoint string
		Keys     struct{ P256dh, Auth string }
	}
	if err := json.Unmarshal(b.JSON(), &sub); err != nil {
		p.t.Fatal(err)
	}
	return p.do("POST", "/alerts/devices", map[string]any{"endpoint": sub.Endpoint, "p256dh": sub.Keys.P256dh, "auth": sub.Keys.Auth})
}

// TestAnEventReachesAClosedBrowser goes the whole way: consent, subscription, choice, happening,
// egress, push service; and back: withdrawing, signing out.
func TestAnEventReachesAClosedBrowser(t *testing.T) {
	promise.Proves(t, "P087")
	t.Parallel()
	w, service := pushed(t)
	p := w.visitor(t)
	p.setUp(t, anna, "refused")
	key := p.alerts().PushKey
	browser := service.Subscribe(key)
	if a := p.subscribe(browser); a.status != http.StatusForbidden || a.problem().Code != "consent.needed" {
		t.Errorf("a subscription before anybody agreed: %d %s", a.status, a.body)
	}
	p.agree("push", "given")
	if a := p.subscribe(browser); a.status != http.StatusOK {
		t.Fatalf("subscribing: %d %s", a.status, a.body)
	}
	for _, foreign := range []string{"https://fcm.googleapis.com/fcm/send/x", "https://127.0.0.1/x", "https://169.254.169.254/x"} {
		a := p.do("POST", "/alerts/devices", map[string]any{"endpoint": foreign, "p256dh": "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8", "auth": "BTBZMqHH6r4Tts7J_aSIgg"})
		if a.problem().Code != "push.service" || !strings.Contains(a.problem().Detail, "push.services") {
			t.Errorf("%s: %d %s", foreign, a.status, a.body)
		}
	}
	b, err := id.Read[id.Binding](p.camera)
	if err != nil {
		t.Fatal(err)
	}
	move := func() {
		w.notify.Hear(notify.Happening{Tenant: w.tenant, Owner: p.account, Binding: b, Kind: notify.Motion, At: clock.At(time.Now())})
	}
	p.call("PUT", "/cameras/"+p.camera+"/alerts", map[string]any{"kind": "motion", "app": true, "push": true, "mail": false, "pictures": false}, nil)
	move()
	got := service.Wait(1)[0]
	var s struct {
		Notification struct{ Title, Body, Navigate string }
	}
	if err := json.Unmarshal(got.Payload, &s); err != nil {
		t.Fatal(err)
	}
	if s.Notification.Title != p.see(p.camera).Name || !strings.HasPrefix(s.Notification.Navigate, w.base+"/cameras/"+p.camera+"?at=") {
		t.Errorf("%s", got.Payload)
	}
	var log struct {
		Messages []struct{ Channel, Result, Camera string }
	}
	eventually(t, "the log has both ways", func() bool {
		p.call("GET", "/alerts/messages", nil, &log)
		return len(log.Messages) == 2
	})

	// A test message says when it is there.
	device := p.alerts().Devices[0].ID
	p.call("POST", "/alerts/devices/"+device+"/test", map[string]any{}, nil)
	var test struct {
		Notification struct{ Data struct{ Test string } }
	}
	if err := json.Unmarshal(service.Wait(2)[1].Payload, &test); err != nil {
		t.Fatal(err)
	}
	stranger := w.join(t, identity{"Nils Nelke", "nils@house.example", "a silver unicycle 99"})
	stranger.refused("POST", "/alerts/arrivals", map[string]any{"test": test.Notification.Data.Test}, http.StatusNotFound, "not_found")
	p.call("POST", "/alerts/arrivals", map[string]any{"test": test.Notification.Data.Test}, nil)

	// Taken back: nothing is left, and nothing is sent.
	p.agree("push", "withdrawn")
	eventually(t, "the device is forgotten", func() bool { return len(p.alerts().Devices) == 0 })
	if a := p.subscribe(browser); a.status != http.StatusForbidden {
		t.Errorf("after the withdrawal: %d %s", a.status, a.body)
	}
	p.agree("push", "given")
	if a := p.subscribe(browser); a.status != http.StatusOK {
		t.Errorf("agreed again: %d %s", a.status, a.body)
	}
	// Signing out forgets the browser.
	other := w.visitor(t)
	other.signIn(t, anna)
	if got := other.alerts().Devices; len(got) != 1 || got[0].Current {
		t.Errorf("devices: %+v", got)
	}
	p.call("DELETE", "/session", nil, nil)
	eventually(t, "signing out forgets it", func() bool { return len(other.alerts().Devices) == 0 })
}
