package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Refusals, for errors.Is.
var (
	// ErrFormat is bytes that are no segment, or of a version this build does not know.
	ErrFormat = errors.New("not a segment")
	// ErrTorn is a chunk that is not all there: a crash or a cut ended the segment before it.
	ErrTorn = errors.New("segment ends early")
	// ErrTampered is bytes that the key does not confirm.
	ErrTampered = errors.New("segment does not open")
)

// parser takes fields from the front of b. The first one that does not fit sets bad, and
// everything after it is zero.
type parser struct {
	b   []byte
	bad bool
}

func (p *parser) take(n int) []byte {
	if p.bad || n < 0 || n > len(p.b) {
		p.bad = true
		return nil
	}
	out := p.b[:n:n]
	p.b = p.b[n:]
	return out
}

func (p *parser) u8() uint8 {
	if b := p.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (p *parser) u32() uint32 {
	if b := p.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (p *parser) u64() uint64 {
	if b := p.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func (p *parser) id() (v [16]byte) {
	copy(v[:], p.take(16))
	return v
}

// uvarint takes a number up to limit, written in its shortest form.
func (p *parser) uvarint(limit uint64) uint64 {
	if p.bad {
		return 0
	}
	v, n := binary.Uvarint(p.b)
	if n <= 0 || v > limit || (n > 1 && p.b[n-1] == 0) {
		p.bad = true
		return 0
	}
	p.b = p.b[n:]
	return v
}

// varint takes a signed number (zig-zag) whose magnitude is at most limit.
func (p *parser) varint(limit int64) int64 {
	u := p.uvarint(uint64(limit) * 2)
	return int64(u>>1) ^ -int64(u&1)
}

// blob takes bytes behind their length.
func (p *parser) blob(limit int) []byte {
	n := p.uvarint(uint64(limit))
	if n == 0 {
		return nil
	}
	return p.take(int(n))
}

func (p *parser) err(what string) error {
	if p.bad {
		return fmt.Errorf("%w: %s", ErrFormat, what)
	}
	return nil
}

func appendBlob(b, v []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(v)))
	return append(b, v...)
}
