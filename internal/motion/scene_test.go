package motion

import (
	"math"
	"math/rand/v2"
	"time"
)

// scene paints pictures of a made-up place, four times as fine as the detector sees it. Its
// functions are of the time in seconds and of a place in pixels of the detector.
type scene struct {
	rnd   *rand.Rand
	base  []float64 // texture
	noise float64   // of the sensor, in levels
	light func(t, x, y float64) float64
	sway  func(t, x, y float64) (dx, dy float64)
	paint func(t float64, put func(x, y, w, h, level float64))
	n     int
}

const fine = 4 // pixels of the scene for one of the detector, each way: 640 × 360

// place is a textured place: patches of all sizes between 40 and 200 levels.
func place(seed uint64) *scene {
	s := &scene{rnd: rand.New(rand.NewPCG(seed, 7)), noise: 3}
	s.base = make([]float64, Width*Height)
	for size, weight := 48, 70.0; size >= 2; size, weight = size/2, weight*0.62 {
		gw := Width/size + 3
		grid := make([]float64, gw*(Height/size+3))
		for i := range grid {
			grid[i] = s.rnd.Float64()*2 - 1
		}
		for y := range Height {
			for x := range Width {
				gx, gy := x/size, y/size
				fx, fy := float64(x%size)/float64(size), float64(y%size)/float64(size)
				a := grid[gy*gw+gx]*(1-fx) + grid[gy*gw+gx+1]*fx
				b := grid[(gy+1)*gw+gx]*(1-fx) + grid[(gy+1)*gw+gx+1]*fx
				s.base[y*Width+x] += weight * (a*(1-fy) + b*fy)
			}
		}
	}
	for i, v := range s.base {
		s.base[i] = min(max(v+115, 30), 215)
	}
	return s
}

func (s *scene) at(x, y float64) float64 {
	x, y = min(max(x, 0), Width-1.001), min(max(y, 0), Height-1.001)
	ix, iy := int(x), int(y)
	fx, fy := x-float64(ix), y-float64(iy)
	i := iy*Width + ix
	return (s.base[i]*(1-fx)+s.base[i+1]*fx)*(1-fy) + (s.base[i+Width]*(1-fx)+s.base[i+Width+1]*fx)*fy
}

// picture paints the scene at a time.
func (s *scene) picture(t float64) []byte {
	out := make([]float64, pixels)
	for i := range out {
		x, y := float64(i%Width), float64(i/Width)
		if s.sway != nil {
			dx, dy := s.sway(t, x, y)
			out[i] = s.at(x+dx, y+dy)
		} else {
			out[i] = s.base[i]
		}
	}
	if s.paint != nil {
		s.paint(t, func(x, y, w, h, level float64) {
			for py := max(0, int(y)); py < min(Height, int(y+h)+1); py++ {
				for px := max(0, int(x)); px < min(Width, int(x+w)+1); px++ {
					cover := max(0, min(float64(px+1), x+w)-max(float64(px), x)) * max(0, min(float64(py+1), y+h)-max(float64(py), y))
					out[py*Width+px] += cover * (level - out[py*Width+px])
				}
			}
		})
	}
	b := make([]byte, pixels)
	for i, v := range out {
		if s.light != nil {
			v *= s.light(t, float64(i%Width), float64(i/Width))
		}
		v += s.rnd.NormFloat64() * s.noise / 2 // an area's mean, of noise that its codec has smeared
		b[i] = byte(min(max(math.Round(v), 0), 255))
	}
	return b
}

// play has a detector look at a scene once a second and returns the events, and how many seconds
// of them there were.
func (s *scene) play(d *Detector, seconds int) (events []event) {
	for t := range seconds {
		for _, c := range d.Look(Picture{At: time.Duration(t) * time.Second, Luma: s.picture(float64(t))}) {
			switch c.Kind {
			case Began:
				events = append(events, event{c.At.Seconds(), math.Inf(1)})
			case Ended, Dropped:
				events[len(events)-1].To = c.At.Seconds()
			}
		}
	}
	return events
}
