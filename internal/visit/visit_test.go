package visit_test

import (
	"net/http/httptest"
	"slices"
	"testing"

	"candor/internal/visit"
)

func TestWhatABrowserWithholds(t *testing.T) {
	for _, c := range []struct {
		v    visit.Visit
		full bool
	}{
		{visit.Visit{Host: "localhost:8780"}, true},
		{visit.Visit{Host: "cam.localhost"}, true},
		{visit.Visit{Host: "127.0.0.1:1"}, true},
		{visit.Visit{Host: "[::1]:1"}, true},
		{visit.Visit{Host: "cameras.example", Secure: true}, true},
		{visit.Visit{Host: "192.168.1.2:8780"}, false},
		{visit.Visit{Host: "localhost.example"}, false},
		{visit.Visit{Host: "127.0.0.1.example"}, false},
		{visit.Visit{}, false},
	} {
		if got := c.v.Missing(); (len(got) == 0) != c.full {
			t.Errorf("%+v misses %v", c.v, got)
		}
	}
	if m := (visit.Visit{Host: "10.0.0.1"}).Missing(); !slices.Contains(m, "microphone") {
		t.Errorf("plain HTTP on a network misses %v", m)
	}
}

func TestWithoutFrontTheConnectionAloneCounts(t *testing.T) {
	r := httptest.NewRequest("GET", "http://a.example/", nil)
	r.Header.Set("X-Forwarded-Proto", "https")
	r.Header.Set("X-Forwarded-Host", "evil.example")
	v := visit.Of(r)
	if v.Secure || v.Host != "a.example" || v.Origin() != "http://a.example" || !v.Client.IsValid() {
		t.Errorf("got %+v", v)
	}
	if got := visit.Of(r.WithContext(visit.With(r.Context(), visit.Visit{Host: "b"}))); got.Host != "b" {
		t.Errorf("got %+v", got)
	}
}
