package segment

import (
	"encoding/binary"
	"fmt"
)

// appendIndex writes the plain text of the closing index: how many chunks, how long each is,
// and then the frame entries of each, as they stand at the front of the chunk.
func appendIndex(b []byte, sealed []uint32, entries []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(sealed)))
	for _, n := range sealed {
		b = binary.AppendUvarint(b, uint64(n))
	}
	return append(b, entries...)
}

// parseIndex reads what appendIndex wrote. The chunks begin at off and follow each other.
func parseIndex(plain []byte, tracks int, off int64) ([]Chunk, error) {
	p := &parser{b: plain}
	n := p.uvarint(1 << 20)
	if p.bad || n > uint64(len(p.b)) {
		return nil, fmt.Errorf("%w: index", ErrFormat)
	}
	chunks := make([]Chunk, n)
	for i := range chunks {
		c := &chunks[i]
		c.offset = off
		c.head = head{number: uint32(i + 1), sealed: uint32(p.uvarint(maxSealed))}
		off += chunkHead + int64(c.head.sealed)
	}
	for i := range chunks {
		c := &chunks[i]
		before := len(p.b)
		frames, _, err := parseEntries(p, tracks, 0)
		if err != nil {
			return nil, err
		}
		c.Tracks = frames
		if err := c.layOut(before - len(p.b)); err != nil {
			return nil, err
		}
	}
	if len(p.b) != 0 {
		p.bad = true
	}
	return chunks, p.err("index")
}
