package segment

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
)

// A chunk as stored is chunkHead ‖ sealed bytes. The head is in clear and authenticated with the
// sealed bytes; its checksum covers both, so that a torn chunk shows without a key.
const (
	chunkMagic = 0x434e444b // "CNDK"
	chunkHead  = 24
	maxPlain   = 24 << 20
	maxSealed  = maxPlain + 16
	flagIndex  = 1 // the closing index: the last chunk of a segment that was closed in order
)

// head is the clear front of a chunk.
type head struct {
	number uint32 // 1, 2, 3 …
	sealed uint32 // bytes that follow the head
	end    uint32 // ticks from the media start to the end of what the segment holds by now
	index  bool
}

// put writes the head without its checksum.
func (h head) put(b []byte) {
	binary.BigEndian.PutUint32(b[0:], chunkMagic)
	binary.BigEndian.PutUint32(b[4:], h.number)
	binary.BigEndian.PutUint32(b[8:], h.sealed)
	binary.BigEndian.PutUint32(b[12:], h.end)
	flags := uint32(0)
	if h.index {
		flags = flagIndex
	}
	binary.BigEndian.PutUint32(b[16:], flags)
}

func parseHead(b []byte) (head, error) {
	if len(b) < chunkHead {
		return head{}, ErrTorn
	}
	flags := binary.BigEndian.Uint32(b[16:])
	h := head{
		number: binary.BigEndian.Uint32(b[4:]),
		sealed: binary.BigEndian.Uint32(b[8:]),
		end:    binary.BigEndian.Uint32(b[12:]),
		index:  flags == flagIndex,
	}
	if binary.BigEndian.Uint32(b) != chunkMagic || flags > flagIndex || h.sealed < 16 || h.sealed > maxSealed || h.end > maxTick {
		return head{}, fmt.Errorf("%w: chunk head", ErrTorn)
	}
	return h, nil
}

// aad binds a chunk to its segment and its place in it.
func chunkAAD(segment [16]byte, headBytes []byte) (aad [36]byte) {
	copy(aad[:], segment[:])
	copy(aad[16:], headBytes[:20])
	return aad
}

// sealChunk turns b, which is room for a head and then the plain text, into a stored chunk. It
// works in place and returns b grown by the tag.
func sealChunk(aead cipher.AEAD, hd *Header, h head, b []byte) []byte {
	plain := b[chunkHead:]
	h.sealed = uint32(len(plain) + aead.Overhead())
	h.put(b)
	aad := chunkAAD(hd.Segment, b)
	nonce := nonceOf(hd.Salt, h.number, h.index)
	sealed := aead.Seal(plain[:0], nonce[:], plain, aad[:])
	b = b[:chunkHead+len(sealed)]
	if len(sealed) > 0 && &sealed[0] != &b[chunkHead] {
		panic("segment: chunk buffer had no room for the tag")
	}
	sum := crc32.Update(crc32.Checksum(b[:20], castagnoli), castagnoli, b[chunkHead:])
	binary.BigEndian.PutUint32(b[20:], sum)
	return b
}

// readChunk reads and opens the chunk that want describes, at off. The plain text lies in *room,
// which is made larger when it is too small.
func readChunk(r io.ReaderAt, off int64, want head, aead cipher.AEAD, hd *Header, room *[]byte) ([]byte, error) {
	n := chunkHead + int(want.sealed)
	if cap(*room) < n {
		*room = make([]byte, n)
	}
	buf := (*room)[:n]
	if m, err := r.ReadAt(buf, off); m < n {
		return nil, fmt.Errorf("%w: chunk %d (%v)", ErrTorn, want.number, err)
	}
	got, err := parseHead(buf)
	if err != nil || got != want {
		return nil, fmt.Errorf("%w: chunk %d is another", ErrTampered, want.number)
	}
	aad := chunkAAD(hd.Segment, buf)
	nonce := nonceOf(hd.Salt, want.number, want.index)
	plain, err := aead.Open(buf[chunkHead:chunkHead], nonce[:], buf[chunkHead:], aad[:])
	if err != nil {
		return nil, fmt.Errorf("%w: chunk %d", ErrTampered, want.number)
	}
	return plain, nil
}

// walk calls f for every whole chunk from off on, as far as they follow each other, and returns
// where the last one ends. It needs no key. With check it reads and verifies the checksums too.
func walk(r io.ReaderAt, off, size int64, check bool, f func(at int64, h head) error) (int64, error) {
	var front [chunkHead]byte
	var buf []byte
	for number := uint32(1); off+chunkHead <= size; number++ {
		if n, _ := r.ReadAt(front[:], off); n < chunkHead {
			return off, nil
		}
		h, err := parseHead(front[:])
		if err != nil || h.number != number || off+chunkHead+int64(h.sealed) > size {
			return off, nil
		}
		if check {
			if cap(buf) < int(h.sealed) {
				buf = make([]byte, h.sealed)
			}
			buf = buf[:h.sealed]
			if n, _ := r.ReadAt(buf, off+chunkHead); n < len(buf) {
				return off, nil
			}
			if crc32.Update(crc32.Checksum(front[:20], castagnoli), castagnoli, buf) != binary.BigEndian.Uint32(front[20:]) {
				return off, nil
			}
		}
		if err := f(off, h); err != nil {
			return off, err
		}
		off += chunkHead + int64(h.sealed)
		if h.index {
			return off, nil
		}
	}
	return off, nil
}
