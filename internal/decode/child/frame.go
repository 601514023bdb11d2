package child

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"

	"candor/internal/decode/wire"
)

// colour is how a camera codes its pictures. A JPEG is always full range and BT.601; a picture
// put into one without conversion is washed out and tinted.
type colour struct {
	full  bool // luma uses 0..255, not 16..235
	bt709 bool
}

// frame is one decoded picture in 4:2:0.
type frame struct {
	width, height int
	plane         [3][]byte
	stride        [3]int
}

const quality = 82

// jpeg makes the picture at most maxWidth wide (0: as it is) and encodes it.
func (f *frame) jpeg(maxWidth int, c colour) ([]byte, error) {
	w, h := f.width, f.height
	if maxWidth > 0 && maxWidth < w {
		w, h = maxWidth, max(1, h*maxWidth/w)
	}
	img := image.NewYCbCr(image.Rect(0, 0, w, h), image.YCbCrSubsampleRatio420)
	cw, ch := (w+1)/2, (h+1)/2
	for i, p := range []struct {
		dst        []byte
		stride     int
		dw, dh     int
		srcW, srcH int
	}{
		{img.Y, img.YStride, w, h, f.width, f.height},
		{img.Cb, img.CStride, cw, ch, (f.width + 1) / 2, (f.height + 1) / 2},
		{img.Cr, img.CStride, cw, ch, (f.width + 1) / 2, (f.height + 1) / 2},
	} {
		if need := (p.srcH-1)*f.stride[i] + p.srcW; len(f.plane[i]) < need || f.stride[i] < p.srcW {
			return nil, fmt.Errorf("plane %d holds %d bytes, want %d", i, len(f.plane[i]), need)
		}
		shrink(p.dst, p.stride, p.dw, p.dh, f.plane[i], f.stride[i], p.srcW, p.srcH)
	}
	convert(img, c)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// grey makes the small picture in which motion is looked for: luma from 0 to 255.
func (f *frame) grey(c colour) ([]byte, error) {
	if need := (f.height-1)*f.stride[0] + f.width; len(f.plane[0]) < need || f.stride[0] < f.width {
		return nil, fmt.Errorf("luma holds %d bytes, want %d", len(f.plane[0]), need)
	}
	out := make([]byte, wire.GreyWidth*wire.GreyHeight)
	shrink(out, wire.GreyWidth, wire.GreyWidth, wire.GreyHeight, f.plane[0], f.stride[0], f.width, f.height)
	if !c.full {
		for i, v := range out {
			out[i] = clip((int(v) - 16) * 255 / 219)
		}
	}
	return out, nil
}

// shrink copies a plane, averaging over the area that each new pixel covers.
func shrink(dst []byte, dstStride, dw, dh int, src []byte, srcStride, sw, sh int) {
	if dw == sw && dh == sh {
		for y := range dh {
			copy(dst[y*dstStride:y*dstStride+dw], src[y*srcStride:])
		}
		return
	}
	edge := make([]int, dw+1)
	for x := range edge {
		edge[x] = x * sw / dw
	}
	sums := make([]uint32, dw)
	for y := range dh {
		y0, y1 := y*sh/dh, max((y+1)*sh/dh, y*sh/dh+1)
		clear(sums)
		for sy := y0; sy < y1; sy++ {
			row := src[sy*srcStride:]
			for x := range dw {
				sum := uint32(0)
				for _, v := range row[edge[x]:max(edge[x+1], edge[x]+1)] {
					sum += uint32(v)
				}
				sums[x] += sum
			}
		}
		for x := range dw {
			n := uint32((y1 - y0) * max(edge[x+1]-edge[x], 1))
			dst[y*dstStride+x] = byte((sums[x] + n/2) / n)
		}
	}
}

// convert turns the camera's colour coding into that of a JPEG, in place.
func convert(img *image.YCbCr, c colour) {
	if c.full && !c.bt709 {
		return
	}
	yGain, yLow, cGain := 65536*255/219, 16, 65536*255/224
	if c.full {
		yGain, yLow, cGain = 65536, 0, 65536
	}
	// BT.709 to BT.601, in 16-bit fractions, applied to the stretched values.
	yb, yr, bb, br, rb, rr := 0, 0, 65536, 0, 0, 65536
	if c.bt709 {
		yb, yr = 6657, 12850  // 0.10158, 0.19608
		bb, br = 64871, -7252 // 0.98985, -0.11065
		rb, rr = -4748, 64448 // -0.07245, 0.98340
	}
	w, h := img.Rect.Dx(), img.Rect.Dy()
	for cy := 0; cy*2 < h; cy++ {
		for cx := 0; cx*2 < w; cx++ {
			i := cy*img.CStride + cx
			b := (int(img.Cb[i]) - 128) * cGain >> 16
			r := (int(img.Cr[i]) - 128) * cGain >> 16
			shift := (yb*b + yr*r) >> 16
			img.Cb[i] = clip((bb*b+br*r)>>16 + 128)
			img.Cr[i] = clip((rb*b+rr*r)>>16 + 128)
			for y := cy * 2; y < min(cy*2+2, h); y++ {
				row := img.Y[y*img.YStride:]
				for x := cx * 2; x < min(cx*2+2, w); x++ {
					row[x] = clip(((int(row[x])-yLow)*yGain)>>16 + shift)
				}
			}
		}
	}
}

func clip(v int) byte { return byte(min(max(v, 0), 255)) }
