package motion

import (
	"errors"
	"fmt"
	"math"
)

// The picture that a Detector looks at: luma, row by row.
const (
	Width  = 160
	Height = 90
	pixels = Width * Height
)

// Bounds of the settings.
const (
	MinSensitivity     = 1
	MaxSensitivity     = 5
	DefaultSensitivity = 3
	MaxZones           = 16
	MaxPoints          = 32
)

// Point is a place in the picture: 0, 0 is its upper left corner, 1, 1 the lower right one.
type Point struct {
	X float64 `json:"x"`
	Y float64 `json:"y"`
}

// Zone is a polygon of the picture. Where zones that are not Ignore exist, only they are looked
// at; an Ignore zone is not looked at in any case.
type Zone struct {
	Points []Point `json:"points"`
	Ignore bool    `json:"ignore,omitempty"`
}

// Settings are what the owner of a camera chooses. They are data: a Detector takes new ones at
// any time and keeps what it knows of the scene.
type Settings struct {
	Sensitivity int    `json:"sensitivity"` // 1 (large and clear movement only) to 5; 0: the default
	Zones       []Zone `json:"zones,omitempty"`
}

// Errors of Check.
var (
	ErrSensitivity = errors.New("sensitivity is 1 to 5")
	ErrZones       = errors.New("too many zones")
	ErrPolygon     = errors.New("a zone has 3 to 32 points inside the picture")
)

// Check reports what is wrong with settings that came from outside.
func (s Settings) Check() error {
	if s.Sensitivity != 0 && (s.Sensitivity < MinSensitivity || s.Sensitivity > MaxSensitivity) {
		return ErrSensitivity
	}
	if len(s.Zones) > MaxZones {
		return ErrZones
	}
	for i, z := range s.Zones {
		if len(z.Points) < 3 || len(z.Points) > MaxPoints {
			return fmt.Errorf("zone %d: %w", i, ErrPolygon)
		}
		for _, p := range z.Points {
			if !(p.X >= 0 && p.X <= 1 && p.Y >= 0 && p.Y <= 1) {
				return fmt.Errorf("zone %d: %w", i, ErrPolygon)
			}
		}
	}
	return nil
}

// limits is what a sensitivity means.
type limits struct {
	gain float32 // of the thresholds
	area int     // pixels that move, at least
}

func (s Settings) limits() limits {
	n := s.Sensitivity
	if n < MinSensitivity || n > MaxSensitivity {
		n = DefaultSensitivity
	}
	return [...]limits{{2, 220}, {1.4, 90}, {1, 36}, {0.8, 20}, {0.65, 12}}[n-1]
}

// plan says of each pixel whether it is looked at, and in which zones it lies.
type plan struct {
	looked []bool
	zones  []uint32 // bit n: zone n
	count  int      // of pixels looked at
}

func (s Settings) plan() plan {
	p := plan{looked: make([]bool, pixels), zones: make([]uint32, pixels)}
	some := false
	for _, z := range s.Zones {
		some = some || !z.Ignore
	}
	for i := range p.looked {
		p.looked[i] = !some
	}
	for _, ignore := range []bool{false, true} {
		for n, z := range s.Zones {
			if z.Ignore != ignore || n >= MaxZones {
				continue
			}
			z.fill(func(i int) {
				p.looked[i] = !ignore
				p.zones[i] |= 1 << n
			})
		}
	}
	for _, l := range p.looked {
		if l {
			p.count++
		}
	}
	return p
}

// fill names every pixel whose middle lies in the polygon (by the even-odd rule).
func (z Zone) fill(f func(i int)) {
	for y := range Height {
		cy := (float64(y) + 0.5) / Height
		for x := range Width {
			cx, in := (float64(x)+0.5)/Width, false
			for i, a := range z.Points {
				b := z.Points[(i+1)%len(z.Points)]
				if (a.Y > cy) != (b.Y > cy) && cx < (b.X-a.X)*(cy-a.Y)/(b.Y-a.Y)+a.X {
					in = !in
				}
			}
			if in {
				f(y*Width + x)
			}
		}
	}
}

// Box is where something moves, in parts of the picture.
type Box struct{ Left, Top, Right, Bottom float64 }

func (b Box) with(x, y int) Box {
	return Box{
		math.Min(b.Left, float64(x)/Width), math.Min(b.Top, float64(y)/Height),
		math.Max(b.Right, float64(x+1)/Width), math.Max(b.Bottom, float64(y+1)/Height),
	}
}
