package motion

import (
	"slices"
	"time"
)

// Picture is one look at the scene.
type Picture struct {
	At   time.Duration // on the stream's own time line, which only grows
	Luma []byte        // Width × Height
}

// Kind says what a Change tells.
type Kind byte

// The kinds.
const (
	Began   Kind = iota + 1 // an event began, at At
	Goes                    // it goes on, at At
	Ended                   // it ended, at At: since then the scene has equalled the background
	Dropped                 // the event that was open cannot be told of any further: the scene changed as a whole
)

// Change is what a Detector says of an event. One event is open at a time. It began and ended
// somewhere between two pictures; At is the middle, which errs least.
type Change struct {
	Kind  Kind
	At    time.Duration
	Share float64 // part of the looked-at picture that moves, 0 to 1
	Zones uint32  // bit n: it moves in zone n
	Box   Box     // around all that moves
}

// Times of an event.
const (
	quiet = 1900 * time.Millisecond // the scene equals the background for 2 s, as pictures tell: the event has ended
	apart = 3 * time.Second         // two small sightings so near make one event
	lost  = 5 * time.Minute         // without a picture for so long, the scene is learned anew
	most  = 10 * time.Second        // a step that the background learns from is no longer than this
)

// Detector finds events in the pictures of one camera. One goroutine uses it.
type Detector struct {
	limits limits
	plan   plan

	back                     *background
	at                       time.Duration
	cur, near, shape, limit  []float32
	structure                *structure
	parts                    parts
	bright, seed, same, mask []bool
	what                     []kind
	usualB, usualS           float32 // usual noise, of brightness and of structure
	changed                  int     // pictures in a row that differ as a whole

	open    bool
	before  time.Duration // the picture before this one
	seen    time.Duration // last sighting
	calm    time.Duration // first picture since then without one; 0: there was none
	first   time.Duration // when that which may become an event began
	pending bool
}

// NewDetector makes a detector that knows nothing of the scene yet.
func NewDetector(s Settings) *Detector {
	d := &Detector{usualB: 1.5, usualS: 1, structure: newStructure(), what: make([]kind, pixels)}
	for _, p := range []*[]float32{&d.cur, &d.near, &d.shape, &d.limit} {
		*p = make([]float32, pixels)
	}
	for _, p := range []*[]bool{&d.bright, &d.seed, &d.same, &d.mask} {
		*p = make([]bool, pixels)
	}
	d.Set(s)
	return d
}

// Set changes the settings from the next picture on.
func (d *Detector) Set(s Settings) { d.limits, d.plan = s.limits(), s.plan() }

// Open reports whether an event is open.
func (d *Detector) Open() bool { return d.open }

// Forget lets an event that is open go without a word: nothing more is seen of it. What is known
// of the scene stays.
func (d *Detector) Forget() { d.open, d.pending = false, false }

// Look takes the next picture and says what it changes. A picture of another size or of an
// earlier time is no picture.
func (d *Detector) Look(p Picture) []Change {
	if len(p.Luma) != pixels || d.back != nil && p.At <= d.at {
		return nil
	}
	soften(d.cur, p.Luma)
	gap := p.At - d.at
	d.before, d.at = d.at, p.At
	if d.back == nil || gap > lost {
		return d.begin(p.At)
	}
	dt := float32(min(gap, most).Seconds())
	d.relight()
	d.compare()
	if d.wholeChanged() {
		if d.changed++; d.changed > 2 {
			return d.begin(p.At)
		}
		return nil
	}
	d.changed = 0
	sight := d.sort()
	d.back.learn(d.cur, d.near, d.shape, d.limit, d.what, dt)
	return d.tell(p.At, sight)
}

// begin learns the scene anew.
func (d *Detector) begin(at time.Duration) []Change {
	d.back, d.changed, d.pending = newBackground(slices.Clone(d.cur)), 0, false
	clear(d.mask)
	if !d.open {
		return nil
	}
	d.open = false
	return []Change{{Kind: Dropped, At: at}}
}

// relight moves the background to the light of this picture.
func (d *Detector) relight() {
	d.back.first(d.near)
	l := fitted(d.near, d.cur, func(i int) bool { return !d.mask[i] })
	sum := float32(0)
	for i := 0; i < pixels; i += 16 {
		sum += d.near[i]
	}
	if l.matters(sum / (pixels / 16)) {
		d.back.relight(l)
	}
}

// Thresholds, in levels of luma, at sensitivity 3.
const (
	brighter = 9   // least difference of brightness
	shaped   = 4.5 // least difference of structure
	usually  = 3.5 // and this often the usual difference of the pixel
	goesOn   = 0.7 // an open event goes on above this part of both
	early    = 8   // seconds in which the usual differences are not well known
)

// compare marks the pixels that differ in brightness and in structure.
func (d *Detector) compare() {
	d.back.nearest(d.near, d.cur)
	lo, hi := slices.Min(d.cur), slices.Max(d.cur)
	for i, v := range d.near {
		d.limit[i] = min(max(v, lo), hi) // what the sensor cannot show is not there
	}
	d.structure.compare(d.shape, d.same, d.limit, d.cur)
	unsure := 1 + max(0, 1-d.back.age/early)*0.5
	gain := d.limits.gain * unsure
	if d.open {
		gain *= goesOn
	}
	noiseB, noiseS := d.noise()
	// What suddenly differs everywhere is another scene and no noise.
	noiseB, noiseS = min(noiseB, 1.5*d.usualB+1), min(noiseS, 2*d.usualS+1)
	d.usualB += (noiseB - d.usualB) / 16
	d.usualS += (noiseS - d.usualS) / 16
	clear(d.what)
	for i, c := range d.cur {
		diff := abs(c - d.limit[i])
		d.limit[i] = gain*brighter + usually*max(d.back.differ[i], noiseB)
		d.bright[i] = diff > d.limit[i]
		d.seed[i] = d.shape[i] > gain*shaped+usually*max(d.back.shape[i], noiseS)
	}
	d.edges()
}

// edges takes back the seeds at the edge of a place that shows the background in another light:
// a lamp's cone, a shadow.
func (d *Detector) edges() {
	for i := range d.same {
		d.same[i] = d.same[i] && d.bright[i] && !d.seed[i]
	}
	for i, same := range d.same {
		if !same {
			continue
		}
		n := 0
		around(i, 1, func(k int) {
			if d.same[k] {
				n++
			}
		})
		if n == 9 {
			around(i, reach+2, func(k int) { d.what[k] = lit })
		}
	}
	for i, k := range d.what {
		if k == lit {
			d.seed[i] = false
		}
	}
}

// noise is what most pixels differ by in this picture: what moves is never most of them.
func (d *Detector) noise() (bright, shape float32) {
	var b, s [256]int
	for i := range d.cur {
		b[min(int(abs(d.cur[i]-d.limit[i])*8), 255)]++
		s[min(int(d.shape[i]*8), 255)]++
	}
	return median(&b) / 8, median(&s) / 8
}

func median(hist *[256]int) float32 {
	left := pixels / 2
	for v, n := range hist {
		if left -= n; left < 0 {
			return float32(v)
		}
	}
	return 255
}

// Tiles, to tell a change of the whole scene from something large.
const (
	tilesX, tilesY = 8, 6
	tileFull       = 6 // a sixth of its pixels
	tilesMost      = 0.75
)

// wholeChanged reports whether the structure changed nearly everywhere: the camera was turned,
// it switched to night, or somebody put a hand on it.
func (d *Detector) wholeChanged() bool {
	var tile [tilesX * tilesY]int
	for i, s := range d.seed {
		if s {
			tile[i/Width*tilesY/Height*tilesX+i%Width*tilesX/Width]++
		}
	}
	full := 0
	for _, n := range tile {
		if n*tileFull >= pixels/(tilesX*tilesY) {
			full++
		}
	}
	return float64(full) >= tilesMost*tilesX*tilesY
}

// sighting is what moves in one picture.
type sighting struct {
	area, seeds int
	zones       uint32
	box         Box
}

// sort decides which parts move, and what the background may learn of each pixel.
func (d *Detector) sort() sighting {
	s := sighting{box: Box{1, 1, 0, 0}}
	for i := range d.what {
		d.what[i] = still
		if d.bright[i] {
			d.what[i] = lit
		}
	}
	clear(d.mask)
	least := d.limits.area
	if d.open {
		least = (least + 1) / 2
	}
	d.parts.find(func(i int) bool { return d.bright[i] || d.seed[i] }, d.bright, d.seed)
	for _, p := range d.parts.list {
		if p.seeds < least || p.area < least/2 || p.seeds*6 < p.area {
			continue
		}
		if d.uncovered(p) {
			for _, i := range d.parts.order[p.from:p.to] {
				d.back.renew(int(i), d.cur[i])
				d.near[i] = d.cur[i]
			}
			continue
		}
		area, seeds := 0, 0
		d.guard(p)
		for _, i := range d.parts.order[p.from:p.to] {
			d.mask[i] = true
			if !d.plan.looked[i] {
				continue
			}
			if d.bright[i] {
				area++
			}
			if d.seed[i] {
				seeds++
			}
		}
		if seeds < least || area < least/2 {
			continue // it moves, but where nobody looks
		}
		s.area += area
		s.seeds += seeds
		for _, i := range d.parts.order[p.from:p.to] {
			if d.plan.looked[i] && (d.bright[i] || d.seed[i]) {
				s.zones |= d.plan.zones[i]
				s.box = s.box.with(int(i)%Width, int(i)/Width)
			}
		}
	}
	for i, m := range d.mask {
		if m {
			around(i, 2, func(n int) {
				if d.what[n] != inMotion {
					d.what[n] = guarded
				}
			})
			d.what[i] = inMotion
		}
	}
	return s
}

// guard keeps the background from learning what lies inside of a part: where something large has
// the colour of what is behind it.
func (d *Detector) guard(p part) {
	var from, to [Height]int
	for y := range from {
		from[y] = Width
	}
	for _, i := range d.parts.order[p.from:p.to] {
		x, y := int(i)%Width, int(i)/Width
		from[y], to[y] = min(from[y], x), max(to[y], x+1)
	}
	for y := range from {
		for x := from[y]; x < to[y]; x++ {
			d.what[y*Width+x] = guarded
		}
	}
}

// tell makes events of sightings.
func (d *Detector) tell(at time.Duration, s sighting) []Change {
	c := Change{At: at, Zones: s.zones, Box: s.box, Share: float64(s.area) / float64(max(d.plan.count, 1))}
	if s.seeds == 0 {
		if d.calm == 0 {
			d.calm = middle(d.seen, at)
		}
		if !d.open || at-d.seen < quiet {
			return nil
		}
		d.open = false
		return []Change{{Kind: Ended, At: d.calm}}
	}
	near := at-d.seen <= apart
	d.seen, d.calm = at, 0
	if d.open {
		c.Kind = Goes
		return []Change{c}
	}
	again := d.pending && near
	if !again {
		d.pending, d.first = true, middle(d.before, at)
	}
	if !again && (s.seeds < 3*d.limits.area || d.back.age < early/4) {
		return nil
	}
	d.pending, d.open = false, true
	c.Kind, c.At = Began, d.first
	return []Change{c}
}

func middle(a, b time.Duration) time.Duration { return a + (b-a)/2 }
