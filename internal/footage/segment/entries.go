package segment

import (
	"encoding/binary"
	"fmt"
	"math"

	"candor/internal/media"
)

// Bounds of one chunk's entries.
const (
	maxFrame  = 16 << 20
	maxFrames = 1 << 16
	maxTick   = math.MaxInt32 // 6.6 h at 90 kHz: beyond any segment
)

// Frame is one access unit as its entry tells it. Times are ticks from the segment's media start.
type Frame struct {
	DTS  int64
	CTS  int32 // PTS − DTS
	Size uint32
	Key  bool
	At   uint32 // where its data begins in the chunk's plain text
}

// PTS is the presentation time.
func (f Frame) PTS() int64 { return f.DTS + int64(f.CTS) }

// nominal is the duration of a frame of that track when nothing else tells it, in ticks.
func nominal(t *media.Track) int64 {
	switch {
	case t.Codec == media.H264 && t.FPS >= 0.1 && t.FPS <= 1000:
		return int64(math.Round(media.TickRate / t.FPS))
	case t.Codec == media.AAC && t.SampleRate > 0:
		return 1024 * media.TickRate / int64(t.SampleRate)
	case t.Codec == media.H264:
		return media.TickRate / 25
	}
	return media.TickRate / 50
}

// Nominal is the duration of a frame of that track when nothing else tells it, in ticks.
func Nominal(t *media.Track) int64 { return nominal(t) }

// appendEntries writes the entries of one chunk: for each track the number of its frames, and for
// each frame its size with the key flag, the time since the frame before it (the first: since the
// media start) and its PTS − DTS. The data of the frames follows the entries in the same order.
func appendEntries(b []byte, tracks [][]Frame) []byte {
	for _, frames := range tracks {
		b = binary.AppendUvarint(b, uint64(len(frames)))
		before := int64(0)
		for _, f := range frames {
			head := uint64(f.Size) << 1
			if f.Key {
				head |= 1
			}
			b = binary.AppendUvarint(b, head)
			b = binary.AppendVarint(b, f.DTS-before)
			b = binary.AppendVarint(b, int64(f.CTS))
			before = f.DTS
		}
	}
	return b
}

// parseEntries reads the entries of n tracks from p and lays the frames out from at on.
// It returns where their data ends.
func parseEntries(p *parser, n int, at int64) ([][]Frame, int64, error) {
	tracks := make([][]Frame, n)
	for i := range tracks {
		count := p.uvarint(maxFrames)
		if p.bad || count > uint64(len(p.b)) { // an entry has 3 bytes at least
			return nil, 0, fmt.Errorf("%w: frame entries", ErrFormat)
		}
		frames := make([]Frame, count)
		before := int64(0)
		for k := range frames {
			f := &frames[k]
			head := p.uvarint(maxFrame<<1 | 1)
			f.Size, f.Key = uint32(head>>1), head&1 == 1
			f.DTS = before + p.varint(maxTick)
			f.CTS = int32(p.varint(maxTick))
			if f.DTS > maxTick || f.DTS < -maxTick {
				p.bad = true
			}
			before = f.DTS
		}
		tracks[i] = frames
	}
	if p.bad {
		return nil, 0, fmt.Errorf("%w: frame entries", ErrFormat)
	}
	for _, frames := range tracks {
		for k := range frames {
			if at+int64(frames[k].Size) > maxPlain {
				return nil, 0, fmt.Errorf("%w: frame entries", ErrFormat)
			}
			frames[k].At = uint32(at)
			at += int64(frames[k].Size)
		}
	}
	return tracks, at, nil
}
