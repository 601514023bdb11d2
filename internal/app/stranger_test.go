package app

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/httpapi"
	"candor/internal/id"
)

// bodies are valid bodies, so that a refusal is about the person and not about the form.
func bodies(p *person) map[string]any {
	return map[string]any{
		"beginSetup":        map[string]any{"code": "x", "name": "A", "email": "a@house.example", "password": "a long enough one 12", "language": "en", "recording": "refused", "recording_text_hash": ""},
		"signIn":            map[string]any{"email": "nobody@house.example", "password": "x"},
		"changeAccount":     map[string]any{"name": "B"},
		"setPassword":       map[string]any{"current": "a", "new": "b"},
		"offerSecondStep":   map[string]any{"password": "wrong"},
		"confirmSecondStep": map[string]any{"code": "123456"},
		"dropSecondStep":    map[string]any{"password": "wrong", "code": "123456"},
		"eraseAccount":      map[string]any{"password": "wrong"},
		"checkCamera":       map[string]any{"address": "rtsp://10.0.0.1/"},
		"addCamera":         map[string]any{"address": "rtsp://10.0.0.1/", "name": "x"},
		"changeCamera":      map[string]any{"name": "x", "recording_mode": "paused"},
		"removeCamera":      map[string]any{},
		"watchWHEP":         "v=0",
		"markEventsSeen":    map[string]any{"events": []string{id.Random[id.Sighting]().String()}, "seen": true},
		"changeMotion":      map[string]any{"sensitivity": 5},
		"decideConsent":     map[string]any{"state": "withdrawn", "text_hash": p.consentHash()},
		"watchLinkWHEP":     "v=0",
		"stepUp":            map[string]any{"password": "wrong"},
		"changeShare":       map[string]any{"abilities": []string{"live"}},
		"inviteMember":      map[string]any{"camera_id": p.camera, "abilities": []string{"live"}, "confirmed": true},
		"makeLink":          map[string]any{"camera_id": p.camera, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:01:00Z", "confirmed": true},
		"acceptInvite":      map[string]any{},
		"openLink":          map[string]any{},

		"beginExport": map[string]any{"password": "wrong"},
		"askEmail":    map[string]any{"email": "c@house.example", "password": "wrong"},
		"setEmail":    map[string]any{"request": "r", "email": "c@house.example", "code": "1234 5678"},

		"chooseAlerts":        map[string]any{"kind": "motion", "app": true, "push": false, "mail": false, "pictures": false},
		"pauseCameraAlerts":   map[string]any{"for": "half_hour"},
		"pauseAlerts":         map[string]any{"for": "half_hour"},
		"addPushDevice":       map[string]any{"endpoint": "https://push.example/x", "p256dh": "B", "auth": "A"},
		"tryPushDevice":       map[string]any{},
		"reportArrival":       map[string]any{"test": "t"},
		"stopMail":            "List-Unsubscribe=One-Click",
		"markNoticeSeen":      map[string]any{"seen": true},
		"answerPolicy":        `{"policy_hash":"` + strings.Repeat("0", 64) + `","answer":"declined"}`,
		"decideConsentForAll": map[string]any{"state": "withdrawn", "text_hash": p.consentHash()},

		"discoverCameras": map[string]any{},
		"cameraProfiles":  map[string]any{"host": "10.0.0.1:1"},
	}
}

var queries = map[string]string{
	"getTimeline":      "?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
	"getFootage":       "?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
	"getFrame":         "?at=2026-01-01T00:00:00Z",
	"listCameraEvents": "?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
}

// route calls a route with these ids in its path.
func (p *person) route(r httpapi.Route, body any, camera, session, viewing string) answer {
	p.t.Helper()
	path := strings.NewReplacer("{id}", camera, "{session}", session, "{viewing}", viewing, "{purpose}", "recording", "{token}", "unknown", "{event}", id.Random[id.Sighting]().String(), "{export}", id.Make[id.Export]().String(), "{file}", "unknown.zip", "{share}", session, "{link}", session, "{device}", session, "{ticket}", "unknown", "{notice}", session, "{consent}", session).Replace(r.Path)
	if strings.Contains(path, "{") {
		p.t.Fatalf("%s: fill %s", r.ID, path)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodDelete && body == nil {
		p.t.Fatalf("%s needs a body in this test's table", r.ID)
	}
	var header []string
	switch r.ID {
	case "watchWHEP", "watchLinkWHEP":
		header = []string{"Content-Type", "application/sdp"}
	case "watchMSE", "watchLinkMSE":
		header = []string{"Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Origin", p.world.base}
	}
	return p.do(r.Method, strings.TrimPrefix(path, "/api/v1")+queries[r.ID], body, header...)
}

// plain is an answer without what differs between any two: the moment and the request's own id.
func (a answer) plain() (string, http.Header) {
	h := maps.Clone(a.header)
	for _, name := range []string{"Date", "Candor-Request-Id"} {
		h.Del(name)
	}
	var m map[string]any
	if json.Unmarshal(a.body, &m) != nil {
		return string(a.body), h
	}
	delete(m, "request_id")
	b, _ := json.Marshal(m)
	return string(b), h
}

// TestAnotherAccountsIdsLookAbsent goes through every route that has an id in its path.
func TestAnotherAccountsIdsLookAbsent(t *testing.T) {
	w, p := share(t)
	p.live(p.camera)
	p.recorded(p.camera, time.Second)
	viewing := p.whep(p.camera)
	session := p.sessions()[0]
	stranger := w.join(t, identity{"Ben Birke", "ben@house.example", "a green tricycle 72"})
	body := bodies(stranger)
	tried := 0
	for _, r := range w.api.Routes() {
		if !strings.Contains(strings.ReplaceAll(r.Path, "{purpose}", ""), "{") || r.Auth != httpapi.Session {
			continue
		}
		tried++
		foreign := stranger.route(r, body[r.ID], p.camera, session, strings.TrimPrefix(viewing.location, "/whep/"))
		unknown := stranger.route(r, body[r.ID], id.Make[id.Binding]().String(), id.Make[id.Session]().String(), id.Make[id.Viewing]().String())
		if foreign.status != http.StatusNotFound || foreign.problem().Code != "not_found" {
			t.Errorf("%s answers %d %s", r.ID, foreign.status, foreign.body)
		}
		a, ah := foreign.plain()
		b, bh := unknown.plain()
		if a != b || !maps.EqualFunc(ah, bh, slices.Equal) || foreign.status != unknown.status {
			t.Errorf("%s: a foreign id answers %d %s %v,\nan unknown one %d %s %v", r.ID, foreign.status, a, ah, unknown.status, b, bh)
		}
		if strings.Contains(string(foreign.body), p.camera) {
			t.Errorf("%s repeats the id: %s", r.ID, foreign.body)
		}
	}
	if tried < 12 {
		t.Errorf("only %d routes with ids", tried)
	}
	for _, list := range []string{"/cameras", "/sites", "/sessions", "/consents", "/privacy/held", "/privacy/access", "/account", "/shares"} {
		got := string(stranger.do("GET", list, nil).body)
		for _, foreign := range []string{p.camera, p.account.String(), session, anna.email, anna.name} {
			if strings.Contains(got, foreign) {
				t.Errorf("%s shows a stranger %q: %s", list, foreign, got)
			}
		}
	}
	// Nothing of it reached the owner's things.
	if c := p.see(p.camera); c.Name == "x" || c.Recording.Mode != "on" || c.Recording.Consent != "given" || !c.Recording.Actual {
		t.Errorf("a stranger changed the camera: %+v", c)
	}
	if !slices.Contains(p.sessions(), session) {
		t.Error("a stranger ended a session")
	}
	before, _ := viewing.seen()
	eventually(t, "the owner still watches", func() bool { now, _ := viewing.seen(); return now > before+20 })
	p.call("DELETE", viewing.location, nil, nil)
	stranger.call("DELETE", "/account", map[string]any{"password": "a green tricycle 72"}, nil)
}

func (p *person) sessions() []string {
	p.t.Helper()
	var list []struct{ ID string }
	a := p.do("GET", "/sessions", nil)
	if json.Unmarshal(a.body, &list) != nil {
		var in struct{ Sessions []struct{ ID string } }
		if err := json.Unmarshal(a.body, &in); err != nil {
			p.t.Fatalf("%s", a.body)
		}
		list = in.Sessions
	}
	var out []string
	for _, s := range list {
		out = append(out, s.ID)
	}
	return out
}

// TestNothingWithoutASession goes through every route that is not public.
func TestNothingWithoutASession(t *testing.T) {
	w, p := share(t)
	body := bodies(p)
	session := p.sessions()[0]
	nobody := w.visitor(t)
	tried := 0
	for _, r := range w.api.Routes() {
		if r.Auth != httpapi.Session {
			continue
		}
		tried++
		for _, camera := range []string{p.camera, id.Make[id.Binding]().String()} {
			a := nobody.route(r, body[r.ID], camera, session, id.Make[id.Viewing]().String())
			if a.status != http.StatusUnauthorized || a.problem().Code != "session.needed" {
				t.Errorf("%s answers %d %s", r.ID, a.status, a.body)
			}
		}
	}
	if tried < 25 {
		t.Errorf("only %d routes need a session", tried)
	}
	// Set-up happens once.
	if a := nobody.do("POST", "/setup", body["beginSetup"]); a.problem().Code != "setup.done" {
		t.Errorf("a second set-up: %d %s", a.status, a.body)
	}
	// A session that has ended opens nothing.
	guest := w.visitor(t)
	guest.signIn(t, anna)
	kept := guest.cookies()
	guest.call("DELETE", "/session", nil, nil)
	if a := guest.do("GET", "/cameras/"+p.camera, nil, "Cookie", kept); a.status != http.StatusUnauthorized {
		t.Errorf("a session that has ended: %d %s", a.status, a.body)
	}
}
