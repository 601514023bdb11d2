package httpapi_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"candor/internal/visit"
)

// The outbox opens in a browser on this machine and nowhere else, and looks absent otherwise.
func TestTheOutboxIsForThisMachineOnly(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		name, client, host string
		shown, opens       bool
	}{
		{"here", "127.0.0.1", "localhost:8780", true, true},
		{"here, by IPv6", "::1", "[::1]:8780", true, true},
		{"here, mapped", "::ffff:127.0.0.1", "127.0.0.1:8780", true, true},
		{"another machine", "192.168.1.9", "localhost:8780", true, false},
		{"another site's name", "127.0.0.1", "evil.example", true, false},
		{"no address", "", "localhost:8780", true, false},
		{"where mail is sent", "127.0.0.1", "localhost:8780", false, false},
	} {
		w.shown, w.visit = c.shown, visit.Visit{Host: c.host}
		if c.client != "" {
			w.visit.Client = netip.MustParseAddr(c.client)
		}
		rec := w.do(request{method: "GET", path: "/api/v1/outbox"})
		told := w.want(w.do(request{method: "GET", path: "/api/v1/sign-up"}), http.StatusOK, "")["outbox"]
		if told != c.opens {
			t.Errorf("%s: the page is told %v", c.name, told)
		}
		if c.opens {
			if w.want(rec, http.StatusOK, ""); !strings.Contains(rec.Body.String(), "1234 5678") {
				t.Errorf("%s: %s", c.name, rec.Body)
			}
			continue
		}
		w.want(rec, http.StatusNotFound, "not_found")
	}
}

func TestSigningUpOpensASession(t *testing.T) {
	w := newWorld(t)
	rec := w.do(request{method: "POST", path: "/api/v1/sign-up", body: bodies["askSignUp"]})
	if w.want(rec, http.StatusAccepted, ""); rec.Header().Get("Set-Cookie") != "" {
		t.Error("asking for a code sets a cookie")
	}
	wrong := strings.Replace(bodies["signUp"], "1234", "1235", 1)
	if rec = w.do(request{method: "POST", path: "/api/v1/sign-up/confirm", body: wrong}); rec.Header().Get("Set-Cookie") != "" {
		t.Error("a wrong code sets a cookie")
	}
	w.want(rec, http.StatusForbidden, "code.wrong")
	unknown := strings.Replace(bodies["signUp"], `{`, `{"admin":true,`, 1)
	w.want(w.do(request{method: "POST", path: "/api/v1/sign-up/confirm", body: unknown}), http.StatusUnprocessableEntity, "request.invalid")
	rec = w.do(request{method: "POST", path: "/api/v1/sign-up/confirm", body: bodies["signUp"]})
	if w.want(rec, http.StatusCreated, ""); !strings.Contains(rec.Header().Get("Set-Cookie"), w.anna.token) {
		t.Error("no cookie")
	}
	w.want(w.do(request{method: "POST", path: "/api/v1/password/reset/confirm", body: bodies["resetPassword"]}), http.StatusNoContent, "")
	// A program that types codes is slowed down.
	slowed := false
	for range 40 {
		slowed = slowed || w.do(request{method: "POST", path: "/api/v1/password/reset/confirm", body: strings.Replace(bodies["resetPassword"], "1234", "1235", 1)}).Code == http.StatusTooManyRequests
	}
	if !slowed {
		t.Error("forty wrong codes in a row")
	}
}
