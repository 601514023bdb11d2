package rtsp

import (
	"strings"
	"testing"

	"candor/internal/problem"
)

func TestParse(t *testing.T) {
	const print = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	for _, c := range []struct {
		typed, user, password string
		want                  Address
		host                  string
		reason                string
	}{
		{typed: "rtsp://10.0.0.5/stream1", want: Address{URL: "rtsp://10.0.0.5/stream1"}, host: "10.0.0.5:554"},
		{typed: "  10.0.0.5:8554/live?channel=1 ", want: Address{URL: "rtsp://10.0.0.5:8554/live?channel=1"}, host: "10.0.0.5:8554"},
		{typed: "RTSPS://cam.local/x", want: Address{URL: "rtsps://cam.local/x"}, host: "cam.local:322"},
		{typed: "rtsp://[fd00::1]/x", want: Address{URL: "rtsp://[fd00::1]/x"}, host: "[fd00::1]:554"},
		{typed: "rtsp://admin:secret@10.0.0.5/x", want: Address{URL: "rtsp://10.0.0.5/x", Username: "admin", Password: "secret"}, host: "10.0.0.5:554"},
		{typed: "rtsp://admin:p@ss#1%@10.0.0.5/x", want: Address{URL: "rtsp://10.0.0.5/x", Username: "admin", Password: "p@ss#1%"}, host: "10.0.0.5:554"},
		{typed: "rtsp://admin:p%40ss@10.0.0.5", want: Address{URL: "rtsp://10.0.0.5", Username: "admin", Password: "p@ss"}, host: "10.0.0.5:554"},
		{typed: "rtsp://a:b@10.0.0.5/x", user: "c", password: "d", want: Address{URL: "rtsp://10.0.0.5/x", Username: "c", Password: "d"}, host: "10.0.0.5:554"},
		{typed: "rtsps://h/x#sha256:" + print, want: Address{URL: "rtsps://h/x#sha256:" + print}, host: "h:322"},
		{typed: "rtsps://h/x#sha256:12", reason: "certificate"},
		{typed: "", reason: "empty"},
		{typed: "   ", reason: "empty"},
		{typed: "http://10.0.0.5/x", reason: "scheme"},
		{typed: "rtsp:///x", reason: "host"},
		{typed: "rtsp://a b/x", reason: "space"},
		{typed: "rtsp://h:0/", reason: "port"},
		{typed: "rtsp://h:99999/", reason: "port"},
		{typed: "rtsp://h:/", reason: "port"},
		{typed: "rtsp://[::1/", reason: "unreadable"},
		{typed: "rtsp://h/" + strings.Repeat("a", maxAddress), reason: "long"},
	} {
		got, err := Parse(c.typed, c.user, c.password)
		if c.reason != "" {
			p, ok := problem.Of(err)
			if !ok || p.Code != CodeAddress || p.Args["reason"] != c.reason {
				t.Errorf("%q: %+v, %v; want the reason %s", c.typed, got, err, c.reason)
			}
			continue
		}
		if err != nil || got != c.want {
			t.Errorf("%q: %+v, %v; want %+v", c.typed, got, err, c.want)
			continue
		}
		x, err := got.target()
		if err != nil || x.host != c.host {
			t.Errorf("%q: dials %q, %v; want %q", c.typed, x.host, err, c.host)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"rtsp://10.0.0.5/stream1", "rtsps://u:p@[fe80::1%25eth0]:322/x?y=z#sha256:00", "u:p@h", "rtsp://@/", "://", "rtsp://h:554:554/",
		"rtsp://a@b@c@d/e@f", "rtsp://h/%zz", "rtsp://user:p/a@ss@host/path",
	} {
		f.Add(s, "", "")
		f.Add(s, "user", "päss wörd")
	}
	f.Fuzz(func(t *testing.T, typed, user, password string) {
		a, err := Parse(typed, user, password)
		if err != nil {
			if p, ok := problem.Of(err); !ok || p.Code != CodeAddress {
				t.Fatalf("%q: %v is not about the address", typed, err)
			}
			return
		}
		if user != "" && (a.Username != user || a.Password != password) {
			t.Fatalf("%q: the given name and password were changed to %q %q", typed, a.Username, a.Password)
		}
		again, err := Parse(a.URL, a.Username, a.Password)
		if err != nil || again != a {
			t.Fatalf("%q became %+v, and that %+v, %v", typed, a, again, err)
		}
		x, err := a.target()
		if err != nil || x.host == "" || hostOf(x.host) == "" {
			t.Fatalf("%q: target %+v, %v", typed, x, err)
		}
	})
}
