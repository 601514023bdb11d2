package takeaway

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"io"
)

// A frozen object is plain text in chunks of one size, each sealed under the object's own key with its
// number as the nonce. Any stretch can be read by opening the chunks it touches. Where what lies is
// told by an index that is frozen last; what is cut off at the end does not open as one.
const (
	frozenChunk = 64 << 10
	frozenSeal  = 16
)

func nonce(chunk int64) []byte {
	b := make([]byte, 4, 12)
	return binary.BigEndian.AppendUint64(b, uint64(chunk))
}

// freezer writes a frozen object. One goroutine uses it.
type freezer struct {
	to   io.Writer
	aead cipher.AEAD
	buf  []byte
	at   int64 // how much was written
}

func newFreezer(to io.Writer, aead cipher.AEAD) *freezer {
	return &freezer{to: to, aead: aead, buf: make([]byte, 0, frozenChunk+frozenSeal)}
}

func (f *freezer) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		k := min(len(b), frozenChunk-len(f.buf))
		f.buf = append(f.buf, b[:k]...)
		n, b, f.at = n+k, b[k:], f.at+int64(k)
		if len(f.buf) == frozenChunk {
			if err := f.flush(); err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// flush seals what is there; after a short chunk there is none.
func (f *freezer) flush() error {
	if len(f.buf) == 0 {
		return nil
	}
	sealed := f.aead.Seal(f.buf[:0], nonce((f.at-1)/frozenChunk), f.buf, nil)
	_, err := f.to.Write(sealed)
	clear(f.buf[:cap(f.buf)])
	f.buf = f.buf[:0]
	return err
}

// thawed reads a frozen object. One goroutine uses it.
type thawed struct {
	from  io.ReaderAt
	aead  cipher.AEAD
	size  int64 // of the plain text
	room  []byte
	chunk int64 // whose plain text is in plain
	plain []byte
}

func newThawed(from io.ReaderAt, aead cipher.AEAD, size int64) *thawed {
	return &thawed{from: from, aead: aead, size: size, room: make([]byte, frozenChunk+frozenSeal), chunk: -1}
}

// ReadAt fills b from off on, or fails.
func (t *thawed) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 || off+int64(len(b)) > t.size {
		return 0, fmt.Errorf("frozen object has %d bytes: %w", t.size, io.ErrUnexpectedEOF)
	}
	for n < len(b) {
		at := off + int64(n)
		if err := t.open(at / frozenChunk); err != nil {
			return n, err
		}
		n += copy(b[n:], t.plain[at%frozenChunk:])
	}
	return n, nil
}

func (t *thawed) open(chunk int64) error {
	if t.chunk == chunk {
		return nil
	}
	t.chunk = -1
	length := min(frozenChunk, t.size-chunk*frozenChunk) + frozenSeal
	if n, err := t.from.ReadAt(t.room[:length], chunk*(frozenChunk+frozenSeal)); int64(n) < length {
		return fmt.Errorf("frozen object is cut off: %w", err)
	}
	plain, err := t.aead.Open(t.room[:0], nonce(chunk), t.room[:length], nil)
	if err != nil {
		return fmt.Errorf("frozen object does not open: %w", err)
	}
	t.chunk, t.plain = chunk, plain
	return nil
}

// forget clears what was opened.
func (t *thawed) forget() {
	clear(t.room)
	t.chunk, t.plain = -1, nil
}
