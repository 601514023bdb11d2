package motion

// How a place that something has left is told from something that stands there.
const (
	settled   = 4   // seconds that most of it has looked the same
	edge      = 12  // levels: the background's usual edge along it
	lessEdged = 2.2 // and this many times the picture's
)

// uncovered reports whether a part is a place that something has left: its outline is an edge of
// the background and none of the picture. So it is with what stood there when the watching began
// or was absorbed, and has gone.
func (d *Detector) uncovered(p part) bool {
	var outline, now, then, same, all float32
	for _, n := range d.parts.order[p.from:p.to] {
		i := int(n)
		if !d.bright[i] {
			continue
		}
		all++
		if d.back.lasted(i, d.cur[i], d.limit[i]) >= settled {
			same++
		}
		x, y := i%Width, i/Width
		if x == 0 || y == 0 || x == Width-1 || y == Height-1 ||
			d.bright[i-1] && d.bright[i+1] && d.bright[i-Width] && d.bright[i+Width] {
			continue
		}
		outline++
		now += steep(d.cur, i)
		then += steep(d.near, i)
	}
	return outline >= 8 && same >= 0.6*all && then > edge*outline && then > lessEdged*now
}

// steep is how much a picture changes around a pixel inside of it.
func steep(v []float32, i int) float32 {
	return abs(v[i+1]-v[i-1]) + abs(v[i+Width]-v[i-Width])
}

// lasted is for how long a pixel has shown about this value without its being background.
func (b *background) lasted(i int, v, limit float32) float32 {
	for _, k := range b.mode[i] {
		if !k.back && k.time > 0 && abs(k.value-v) <= max(limit, 8) {
			return k.time
		}
	}
	return 0
}

// renew makes what a pixel shows its whole background.
func (b *background) renew(i int, v float32) {
	b.mode[i] = [modes]mode{{value: v, time: absorbed, back: true}}
}
