package main

import (
	"context"
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// A camera's lap: an empty room, somebody in it from appears on, and the empty room again until
// the cooldown of pushes about that camera is over.
const (
	appears       = 6 * time.Second // by clips/people.truth.json
	leaves        = 22
	lap           = 75 * time.Second
	notifyCameras = 5
	notifyRounds  = 4
)

// notices measures from the picture that shows movement to the moment at which a push service has
// the request, and beside it how long after somebody came into the room that picture was.
func notices(ctx context.Context, b *bench) error {
	clip, err := lapClip(ctx, b.clips)
	if err != nil {
		return err
	}
	box, err := startMailbox(b.dir)
	if err != nil {
		return err
	}
	defer box.Close()
	s, err := startServer(ctx, b, "notify", "--push.services="+strings.TrimPrefix(box.URL, "https://"), "--push.roots="+box.roots)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := s.subscribe(ctx, box.URL+"/box"); err != nil {
		return err
	}
	began := map[string]time.Time{} // camera → when its first lap did
	for i := range notifyCameras {
		cam, err := startCamera(ctx, clip)
		if err != nil {
			return err
		}
		defer cam.stop()
		id, err := s.addCamera(ctx, fmt.Sprintf("Room %d", i+1), cam.main, "", false)
		if err != nil {
			return err
		}
		if err := s.watched(ctx, id); err != nil {
			return err
		}
		began[id] = cam.began
		if err := pause(ctx, time.Until(cam.began.Add(lap/notifyCameras))); err != nil {
			return err
		}
	}
	rounds := b.n
	if rounds == 0 {
		rounds = notifyRounds
	}
	say("notify: %d rounds of %s with %d cameras", rounds, lap, notifyCameras)
	measured := time.Now().Add(lap) // the first lap teaches what the empty room looks like
	if err := pause(ctx, lap*time.Duration(rounds+1)); err != nil {
		return err
	}
	var list struct {
		Events []struct {
			Camera string `json:"camera_id"`
			Start  time.Time
		}
	}
	if err := s.call(ctx, "GET", "/events/history?limit=200", nil, &list); err != nil {
		return err
	}
	arrivals := box.all()
	var late, handed []float64
	lost := 0
	for _, e := range list.Events {
		since := e.Start.Sub(began[e.Camera]) % lap
		if e.Start.Before(measured) || since < appears-time.Second || since > appears+5*time.Second {
			continue
		}
		late = append(late, milli(since-appears))
		// Rounds are spread evenly, so the next arrival is this event's or nobody's.
		i, _ := slices.BinarySearchFunc(arrivals, e.Start, time.Time.Compare)
		if i == len(arrivals) || arrivals[i].Sub(e.Start) > lap/notifyCameras {
			lost++
			continue
		}
		handed = append(handed, milli(arrivals[i].Sub(e.Start)))
	}
	if len(handed) == 0 {
		return fmt.Errorf("no message of %d events arrived", len(list.Events))
	}
	b.add(
		of("notify_handed_to_push_p50_ms", "ms", 0.5, handed), of("notify_handed_to_push_p95_ms", "ms", 0.95, handed),
		of("notify_sampling_p50_ms", "ms", 0.5, late), of("notify_sampling_p95_ms", "ms", 0.95, late), one("notify_lost", "messages", float64(lost)),
	)
	return nil
}

// lapClip makes a camera's lap.
func lapClip(ctx context.Context, dir string) (string, error) {
	file := filepath.Join(dir, "lap.mp4")
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-y", "-t", fmt.Sprint(leaves), "-i", "clips/people.sub.mp4",
		"-vf", fmt.Sprintf("fps=10,tpad=stop_mode=clone:stop_duration=%d", int(lap.Seconds())-leaves), "-an", "-c:v", "libx264", "-preset", "veryfast",
		"-pix_fmt", "yuv420p", "-bf", "0", "-g", "10", "-keyint_min", "10", "-sc_threshold", "0", "-movflags", "+faststart", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("ffmpeg: %w: %s", err, out)
	}
	return file, nil
}

// watched has a camera looked at, and messages sent of what is seen.
func (s *server) watched(ctx context.Context, camera string) error {
	hash, err := s.text(ctx, "motion")
	if err != nil {
		return err
	}
	return errors.Join(
		s.call(ctx, "PUT", "/cameras/"+camera+"/consents/motion", map[string]any{"state": "given", "text_hash": hash}, nil),
		s.call(ctx, "PATCH", "/cameras/"+camera+"/motion", map[string]any{"on": true}, nil),
		s.call(ctx, "PUT", "/cameras/"+camera+"/alerts", map[string]any{"kind": "motion", "app": true, "push": true, "mail": false, "pictures": false}, nil),
	)
}

// text is the hash of what a purpose is agreed to by.
func (s *server) text(ctx context.Context, purpose string) (string, error) {
	var all []struct{ ID, Hash string }
	if err := s.call(ctx, "GET", "/purposes", nil, &all); err != nil {
		return "", err
	}
	for _, p := range all {
		if p.ID == purpose {
			return p.Hash, nil
		}
	}
	return "", fmt.Errorf("no purpose called %s", purpose)
}

// subscribe has messages pushed to an address.
func (s *server) subscribe(ctx context.Context, endpoint string) error {
	hash, err := s.text(ctx, "push")
	if err != nil {
		return err
	}
	if err := s.call(ctx, "PUT", "/consents/push", map[string]any{"state": "given", "text_hash": hash}, nil); err != nil {
		return err
	}
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	auth := make([]byte, 16)
	_, _ = rand.Read(auth)
	enc := base64.RawURLEncoding.EncodeToString
	return s.call(ctx, "POST", "/alerts/devices", map[string]any{"endpoint": endpoint, "p256dh": enc(key.PublicKey().Bytes()), "auth": enc(auth)}, nil)
}

// mailbox is a push service that takes everything and notes when it came.
type mailbox struct {
	*httptest.Server
	roots string
	mu    sync.Mutex
	came  []time.Time
}

func startMailbox(dir string) (*mailbox, error) {
	m := &mailbox{roots: filepath.Join(dir, "roots.pem")}
	m.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		at := time.Now()
		_, _ = io.Copy(io.Discard, r.Body)
		m.mu.Lock()
		m.came = append(m.came, at)
		m.mu.Unlock()
		w.WriteHeader(http.StatusCreated)
	}))
	return m, os.WriteFile(m.roots, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.Certificate().Raw}), 0o600)
}

func (m *mailbox) all() []time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.came)
}
