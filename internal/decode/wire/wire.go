// Package wire is what candor and its decoding child say to each other over the child's stdin
// and stdout.
//
// Each side believes nothing: the child reads bytes that came from a camera, and the parent
// reads bytes from a process that may have been taken over by them. Every message is a 4-byte
// big-endian length and a body of at most MaxRequest or MaxAnswer bytes; parsing allocates no
// more than it was given. The package imports nothing of ours.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Bounds of the two bodies.
const (
	MaxRequest = 24 << 20
	MaxAnswer  = 8 << 20
	MaxUnits   = 4096 // in one request
)

// Kind says what is asked for.
type Kind byte

// What can be asked for.
const (
	Picture  Kind = 1 // the last of some access units, the first of which is a key unit, as a JPEG
	Describe Kind = 2 // which decoder works here, and how it is confined
	Grey     Kind = 3 // the luma of the last of some access units, GreyWidth × GreyHeight
)

// The size of a Grey answer, whatever the shape of the camera's picture.
const (
	GreyWidth  = 160
	GreyHeight = 90
)

const version = 2

// Request asks the child for something. Its slices alias what was parsed.
type Request struct {
	Kind     Kind
	MaxWidth int    // of the JPEG; 0 leaves the picture's own
	Sequence uint32 // Grey: the sequence that the units go on with; 0: a key unit on its own
	Begins   bool   // Grey: the sequence begins anew with the first unit, a key unit
	SPS, PPS []byte // without start codes
	Unit     []byte // access units, as AppendUnit wrote them
}

// AppendUnit writes an access unit (NAL units, each behind its length in 4 bytes) behind others.
func AppendUnit(b, unit []byte) []byte {
	return append(binary.BigEndian.AppendUint32(b, uint32(len(unit))), unit...)
}

// Units takes what AppendUnit wrote apart. The units alias b.
func Units(b []byte) ([][]byte, error) {
	var out [][]byte
	for len(b) > 0 {
		unit, rest, err := take(b)
		if err != nil {
			return nil, err
		}
		if len(out) == MaxUnits {
			return nil, fmt.Errorf("more than %d units", MaxUnits)
		}
		out, b = append(out, unit), rest
	}
	return out, nil
}

// Answer is the child's word. Exactly one of Picture, Engine and Failure is set.
type Answer struct {
	Picture []byte // a JPEG, or GreyWidth × GreyHeight bytes
	Engine  string // "libopenh264 2.3.1 by purego"
	Failure string // why there is no picture: for the log, never for the person
	Confine string // how the child is shut in, beside Engine
}

const head = 9 // version, kind, width, sequence, begins

var errShort = errors.New("message is cut short")

// Append writes the request's body behind b.
func (q Request) Append(b []byte) []byte {
	b = append(b, version, byte(q.Kind))
	b = binary.BigEndian.AppendUint16(b, uint16(min(max(q.MaxWidth, 0), 1<<16-1)))
	b = binary.BigEndian.AppendUint32(b, q.Sequence)
	begins := byte(0)
	if q.Begins {
		begins = 1
	}
	b = append(b, begins)
	for _, part := range [][]byte{q.SPS, q.PPS, q.Unit} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// ParseRequest reads a body that Append wrote.
func ParseRequest(b []byte) (Request, error) {
	if len(b) < head {
		return Request{}, errShort
	}
	if b[0] != version {
		return Request{}, fmt.Errorf("message of version %d, want %d", b[0], version)
	}
	q := Request{Kind: Kind(b[1]), MaxWidth: int(binary.BigEndian.Uint16(b[2:])), Sequence: binary.BigEndian.Uint32(b[4:]), Begins: b[8] == 1}
	if q.Kind < Picture || q.Kind > Grey {
		return Request{}, fmt.Errorf("unknown kind %d", b[1])
	}
	if b[8] > 1 {
		return Request{}, fmt.Errorf("flags %#x", b[8])
	}
	b = b[head:]
	for _, part := range []*[]byte{&q.SPS, &q.PPS, &q.Unit} {
		var err error
		if *part, b, err = take(b); err != nil {
			return Request{}, err
		}
	}
	if len(b) > 0 {
		return Request{}, fmt.Errorf("%d bytes too many", len(b))
	}
	return q, nil
}

// Append writes the answer's body behind b.
func (a Answer) Append(b []byte) []byte {
	b = append(b, version)
	for _, part := range [][]byte{a.Picture, []byte(a.Engine), []byte(a.Failure), []byte(a.Confine)} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

// maxText bounds what a child may make the log say.
const maxText = 400

// ParseAnswer reads a body that Append wrote.
func ParseAnswer(b []byte) (Answer, error) {
	if len(b) < 1 {
		return Answer{}, errShort
	}
	if b[0] != version {
		return Answer{}, fmt.Errorf("message of version %d, want %d", b[0], version)
	}
	b = b[1:]
	var parts [4][]byte
	for i := range parts {
		var err error
		if parts[i], b, err = take(b); err != nil {
			return Answer{}, err
		}
		if i > 0 && len(parts[i]) > maxText {
			return Answer{}, fmt.Errorf("text of %d bytes", len(parts[i]))
		}
	}
	if len(b) > 0 {
		return Answer{}, fmt.Errorf("%d bytes too many", len(b))
	}
	a := Answer{Picture: parts[0], Engine: printable(parts[1]), Failure: printable(parts[2]), Confine: printable(parts[3])}
	set := 0
	for _, is := range []bool{len(a.Picture) > 0, a.Engine != "", a.Failure != ""} {
		if is {
			set++
		}
	}
	if set != 1 {
		return Answer{}, fmt.Errorf("answer says %d things, want one", set)
	}
	return a, nil
}

func take(b []byte) (part, rest []byte, err error) {
	if len(b) < 4 {
		return nil, nil, errShort
	}
	n := uint64(binary.BigEndian.Uint32(b))
	if n > uint64(len(b)-4) {
		return nil, nil, errShort
	}
	return b[4 : 4+n : 4+n], b[4+n:], nil
}

func printable(b []byte) string {
	out := make([]byte, len(b))
	for i, c := range b {
		if c < ' ' || c > '~' {
			c = '?'
		}
		out[i] = c
	}
	return string(out)
}

// Clip shortens a text to what an answer may carry.
func Clip(s string) string { return s[:min(len(s), maxText)] }

// Read reads one message of at most limit bytes into buf, which it grows as needed, and returns
// the body. It returns io.EOF only between messages.
func Read(r io.Reader, buf []byte, limit int) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if uint64(n) > uint64(limit) {
		return nil, fmt.Errorf("message of %d bytes, want at most %d", n, limit)
	}
	if cap(buf) < int(n) {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	if _, err := io.ReadFull(r, buf); err != nil {
		return nil, fmt.Errorf("%w: %w", errShort, err)
	}
	return buf, nil
}

// Write writes one message whose body the function appends.
func Write(w io.Writer, buf []byte, body func([]byte) []byte) ([]byte, error) {
	buf = body(append(buf[:0], 0, 0, 0, 0))
	binary.BigEndian.PutUint32(buf, uint32(len(buf)-4))
	_, err := w.Write(buf)
	return buf, err
}
