package democam

import (
	"bytes"
	"os"
	"testing"
	"time"
)

// FuzzReadClip reads files that call themselves MP4: SMOKE_CLIP and the demo camera take any.
func FuzzReadClip(f *testing.F) {
	f.Add([]byte{})
	for _, name := range []string{"testdata/tiny.mp4", "testdata/tiny-b-aac.mp4"} {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := readClip(bytes.NewReader(b), int64(len(b)))
		if err != nil {
			return
		}
		if c.Video == nil || c.Period <= 0 || len(c.steps) == 0 {
			t.Fatalf("a clip without pictures: %+v", c)
		}
		last := -time.Duration(1 << 62)
		for _, s := range c.steps {
			if s.dts < last {
				t.Fatal("steps are out of order")
			}
			last = s.dts
			if s.offset < 0 || s.offset+int64(s.size) > int64(len(b)) {
				t.Fatal("a sample lies outside the file")
			}
			data, err := c.read(s.sample)
			if err != nil {
				t.Fatal(err)
			}
			if s.track == c.Video {
				split(data, s.track, s.key)
			}
		}
	})
}
