package motion

import "math"

// light is how the scene's brightness changed as a whole: a picture is about gain·background +
// offset.
type light struct{ gain, offset float32 }

var sameLight = light{gain: 1}

func (l light) of(v float32) float32 { return l.gain*v + l.offset }

// Changes smaller than these are none: following them would slowly wear the frozen parts of the
// background away.
const (
	lightShift = 1.5
	lightGain  = 0.03
)

// sample is how many pixels one pixel speaks for. It is no divisor of the width.
const sample = 3

// fit finds the light by least squares over the pixels that are told to count, and again over
// those that lie near the last answer: what moves lies far from it.
func fit(back, cur []float32, counts func(i int) bool) light {
	l := light{gain: 1, offset: medianDifference(back, cur, counts)}
	reach := float32(60)
	for range 6 {
		var n, sb, sc, sbb, sbc, far float64
		for i := 0; i < len(back); i += sample {
			if !counts(i) {
				continue
			}
			b, c := back[i], cur[i]
			r := c - l.of(b)
			if r < 0 {
				r = -r
			}
			if r > reach || c < 3 || c > 250 {
				continue
			}
			n++
			far += float64(r)
			sb += float64(b)
			sc += float64(c)
			sbb += float64(b) * float64(b)
			sbc += float64(b) * float64(c)
		}
		if n < 100 {
			return l
		}
		mb, mc := sb/n, sc/n
		vb, cov := sbb/n-mb*mb, sbc/n-mb*mc
		const steady = 6 // a flat scene tells nothing of the gain: it stays near 1
		g := math.Min(math.Max((cov+steady)/(vb+steady), 0.1), 8)
		l = light{gain: float32(g), offset: float32(mc - g*mb)}
		reach = float32(math.Max(6, 2.5*far/n))
	}
	return l
}

// agree counts the pixels that lie near a light, of those that count.
func agree(back, cur []float32, counts func(i int) bool, l light) (n, of int) {
	const near = 7
	for i := 0; i < len(back); i += sample {
		if counts(i) {
			of++
			if abs(cur[i]-min(max(l.of(back[i]), 0), 255)) <= near {
				n++
			}
		}
	}
	return n, of
}

// fitted is the light of a picture. It has changed only if that makes most of the picture agree
// with the background, and clearly more than without: neither something large nor another scene
// may pass for light.
func fitted(back, cur []float32, counts func(i int) bool) light {
	l := fit(back, cur, counts)
	is, of := agree(back, cur, counts, l)
	if was, _ := agree(back, cur, counts, sameLight); is < was+was/16 || is*5 < of*2 {
		return sameLight
	}
	return l
}

// medianDifference is the median of cur − back, by counting.
func medianDifference(back, cur []float32, counts func(i int) bool) float32 {
	var hist [1024]int
	n := 0
	for i := 0; i < len(back); i += sample {
		if counts(i) {
			hist[min(max(int((cur[i]-back[i])*2)+512, 0), 1023)]++
			n++
		}
	}
	for v, left := 0, n/2; v < len(hist); v++ {
		if left -= hist[v]; left < 0 {
			return float32(v-512) / 2
		}
	}
	return 0
}

// matters reports whether the light really changed.
func (l light) matters(level float32) bool {
	shift := l.of(level) - level
	return shift > lightShift || shift < -lightShift || l.gain > 1+lightGain || l.gain < 1-lightGain
}
