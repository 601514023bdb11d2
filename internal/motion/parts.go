package motion

// part is a connected part of the picture that differs from the background.
type part struct {
	from, to int // its pixels in parts.order
	area     int // pixels of other brightness
	seeds    int // pixels of other structure
}

// parts finds connected parts, by 8 neighbours.
type parts struct {
	order []int32
	stack []int32
	taken []bool
	list  []part
}

func (p *parts) find(in func(i int) bool, bright, seed []bool) {
	if p.taken == nil {
		p.taken = make([]bool, pixels)
	}
	clear(p.taken)
	p.order, p.list = p.order[:0], p.list[:0]
	for start := range pixels {
		if p.taken[start] || !in(start) {
			continue
		}
		this := part{from: len(p.order)}
		p.stack = append(p.stack[:0], int32(start))
		p.taken[start] = true
		for len(p.stack) > 0 {
			i := int(p.stack[len(p.stack)-1])
			p.stack = p.stack[:len(p.stack)-1]
			p.order = append(p.order, int32(i))
			if bright[i] {
				this.area++
			}
			if seed[i] {
				this.seeds++
			}
			around(i, 1, func(n int) {
				if !p.taken[n] && in(n) {
					p.taken[n] = true
					p.stack = append(p.stack, int32(n))
				}
			})
		}
		this.to = len(p.order)
		p.list = append(p.list, this)
	}
}

// around names the pixels at most r away from i.
func around(i, r int, f func(n int)) {
	x, y := i%Width, i/Width
	for ny := max(y-r, 0); ny <= min(y+r, Height-1); ny++ {
		for nx := max(x-r, 0); nx <= min(x+r, Width-1); nx++ {
			f(ny*Width + nx)
		}
	}
}

// soften writes the 3×3 mean of a picture to dst.
func soften(dst []float32, luma []byte) {
	for y := range Height {
		for x := range Width {
			sum, n := 0, 0
			for ny := max(y-1, 0); ny <= min(y+1, Height-1); ny++ {
				for nx := max(x-1, 0); nx <= min(x+1, Width-1); nx++ {
					sum += int(luma[ny*Width+nx])
					n++
				}
			}
			dst[y*Width+x] = float32(sum) / float32(n)
		}
	}
}
