// Package decode makes JPEGs of key pictures, and small grey pictures to look for motion in, by
// children that can be lost.
//
// The decoding itself happens in candor-decode, a process without keys, network or files
// (internal/decode/child). A Pool starts it when a picture is first wanted, replaces it when it
// crashed, hung or answered often enough, and believes nothing it says: whatever bytes a camera
// sends, they cost one child and the answer "decode.failed". Without a decoder on the machine
// the answer is "decode.none"; live and recording work all the same.
package decode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"candor/internal/decode/wire"
	"candor/internal/media"
	"candor/internal/problem"
)

// Defaults of a Pool.
const (
	DefaultTimeout  = 2 * time.Second
	DefaultRequests = 500
	maxLimit        = 2
	restAfterNone   = 10 * time.Second // between two attempts to start what is not there
	maxJPEGSide     = 16384
)

// Pool holds the decoding children. The exported fields are inputs; the zero Pool works.
type Pool struct {
	Path     string        // of candor-decode; empty: beside the running program, or where a package puts it
	Engine   string        // "openh264" or "ffmpeg" to have just that; empty: what is there
	Limit    int           // children at the same time: 1 (default) or 2
	Timeout  time.Duration // for one picture, then the child is killed; 0: DefaultTimeout
	Requests int           // a child answers so many, then it is replaced; 0: DefaultRequests
	Log      *slog.Logger

	once  sync.Once
	slots chan *slot // for stills
	greys chan *slot // for motion: one child of its own, so that neither waits for the other

	mu     sync.Mutex
	none   error // why no child could be started
	noneAt time.Time
	closed bool
	starts int

	sequence atomic.Uint32
}

// slot is the right to one child, which may not have been started.
type slot struct {
	child    *child
	requests int           // then the child is replaced
	timeout  time.Duration // of one request
	yields   bool          // the child lets others have the processor first
}

func (p *Pool) init() {
	p.once.Do(func() {
		if p.Timeout <= 0 {
			p.Timeout = DefaultTimeout
		}
		if p.Requests <= 0 {
			p.Requests = DefaultRequests
		}
		if p.Log == nil {
			p.Log = slog.New(slog.DiscardHandler)
		}
		n := min(max(p.Limit, 1), maxLimit)
		p.slots = make(chan *slot, n)
		for range n {
			p.slots <- &slot{requests: p.Requests, timeout: p.Timeout}
		}
		// Losing this child costs every camera's sequence, so it is kept for longer.
		p.greys = make(chan *slot, 1)
		p.greys <- &slot{requests: 20 * p.Requests, timeout: 5 * p.Timeout, yields: true}
	})
}

// JPEG makes a JPEG, at most maxWidth wide (0: the picture's own width), of a key unit. It waits
// for a free child. Problems: decode.none, decode.failed.
func (p *Pool) JPEG(ctx context.Context, track *media.Track, key *media.Unit, maxWidth int) ([]byte, error) {
	if key == nil {
		return nil, failed(errors.New("no unit"))
	}
	return p.picture(ctx, track, []*media.Unit{key}, maxWidth)
}

// JPEGOf makes a JPEG of the last of some units that begin with a key unit and follow each other;
// where the decoder knows key units only, of the first. It is for a picture that somebody waits
// for: it costs as much as all the units. Problems as of JPEG.
func (p *Pool) JPEGOf(ctx context.Context, units []*media.Unit, maxWidth int) ([]byte, error) {
	if len(units) == 0 || units[0] == nil {
		return nil, failed(errors.New("no unit"))
	}
	return p.picture(ctx, units[0].Track, units, maxWidth)
}

func (p *Pool) picture(ctx context.Context, track *media.Track, units []*media.Unit, maxWidth int) ([]byte, error) {
	if track == nil || track.Codec != media.H264 || !units[0].Key {
		return nil, failed(errors.New("not a key picture of a codec that is decoded here"))
	}
	body, err := join(track, units)
	if err != nil {
		return nil, err
	}
	a, err := p.ask(ctx, wire.Request{Kind: wire.Picture, MaxWidth: maxWidth, SPS: track.SPS, PPS: track.PPS, Unit: body})
	if err != nil {
		return nil, err
	}
	c, err := jpeg.DecodeConfig(bytes.NewReader(a.Picture))
	if err != nil || !plausible(c) || !bytes.HasSuffix(a.Picture, []byte{0xff, 0xd9}) {
		return nil, failed(fmt.Errorf("the child's answer is no JPEG: %w", err))
	}
	return a.Picture, nil
}

func plausible(c image.Config) bool {
	return c.Width > 0 && c.Height > 0 && c.Width <= maxJPEGSide && c.Height <= maxJPEGSide
}

// Description is what doctor tells about decoding.
type Description struct {
	Engine      string // "libopenh264 2.3.1 by purego"; empty when there is none
	Confinement string // how the child is shut in
	Path        string // of the child
	Reason      string // why there is no engine
	KeysOnly    bool   // it decodes key units only: no sequences
}

// Describe asks a child what it decodes with.
func (p *Pool) Describe(ctx context.Context) Description {
	d := Description{Path: p.path()}
	a, err := p.ask(ctx, wire.Request{Kind: wire.Describe})
	if err != nil {
		d.Reason = err.Error()
		return d
	}
	d.Engine, d.Confinement, d.KeysOnly = a.Engine, a.Confine, keysOnly(a.Engine)
	return d
}

// Close ends the children; whoever waits gets an error.
func (p *Pool) Close() {
	p.init()
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	for _, slots := range []chan *slot{p.slots, p.greys} {
		for range cap(slots) {
			s := <-slots
			s.drop()
			defer func() { slots <- s }()
		}
	}
}

func (p *Pool) path() string {
	if p.Path != "" {
		return p.Path
	}
	self, err := os.Executable()
	if err != nil {
		return "candor-decode"
	}
	return beside(self)
}

// beside is where the decoder of a program lies: in its folder, or in ../lib/candor as a package
// installs it (/usr/bin/candor, /usr/lib/candor/candor-decode).
func beside(self string) string {
	near := filepath.Join(filepath.Dir(self), "candor-decode")
	packaged := filepath.Join(filepath.Dir(self), "..", "lib", "candor", "candor-decode")
	if _, err := os.Stat(near); err != nil {
		if _, err := os.Stat(packaged); err == nil {
			return packaged
		}
	}
	return near
}

func none(cause error) error { return problem.Unavailable("decode.none").Because(cause) }
func failed(cause error) error {
	return problem.New(http.StatusBadGateway, "decode.failed").Because(cause)
}

// ask has one request answered by a free child. A failure that the child reports is
// decode.failed (or decode.none to a Describe); one in which it was lost, too.
func (p *Pool) ask(ctx context.Context, q wire.Request) (wire.Answer, error) {
	p.init()
	if len(q.Unit)+len(q.SPS)+len(q.PPS) > wire.MaxRequest-64 {
		return wire.Answer{}, failed(fmt.Errorf("unit of %d bytes", len(q.Unit)))
	}
	slots := p.slots
	if q.Kind == wire.Grey {
		slots = p.greys
	}
	var s *slot
	select {
	case <-ctx.Done():
		return wire.Answer{}, ctx.Err()
	case s = <-slots:
	}
	defer func() { slots <- s }()
	c, err := p.child(s)
	if err != nil {
		return wire.Answer{}, err
	}
	if c.engine == "" && q.Kind != wire.Describe { // learn once whether it can do anything at all
		if err := p.greet(s); err != nil {
			return wire.Answer{}, err
		}
	}
	if q.Sequence != 0 && keysOnly(s.child.engine) {
		return wire.Answer{}, ErrKeysOnly
	}
	a, err := s.child.ask(q, s.timeout)
	if err != nil {
		cause := s.drop()
		if cause != nil {
			err = fmt.Errorf("%w (%w)", err, cause)
		}
		p.Log.LogAttrs(ctx, slog.LevelWarn, "a decoding child was lost", slog.Any("err", err))
		return wire.Answer{}, failed(err)
	}
	if s.child.answered >= s.requests {
		s.drop()
	}
	if a.Failure != "" {
		if q.Kind == wire.Describe {
			return wire.Answer{}, none(errors.New(a.Failure))
		}
		return wire.Answer{}, failed(errors.New(a.Failure))
	}
	return a, nil
}

// child is the slot's child, started if need be.
func (p *Pool) child(s *slot) (*child, error) {
	if s.child != nil {
		return s.child, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		return nil, none(errors.New("closed"))
	case p.none != nil && time.Since(p.noneAt) < restAfterNone:
		return nil, none(p.none)
	}
	c, err := start(p.path(), p.Engine)
	if err != nil {
		p.none, p.noneAt = err, time.Now()
		return nil, none(err)
	}
	if s.yields {
		yield(c.cmd.Process)
	}
	p.none = nil
	p.starts++
	s.child = c
	return c, nil
}

// keysOnly reports whether an engine decodes key units only.
func keysOnly(engine string) bool { return !strings.HasPrefix(engine, "libopenh264 ") }

// greet learns whether the child has an engine. One that has none is let go, and the answer is
// remembered for a while.
func (p *Pool) greet(s *slot) error {
	a, err := s.child.ask(wire.Request{Kind: wire.Describe}, 5*p.Timeout)
	if err == nil && a.Failure != "" {
		err = errors.New(a.Failure)
	}
	if err != nil {
		if cause := s.drop(); cause != nil {
			err = fmt.Errorf("%w (%w)", err, cause)
		}
		p.mu.Lock()
		p.none, p.noneAt = err, time.Now()
		p.mu.Unlock()
		return none(err)
	}
	s.child.engine = a.Engine
	return nil
}

// drop ends the slot's child and tells its last words.
func (s *slot) drop() error {
	if s.child == nil {
		return nil
	}
	err := s.child.close()
	s.child = nil
	return err
}
