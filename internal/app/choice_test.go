package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"candor/internal/gate"
	"candor/internal/ingest"
	"candor/internal/permit"
	"candor/internal/promise"
)

// agreed is what the ledger says of consents.
type agreed struct {
	Current, History []struct {
		Purpose  string
		Camera   string `json:"camera_id"`
		State    string
		TextHash string `json:"text_hash"`
		Policy   string `json:"policy_hash"`
	}
}

// TestThePolicyIsOpenToEverybody: without signing in, with its dates, and the one that was agreed to.
func TestThePolicyIsOpenToEverybody(t *testing.T) {
	promise.Proves(t, "P324")
	w, p := share(t)
	var ledger agreed
	p.call("GET", "/consents", nil, &ledger)
	if len(ledger.Current) == 0 {
		t.Fatal("nothing was agreed to")
	}
	nobody := w.visitor(t)
	for _, lang := range []string{"en", "zh-Hans"} {
		var text struct{ Version, Hash, Markdown string }
		nobody.call("GET", "/policy?lang="+lang, nil, &text)
		if !strings.Contains(text.Markdown, w.policy.Effective) || len(text.Markdown) < 1000 {
			t.Errorf("%s: the text does not say since when it holds: %.300s", lang, text.Markdown)
		}
		for _, c := range ledger.Current {
			if c.Policy != text.Hash {
				t.Errorf("%s: agreed to was %s, shown is %s", lang, c.Policy, text.Hash)
			}
		}
	}
}

// TestWhatWasAgreedToStaysReadable: by the hash that the ledger names.
func TestWhatWasAgreedToStaysReadable(t *testing.T) {
	promise.Proves(t, "P325")
	w, p := share(t)
	var ledger agreed
	p.call("GET", "/consents", nil, &ledger)
	nobody := w.visitor(t)
	for _, c := range append(ledger.Current, ledger.History...) {
		var text struct {
			Hash, Markdown string
			Versions       []struct{ Hash string }
		}
		nobody.call("GET", "/policy?hash="+c.Policy, nil, &text)
		if text.Hash != c.Policy || len(text.Markdown) < 1000 || len(text.Versions) == 0 {
			t.Errorf("%s leads to %.100s", c.Policy, text.Markdown)
		}
	}
	nobody.refused("GET", "/policy?hash="+strings.Repeat("0", 64), nil, http.StatusNotFound, "not_found")
	nobody.refused("GET", "/policy?hash=1", nil, http.StatusUnprocessableEntity, "request.invalid")
}

// TestEveryConsentHasASwitch: each line of the ledger can be turned by the person it is about.
func TestEveryConsentHasASwitch(t *testing.T) {
	promise.Proves(t, "P279")
	w, _ := share(t)
	p := w.join(t, identity{"Olga Ode", "olga@house.example", "a golden sulky 81"})
	c := p.add(map[string]any{"demo": true, "recording": "given"})
	p.recorded(c.ID, time.Second)
	var ledger agreed
	p.call("GET", "/consents", nil, &ledger)
	if len(ledger.Current) != 1 {
		t.Fatalf("the ledger: %+v", ledger)
	}
	for _, line := range ledger.Current {
		for _, state := range []string{"withdrawn", "given", "withdrawn"} {
			p.call("PUT", "/cameras/"+line.Camera+"/consents/"+line.Purpose, map[string]any{"state": state, "text_hash": p.consentHash()}, nil)
			if got := p.see(line.Camera).Recording.Consent; got != state {
				t.Errorf("the switch says %q, the camera %q", state, got)
			}
			if state == "given" {
				eventually(t, "recording begins again", func() bool { return p.see(line.Camera).Recording.Actual })
			} else {
				eventually(t, "recording ends", func() bool { return !p.see(line.Camera).Recording.Actual })
			}
		}
	}
	p.call("GET", "/consents", nil, &ledger)
	if len(ledger.History) != 4 {
		t.Errorf("earlier decisions are not kept: %+v", ledger.History)
	}
}

// TestAnAccountIsClosedByItsOwner: without anybody's help, and nothing is collected any more.
func TestAnAccountIsClosedByItsOwner(t *testing.T) {
	promise.Proves(t, "P273", "P277")
	w, _ := share(t)
	who := identity{"Paul Perle", "paul@house.example", "a copper rickshaw 82"}
	p := w.join(t, who)
	c := p.add(map[string]any{"demo": true, "recording": "given"})
	p.live(c.ID)
	p.recorded(c.ID, time.Second)
	var ask gate.Request
	all, err := w.bindings().All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	live := func() (n int) {
		for _, r := range all {
			if r.Account == p.account && w.puller.State(r.Device).Phase != ingest.Stopped {
				n++
			}
		}
		return n
	}
	for _, r := range all {
		if r.Account == p.account {
			ask = gate.Request{Tenant: r.Tenant, Actor: permit.System(gate.Ingest), Action: permit.CameraPull, Account: r.Account, Binding: r.Binding}
		}
	}
	if live() != 1 {
		t.Fatal("the camera is not connected to")
	}
	p.refused("DELETE", "/account", map[string]any{"password": "not this one"}, http.StatusForbidden, "password.wrong")
	a := p.do("DELETE", "/account", map[string]any{"password": who.password})
	if a.status != http.StatusOK && a.status != http.StatusAccepted {
		t.Fatalf("closing the account: %d %s", a.status, a.body)
	}
	for end := time.Now().Add(5 * time.Second); live() != 0 && time.Now().Before(end); {
		time.Sleep(20 * time.Millisecond)
	}
	if live() != 0 {
		t.Error("the camera of a closed account is still connected to")
	}
	for _, action := range []permit.Action{permit.CameraPull, permit.CameraRecord} {
		ask.Action = action
		if action == permit.CameraRecord {
			ask.Actor = permit.System(gate.Recorder)
		}
		if l, err := w.gate.Lease(t.Context(), ask); err == nil {
			l.End(nil)
			t.Errorf("the gate still allows %s", action)
		}
	}
}

// TestOneSwitchForAllCameras: agreed to and taken back for all at once, with one receipt.
func TestOneSwitchForAllCameras(t *testing.T) {
	w, _ := share(t)
	p := w.join(t, identity{"Rita Rose", "rita@house.example", "a marble landau 83"})
	a, b := p.add(map[string]any{"demo": true}), p.add(map[string]any{"demo": true})
	say := func(state string) *receipt {
		t.Helper()
		var out struct {
			Consent struct {
				Camera *string `json:"camera_id"`
				State  string
			}
			Receipt *receipt
		}
		p.call("PUT", "/consents/recording", map[string]any{"state": state, "text_hash": p.consentHash()}, &out)
		if out.Consent.Camera != nil || out.Consent.State != state {
			t.Errorf("said %s for all: %+v", state, out)
		}
		return out.Receipt
	}
	say("given")
	for _, c := range []string{a.ID, b.ID} {
		eventually(t, "recording begins", func() bool { return p.see(c).Recording.Actual })
		p.recorded(c, time.Second)
	}
	r := say("withdrawn")
	kept(t, r)
	if r.What != "recording" {
		t.Errorf("the receipt is for %q", r.What)
	}
	for _, c := range []string{a.ID, b.ID} {
		if got := p.see(c); got.Recording.Consent != "withdrawn" || got.Recording.Actual {
			t.Errorf("after withdrawing for all: %+v", got.Recording)
		}
	}
	p.refused("PUT", "/consents/live", map[string]any{"state": "given", "text_hash": ""}, http.StatusNotFound, "not_found")
}
