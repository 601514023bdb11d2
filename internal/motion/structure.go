package motion

import "math"

// reach is half the side of the square in which structure is compared.
const reach = 2

// Local light may differ from the whole picture's by these factors and still be light.
const (
	darkest  = 0.6
	lightest = 1.6
)

// structure compares what surrounds each pixel, apart from brightness: how far the picture is,
// in levels, from the background under the best local gain and offset. A lamp that lights a
// part of a wall changes brightness; who stands before the wall changes structure.
type structure struct {
	sums [5][]float64 // summed-area tables of b, c, b², c², b·c
}

func newStructure() *structure {
	s := &structure{}
	for i := range s.sums {
		s.sums[i] = make([]float64, (Width+1)*(Height+1))
	}
	return s
}

// Where the background has this much structure (a variance) and the picture follows it this
// closely (a correlation, squared), with contrast and brightness changed by about the same
// factor, the background is what shows, in another light. Two gradients may look alike by
// chance, but rarely in all of this.
const (
	telling = 30
	follows = 0.85
	factor  = 1.3
)

// compare writes to far how far the structure is from the background's, and to same where it is
// clearly the background's.
func (s *structure) compare(far []float32, same []bool, back, cur []float32) {
	const w = Width + 1
	for y := range Height {
		var row [5]float64
		for x := range Width {
			b, c := float64(back[y*Width+x]), float64(cur[y*Width+x])
			for k, v := range [5]float64{b, c, b * b, c * c, b * c} {
				row[k] += v
				s.sums[k][(y+1)*w+x+1] = s.sums[k][y*w+x+1] + row[k]
			}
		}
	}
	for y := range Height {
		y0, y1 := max(y-reach, 0)*w, min(y+reach+1, Height)*w
		for x := range Width {
			x0, x1 := max(x-reach, 0), min(x+reach+1, Width)
			n := float64((x1 - x0) * (y1 - y0) / w)
			var m [5]float64
			for k, t := range &s.sums {
				m[k] = (t[y1+x1] - t[y1+x0] - t[y0+x1] + t[y0+x0]) / n
			}
			vb, vc, cov := m[2]-m[0]*m[0], m[3]-m[1]*m[1], m[4]-m[0]*m[1]
			a := math.Min(math.Max((cov+1)/(vb+1), darkest), lightest)
			same[y*Width+x] = vb > telling && vc > telling/8 && cov > 0 && cov*cov > follows*vb*vc &&
				cov*m[0] < factor*vb*m[1] && factor*cov*m[0] > vb*m[1]
			far[y*Width+x] = float32(math.Sqrt(math.Max(vc-2*a*cov+a*a*vb, 0)))
		}
	}
}
