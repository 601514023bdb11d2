package httpapi_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"candor/internal/permit"
	"candor/internal/visit"
)

// slow is a reader of footage that takes the first bytes and then nothing.
type slow struct {
	w        *world
	conn     *net.TCPConn
	returned chan struct{} // the handler is through
}

func readSlowly(t *testing.T) *slow {
	w := newWorld(t)
	w.movie = make([]byte, 64<<20)
	s := &slow{w: w, returned: make(chan struct{})}
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		defer close(s.returned)
		w.door.ServeHTTP(rw, r)
	}))
	srv.Config.ConnContext = visit.WithConn
	srv.Start()
	t.Cleanup(srv.Close)
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	s.conn = c.(*net.TCPConn)
	s.conn.SetReadBuffer(16 << 10)
	fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: cameras.example\r\nCookie: __Host-candor_session=%s\r\n\r\n",
		w.path("/api/v1/cameras/%s/footage.mp4?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z"), w.anna.token)
	if _, err := io.ReadFull(c, make([]byte, 4<<10)); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond) // the rest fills whatever holds bytes on the way
	return s
}

func (s *slow) lease() *permit.Lease {
	s.w.mu.Lock()
	defer s.w.mu.Unlock()
	return s.w.leases[0]
}

func TestTheEndOfALeaseIsTheLastByteOfASlowDownload(t *testing.T) {
	s := readSlowly(t)
	s.lease().End(errors.New("withdrawn"))
	select {
	case <-s.returned:
	case <-time.After(10 * time.Second):
		t.Fatal("the handler waits for the reader")
	}
	s.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	n, err := io.Copy(io.Discard, s.conn)
	if err == nil {
		t.Error("the download ends as if it were whole")
	}
	if n > 256<<10 { // what had arrived at the reader's machine
		t.Errorf("%d bytes were delivered after the end of the lease", n)
	}
}

func TestTheEndOfALeaseSparesTheNextRequest(t *testing.T) {
	w := newWorld(t)
	srv := httptest.NewUnstartedServer(w.door)
	srv.Config.ConnContext = visit.WithConn
	srv.Start()
	t.Cleanup(srv.Close)
	c, err := net.Dial("tcp", srv.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for range 3 {
		fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: cameras.example\r\nCookie: __Host-candor_session=%s\r\n\r\n",
			w.path("/api/v1/cameras/%s/footage.mp4?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z"), w.anna.token)
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || len(b) != len(w.movie) {
			t.Fatalf("%d bytes, %v", len(b), err)
		}
	}
	for deadline := time.Now().Add(20 * time.Second); w.open() != 0; time.Sleep(5 * time.Millisecond) { // the reader may be through before the handler is
		if time.Now().After(deadline) {
			t.Fatalf("%d leases are left open", w.open())
		}
	}
}

func TestManyRangesAreOneAnswer(t *testing.T) {
	w := newWorld(t)
	get := func(ranges int) int {
		return w.do(request{as: &w.anna, method: "GET", path: w.path("/api/v1/cameras/%s/footage.mp4?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z"),
			header: map[string]string{"Range": "bytes=0-0" + strings.Repeat(",9000-9000", ranges-1)}}).Code
	}
	if c := get(16); c != http.StatusPartialContent {
		t.Errorf("16 ranges: %d", c)
	}
	if c := get(17); c != http.StatusOK {
		t.Errorf("17 ranges: %d", c)
	}
}
