package segment

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/media"
)

// magic begins every segment. Like PNG's, it breaks visibly in a transfer that takes it for text.
const magic = "\x89CNDR\r\n\x1a"

// Version is the format this package writes.
const Version = 1

const (
	saltSize    = 7
	maxWrapped  = 1 << 10
	maxHeader   = 1 << 20
	clearFixed  = 8 + 2 + 2 + 4 + 5*16 + 1 + 8 + 16 + saltSize
	headerShort = 16 // magic, version, reserved, length: enough to know how much to read
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Header is what a segment says in clear: whose it is, when it begins, which key opens it.
type Header struct {
	Segment id.Segment
	Tenant  id.Tenant
	Subject id.Subject
	Binding id.Binding
	Device  id.Device
	Profile media.Profile
	Start   clock.Millis // wall time of the first picture
	Key     id.Key       // the bucket key that wraps Wrapped
	Wrapped []byte       // the segment's own key
	Salt    [saltSize]byte
}

// Body is the sealed rest of the header.
type Body struct {
	MediaStart int64 // ticks of the stream's time line at the first picture; frames count from here
	Follows    bool  // the segment before it in the same run ends where this one begins
	Tracks     []*media.Track
}

var profiles = []media.Profile{media.Main, media.Sub}

// ProfileCode is how a profile is written in segments and SQL.
func ProfileCode(p media.Profile) (uint8, error) {
	for i, known := range profiles {
		if p == known {
			return uint8(i), nil
		}
	}
	return 0, fmt.Errorf("profile %q has no code", p)
}

// ProfileOf reads what ProfileCode wrote.
func ProfileOf(code uint8) (media.Profile, error) {
	if int(code) < len(profiles) {
		return profiles[code], nil
	}
	return "", fmt.Errorf("%w: profile %d", ErrFormat, code)
}

// NewSalt is a fresh nonce prefix.
func NewSalt() (s [saltSize]byte) {
	_, _ = rand.Read(s[:]) // never fails: crypto/rand ends the program instead
	return s
}

// marshal writes the whole header: clear fields, the sealed body, and a checksum of both.
func (h *Header) marshal(body *Body, aead cipher.AEAD) ([]byte, error) {
	code, err := ProfileCode(h.Profile)
	if err != nil {
		return nil, err
	}
	if len(h.Wrapped) > maxWrapped {
		return nil, fmt.Errorf("wrapped key of %d bytes", len(h.Wrapped))
	}
	plain := body.marshal()
	b := make([]byte, 0, clearFixed+len(h.Wrapped)+len(plain)+64)
	b = append(b, magic...)
	b = binary.BigEndian.AppendUint16(b, Version)
	b = append(b, 0, 0)
	b = append(b, 0, 0, 0, 0) // length, below
	for _, v := range [][16]byte{h.Segment, id16(h.Tenant), id16(h.Subject), id16(h.Binding), id16(h.Device)} {
		b = append(b, v[:]...)
	}
	b = append(b, code)
	b = binary.BigEndian.AppendUint64(b, uint64(h.Start))
	b = append(b, h.Key[:]...)
	b = append(b, h.Salt[:]...)
	b = appendBlob(b, h.Wrapped)
	sealed := len(plain) + aead.Overhead()
	b = binary.BigEndian.AppendUint32(b, uint32(sealed))
	total := len(b) + sealed + 4
	if total > maxHeader {
		return nil, fmt.Errorf("header of %d bytes", total)
	}
	binary.BigEndian.PutUint32(b[12:], uint32(total))
	nonce := nonceOf(h.Salt, 0, false)
	b = aead.Seal(b, nonce[:], plain, b)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b, castagnoli)), nil
}

func id16[K any](v id.ID[K]) [16]byte { return v }

// nonceOf is the STREAM construction: salt ‖ number ‖ last. Number 0 is the header.
func nonceOf(salt [saltSize]byte, number uint32, last bool) (n [12]byte) {
	copy(n[:], salt[:])
	binary.BigEndian.PutUint32(n[saltSize:], number)
	if last {
		n[11] = 1
	}
	return n
}

// Parsed is a header as read: its clear fields, and where the rest lies.
type Parsed struct {
	Header
	Size   int64 // of the whole header; the first chunk begins here
	aad    []byte
	sealed []byte
}

// ReadHeader reads the header at the front of r. It needs no key and confirms nothing but a checksum.
func ReadHeader(r io.ReaderAt) (*Parsed, error) {
	buf := make([]byte, 1024)
	n, err := r.ReadAt(buf, 0)
	if n < headerShort {
		return nil, fmt.Errorf("%w: %d bytes (%v)", ErrFormat, n, err)
	}
	total := int(binary.BigEndian.Uint32(buf[12:]))
	if string(buf[:8]) != magic || total < clearFixed || total > maxHeader {
		return nil, fmt.Errorf("%w: no header", ErrFormat)
	}
	if total > n {
		whole := make([]byte, total)
		copy(whole, buf[:n])
		if m, err := r.ReadAt(whole[n:], int64(n)); m < total-n {
			return nil, fmt.Errorf("%w: header ends early (%v)", ErrFormat, err)
		}
		buf, n = whole, total
	}
	return ParseHeader(buf[:total])
}

// ParseHeader reads a header that is all of b. The result keeps b.
func ParseHeader(b []byte) (*Parsed, error) {
	p := &parser{b: b}
	if string(p.take(8)) != magic {
		return nil, fmt.Errorf("%w: no header", ErrFormat)
	}
	if v := p.take(4); v == nil || binary.BigEndian.Uint32(v) != Version<<16 {
		return nil, fmt.Errorf("%w: unknown version", ErrFormat)
	}
	if int(p.u32()) != len(b) || len(b) < 4 {
		return nil, fmt.Errorf("%w: header length", ErrFormat)
	}
	if crc32.Checksum(b[:len(b)-4], castagnoli) != binary.BigEndian.Uint32(b[len(b)-4:]) {
		return nil, fmt.Errorf("%w: header checksum", ErrFormat)
	}
	h := &Parsed{Size: int64(len(b))}
	h.Segment, h.Tenant, h.Subject, h.Binding, h.Device = p.id(), p.id(), p.id(), p.id(), p.id()
	var err error
	if h.Profile, err = ProfileOf(p.u8()); err != nil {
		return nil, err
	}
	h.Start = clock.Millis(p.u64())
	h.Key = p.id()
	copy(h.Salt[:], p.take(saltSize))
	h.Wrapped = p.blob(maxWrapped)
	sealed := p.u32()
	h.aad = b[:len(b)-len(p.b)]
	h.sealed = p.take(int(sealed))
	p.take(4) // checksum
	if len(p.b) != 0 {
		p.bad = true
	}
	return h, p.err("header")
}

// Open opens the sealed part of the header.
func (h *Parsed) Open(aead cipher.AEAD) (*Body, error) {
	nonce := nonceOf(h.Salt, 0, false)
	plain, err := aead.Open(nil, nonce[:], h.sealed, h.aad)
	if err != nil {
		return nil, fmt.Errorf("%w: header", ErrTampered)
	}
	return parseBody(plain)
}
