package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image/jpeg"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/coder/websocket"

	"candor/internal/rights/canary"
)

type step struct {
	name string
	do   func(context.Context, *server) (string, error)
}

var steps = []step{
	{"set up, recording agreed to", setUp},
	{"camera is live", cameraLive},
	{"movement may be looked for", allowMotion},
	{"messages are chosen", messagesChosen},
	{"still decodes as JPEG", still},
	{"live bytes arrive", liveBytes},
	{"footage is recorded", recorded},
	{"MP4 decodes in ffprobe", movie},
	{"an event of the camera", eventSeen},
	{"a member comes and goes", memberInvited},
	{"a clip is shared, taken back", clipShared},
	{"everything taken away", takenAway},
	{"withdraw recording", withdraw},
	{"footage no longer opens", footageGone},
	{"delete the camera", deleteCamera},
	{"delete the account", deleteAccount},
	{"hunt for what should be gone", hunt},
}

func setUp(ctx context.Context, s *server) (string, error) {
	var state struct {
		Needed bool
		Texts  struct{ Recording struct{ Hash string } }
	}
	if err := s.call(ctx, "GET", "/setup", nil, &state); err != nil {
		return "", err
	}
	if !state.Needed {
		return "", errors.New("a fresh data folder does not ask for set-up")
	}
	want := map[string]any{
		"code": s.code, "name": name, "email": email, "password": password, "language": "en", "time_zone": "Europe/Berlin",
		"recording": "given", "recording_text_hash": state.Texts.Recording.Hash, "add_demo_camera": true,
	}
	wrong := map[string]any{}
	for k, v := range want {
		wrong[k] = v
	}
	wrong["code"] = "AAAA-AAAA-AAAA"
	if err := mustRefuse(s.call(ctx, "POST", "/setup", wrong, nil), 401, 403, 422); err != nil {
		return "", fmt.Errorf("a wrong code: %w", err)
	}
	if err := s.call(ctx, "POST", "/setup", want, nil); err != nil {
		return "", err
	}
	if err := mustRefuse(s.call(ctx, "POST", "/setup", want, nil), 403, 404, 409, 410); err != nil {
		return "", fmt.Errorf("a second set-up: %w", err)
	}
	return "wrong code and second set-up refused", nil
}

type camera struct {
	ID      string
	Name    string
	State   struct{ Phase, Code, Sentence string }
	Streams []struct {
		Profile, Codec string
		Width, Height  int
		Reorder        bool
	}
	Recording struct {
		Mode, Consent string
		Actual        bool
	}
}

func cameraLive(ctx context.Context, s *server) (string, error) {
	var c camera
	err := until(ctx, func() error {
		var list struct{ Cameras []camera }
		if err := s.call(ctx, "GET", "/cameras", nil, &list); err != nil {
			return err
		}
		if len(list.Cameras) != 1 {
			return fmt.Errorf("%d cameras, want 1", len(list.Cameras))
		}
		c = list.Cameras[0]
		if c.State.Phase != "live" || len(c.Streams) == 0 {
			return fmt.Errorf("camera is %s %s", c.State.Phase, c.State.Code)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	s.camera = c.ID
	var said []string
	for _, st := range c.Streams {
		said = append(said, fmt.Sprintf("%s %s %dx%d", st.Profile, st.Codec, st.Width, st.Height))
	}
	return strings.Join(said, ", "), nil
}

func (s *server) get(ctx context.Context, path string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", s.base+"/api/v1"+path, nil)
	if err != nil {
		return nil, err
	}
	res, err := s.client.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 300 {
		b, _ := io.ReadAll(io.LimitReader(res.Body, 500))
		res.Body.Close()
		return nil, &refused{status: res.StatusCode, body: string(b)}
	}
	return res, nil
}

func still(ctx context.Context, s *server) (string, error) {
	var size string
	err := until(ctx, func() error {
		res, err := s.get(ctx, "/cameras/"+s.camera+"/still.jpg")
		if err != nil {
			return err
		}
		defer res.Body.Close()
		img, err := jpeg.Decode(res.Body)
		if err != nil {
			return err
		}
		size = img.Bounds().Size().String()
		return nil
	})
	return size, err
}

func liveBytes(ctx context.Context, s *server) (string, error) {
	u, err := url.Parse(s.base)
	if err != nil {
		return "", err
	}
	began := time.Now()
	head := http.Header{"Origin": {s.base}}
	for _, c := range s.client.Jar.Cookies(u) {
		head.Add("Cookie", c.String())
	}
	ws, _, err := websocket.Dial(ctx, "ws://"+u.Host+"/api/v1/cameras/"+s.camera+"/mse?quality=main", &websocket.DialOptions{HTTPHeader: head})
	if err != nil {
		return "", err
	}
	defer ws.CloseNow()
	ws.SetReadLimit(64 << 20)
	var first time.Duration
	total := 0
	for total < 50_000 {
		kind, b, err := ws.Read(ctx)
		if err != nil {
			return "", err
		}
		if kind == websocket.MessageBinary {
			if first == 0 {
				first = time.Since(began)
			}
			total += len(b)
		}
	}
	return fmt.Sprintf("first bytes after %s", first.Round(time.Millisecond)), nil
}

const wanted = 8 * time.Second

type span struct{ From, To time.Time }

func recorded(ctx context.Context, s *server) (string, error) {
	var got span
	err := until(ctx, func() error {
		var line struct{ Ranges []span }
		now := time.Now().UTC()
		q := url.Values{"from": {now.Add(-time.Hour).Format(time.RFC3339)}, "to": {now.Add(time.Minute).Format(time.RFC3339)}}
		if err := s.call(ctx, "GET", "/cameras/"+s.camera+"/timeline?"+q.Encode(), nil, &line); err != nil {
			return err
		}
		for _, r := range line.Ranges {
			if r.To.Sub(r.From) >= wanted {
				got = r
				return nil
			}
		}
		return fmt.Errorf("recorded so far: %v", line.Ranges)
	})
	s.recording = got
	return fmt.Sprintf("%s acknowledged", got.To.Sub(got.From).Round(100*time.Millisecond)), err
}

func (s *server) moviePath() string {
	q := url.Values{"from": {s.recording.From.Format(time.RFC3339Nano)}, "to": {s.recording.From.Add(wanted).Format(time.RFC3339Nano)}}
	return "/cameras/" + s.camera + "/footage.mp4?" + q.Encode()
}

func movie(ctx context.Context, s *server) (string, error) {
	res, err := s.get(ctx, s.moviePath())
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return "", err
	}
	file := filepath.Join(filepath.Dir(s.dir), "cut.mp4")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		return "", err
	}
	out, err := exec.CommandContext(ctx, "ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=codec_name,nb_read_frames", "-of", "csv=p=0", file).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("ffprobe: %w: %s", err, out)
	}
	if strings.Contains(string(out), "rror") || !strings.Contains(string(out), "h264,") {
		return "", fmt.Errorf("ffprobe said: %s", out)
	}
	return fmt.Sprintf("%d kB, frames %s", len(b)/1000, strings.ReplaceAll(strings.TrimSpace(string(out)), "\n", " ")), nil
}

func withdraw(ctx context.Context, s *server) (string, error) {
	hash, err := s.hash(ctx, "recording")
	if err != nil {
		return "", err
	}
	var out struct{ Receipt *receipt }
	if err := s.call(ctx, "PUT", "/cameras/"+s.camera+"/consents/recording", map[string]any{"state": "withdrawn", "text_hash": hash}, &out); err != nil {
		return "", err
	}
	return out.Receipt.check()
}

// receipt is what a goodbye leaves in the person's hands.
type receipt struct {
	Token         string
	KeysDestroyed int       `json:"keys_destroyed"`
	UnopenableAt  time.Time `json:"unopenable_at"`
	RequestedAt   time.Time `json:"requested_at"`
	LookedFor     []struct {
		Where         string
		Looked, Found int
	} `json:"looked_for"`
}

func (r *receipt) check() (string, error) {
	if r == nil {
		return "", errors.New("no receipt")
	}
	if r.KeysDestroyed == 0 || len(r.LookedFor) == 0 {
		return "", fmt.Errorf("a receipt that shows nothing: %+v", r)
	}
	for _, l := range r.LookedFor {
		if l.Found > 0 {
			return "", fmt.Errorf("the scan still finds %d in %s", l.Found, l.Where)
		}
	}
	return fmt.Sprintf("%d keys destroyed, unopenable after %s, %d places scanned", r.KeysDestroyed,
		r.UnopenableAt.Sub(r.RequestedAt).Round(time.Millisecond), len(r.LookedFor)), nil
}

func footageGone(ctx context.Context, s *server) (string, error) {
	if _, err := s.get(ctx, s.moviePath()); err == nil {
		return "", errors.New("the MP4 still opens")
	} else if err := mustRefuse(err, 403, 404, 410); err != nil {
		return "", err
	}
	var list struct{ Cameras []camera }
	if err := s.call(ctx, "GET", "/cameras", nil, &list); err != nil {
		return "", err
	}
	if list.Cameras[0].Recording.Actual {
		return "", errors.New("the camera still records")
	}
	res, err := s.get(ctx, "/cameras/"+s.camera+"/still.jpg")
	if err != nil {
		return "", fmt.Errorf("live must go on without recording: %w", err)
	}
	res.Body.Close()
	return "live goes on", nil
}

func deleteCamera(ctx context.Context, s *server) (string, error) {
	var r receipt
	if err := s.call(ctx, "DELETE", "/cameras/"+s.camera, map[string]any{"password": password}, &r); err != nil {
		return "", err
	}
	if err := mustRefuse(s.call(ctx, "GET", "/cameras/"+s.camera, nil, nil), 404, 410); err != nil {
		return "", err
	}
	return r.check()
}

func deleteAccount(ctx context.Context, s *server) (string, error) {
	if err := mustRefuse(s.call(ctx, "DELETE", "/account", map[string]any{"password": "not the password"}, nil), 401, 403, 422); err != nil {
		return "", fmt.Errorf("without the password: %w", err)
	}
	var r receipt
	if err := s.call(ctx, "DELETE", "/account", map[string]any{"password": password}, &r); err != nil {
		return "", err
	}
	if err := mustRefuse(s.call(ctx, "GET", "/account", nil, nil), 401); err != nil {
		return "", err
	}
	if err := mustRefuse(s.call(ctx, "POST", "/session", map[string]any{"email": email, "password": password}, nil), 401, 403, 404, 422); err != nil {
		return "", err
	}
	return r.check()
}

// hunt looks through every byte of the data folder, first running and then stopped.
func hunt(_ context.Context, s *server) (string, error) {
	needles := []string{email, name, "Otterson", password, memberEmail, memberName}
	hits, err := canary.Hunt(s.dir, needles)
	if err != nil {
		return "", err
	}
	if len(hits) > 0 {
		return "", fmt.Errorf("found in clear: %v", hits)
	}
	log, err := os.ReadFile(s.logFile)
	if err != nil {
		return "", err
	}
	for _, n := range needles {
		if bytes.Contains(log, []byte(n)) {
			return "", fmt.Errorf("%q stands in the log", n)
		}
	}
	return fmt.Sprintf("%d needles, no hit", len(needles)), nil
}
