package rtsp

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"candor/internal/problem"
)

const answerTimeout = 10 * time.Second // for one request

// patience is how long a session goes on without what it waits for.
type patience struct {
	packet time.Duration
	key    time.Duration
}

var usual = patience{packet: 10 * time.Second, key: 60 * time.Second}

// session is one connection to a camera.
type session struct {
	target target
	dialer Dialer
	log    *slog.Logger
	in     *intake

	described func(offer)   // what the camera offers is known
	late      func(no bool) // the time for a key picture has run out, or one has come after all

	patience patience

	client *gortsplib.Client
	packet atomic.Int64 // when the last packet came, as a duration since in.begin
	bad    storm
}

// run connects and delivers until the context ends or something fails. It returns a problem, or
// the context's error. Nothing is delivered after it returns.
func (s *session) run(ctx context.Context) error {
	t := &tap{dialer: s.dialer, target: s.target}
	s.bad = storm{every: time.Minute}
	tcp := gortsplib.ProtocolTCP
	s.client = &gortsplib.Client{
		Scheme:            s.target.scheme,
		Host:              s.target.host,
		Protocol:          &tcp,
		ReadTimeout:       answerTimeout,
		WriteTimeout:      answerTimeout,
		UserAgent:         "Candor",
		DialContext:       t.dial,
		DialTLSContext:    t.dialTLS,
		OnTransportSwitch: func(error) {},
		OnPacketsLost:     func(n uint64) { s.noise("packets lost", nil, n) },
		OnDecodeError:     func(err error) { s.noise("packet cannot be read", err, 1) },
	}
	if err := s.client.Start(); err != nil {
		return explain(err, t)
	}
	closed := make(chan struct{})
	quit := context.AfterFunc(ctx, func() {
		cut := time.AfterFunc(hangUpGrace, t.hangUp)
		s.client.Close()
		cut.Stop()
		close(closed)
	})
	err := s.converse(ctx)
	if !quit() {
		<-closed
		return ctx.Err()
	}
	cut := time.AfterFunc(hangUpGrace, t.hangUp)
	s.client.Close()
	cut.Stop()
	t.hangUp()
	return explain(err, t)
}

func (s *session) converse(ctx context.Context) error {
	desc, _, err := s.client.Describe(s.target.url)
	if err != nil {
		return err
	}
	o, err := choose(desc)
	if err != nil {
		return err
	}
	if s.described != nil {
		s.described(o)
	}
	s.in.connect(o.h264.SPS, o.h264.PPS, o.track)
	if err := s.setup(desc, o); err != nil {
		return err
	}
	begin := s.since()
	s.packet.Store(int64(begin))
	if _, err := s.client.Play(nil); err != nil {
		return err
	}
	return s.watch(ctx, begin)
}

func (s *session) since() time.Duration { return time.Since(s.in.begin) }

// watch waits until the session fails: it hangs up, or goes quiet.
func (s *session) watch(ctx context.Context, begin time.Duration) error {
	ended := make(chan error, 1)
	go func() { ended <- s.client.Wait() }()
	tick := time.NewTicker(time.Second / 2)
	defer tick.Stop()
	late := false
	for {
		select {
		case err := <-ended:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
		now := s.since()
		if now-time.Duration(s.packet.Load()) >= s.patience.packet {
			return problem.Unavailable(CodeStalled)
		}
		if no := now-max(begin, s.in.lastKey()) > s.patience.key; no != late {
			late = no
			if s.late != nil {
				s.late(no)
			}
		}
	}
}

// setup asks for the chosen tracks. Packets arrive on one goroutine, the connection's reader.
func (s *session) setup(desc *description.Session, o offer) error {
	if _, err := s.client.Setup(desc.BaseURL, o.video, 0, 0); err != nil {
		return err
	}
	decoder, err := o.h264.CreateDecoder()
	if err != nil {
		return problem.Invalid(CodeDescription).Because(err)
	}
	units := assembler{decoder: decoder}
	s.client.OnPacketRTP(o.video, o.h264, func(p *rtp.Packet) {
		now := time.Now()
		s.packet.Store(int64(now.Sub(s.in.begin)))
		au, at, err := units.add(p)
		switch {
		case au != nil:
			s.in.pictureIn(au, at, now)
		case err != nil:
			s.noise("picture cannot be read", err, 1)
		}
	})
	s.client.OnPacketRTCP(o.video, func(p rtcp.Packet) {
		if r, ok := p.(*rtcp.SenderReport); ok {
			s.in.picture.hear(r.NTPTime, r.RTPTime)
		}
	})
	if o.audio == nil {
		return nil
	}
	return s.setupSound(desc, o)
}

func (s *session) setupSound(desc *description.Session, o offer) error {
	if _, err := s.client.Setup(desc.BaseURL, o.audio, 0, 0); err != nil {
		return err
	}
	unpack, err := soundUnpacker(o.sound)
	if err != nil {
		return err
	}
	s.client.OnPacketRTP(o.audio, o.sound, func(p *rtp.Packet) {
		now := time.Now()
		s.packet.Store(int64(now.Sub(s.in.begin)))
		frames, err := unpack.frames(p)
		if err != nil {
			return // a fragment, or noise
		}
		s.in.soundIn(frames, unpack.lasts, p.Timestamp, now)
	})
	s.client.OnPacketRTCP(o.audio, func(p rtcp.Packet) {
		if r, ok := p.(*rtcp.SenderReport); ok {
			s.in.sound.hear(r.NTPTime, r.RTPTime)
			s.in.sound.align(&s.in.picture)
		}
	})
	return nil
}

// noise is told at most once a minute.
func (s *session) noise(what string, err error, n uint64) {
	if times := s.bad.count(); times > 0 {
		s.log.Warn("camera sends noise", "type", what, "err", err, "lost", n, "count", times)
	}
}

// assembler makes access units of packets. It knows the time stamp of what lies in the decoder,
// for cameras that do not mark the last packet of a picture.
type assembler struct {
	decoder *rtph264.Decoder
	held    bool
	stamp   uint32
}

func (a *assembler) add(p *rtp.Packet) (au [][]byte, stamp uint32, err error) {
	au, err = a.decoder.Decode(p)
	before, held := a.stamp, a.held
	a.stamp = p.Timestamp
	switch {
	case errors.Is(err, rtph264.ErrMorePacketsNeeded):
		a.held = true
		return nil, 0, nil
	case errors.Is(err, rtph264.ErrNonStartingPacketAndNoPrevious):
		return nil, 0, nil
	case err != nil:
		return nil, 0, err
	case held && before != p.Timestamp:
		a.held = true // the packet that brought this one out stays in
		return au, before, nil
	}
	a.held = false
	return au, p.Timestamp, nil
}
