package device

import (
	"strings"
	"testing"

	"candor/internal/problem"
	"candor/internal/promise"
)

func TestParseAddress(t *testing.T) {
	print := strings.Repeat("0a", 32)
	for typed, want := range map[string]struct {
		address, user, password, reason string
	}{
		"rtsp://10.1.2.3/main":                  {address: "rtsp://10.1.2.3/main"},
		" 10.1.2.3:8554/main?a=b ":              {address: "rtsp://10.1.2.3:8554/main?a=b"},
		"RTSP://Cam.LAN/Main#top":               {address: "rtsp://cam.lan/Main"},
		"rtsp://u:p@h/":                         {address: "rtsp://h/", user: "u", password: "p"},
		"u:p#1@2%3@h:554/x@y":                   {address: "rtsp://h:554/x@y", user: "u", password: "p#1@2%3"},
		"rtsp://u:pa%20ss@h":                    {address: "rtsp://h", user: "u", password: "pa ss"},
		"rtsps://h/x#sha256:" + print:           {address: "rtsps://h/x#sha256:" + print},
		"rtsps://h/x#sha256:12":                 {reason: "certificate"},
		"":                                      {reason: "empty"},
		"rtsp://h/" + strings.Repeat("a", 2048): {reason: "long"},
		"rtsp://h/a b":                          {reason: "space"},
		"rtsp://h/%zz":                          {reason: "unreadable"},
		"http://h/":                             {reason: "scheme"},
		"rtsp:///x":                             {reason: "host"},
		"rtsp://u:p@/x":                         {reason: "host"},
		"rtsp://h:0/":                           {reason: "port"},
		"rtsp://h:70000/":                       {reason: "port"},
		"rtsp://h:/":                            {reason: "port"},
	} {
		got, c, err := ParseAddress(typed)
		if want.reason != "" {
			p, ok := problem.Of(err)
			if !ok || p.Code != "camera.address" || p.Args["reason"] != want.reason || got != "" || c != nil {
				t.Errorf("%.60q: %q, %v, want reason %s", typed, got, err, want.reason)
			}
			continue
		}
		if c == nil {
			c = &Credentials{}
		}
		if err != nil || got != want.address || c.Username != want.user || c.Password != want.password {
			t.Errorf("%q: %q, %+v, %v", typed, got, c, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range []string{
		"rtsp://10.1.2.3/main", "rtsp://user:pa%20ss@cam.lan:8554/h264?ch=1&pwd=x#frag", "rtsps://[fe80::1%25eth0]:322/", "rtsp://user@", "RTSP://H", "rtsp://h:0/", "rtsp:h",
		"rtsp://h/user=admin_password=secret_channel=1.sdp",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, c, err := ParseAddress(in)
		if err != nil {
			if got != "" || c != nil {
				t.Fatalf("%q: %q, %v with %v", in, got, c, err)
			}
			return
		}
		if !strings.HasPrefix(got, "rtsp://") && !strings.HasPrefix(got, "rtsps://") || hostOf(got) == "" {
			t.Fatalf("%q became %q", in, got)
		}
		again, c2, err := ParseAddress(got)
		if err != nil || again != got || c2 != nil {
			t.Fatalf("%q became %q, then %q, %v, %v", in, got, again, c2, err)
		}
	})
}

func TestShownHidesPasswords(t *testing.T) {
	promise.Proves(t, "P020")
	for in, secret := range map[string]string{
		"rtsp://h/user=admin_password=tiger_channel=1.sdp": "tiger", "rtsp://h/?user=a&PASSWORD=tiger&x=1": "tiger", "rtsp://h/?passwd=tiger": "tiger",
		"rtsp://h/a?userpass=tiger": "tiger", "rtsp://h/a?pass=tiger": "tiger",
	} {
		if got := shown(in); strings.Contains(got, secret) || !strings.HasPrefix(got, "rtsp://h/") {
			t.Errorf("%s is shown as %s", in, got)
		}
	}
	if got := shown("rtsp://h/main?channel=1"); got != "rtsp://h/main?channel=1" {
		t.Errorf("shown as %s", got)
	}
}
