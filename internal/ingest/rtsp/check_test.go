package rtsp

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"candor/internal/democam"
	"candor/internal/media"
	"candor/internal/problem"
)

const clips = "../../../clips/"

func camera(t *testing.T, s *democam.Server) *democam.Server {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func TestCheckSeesWhatIsThere(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		clip     string
		reorder  bool
		audio    media.Codec
		rate     int
		channels int
		offset   time.Duration
		hide     bool
	}{
		{clip: "people.mp4", audio: media.Opus, rate: 48000, channels: 1},
		{clip: "people.sub.mp4", hide: true},
		{clip: "one-by-one-person-detection.mp4", reorder: true},
		{clip: "car-detection.mp4", audio: media.AAC, rate: 48000, channels: 2},
		{clip: "cars.mp4", audio: media.Opus, rate: 48000, channels: 2, offset: 9500 * time.Millisecond},
	} {
		t.Run(c.clip, func(t *testing.T) {
			t.Parallel()
			cam := camera(t, &democam.Server{Main: clips + c.clip, Offset: c.offset, HideParameters: c.hide})
			d, err := Check(t.Context(), &net.Dialer{}, Address{URL: cam.URL(media.Main)})
			if err != nil {
				t.Fatal(err)
			}
			v := d.Video()
			width := 768
			if strings.Contains(c.clip, "sub") {
				width = 384
			}
			if v == nil || v.Width != width || v.Height != width*9/16 || v.Reorder != c.reorder || !strings.HasPrefix(v.Profile, "avc1.") {
				t.Errorf("video %+v; want %d wide, reorder %v", v, width, c.reorder)
			}
			if v.FPS < 9 || v.FPS > 13 {
				t.Errorf("%v pictures a second", v.FPS)
			}
			a := d.Audio()
			if (a == nil) != (c.audio == "") {
				t.Fatalf("sound %+v, want %q", a, c.audio)
			}
			if a != nil && (a.Codec != c.audio || a.SampleRate != c.rate || a.Channels != c.channels || a.Profile == "") {
				t.Errorf("sound %+v, want %s %d/%d", a, c.audio, c.rate, c.channels)
			}
		})
	}
}

// A camera with a GOP of 10 s may not send a key picture in time: what it promised is told then.
func TestCheckFallsBackOnPromises(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "cars.mp4", Offset: 500 * time.Millisecond})
	d, err := Check(t.Context(), &net.Dialer{}, Address{URL: cam.URL(media.Main)})
	if err != nil || d.Video() == nil || d.Video().Width != 768 || d.Audio() == nil {
		t.Errorf("got %+v, %v", d, err)
	}
}

type dialFunc func(ctx context.Context, network, addr string) (net.Conn, error)

func (f dialFunc) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	return f(ctx, network, addr)
}

// listen serves each connection by f.
func listen(t *testing.T, f func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go f(c)
		}
	}()
	return l.Addr().String()
}

// deserted is an address where nobody listens.
func deserted(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestCheckSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "people.sub.mp4", Username: "admin", Password: "right"})
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	secure := httptest.NewUnstartedServer(http.NotFoundHandler())
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	secure.StartTLS()
	t.Cleanup(secure.Close)
	ssh := listen(t, func(c net.Conn) { c.Write([]byte("SSH-2.0-OpenSSH_9.2\r\n")); c.Close() })
	mute := listen(t, func(c net.Conn) { c.Close() })
	gone := deserted(t)
	at := func(addr string) Address { return Address{URL: "rtsp://" + addr + "/main"} }
	answers := func(describe string) Address {
		return at(listen(t, func(c net.Conn) { script(c, describe) }))
	}
	sdp := func(lines ...string) Address {
		body := strings.Join(append([]string{"v=0", "o=- 0 0 IN IP4 127.0.0.1", "s=-", "t=0 0"}, lines...), "\r\n") + "\r\n"
		return answers("RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: " + itoa(len(body)) + "\r\n%CSEQ%\r\n" + body)
	}
	for _, c := range []struct {
		name    string
		address Address
		code    string
		args    map[string]string
	}{
		{"no password", at(cam.Address()), CodePassword, nil},
		{"wrong password", Address{URL: cam.URL(media.Main), Username: "admin", Password: "wrong"}, CodePassword, nil},
		{"wrong path", Address{URL: "rtsp://" + cam.Address() + "/other", Username: "admin", Password: "right"}, CodeNotFound, map[string]string{"path": "/other"}},
		{"nobody at the port", at(gone), CodeRefused, map[string]string{"host": gone}},
		{"web server", at(web.Listener.Addr().String()), CodeNotRTSP, map[string]string{"heard": "HTTP"}},
		{"TLS server", at(secure.Listener.Addr().String()), CodeNotRTSP, nil},
		{"SSH server", at(ssh), CodeNotRTSP, map[string]string{"heard": "SSH"}},
		{"hangs up", at(mute), CodeNotRTSP, map[string]string{"heard": "nothing"}},
		{"web server behind TLS", Address{URL: "rtsps://" + secure.Listener.Addr().String() + "/"}, CodeCertificate, nil},
		{"no TLS where it was wanted", Address{URL: "rtsps://" + cam.Address() + "/main"}, CodeNoTLS, map[string]string{"host": cam.Address()}},
		{"H.265", sdp("m=video 0 RTP/AVP 96", "a=rtpmap:96 H265/90000", "a=control:t0"), CodeCodec, map[string]string{"codec": "H.265"}},
		{"Motion JPEG", sdp("m=video 0 RTP/AVP 26", "a=control:t0"), CodeCodec, map[string]string{"codec": "Motion JPEG"}},
		{"sound only", sdp("m=audio 0 RTP/AVP 0", "a=control:t0"), CodeNoVideo, nil},
		{"nonsense description", answers("RTSP/1.0 200 OK\r\nContent-Type: application/sdp\r\nContent-Length: 4\r\n%CSEQ%\r\nnope"), CodeDescription, nil},
		{"no description", answers("RTSP/1.0 200 OK\r\n%CSEQ%Content-Type: text/html\r\n\r\n"), CodeDescription, nil},
		{"busy", answers("RTSP/1.0 453 Not Enough Bandwidth\r\n%CSEQ%\r\n"), CodeAnswer, map[string]string{"status": "453"}},
		{"sent elsewhere", answers("RTSP/1.0 302 Found\r\n%CSEQ%Location: rtsp://203.0.113.9/main\r\n\r\n"), CodeElsewhere, nil},
		{"hangs up in mid-answer", answers("RTSP/1.0 20"), CodeHungUp, nil},
		{"http address", Address{URL: "http://127.0.0.1/"}, CodeAddress, map[string]string{"reason": "scheme"}},
		{"no host", Address{URL: "rtsp:///main"}, CodeAddress, map[string]string{"reason": "host"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d, err := Check(t.Context(), &net.Dialer{}, c.address)
			p, ok := problem.Of(err)
			if !ok || p.Code != c.code || d != nil {
				t.Fatalf("got %v, %v; want the problem %s", d, err, c.code)
			}
			for k, v := range c.args {
				if p.Args[k] != v {
					t.Errorf("%s is %q, want %q", k, p.Args[k], v)
				}
			}
			for _, v := range p.Args {
				if strings.Contains(v, "right") || strings.Contains(v, "wrong") {
					t.Errorf("a password is in the problem's arguments: %q", v)
				}
			}
		})
	}
}

func TestCheckPassesOnWhatTheDialerSays(t *testing.T) {
	no := problem.Forbidden("camera.forbidden_network")
	_, err := Check(t.Context(), dialFunc(func(context.Context, string, string) (net.Conn, error) { return nil, no }), Address{URL: "rtsp://8.8.8.8/"})
	if !problem.Is(err, CodeForbidden) {
		t.Errorf("got %v", err)
	}
	_, err = Check(t.Context(), dialFunc(func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: context.DeadlineExceeded}
	}), Address{URL: "rtsp://10.0.0.1/"})
	if !problem.Is(err, CodeTimeout) {
		t.Errorf("got %v, want a timeout", err)
	}
	_, err = Check(t.Context(), dialFunc(func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.DNSError{Err: "no such host", Name: "camera.invalid", IsNotFound: true}
	}), Address{URL: "rtsp://camera.invalid/"})
	if !problem.Is(err, CodeUnreachable) {
		t.Errorf("got %v, want unreachable", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err = Check(ctx, &net.Dialer{}, Address{URL: "rtsp://127.0.0.1:9/"}); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the caller's own cancellation", err)
	}
}

// Cameras sign their own certificates. The first check names the fingerprint; with it in the
// address the same camera is let in, and no other.
func TestCheckTrustsTheNamedCertificate(t *testing.T) {
	t.Parallel()
	lender := httptest.NewTLSServer(http.NotFoundHandler()) // lends its self-signed certificate
	t.Cleanup(lender.Close)
	cam := camera(t, &democam.Server{
		Main: clips + "people.mp4", Username: "u", Password: "p",
		TLS: &tls.Config{Certificates: lender.TLS.Certificates, MinVersion: tls.VersionTLS12},
	})
	url := cam.URL(media.Main)
	if !strings.HasPrefix(url, "rtsps://") {
		t.Fatalf("a camera with TLS is at %s", url)
	}
	_, err := Check(t.Context(), &net.Dialer{}, Address{URL: url, Username: "u", Password: "p"})
	p, ok := problem.Of(err)
	if !ok || p.Code != CodeCertificate || len(p.Args["fingerprint"]) != 64 {
		t.Fatalf("an unknown certificate: %v", err)
	}
	a, err := Parse(url+"#sha256:"+p.Args["fingerprint"], "u", "p")
	if err != nil {
		t.Fatal(err)
	}
	d, err := Check(t.Context(), &net.Dialer{}, a)
	if err != nil || d.Video() == nil || d.Audio() == nil {
		t.Errorf("the named certificate: %+v, %v", d, err)
	}
	a.URL = url + "#sha256:" + strings.Repeat("00", 32)
	if _, err := Check(t.Context(), &net.Dialer{}, a); !problem.Is(err, CodeCertificate) {
		t.Errorf("another certificate than named: %v", err)
	}
}
