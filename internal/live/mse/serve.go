package mse

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/coder/websocket"

	"candor/internal/fmp4"
	"candor/internal/live"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

// Bounds. leaseGrace and goodbye together stay well under the second within which the last byte
// must have left.
const (
	DefaultViewers = 256
	DefaultBursts  = 8
	chunk          = 64 << 10
	slowAfter      = 10 * time.Second
	leaseGrace     = 250 * time.Millisecond
	goodbye        = 400 * time.Millisecond
	pausedPoll     = 20 * time.Millisecond
)

// Server sends to WebSockets. The zero Server works.
type Server struct {
	Viewers int // at the same time; 0: DefaultViewers
	Bursts  int // joins at the same time; 0: DefaultBursts
	Log     *slog.Logger

	mu       sync.Mutex
	watching int
	slots    chan struct{}
}

// Check tells, before a WebSocket is accepted, why it would be refused: live.not_ready,
// live.audio, live.browser.
func Check(ctx context.Context, src live.Source, o live.Options) error {
	video, audio, err := src.Ready(ctx, o)
	switch {
	case err != nil:
		return err
	case !fmp4.Carries(video.Codec):
		return live.Refused("live.browser")
	case o.Strict && o.Audio && audio != nil && !fmp4.Carries(audio.Codec):
		return live.Refused("live.audio")
	}
	return nil
}

// closings are the close codes of the problems and causes that end a viewing.
var closings = map[string]websocket.StatusCode{
	"live.ended": 4403, "live.gone": 4404, "live.slow": 4408, "live.changed": 4409,
	"live.audio": 4415, "live.browser": 4415, "live.busy": 4429, "live.not_ready": 4503,
}

var errChanged = errors.New("the camera's tracks changed")

// Watching is the number of viewers.
func (s *Server) Watching() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.watching
}

// Serve sends until the lease, the browser, the camera's stream or ctx ends, and closes the
// connection. The error says which; it is nil when the browser left.
func (s *Server) Serve(ctx context.Context, lease *permit.Lease, conn *Conn, src live.Source, o live.Options) error {
	read, stop := context.WithCancel(context.Background())
	defer stop()                    // not before the goodbye: it closes the connection
	here := conn.ws.CloseRead(read) // ends when the browser leaves
	err := s.serve(ctx, here, lease, conn, src, o)
	reason, code := "live.gone", websocket.StatusGoingAway
	var p *problem.Problem
	switch {
	case err == nil:
		conn.abort()
		return nil
	case lease.Context().Err() != nil || lease.State() == permit.Ended:
		reason, err = "live.ended", errors.Join(permit.ErrEnded, err)
	case errors.As(err, &p):
		reason = p.Code
	case errors.Is(err, errChanged):
		reason = "live.changed"
	case errors.Is(err, context.DeadlineExceeded):
		reason = "live.slow"
	case errors.Is(err, io.EOF):
	default:
		reason = ""
	}
	if c, ok := closings[reason]; ok {
		code = c
	}
	conn.closeWithin(goodbye, code, reason)
	return err
}

func (s *Server) serve(ctx, here context.Context, lease *permit.Lease, conn *Conn, src live.Source, o live.Options) error {
	s.mu.Lock()
	if s.watching >= bound(s.Viewers, DefaultViewers) {
		s.mu.Unlock()
		return live.Busy("live.busy")
	}
	if s.slots == nil {
		s.slots = make(chan struct{}, bound(s.Bursts, DefaultBursts))
	}
	s.watching++
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.watching--
		s.mu.Unlock()
	}()

	write, cut := context.WithCancel(here)
	defer cut()
	until, end := context.WithCancel(here)
	defer end()
	defer context.AfterFunc(ctx, end)()
	defer context.AfterFunc(lease.Context(), end)()
	// A write that is going on when the lease ends may end whole; if it does not, it is cut.
	defer context.AfterFunc(lease.Context(), func() { time.AfterFunc(leaseGrace, cut) })()

	v := &view{conn: conn, lease: lease, write: write}
	err := s.join(until, v, src, o)
	if err == nil {
		defer v.feed.Close()
		err = v.live(until)
	}
	if here.Err() != nil && lease.State() != permit.Ended && !errors.Is(err, context.DeadlineExceeded) {
		return nil // the browser left
	}
	return err
}

func bound(n, otherwise int) int {
	if n <= 0 {
		return otherwise
	}
	return n
}

// join sends hello, the initialisation segment and the group of pictures that is going on.
func (s *Server) join(ctx context.Context, v *view, src live.Source, o live.Options) error {
	if err := Check(ctx, src, o); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case s.slots <- struct{}{}:
	}
	defer func() { <-s.slots }()
	feed, err := live.Join(ctx, src, o)
	if err != nil {
		return err
	}
	v.feed = feed
	if err := v.begin(ctx, src, o); err != nil {
		feed.Close()
		return err
	}
	return nil
}

// may waits while the lease is paused and is an error when it has ended.
func (v *view) may() error {
	for {
		if promise.Cut("P057") {
			return nil
		}
		switch v.lease.State() {
		case permit.Open:
			return nil
		case permit.Ended:
			return permit.ErrEnded
		}
		select {
		case <-v.write.Done():
			return v.write.Err()
		case <-v.lease.Context().Done():
			return permit.ErrEnded
		case <-time.After(pausedPoll):
		}
	}
}

// send writes one binary message made of parts.
//
// promise:P057
func (v *view) send(parts ...[]byte) error {
	ctx, cancel := context.WithTimeout(v.write, slowAfter)
	defer cancel()
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if err := v.may(); err != nil {
		return err
	}
	if size <= chunk {
		v.buf = v.buf[:0]
		for _, p := range parts {
			v.buf = append(v.buf, p...)
		}
		return v.conn.ws.Write(ctx, websocket.MessageBinary, v.buf)
	}
	w, err := v.conn.ws.Writer(ctx, websocket.MessageBinary)
	if err != nil {
		return err
	}
	for _, p := range parts {
		for len(p) > 0 {
			n := min(len(p), chunk)
			if err := v.may(); err != nil {
				return err
			}
			if _, err := w.Write(p[:n]); err != nil {
				return err
			}
			p = p[n:]
		}
	}
	return w.Close()
}

// say writes one text message.
func (v *view) say(m any) error {
	b, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if err := v.may(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(v.write, slowAfter)
	defer cancel()
	return v.conn.ws.Write(ctx, websocket.MessageText, b)
}

// seconds is a time of the feed as media seconds.
func seconds(ticks int64) float64 { return float64(ticks+lead) / media.TickRate }
