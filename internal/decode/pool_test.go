package decode

import (
	"bytes"
	"context"
	"fmt"
	"image/jpeg"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"candor/internal/live/livetest"
	"candor/internal/media"
	"candor/internal/problem"
)

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "decode")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "candor-decode")
	out, err := exec.Command("go", "build", "-o", path, "candor/cmd/candor-decode").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, os.Chmod(dir, 0o755)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if path, err := binary(); err == nil {
		os.RemoveAll(filepath.Dir(path))
	}
	os.Exit(code)
}

func pool(t *testing.T, engine string) *Pool {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &Pool{Path: path, Engine: engine, Timeout: 20 * time.Second} // slow machines are not hangs
	t.Cleanup(p.Close)
	return p
}

func keys(c *livetest.Clip) []*media.Unit {
	var out []*media.Unit
	for _, u := range c.Units {
		if u.Track.Video() && u.Key {
			out = append(out, u)
		}
	}
	return out
}

func TestPicturesAreWhatFFmpegSees(t *testing.T) {
	for _, engine := range []string{"openh264", "ffmpeg"} {
		for _, name := range []string{"people.mp4", "one-by-one-person-detection.mp4", "car-detection.mp4"} {
			t.Run(engine+"/"+name, func(t *testing.T) {
				c := livetest.Load(t, name)
				key := keys(c)[0]
				b, err := pool(t, engine).JPEG(t.Context(), key.Track, key, 0)
				if err != nil {
					t.Fatal(err)
				}
				want, err := exec.Command("ffmpeg", "-v", "error", "-i", livetest.File(name), "-frames:v", "1",
					"-f", "rawvideo", "-pix_fmt", "rgb24", "pipe:1").Output()
				if err != nil {
					t.Fatal(err)
				}
				if d := difference(t, b, want); d > 4 {
					t.Errorf("mean difference of %.1f levels: the colours are not those of the picture", d)
				}
			})
		}
	}
}

// difference is the mean absolute difference of a JPEG to raw RGB.
func difference(t *testing.T, b, rgb []byte) float64 {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	size := img.Bounds().Size()
	if size.X*size.Y*3 != len(rgb) {
		t.Fatalf("picture of %v, want %d bytes", size, len(rgb))
	}
	sum := 0
	for y := range size.Y {
		for x := range size.X {
			r, g, bl, _ := img.At(x, y).RGBA()
			i := (y*size.X + x) * 3
			for k, v := range []uint32{r, g, bl} {
				sum += max(int(v>>8)-int(rgb[i+k]), int(rgb[i+k])-int(v>>8))
			}
		}
	}
	return float64(sum) / float64(len(rgb))
}

func TestWidth(t *testing.T) {
	key := keys(livetest.Load(t, "people.mp4"))[3]
	p := pool(t, "")
	for want, is := range map[int]int{0: 768, 320: 320, 333: 333, 5000: 768} {
		b, err := p.JPEG(t.Context(), key.Track, key, want)
		if err != nil {
			t.Fatal(err)
		}
		c, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil || c.Width != is || c.Height != 432*is/768 {
			t.Errorf("at most %d wide: got %d x %d, %v", want, c.Width, c.Height, err)
		}
	}
}

func TestHostileBytesCostAtMostOneChild(t *testing.T) {
	key := keys(livetest.Load(t, "people.mp4"))[0]
	for _, engine := range []string{"openh264", "ffmpeg"} {
		p := pool(t, engine)
		rounds := 120
		if engine == "ffmpeg" {
			rounds = 12
		}
		rnd := rand.New(rand.NewPCG(1, 2))
		lost := 0
		for range rounds {
			bad := *key
			bad.Data = bytes.Clone(key.Data)
			track := *key.Track
			track.SPS, track.PPS = bytes.Clone(track.SPS), bytes.Clone(track.PPS)
			for _, b := range [][]byte{bad.Data, bad.Data, bad.Data, track.SPS, track.PPS} {
				if rnd.IntN(3) == 0 {
					b[rnd.IntN(len(b))] = byte(rnd.Uint32())
				}
			}
			before := p.starts
			if _, err := p.JPEG(t.Context(), &track, &bad, 320); err != nil && !problem.Is(err, "decode.failed") {
				t.Fatalf("%s: %v", engine, err)
			}
			if p.starts > before+1 {
				t.Errorf("%s: one unit cost %d children", engine, p.starts-before)
			}
			lost = p.starts - 1
		}
		if _, err := p.JPEG(t.Context(), key.Track, key, 320); err != nil {
			t.Errorf("%s: a good picture after the bad ones: %v", engine, err)
		}
		t.Logf("%s: %d of %d bad units lost a child", engine, lost, rounds)
	}
}

func TestWhatIsNoPictureIsRefused(t *testing.T) {
	c := livetest.Load(t, "people.mp4")
	key := keys(c)[0]
	p := pool(t, "")
	huge := *key.Track
	huge.SPS = []byte{0x67, 0x42, 0xc0, 0x1f, 0xd9, 0, 0, 1, 0, 0, 0x40, 0, 0, 0x40, 0, 0x10}
	for name, q := range map[string]struct {
		track *media.Track
		unit  *media.Unit
	}{
		"no track":           {nil, key},
		"no unit":            {key.Track, nil},
		"not a key picture":  {key.Track, c.Units[3]},
		"empty":              {key.Track, &media.Unit{Key: true}},
		"length beyond":      {key.Track, &media.Unit{Key: true, Data: []byte{0, 0, 1, 0, 0x65}}},
		"no slice":           {key.Track, &media.Unit{Key: true, Data: []byte{0, 0, 0, 1, 0x06}}},
		"no parameter sets":  {&media.Track{Codec: media.H264}, key},
		"half a picture":     {key.Track, &media.Unit{Key: true, Data: key.Data[:len(key.Data)/2]}},
		"other parameters":   {&huge, key},
		"more than is taken": {key.Track, &media.Unit{Key: true, Data: make([]byte, 30<<20)}},
	} {
		if b, err := p.JPEG(t.Context(), q.track, q.unit, 0); !problem.Is(err, "decode.failed") || b != nil {
			t.Errorf("%s: %d bytes, %v", name, len(b), err)
		}
	}
	if p.starts > 1 {
		t.Errorf("%d children, want one: none of this kills it", p.starts)
	}
}

func script(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "decoder")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestBadChildren(t *testing.T) {
	key := keys(livetest.Load(t, "people.mp4"))[0]
	hello := `printf '\000\000\000\022\002\000\000\000\000\000\000\000\001x\000\000\000\000\000\000\000\000'; `
	for name, c := range map[string]struct{ body, code string }{
		"hangs":                {"sleep 600", "decode.none"},
		"crashes at start":     {"echo broken >&2; exit 3", "decode.none"},
		"claims 4 GB":          {`printf '\377\377\377\377'; sleep 600`, "decode.none"},
		"hangs at the picture": {hello + "sleep 600", "decode.failed"},
		"dies at the picture":  {hello + "head -c 10 >/dev/null; exit 9", "decode.failed"},
		"answers with a lie":   {hello + `printf '\000\000\000\025\002\000\000\000\004liar\000\000\000\000\000\000\000\000\000\000\000\000'; sleep 600`, "decode.failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &Pool{Path: script(t, c.body), Timeout: 300 * time.Millisecond}
			defer p.Close()
			if b, err := p.JPEG(t.Context(), key.Track, key, 0); !problem.Is(err, c.code) || b != nil {
				t.Errorf("%d bytes, %v, want %s", len(b), err, c.code)
			}
		})
	}
}

func TestNoDecoder(t *testing.T) {
	key := keys(livetest.Load(t, "people.mp4"))[0]
	p := &Pool{Path: filepath.Join(t.TempDir(), "absent")}
	defer p.Close()
	for range 3 {
		if _, err := p.JPEG(t.Context(), key.Track, key, 0); !problem.Is(err, "decode.none") {
			t.Errorf("got %v, want decode.none", err)
		}
	}
	if d := p.Describe(t.Context()); d.Engine != "" || d.Reason == "" {
		t.Errorf("describes itself as %+v", d)
	}
}

func TestDescribe(t *testing.T) {
	for engine, want := range map[string]string{"": "libopenh264 ", "openh264": "libopenh264 ", "ffmpeg": "ffmpeg "} {
		d := pool(t, engine).Describe(t.Context())
		if !strings.HasPrefix(d.Engine, want) || d.Reason != "" || d.KeysOnly != (want == "ffmpeg ") {
			t.Errorf("%q: %+v", engine, d)
		}
		for _, word := range []string{"no new privileges", "limits"} {
			if !strings.Contains(d.Confinement, word) {
				t.Errorf("confined by %q, want %q among it", d.Confinement, word)
			}
		}
	}
}

func TestAChildIsReplacedAfterItsRequests(t *testing.T) {
	key := keys(livetest.Load(t, "people.sub.mp4"))[0]
	p := pool(t, "")
	p.Requests = 3
	for range 7 {
		if _, err := p.JPEG(t.Context(), key.Track, key, 160); err != nil {
			t.Fatal(err)
		}
	}
	if p.starts < 3 || p.starts > 4 {
		t.Errorf("%d children for 7 pictures, want one for every 3", p.starts)
	}
}

func TestWaitingEndsWithItsContext(t *testing.T) {
	key := keys(livetest.Load(t, "people.mp4"))[0]
	p := &Pool{Path: script(t, "sleep 600"), Timeout: time.Minute}
	go p.JPEG(context.Background(), key.Track, key, 0)
	time.Sleep(50 * time.Millisecond)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.JPEG(ctx, key.Track, key, 0); err == nil {
		t.Error("a picture came of a child that hangs")
	}
}
