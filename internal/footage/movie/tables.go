package movie

import "candor/internal/media"

// edit is one entry of an edit list. Its length counts ticks; from counts the track's own scale
// and is −1 for time in which the track shows nothing.
type edit struct{ length, from int64 }

// edits hides what leads in to the shown window, and holds back a track that begins later.
func (t *track) edits(w window) []edit {
	start, end := t.dts[0]+int64(t.cts[0]), t.end+int64(t.cts[len(t.cts)-1])
	if t.video {
		start = w.start
		end = w.end
	}
	end = min(end, w.end)
	var out []edit
	if start > w.start {
		out = append(out, edit{length: start - w.start, from: -1})
	}
	from := max(start, w.start)
	return append(out, edit{length: max(end-from, 1), from: t.scale(from)})
}

// scale turns a moment of the time line into the track's own time, which begins with its first sample.
func (t *track) scale(at int64) int64 {
	return t.ratio(at - t.dts[0])
}

func (t *track) ratio(ticks int64) int64 {
	n := ticks * int64(t.rate)
	if n >= 0 {
		return (n + media.TickRate/2) / media.TickRate
	}
	return -((-n + media.TickRate/2) / media.TickRate)
}

func (t *track) extent() (w, h int) {
	if !t.video {
		return 0, 0
	}
	for _, e := range t.entries {
		w, h = max(w, e.Width), max(h, e.Height)
	}
	return w, h
}

func (f *file) stbl(t *track, front int64) {
	f.full("stsd", 0, 0, func() {
		f.u32(uint32(len(t.entries)))
		for _, e := range t.entries {
			f.entry(e)
		}
	})
	f.full("stts", 0, 0, func() {
		f.pairs(len(t.dts), func(i int) uint32 {
			next := t.end
			if i+1 < len(t.dts) {
				next = t.dts[i+1]
			}
			return uint32(max(t.scale(next)-t.scale(t.dts[i]), 0))
		})
	})
	f.ctts(t)
	if t.video && len(t.keys) < len(t.dts) {
		f.full("stss", 0, 0, func() {
			f.u32(uint32(len(t.keys)))
			for _, k := range t.keys {
				f.u32(k)
			}
		})
	}
	f.stsc(t)
	f.full("stsz", 0, 0, func() {
		f.u32(0)
		f.u32(uint32(len(t.size)))
		for _, s := range t.size {
			f.u32(s)
		}
	})
	if f.wide {
		f.full("co64", 0, 0, func() {
			f.u32(uint32(len(t.runs)))
			for _, r := range t.runs {
				f.u64(uint64(front + f.b.spans[r.span].At))
			}
		})
		return
	}
	f.full("stco", 0, 0, func() {
		f.u32(uint32(len(t.runs)))
		for _, r := range t.runs {
			f.u32(uint32(front + f.b.spans[r.span].At))
		}
	})
}

// pairs writes n values run-length coded, behind the number of runs.
func (f *file) pairs(n int, value func(i int) uint32) {
	at := len(f.out)
	f.u32(0)
	runs, count, last := uint32(0), uint32(0), uint32(0)
	put := func() {
		if count > 0 {
			f.u32(count)
			f.u32(last)
			runs++
		}
	}
	for i := range n {
		v := value(i)
		if i > 0 && v != last {
			put()
			count = 0
		}
		last = v
		count++
	}
	put()
	f.out[at], f.out[at+1], f.out[at+2], f.out[at+3] = byte(runs>>24), byte(runs>>16), byte(runs>>8), byte(runs)
}

func (f *file) ctts(t *track) {
	any, negative := false, false
	for _, c := range t.cts {
		any = any || c != 0
		negative = negative || c < 0
	}
	if !any {
		return
	}
	version := byte(0)
	if negative {
		version = 1
	}
	f.full("ctts", version, 0, func() {
		f.pairs(len(t.cts), func(i int) uint32 { return uint32(int32(t.ratio(int64(t.cts[i])))) })
	})
}

func (f *file) stsc(t *track) {
	f.full("stsc", 0, 0, func() {
		at := len(f.out)
		f.u32(0)
		n := uint32(0)
		for i, r := range t.runs {
			if i > 0 && r.samples == t.runs[i-1].samples && r.entry == t.runs[i-1].entry {
				continue
			}
			f.u32(uint32(i + 1))
			f.u32(r.samples)
			f.u32(r.entry)
			n++
		}
		f.out[at], f.out[at+1], f.out[at+2], f.out[at+3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
	})
}
