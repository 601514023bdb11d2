package child

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"

	"candor/internal/decode/wire"
	"candor/internal/live/livetest"
)

// plain is a picture of one luma and chroma value, with a stride beyond its width.
func plain(w, h int, y, cb, cr byte) *frame {
	f := &frame{width: w, height: h, stride: [3]int{w + 7, (w+1)/2 + 3, (w+1)/2 + 3}}
	for i, v := range []byte{y, cb, cr} {
		rows := h
		if i > 0 {
			rows = (h + 1) / 2
		}
		f.plane[i] = bytes.Repeat([]byte{v}, rows*f.stride[i])
	}
	return f
}

func TestColours(t *testing.T) {
	for name, c := range map[string]struct {
		y, cb, cr byte
		c         colour
		want      color.RGBA
	}{
		"limited black":        {16, 128, 128, colour{}, color.RGBA{0, 0, 0, 255}},
		"limited white":        {235, 128, 128, colour{}, color.RGBA{255, 255, 255, 255}},
		"full black":           {0, 128, 128, colour{full: true}, color.RGBA{0, 0, 0, 255}},
		"full white, BT.709":   {255, 128, 128, colour{full: true, bt709: true}, color.RGBA{255, 255, 255, 255}},
		"limited red, BT.601":  {81, 90, 240, colour{}, color.RGBA{255, 0, 0, 255}},
		"limited red, BT.709":  {63, 102, 240, colour{bt709: true}, color.RGBA{255, 0, 0, 255}},
		"limited blue, BT.709": {32, 240, 118, colour{bt709: true}, color.RGBA{0, 0, 255, 255}},
	} {
		b, err := plain(33, 17, c.y, c.cb, c.cr).jpeg(0, c.c)
		if err != nil {
			t.Fatal(err)
		}
		img, err := jpeg.Decode(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		got := color.RGBAModel.Convert(img.At(16, 8)).(color.RGBA)
		for _, d := range []int{int(got.R) - int(c.want.R), int(got.G) - int(c.want.G), int(got.B) - int(c.want.B)} {
			if d < -6 || d > 6 {
				t.Errorf("%s: %v, want %v", name, got, c.want)
				break
			}
		}
	}
}

func TestSizes(t *testing.T) {
	for _, c := range []struct {
		w, h, max int
		want      image.Point
	}{{64, 48, 0, image.Pt(64, 48)}, {65, 49, 0, image.Pt(65, 49)}, {640, 480, 100, image.Pt(100, 75)}, {641, 3, 17, image.Pt(17, 1)}} {
		b, err := plain(c.w, c.h, 100, 128, 128).jpeg(c.max, colour{})
		if err != nil {
			t.Fatal(err)
		}
		got, err := jpeg.DecodeConfig(bytes.NewReader(b))
		if err != nil || image.Pt(got.Width, got.Height) != c.want {
			t.Errorf("%d x %d at most %d wide: %d x %d, %v", c.w, c.h, c.max, got.Width, got.Height, err)
		}
	}
	short := plain(64, 48, 0, 0, 0)
	short.plane[1] = short.plane[1][:10]
	if _, err := short.jpeg(0, colour{}); err == nil {
		t.Error("a plane that is too short was read")
	}
}

func FuzzUnit(f *testing.F) {
	u := livetest.Load(f, "people.sub.mp4").Units[0]
	f.Add(u.Track.SPS, u.Track.PPS, u.Data)
	f.Fuzz(func(t *testing.T, sps, pps, unit []byte) {
		if d, err := measure(sps); err == nil && d.width*d.height > maxPixels {
			t.Errorf("a picture of %d x %d was let through", d.width, d.height)
		}
		out, err := annexB(wire.Request{SPS: sps, PPS: pps}, unit, true)
		if err == nil && len(out) > len(sps)+len(pps)+len(unit)+8 {
			t.Errorf("%d bytes became %d", len(sps)+len(pps)+len(unit), len(out))
		}
	})
}
