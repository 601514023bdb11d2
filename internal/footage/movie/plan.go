package movie

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"sort"

	"candor/internal/clock"
	"candor/internal/footage/segment"
	"candor/internal/media"
)

// ErrEmpty says that the range holds no frame.
var ErrEmpty = errors.New("no footage in the range")

// Span is one piece of media data: bytes of one chunk's plain text, or literal ones.
type Span struct {
	At      int64 // where it begins in the file
	Part    int   // which of the segments given to Make
	Chunk   int
	From    uint32
	Len     uint32
	Literal []byte // if not nil, these Len bytes and no others
}

// Part tells where one run of footage lies in the movie.
type Part struct {
	Start  clock.Millis // wall time of its first shown moment
	Offset int64        // milliseconds from the beginning of the movie
	Length int64        // milliseconds
}

// Layout is a movie that could be written.
type Layout struct {
	Head  []byte // ftyp, moov, mdat header
	Spans []Span
	Size  int64
	Start clock.Millis // wall time of the first shown picture
	End   clock.Millis
	Parts []Part
	ETag  string // quoted, strong
}

// Make lays out what the segments hold between two moments of wall time. The segments are in
// order of their start and belong to one camera and profile.
func Make(segs []*segment.Segment, from, to clock.Millis) (*Layout, error) {
	b := &builder{segs: segs}
	b.place()
	if !b.aim(from, to) {
		return nil, ErrEmpty
	}
	b.inband = b.changes(to)
	for i := range segs {
		b.collect(i)
	}
	if len(b.tracks) == 0 {
		return nil, ErrEmpty
	}
	return b.lay()
}

// builder gathers the samples. Its time line counts ticks from the first segment's media start,
// with time that was not recorded left out.
type builder struct {
	segs   []*segment.Segment
	base   []int64 // where each segment begins on the time line
	first  int     // segment the cut begins in
	lead   int64   // DTS of the frame decoding begins at
	from   int64   // first shown moment
	to     int64
	video  *track
	tracks []*track
	spans  []Span
	bytes  int64
	inband bool // parameter sets go before each key picture, since they change on the way
}

// track is one track of the movie.
type track struct {
	video   bool
	entries []*media.Track // sample entries
	rate    uint32         // its time scale
	dts     []int64
	cts     []int32
	size    []uint32
	keys    []uint32 // 1-based sample numbers
	runs    []run
	end     int64 // where the last sample ends
	closed  bool  // the frame after the last one has been seen
}

// run is what one span gives a track: an MP4 chunk.
type run struct {
	span    int
	samples uint32
	entry   uint32
}

const ticksPerMilli = media.TickRate / 1000

func (b *builder) place() {
	at := int64(0)
	for _, s := range b.segs {
		b.base = append(b.base, at)
		at += s.Ticks
	}
}

// aim turns wall time into the time line and finds the key picture to begin at.
func (b *builder) aim(from, to clock.Millis) bool {
	b.first = -1
	for i, s := range b.segs {
		if s.Ticks <= 0 || s.Start >= to || int64(from-s.Start)*ticksPerMilli >= s.Ticks {
			continue
		}
		if b.first < 0 {
			b.first = i
			b.from = b.base[i] + max(0, int64(from-s.Start)*ticksPerMilli)
		}
		b.to = b.base[i] + min(s.Ticks, int64(to-s.Start)*ticksPerMilli)
	}
	if b.first < 0 || b.to <= b.from {
		return false
	}
	b.lead = b.base[b.first]
	s := b.segs[b.first]
	for _, c := range s.Chunks {
		for k, frames := range c.Tracks {
			if !s.Tracks[k].Video() {
				continue
			}
			for _, f := range frames {
				if f.Key && b.base[b.first]+f.PTS() <= b.from {
					b.lead = b.base[b.first] + f.DTS
				}
			}
		}
	}
	return true
}

// changes reports whether pictures of more than one set of parameters are in the cut. Then they
// are told in the sample entries and, for players that look at the first entry only, in band.
func (b *builder) changes(to clock.Millis) bool {
	var first *media.Track
	for _, s := range b.segs[b.first:] {
		for _, t := range s.Tracks {
			switch {
			case !t.Video() || s.Start >= to:
			case first == nil:
				first = t
			case !samePicture(first, t):
				return true
			}
		}
	}
	return false
}

// collect takes the frames of segment i that belong to the cut.
func (b *builder) collect(i int) {
	s := b.segs[i]
	if i < b.first {
		return
	}
	for n, c := range s.Chunks {
		for k, frames := range c.Tracks {
			b.take(i, n, s.Tracks[k], frames)
		}
	}
}

// slack is how much earlier than the first picture sound may begin.
const slack = media.TickRate / 10

func (b *builder) take(i, n int, src *media.Track, frames []segment.Frame) {
	lo := b.lead
	if !src.Video() {
		lo -= slack
	}
	base := b.base[i]
	skip := 0
	for skip < len(frames) && base+frames[skip].DTS < lo {
		skip++
	}
	frames = frames[skip:]
	if len(frames) == 0 || (src.Video() && b.video == nil && !frames[0].Key) {
		return
	}
	t, entry := b.track(src, base+frames[0].DTS < b.to)
	if t == nil || t.closed {
		return
	}
	count := 0
	for _, f := range frames {
		dts := base + f.DTS
		if dts >= b.to {
			t.end, t.closed = dts, true
			break
		}
		if last := len(t.dts) - 1; last >= 0 && dts <= t.dts[last] {
			if !src.Video() && count == 0 && base+f.DTS <= t.dts[last] {
				frames = frames[1:] // sound that overlaps what was before a gap
				continue
			}
			dts = t.dts[last] + 1
		}
		t.dts = append(t.dts, dts)
		t.cts = append(t.cts, int32(base+f.PTS()-dts))
		t.size = append(t.size, f.Size+uint32(len(b.before(src, f))))
		if f.Key {
			t.keys = append(t.keys, uint32(len(t.dts)))
		}
		t.end = dts + segment.Nominal(src)
		count++
	}
	if count == 0 {
		return
	}
	t.runs = append(t.runs, run{span: len(b.spans), samples: uint32(count), entry: entry})
	b.lie(i, n, src, frames[:count])
}

// lie puts frames that follow each other into the file.
func (b *builder) lie(i, n int, src *media.Track, frames []segment.Frame) {
	put := func(s Span) {
		s.At = b.bytes
		b.spans = append(b.spans, s)
		b.bytes += int64(s.Len)
	}
	for len(frames) > 0 {
		if lead := b.before(src, frames[0]); lead != nil {
			put(Span{Literal: lead, Len: uint32(len(lead))})
		}
		k := 1
		for k < len(frames) && b.before(src, frames[k]) == nil {
			k++
		}
		from, last := frames[0].At, frames[k-1]
		put(Span{Part: i, Chunk: n, From: from, Len: last.At + last.Size - from})
		frames = frames[k:]
	}
}

// before is what goes in front of a frame: the parameter sets where they must be in band.
func (b *builder) before(src *media.Track, f segment.Frame) []byte {
	if !b.inband || !f.Key || !src.Video() {
		return nil
	}
	var out []byte
	for _, nal := range [][]byte{src.SPS, src.PPS} {
		out = binary.BigEndian.AppendUint32(out, uint32(len(nal)))
		out = append(out, nal...)
	}
	return out
}

// track finds the movie's track and sample entry for frames of src. It makes one if that is asked for.
func (b *builder) track(src *media.Track, make bool) (*track, uint32) {
	for _, t := range b.tracks {
		if t.video != src.Video() || (!t.video && !sameSound(t.entries[0], src)) {
			continue
		}
		for e, have := range t.entries {
			if !t.video || samePicture(have, src) {
				return t, uint32(e + 1)
			}
		}
		if make {
			t.entries = append(t.entries, src)
		}
		return t, uint32(len(t.entries))
	}
	if !make {
		return nil, 0
	}
	t := &track{video: src.Video(), entries: []*media.Track{src}, rate: media.TickRate}
	if !t.video && src.SampleRate > 0 {
		t.rate = uint32(src.SampleRate)
	}
	if src.Codec == media.Opus {
		t.rate = 48000
	}
	if t.video {
		b.video = t
	}
	b.tracks = append(b.tracks, t)
	return t, 1
}

func samePicture(a, b *media.Track) bool {
	return bytes.Equal(a.SPS, b.SPS) && bytes.Equal(a.PPS, b.PPS)
}

func sameSound(a, b *media.Track) bool {
	return a.Codec == b.Codec && a.SampleRate == b.SampleRate && a.Channels == b.Channels && bytes.Equal(a.Config, b.Config)
}

// lay computes the file.
func (b *builder) lay() (*Layout, error) {
	sort.SliceStable(b.tracks, func(i, k int) bool { return b.tracks[i].video && !b.tracks[k].video })
	shown := b.show()
	l := &Layout{Spans: b.spans, Start: b.wall(shown.start), End: b.wall(shown.end), Parts: b.parts(shown)}
	file := file{b: b, shown: shown, created: l.Start, wide: b.bytes > 1<<32-1<<28}
	front := int64(len(file.head(0)))
	l.Head = file.head(front)
	for i := range l.Spans {
		l.Spans[i].At += front
	}
	l.Size = front + b.bytes
	sum := sha256.New()
	sum.Write(l.Head)
	for _, s := range l.Spans {
		id := b.segs[s.Part].Header.Segment
		sum.Write(id[:])
		sum.Write(s.Literal)
		sum.Write([]byte{byte(s.Chunk >> 8), byte(s.Chunk), byte(s.From >> 24), byte(s.From >> 16), byte(s.From >> 8), byte(s.From)})
	}
	l.ETag = `"` + hex.EncodeToString(sum.Sum(nil)[:16]) + `"`
	return l, nil
}

// window is what of the time line is shown.
type window struct{ start, end int64 }

// show finds the first and the last shown moment among the frames there are.
func (b *builder) show() window {
	t := b.tracks[0]
	if b.video != nil {
		t = b.video
	}
	low, high := t.dts[0]+int64(t.cts[0]), int64(0)
	for i, d := range t.dts {
		low = min(low, d+int64(t.cts[i]))
		high = max(high, d+int64(t.cts[i]))
	}
	last := t.end - t.dts[len(t.dts)-1]
	w := window{start: max(b.from, low), end: min(b.to, high+max(last, 1))}
	if w.end <= w.start {
		w.end = w.start + max(last, 1)
	}
	return w
}

// wall is the wall time of a moment on the time line.
func (b *builder) wall(at int64) clock.Millis {
	i := sort.Search(len(b.base), func(i int) bool { return b.base[i] > at }) - 1
	i = max(i, 0)
	return b.segs[i].Start + clock.Millis((at-b.base[i])/ticksPerMilli)
}

// parts merges segments that follow each other in wall time, too.
func (b *builder) parts(w window) []Part {
	var out []Part
	for i := b.first; i < len(b.segs); i++ {
		lo, hi := max(w.start, b.base[i]), min(w.end, b.base[i]+b.segs[i].Ticks)
		if lo >= hi {
			continue
		}
		p := Part{Start: b.wall(lo), Offset: (lo - w.start) / ticksPerMilli, Length: (hi - lo) / ticksPerMilli}
		if n := len(out) - 1; n >= 0 {
			skew := int64(p.Start) - int64(out[n].Start) - (p.Offset - out[n].Offset)
			if skew > -500 && skew < 500 {
				out[n].Length = p.Offset + p.Length - out[n].Offset
				continue
			}
		}
		out = append(out, p)
	}
	return out
}
