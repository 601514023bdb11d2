package democam

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/description"
	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/mpeg4audio"
	"github.com/pion/rtp"

	"candor/internal/media"
)

// player sends one clip in a loop. Time on its line is counted from its beginning and never
// stops; a round begins at base.
type player struct {
	server *Server
	clip   *Clip
	stream *gortsplib.ServerStream
	video  *outlet
	audio  *outlet
	swap   atomic.Pointer[Clip]
	random *rand.Rand
}

// outlet packs one track into RTP.
type outlet struct {
	media  *description.Media
	format format.Format
	codec  media.Codec
	first  uint32 // RTP time at the beginning of the line
	pack   func(data []byte) ([]*rtp.Packet, error)
	nals   func(nals [][]byte) ([]*rtp.Packet, error)
}

func newPlayer(s *Server, clip *Clip) (*player, error) {
	p := &player{server: s, clip: clip, random: s.random()}
	desc := &description.Session{}
	h264 := &format.H264{PayloadTyp: 96, PacketizationMode: 1}
	if !s.HideParameters {
		h264.SPS, h264.PPS = clip.Video.SPS, clip.Video.PPS
	}
	enc, err := h264.CreateEncoder()
	if err != nil {
		return nil, err
	}
	p.video = &outlet{format: h264, codec: media.H264, nals: enc.Encode, first: rand.Uint32()}
	p.video.media = &description.Media{Type: description.MediaTypeVideo, Formats: []format.Format{h264}}
	desc.Medias = append(desc.Medias, p.video.media)
	if clip.Audio != nil {
		if p.audio, err = newSound(clip.Audio); err != nil {
			return nil, err
		}
		desc.Medias = append(desc.Medias, p.audio.media)
	}
	p.stream = &gortsplib.ServerStream{Server: s.server, Desc: desc}
	return p, p.stream.Initialize()
}

func newSound(t *Track) (*outlet, error) {
	o := &outlet{codec: t.Codec, first: rand.Uint32()}
	switch t.Codec {
	case media.Opus:
		f := &format.Opus{PayloadTyp: 97, ChannelCount: t.Channels}
		enc, err := f.CreateEncoder()
		if err != nil {
			return nil, err
		}
		o.format = f
		o.pack = func(data []byte) ([]*rtp.Packet, error) {
			pkt, err := enc.Encode(data)
			return []*rtp.Packet{pkt}, err
		}
	case media.AAC:
		config := &mpeg4audio.AudioSpecificConfig{}
		if err := config.Unmarshal(t.Config); err != nil {
			return nil, err
		}
		f := &format.MPEG4Audio{PayloadTyp: 97, Config: config, SizeLength: 13, IndexLength: 3, IndexDeltaLength: 3}
		enc, err := f.CreateEncoder()
		if err != nil {
			return nil, err
		}
		o.format = f
		o.pack = func(data []byte) ([]*rtp.Packet, error) { return enc.Encode([][]byte{data}) }
	default:
		return nil, fmt.Errorf("cannot send %s", t.Codec)
	}
	o.media = &description.Media{Type: description.MediaTypeAudio, Formats: []format.Format{o.format}}
	return o, nil
}

func (p *player) next(c *Clip) {
	if old := p.swap.Swap(c); old != nil {
		_ = old.Close()
	}
}

func (p *player) close() {
	if p.stream != nil {
		p.stream.Close()
	}
	_ = p.clip.Close()
	if c := p.swap.Swap(nil); c != nil {
		_ = c.Close()
	}
}

// run plays until the context ends.
func (p *player) run(ctx context.Context, begin time.Time) {
	from := p.server.Offset % p.clip.Period
	base := -from // where on the line the present round began
	for {
		swapped := false
		for _, s := range p.clip.steps {
			if base < 0 && s.dts < from {
				continue
			}
			if !sleepUntil(ctx, begin.Add(base+s.dts)) {
				return
			}
			if c := p.swap.Swap(nil); c != nil {
				base = time.Since(begin)
				_ = p.clip.Close()
				p.clip, swapped = c, true
				break
			}
			if err := p.send(begin, base, s); err != nil {
				p.server.Log.Warn("demo camera lost a picture", "err", err)
			}
		}
		if !swapped {
			base += p.clip.Period
		}
	}
}

func sleepUntil(ctx context.Context, at time.Time) bool {
	d := time.Until(at)
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}

// send packs one sample and gives it to whoever looks.
func (p *player) send(begin time.Time, base time.Duration, s step) error {
	if p.server.stalled.Load() {
		return nil
	}
	o := p.outlet(s.track)
	if o == nil {
		return nil
	}
	data, err := p.clip.read(s.sample)
	if err != nil {
		return err
	}
	var packets []*rtp.Packet
	if s.track.Codec == media.H264 {
		packets, err = o.nals(split(data, s.track, s.key))
	} else {
		packets, err = o.pack(data)
	}
	if err != nil {
		return err
	}
	skew := time.Duration(p.server.skew.Load())
	at := base + s.pts + skew
	if p.server.garbage.Load() {
		p.litter(o, packets, begin.Add(at))
	}
	for _, pkt := range packets {
		pkt.Timestamp = o.first + ticks(at, o.format.ClockRate())
		if err := p.stream.WritePacketRTPWithNTP(o.media, pkt, begin.Add(at)); err != nil {
			return err
		}
	}
	return nil
}

func (p *player) outlet(t *Track) *outlet {
	if t.Codec == media.H264 {
		return p.video
	}
	if p.audio == nil || p.audio.codec != t.Codec {
		return nil
	}
	return p.audio
}

// litter sends packets that mean nothing: random bytes, a fragment without a beginning, an
// aggregate that lies about its sizes.
func (p *player) litter(o *outlet, like []*rtp.Packet, at time.Time) {
	if len(like) == 0 {
		return
	}
	payload := make([]byte, 2+p.random.IntN(200))
	for i := range payload {
		payload[i] = byte(p.random.Uint32())
	}
	switch p.random.IntN(3) {
	case 0:
		payload[0], payload[1] = 28, 5 // FU-A, neither first nor last
	case 1:
		payload[0] = 24 // STAP-A
	}
	pkt := &rtp.Packet{Header: like[0].Header, Payload: payload}
	pkt.Timestamp = p.random.Uint32()
	_ = p.stream.WritePacketRTPWithNTP(o.media, pkt, at)
}

// ticks is d on a clock of that rate, wrapped as RTP does.
func ticks(d time.Duration, rate int) uint32 {
	s, rest := int64(d/time.Second), int64(d%time.Second)
	return uint32(s*int64(rate) + (rest*int64(rate)+int64(time.Second)/2)/int64(time.Second))
}

// split cuts a sample into NAL units and puts the parameter sets before a key picture.
func split(data []byte, t *Track, key bool) [][]byte {
	var nals [][]byte
	if key {
		nals = append(nals, t.SPS, t.PPS)
	}
	for len(data) > t.prefix {
		n := 0
		for _, b := range data[:t.prefix] {
			n = n<<8 | int(b)
		}
		data = data[t.prefix:]
		if n <= 0 || n > len(data) {
			break
		}
		if kind := data[0] & 0x1f; kind != 7 && kind != 8 {
			nals = append(nals, data[:n])
		}
		data = data[n:]
	}
	return nals
}
