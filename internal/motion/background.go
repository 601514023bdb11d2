package motion

// Times of the background, in seconds.
const (
	absorbed = 60  // what was seen this long belongs to the background
	longest  = 120 // a value's time grows no further
	follow   = 12  // a background pixel follows slow change this slowly
	hurry    = 4   // and one whose light alone changed this slowly
	modes    = 3
)

// mode is one value that a pixel shows, and for how long it has. Time in which it is not seen
// takes a third of itself away: a branch that sways between leaf and sky has two modes in the
// background after some minutes, a person who walks by now and then has none.
type mode struct {
	value, time float32
	back        bool // belongs to the background
}

// background is what a scene shows when nothing moves: up to three values for each pixel, and
// how much it usually differs from them.
type background struct {
	mode   [][modes]mode
	differ []float32 // usual difference of intensity
	shape  []float32 // usual difference of structure
	age    float32   // seconds since it began
}

func newBackground(cur []float32) *background {
	b := &background{mode: make([][modes]mode, len(cur)), differ: make([]float32, len(cur)), shape: make([]float32, len(cur))}
	for i, v := range cur {
		b.mode[i][0] = mode{value: v, time: absorbed, back: true}
		b.differ[i], b.shape[i] = 1.5, 1
	}
	return b
}

// first writes each pixel's longest seen background value to dst.
func (b *background) first(dst []float32) {
	for i := range b.mode {
		best := -1
		for m := range b.mode[i] {
			if k := &b.mode[i][m]; k.back && (best < 0 || k.time > b.mode[i][best].time) {
				best = m
			}
		}
		dst[i] = b.mode[i][best].value
	}
}

// nearest writes each pixel's background value that is nearest to cur to dst.
func (b *background) nearest(dst, cur []float32) {
	for i := range b.mode {
		near := float32(1e9)
		for _, k := range b.mode[i] {
			if k.back && abs(k.value-cur[i]) < abs(near-cur[i]) {
				near = k.value
			}
		}
		dst[i] = near
	}
}

// relight moves every value to a new light.
func (b *background) relight(l light) {
	for i := range b.mode {
		for m := range b.mode[i] {
			b.mode[i][m].value = l.of(b.mode[i][m].value)
		}
	}
}

// kind is what became of a pixel.
type kind byte

const (
	still    kind = iota // as the background
	lit                  // of another brightness, but nothing stands there
	guarded              // near what moves: not touched
	inMotion             // part of what moves
)

// learn takes the picture in. near is each pixel's background value, as nearest wrote it.
func (b *background) learn(cur, near, shape, limit []float32, what []kind, dt float32) {
	b.age += dt
	slow, fast := min(dt/follow, 0.5), min(dt/hurry, 0.5)
	steady := dt / min(max(b.age, 4), 30) // the usual differences are learned quickly at first
	for i := range b.mode {
		c, ks := cur[i], &b.mode[i]
		d := abs(c - near[i])
		k := what[i]
		if k == still || k == lit {
			b.differ[i] += steady * (min(d, 3*b.differ[i]+4) - b.differ[i])
			b.shape[i] += steady * (min(shape[i], 3*b.shape[i]+4) - b.shape[i])
		}
		seen, weakest := -1, -1
		for m := range ks {
			kk := &ks[m]
			if kk.time > 0 && kk.back && kk.value == near[i] && (d <= limit[i] || k == lit) {
				seen = m
			}
		}
		if seen < 0 {
			for m := range ks {
				if kk := &ks[m]; kk.time > 0 && !kk.back && abs(kk.value-c) <= max(limit[i], 8) {
					seen = m
					break
				}
			}
		}
		for m := range ks {
			kk := &ks[m]
			switch {
			case m == seen:
				kk.time = min(kk.time+dt, longest)
			case kk.time > 0:
				kk.time -= dt / 3
			}
			if kk.time <= 0 && !(kk.back && b.only(i, m)) {
				*kk = mode{}
			}
			if !kk.back && (weakest < 0 || kk.time < ks[weakest].time) {
				weakest = m
			}
		}
		switch {
		case seen < 0 && weakest >= 0:
			ks[weakest] = mode{value: c, time: dt}
		case seen < 0:
		case !ks[seen].back:
			ks[seen].value += min(dt/3, 0.5) * (c - ks[seen].value)
			ks[seen].back = ks[seen].time >= absorbed
		case k == still:
			ks[seen].value += slow * (c - ks[seen].value)
		case k == lit:
			ks[seen].value += fast * (c - ks[seen].value)
		}
	}
}

// only reports whether mode m is the pixel's last background value.
func (b *background) only(i, m int) bool {
	for n, k := range b.mode[i] {
		if n != m && k.back {
			return false
		}
	}
	return true
}

func abs(v float32) float32 {
	if v < 0 {
		return -v
	}
	return v
}
