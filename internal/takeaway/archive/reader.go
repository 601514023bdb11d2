package archive

import (
	"errors"
	"io"
)

// Content gives the bytes of an entry: it fills b from off on, which lies within the entry, or fails.
type Content func(entry int, b []byte, off int64) error

// Reader reads an archive. One goroutine uses it.
type Reader struct {
	layout  *Layout
	content Content
	pos     int64
	err     error
}

var (
	_ io.ReadSeeker = (*Reader)(nil)
	_ io.ReaderAt   = (*Reader)(nil)
)

// Reader makes a reader whose entries have the content.
func (l *Layout) Reader(c Content) *Reader { return &Reader{layout: l, content: c} }

// Err is the first failure of a content, nil while all is well: what was read before it is no whole.
func (r *Reader) Err() error { return r.err }

// ReadAt reads from anywhere.
func (r *Reader) ReadAt(b []byte, off int64) (n int, err error) {
	if off < 0 {
		return 0, errors.New("archive: read before the beginning")
	}
	for n < len(b) && off < r.layout.Size {
		p := &r.layout.parts[r.layout.find(off)]
		k := int(min(int64(len(b)-n), p.at+p.size-off))
		if p.literal != nil {
			copy(b[n:n+k], p.literal[off-p.at:])
		} else if err := r.content(p.entry, b[n:n+k], off-p.at); err != nil {
			if r.err == nil {
				r.err = err
			}
			return n, err
		}
		n, off = n+k, off+int64(k)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// Read reads on from where Seek or the last Read left off.
func (r *Reader) Read(b []byte) (int, error) {
	n, err := r.ReadAt(b, r.pos)
	r.pos += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Seek moves where Read reads.
func (r *Reader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += r.pos
	case io.SeekEnd:
		offset += r.layout.Size
	}
	if offset < 0 {
		return 0, errors.New("archive: seek before the beginning")
	}
	r.pos = offset
	return offset, nil
}
