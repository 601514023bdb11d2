package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

// server is the binary under test with a client that keeps its cookie.
type server struct {
	cmd       *exec.Cmd
	client    *http.Client
	dir       string // the data folder
	logFile   string
	base      string // http://localhost:PORT
	code      string // the set-up code
	camera    string
	recording span           // what was recorded
	notice    chan time.Time // when the first message came
	passed    bool
}

const (
	email    = "canary.otter@smoke.example"
	name     = "Canary Otterson"
	password = "a long walk by the river 42"
)

var (
	address = regexp.MustCompile(`http://localhost:\d+`)
	code    = regexp.MustCompile(`\b[A-Z0-9]{4}(?:-[A-Z0-9]{4})+\b`)
)

func start(ctx context.Context) (*server, error) {
	binary := os.Getenv("SMOKE_BINARY")
	if binary == "" {
		binary = "bin/candor"
	}
	top, err := os.MkdirTemp("", "candor-smoke-")
	if err != nil {
		return nil, err
	}
	s := &server{dir: filepath.Join(top, "data"), logFile: filepath.Join(top, "log")}
	args := []string{"demo", "--data", s.dir, "--listen", "127.0.0.1:0"}
	if clip := os.Getenv("SMOKE_CLIP"); clip != "" {
		args = append(args, "--clip", clip)
	}
	s.cmd = exec.CommandContext(ctx, binary, args...)
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 10 * time.Second
	log, err := os.Create(s.logFile)
	if err != nil {
		return nil, err
	}
	s.cmd.Stderr = log
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w (make build makes it)", binary, err)
	}
	lines := bufio.NewScanner(io.TeeReader(out, log))
	for lines.Scan() && (s.base == "" || s.code == "") {
		if a := address.FindString(lines.Text()); a != "" {
			s.base = a
		}
		if c := code.FindString(lines.Text()); c != "" {
			s.code = c
		}
	}
	if s.base == "" || s.code == "" {
		s.stop()
		return nil, fmt.Errorf("the server ended before it printed its address and set-up code; its log: %s", s.logFile)
	}
	go func() { _, _ = io.Copy(log, out) }()
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	s.client = &http.Client{Jar: jar, Timeout: 20 * time.Second}
	return s, nil
}

// stop ends the server and removes its folder, unless a step failed and somebody will look.
func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
	if s.passed {
		_ = os.RemoveAll(filepath.Dir(s.dir))
	}
}

// call sends a JSON request and reads a JSON answer. A problem becomes an error with its sentence.
func (s *server) call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.base+"/api/v1"+path, body)
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
	b, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	if res.StatusCode >= 300 {
		return &refused{status: res.StatusCode, body: string(b)}
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	return json.Unmarshal(b, out)
}

// refused is an answer that says no.
type refused struct {
	status int
	body   string
}

func (r *refused) Error() string { return fmt.Sprintf("answer %d: %.300s", r.status, r.body) }

// mustRefuse turns the wanted refusal into success.
func mustRefuse(err error, statuses ...int) error {
	var r *refused
	if !errors.As(err, &r) {
		return fmt.Errorf("want a refusal %v, got %v", statuses, err)
	}
	for _, s := range statuses {
		if r.status == s {
			return nil
		}
	}
	return fmt.Errorf("want a refusal %v, got %w", statuses, err)
}

// until asks again every 200 ms until f is content or the context ends; it returns f's last word.
func until(ctx context.Context, f func() error) error {
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (last: %w)", ctx.Err(), err)
		case <-time.After(200 * time.Millisecond):
		}
	}
}
