package app

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"candor/internal/config"
	"candor/internal/democam"
	"candor/internal/media"
)

// faulty is a person with one recorded camera that is about to misbehave.
func faulty(t *testing.T, name string, cam *democam.Server) (*person, string) {
	t.Helper()
	w, _ := share(t)
	p := w.join(t, identity{name, strings.ToLower(name) + "@house.example", "a silver longboard 77"})
	startDevice(t, cam)
	camera := p.addRecorded(cam, "Garage")
	p.live(camera)
	p.recorded(camera, time.Second)
	return p, camera
}

// away waits until the camera is away for one of these reasons, and wants a sentence about it.
func (p *person) away(camera string, codes ...string) {
	p.t.Helper()
	var c seen
	eventually(p.t, strings.Join(codes, " or "), func() bool {
		c = p.see(camera)
		for _, code := range codes {
			if c.State.Code == code {
				return true
			}
		}
		return false
	})
	if c.State.Phase != "waiting" || c.State.Sentence == "" || strings.ContainsAny(c.State.Sentence, "{}") || c.State.NextTry.IsZero() {
		p.t.Errorf("the camera is %+v", c.State)
	}
}

// back waits until the camera is live again and something new is recorded.
func (p *person) back(camera string) line {
	p.t.Helper()
	p.live(camera)
	since := time.Now()
	var l line
	eventually(p.t, "recording goes on", func() bool { l = p.timeline(camera); return l.Newest.After(since.Add(time.Second)) })
	if l.Newest.After(time.Now().Add(2 * time.Second)) {
		p.t.Errorf("recorded in the future: %v", l.Newest)
	}
	return l
}

// offline wants a gap that says that the camera was away.
func offline(t *testing.T, l line) {
	t.Helper()
	for _, g := range l.Gaps[1:] {
		if g.Reason == "offline" && g.Sentence != "" {
			return
		}
	}
	t.Errorf("no gap says offline: %+v", l.Gaps)
}

// plays wants all that was recorded to be playable. Only of noise a decoder may complain.
func (p *person) plays(camera string, l line, noise bool) {
	p.t.Helper()
	for _, r := range l.Ranges {
		if r.long() < time.Second {
			continue
		}
		a := p.do("GET", moviePath(camera, r), nil)
		if a.status != http.StatusOK {
			p.t.Errorf("%v does not play: %d %s", r, a.status, a.body)
			continue
		}
		if n, complaints := probe(p.t, a.body); n == 0 || complaints != "" && !noise {
			p.t.Errorf("%v: %d pictures; %s", r, n, complaints)
		}
	}
}

func TestACameraThatStopsAndComesBackDifferent(t *testing.T) {
	t.Parallel()
	cam := &democam.Server{Main: clip("people.mp4")}
	p, camera := faulty(t, "Gisela", cam)
	was := p.see(camera).Streams[0]
	at := cam.Address()
	cam.Close()
	p.away(camera, "camera.hung_up", "camera.refused")
	p.away(camera, "camera.refused")
	eventually(t, "the API says that nothing is recorded", func() bool { return !p.see(camera).Recording.Actual })
	other := &democam.Server{Main: clip("one-by-one-person-detection.mp4"), Addr: at}
	startDevice(t, other)
	l := p.back(camera)
	if now := p.see(camera).Streams[0]; was.Reorder || !now.Reorder {
		t.Errorf("the stream was %+v and is %+v", was, now)
	}
	offline(t, l)
	p.plays(camera, l, false)
}

func TestACameraWhosePasswordChanges(t *testing.T) {
	t.Parallel()
	cam := &democam.Server{Main: clip("people.sub.mp4"), Username: "eyes", Password: "first"}
	p, camera := faulty(t, "Hanno", cam)
	at := cam.Address()
	cam.Close()
	startDevice(t, &democam.Server{Main: clip("people.sub.mp4"), Addr: at, Username: "eyes", Password: "second"})
	p.away(camera, "camera.wrong_password")
	p.call("PATCH", "/cameras/"+camera, map[string]any{"username": "eyes", "password": "second"}, nil)
	offline(t, p.back(camera))
}

func TestACameraThatGoesQuiet(t *testing.T) {
	t.Parallel()
	cam := &democam.Server{Main: clip("people.sub.mp4")}
	p, camera := faulty(t, "Ivo", cam)
	cam.Stall(true)
	p.away(camera, "camera.stalled")
	cam.Stall(false)
	l := p.back(camera)
	offline(t, l)
	p.plays(camera, l, false)
}

// TestACameraThatChangesAsItGoes: other parameters, nonsense and a jumping clock on the same
// connection cost nobody anything.
func TestACameraThatChangesAsItGoes(t *testing.T) {
	t.Parallel()
	cam := &democam.Server{Main: clip("people.sub.mp4")}
	p, camera := faulty(t, "Jana", cam)
	was := p.see(camera).Streams[0]
	if err := cam.Switch(media.Main, clip("car-detection.mp4")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the new size is known", func() bool { s := p.see(camera).Streams; return len(s) == 1 && s[0].Width != was.Width })
	p.back(camera)

	cam.Garbage(true)
	p.back(camera)
	cam.Garbage(false)

	for _, jump := range []time.Duration{3 * time.Hour, -24 * time.Hour} {
		cam.Jump(jump)
		l := p.back(camera)
		for _, r := range l.Ranges {
			if r.From.Before(time.Now().Add(-time.Hour)) || r.To.After(time.Now().Add(2*time.Second)) {
				t.Errorf("after a jump by %v footage lies at %v", jump, r)
			}
		}
	}
	p.plays(camera, p.timeline(camera), true)
}

func TestAddressesThatTheOperatorDidNotAllow(t *testing.T) {
	w, p := share(t)
	for _, address := range []string{"rtsp://8.8.8.8/stream", "rtsp://169.254.169.254/latest", "rtsp://[2001:4860:4860::8888]:554/x", "rtsp://100.64.0.1/x"} {
		before := len(p.cameras())
		p.refused("POST", "/cameras/check", map[string]any{"address": address}, http.StatusUnprocessableEntity, "camera.forbidden_network")
		if len(p.cameras()) != before {
			t.Errorf("%s was added", address)
		}
	}
	// Added without a check, it is not dialled either, and says so.
	who := w.join(t, identity{"Karl", "karl@house.example", "a silver longboard 77"})
	c := who.add(map[string]any{"name": "Far", "address": "rtsp://8.8.8.8/stream", "recording": "refused"})
	who.away(c.ID, "camera.forbidden_network")
	// What was agreed to is looked at before a camera is added, not after.
	a := who.do("POST", "/cameras", map[string]any{"name": "Old text", "address": "rtsp://10.0.0.1/x", "recording": "given", "recording_text_hash": "of another text"})
	if a.status != http.StatusConflict || a.problem().Code != "consent.text_changed" || len(who.cameras()) != 1 {
		t.Errorf("an answer to another text: %d %s, %d cameras", a.status, a.body, len(who.cameras()))
	}
	for _, wrong := range []struct{ address, code string }{
		{"http://192.168.1.2/", "camera.address"}, {"rtsp://", "camera.address"}, {"", "request.invalid"}, {"rtsp://127.0.0.1:1/x", "camera.refused"},
	} {
		a := p.do("POST", "/cameras/check", map[string]any{"address": wrong.address})
		if got := a.problem(); got.Code != wrong.code || strings.ContainsAny(got.Detail, "{}") || got.Detail == "" {
			t.Errorf("%q answers %s", wrong.address, a.body)
		}
	}
}

// TestNoDecoder: pictures are missing, nothing else.
func TestNoDecoder(t *testing.T) {
	t.Parallel()
	w := fresh(t, func(c *config.Config) { c.Decode.Path = "/nonexistent/candor-decode" })
	p := w.visitor(t)
	p.setUp(t, identity{"Lea Linde", "lea@house.example", "a white sulky 78"}, "given")
	p.live(p.camera)
	p.refused("GET", "/cameras/"+p.camera+"/still.jpg", nil, http.StatusServiceUnavailable, "decode.none")
	v := p.watch(p.camera, "main")
	for range 3 {
		if _, _, err := v.Read(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := p.recorded(p.camera, 2*time.Second)
	if a := p.do("GET", moviePath(p.camera, got), nil); a.status != http.StatusOK {
		t.Errorf("the movie: %d", a.status)
	} else if n, complaints := probe(t, a.body); n == 0 || complaints != "" {
		t.Errorf("the movie: %d pictures; %s", n, complaints)
	}
	p.refused("GET", "/cameras/"+p.camera+"/frame.jpg?at="+got.From.Add(time.Second).Format(time.RFC3339), nil, http.StatusServiceUnavailable, "decode.none")
}
