package decode

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"os/exec"
	"slices"
	"sync"
	"testing"

	"candor/internal/live/livetest"
	"candor/internal/media"
	"candor/internal/problem"
)

// greys are the small grey pictures that ffmpeg makes of the clip's last pictures before each
// second's end.
func greys(t *testing.T, name string, seconds [][]*media.Unit) [][]byte {
	t.Helper()
	choice, n := "0", -1
	for _, units := range seconds {
		n += len(units)
		choice += fmt.Sprintf("+eq(n,%d)", n)
	}
	b, err := exec.Command("ffmpeg", "-v", "error", "-i", livetest.File(name), "-an", "-vf",
		fmt.Sprintf("select='%s',scale=%d:%d:flags=area,format=gray", choice, GreyWidth, GreyHeight),
		"-fps_mode", "passthrough", "-frames:v", fmt.Sprint(len(seconds)), "-f", "rawvideo", "pipe:1").Output()
	if err != nil {
		t.Fatal(err)
	}
	var out [][]byte
	for ; len(b) > 0; b = b[GreyWidth*GreyHeight:] {
		out = append(out, b[:GreyWidth*GreyHeight])
	}
	return out
}

func far(a, b []byte) float64 {
	sum := 0
	for i := range a {
		sum += max(int(a[i])-int(b[i]), int(b[i])-int(a[i]))
	}
	return float64(sum) / float64(len(a))
}

// seconds are the clip's pictures up to each full second.
func seconds(c *livetest.Clip, n int) [][]*media.Unit {
	out := make([][]*media.Unit, n)
	for _, u := range c.Without(false).Units {
		if s := (u.DTS + media.TickRate - 1) / media.TickRate; s < int64(n) {
			out[s] = append(out[s], u)
		}
	}
	return out
}

func TestSequencesSeeWhatFFmpegSees(t *testing.T) {
	const n = 13
	p := pool(t, "")
	all := seconds(livetest.Load(t, "cars.mp4"), n)
	want := greys(t, "cars.mp4", all)
	q := Sequence{ID: p.NewSequence(), Begins: true}
	for s, units := range all {
		got, err := p.Grey(t.Context(), q, units...)
		if err != nil {
			t.Fatalf("second %d: %v", s, err)
		}
		if d := far(got, want[s]); d > 4 {
			t.Errorf("second %d: mean difference of %.1f levels", s, d)
		}
		q.Begins = false
	}
}

func TestKeyPicturesAloneAreGreyToo(t *testing.T) {
	for _, engine := range []string{"openh264", "ffmpeg"} {
		p := pool(t, engine)
		want := greys(t, "people.mp4", seconds(livetest.Load(t, "people.mp4"), 7))
		for i, key := range keys(livetest.Load(t, "people.mp4"))[:4] {
			got, err := p.Grey(t.Context(), Sequence{}, key)
			if err != nil {
				t.Fatal(err)
			}
			if d := far(got, want[2*i]); d > 3 {
				t.Errorf("%s: key picture %d: mean difference of %.1f levels", engine, i, d)
			}
		}
	}
}

func TestFFmpegSaysThatItKnowsNoSequences(t *testing.T) {
	key := keys(livetest.Load(t, "people.sub.mp4"))[0]
	p := pool(t, "ffmpeg")
	if _, err := p.Grey(t.Context(), Sequence{ID: p.NewSequence(), Begins: true}, key); !errors.Is(err, ErrKeysOnly) {
		t.Errorf("got %v, want ErrKeysOnly", err)
	}
}

// Sequences of several cameras do not disturb each other, nor the stills.
func TestSequencesSideBySide(t *testing.T) {
	p := pool(t, "")
	var all sync.WaitGroup
	for _, name := range []string{"cars.mp4", "people.sub.mp4", "car-detection.mp4", "one-by-one-person-detection.mp4"} {
		clip := livetest.Load(t, name)
		shown := seconds(clip, 4)
		want := greys(t, name, shown)
		all.Go(func() {
			q := Sequence{ID: p.NewSequence(), Begins: true}
			for s, units := range shown {
				got, err := p.Grey(t.Context(), q, units...)
				if err != nil || far(got, want[s]) > 5 {
					t.Errorf("%s, second %d: %v", name, s, err)
					return
				}
				q.Begins = false
			}
		})
		all.Go(func() {
			if _, err := p.JPEG(t.Context(), clip.Desc.Video(), keys(clip)[0], 160); err != nil {
				t.Errorf("%s: a still: %v", name, err)
			}
		})
	}
	all.Wait()
}

func TestWhatCannotBeGreyIsRefused(t *testing.T) {
	c := livetest.Load(t, "people.sub.mp4").Without(false)
	other := *c.Units[1]
	track := *other.Track
	other.Track = &track
	p := pool(t, "")
	id := p.NewSequence()
	for name, q := range map[string]struct {
		sequence Sequence
		units    []*media.Unit
	}{
		"nothing":                      {Sequence{}, nil},
		"not a key picture":            {Sequence{}, c.Units[1:2]},
		"begins without one":           {Sequence{ID: id, Begins: true}, c.Units[1:3]},
		"a sequence that nobody knows": {Sequence{ID: 99}, c.Units[1:2]},
		"two tracks":                   {Sequence{ID: id, Begins: true}, []*media.Unit{c.Units[0], &other}},
		"too large":                    {Sequence{ID: id, Begins: true}, []*media.Unit{{Key: true, Track: c.Units[0].Track, Data: make([]byte, 20<<20)}}},
	} {
		if b, err := p.Grey(t.Context(), q.sequence, q.units...); !problem.Is(err, "decode.failed") || b != nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if p.starts > 1 {
		t.Errorf("%d children, want one: none of this kills it", p.starts)
	}
}

// A sequence that failed is over, and begins anew at a key picture; so after a child was lost.
func TestASequenceBeginsAnew(t *testing.T) {
	c := livetest.Load(t, "people.sub.mp4").Without(false)
	p := pool(t, "")
	q := Sequence{ID: p.NewSequence(), Begins: true}
	on := Sequence{ID: q.ID}
	bad := *c.Units[3]
	bad.Data = []byte{0, 0, 0, 9, 1}
	lose := func() {
		s := <-p.greys
		s.child.kill()
		p.greys <- s
	}
	for _, step := range []struct {
		what     string
		sequence Sequence
		units    []*media.Unit
		fails    bool
	}{
		{"begins", q, c.Units[:3], false},
		{"goes on with rubbish", on, []*media.Unit{&bad}, true},
		{"goes on although it failed", on, c.Units[3:5], true},
		{"begins anew", q, c.Units[:5], false},
		{"the child is lost", on, c.Units[5:6], true},
		{"goes on without the child", on, c.Units[6:7], true},
		{"begins with another child", q, c.Units[20:24], false},
	} {
		if step.what == "the child is lost" {
			lose()
		}
		if _, err := p.Grey(t.Context(), step.sequence, step.units...); (err != nil) != step.fails {
			t.Errorf("%s: %v", step.what, err)
		}
	}
}

func TestHostileSequencesCostAtMostOneChildEach(t *testing.T) {
	c := livetest.Load(t, "people.sub.mp4").Without(false)
	p := pool(t, "")
	rnd := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		q := Sequence{ID: p.NewSequence(), Begins: true}
		units := []*media.Unit{}
		for _, u := range c.Units[:6] {
			bad := *u
			bad.Data = bytes.Clone(u.Data)
			if rnd.IntN(3) == 0 {
				bad.Data[rnd.IntN(len(bad.Data))] = byte(rnd.Uint32())
			}
			units = append(units, &bad)
		}
		before := p.starts
		if _, err := p.Grey(t.Context(), q, units...); err != nil && !problem.Is(err, "decode.failed") {
			t.Fatal(err)
		}
		if p.starts > before+1 {
			t.Errorf("one request cost %d children", p.starts-before)
		}
	}
	if _, err := p.Grey(t.Context(), Sequence{ID: p.NewSequence(), Begins: true}, c.Units[:6]...); err != nil {
		t.Errorf("a good sequence after the bad ones: %v", err)
	}
}

func TestAPictureBetweenKeyPictures(t *testing.T) {
	shown := seconds(livetest.Load(t, "cars.mp4"), 7)
	want := greys(t, "cars.mp4", shown)
	p := pool(t, "")
	b, err := p.JPEGOf(t.Context(), slices.Concat(shown...), 0)
	if err != nil {
		t.Fatal(err)
	}
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	luma, small := img.(*image.YCbCr), make([]byte, GreyWidth*GreyHeight)
	for i := range small {
		x, y := (i%GreyWidth*2+1)*768/GreyWidth/2, (i/GreyWidth*2+1)*432/GreyHeight/2
		small[i] = luma.Y[y*luma.YStride+x]
	}
	if it, key := far(small, want[6]), far(small, want[0]); it > key/3 {
		t.Errorf("mean difference of %.1f levels to the picture at second 6, of %.1f to the key picture", it, key)
	}
	for name, units := range map[string][]*media.Unit{"nothing": nil, "no key picture": shown[1]} {
		if b, err := p.JPEGOf(t.Context(), units, 0); !problem.Is(err, "decode.failed") || b != nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
}
