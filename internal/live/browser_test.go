package live_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"candor/internal/live"
	"candor/internal/live/livetest"
	"candor/internal/live/mse"
	"candor/internal/live/whep"
	"candor/internal/media"
)

// seen is what testdata/player.html reports.
type seen struct {
	Way, ID, Error, Closed, State, Audio string
	First, Lag, Moved                    float64
	Frames, Decoded, Dropped, Waiting    int
	Lost, PLI, Freezes, Keys             int
	SoundPackets, Ranges                 int
	Widths                               []int
	Messages                             []string
}

// TestChromium has a real browser watch, by both ways out.
func TestChromium(t *testing.T) {
	main, sub := pair(t, 5*time.Second)
	frames := livetest.Play(t, livetest.Load(t, "one-by-one-person-detection.mp4"), livetest.Stream(media.Main)).Skip(4500 * time.Millisecond)
	aac := livetest.Play(t, livetest.Load(t, "car-detection.mp4"), livetest.Stream(media.Main)).Skip(3 * time.Second)
	long := livetest.Play(t, livetest.Load(t, "cars.mp4"), livetest.Stream(media.Main)).Skip(5 * time.Second)
	sources := map[string]live.Source{
		"whep-sub": {Main: main.Stream, Sub: sub.Stream}, "mse-sub": {Main: main.Stream, Sub: sub.Stream},
		"whep-long": {Main: long.Stream}, "mse-frames": {Main: frames.Stream}, "mse-aac": {Main: aac.Stream},
	}
	for _, p := range []*livetest.Player{main, sub, frames, aac, long} {
		p.Go(t, 1)
	}
	w := &whep.Server{Loopback: true}
	if err := w.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	var m mse.Server
	lease := livetest.Lease(t)
	results := make(chan seen, len(sources))
	var serving sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	options := func(id string) live.Options {
		o := live.Options{Audio: true}
		if strings.HasSuffix(id, "-sub") {
			o.Decode = time.Hour // so that sub comes first, wherever main's group is
		}
		return o
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, r *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		for id := range sources {
			way, _, _ := strings.Cut(id, "-")
			fmt.Fprintf(rw, "<iframe allow=autoplay src='/player.html?way=%s&id=%s&ms=3500'></iframe>", way, id)
		}
	})
	mux.HandleFunc("GET /player.html", func(rw http.ResponseWriter, r *http.Request) { http.ServeFile(rw, r, "testdata/player.html") })
	mux.HandleFunc("POST /whep", func(rw http.ResponseWriter, r *http.Request) {
		offer, _ := io.ReadAll(r.Body)
		answer, _, err := w.Offer(r.Context(), lease, sources[r.FormValue("id")], string(offer), options(r.FormValue("id")))
		if err != nil {
			http.Error(rw, err.Error(), http.StatusConflict)
			return
		}
		io.WriteString(rw, answer)
	})
	mux.HandleFunc("GET /mse", func(rw http.ResponseWriter, r *http.Request) {
		c, err := mse.Accept(rw, r, nil)
		if err != nil {
			return
		}
		serving.Go(func() { m.Serve(ctx, lease, c, sources[r.FormValue("id")], options(r.FormValue("id"))) })
	})
	mux.HandleFunc("POST /seen", func(_ http.ResponseWriter, r *http.Request) {
		var s seen
		if err := json.NewDecoder(r.Body).Decode(&s); err != nil {
			s.Error = err.Error()
		}
		results <- s
	})
	srv := httptest.NewServer(mux)
	t.Cleanup(func() { cancel(); srv.Close(); serving.Wait() })

	open(t, strings.Replace(srv.URL, "127.0.0.1", "localhost", 1)+"/")
	for range sources {
		select {
		case s := <-results:
			t.Logf("%+v", s)
			check(t, s)
		case <-time.After(60 * time.Second):
			t.Fatal("the browser reports nothing")
		}
	}
}

func check(t *testing.T, s seen) {
	t.Helper()
	switch {
	case s.Error != "":
		t.Errorf("%s: %s", s.ID, s.Error)
	case s.Frames < 10 || s.First <= 0:
		t.Errorf("%s: %d pictures were shown", s.ID, s.Frames)
	case s.Way == "whep" && s.State != "connected":
		t.Errorf("%s: the connection is %s", s.ID, s.State)
	case s.Way == "whep" && s.SoundPackets == 0:
		t.Errorf("%s: no sound", s.ID)
	case s.Way == "mse" && s.Moved < 1:
		t.Errorf("%s: played to %.2f s beyond the edge", s.ID, s.Moved)
	case s.Way == "mse" && s.Ranges != 1:
		t.Errorf("%s: %d ranges are buffered, want one without a hole", s.ID, s.Ranges)
	case s.ID == "mse-sub" && !slices.Equal(s.Messages, []string{"hello", "switch"}):
		t.Errorf("%s: messages %v", s.ID, s.Messages)
	case strings.HasSuffix(s.ID, "-sub") && !slices.Equal(s.Widths, []int{384, 768}):
		t.Errorf("%s: pictures %v wide, want sub, then main", s.ID, s.Widths)
	}
}

// open shows a page in a browser of its own until the test ends.
func open(t *testing.T, url string) {
	t.Helper()
	dir := t.TempDir()
	args := []string{"--headless", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--autoplay-policy=no-user-gesture-required", "--remote-debugging-port=0", "--user-data-dir=" + dir, url}
	if os.Geteuid() == 0 {
		args = append([]string{"--no-sandbox"}, args...)
	}
	cmd := exec.Command("chromium", args...)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(os.Interrupt)
		ended := make(chan struct{})
		go func() { cmd.Wait(); close(ended) }()
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			cmd.Process.Kill()
			<-ended
		}
	})
}
