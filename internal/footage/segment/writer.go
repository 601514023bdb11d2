package segment

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"candor/internal/media"
	"candor/internal/promise"
)

// When a chunk is closed, whichever comes first. It never waits for a group of pictures.
const (
	ChunkTicks = media.TickRate
	ChunkBytes = 256 << 10
)

// MaxTicks is how long a segment is at most when the camera sends key pictures.
const MaxTicks = 60 * media.TickRate

// Writer writes one segment. It buffers what belongs to the open chunk and writes each chunk in
// one call. After an error of the underlying writer the segment is over: Size tells up to where
// it is whole, and nothing is ever written into it again.
type Writer struct {
	out   io.Writer
	hd    Header
	body  Body
	aead  cipher.AEAD
	front []byte // the header, until it went out with the first chunk

	pending [][]*media.Unit // of the open chunk, by track
	bytes   int
	first   int64 // DTS of the open chunk's first unit, ticks from the media start
	lead    int64 // newest DTS on track 0
	step    int64 // newest frame duration on track 0

	number uint32
	size   int64
	end    int64    // ticks, as the last written chunk says
	index  []byte   // entries of the chunks written
	sealed []uint32 // their lengths
	buf    []byte
	frames [][]Frame
	err    error
}

// NewWriter begins a segment. Nothing is written until the first chunk is. The first track leads:
// the segment lasts as long as its frames do.
func NewWriter(out io.Writer, h Header, b Body, aead cipher.AEAD) (*Writer, error) {
	if len(b.Tracks) == 0 || len(b.Tracks) > maxTracks {
		return nil, fmt.Errorf("segment of %d tracks", len(b.Tracks))
	}
	front, err := h.marshal(&b, aead)
	if err != nil {
		return nil, err
	}
	return &Writer{
		out: out, hd: h, body: b, aead: aead, front: front,
		pending: make([][]*media.Unit, len(b.Tracks)),
		frames:  make([][]Frame, len(b.Tracks)),
		step:    nominal(b.Tracks[0]),
	}, nil
}

// Track is the place of t in this segment, or -1.
func (w *Writer) Track(t *media.Track) int {
	for i, have := range w.body.Tracks {
		if have == t {
			return i
		}
	}
	return -1
}

// Body is the sealed part of the header.
func (w *Writer) Body() Body { return w.body }

// Due reports whether the open chunk is to be closed before u is added.
func (w *Writer) Due(u *media.Unit) bool {
	return w.bytes > 0 && (w.bytes+len(u.Data) > ChunkBytes || u.DTS-w.body.MediaStart-w.first >= ChunkTicks)
}

// Add puts a unit into the open chunk. It keeps u until the next Flush.
//
// promise:P064
func (w *Writer) Add(track int, u *media.Unit) error {
	rel := u.DTS - w.body.MediaStart
	if len(u.Data) > maxFrame || rel > maxTick/2 || rel < -maxTick/2 || len(w.pending[track]) >= maxFrames {
		return fmt.Errorf("%w: a unit of %d bytes at %d ticks does not fit", ErrFormat, len(u.Data), rel)
	}
	if w.bytes == 0 {
		w.first = rel
	}
	if track == 0 {
		if d := rel - w.lead; d > 0 {
			w.step = d
		}
		w.lead = rel
	}
	if !promise.Cut("P064") || u.Key {
		w.pending[track] = append(w.pending[track], u)
	}
	w.bytes += len(u.Data) + 1 // a unit without data still counts
	return nil
}

// Buffered is how many bytes wait for the next Flush.
func (w *Writer) Buffered() int { return w.bytes }

// Size is the length of the segment up to its last written chunk.
func (w *Writer) Size() int64 { return w.size }

// Ticks is how much time the written chunks hold.
func (w *Writer) Ticks() int64 { return w.end }

// Flush closes the open chunk and writes it, in one call. Without anything to write it does nothing.
func (w *Writer) Flush() error { return w.flush(w.lead + w.step) }

func (w *Writer) flush(end int64) error {
	if w.err != nil || w.bytes == 0 {
		return w.err
	}
	end = min(max(w.end, end), maxTick)
	b := append(w.buf[:0], w.front...)
	start := len(b)
	b = append(b, make([]byte, chunkHead)...)
	for i, units := range w.pending {
		w.frames[i] = w.frames[i][:0]
		for _, u := range units {
			w.frames[i] = append(w.frames[i], Frame{DTS: u.DTS - w.body.MediaStart, CTS: int32(u.PTS - u.DTS), Size: uint32(len(u.Data)), Key: u.Key})
		}
	}
	entries := len(b)
	b = appendEntries(b, w.frames)
	w.index = append(w.index, b[entries:]...)
	for i, units := range w.pending {
		for k, u := range units {
			b = append(b, u.Data...)
			units[k] = nil
		}
		w.pending[i] = units[:0]
	}
	w.bytes = 0
	w.number++
	sealed, err := w.write(b, start, head{number: w.number, end: uint32(end)})
	if err != nil {
		return err
	}
	w.sealed, w.end = append(w.sealed, sealed), end
	return nil
}

// write seals the chunk that begins at start in b and writes all of b.
func (w *Writer) write(b []byte, start int, h head) (sealed uint32, err error) {
	if cap(b)-len(b) < w.aead.Overhead() {
		b = append(b, make([]byte, w.aead.Overhead())...)[:len(b)]
	}
	chunk := sealChunk(w.aead, &w.hd, h, b[start:])
	b = b[:start+len(chunk)]
	w.buf = b
	if n, err := w.out.Write(b); err != nil || n < len(b) {
		if err == nil {
			err = io.ErrShortWrite
		}
		w.err = fmt.Errorf("write chunk %d: %w", h.number, err)
		return 0, w.err
	}
	w.front = nil
	w.size += int64(len(b))
	return uint32(len(chunk) - chunkHead), nil
}

var errEmpty = errors.New("segment has no chunk")

// Close writes what is buffered and the index. end is the stream's tick at which the next segment of
// the run begins, or 0 when that is not known. A segment that got no chunk cannot be closed.
func (w *Writer) Close(end int64) error {
	if end == 0 {
		end = w.lead + w.step
	} else {
		end -= w.body.MediaStart
	}
	if err := w.flush(end); err != nil {
		return err
	}
	if w.number == 0 {
		return errEmpty
	}
	if end <= 0 || end >= maxTick {
		end = w.end
	}
	end = max(end, w.lead)
	b := append(w.buf[:0], make([]byte, chunkHead)...)
	b = appendIndex(b, w.sealed, w.index)
	plain := len(b) - chunkHead
	// The trailer lies behind the index chunk; both go out together.
	sealed := plain + w.aead.Overhead()
	if sealed > maxSealed {
		return fmt.Errorf("index of %d bytes", sealed)
	}
	w.out = &trailing{w: w.out, tail: trailer(uint32(sealed))}
	w.number++
	_, err := w.write(b, 0, head{number: w.number, end: uint32(end), index: true})
	if err == nil {
		w.end = end
		w.size += TrailerSize
		w.err = errClosed
	}
	return err
}

var errClosed = errors.New("segment is closed")

// trailing appends tail to the one write it passes on.
type trailing struct {
	w    io.Writer
	tail []byte
}

func (t *trailing) Write(b []byte) (int, error) {
	n, err := t.w.Write(append(b, t.tail...))
	return min(n, len(b)), err
}

// TrailerSize is what lies behind the last chunk of a closed segment.
const TrailerSize = 8

// trailer is the last 8 bytes of a closed segment. It only says where the index is, so that one
// read of the tail finds it; nothing depends on it.
func trailer(sealed uint32) []byte {
	b := binary.BigEndian.AppendUint32(nil, sealed+chunkHead)
	return binary.BigEndian.AppendUint32(b, chunkMagic^0xffffffff)
}
