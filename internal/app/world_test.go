package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"candor/internal/account"
	"candor/internal/config"
)

// world is a house that runs, with its doors open on a free port and its rooms within reach.
type world struct {
	*house
	base string // http://localhost:PORT
	code string // the set-up code
	dir  string // the data folder
	said *journal

	flush func()
}

// settings are those of a throw-away house: free ports, cameras on this machine allowed.
func settings(dir, decoder string) config.Config {
	c := config.Default()
	c.DataDir = dir
	c.HTTP.Listen = "127.0.0.1:0"
	c.HTTP.StopSeconds = 2
	c.WebRTC.UDPPort, c.WebRTC.TCPPort = freePort(), 0
	c.Cameras.AllowLoopback = true
	c.Decode.Path = decoder
	c.Log.Level = "debug"
	return c
}

// freePort is a UDP port that nobody has at the moment.
func freePort() int {
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		return 0
	}
	defer c.Close()
	return c.LocalAddr().(*net.UDPAddr).Port
}

// begin starts a house on an empty folder.
func begin(dir string, c config.Config) (*world, error) {
	w := &world{dir: dir, said: &journal{}}
	w.house, w.flush = build(Options{Config: c, Out: io.Discard, Err: w.said, Demo: &Demo{}})
	if err := w.start(context.Background()); err != nil {
		return nil, errors.Join(err, w.end())
	}
	w.base, w.code = strings.TrimSuffix(w.front.URLs()[0], "/"), w.house.code.get()
	return w, nil
}

func (w *world) end() error {
	err := w.close()
	w.flush()
	return err
}

// fresh is a house of the test's own, changed as it wishes.
func fresh(t *testing.T, change ...func(*config.Config)) *world {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	c := settings(dir, binary(t, "candor-decode"))
	for _, f := range change {
		f(&c)
	}
	w, err := begin(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.end(); err != nil {
			t.Errorf("the house did not close well: %v", err)
		}
		w.said.check(t)
	})
	return w
}

// The shared house serves every test that leaves it as it was for the others.
var shared struct {
	once  sync.Once
	world *world
	owner *person
	dir   string
	err   error
}

// share is the shared house with its owner, who has a demo camera that is recorded.
func share(t *testing.T) (*world, *person) {
	t.Helper()
	s := &shared
	s.once.Do(func() {
		if s.dir, s.err = os.MkdirTemp("", "candor-house-"); s.err != nil {
			return
		}
		dir := filepath.Join(s.dir, "data")
		if s.world, s.err = begin(dir, settings(dir, binary(t, "candor-decode"))); s.err != nil {
			return
		}
		s.owner = s.world.visitor(t)
		s.owner.setUp(t, anna, "given")
	})
	if s.err != nil || s.owner == nil {
		t.Fatalf("the shared house: %v", s.err)
	}
	return s.world, s.owner.with(t)
}

func closeShared() error {
	if shared.world == nil {
		return nil
	}
	return errors.Join(shared.world.end(), os.RemoveAll(shared.dir))
}

// journal is a log that can be read while it is written.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

// check fails the test when something was logged that has no passport, or a panic was.
func (j *journal) check(t *testing.T) {
	t.Helper()
	for line := range strings.Lines(j.String()) {
		if strings.Contains(line, "without a passport") || strings.Contains(line, "stack=") {
			t.Errorf("the log says: %s", line)
		}
	}
}

// join makes one more account through the rooms: set-up makes one alone.
func (w *world) join(t *testing.T, n identity) *person {
	t.Helper()
	a, err := w.people.Create(t.Context(), w.tenant, account.New{Name: n.name, Email: n.email, Password: n.password, Language: "en", TimeZone: "UTC"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.devices.AddSite(t.Context(), w.tenant, a, "Elsewhere", "UTC"); err != nil {
		t.Fatal(err)
	}
	// As after signing up: the whole house comes from one address, and too many who sign in there have to wait.
	in, err := w.people.Begin(t.Context(), w.tenant, a, "Go")
	if err != nil {
		t.Fatal(err)
	}
	p := w.visitor(t)
	at, err := url.Parse(w.base)
	if err != nil {
		t.Fatal(err)
	}
	p.client.Jar.SetCookies(at, []*http.Cookie{{Name: "candor_session", Value: in.Token, Path: "/"}})
	p.account = a
	return p
}

// eventually asks until f is content. The bound is for a machine that is very busy.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("did not happen: %s", what)
}

type identity struct{ name, email, password string }

var anna = identity{"Anna Ahorn", "anna@house.example", "a blue bicycle 71"}
