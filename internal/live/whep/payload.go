package whep

import (
	"encoding/binary"
	"sync"

	"candor/internal/media"
)

// maxPayload keeps a packet with its headers and authentication tag under 1,280 bytes, which
// every IPv6 path carries.
const maxPayload = 1188

// payloads splits one H.264 access unit into RTP payloads (RFC 6184, packetization-mode 1), the
// parameter sets in front of a key picture. Payloads that need no header of their own share the
// unit's memory: nobody may change them.
func payloads(u *media.Unit) [][]byte {
	size, count := 0, 0
	each(u, func(nal []byte) {
		if n := len(nal); n <= maxPayload {
			count++
		} else {
			parts := fragments(n)
			count += parts
			size += n - 1 + 2*parts
		}
	})
	out := make([][]byte, 0, count+1)
	if u.Key {
		out = appendParameterSets(out, u.Track)
	}
	buf := make([]byte, 0, size)
	each(u, func(nal []byte) {
		if len(nal) <= maxPayload {
			out = append(out, nal)
			return
		}
		// FU-A: the first byte is split into an indicator and a header with start and end bits.
		indicator, kind := nal[0]&0x60|28, nal[0]&0x1f
		parts := fragments(len(nal))
		rest := nal[1:]
		for i := range parts {
			head := kind
			if i == 0 {
				head |= 0x80
			}
			if i == parts-1 {
				head |= 0x40
			}
			n := (len(rest) + parts - i - 1) / (parts - i) // even shares
			from := len(buf)
			buf = append(append(buf, indicator, head), rest[:n]...)
			out = append(out, buf[from:len(buf):len(buf)])
			rest = rest[n:]
		}
	})
	return out
}

func fragments(n int) int { return (n - 1 + maxPayload - 3) / (maxPayload - 2) }

// each calls f for every NAL unit worth sending: no delimiters, fillers or empty ones.
func each(u *media.Unit, f func([]byte)) {
	for nal := range media.NALs(u.Data) {
		if len(nal) == 0 {
			continue
		}
		switch nal[0] & 0x1f {
		case 0, 9, 10, 11, 12:
		default:
			f(nal)
		}
	}
}

// appendParameterSets adds SPS and PPS as one aggregate (STAP-A), or singly when too large.
func appendParameterSets(out [][]byte, t *media.Track) [][]byte {
	if 5+len(t.SPS)+len(t.PPS) > maxPayload {
		return append(out, t.SPS, t.PPS)
	}
	b := make([]byte, 0, 5+len(t.SPS)+len(t.PPS))
	b = append(b, 0x60|24)
	for _, ps := range [][]byte{t.SPS, t.PPS} {
		if len(ps) > 0 {
			b = binary.BigEndian.AppendUint16(b, uint16(len(ps)))
			b = append(b, ps...)
		}
	}
	return append(out, b)
}

// packetiser splits each unit of a stream once, whoever asks first. It remembers the last group
// of pictures and the one before.
type packetiser struct {
	mu        sync.Mutex
	now, past map[*media.Unit][][]byte
	begin     int64 // decoding time of the key picture that now begins with
	watching  int   // guarded by Server.mu
	split     int   // units split so far
}

// payloads is what the unit is split into. All units come from one stream.
func (p *packetiser) payloads(u *media.Unit) [][]byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if b, ok := p.now[u]; ok {
		return b
	}
	if b, ok := p.past[u]; ok {
		return b
	}
	b := payloads(u)
	p.split++
	switch {
	case p.now == nil || u.Key && u.DTS > p.begin:
		p.past, p.now, p.begin = p.now, map[*media.Unit][][]byte{u: b}, u.DTS
	case u.DTS >= p.begin:
		p.now[u] = b
	}
	return b
}
