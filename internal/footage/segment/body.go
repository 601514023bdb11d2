package segment

import (
	"encoding/binary"
	"fmt"
	"math"

	"candor/internal/media"
)

const (
	maxTracks = 8
	maxParams = 64 << 10
	bodyV1    = 1
)

func (b *Body) marshal() []byte {
	out := []byte{bodyV1, 0}
	if b.Follows {
		out[1] = 1
	}
	out = binary.BigEndian.AppendUint64(out, uint64(b.MediaStart))
	out = append(out, uint8(len(b.Tracks)))
	for _, t := range b.Tracks {
		out = appendTrack(out, t)
	}
	return out
}

func appendTrack(b []byte, t *media.Track) []byte {
	b = appendBlob(b, []byte(t.Codec))
	b = appendBlob(b, []byte(t.Profile))
	b = appendBlob(b, t.SPS)
	b = appendBlob(b, t.PPS)
	b = appendBlob(b, t.Config)
	b = binary.AppendUvarint(b, uint64(t.Width))
	b = binary.AppendUvarint(b, uint64(t.Height))
	b = binary.AppendUvarint(b, uint64(math.Round(t.FPS*1000)))
	b = binary.AppendUvarint(b, uint64(t.SampleRate))
	b = binary.AppendUvarint(b, uint64(t.Channels))
	reorder := byte(0)
	if t.Reorder {
		reorder = 1
	}
	return append(b, reorder)
}

func parseBody(b []byte) (*Body, error) {
	p := &parser{b: b}
	if v := p.u8(); v != bodyV1 {
		return nil, fmt.Errorf("%w: header body version %d", ErrFormat, v)
	}
	out := &Body{Follows: p.u8() == 1, MediaStart: int64(p.u64())}
	n := int(p.u8())
	if n == 0 || n > maxTracks {
		return nil, fmt.Errorf("%w: %d tracks", ErrFormat, n)
	}
	for i := range n {
		t := parseTrack(p)
		t.ID = uint8(i)
		out.Tracks = append(out.Tracks, t)
	}
	if len(p.b) != 0 {
		p.bad = true
	}
	return out, p.err("header body")
}

func parseTrack(p *parser) *media.Track {
	t := &media.Track{
		Codec:   media.Codec(p.blob(32)),
		Profile: string(p.blob(64)),
		SPS:     p.blob(maxParams),
		PPS:     p.blob(maxParams),
		Config:  p.blob(maxParams),
	}
	t.Width = int(p.uvarint(1 << 16))
	t.Height = int(p.uvarint(1 << 16))
	t.FPS = float64(p.uvarint(1<<24)) / 1000
	t.SampleRate = int(p.uvarint(1 << 24))
	t.Channels = int(p.uvarint(64))
	t.Reorder = p.u8() == 1
	switch t.Codec {
	case media.H264, media.AAC, media.Opus, media.PCMA, media.PCMU:
	default:
		p.bad = true
	}
	return t
}
