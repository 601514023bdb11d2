package rtsp

import (
	"slices"

	"github.com/bluenviron/mediacommon/v2/pkg/codecs/h264"
)

// decoding finds out when a picture is to be decoded, from when it is shown.
type decoding struct {
	f         facts
	sps       []byte
	extractor *h264.DTSExtractor
	shown     []int64 // for streams the extractor cannot read
	last      int64
	any       bool
}

func newDecoding(f facts, sps []byte) *decoding {
	d := &decoding{f: f, sps: sps}
	d.reset()
	return d
}

// reset begins anew at the next key picture. What was said stays in the past.
func (d *decoding) reset() {
	d.extractor = &h264.DTSExtractor{}
	d.extractor.Initialize()
	d.shown = d.shown[:0]
}

// dts is the decoding time of p, or false when p has to be left out.
func (d *decoding) dts(p picture, pts int64) (dts int64, ok bool) {
	switch {
	case d.f.reorder != orderChanged:
		dts = pts
	case d.f.plain:
		au := p.nals
		if p.key {
			au = append([][]byte{d.sps}, au...)
		}
		var err error
		if dts, err = d.extractor.Extract(au, pts); err != nil {
			return 0, false
		}
	default:
		dts = d.delayed(pts)
	}
	if d.any {
		dts = max(dts, d.last+1)
	}
	if dts > pts {
		if d.f.reorder != orderChanged {
			return 0, false
		}
		dts = max(pts, d.last+1)
		if dts > pts {
			return 0, false
		}
	}
	d.last, d.any = dts, true
	return dts, true
}

// delayed works without looking into the picture: if at most n pictures can come before one
// that is shown earlier, the time n places back in the order of showing has surely been reached.
func (d *decoding) delayed(pts int64) int64 {
	n := d.f.delay
	if n < 0 {
		n = 2
	}
	i, _ := slices.BinarySearch(d.shown, pts)
	d.shown = slices.Insert(d.shown, i, pts)
	if len(d.shown) <= n {
		return d.shown[0] - int64(n+1-len(d.shown)) // the first few crowd before the first shown
	}
	at := d.shown[len(d.shown)-1-n]
	if len(d.shown) > 4*(n+1) {
		d.shown = slices.Delete(d.shown, 0, len(d.shown)-2*(n+1))
	}
	return at
}
