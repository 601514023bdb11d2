package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

const (
	revokeRuns = 15
	revokeFilm = 45 * time.Second // that a reader is in the middle of
	revokeKbit = 6000
)

// revocations measures from asking that a share ends to the last byte that a member gets of what
// runs: the live picture, footage being played, a file being saved. Each is read over a line of its
// own that takes about 200 kB/s, so that what waits in buffers counts.
func revocations(ctx context.Context, b *bench) error {
	clip, err := makeClip(ctx, b.clips, 720, 2, revokeKbit)
	if err != nil {
		return err
	}
	cam, err := startCamera(ctx, clip)
	if err != nil {
		return err
	}
	defer cam.stop()
	s, err := startServer(ctx, b, "revoke", "--mail.outbox=true")
	if err != nil {
		return err
	}
	defer s.stop()
	camera, err := s.addCamera(ctx, "Door", cam.main, "", true)
	if err != nil {
		return err
	}
	member, err := s.signUp(ctx, "member@bench.example")
	if err != nil {
		return err
	}
	from := time.Now()
	say("revoke: recording %s", revokeFilm)
	if err := pause(ctx, revokeFilm+5*time.Second); err != nil {
		return err
	}
	film := "/cameras/" + camera + "/footage.mp4?" + url.Values{
		"from": {from.UTC().Format(time.RFC3339Nano)}, "to": {from.Add(revokeFilm).UTC().Format(time.RFC3339Nano)},
	}.Encode()
	runs := b.n
	if runs == 0 {
		runs = revokeRuns
	}
	took := map[string][]float64{}
	for range runs {
		share, err := s.letIn(ctx, member, camera)
		if err != nil {
			return err
		}
		lines := map[string]*line{}
		for what, open := range map[string]func() (io.ReadCloser, error){
			"live":     func() (io.ReadCloser, error) { return member.watch(ctx, camera) },
			"playback": func() (io.ReadCloser, error) { return member.stream(ctx, film) },
			"download": func() (io.ReadCloser, error) { return member.stream(ctx, film+"&download=1") },
		} {
			body, err := open()
			if err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			lines[what] = readSlowly(body)
		}
		if err := pause(ctx, 1500*time.Millisecond); err != nil {
			return err
		}
		asked := time.Now()
		if err := s.call(ctx, "DELETE", "/shares/"+share, nil, nil); err != nil {
			return err
		}
		took["answer"] = append(took["answer"], milli(time.Since(asked)))
		for what, l := range lines {
			last, err := l.cut(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", what, err)
			}
			took[what] = append(took[what], max(0, milli(last.Sub(asked))))
		}
	}
	for _, what := range []string{"answer", "live", "playback", "download"} {
		b.add(of("revoke_"+what+"_p50_ms", "ms", 0.5, took[what]), of("revoke_"+what+"_p95_ms", "ms", 0.95, took[what]))
	}
	return nil
}

func milli(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

var mailedCode = regexp.MustCompile(`\b\d{4} \d{4}\b`)

// signUp makes one more account, with the code that the outbox shows, and signs it in.
func (s *server) signUp(ctx context.Context, email string) (*server, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	m := &server{base: s.base, client: &http.Client{Jar: jar, Timeout: s.client.Timeout}}
	invited := struct{ Token string }{}
	cams := struct{ Cameras []struct{ ID string } }{}
	if err := s.call(ctx, "GET", "/cameras", nil, &cams); err != nil {
		return nil, err
	}
	if err := s.call(ctx, "POST", "/shares", map[string]any{"camera_id": cams.Cameras[0].ID, "abilities": []string{"live"}, "confirmed": true}, &invited); err != nil {
		return nil, err
	}
	return m, m.join(ctx, s, email, invited.Token)
}

// join makes an account for whoever this client is, with the code that the outbox of another shows.
func (s *server) join(ctx context.Context, box *server, email, invitation string) error {
	ask := map[string]any{"email": email, "language": "en"}
	if invitation != "" {
		ask["invitation"] = invitation
	}
	var asked struct{ Request string }
	if err := s.call(ctx, "POST", "/sign-up", ask, &asked); err != nil {
		return err
	}
	code, err := box.mailed(ctx, email)
	if err != nil {
		return err
	}
	return s.call(ctx, "POST", "/sign-up/confirm", map[string]any{
		"request": asked.Request, "email": email, "code": code, "name": "Member", "password": password, "language": "en", "time_zone": "Europe/Berlin",
	}, nil)
}

// mailed waits for the code that was sent to an address.
func (s *server) mailed(ctx context.Context, email string) (string, error) {
	for range 50 {
		var box struct{ Letters []struct{ To, Text string } }
		if err := s.call(ctx, "GET", "/outbox", nil, &box); err != nil {
			return "", err
		}
		for _, l := range box.Letters {
			if c := mailedCode.FindString(l.Text); l.To == email && c != "" {
				return c, nil
			}
		}
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("no code came for %s", email)
}

// letIn shares a camera with a member, footage and files included.
func (s *server) letIn(ctx context.Context, member *server, camera string) (string, error) {
	var made struct {
		Token string
		Share struct{ ID string }
	}
	if err := s.call(ctx, "POST", "/shares", map[string]any{"camera_id": camera, "abilities": []string{"live", "playback", "export"}, "confirmed": true}, &made); err != nil {
		return "", err
	}
	return made.Share.ID, member.call(ctx, "POST", "/invites/"+made.Token+"/accept", nil, nil)
}

// thin is a client over a line whose receiving side holds little.
func thin() *http.Client {
	d := net.Dialer{Control: func(_, _ string, c syscall.RawConn) error {
		var set error
		err := c.Control(func(fd uintptr) { set = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 8<<10) })
		return errors.Join(err, set)
	}}
	return &http.Client{Transport: &http.Transport{DialContext: d.DialContext, DisableKeepAlives: true, ReadBufferSize: 4 << 10}}
}

func (s *server) cookies() string {
	u, err := url.Parse(s.base)
	if err != nil {
		return ""
	}
	var all []string
	for _, c := range s.client.Jar.Cookies(u) {
		all = append(all, c.String())
	}
	return strings.Join(all, "; ")
}

// stream opens a body that is read as it comes.
func (s *server) stream(ctx context.Context, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, "GET", s.base+"/api/v1"+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Cookie", s.cookies())
	res, err := thin().Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		said, _ := io.ReadAll(io.LimitReader(res.Body, 300))
		return nil, errors.Join(fmt.Errorf("%s: %d %s", path, res.StatusCode, said), res.Body.Close())
	}
	return res.Body, nil
}

// watch opens the live picture by MSE.
func (s *server) watch(ctx context.Context, camera string) (io.ReadCloser, error) {
	at := "ws" + strings.TrimPrefix(s.base, "http") + "/api/v1/cameras/" + camera + "/mse?quality=main"
	c, _, err := websocket.Dial(ctx, at, &websocket.DialOptions{HTTPClient: thin(), HTTPHeader: http.Header{"Cookie": {s.cookies()}, "Origin": {s.base}}})
	if err != nil {
		return nil, err
	}
	c.SetReadLimit(64 << 20)
	return &frames{ctx: ctx, from: c}, nil
}

// frames reads the frames of a WebSocket as they come, text and binary alike.
type frames struct {
	ctx  context.Context
	from *websocket.Conn
	now  io.Reader
}

func (f *frames) Read(b []byte) (int, error) {
	for {
		if f.now == nil {
			_, r, err := f.from.Reader(f.ctx)
			if err != nil {
				return 0, err
			}
			f.now = r
		}
		n, err := f.now.Read(b)
		if errors.Is(err, io.EOF) {
			f.now, err = nil, nil
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

func (f *frames) Close() error { return f.from.CloseNow() }

// line is a reader that takes its time, and when the last byte reached it.
type line struct {
	mu    sync.Mutex
	last  time.Time
	bytes int
	ended chan error
}

func readSlowly(body io.ReadCloser) *line {
	l := &line{ended: make(chan error, 1)}
	go func() {
		defer body.Close()
		buf := make([]byte, 4<<10)
		for {
			n, err := body.Read(buf)
			l.mu.Lock()
			if n > 0 {
				l.last, l.bytes = time.Now(), l.bytes+n
			}
			l.mu.Unlock()
			if err != nil {
				l.ended <- err
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
	}()
	return l
}

// cut waits until the line has ended and tells when its last byte came. One that nothing came over,
// or that came to its proper end, measures nothing.
func (l *line) cut(ctx context.Context) (time.Time, error) {
	select {
	case err := <-l.ended:
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.bytes == 0 {
			return l.last, fmt.Errorf("nothing came: %w", err)
		}
		return l.last, nil
	case <-time.After(30 * time.Second):
		return time.Time{}, errors.New("it still runs after 30 s")
	case <-ctx.Done():
		return time.Time{}, ctx.Err()
	}
}
