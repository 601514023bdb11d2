package whep

import (
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"candor/internal/media"
)

// playoutDelay asks a browser to show pictures as soon as they are decoded (min = max = 0).
const (
	playoutDelayURI = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
	// kept is how many packets can be repeated: a whole burst.
	keptVideo = 8192
	keptAudio = 512
)

// sender is one RTP stream to one viewer.
type sender struct {
	track media.Codec
	rate  int64

	mu     sync.Mutex
	out    webrtc.TrackLocalWriter // nil until bound
	header rtp.Header
	base   uint32 // time stamp of tick 0
	kept   []packet
	closed bool

	packets, octets uint32
	repeated        int
	lastPTS         int64 // of the newest unit sent, and when that was
	lastAt          time.Time
}

// packet is what is needed to send it again. The payload is shared.
type packet struct {
	payload []byte
	ts      uint32
	seq     uint16
	marker  bool
	sent    bool
}

func newSender(c media.Codec, rate int64) *sender {
	n := keptAudio
	if c == media.H264 {
		n = keptVideo
	}
	return &sender{track: c, rate: rate, base: rand.Uint32(), kept: make([]packet, n),
		header: rtp.Header{Version: 2, SequenceNumber: uint16(rand.Uint32())}}
}

// The webrtc.TrackLocal side.

var _ webrtc.TrackLocal = (*sender)(nil)

func (s *sender) Bind(c webrtc.TrackLocalContext) (webrtc.RTPCodecParameters, error) {
	codecs := c.CodecParameters()
	if len(codecs) == 0 {
		return webrtc.RTPCodecParameters{}, errors.New("no codec was agreed on")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out = c.WriteStream()
	s.header.SSRC, s.header.PayloadType = uint32(c.SSRC()), uint8(codecs[0].PayloadType)
	for _, e := range c.HeaderExtensions() {
		if e.URI == playoutDelayURI {
			if err := s.header.SetExtension(uint8(e.ID), []byte{0, 0, 0}); err != nil {
				return webrtc.RTPCodecParameters{}, err
			}
		}
	}
	return codecs[0], nil
}

func (s *sender) Unbind(webrtc.TrackLocalContext) error {
	s.close()
	return nil
}

func (s *sender) ID() string       { return s.Kind().String() }
func (s *sender) RID() string      { return "" }
func (s *sender) StreamID() string { return "live" }
func (s *sender) Kind() webrtc.RTPCodecType {
	if s.track == media.H264 {
		return webrtc.RTPCodecTypeVideo
	}
	return webrtc.RTPCodecTypeAudio
}

func (s *sender) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed, s.out = true, nil
	s.kept = nil
}

// stamp is the RTP time stamp of a moment on the feed's time line.
func (s *sender) stamp(pts int64) uint32 { return s.base + uint32(pts*s.rate/media.TickRate) }

// send sends one packet. Writing fails only for good.
func (s *sender) send(payload []byte, ts uint32, marker bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.out == nil {
		return errClosed
	}
	s.header.Timestamp, s.header.Marker = ts, marker
	seq := s.header.SequenceNumber
	s.kept[int(seq)%len(s.kept)] = packet{payload, ts, seq, marker, true}
	_, err := s.out.WriteRTP(&s.header, payload)
	s.header.SequenceNumber++
	s.packets++
	s.octets += uint32(len(payload))
	return err
}

var errClosed = errors.New("the peer connection is closed")

// again repeats the packets that a viewer misses.
func (s *sender) again(seqs []uint16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, seq := range seqs {
		if s.out == nil {
			return
		}
		p := s.kept[int(seq)%len(s.kept)]
		if !p.sent || p.seq != seq {
			continue
		}
		h := s.header
		h.SequenceNumber, h.Timestamp, h.Marker = seq, p.ts, p.marker
		if _, err := s.out.WriteRTP(&h, p.payload); err != nil {
			return
		}
		s.repeated++
	}
}

// done notes that a whole unit has been sent.
func (s *sender) done(pts int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastPTS, s.lastAt = pts, time.Now()
}

// report is a sender report on the shared clock, or nil when nothing was sent yet.
func (s *sender) report(c anchor) rtcp.Packet {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.lastAt.IsZero() || s.closed {
		return nil
	}
	pts := s.lastPTS + ticks(time.Since(s.lastAt))
	return &rtcp.SenderReport{
		SSRC: s.header.SSRC, NTPTime: c.ntp(pts), RTPTime: s.stamp(pts),
		PacketCount: s.packets, OctetCount: s.octets,
	}
}

// anchor ties the feed's time line to a wall clock, the same for picture and sound: that is
// what keeps lips in sync.
type anchor struct {
	pts  int64
	wall time.Time
}

func (a anchor) ntp(pts int64) uint64 {
	const since1900 = 2208988800
	d := pts - a.pts
	t := a.wall.Add(time.Duration(d/media.TickRate)*time.Second + time.Duration(d%media.TickRate)*time.Second/media.TickRate)
	frac := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return uint64(t.Unix()+since1900)<<32 | frac
}

// ticks is a duration on the media time line.
func ticks(d time.Duration) int64 { return d.Microseconds() * (media.TickRate / 1000) / 1000 }
