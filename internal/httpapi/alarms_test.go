package httpapi_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"candor/internal/clock"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// alarms is the room of events of the world.
type alarms struct{ *world }

func (s alarms) Cameras(_ context.Context, a id.Account) ([]id.Binding, error) {
	var out []id.Binding
	for b := range s.owner { // also others': the gate decides
		out = append(out, b)
	}
	return out, nil
}

func (s alarms) List(_ context.Context, a id.Account, may []permit.Permit, q httpapi.Sought) ([]httpapi.CameraEvent, string, error) {
	var out []httpapi.CameraEvent
	for _, p := range may {
		if err := s.called("events", p, a, id.Binding{}); err != nil {
			return nil, "", err
		}
		g, _ := p.Grant()
		out = append(out, httpapi.CameraEvent{ID: id.Random[id.Sighting](), Camera: g.Binding, Kind: "motion", State: "over"})
	}
	if q.Cursor != "" {
		return out, "", nil
	}
	return out, "next", nil
}

func (s alarms) MarkSeen(_ context.Context, a id.Account, may []permit.Permit, events []id.Sighting, _ bool) error {
	for _, p := range may {
		if err := s.called("seen", p, a, id.Binding{}); err != nil {
			return err
		}
	}
	return nil
}

func (s alarms) Between(_ context.Context, p permit.Permit, b id.Binding, _, _ clock.Millis) ([]httpapi.CameraEvent, error) {
	return nil, s.called("camera events", p, id.Account{}, b)
}

func (s alarms) Get(_ context.Context, p permit.Permit, b id.Binding, e id.Sighting) (httpapi.CameraEvent, error) {
	return httpapi.CameraEvent{ID: e, Camera: b}, s.called("event", p, id.Account{}, b)
}

func (s alarms) Picture(_ context.Context, l *permit.Lease, b id.Binding, _ id.Sighting) (httpapi.Picture, error) {
	return httpapi.Picture{JPEG: []byte("jpeg"), At: clock.At(s.clock.Now())}, s.called("event picture", l.Permit(), id.Account{}, b)
}

func (s alarms) Motion(_ context.Context, p permit.Permit, b id.Binding) (httpapi.Motion, error) {
	return httpapi.Motion{On: true, Sensitivity: 3}, s.called("motion", p, id.Account{}, b)
}

func (s alarms) ChangeMotion(_ context.Context, p permit.Permit, b id.Binding, _ httpapi.MotionChange) (httpapi.Motion, error) {
	return httpapi.Motion{On: true, Sensitivity: 3}, s.called("change motion", p, id.Account{}, b)
}

func TestAListOfEventsAsksTheGateAboutEachCamera(t *testing.T) {
	w := newWorld(t)
	list := func(query string) map[string]any {
		t.Helper()
		return w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/events/history" + query}), http.StatusOK, "")
	}
	got := list("")
	events := got["events"].([]any)
	if len(events) != 1 || events[0].(map[string]any)["camera_id"] != w.anna.camera.String() || got["next_cursor"] != "next" {
		t.Errorf("Anna's events: %v", got)
	}
	asked := 0
	for _, r := range w.asked {
		if r.Action == permit.EventList && r.Account.IsZero() && r.Actor.Account == w.anna.account {
			asked++
		}
	}
	if asked != 2 {
		t.Errorf("the gate was asked about %d cameras, want each of 2", asked)
	}
	if got := list("?camera=" + w.ben.camera.String())["events"].([]any); len(got) != 0 {
		t.Errorf("somebody else's camera: %v", got)
	}

	w.wrong = func(r httpapi.Request) error {
		if r.Action == permit.EventList && r.Binding == w.anna.camera {
			return problem.Forbidden("consent.needed")
		}
		return nil
	}
	if got := list("")["events"].([]any); len(got) != 0 {
		t.Errorf("without consent: %v", got)
	}
	w.wrong = func(r httpapi.Request) error {
		if r.Action == permit.EventList {
			return problem.Unavailable("gate.unsure")
		}
		return nil
	}
	w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/events/history"}), http.StatusServiceUnavailable, "gate.unsure")
}

func TestTheNextPageKeepsWhatNarrows(t *testing.T) {
	w := newWorld(t)
	rec := w.do(request{as: &w.anna, method: "GET", path: "/api/v1/events/history?kind=motion&seen=false&limit=7&from=2026-01-01T00:00:00Z&camera=" + w.anna.camera.String()})
	w.want(rec, http.StatusOK, "")
	link, _, _ := strings.Cut(strings.TrimPrefix(rec.Header().Get("Link"), "<"), ">")
	u, err := url.Parse(link)
	if err != nil || u.Path != "/api/v1/events/history" {
		t.Fatalf("link %q, %v", link, err)
	}
	for name, want := range map[string]string{"kind": "motion", "seen": "false", "limit": "7", "from": "2026-01-01T00:00:00.000Z", "camera": w.anna.camera.String(), "cursor": "next", "to": ""} {
		if got := u.Query().Get(name); got != want {
			t.Errorf("%s is %q in the next page's address, want %q", name, got, want)
		}
	}
	w.want(w.do(request{as: &w.anna, method: "GET", path: link}), http.StatusOK, "")
}

func TestBadQueriesOfEvents(t *testing.T) {
	w := newWorld(t)
	for _, q := range []string{"?seen=maybe", "?camera=x", "?limit=0", "?limit=1000", "?from=yesterday", "?from=0001-01-02T00:00:00Z", "?cursor=" + strings.Repeat("a", 65)} {
		w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/events/history" + q}), http.StatusUnprocessableEntity, "request.invalid")
	}
	for _, body := range []string{`{"events":[],"seen":true}`, `{"events":["x"],"seen":true}`, `{"seen":true}`, `{"events":["` + strings.Repeat("a", 40) + `"],"seen":true,"more":1}`} {
		w.want(w.do(request{as: &w.anna, method: "POST", path: "/api/v1/events/seen", body: body}), http.StatusUnprocessableEntity, "request.invalid")
	}
	for query, code := range map[string]string{
		"?from=2026-01-01T00:00:00Z&to=2025-01-01T00:00:00Z": "footage.range",
		"?from=2026-01-01T00:00:00Z&to=2026-12-01T00:00:00Z": "footage.range_too_long",
	} {
		w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/cameras/" + w.anna.camera.String() + "/events" + query}), http.StatusUnprocessableEntity, code)
	}
}
