package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
)

func TestALiveLinkNeedsTheWordOnceMore(t *testing.T) {
	w := newWorld(t)
	live := request{as: &w.anna, method: "POST", path: "/api/v1/links", body: `{"camera_id":"` + w.anna.camera.String() + `","live":true,"confirmed":true}`}
	w.want(w.do(live), http.StatusForbidden, "session.step_up")
	w.want(w.do(request{as: &w.anna, method: "POST", path: "/api/v1/session/step-up", body: `{"password":"wrong"}`}), http.StatusForbidden, "password.wrong")
	w.want(w.do(live), http.StatusForbidden, "session.step_up")
	w.want(w.do(request{as: &w.anna, method: "POST", path: "/api/v1/session/step-up", body: `{"password":"right"}`}), http.StatusNoContent, "")
	if m := w.want(w.do(live), http.StatusCreated, ""); m["url"] != "https://cameras.example/l/linked" {
		t.Errorf("the address is %v", m["url"])
	}
	other := w.anna
	other.token = "another browser"
	w.mu.Lock()
	w.sessions[other.token] = httpapi.Caller{Tenant: id.DefaultTenant, Account: w.anna.account, Session: newID[id.Session]()}
	w.mu.Unlock()
	live.as = &other
	w.want(w.do(live), http.StatusForbidden, "session.step_up")
	live.as = &w.anna
	for _, step := range []time.Duration{-time.Second, 10*time.Minute + time.Second} { // set back, and too long ago
		w.clock.Advance(step)
		w.want(w.do(live), http.StatusForbidden, "session.step_up")
	}
}

func TestThePasswordAloneDoesNotStandInForASecondStep(t *testing.T) {
	w := newWorld(t)
	w.second = true
	live := request{as: &w.anna, method: "POST", path: "/api/v1/links", body: `{"camera_id":"` + w.anna.camera.String() + `","live":true,"confirmed":true}`}
	for _, no := range []struct{ body, code string }{
		{`{"password":"right"}`, "step.needed"},
		{`{"password":"right","code":"654321"}`, "step.wrong"},
		{`{"password":"wrong","code":"123456"}`, "password.wrong"},
	} {
		w.want(w.do(request{as: &w.anna, method: "POST", path: "/api/v1/session/step-up", body: no.body}), http.StatusForbidden, no.code)
		w.want(w.do(live), http.StatusForbidden, "session.step_up")
	}
	w.want(w.do(request{as: &w.anna, method: "POST", path: "/api/v1/session/step-up", body: `{"password":"right","code":"123456"}`}), http.StatusNoContent, "")
	w.want(w.do(live), http.StatusCreated, "")
}

func TestALinkShowsItsOwnAndNothingElse(t *testing.T) {
	w := newWorld(t)
	at := "/api/v1/link/" + w.link.String()
	by := func(method, path string) request {
		return request{method: method, path: path, cookie: "candor_session=own"}
	}
	w.want(w.do(by("GET", at)), http.StatusOK, "")
	clip := w.do(by("GET", at+"/clip.mp4"))
	if clip.Code != http.StatusOK || clip.Body.String() != string(w.movie) || clip.Header().Get("Content-Disposition") != "" {
		t.Errorf("%d, %v", clip.Code, clip.Header())
	}
	file := w.do(by("GET", at+"/clip.mp4?download=1"))
	if got := file.Header().Get("Content-Disposition"); got != `attachment; filename="clip.mp4"` {
		t.Errorf("the file is called %s", got)
	}
	asked := w.asked[len(w.asked)-2:]
	if asked[0].Action != permit.FootageRead || asked[1].Action != permit.FootageExport || asked[1].Actor != permit.Visitor(w.link) || !asked[1].Account.IsZero() {
		t.Errorf("the gate was asked %+v", asked)
	}
	offer := by("POST", at+"/whep")
	offer.body, offer.header = "v=0", map[string]string{"Content-Type": "application/sdp"}
	rec := w.do(offer)
	if where := rec.Header().Get("Location"); rec.Code != http.StatusCreated || !strings.HasPrefix(where, at+"/whep/") {
		t.Errorf("%d at %s", rec.Code, where)
	}
	end := by("DELETE", rec.Header().Get("Location"))
	own := request{as: &w.anna, method: "DELETE", path: "/api/v1/whep/" + end.path[strings.LastIndex(end.path, "/")+1:]}
	w.want(w.do(own), http.StatusNotFound, "not_found") // the owner's sessions do not name a visitor's viewing
	w.want(w.do(end), http.StatusNoContent, "")
	for _, r := range w.api.Routes() { // the visit opens no route of a session
		if r.Auth != httpapi.Session {
			continue
		}
		q := w.call(r, w.anna, newID[id.Viewing]().String())
		q.cookie = "__Host-candor_session=own"
		w.want(w.do(q), http.StatusUnauthorized, "session.ended")
	}
	w.want(w.do(request{method: "POST", path: "/api/v1/links/over/open", body: "nothing"}), http.StatusGone, "link.over")
	if w.open() != 0 {
		t.Errorf("%d leases are open", w.open())
	}
}

func TestVisitorsOfALinkAreFew(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) { d.Limits.Visitors = 2 })
	offer := request{method: "POST", path: "/api/v1/link/" + w.link.String() + "/whep", cookie: "candor_session=own", body: "v=0", header: map[string]string{"Content-Type": "application/sdp"}}
	var codes []int
	for range 3 {
		codes = append(codes, w.do(offer).Code)
	}
	if !slices.Equal(codes, []int{201, 201, 429}) {
		t.Errorf("answers %v", codes)
	}
}

// A file is asked for by another ability than looking at it.
func TestAFileIsAskedForAsOne(t *testing.T) {
	w := newWorld(t)
	path := "/api/v1/cameras/" + w.anna.camera.String() + "/footage.mp4" + queries["getFootage"]
	for query, want := range map[string]permit.Action{"": permit.FootageRead, "&download=0": permit.FootageRead, "&download=1": permit.FootageExport} {
		w.do(request{as: &w.anna, method: "GET", path: path + query})
		if got := w.asked[len(w.asked)-1].Action; got != want {
			t.Errorf("%q asks for %s", query, got)
		}
	}
}
