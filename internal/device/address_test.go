package device

import (
	"strings"
	"testing"
)

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
