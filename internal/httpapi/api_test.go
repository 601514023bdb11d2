package httpapi_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/visit"
)

func (w *world) path(format string) string { return fmt.Sprintf(format, w.anna.camera) }

func TestCookies(t *testing.T) {
	promise.Proves(t, "P289")
	for _, c := range []struct {
		name   string
		visit  visit.Visit
		cookie string
	}{
		{"TLS at /", visit.Visit{Secure: true, Host: "cameras.example"}, "__Host-candor_session=%s; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"},
		{"TLS below a path", visit.Visit{Secure: true, Host: "cameras.example", BasePath: "/x"}, "candor_session=%s; Path=/x/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"},
		{"localhost", visit.Visit{Host: "localhost:8780"}, "candor_session=%s; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			w.visit = c.visit
			rec := w.do(request{method: "POST", path: "/api/v1/session", body: bodies["signIn"]})
			w.want(rec, http.StatusCreated, "")
			if got, want := rec.Header().Get("Set-Cookie"), fmt.Sprintf(c.cookie, w.anna.token); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if strings.Contains(rec.Body.String(), w.anna.token) {
				t.Error("the token is in the body too")
			}
			name, _, _ := strings.Cut(c.cookie, "=")
			rec = w.do(request{method: "DELETE", path: "/api/v1/session", cookie: name + "=" + w.anna.token})
			w.want(rec, http.StatusNoContent, "")
			if got := rec.Header().Get("Set-Cookie"); !strings.HasPrefix(got, name+"=; ") || !strings.Contains(got, "Max-Age=0") {
				t.Errorf("signing out sets %s", got)
			}
			w.want(w.do(request{method: "GET", path: "/api/v1/session", cookie: name + "=" + w.anna.token}), http.StatusUnauthorized, "session.ended")
		})
	}
}

func TestProblemsSpeakTheReadersLanguage(t *testing.T) {
	w := newWorld(t)
	for accept, lang := range map[string]string{"": "en", "zh-CN,zh;q=0.9,en;q=0.5": "zh-Hans", "zh": "zh-Hans", "de, en;q=0.3": "en", "tlh": "en", ";;;": "en"} {
		rec := w.do(request{method: "POST", path: "/api/v1/session", body: `{"email":"a@b","password":"x"}`, header: map[string]string{"Accept-Language": accept}})
		p := w.want(rec, http.StatusUnauthorized, "session.wrong")
		if p["detail"] != lang+":problem.session.wrong" || p["title"] != lang+":problem.title.401" || p["type"] != "urn:candor:problem:session.wrong" || p["status"] != 401.0 ||
			p["request_id"] == "" || p["request_id"] != rec.Header().Get("Candor-Request-Id") || rec.Header().Get("Content-Type") != "application/problem+json" {
			t.Errorf("%q: %v %v", accept, rec.Header(), p)
		}
	}
	// What the account chose wins over the browser.
	p := w.want(w.do(request{as: &w.ben, method: "GET", path: w.path("/api/v1/cameras/%s"), header: map[string]string{"Accept-Language": "en"}}), 404, "not_found")
	if p["detail"] != "zh-Hans:problem.not_found" {
		t.Errorf("got %v", p)
	}
	// A code the catalogue lacks still says something.
	w.room = func(string) error { return problem.Invalid("unknown.code") }
	p = w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/cameras"}), 422, "unknown.code")
	if p["detail"] != "en:problem.request.invalid" {
		t.Errorf("got %v", p)
	}
}

func TestInvalidInputIsNamedAndNeverSentBack(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct{ body, pointer, code string }{
		{`{"email":"a@b"}`, "", "field.missing"},
		{`{"email":"a@b","password":7123456}`, "/password", "field.invalid"},
		{`{"email":"a@b","password":"canary","admin":true}`, "/admin", "field.unknown"},
		{`{"email":"` + strings.Repeat("e", 300) + `","password":"canary"}`, "/email", "field.range"},
		{`{"email":`, "", ""},
		{`[]`, "", ""},
	} {
		rec := w.do(request{method: "POST", path: "/api/v1/session", body: c.body})
		if rec.Code != http.StatusUnprocessableEntity && rec.Code != http.StatusBadRequest {
			t.Errorf("%.60s answers %d", c.body, rec.Code)
		}
		p := w.want(rec, rec.Code, "request.invalid")
		if strings.Contains(rec.Body.String(), "canary") || strings.Contains(rec.Body.String(), "7123456") {
			t.Errorf("the value came back: %s", rec.Body)
		}
		if c.code == "" {
			continue
		}
		fields, _ := p["errors"].([]any)
		if len(fields) == 0 {
			t.Errorf("%s: no errors in %v", c.body, p)
			continue
		}
		f := fields[0].(map[string]any)
		if c.pointer != "" && f["pointer"] != c.pointer || f["code"] != c.code {
			t.Errorf("%.60s: %v, want %s %s", c.body, f, c.pointer, c.code)
		}
	}
	w.want(w.do(request{method: "POST", path: "/api/v1/session", body: `{"email":"` + strings.Repeat("x", 100<<10) + `"}`}), http.StatusRequestEntityTooLarge, "request.too_large")
	w.want(w.do(request{method: "PATCH", path: "/api/v1/whep/x", body: "{}"}), http.StatusMethodNotAllowed, "request.method")
	w.want(w.do(request{method: "GET", path: "/api/v1/nothing"}), http.StatusNotFound, "not_found")
	w.want(w.do(request{as: &w.anna, method: "POST", path: "/api/v1/cameras", body: "{}"}), http.StatusUnprocessableEntity, "request.invalid")
}

func TestFailuresTellThePersonNothingInternal(t *testing.T) {
	w := newWorld(t)
	w.room = func(string) error { return errors.New("canary: no such table") }
	rec := w.do(request{as: &w.anna, method: "GET", path: "/api/v1/cameras"})
	w.want(rec, http.StatusInternalServerError, "internal")
	w.room = func(string) error { panic("canary") }
	for _, path := range []string{"/api/v1/cameras", w.path("/api/v1/cameras/%s/still.jpg")} {
		rec2 := w.do(request{as: &w.anna, method: "GET", path: path})
		w.want(rec2, http.StatusInternalServerError, "internal")
		if strings.Contains(rec.Body.String()+rec2.Body.String(), "canary") {
			t.Errorf("the cause came out: %s %s", rec.Body, rec2.Body)
		}
	}
	w.want(w.do(request{as: &w.anna, method: "POST", path: w.path("/api/v1/cameras/%s/whep"), body: "v=0", header: map[string]string{"Content-Type": "application/sdp"}}), 500, "internal")
	if w.open() != 0 {
		t.Errorf("%d leases are left open", w.open())
	}
}

func TestSetupIsGuardedByItsCodeAndNeverLocks(t *testing.T) {
	w := newWorld(t)
	w.fresh = true
	state := w.want(w.do(request{method: "GET", path: "/api/v1/setup"}), 200, "")
	if state["needed"] != true || state["demo_camera"] != true || state["secure"] != true || len(state["missing_without_tls"].([]any)) != 0 {
		t.Errorf("state %v", state)
	}
	wrong := strings.Replace(bodies["beginSetup"], "ABCD-EFGH", "ABCD-EFGX", 1)
	for i := range 10 {
		w.want(w.do(request{method: "POST", path: "/api/v1/setup", body: wrong}), http.StatusForbidden, "setup.wrong_code")
		_ = i
	}
	rec := w.do(request{method: "POST", path: "/api/v1/setup", body: bodies["beginSetup"]})
	w.want(rec, http.StatusTooManyRequests, "request.too_many")
	if rec.Header().Get("Retry-After") != "3" {
		t.Errorf("Retry-After %q", rec.Header().Get("Retry-After"))
	}
	w.clock.Advance(3 * time.Second)
	w.want(w.do(request{method: "POST", path: "/api/v1/setup", body: strings.Replace(bodies["beginSetup"], "ABCD-EFGH", " abcdefgh ", 1)}), http.StatusCreated, "")
	w.want(w.do(request{method: "POST", path: "/api/v1/setup", body: bodies["beginSetup"]}), http.StatusConflict, "setup.done")

	plain := newWorld(t)
	plain.visit = visit.Visit{Host: "192.168.1.5:8780"}
	state = plain.want(plain.do(request{method: "GET", path: "/api/v1/setup"}), 200, "")
	if state["secure"] != false || len(state["missing_without_tls"].([]any)) == 0 {
		t.Errorf("plain HTTP misses %v", state)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	w := newWorld(t)
	guess := func() int {
		return w.do(request{method: "POST", path: "/api/v1/session", body: `{"email":"anna@example.org","password":"guess"}`}).Code
	}
	for range 8 {
		if c := guess(); c != http.StatusUnauthorized {
			t.Fatalf("got %d", c)
		}
	}
	if c := guess(); c != http.StatusTooManyRequests {
		t.Errorf("the ninth guess: %d", c)
	}
	w.clock.Advance(5 * time.Second)
	w.want(w.do(request{method: "POST", path: "/api/v1/session", body: bodies["signIn"]}), http.StatusCreated, "")
}

func TestGuessingFromOneLineIsOneGuesser(t *testing.T) {
	w := newWorld(t)
	w.fresh = true
	from := func(address, path, body string) int {
		w.visit.Client = netip.MustParseAddr(address)
		return w.do(request{method: "POST", path: path, body: body}).Code
	}
	guess, code := `{"email":"anna@example.org","password":"guess"}`, strings.Replace(bodies["beginSetup"], "ABCD-EFGH", "ABCD-EFGX", 1)
	for i := range 8 {
		from(fmt.Sprintf("2001:db8:1:2::%x", i+1), "/api/v1/session", guess)
	}
	if c := from("2001:db8:1:2:3::9", "/api/v1/session", guess); c != http.StatusTooManyRequests {
		t.Errorf("another address of the same line: %d", c)
	}
	for i := range 10 {
		from(fmt.Sprintf("2001:db8:1:2::%x", i+1), "/api/v1/setup", code)
	}
	if c := from("2001:db8:1:2:3::9", "/api/v1/setup", code); c != http.StatusTooManyRequests {
		t.Errorf("another address of the same line: %d", c)
	}
	for _, other := range []string{"2001:db8:1:3::1", "192.0.2.1", "192.0.2.2"} {
		if c := from(other, "/api/v1/session", guess); c != http.StatusUnauthorized {
			t.Errorf("sign-in from %s: %d", other, c)
		}
		if c := from(other, "/api/v1/setup", bodies["beginSetup"]); c != http.StatusCreated {
			t.Errorf("set-up from %s, while somebody else guesses: %d", other, c)
		}
		w.fresh = true
	}
}

func TestFootageByRanges(t *testing.T) {
	w := newWorld(t)
	base := w.path("/api/v1/cameras/%s/footage.mp4?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z")
	rec := w.do(request{as: &w.anna, method: "GET", path: base + "&download=1"})
	h := rec.Header()
	if rec.Code != 200 || rec.Body.Len() != 10000 || h.Get("Content-Type") != "video/mp4" || h.Get("ETag") != `"movie"` || h.Get("Accept-Ranges") != "bytes" ||
		h.Get("Cache-Control") != "private, no-store" || h.Get("Content-Disposition") != `attachment; filename="footage-20260101T000000Z.mp4"` {
		t.Errorf("got %d %v", rec.Code, h)
	}
	rec = w.do(request{as: &w.anna, method: "GET", path: base, header: map[string]string{"Range": "bytes=3-7"}})
	if rec.Code != http.StatusPartialContent || rec.Body.String() != "34567" || rec.Header().Get("Content-Range") != "bytes 3-7/10000" {
		t.Errorf("got %d %s %v", rec.Code, rec.Body, rec.Header())
	}
	if rec = w.do(request{as: &w.anna, method: "GET", path: base, header: map[string]string{"If-None-Match": `"movie"`}}); rec.Code != http.StatusNotModified || rec.Body.Len() != 0 {
		t.Errorf("got %d", rec.Code)
	}
	if rec = w.do(request{as: &w.anna, method: "GET", path: base, header: map[string]string{"Range": "bytes=99999-"}}); rec.Code != http.StatusRequestedRangeNotSatisfiable {
		t.Errorf("got %d", rec.Code)
	}
	for _, bad := range []string{"?from=x&to=y", "?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "?from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z", "", "?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z&profile=z"} {
		if rec := w.do(request{as: &w.anna, method: "GET", path: w.path("/api/v1/cameras/%s/footage.mp4") + bad}); rec.Code != 422 {
			t.Errorf("%s answers %d", bad, rec.Code)
		}
	}
	if w.open() != 0 {
		t.Errorf("%d leases are left open", w.open())
	}
	tl := w.want(w.do(request{as: &w.anna, method: "GET", path: w.path("/api/v1/cameras/%s/timeline?from=2026-01-01T00:00:00%%2B08:00&to=2026-01-01T01:00:00Z")}), 200, "")
	if tl["from"] != "2025-12-31T16:00:00.000Z" || tl["gaps"].([]any)[0].(map[string]any)["sentence"] != "en:footage.gap.paused" {
		t.Errorf("got %v", tl)
	}
}

func TestADownloadIsCutWhenItsLeaseEnds(t *testing.T) {
	w := newWorld(t)
	w.movie = make([]byte, 8<<20)
	s := httptest.NewServer(w.door)
	t.Cleanup(s.Close)
	r, _ := http.NewRequest("GET", s.URL+w.path("/api/v1/cameras/%s/footage.mp4?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z"), nil)
	r.Header.Set("Cookie", "__Host-candor_session="+w.anna.token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if _, err := io.ReadFull(res.Body, make([]byte, 1000)); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.leases[0].End(errors.New("withdrawn"))
	w.mu.Unlock()
	rest, err := io.ReadAll(res.Body)
	if err == nil || len(rest) >= len(w.movie)-1000 {
		t.Errorf("read %d more bytes, error %v: a cut download looks whole", len(rest), err)
	}
}

func TestAPausedLeaseDeliversNothing(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) { d.Limits.Pause = 60 * time.Millisecond })
	w.still = func(l *permit.Lease) (httpapi.Picture, error) {
		l.Pause()
		return httpapi.Picture{JPEG: []byte("canary")}, nil
	}
	var rec *httptest.ResponseRecorder
	func() {
		defer func() {
			if p := recover(); p != http.ErrAbortHandler {
				t.Errorf("recovered %v", p)
			}
		}()
		rec = httptest.NewRecorder()
		r := httptest.NewRequest("GET", w.path("/api/v1/cameras/%s/still.jpg"), nil)
		r.Header.Set("Cookie", "__Host-candor_session="+w.anna.token)
		w.door.ServeHTTP(rec, r)
	}()
	if rec.Body.Len() != 0 {
		t.Errorf("delivered %s", rec.Body)
	}
	resumed := make(chan struct{})
	w.still = func(l *permit.Lease) (httpapi.Picture, error) {
		l.Pause()
		go func() { l.Resume(); close(resumed) }()
		return httpapi.Picture{JPEG: []byte("picture"), At: 1}, nil
	}
	got := w.do(request{as: &w.anna, method: "GET", path: w.path("/api/v1/cameras/%s/still.jpg")})
	if got.Code == http.StatusOK {
		<-resumed
	}
	if got.Body.String() != "picture" || got.Header().Get("Candor-Captured-At") != "1970-01-01T00:00:00.001Z" {
		t.Errorf("got %s %v", got.Body, got.Header())
	}
}

func TestNothingIsDeliveredWithoutTheGate(t *testing.T) {
	w := newWorld(t)
	w.wrong = func(httpapi.Request) error { return problem.Unavailable("gate.log_down") }
	for _, r := range w.api.Routes() {
		if r.Action == "" {
			continue
		}
		q := w.call(r, w.anna, "")
		q.as = &w.anna
		if r.Auth == httpapi.Link {
			q.as, q.cookie = nil, "candor_session=own"
		}
		w.want(w.do(q), http.StatusServiceUnavailable, "gate.log_down")
	}
	if len(w.reached()) != 0 {
		t.Errorf("rooms were reached: %v", w.reached())
	}
	for _, q := range w.asked {
		if !q.Actor.Link.IsZero() {
			if q.Actor != permit.Visitor(w.link) || q.Binding != w.anna.camera || q.Tenant != id.DefaultTenant || q.Client == "" {
				t.Errorf("the gate was asked %+v", q)
			}
			continue
		}
		if q.Tenant != id.DefaultTenant || q.Account != w.anna.account && q.Binding != w.anna.camera || q.Actor.Account != w.anna.account || q.Actor.Session != w.anna.session || q.Action == "" || q.Client == "" {
			t.Errorf("the gate was asked %+v", q)
		}
	}
}

func TestViewingsAreBoundedAndEnd(t *testing.T) {
	w := newWorld(t, func(d *httpapi.Deps) { d.Limits.Viewings = 2 })
	offer := func() *httptest.ResponseRecorder {
		return w.do(request{as: &w.anna, method: "POST", path: w.path("/api/v1/cameras/%s/whep?quality=main&audio=1"), body: "v=0", header: map[string]string{"Content-Type": "application/sdp"}})
	}
	first := offer()
	w.want(first, http.StatusCreated, "")
	if first.Body.String() != "answer to v=0 main" || first.Header().Get("Content-Type") != "application/sdp" {
		t.Errorf("got %s %v", first.Body, first.Header())
	}
	w.want(offer(), http.StatusCreated, "")
	w.want(offer(), http.StatusTooManyRequests, "viewing.too_many")
	w.want(w.do(request{as: &w.anna, method: "DELETE", path: first.Header().Get("Location")}), http.StatusNoContent, "")
	w.want(w.do(request{as: &w.anna, method: "DELETE", path: first.Header().Get("Location")}), http.StatusNotFound, "not_found")
	if w.open() != 1 {
		t.Errorf("%d leases are open", w.open())
	}
	w.want(offer(), http.StatusCreated, "")
	w.want(w.do(request{as: &w.anna, method: "POST", path: w.path("/api/v1/cameras/%s/whep"), body: "{}"}), http.StatusTooManyRequests, "")
	w.api.Drain()
	if w.open() != 0 {
		t.Errorf("%d leases are open after the drain", w.open())
	}
	w.want(w.do(request{as: &w.anna, method: "POST", path: w.path("/api/v1/cameras/%s/whep"), body: "{}"}), http.StatusUnsupportedMediaType, "request.media_type")
	w.want(w.do(request{as: &w.anna, method: "GET", path: w.path("/api/v1/cameras/%s/mse")}), http.StatusUpgradeRequired, "request.upgrade")
}

func TestWebSocketEndsWithItsLease(t *testing.T) {
	w := newWorld(t)
	w.socket = func(ctx context.Context, l *permit.Lease, c *websocket.Conn) error {
		if err := c.Write(ctx, websocket.MessageText, []byte("hello")); err != nil {
			return err
		}
		<-ctx.Done()
		return permit.ErrEnded
	}
	s := httptest.NewServer(w.door)
	t.Cleanup(s.Close)
	w.visit = visit.Visit{Host: strings.TrimPrefix(s.URL, "http://")}
	header := http.Header{"Cookie": {"candor_session=" + w.anna.token}, "Origin": {s.URL}}
	c, _, err := websocket.Dial(t.Context(), s.URL+w.path("/api/v1/cameras/%s/mse"), &websocket.DialOptions{HTTPHeader: header})
	if err != nil {
		t.Fatal(err)
	}
	if _, b, err := c.Read(t.Context()); err != nil || string(b) != "hello" {
		t.Fatalf("%s, %v", b, err)
	}
	w.mu.Lock()
	w.leases[0].End(nil)
	w.mu.Unlock()
	if _, _, err := c.Read(t.Context()); err == nil {
		t.Error("the socket goes on")
	}
	header.Set("Origin", "http://evil.example")
	if _, res, err := websocket.Dial(t.Context(), s.URL+w.path("/api/v1/cameras/%s/mse"), &websocket.DialOptions{HTTPHeader: header}); err == nil || res.StatusCode != http.StatusForbidden {
		t.Errorf("another origin: %v", err)
	}
}

func TestACreatingRequestTwiceIsOne(t *testing.T) {
	w := newWorld(t)
	add := func(as *person, key, body string) *httptest.ResponseRecorder {
		return w.do(request{as: as, method: "POST", path: "/api/v1/cameras", body: body, header: map[string]string{"Idempotency-Key": key}})
	}
	first := add(&w.anna, "k", bodies["addCamera"])
	again := add(&w.anna, "k", bodies["addCamera"])
	w.want(again, http.StatusCreated, "")
	if first.Body.String() != again.Body.String() || again.Header().Get("Location") != first.Header().Get("Location") || again.Header().Get("Idempotency-Replayed") != "true" || w.adds != 1 {
		t.Errorf("done %d times: %s and %s", w.adds, first.Body, again.Body)
	}
	w.want(add(&w.anna, "k", `{"address":"rtsp://10.0.0.2/"}`), 422, "request.idempotency_reuse")
	w.want(add(&w.ben, "k", bodies["addCamera"]), http.StatusCreated, "")
	if w.adds != 2 {
		t.Errorf("another account's key: done %d times", w.adds)
	}
	w.room = func(name string) error {
		w.room = nil
		return problem.Unavailable("disk.full")
	}
	w.want(add(&w.anna, "f", bodies["addCamera"]), 503, "disk.full")
	w.want(add(&w.anna, "f", bodies["addCamera"]), http.StatusCreated, "") // a failure of ours may be tried again
	w.want(w.do(request{as: &w.anna, method: "DELETE", path: w.path("/api/v1/cameras/%s"), body: "{}"}), 200, "")
	if again := add(&w.anna, "k", bodies["addCamera"]); again.Header().Get("Idempotency-Replayed") != "" {
		t.Error("an answer about a deleted camera is still kept")
	}
	before := w.adds
	w.clock.Advance(25 * time.Hour)
	add(&w.anna, "k", bodies["addCamera"])
	if w.adds != before+1 {
		t.Error("a key lives longer than a day")
	}
}

func TestChangesMadeOnAnOldStateAreRefused(t *testing.T) {
	w := newWorld(t)
	got := w.do(request{as: &w.anna, method: "GET", path: w.path("/api/v1/cameras/%s")})
	change := func(match string) *httptest.ResponseRecorder {
		return w.do(request{as: &w.anna, method: "PATCH", path: w.path("/api/v1/cameras/%s"), body: `{"name":"B"}`, header: map[string]string{"If-Match": match}})
	}
	w.want(change(got.Header().Get("ETag")), 200, "")
	w.want(change(`"old"`), http.StatusPreconditionFailed, "request.changed")
	cam := w.want(got, 200, "")
	if s := cam["state"].(map[string]any)["sentence"]; s != "en:problem.camera.refused x=y" {
		t.Errorf("sentence %v", s)
	}
	if s := cam["recording"].(map[string]any)["sentence"]; s != "en:camera.recording.offline" {
		t.Errorf("sentence %v", s)
	}
}

func TestGoodbyes(t *testing.T) {
	w := newWorld(t)
	rec := w.do(request{as: &w.anna, method: "PUT", path: w.path("/api/v1/cameras/%s/consents/recording"), body: bodies["decideConsent"]})
	if got := w.want(rec, 200, ""); got["receipt"].(map[string]any)["what"] != "recording" {
		t.Errorf("got %v", got)
	}
	w.want(w.do(request{as: &w.anna, method: "PUT", path: w.path("/api/v1/cameras/%s/consents/live"), body: bodies["decideConsent"]}), 404, "not_found")
	w.want(w.do(request{as: &w.anna, method: "DELETE", path: "/api/v1/account", body: `{"password":"wrong"}`}), 403, "password.wrong")
	rec = w.do(request{as: &w.anna, method: "DELETE", path: "/api/v1/account", body: `{"password":"right"}`})
	if got := w.want(rec, http.StatusAccepted, ""); got["token"] != "secret" || !strings.Contains(rec.Header().Get("Set-Cookie"), "Max-Age=0") {
		t.Errorf("got %v %v", got, rec.Header())
	}
	w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/account"}), 401, "session.ended")
	kept := w.want(w.do(request{method: "GET", path: "/api/v1/receipts/kept"}), 200, "")
	if _, there := kept["token"]; there {
		t.Error("a receipt shows its own link")
	}
	w.want(w.do(request{method: "GET", path: "/api/v1/receipts/old"}), http.StatusGone, "receipt.gone")
}

func TestPagesHaveCursors(t *testing.T) {
	w := newWorld(t)
	rec := w.do(request{as: &w.anna, method: "GET", path: "/api/v1/privacy/access?limit=1"})
	first := w.want(rec, 200, "")
	cursor, _ := first["next_cursor"].(string)
	if cursor == "" || !strings.Contains(rec.Header().Get("Link"), `cursor=`+cursor+`>; rel="next"`) {
		t.Fatalf("got %v %v", first, rec.Header())
	}
	next := w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/privacy/access?limit=1&cursor=" + cursor}), 200, "")
	if next["accesses"].([]any)[0].(map[string]any)["seq"] != 99.0 || next["next_cursor"] != nil {
		t.Errorf("got %v", next)
	}
	w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/privacy/access?cursor=!"}), 422, "request.invalid")
	w.want(w.do(request{as: &w.anna, method: "GET", path: "/api/v1/privacy/access?limit=9999"}), 422, "request.invalid")
}

// listener reads a feed.
type listener struct {
	t    *testing.T
	body io.ReadCloser
	scan *bufio.Scanner
}

func (w *world) listen(s *httptest.Server, p person, last string) *listener {
	w.t.Helper()
	r, _ := http.NewRequestWithContext(w.t.Context(), "GET", s.URL+"/api/v1/events", nil)
	r.Header.Set("Cookie", "__Host-candor_session="+p.token)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		w.t.Fatal(err)
	}
	if res.StatusCode != 200 || res.Header.Get("Content-Type") != "text/event-stream" {
		w.t.Fatalf("feed answers %d %v", res.StatusCode, res.Header)
	}
	w.t.Cleanup(func() { res.Body.Close() })
	return &listener{w.t, res.Body, bufio.NewScanner(res.Body)}
}

// next reads one event; "" at the end.
func (l *listener) next() (id, kind, data string) {
	for l.scan.Scan() {
		key, value, _ := strings.Cut(l.scan.Text(), ": ")
		switch key {
		case "id":
			id = value
		case "event":
			kind = value
		case "data":
			data = value
		case "":
			if kind != "" || value == "listening" {
				if kind == "" {
					continue
				}
				return id, kind, data
			}
		}
	}
	return "", "", ""
}

func TestEventsGoOnWhereTheyStopped(t *testing.T) {
	w := newWorld(t)
	s := httptest.NewServer(w.door)
	t.Cleanup(s.Close)
	tell := func(a id.Account, n int) {
		w.api.Events().Publish(httpapi.Event{Type: "camera.state", Account: a, Data: map[string]int{"n": n}})
	}
	l := w.listen(s, w.anna, "")
	l.scan.Scan() // ": listening"
	tell(w.ben.account, 0)
	tell(w.anna.account, 1)
	last, kind, data := l.next()
	if kind != "camera.state" || data != `{"n":1}` {
		t.Fatalf("got %s %s", kind, data)
	}
	l.body.Close()
	tell(w.anna.account, 2)
	tell(w.anna.account, 3)
	l = w.listen(s, w.anna, last)
	for n := 2; n <= 3; n++ {
		if _, _, data := l.next(); data != fmt.Sprintf(`{"n":%d}`, n) {
			t.Errorf("missed %d, got %s", n, data)
		}
	}
	for i := range 300 {
		tell(w.anna.account, i)
	}
	if _, kind, _ := w.listen(s, w.anna, last).next(); kind != "resync" {
		t.Errorf("too much was missed, got %s", kind)
	}
	if _, kind, _ := w.listen(s, w.anna, "another-7").next(); kind != "resync" {
		t.Errorf("after a restart, got %s", kind)
	}
	l = w.listen(s, w.anna, "")
	l.scan.Scan()
	w.mu.Lock()
	delete(w.sessions, w.anna.token)
	w.mu.Unlock()
	w.api.Events().EndSession(w.anna.session)
	if _, kind, _ := l.next(); kind != "session.ended" {
		t.Errorf("signed out, got %s", kind)
	}
	if _, kind, _ := l.next(); kind != "" {
		t.Errorf("the feed goes on with %s", kind)
	}
	b := w.listen(s, w.ben, "")
	b.scan.Scan()
	w.api.Drain()
	if _, kind, _ := b.next(); kind != "" {
		t.Errorf("after the drain: %s", kind)
	}
	w.want(w.do(request{method: "GET", path: "/readyz"}), http.StatusServiceUnavailable, "")
	w.want(w.do(request{method: "GET", path: "/healthz"}), http.StatusOK, "")
}

func TestMetricsAreForThisMachine(t *testing.T) {
	w := newWorld(t)
	get := func(remote string, v visit.Visit) int {
		r := httptest.NewRequest("GET", "/metrics", nil)
		r.RemoteAddr = remote
		rec := httptest.NewRecorder()
		w.api.Handler().ServeHTTP(rec, r.WithContext(visit.With(r.Context(), v)))
		return rec.Code
	}
	here, away := visit.Direct(&http.Request{RemoteAddr: "127.0.0.1:1"}), visit.Direct(&http.Request{RemoteAddr: "192.168.1.2:1"})
	if c := get("127.0.0.1:1", here); c != 200 {
		t.Errorf("here: %d", c)
	}
	if c := get("192.168.1.2:1", away); c != 404 {
		t.Errorf("away: %d", c)
	}
	if c := get("127.0.0.1:1", away); c != 404 {
		t.Errorf("away behind a proxy here: %d", c)
	}
}

func TestAnswersAreNotCached(t *testing.T) {
	w := newWorld(t)
	for _, r := range w.api.Routes() {
		if r.ID == "watchMSE" || r.ID == "listen" || r.ID == "openapi" {
			continue
		}
		q := w.call(r, w.anna, "")
		q.as = &w.anna
		if r.ID == "signOut" || r.ID == "eraseAccount" || r.ID == "endSession" {
			continue
		}
		h := w.do(q).Header()
		if cc := h.Get("Cache-Control"); cc != "no-store" && cc != "private, no-store" {
			t.Errorf("%s may be cached: %q", r.ID, cc)
		}
		if h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" || h.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: headers %v", r.ID, h)
		}
	}
}

func FuzzHandler(f *testing.F) {
	f.Add("GET", "/api/v1/cameras/x/timeline?from=a", "{}", "text/plain")
	f.Add("POST", "/api/v1/session", `{"email":"a","password":"b"}`, "application/json")
	f.Add("PUT", "/api/v1/cameras/%00/consents/../x", "[", "application/json")
	f.Fuzz(func(t *testing.T, method, path, body, kind string) {
		r, err := http.NewRequest(method, "http://localhost/"+strings.TrimPrefix(path, "/"), strings.NewReader(body))
		if err != nil {
			return
		}
		w := newWorld(t)
		r.Header.Set("Content-Type", kind)
		r.Header.Set("Cookie", "candor_session="+w.anna.token)
		w.visit = visit.Visit{Host: "localhost"}
		r.Host = "localhost"
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		rec := httptest.NewRecorder()
		w.door.ServeHTTP(rec, r.WithContext(ctx))
		if rec.Code >= 500 {
			t.Errorf("%s %s answers %d %s", method, path, rec.Code, rec.Body)
		}
		if strings.HasPrefix(rec.Header().Get("Content-Type"), "application/problem") && !json.Valid(rec.Body.Bytes()) {
			t.Errorf("not JSON: %s", rec.Body)
		}
	})
}
