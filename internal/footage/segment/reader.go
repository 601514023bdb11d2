package segment

import (
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Chunk is one chunk as the index tells it.
type Chunk struct {
	Tracks [][]Frame // by track
	offset int64
	head   head // end is unknown (0) when it comes from the closing index
}

// layOut moves the frames' data behind entries of that length and compares the sum with the
// chunk's length.
func (c *Chunk) layOut(entries int) error {
	end := uint64(entries)
	for _, frames := range c.Tracks {
		for k := range frames {
			frames[k].At += uint32(entries)
			end += uint64(frames[k].Size)
		}
	}
	if end+16 != uint64(c.head.sealed) {
		return fmt.Errorf("%w: entries of chunk %d do not fit its length", ErrFormat, c.head.number)
	}
	return nil
}

// Segment is an opened segment: every frame entry is known, and chunks are read as asked for.
type Segment struct {
	Header
	Body
	Chunks []Chunk
	Ticks  int64 // how much time it holds
	Whole  bool  // closed in order; otherwise a crash ended it, or it is still being written
	aead   cipher.AEAD
}

// Open reads the index of the segment that h heads, out of the first size bytes of r. The cipher
// must stay usable as long as the Segment is.
func Open(r io.ReaderAt, size int64, h *Parsed, aead cipher.AEAD) (*Segment, error) {
	body, err := h.Open(aead)
	if err != nil {
		return nil, err
	}
	s := &Segment{Header: h.Header, Body: *body, aead: aead}
	if s.fromTail(r, size, h.Size) == nil {
		return s, nil
	}
	return s, s.fromChunks(r, size, h.Size)
}

// fromTail reads the closing index that the trailer points at.
func (s *Segment) fromTail(r io.ReaderAt, size, front int64) error {
	var t [TrailerSize]byte
	if size < front+TrailerSize {
		return ErrTorn
	}
	if n, _ := r.ReadAt(t[:], size-TrailerSize); n < TrailerSize || binary.BigEndian.Uint32(t[4:]) != chunkMagic^0xffffffff {
		return ErrTorn
	}
	at := size - TrailerSize - int64(binary.BigEndian.Uint32(t[:]))
	if at < front {
		return ErrTorn
	}
	var b [chunkHead]byte
	if n, _ := r.ReadAt(b[:], at); n < chunkHead {
		return ErrTorn
	}
	h, err := parseHead(b[:])
	if err != nil || !h.index || at+chunkHead+int64(h.sealed) != size-TrailerSize {
		return ErrTorn
	}
	if err := s.take(r, at, h, front); err != nil {
		return err
	}
	last := s.Chunks[len(s.Chunks)-1]
	if last.offset+chunkHead+int64(last.head.sealed) != at {
		s.Chunks, s.Whole = nil, false
		return fmt.Errorf("%w: index does not follow its chunks", ErrTampered)
	}
	return nil
}

// take opens the index chunk at that place and makes it the segment's index.
func (s *Segment) take(r io.ReaderAt, at int64, h head, front int64) error {
	plain, err := readChunk(r, at, h, s.aead, &s.Header, new([]byte))
	if err != nil {
		return err
	}
	chunks, err := parseIndex(plain, len(s.Tracks), front)
	if err != nil {
		return err
	}
	if uint32(len(chunks))+1 != h.number || len(chunks) == 0 {
		return fmt.Errorf("%w: index of %d chunks is number %d", ErrTampered, len(chunks), h.number)
	}
	s.Chunks, s.Ticks, s.Whole = chunks, int64(h.end), true
	return nil
}

// fromChunks reads the entries at the front of each chunk, up to the first that does not open.
func (s *Segment) fromChunks(r io.ReaderAt, size, front int64) error {
	var buf []byte
	stop := errors.New("stop")
	_, err := walk(r, front, size, false, func(at int64, h head) error {
		if h.index { // the trailer is lost, the index is not: it says how long the last frame is
			if plain, err := readChunk(r, at, h, s.aead, &s.Header, &buf); err == nil && len(plain) > 0 {
				s.Ticks, s.Whole = int64(h.end), true
			}
			return nil
		}
		plain, err := readChunk(r, at, h, s.aead, &s.Header, &buf)
		if err != nil {
			return stop
		}
		p := &parser{b: plain}
		frames, _, err := parseEntries(p, len(s.Tracks), 0)
		if err != nil {
			return stop
		}
		c := Chunk{Tracks: frames, offset: at, head: h}
		if c.layOut(len(plain)-len(p.b)) != nil {
			return stop
		}
		s.Chunks, s.Ticks = append(s.Chunks, c), int64(h.end)
		return nil
	})
	if err != nil && !errors.Is(err, stop) {
		return err
	}
	return nil
}

// ReadChunk reads and opens chunk n and returns its plain text, in which the frames' At and Size
// are. It lies in *room, which is made larger when it is too small.
func (s *Segment) ReadChunk(r io.ReaderAt, n int, room *[]byte) ([]byte, error) {
	c := &s.Chunks[n]
	want := c.head
	if want.end == 0 { // from the closing index: the stored head tells its own end, and the seal confirms it
		var b [chunkHead]byte
		if m, err := r.ReadAt(b[:], c.offset); m < chunkHead {
			return nil, fmt.Errorf("%w: chunk %d (%v)", ErrTorn, want.number, err)
		}
		want.end = binary.BigEndian.Uint32(b[12:])
	}
	return readChunk(r, c.offset, want, s.aead, &s.Header, room)
}
