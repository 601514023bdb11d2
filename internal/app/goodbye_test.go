package app

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"

	"candor/internal/app/door"
	"candor/internal/clock"
	"candor/internal/democam"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// slow is a reader behind a thin line: it fetches 100 kB a second and its own side holds next to
// nothing, so that what is on its way waits on the server's.
type slow struct {
	mu    sync.Mutex
	bytes int
	last  time.Time
	ended chan error
}

func slowClient() *http.Client {
	dial := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var err error
		return errorsFirst(c.Control(func(fd uintptr) { err = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) }), &err)
	}}
	return &http.Client{Transport: &http.Transport{DialContext: dial.DialContext, DisableKeepAlives: true, ReadBufferSize: 1024}}
}

func errorsFirst(a error, b *error) error {
	if a != nil {
		return a
	}
	return *b
}

func (s *slow) read(r io.Reader) {
	b := make([]byte, 1024)
	for {
		n, err := r.Read(b)
		s.mu.Lock()
		if n > 0 {
			s.bytes += n
			s.last = time.Now()
		}
		s.mu.Unlock()
		if err == io.EOF { // of a message
			return
		}
		if err != nil {
			s.ended <- err
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func (s *slow) seen() (int, time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes, s.last
}

// download begins to fetch footage.
func (p *person) download(camera string, of span) *slow {
	p.t.Helper()
	req, err := http.NewRequest("GET", p.world.base+"/api/v1"+moviePath(camera, of), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Cookie", p.cookies())
	res, err := slowClient().Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatalf("download: %v %v", res, err)
	}
	p.t.Cleanup(func() { res.Body.Close() })
	s := &slow{ended: make(chan error, 1)}
	go func() {
		s.read(res.Body)
		select {
		case s.ended <- nil:
		default:
		}
	}()
	return s
}

// watchSlowly begins to watch by MSE.
func (p *person) watchSlowly(camera string) *slow {
	p.t.Helper()
	at := "ws" + strings.TrimPrefix(p.world.base, "http") + "/api/v1/cameras/" + camera + "/mse?quality=main"
	c, _, err := websocket.Dial(p.t.Context(), at, &websocket.DialOptions{HTTPClient: slowClient(), HTTPHeader: http.Header{"Cookie": {p.cookies()}, "Origin": {p.world.base}}})
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { c.CloseNow() })
	c.SetReadLimit(64 << 20)
	s := &slow{ended: make(chan error, 1)}
	go func() {
		for {
			_, r, err := c.Reader(context.Background())
			if err != nil {
				s.ended <- err
				return
			}
			s.read(r)
			if len(s.ended) > 0 {
				return
			}
		}
	}()
	return s
}

// growth watches the files of one camera and remembers when they last grew.
func growth(w *world, camera string) func() (last time.Time, bytes int64) {
	hex := strings.ReplaceAll(camera, "-", "")
	size := func() (sum int64) {
		_ = filepath.WalkDir(w.path(footageDir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.Contains(path, hex) {
				if info, err := d.Info(); err == nil {
					sum += info.Size()
				}
			}
			return nil
		})
		return sum
	}
	var mu sync.Mutex
	var last time.Time
	was := size()
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			now := size()
			mu.Lock()
			if now > was {
				last = time.Now()
			}
			was = now
			mu.Unlock()
		}
	}()
	return func() (time.Time, int64) {
		close(stop)
		<-done
		return last, was
	}
}

// lateness is how late this machine woke somebody who slept 10 ms, at worst. What the system
// promises in time is measured against it: a machine that stands still keeps no promise.
func lateness() func() time.Duration {
	var worst atomic.Int64
	stop := make(chan struct{})
	go func() {
		for {
			select {
			case <-stop:
				return
			default:
			}
			began := time.Now()
			time.Sleep(10 * time.Millisecond)
			if late := int64(time.Since(began) - 10*time.Millisecond); late > worst.Load() {
				worst.Store(late)
			}
		}
	}()
	return func() time.Duration { close(stop); return time.Duration(worst.Load()) }
}

// figures are how long after the request the last byte came.
type figures map[string][]time.Duration

func (f figures) note(what string, asked, last time.Time) {
	f[what] = append(f[what], max(0, last.Sub(asked)))
}

func (f figures) String() string {
	var lines []string
	for what, all := range f {
		slices.Sort(all)
		lines = append(lines, fmt.Sprintf("%-28s min %v, median %v, max %v (n %d)", what, all[0].Round(time.Millisecond),
			all[len(all)/2].Round(time.Millisecond), all[len(all)-1].Round(time.Millisecond), len(all)))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// gone wants a slow reader to be cut off.
func gone(t *testing.T, what string, s *slow, f figures, asked time.Time) {
	t.Helper()
	select {
	case err := <-s.ended:
		if err == nil {
			t.Errorf("%s: a slow reader took the cut for the end", what)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("%s: a slow reader is still being served", what)
	}
	_, last := s.seen()
	f.note(what, asked, last)
}

// TestGoodbyesAtASlowReader withdraws recording, deletes cameras and closes an account while
// footage is being written, downloaded and watched over thin lines.
func TestGoodbyesAtASlowReader(t *testing.T) {
	w, _ := share(t)
	who := identity{"Cleo Linde", "cleo@house.example", "a red unicycle 73"}
	p := w.join(t, who)
	cam := startDevice(t, &democam.Server{Main: noisyClip(t)})
	const cameras = 5
	var ids []string
	for i := range cameras {
		ids = append(ids, p.addRecorded(cam, fmt.Sprintf("Door %d", i)))
	}
	took := figures{}
	late := lateness()
	type viewers struct {
		download, mse *slow
		whep          *peer
		grew          func() (time.Time, int64)
	}
	open := func(camera string) viewers {
		v := viewers{p.download(camera, p.recorded(camera, 3*time.Second)), p.watchSlowly(camera), p.whep(camera), growth(w, camera)}
		eventually(t, "everybody is served", func() bool {
			a, _ := v.download.seen()
			b, _ := v.mse.seen()
			c, _ := v.whep.seen()
			return a > 20_000 && b > 20_000 && c > 20
		})
		return v
	}
	stopped := func(what string, v viewers, asked time.Time) {
		time.Sleep(time.Until(asked.Add(1500 * time.Millisecond)))
		last, bytes := v.grew()
		took.note(what+": footage written", asked, last)
		if bytes != 0 {
			t.Errorf("%s: %d bytes of footage still lie there", what, bytes)
		}
	}

	for _, camera := range ids[:2] {
		v := open(camera)
		asked := time.Now()
		r := p.decide(camera, "withdrawn")
		kept(t, r)
		gone(t, "withdraw: download", v.download, took, asked)
		stopped("withdraw", v, asked)
		// Watching rests on another ground, and goes on.
		before, _ := v.mse.seen()
		packets, _ := v.whep.seen()
		eventually(t, "live goes on", func() bool {
			a, _ := v.mse.seen()
			b, _ := v.whep.seen()
			return a > before && b > packets
		})
		p.refused("GET", moviePath(camera, span{asked.Add(-time.Minute), asked}), nil, http.StatusForbidden, "consent.needed")
		if c := p.see(camera); c.Recording.Actual || c.Recording.Consent != "withdrawn" || c.State.Phase != "live" {
			t.Errorf("after withdrawing: %+v", c)
		}
	}
	for _, camera := range ids[2:4] {
		v := open(camera)
		asked := time.Now()
		var r receipt
		p.call("DELETE", "/cameras/"+camera, map[string]any{"password": who.password}, &r)
		kept(t, &r)
		gone(t, "delete camera: download", v.download, took, asked)
		gone(t, "delete camera: MSE", v.mse, took, asked)
		stopped("delete camera", v, asked)
		_, last := v.whep.seen()
		took.note("delete camera: WebRTC", asked, last)
		p.refused("GET", "/cameras/"+camera, nil, http.StatusNotFound, "not_found")
	}
	v := open(ids[4])
	other := w.visitor(t)
	other.signIn(t, who)
	asked := time.Now()
	var r receipt
	p.call("DELETE", "/account", map[string]any{"password": who.password}, &r)
	kept(t, &r)
	gone(t, "close account: download", v.download, took, asked)
	gone(t, "close account: MSE", v.mse, took, asked)
	stopped("close account", v, asked)
	_, last := v.whep.seen()
	took.note("close account: WebRTC", asked, last)
	for _, browser := range []*person{p, other} {
		if a := browser.do("GET", "/account", nil); a.status != http.StatusUnauthorized {
			t.Errorf("a session of a closed account: %d %s", a.status, a.body)
		}
	}
	if a := w.visitor(t).do("POST", "/session", map[string]any{"email": who.email, "password": who.password}); a.status != http.StatusUnauthorized {
		t.Errorf("signing in to a closed account: %d %s", a.status, a.body)
	}
	// The receipt opens by its link alone, and says nothing of the person.
	a := w.visitor(t).do("GET", "/receipts/"+r.Token, nil)
	if a.status != http.StatusOK {
		t.Errorf("the receipt: %d %s", a.status, a.body)
	}
	for _, private := range []string{who.name, who.email, p.account.String(), ids[4], "Door", r.Token} {
		if strings.Contains(string(a.body), private) {
			t.Errorf("the receipt says %q: %s", private, a.body)
		}
	}

	allowed := time.Second + late()
	for what, all := range took {
		for _, d := range all {
			if d > allowed {
				t.Errorf("%s: the last byte came after %v", what, d)
			}
		}
	}
	t.Logf("from the request to the last byte delivered or written:\n%s", took)
}

// kept wants a receipt that shows something.
func kept(t *testing.T, r *receipt) {
	t.Helper()
	if r == nil || r.KeysDestroyed == 0 || r.UnopenableAt.IsZero() || len(r.LookedFor) == 0 {
		t.Fatalf("a receipt that shows nothing: %+v", r)
	}
	for _, l := range r.LookedFor {
		if l.Found > 0 {
			t.Errorf("the scan still finds %d in %s", l.Found, l.Where)
		}
	}
	if after := r.UnopenableAt.Sub(r.RequestedAt); after > time.Second {
		t.Errorf("unopenable only after %v", after)
	}
}

// A right that goes while a viewer is being answered is answered like one that was never there, not as a fault of ours.
func TestARightThatGoesDuringAnOffer(t *testing.T) {
	w, owner := share(t)
	owner.live(owner.camera)
	b, err := id.Read[id.Binding](owner.camera)
	if err != nil {
		t.Fatal(err)
	}
	lease := permit.NewIssuer(clock.Wall).Lease(t.Context(), permit.Grant{
		Tenant: w.tenant, Subject: id.SubjectOf(owner.account), Binding: b, Action: permit.CameraWatch, Expires: time.Now().Add(time.Minute),
	})
	lease.End(gate.ErrRevoked)
	door := door.Live{Cameras: w.bindings(), Hub: w.hub, Stills: w.stills, WHEP: w.whep, MSE: w.mse}
	if _, _, err := door.Offer(t.Context(), lease, b, "v=0", httpapi.Watch{Quality: "main"}); !problem.Is(err, "not_found") {
		t.Errorf("%v, want not_found", err)
	}
}
