package onvif

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"candor/internal/onvif/soap"
	"candor/internal/problem"
)

// odd is a camera that answers each call as it was told: a body, or a status.
type odd struct {
	answers map[string]string // call → body of the answer
	signed  map[string]bool   // calls that need somebody
	status  int               // of a refusal
	header  string            // WWW-Authenticate of a refusal
	calls   []string
}

func (o *odd) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b, _ := io.ReadAll(r.Body)
	_, rest, _ := strings.Cut(string(b), "<s:Body><")
	_, call, _ := strings.Cut(strings.FieldsFunc(rest, func(r rune) bool { return strings.ContainsRune(" />", r) })[0], ":")
	by := ""
	switch {
	case strings.HasPrefix(r.Header.Get("Authorization"), "Digest "):
		by = " digest"
	case strings.Contains(string(b), "UsernameToken"):
		by = " token"
	}
	o.calls = append(o.calls, call+by)
	body, ok := o.answers[call]
	switch {
	case o.signed[call] && by == "":
		if o.header != "" {
			w.Header().Set("WWW-Authenticate", o.header)
		}
		w.WriteHeader(o.status)
	case !ok:
		w.WriteHeader(http.StatusInternalServerError)
	default:
		_, _ = w.Write(soap.Envelope("", body))
	}
}

func (o *odd) look(t *testing.T) (Camera, error) {
	t.Helper()
	s := httptest.NewServer(o)
	t.Cleanup(s.Close)
	way := Way{Client: s.Client(), May: func(string) error { return nil }, Now: time.Now}
	return Look(t.Context(), way, strings.TrimPrefix(s.URL, "http://"), "admin", "pw")
}

func video(token, source, codec string, w, h int) string {
	return fmt.Sprintf(`<trt:Profiles token="%s"><tt:Name>%[1]s</tt:Name><tt:VideoSourceConfiguration><tt:SourceToken>%s</tt:SourceToken></tt:VideoSourceConfiguration>`+
		`<tt:VideoEncoderConfiguration><tt:Encoding>%s</tt:Encoding><tt:Resolution><tt:Width>%d</tt:Width><tt:Height>%d</tt:Height></tt:Resolution></tt:VideoEncoderConfiguration></trt:Profiles>`,
		token, source, codec, w, h)
}

const uri = `<trt:GetStreamUriResponse><trt:MediaUri><tt:Uri>rtsp://admin:pw@10.9.9.9:8554/live?x=1#y</tt:Uri></trt:MediaUri></trt:GetStreamUriResponse>`

func ordinary(profiles string) map[string]string {
	return map[string]string{
		"GetSystemDateAndTime": `<tds:GetSystemDateAndTimeResponse/>`,
		"GetProfiles":          `<trt:GetProfilesResponse>` + profiles + `</trt:GetProfilesResponse>`,
		"GetStreamUri":         uri,
	}
}

func TestOddCamerasAreUnderstood(t *testing.T) {
	t.Run("no capabilities, no services, an old address in the stream", func(t *testing.T) {
		o := &odd{answers: ordinary(video("a", "s", "H264", 1920, 1080))}
		got, err := o.look(t)
		if err != nil || len(got.Channels) != 1 {
			t.Fatalf("%+v, %v", got, err)
		}
		if u := got.Channels[0].Main.URL; !strings.HasPrefix(u, "rtsp://127.0.0.1:8554/live?x=1") || strings.ContainsAny(u, "@#") {
			t.Errorf("the stream is at %s", u)
		}
	})
	t.Run("signs in by digest as its refusal says, also for its capabilities", func(t *testing.T) {
		o := &odd{answers: ordinary(video("a", "s", "H264", 1, 1)), signed: map[string]bool{"GetCapabilities": true, "GetProfiles": true, "GetStreamUri": true},
			status: 401, header: `Digest realm="x", nonce="n", qop="auth,auth-int"`}
		if _, err := o.look(t); err != nil {
			t.Fatal(err)
		}
		if s := strings.Join(o.calls, ","); !strings.HasPrefix(s, "GetSystemDateAndTime,GetCapabilities,GetCapabilities digest,") || strings.Contains(s, "token") {
			t.Errorf("asked %s", s)
		}
	})
	t.Run("a Basic challenge gets no password in clear", func(t *testing.T) {
		o := &odd{answers: ordinary(video("a", "s", "H264", 1, 1)), signed: map[string]bool{"GetProfiles": true}, status: 401, header: `Basic realm="x"`}
		if _, err := o.look(t); err != nil || !strings.Contains(strings.Join(o.calls, ","), "GetProfiles token") {
			t.Errorf("%v, asked %v", err, o.calls)
		}
	})
	t.Run("a recorder with two cameras", func(t *testing.T) {
		o := &odd{answers: ordinary(video("a", "1", "H264", 1920, 1080) + video("b", "2", "H265", 2560, 1440) + video("c", "2", "H264", 1280, 720) + video("d", "2", "H264", 640, 360))}
		got, err := o.look(t)
		if err != nil || len(got.Channels) != 2 {
			t.Fatalf("%+v, %v", got, err)
		}
		if m := got.Channels[1].Main; m.Name != "c" || m.Codec != "h264" {
			t.Errorf("the second shows %+v", m)
		}
	})
	for name, profiles := range map[string]string{
		"no profile": "", "sound only": `<trt:Profiles token="a"/>`, "no token": video("", "s", "H264", 1, 1), "absurd size": video("a", "s", "H264", 1<<30, 1),
	} {
		if _, err := (&odd{answers: ordinary(profiles)}).look(t); !problem.Is(err, CodeNoStreams) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := (&odd{}).look(t); !problem.Is(err, CodeNone) {
		t.Errorf("a web server: %v", err)
	}
}

func TestTheStreamsThatFitAreChosen(t *testing.T) {
	p := func(name, codec string, w, h int) profile {
		v := profile{Token: name, Name: name}
		v.Video = &struct {
			Encoding string  `xml:"Encoding"`
			Width    int     `xml:"Resolution>Width"`
			Height   int     `xml:"Resolution>Height"`
			FPS      float64 `xml:"RateControl>FrameRateLimit"`
		}{codec, w, h, 25}
		return v
	}
	for _, c := range []struct {
		all       []profile
		main, sub string
	}{
		{[]profile{p("sub", "H264", 640, 360), p("main", "H264", 2560, 1440), p("tiny", "H264", 320, 180)}, "main", "sub"},
		{[]profile{p("best", "H265", 3840, 2160), p("main", "H264", 1920, 1080), p("sub", "H265", 640, 360)}, "main", ""},
		{[]profile{p("a", "H265", 3840, 2160), p("b", "H265", 640, 360)}, "a", "b"},
		{[]profile{p("a", "JPEG", 640, 480), p("b", "H264", 320, 240)}, "b", ""},
		{[]profile{p("a", "H264", 640, 480), p("b", "H264", 640, 480)}, "a", ""},
		{nil, "", ""},
	} {
		main, sub := choose(c.all)
		name := func(p *profile) string {
			if p == nil {
				return ""
			}
			return p.Name
		}
		if name(main) != c.main || name(sub) != c.sub {
			t.Errorf("%v: %q and %q, want %q and %q", c.all, name(main), name(sub), c.main, c.sub)
		}
	}
}

// The first example is that of RFC 2617, section 3.5.
func TestChallengesAreReadAndAnswered(t *testing.T) {
	c := challenged([]string{`Basic realm="x"`, `Digest realm="testrealm@host.com", qop="auth,auth-int", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"`})
	a := c.with("0a4f113b", "GET", "/dir/index.html", "Mufasa", "Circle Of Life", 1)
	for _, part := range []string{`username="Mufasa"`, `realm="testrealm@host.com"`, `qop=auth, nc=00000001`, `response="6629fae49393a05397450978507c4ef1"`, `opaque="5ccc069c403ebaf9f0171e9517f40e41"`} {
		if !strings.Contains(a, part) {
			t.Errorf("%s is not in %s", part, a)
		}
	}
	if c.answer("GET", "/", "u", "p", 1) == c.answer("GET", "/", "u", "p", 1) {
		t.Error("two answers are the same")
	}
	old := challenged([]string{`Digest realm="r", nonce="n"`}).answer("GET", "/", "u", "p", 1)
	if !strings.Contains(old, `response="`) || strings.Contains(old, "qop") {
		t.Errorf("an old one is answered by %s", old)
	}
	if c := challenged([]string{`Digest realm="r",nonce="a",algorithm=MD5`, `Digest realm="r",nonce="b",algorithm=SHA-256,qop=auth`}); c.nonce != "b" {
		t.Errorf("of two, %+v was taken", c)
	}
	for _, bad := range []string{"", "Digest", `Digest realm="x"`, `Digest nonce="n", algorithm=MD4`, `Digest nonce="n", qop="auth-int"`, "Digest nonce=\"a\\\"b\"", "Digest nonce=" + strings.Repeat("x", 5000)} {
		if c := challenged([]string{bad}); c.usable() {
			t.Errorf("%q is taken for %+v", bad, c)
		}
	}
}

func FuzzChallenge(f *testing.F) {
	f.Add(`Digest realm="a", nonce="b", qop="auth,auth-int", stale=true`, "user")
	f.Add(`Digest nonce=`, `"`)
	f.Add(`Digest "\`, "\r\n")
	f.Fuzz(func(t *testing.T, header, user string) {
		if c := challenged([]string{header}); c.usable() {
			if a := c.answer("POST", "/x", user, "p", 1); strings.ContainsAny(a, "\r\n") {
				t.Errorf("%q", a)
			}
		}
	})
}
