package rtsp

import (
	"bytes"
	"encoding/binary"

	"github.com/bluenviron/mediacommon/v2/pkg/bits"
	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// NAL unit types (H.264 table 7-1) that are treated in a way of their own.
const (
	nalSlice  = 1
	nalIDR    = 5
	nalSPS    = 7
	nalPPS    = 8
	nalAUD    = 9
	nalEndSeq = 10
	nalEndStr = 11
	nalFiller = 12
)

// picture is an access unit with its wrapping taken off.
type picture struct {
	nals     [][]byte // what is left to decode, in order
	sps, pps []byte   // parameter sets that came along, nil if none
	key      bool
}

// unwrap sorts an access unit's NAL units: parameter sets go to the track, delimiters and filling
// go away, and so does what no decoder could read. A second picture parameter set stays
// where it is, since a track holds one.
func unwrap(au [][]byte) picture {
	p := picture{nals: make([][]byte, 0, len(au))}
	for _, n := range au {
		if len(n) == 0 || n[0]&0x80 != 0 { // forbidden_zero_bit
			continue
		}
		switch kind := n[0] & 0x1f; kind {
		case nalAUD, nalEndSeq, nalEndStr, nalFiller:
		case nalSPS:
			if p.sps == nil {
				p.sps = n
			}
		case nalPPS:
			switch {
			case p.pps == nil:
				p.pps = n
			case !bytes.Equal(p.pps, n):
				p.nals = append(p.nals, n)
			}
		default:
			if kind == 0 || kind > 21 || !plausible(n) { // 22 and above are no NAL units of a stream
				continue
			}
			if kind == nalIDR {
				p.key = true
			}
			p.nals = append(p.nals, n)
		}
	}
	return p
}

// plausible looks at the first bits of a slice. Noise gets no further, and above all is not
// taken for a key picture: an IDR slice is a reference (nal_ref_idc) and of type I or SI.
func plausible(n []byte) bool {
	kind := n[0] & 0x1f
	if kind > nalSlice && kind < nalIDR {
		return false // parts of a slice exist in the Extended profile alone, which nothing plays
	}
	if kind != nalSlice && kind != nalIDR {
		return true
	}
	slice, ok := sliceType(n)
	if !ok || slice > 9 {
		return false
	}
	return kind == nalSlice || (n[0]&0x60 != 0 && (slice%5 == 2 || slice%5 == 4))
}

// sliceType reads slice_type (H.264 7.3.3).
func sliceType(n []byte) (uint32, bool) {
	head := h264.EmulationPreventionRemove(n[1:min(len(n), 16)])
	pos := 0
	if _, err := bits.ReadGolombUnsigned(head, &pos); err != nil { // first_mb_in_slice
		return 0, false
	}
	kind, err := bits.ReadGolombUnsigned(head, &pos)
	return kind, err == nil
}

// bidirectional reports whether the picture begins with a B slice.
func (p picture) bidirectional() bool {
	for _, n := range p.nals {
		if n[0]&0x1f == nalSlice {
			kind, ok := sliceType(n)
			return ok && kind%5 == 1
		}
	}
	return false
}

// shows reports whether there is anything of a picture, as opposed to messages only.
func (p picture) shows() bool {
	for _, n := range p.nals {
		if kind := n[0] & 0x1f; kind == nalSlice || kind == nalIDR {
			return true
		}
	}
	return false
}

// data puts each NAL unit behind its length, in one piece of memory of its own.
func (p picture) data() []byte {
	size := 0
	for _, n := range p.nals {
		size += 4 + len(n)
	}
	out := make([]byte, 0, size)
	for _, n := range p.nals {
		out = binary.BigEndian.AppendUint32(out, uint32(len(n)))
		out = append(out, n...)
	}
	return out
}
