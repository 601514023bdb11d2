package rtsp

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"

	"candor/internal/media"
)

// relay is an RTSP server that others publish to: ffmpeg packs the RTP, not we.
type relay struct {
	server *gortsplib.Server
	addr   string
	mu     sync.Mutex
	stream *gortsplib.ServerStream
	ready  chan struct{}
}

func newRelay(t *testing.T) *relay {
	t.Helper()
	r := &relay{ready: make(chan struct{})}
	r.server = &gortsplib.Server{Handler: r, RTSPAddress: "127.0.0.1:0", WriteQueueSize: 4096}
	r.server.Listen = func(network, addr string) (net.Listener, error) {
		l, err := net.Listen(network, addr)
		if err == nil {
			r.addr = l.Addr().String()
		}
		return l, err
	}
	if err := r.server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.server.Close)
	return r
}

func (r *relay) OnAnnounce(c *gortsplib.ServerHandlerOnAnnounceCtx) (*base.Response, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stream = &gortsplib.ServerStream{Server: r.server, Desc: c.Description}
	return &base.Response{StatusCode: base.StatusOK}, r.stream.Initialize()
}

func (r *relay) current() *gortsplib.ServerStream {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stream
}

func (r *relay) OnDescribe(*gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return &base.Response{StatusCode: base.StatusOK}, r.current(), nil
}

func (r *relay) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if c.Session.State() == gortsplib.ServerSessionStatePreRecord {
		return &base.Response{StatusCode: base.StatusOK}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, r.current(), nil
}

func (r *relay) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (r *relay) OnRecord(c *gortsplib.ServerHandlerOnRecordCtx) (*base.Response, error) {
	stream := r.current()
	c.Session.OnPacketRTPAny(func(m *description.Media, _ format.Format, p *rtp.Packet) {
		_ = stream.WritePacketRTP(m, p)
	})
	close(r.ready)
	return &base.Response{StatusCode: base.StatusOK}, nil
}

// publish has ffmpeg play a clip to the relay.
func (r *relay) publish(t *testing.T, args ...string) string {
	t.Helper()
	url := "rtsp://" + r.addr + "/cam"
	args = append(append([]string{"-v", "error", "-re"}, args...), "-f", "rtsp", "-rtsp_transport", "tcp", url)
	run(t, "ffmpeg", args...)
	select {
	case <-r.ready:
	case <-time.After(30 * time.Second):
		t.Fatal("ffmpeg did not publish")
	}
	return url
}

// run starts a program that is killed when the test ends.
func run(t *testing.T, name string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, name, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", name, out.Bytes())
		}
	})
}

func TestForeignPublisher(t *testing.T) {
	t.Parallel()
	loop := func(clip string) []string { return []string{"-stream_loop", "-1", "-i", clips + clip} }
	for _, c := range []struct {
		name    string
		args    []string
		audio   media.Codec
		reorder bool
	}{
		{"people", append(loop("people.mp4"), "-c", "copy"), media.Opus, false},
		{"B pictures", append(loop("one-by-one-person-detection.mp4"), "-c", "copy"), "", true},
		{"AAC", append(loop("car-detection.mp4"), "-c", "copy"), media.AAC, false},
		{"GOP of 10 s", append([]string{"-ss", "8"}, append(loop("cars.mp4"), "-c", "copy")...), media.Opus, false},
		{"A-law", append(loop("car-detection.mp4"), "-c:v", "copy", "-c:a", "pcm_alaw", "-ar", "8000", "-ac", "1"), media.PCMA, false},
		{"µ-law", append(loop("car-detection.mp4"), "-c:v", "copy", "-c:a", "pcm_mulaw", "-ar", "8000", "-ac", "1"), media.PCMU, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := pull(t, Address{URL: newRelay(t).publish(t, c.args...)}, &net.Dialer{})
			units := p.units(60)
			sound, pictures := 0, 0
			for _, u := range units {
				if u.Track.Video() {
					pictures++
					if u.Track.Reorder != c.reorder && pictures > 30 {
						t.Fatalf("reordering is %v", u.Track.Reorder)
					}
				} else {
					sound++
					if u.Track.Codec != c.audio || len(u.Data) == 0 {
						t.Fatalf("sound in %s, %d bytes", u.Track.Codec, len(u.Data))
					}
				}
			}
			if pictures == 0 || (sound > 0) != (c.audio != "") {
				t.Errorf("%d pictures, %d sounds", pictures, sound)
			}
		})
	}
}

// go2rtc is a camera server of another make. It is built as tools/go.mod pins it.
func TestForeignServer(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bin := filepath.Join(dir, "go2rtc")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "github.com/AlexxIT/go2rtc")
	build.Dir = "../../../tools"
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-mod=readonly")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build go2rtc: %v\n%s", err, out)
	}
	addr := deserted(t)
	clip, err := filepath.Abs(clips + "people.mp4")
	if err != nil {
		t.Fatal(err)
	}
	config := fmt.Sprintf(`api: {listen: ""}
webrtc: {listen: ""}
srtp: {listen: ""}
rtsp: {listen: %q, username: admin, password: "s3cret", default_query: "video&audio"}
streams:
  people: "exec:ffmpeg -re -stream_loop -1 -i %s -c copy -f rtsp -rtsp_transport tcp {output}"
`, addr, clip)
	file := filepath.Join(dir, "go2rtc.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, bin, "-config", file)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		c, err := net.Dial("tcp", addr)
		if err == nil {
			c.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatal("go2rtc does not listen")
		}
	}
	a := Address{URL: "rtsp://" + addr + "/people", Username: "admin", Password: "s3cret"}
	p := pull(t, a, &net.Dialer{})
	units := p.units(60)
	sound := 0
	for _, u := range units {
		if !u.Track.Video() {
			sound++
		} else if u.Track.Width != 768 {
			t.Fatalf("track %+v", u.Track)
		}
	}
	if sound == 0 {
		t.Error("no sound came")
	}
}
