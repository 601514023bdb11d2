package movie_test

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"candor/internal/clock"
	"candor/internal/footage/footagetest"
	"candor/internal/footage/movie"
	"candor/internal/footage/segment"
	"candor/internal/id"
	"candor/internal/media"
)

const start = clock.Millis(1_700_000_000_000)

func aead(t testing.TB) cipher.AEAD {
	block, err := aes.NewCipher(make([]byte, 32))
	if err != nil {
		t.Fatal(err)
	}
	a, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// store is segments in memory.
type store struct {
	t     testing.TB
	bytes [][]byte
	segs  []*segment.Segment
}

// add seals units as segments of about the given length and opens them again.
func (st *store) add(units []*media.Unit, tracks []*media.Track, ticks int64) {
	t := st.t
	for len(units) > 0 {
		n := 1
		for n < len(units) && !(units[n].Key && units[n].Track.Video() && units[n].DTS-units[0].DTS >= ticks) {
			n++
		}
		var out bytes.Buffer
		h := segment.Header{Segment: id.Make[id.Segment](), Profile: media.Main, Start: units[0].Wall}
		w, err := segment.NewWriter(&out, h, segment.Body{MediaStart: units[0].DTS, Tracks: tracks}, aead(t))
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range units[:n] {
			if w.Due(u) {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			if err := w.Add(w.Track(u.Track), u); err != nil {
				t.Fatal(err)
			}
		}
		end := int64(0)
		if n < len(units) {
			end = units[n].DTS
		}
		if err := w.Close(end); err != nil {
			t.Fatal(err)
		}
		r := bytes.NewReader(out.Bytes())
		p, err := segment.ReadHeader(r)
		if err != nil {
			t.Fatal(err)
		}
		s, err := segment.Open(r, int64(out.Len()), p, aead(t))
		if err != nil {
			t.Fatal(err)
		}
		st.bytes = append(st.bytes, out.Bytes())
		st.segs = append(st.segs, s)
		units = units[n:]
	}
}

// file writes the movie of a range to a file.
func (st *store) file(from, to clock.Millis) (string, *movie.Layout) {
	st.t.Helper()
	l, err := movie.Make(st.segs, from, to)
	if err != nil {
		st.t.Fatal(err)
	}
	out := bytes.NewBuffer(bytes.Clone(l.Head))
	var room []byte
	for _, s := range l.Spans {
		if s.At != int64(out.Len()) {
			st.t.Fatalf("span at %d, file is at %d", s.At, out.Len())
		}
		if s.Literal != nil {
			out.Write(s.Literal)
			continue
		}
		plain, err := st.segs[s.Part].ReadChunk(bytes.NewReader(st.bytes[s.Part]), s.Chunk, &room)
		if err != nil {
			st.t.Fatal(err)
		}
		out.Write(plain[s.From : s.From+s.Len])
	}
	if int64(out.Len()) != l.Size {
		st.t.Fatalf("layout says %d bytes, file has %d", l.Size, out.Len())
	}
	name := filepath.Join(st.t.TempDir(), "cut.mp4")
	if err := os.WriteFile(name, out.Bytes(), 0o600); err != nil {
		st.t.Fatal(err)
	}
	return name, l
}

func run(t testing.TB, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// decode plays the whole file and returns a checksum of each shown picture.
func decode(t testing.TB, file string) []string {
	t.Helper()
	out := run(t, "ffmpeg", "-v", "error", "-xerror", "-i", file, "-map", "0", "-fps_mode", "passthrough", "-f", "framemd5", "-")
	var sums []string
	for _, line := range strings.Split(out, "\n") {
		if strings.HasPrefix(line, "0,") { // the video track; sound is decoded with it
			f := strings.Split(line, ",")
			sums = append(sums, strings.TrimSpace(f[len(f)-1]))
		}
	}
	return sums
}

func probe(t testing.TB, file, what string) string {
	t.Helper()
	return run(t, "ffprobe", "-v", "error", "-of", "csv=p=0", "-show_entries", what, file)
}

func duration(t testing.TB, file string) float64 {
	t.Helper()
	d, err := strconv.ParseFloat(probe(t, file, "format=duration"), 64)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestMovieShowsThePicturesOfTheClip(t *testing.T) {
	for _, c := range []struct {
		clip, audio string
		reorder     bool
	}{
		{"people.mp4", "opus", false},
		{"one-by-one-person-detection.mp4", "", true},
		{"car-detection.mp4", "aac", false},
	} {
		t.Run(c.clip, func(t *testing.T) {
			clip := footagetest.Open(t, c.clip)
			st := &store{t: t}
			st.add(clip.Play(12345, start, 20*media.TickRate), clip.Description.Tracks, 6*media.TickRate)
			if len(st.segs) < 2 {
				t.Fatalf("%d segments", len(st.segs))
			}
			file, l := st.file(start, start+60_000)
			got := decode(t, file)
			want := decode(t, footagetest.Path(c.clip))
			if len(got) < 100 || len(got) > len(want) {
				t.Fatalf("movie shows %d pictures, clip %d", len(got), len(want))
			}
			for i, sum := range got {
				if sum != want[i] && i < len(got)-3 { // the last may wait for pictures that were cut off
					t.Fatalf("picture %d of %d is another than the clip's", i, len(got))
				}
			}
			if d := duration(t, file); math.Abs(d-float64(l.End-l.Start)/1000) > 0.15 || math.Abs(d-20) > 0.3 {
				t.Errorf("20 s play for %.3f s, layout says %d ms", d, l.End-l.Start)
			}
			if a := probe(t, file, "stream=codec_name"); !strings.Contains(a, "h264") || !strings.Contains(a, c.audio) {
				t.Errorf("streams: %q", a)
			}
			again, err := movie.Make(st.segs, start, start+60_000)
			if err != nil || again.ETag != l.ETag || !bytes.Equal(again.Head, l.Head) {
				t.Errorf("the same cut is another file the second time")
			}
		})
	}
}

func TestCutBeginsWhereItWasAsked(t *testing.T) {
	clip := footagetest.Open(t, "people.mp4")
	st := &store{t: t}
	st.add(clip.Play(0, start, 30*media.TickRate), clip.Description.Tracks, 8*media.TickRate)
	whole, _ := st.file(start, start+60_000)
	all := decode(t, whole)
	file, l := st.file(start+7_300, start+19_900)
	if l.Start < start+7_200 || l.Start > start+7_400 || l.End < start+19_800 || l.End > start+20_000 {
		t.Fatalf("cut from %d to %d ms", l.Start-start, l.End-start)
	}
	if d := duration(t, file); math.Abs(d-12.6) > 0.2 {
		t.Errorf("12.6 s play for %.3f s", d)
	}
	got := decode(t, file)
	if len(got) < 124 || len(got) > 128 {
		t.Fatalf("12.6 s at 10 pictures a second show %d pictures", len(got))
	}
	if got[0] != all[73] || got[100] != all[173] {
		t.Errorf("the cut does not begin with picture 73 of the footage")
	}
	other, err := movie.Make(st.segs, start+7_300, start+19_800)
	if err != nil || other.ETag == l.ETag {
		t.Errorf("another cut has the same ETag: %v", err)
	}
	if _, err := movie.Make(st.segs, start+90_000, start+99_000); err != movie.ErrEmpty {
		t.Errorf("a range without footage: %v", err)
	}
}

func TestGapsAreLeftOutAndTold(t *testing.T) {
	clip := footagetest.Open(t, "people.sub.mp4")
	st := &store{t: t}
	st.add(clip.Play(0, start, 10*media.TickRate), clip.Description.Tracks, 5*media.TickRate)
	st.add(clip.Play(990*media.TickRate, start+60_000, 10*media.TickRate), clip.Description.Tracks, 5*media.TickRate)
	file, l := st.file(start, start+120_000)
	if d := duration(t, file); math.Abs(d-20) > 0.3 {
		t.Errorf("2 × 10 s play for %.3f s", d)
	}
	decode(t, file)
	if len(l.Parts) != 2 || l.Parts[1].Start != start+60_000 || l.Parts[1].Offset < 9_900 || l.Parts[1].Offset > 10_100 {
		t.Errorf("parts: %+v", l.Parts)
	}
}

func TestParameterChangesGetSampleEntries(t *testing.T) {
	one, two := footagetest.Open(t, "people.mp4"), footagetest.Open(t, "people.sub.mp4")
	st := &store{t: t}
	st.add(one.Play(0, start, 8*media.TickRate), one.Description.Tracks, 60*media.TickRate)
	st.add(two.Play(8*media.TickRate, start+8_000, 8*media.TickRate), two.Description.Tracks, 60*media.TickRate)
	st.add(one.Play(16*media.TickRate, start+16_000, 8*media.TickRate), one.Description.Tracks, 60*media.TickRate)
	file, _ := st.file(start, start+60_000)
	if n := len(decode(t, file)); n < 238 || n > 242 {
		t.Errorf("24 s at 10 pictures a second show %d pictures", n)
	}
}

func TestSoundOfEveryCodecIsCarried(t *testing.T) {
	clip := footagetest.Open(t, "people.sub.mp4")
	tracks := []*media.Track{clip.Description.Video(), nil}
	for codec, name := range map[media.Codec]string{media.PCMU: "pcm_mulaw", media.PCMA: "pcm_alaw"} {
		tracks[1] = &media.Track{ID: 1, Codec: codec, SampleRate: 8000, Channels: 1}
		units := clip.Play(0, start, 6*media.TickRate)
		var mixed []*media.Unit
		next := int64(0)
		for _, u := range units {
			for ; next <= u.DTS; next += 1800 {
				mixed = append(mixed, &media.Unit{Track: tracks[1], DTS: next, PTS: next, Key: true, Wall: u.Wall, Data: bytes.Repeat([]byte{0xd5}, 160)})
			}
			if u.Track.Video() {
				mixed = append(mixed, u)
			}
		}
		for i, u := range mixed { // a segment begins with a key picture
			if u.Track.Video() {
				mixed = mixed[i:]
				break
			}
		}
		st := &store{t: t}
		st.add(mixed, tracks, 60*media.TickRate)
		file, _ := st.file(start, start+60_000)
		decode(t, file)
		got := run(t, "ffprobe", "-v", "error", "-select_streams", "a", "-of", "csv=p=0", "-show_entries", "stream=codec_name,sample_rate,duration", file)
		if !strings.HasPrefix(got, name+",8000,5.") && !strings.HasPrefix(got, name+",8000,6.0") {
			t.Errorf("%s: ffprobe says %q", codec, got)
		}
	}
}
