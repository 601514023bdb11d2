package footage

import (
	"context"
	"errors"
	"io"
	"sort"
	"sync"
	"time"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/footage/movie"
	"candor/internal/footage/segment"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Movie is a stretch of footage as one MP4 file that exists nowhere: it is put together as it is
// read. It reads as long as its lease lasts. Close lets go of its keys.
type Movie struct {
	room   *Room
	ctx    context.Context
	lease  *permit.Lease
	layout *movie.Layout
	segs   []*readable

	mu     sync.Mutex
	pos    int64
	object blob.Object // of segment part
	part   int
	chunk  int // whose plain text is in plain
	plain  []byte
	room0  []byte
	closed bool
}

var (
	_ io.ReadSeekCloser = (*Movie)(nil)
	_ io.ReaderAt       = (*Movie)(nil)
)

// Movie lays out what was recorded between two moments. The key of each segment in it is opened
// once, and zeroed when the lease ends or the movie is closed.
func (r *Room) Movie(ctx context.Context, lease *permit.Lease, c Camera, profile media.Profile, from, to clock.Millis) (*Movie, error) {
	if from >= to || to-from > maxMovie {
		return nil, problem.Invalid("footage.range")
	}
	p := lease.Permit()
	if err := r.permitted(p, c); err != nil {
		return nil, err
	}
	window := lease.Grant()
	from, to, within := window.Window(from, to)
	if !within {
		return nil, none()
	}
	rows, err := r.rows(ctx, c, profile, from, to)
	if err != nil {
		return nil, err
	}
	m := &Movie{room: r, ctx: ctx, lease: lease, part: -1, chunk: -1}
	var segs []*segment.Segment
	for _, row := range rows {
		s, err := r.openSegment(ctx, p, c, row)
		if err != nil {
			return nil, errors.Join(err, m.Close())
		}
		if s != nil {
			m.segs = append(m.segs, s)
			segs = append(segs, s.Segment)
		}
	}
	if window.From != 0 { // nor may decoding begin before the window
		from = min(max(from, firstKey(segs, window.From)), to)
	}
	m.layout, err = movie.Make(segs, from, to)
	if err != nil {
		err = errors.Join(err, m.Close())
		if errors.Is(err, movie.ErrEmpty) {
			return nil, none()
		}
		return nil, err
	}
	for _, s := range segs { // the layout has what it needs of them
		for i := range s.Chunks {
			s.Chunks[i].Tracks = nil
		}
	}
	lease.OnEnd(m.zero)
	return m, nil
}

// Size is the length of the file in bytes, known before any of it is read.
func (m *Movie) Size() int64 { return m.layout.Size }

// ETag is strong and quoted: the same footage gives the same bytes.
func (m *Movie) ETag() string { return m.layout.ETag }

// ContentType is what the file is.
func (m *Movie) ContentType() string { return "video/mp4" }

// Start is the wall time of the first shown picture, End that of the end.
func (m *Movie) Start() clock.Millis { return m.layout.Start }

// End is the wall time at which the movie ends.
func (m *Movie) End() clock.Millis { return m.layout.End }

// Parts tells where stretches without a gap lie in the movie.
func (m *Movie) Parts() []movie.Part { return m.layout.Parts }

// Read reads on from where Seek or the last Read left off.
func (m *Movie) Read(b []byte) (int, error) {
	n, err := m.ReadAt(b, m.pos)
	m.pos += int64(n)
	if n > 0 && errors.Is(err, io.EOF) {
		err = nil
	}
	return n, err
}

// Seek moves where Read reads.
func (m *Movie) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += m.pos
	case io.SeekEnd:
		offset += m.layout.Size
	}
	if offset < 0 {
		return 0, errors.New("seek before the beginning")
	}
	m.pos = offset
	return offset, nil
}

// ReadAt opens only the chunks that the range touches.
func (m *Movie) ReadAt(b []byte, off int64) (n int, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	l := m.layout
	for n < len(b) && off < l.Size {
		if err := m.wait(); err != nil {
			return n, err
		}
		if off < int64(len(l.Head)) {
			k := copy(b[n:], l.Head[off:])
			n, off = n+k, off+int64(k)
			continue
		}
		i := sort.Search(len(l.Spans), func(i int) bool { return l.Spans[i].At > off }) - 1
		span := &l.Spans[i]
		plain, err := m.read(span)
		if err != nil {
			return n, err
		}
		k := copy(b[n:], plain[off-span.At:])
		n, off = n+k, off+int64(k)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// wait returns nil when the lease lets data through, and waits while it is paused.
func (m *Movie) wait() error {
	for {
		switch m.lease.State() {
		case permit.Open:
			if m.closed {
				return permit.ErrEnded
			}
			return nil
		case permit.Ended:
			return permit.ErrEnded
		}
		if err := m.ctx.Err(); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// read is the plain text of a span.
func (m *Movie) read(span *movie.Span) ([]byte, error) {
	if span.Literal != nil {
		return span.Literal, nil
	}
	if m.part != span.Part || m.chunk != span.Chunk {
		s := m.segs[span.Part]
		if m.part != span.Part {
			m.release()
			o, err := m.room.Store.Open(s.name)
			if err != nil {
				return nil, problem.Gone("footage.gone").Because(err)
			}
			m.object, m.part = o, span.Part
		}
		m.chunk = -1
		plain, err := s.ReadChunk(m.object, span.Chunk, &m.room0)
		if err != nil {
			return nil, err
		}
		m.plain, m.chunk = plain, span.Chunk
	}
	if uint64(span.From)+uint64(span.Len) > uint64(len(m.plain)) {
		return nil, segment.ErrTampered
	}
	return m.plain[span.From : span.From+span.Len], nil
}

func (m *Movie) release() {
	if m.object != nil {
		_ = m.object.Close() // read only: nothing to lose
	}
	m.object, m.part, m.chunk, m.plain = nil, -1, -1, nil
}

// zero lets go of the keys; it is called when the lease ends, while somebody may be reading.
func (m *Movie) zero() {
	for _, s := range m.segs {
		s.key.Zero()
	}
}

// Close lets go of keys, plain text and files.
func (m *Movie) Close() error {
	m.zero()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	m.release()
	clear(m.room0)
	m.room0 = nil
	return nil
}
