package mse

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	mc "github.com/bluenviron/mediacommon/v2/pkg/formats/fmp4"
	"github.com/coder/websocket"

	"candor/internal/live"
	"candor/internal/live/livetest"
	"candor/internal/permit"
)

// endpoint serves one source over real HTTP.
type endpoint struct {
	server Server
	url    string
	lease  *permit.Lease
	src    live.Source
	o      live.Options
	errs   chan error
}

func serve(t *testing.T, src live.Source, o live.Options) *endpoint {
	t.Helper()
	e := &endpoint{lease: livetest.Lease(t), src: src, o: o, errs: make(chan error, 10)}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := Accept(w, r, nil)
		if err != nil {
			return
		}
		wg.Add(1)
		defer wg.Done()
		e.errs <- e.server.Serve(ctx, e.lease, c, e.src, e.o)
	}))
	t.Cleanup(func() {
		cancel()
		srv.Close()
		wg.Wait()
	})
	e.url = "ws" + strings.TrimPrefix(srv.URL, "http")
	return e
}

func (e *endpoint) dial(t *testing.T) *websocket.Conn {
	t.Helper()
	c, _, err := websocket.Dial(t.Context(), e.url, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.SetReadLimit(64 << 20)
	t.Cleanup(func() { c.CloseNow() })
	return c
}

// message is one thing that arrived: a text, or a segment.
type message struct {
	hello
	From, To float64
	segment  []byte
	at       time.Time
}

func read(t *testing.T, c *websocket.Conn) (message, error) {
	t.Helper()
	kind, b, err := c.Read(t.Context())
	if err != nil {
		return message{}, err
	}
	m := message{at: time.Now()}
	if kind == websocket.MessageBinary {
		m.segment = b
		return m, nil
	}
	return m, json.Unmarshal(b, &m)
}

// collect reads until enough says so.
func collect(t *testing.T, c *websocket.Conn, enough func(all []message) bool) []message {
	t.Helper()
	var all []message
	for end := time.Now().Add(20 * time.Second); !enough(all); {
		m, err := read(t, c)
		if err != nil {
			t.Fatalf("after %d messages: %v", len(all), err)
		}
		if all = append(all, m); time.Now().After(end) {
			t.Fatalf("%d messages were not enough", len(all))
		}
	}
	return all
}

func parts(t *testing.T, b []byte) mc.Parts {
	t.Helper()
	var p mc.Parts
	if bytes.Equal(b[4:8], []byte("ftyp")) {
		return nil
	}
	if err := p.Unmarshal(b); err != nil {
		t.Fatal(err)
	}
	return p
}

// decode has ffmpeg play segments, and returns the number of pictures.
func decode(t *testing.T, all []message) int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "seen.mp4")
	var b []byte
	for _, m := range all {
		b = append(b, m.segment...)
	}
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if said, err := exec.Command("ffmpeg", "-v", "warning", "-i", file, "-f", "null", "-").CombinedOutput(); err != nil || len(bytes.TrimSpace(said)) > 0 {
		t.Errorf("ffmpeg: %v %s", err, said)
	}
	said, err := exec.Command("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file).Output()
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(said)))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func count(n int) func([]message) bool { return func(all []message) bool { return len(all) >= n } }
