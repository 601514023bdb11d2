package segment_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"errors"
	"reflect"
	"testing"

	"candor/internal/footage/footagetest"
	"candor/internal/footage/segment"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/promise"
)

const start = 1_700_000_000_000

func aead(t testing.TB, fill byte) cipher.AEAD {
	t.Helper()
	block, err := aes.NewCipher(bytes.Repeat([]byte{fill}, 32))
	if err != nil {
		t.Fatal(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func header() segment.Header {
	return segment.Header{
		Segment: id.Make[id.Segment](), Tenant: id.DefaultTenant, Subject: id.Make[id.Subject](), Binding: id.Make[id.Binding](),
		Device: id.Make[id.Device](), Profile: media.Sub, Start: start, Key: id.Make[id.Key](),
		Wrapped: []byte("wrapped key"), Salt: segment.NewSalt(),
	}
}

// recorder keeps what is written and counts the calls.
type recorder struct {
	bytes.Buffer
	writes int
}

func (r *recorder) Write(b []byte) (int, error) { r.writes++; return r.Buffer.Write(b) }

// write makes a segment of units and returns it with what each chunk's units were.
func write(t testing.TB, out *recorder, h segment.Header, a cipher.AEAD, tracks []*media.Track, units []*media.Unit, whole bool) [][]*media.Unit {
	t.Helper()
	w, err := segment.NewWriter(out, h, segment.Body{MediaStart: units[0].DTS, Tracks: tracks}, a)
	if err != nil {
		t.Fatal(err)
	}
	var chunks [][]*media.Unit
	var open []*media.Unit
	flush := func() {
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if len(open) > 0 {
			chunks, open = append(chunks, open), nil
		}
	}
	for _, u := range units {
		if w.Due(u) {
			flush()
		}
		if err := w.Add(w.Track(u.Track), u); err != nil {
			t.Fatal(err)
		}
		open = append(open, u)
	}
	flush()
	if whole {
		if err := w.Close(0); err != nil {
			t.Fatal(err)
		}
	}
	if w.Size() != int64(out.Len()) {
		t.Fatalf("writer says %d bytes, wrote %d", w.Size(), out.Len())
	}
	return chunks
}

// small is a few seconds of tiny units, so that every byte of a segment can be tried.
func small() ([]*media.Track, []*media.Unit) {
	video := &media.Track{Codec: media.H264, Profile: "avc1.4d001f", SPS: []byte{0x67, 1, 2, 3}, PPS: []byte{0x68, 1}, Width: 768, Height: 432, FPS: 10, Reorder: true}
	audio := &media.Track{ID: 1, Codec: media.PCMU, Profile: "ulaw", SampleRate: 8000, Channels: 1}
	var units []*media.Unit
	for i := range int64(32) {
		at := 5_000_000 + i*9000
		units = append(units,
			&media.Unit{Track: video, DTS: at, PTS: at + 9000*(i%3), Key: i%10 == 0, Data: bytes.Repeat([]byte{byte(i)}, int(5+i%7))},
			&media.Unit{Track: audio, DTS: at - 100, PTS: at - 100, Key: true, Data: bytes.Repeat([]byte{^byte(i)}, 9)})
	}
	return []*media.Track{video, audio}, units
}

// open reads a segment from bytes.
func open(b []byte, a cipher.AEAD) (*segment.Segment, error) {
	r := bytes.NewReader(b)
	h, err := segment.ReadHeader(r)
	if err != nil {
		return nil, err
	}
	return segment.Open(r, int64(len(b)), h, a)
}

// same fails unless chunk n reads as exactly those units.
func same(t *testing.T, s *segment.Segment, n int, plain []byte, want []*media.Unit) {
	t.Helper()
	for k, frames := range s.Chunks[n].Tracks {
		var units []*media.Unit
		for _, u := range want {
			if int(u.Track.ID) == k {
				units = append(units, u)
			}
		}
		if len(frames) != len(units) {
			t.Fatalf("chunk %d track %d has %d frames, want %d", n, k, len(frames), len(units))
		}
		for i, f := range frames {
			u := units[i]
			if f.DTS+s.MediaStart != u.DTS || f.PTS()+s.MediaStart != u.PTS || f.Key != u.Key || !bytes.Equal(plain[f.At:f.At+f.Size], u.Data) {
				t.Fatalf("chunk %d track %d frame %d came back as another: %+v", n, k, i, f)
			}
		}
	}
}

func TestSegmentReadsAsItWasWritten(t *testing.T) {
	promise.Proves(t, "P064")
	clip := footagetest.Open(t, "people.mp4")
	units := clip.Play(777, start, 20*media.TickRate)
	for _, whole := range []bool{true, false} {
		var out recorder
		h := header()
		chunks := write(t, &out, h, aead(t, 1), clip.Description.Tracks, units, whole)
		s, err := open(out.Bytes(), aead(t, 1))
		if err != nil || s.Whole != whole || len(s.Chunks) != len(chunks) || !reflect.DeepEqual(s.Header, h) {
			t.Fatalf("whole=%v: opened %d chunks of %d, whole %v, header %+v: %v", whole, len(s.Chunks), len(chunks), s.Whole, s.Header, err)
		}
		if !reflect.DeepEqual(s.Tracks, clip.Description.Tracks) {
			t.Fatalf("tracks came back as %+v", s.Tracks)
		}
		if s.Ticks < 20*media.TickRate-9000 || s.Ticks > 20*media.TickRate+9000 {
			t.Fatalf("20 s of clip last %d ticks", s.Ticks)
		}
		var room []byte
		for n := range s.Chunks {
			plain, err := s.ReadChunk(bytes.NewReader(out.Bytes()), n, &room)
			if err != nil {
				t.Fatal(err)
			}
			same(t, s, n, plain, chunks[n])
		}
		for n, c := range chunks {
			span := c[len(c)-1].DTS - c[0].DTS
			if span > segment.ChunkTicks {
				t.Errorf("chunk %d holds %d ticks: a crash would lose more than a second", n, span)
			}
		}
		want := len(chunks)
		if whole {
			want++
		}
		if out.writes != want {
			t.Errorf("%d chunks took %d writes, want one each", want, out.writes)
		}
	}
}

func TestNothingIsReadableWithoutTheKey(t *testing.T) {
	tracks, units := small()
	units[0].Data = []byte("a marker that must not be on the disk")
	var out recorder
	write(t, &out, header(), aead(t, 1), tracks, units, true)
	for _, marker := range [][]byte{units[0].Data, tracks[0].SPS, []byte("avc1.4d001f"), []byte("h264")} {
		if bytes.Contains(out.Bytes(), marker) {
			t.Errorf("%q is in the segment in clear", marker)
		}
	}
	if _, err := open(out.Bytes(), aead(t, 2)); !errors.Is(err, segment.ErrTampered) {
		t.Fatalf("another key opens it: %v", err)
	}
}

// intact reads whatever can be read of b and fails if anything of it is not what was written.
// It returns how many chunks were read.
func intact(t *testing.T, b []byte, a cipher.AEAD, chunks [][]*media.Unit) int {
	t.Helper()
	s, err := open(b, a)
	if err != nil {
		return 0
	}
	if len(s.Chunks) > len(chunks) {
		t.Fatalf("%d chunks appear where %d were written", len(s.Chunks), len(chunks))
	}
	read := 0
	var room []byte
	for n := range s.Chunks {
		plain, err := s.ReadChunk(bytes.NewReader(b), n, &room)
		if err != nil {
			continue
		}
		same(t, s, n, plain, chunks[n])
		read++
	}
	return read
}

func TestNoFlippedByteGivesAnythingFalse(t *testing.T) {
	tracks, units := small()
	a := aead(t, 1)
	for _, whole := range []bool{true, false} {
		var out recorder
		chunks := write(t, &out, header(), a, tracks, units, whole)
		good := out.Bytes()
		if n := intact(t, good, a, chunks); n != len(chunks) {
			t.Fatalf("untouched: %d of %d chunks read", n, len(chunks))
		}
		for i := range good {
			bad := bytes.Clone(good)
			bad[i] ^= 1 << (i % 8)
			intact(t, bad, a, chunks)
		}
	}
}

func TestCutAnywhereReadsEverythingBefore(t *testing.T) {
	tracks, units := small()
	a := aead(t, 1)
	var out recorder
	chunks := write(t, &out, header(), a, tracks, units, true)
	good := out.Bytes()
	found, err := segment.Survey(bytes.NewReader(good), int64(len(good)))
	if err != nil || !found.Whole || found.Chunks != len(chunks) {
		t.Fatalf("survey of a whole segment: %+v, %v", found, err)
	}
	var last segment.Found
	for n := range good {
		cut := good[:n]
		found, err := segment.Survey(bytes.NewReader(cut), int64(n))
		if err != nil {
			continue // not even a header
		}
		if found.Chunks < last.Chunks || found.Chunks > last.Chunks+1 || found.Size > int64(n) {
			t.Fatalf("cut at %d: %+v after %+v", n, found, last)
		}
		last = found
		if read := intact(t, cut, a, chunks); read != found.Chunks {
			t.Fatalf("cut at %d: %d chunks are whole, %d read", n, found.Chunks, read)
		}
		if read := intact(t, cut[:found.Size], a, chunks); read != found.Chunks {
			t.Fatalf("repaired at %d: %d chunks are whole, %d read", n, found.Chunks, read)
		}
	}
	if last.Chunks != len(chunks) {
		t.Fatalf("cut at the end: %d of %d chunks", last.Chunks, len(chunks))
	}
}

func TestChunksAndSegmentsCannotBeSwapped(t *testing.T) {
	tracks, units := small()
	a := aead(t, 1)
	var one, other recorder
	h := header()
	chunks := write(t, &one, h, a, tracks, units, false)
	h2 := header()
	h2.Salt = h.Salt // even under the same key and nonces
	write(t, &other, h2, a, tracks, units, false)
	first, _ := segment.ReadHeader(bytes.NewReader(one.Bytes()))
	second, _ := segment.ReadHeader(bytes.NewReader(other.Bytes()))
	if first.Size != second.Size || one.Len() != other.Len() {
		t.Fatal("the two segments were to be of one shape")
	}
	mixed := append(bytes.Clone(one.Bytes()[:first.Size]), other.Bytes()[second.Size:]...)
	if n := intact(t, mixed, a, chunks); n != 0 {
		t.Fatalf("%d chunks of another segment were read", n)
	}
	var ends []int
	for n := range one.Len() + 1 {
		f, err := segment.Survey(bytes.NewReader(one.Bytes()[:n]), int64(n))
		if err == nil && f.Chunks > len(ends) {
			ends = append(ends, n)
		}
	}
	b := one.Bytes()
	swapped := bytes.Join([][]byte{b[:ends[0]], b[ends[1]:ends[2]], b[ends[0]:ends[1]], b[ends[2]:]}, nil)
	if n := intact(t, swapped, a, chunks); n > 1 {
		t.Fatalf("%d chunks of a segment with swapped chunks were read, want the first only", n)
	}
	dropped := bytes.Join([][]byte{b[:ends[0]], b[ends[1]:]}, nil)
	if n := intact(t, dropped, a, chunks); n > 1 {
		t.Fatalf("%d chunks of a segment with a chunk taken out were read", n)
	}
}

func TestWriteErrorEndsTheSegment(t *testing.T) {
	tracks, units := small()
	full := errors.New("full")
	w, err := segment.NewWriter(failing{full}, header(), segment.Body{MediaStart: units[0].DTS, Tracks: tracks}, aead(t, 1))
	if err != nil {
		t.Fatal(err)
	}
	_ = w.Add(0, units[0])
	if err := w.Flush(); !errors.Is(err, full) || w.Size() != 0 {
		t.Fatalf("flush: %v, size %d", err, w.Size())
	}
	_ = w.Add(0, units[2])
	if err := w.Flush(); !errors.Is(err, full) {
		t.Fatalf("second flush: %v: a counter must not be used twice", err)
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }
