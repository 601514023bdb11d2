package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// server is the real binary on a throw-away data folder, with a client that is signed in.
type server struct {
	cmd    *exec.Cmd
	client *http.Client
	base   string
	hash   string // of the text that recording is agreed to by
}

const (
	email    = "bench@bench.example"
	password = "a long walk by the river 42"
)

var (
	address = regexp.MustCompile(`http://localhost:\d+`)
	code    = regexp.MustCompile(`\b[A-Z0-9]{4}(?:-[A-Z0-9]{4})+\b`)
)

// startServer runs candor, with more settings, and sets it up, without a camera.
func startServer(ctx context.Context, b *bench, name string, more ...string) (*server, error) {
	top := filepath.Join(b.dir, name)
	if err := os.MkdirAll(top, 0o700); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(top, "log"))
	if err != nil {
		return nil, err
	}
	udp, err := freePort()
	if err != nil {
		return nil, err
	}
	args := append([]string{"serve", "--data_dir=" + filepath.Join(top, "data"), "--http.listen=127.0.0.1:0",
		"--cameras.allow_loopback=true", "--webrtc.tcp_port=0", fmt.Sprintf("--webrtc.udp_port=%d", udp)}, more...)
	s := &server{cmd: exec.CommandContext(ctx, b.binary, args...)}
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 10 * time.Second
	s.cmd.Stderr = log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	setup := ""
	for in := bufio.NewScanner(io.TeeReader(out, log)); (s.base == "" || setup == "") && in.Scan(); {
		if a := address.FindString(in.Text()); a != "" {
			s.base = a
		}
		if c := code.FindString(in.Text()); c != "" {
			setup = c
		}
	}
	go func() { _, _ = io.Copy(log, out) }()
	if s.base == "" || setup == "" {
		s.stop()
		said, _ := os.ReadFile(log.Name())
		return nil, fmt.Errorf("the server ended before it printed its address and set-up code: %s", said)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	s.client = &http.Client{Jar: jar, Timeout: 30 * time.Second}
	if err := s.setUp(ctx, setup); err != nil {
		s.stop()
		return nil, fmt.Errorf("set up: %w", err)
	}
	return s, nil
}

// freePort is a UDP port that nobody has.
func freePort() (int, error) {
	c, err := net.ListenUDP("udp", nil)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port, nil
}

func (s *server) setUp(ctx context.Context, code string) error {
	var state struct {
		Texts struct{ Recording struct{ Hash string } }
	}
	if err := s.call(ctx, "GET", "/setup", nil, &state); err != nil {
		return err
	}
	s.hash = state.Texts.Recording.Hash
	return s.call(ctx, "POST", "/setup", map[string]any{
		"code": code, "name": "Bench", "email": email, "password": password, "language": "en",
		"time_zone": "Europe/Berlin", "recording": "given", "recording_text_hash": s.hash, "add_demo_camera": false,
	}, nil)
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// addCamera adds a camera and waits until it is live, and recorded when that is wanted.
func (s *server) addCamera(ctx context.Context, name, main, sub string, record bool) (string, error) {
	in := map[string]any{"name": name, "address": main, "recording": "refused", "recording_text_hash": s.hash}
	if sub != "" {
		in["sub_address"] = sub
	}
	if record {
		in["recording"] = "given"
	}
	var c struct {
		ID        string
		State     struct{ Phase, Code string }
		Streams   []struct{ Profile string }
		Recording struct{ Actual bool }
	}
	if err := s.call(ctx, "POST", "/cameras", in, &c); err != nil {
		return "", err
	}
	want := 1
	if sub != "" {
		want = 2
	}
	for range 150 {
		if err := s.call(ctx, "GET", "/cameras/"+c.ID, nil, &c); err != nil {
			return "", err
		}
		if c.State.Phase == "live" && len(c.Streams) >= want && c.Recording.Actual == record {
			return c.ID, nil
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("camera %s is %s %s with %d streams, recording %t", name, c.State.Phase, c.State.Code, len(c.Streams), c.Recording.Actual)
}

func (s *server) call(ctx context.Context, method, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	if in == nil {
		body = nil
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+"/api/v1"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %d %.300s", method, path, res.StatusCode, answer)
	}
	if out == nil || len(answer) == 0 {
		return nil
	}
	return json.Unmarshal(answer, out)
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
