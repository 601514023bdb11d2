package rtsp

import (
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/media"
)

// rig is a line on which time passes only when the test says so.
type rig struct {
	wall  *clock.Virtual
	line  *line
	begin time.Time
	past  time.Duration
	jumps []time.Duration
	ties  []time.Duration
}

func newRig() *rig {
	r := &rig{wall: clock.NewVirtual(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))}
	r.line = newLine(r.wall)
	r.begin = r.line.begin
	r.line.onJump = func(d time.Duration) { r.jumps = append(r.jumps, d) }
	r.line.onTie = func(d time.Duration) { r.ties = append(r.ties, d) }
	return r
}

func (r *rig) pass(d time.Duration) { r.past += d; r.wall.Advance(d) }
func (r *rig) now() time.Time       { return r.begin.Add(r.past) }
func (r *rig) place(rate int) *place {
	return &place{line: r.line, rate: int64(rate)}
}

func TestLineWrapsAround(t *testing.T) {
	r := newRig()
	p := r.place(90000)
	rtp := uint32(0xffffffff - 9000)
	last := int64(-1)
	for range 50 {
		at, ok, jumped := p.at(rtp, r.now())
		if !ok || jumped || (last >= 0 && at != last+3600) {
			t.Fatalf("at %d after %d, ok %v, jumped %v", at, last, ok, jumped)
		}
		last = at
		rtp += 3600
		r.pass(40 * time.Millisecond)
	}
	if len(r.jumps) != 0 {
		t.Errorf("jumps %v where there were none", r.jumps)
	}
}

func TestLineNeverGoesBack(t *testing.T) {
	r := newRig()
	p := r.place(90000)
	rtp, last := uint32(5000), int64(-1)
	for i := range 400 {
		switch i {
		case 100:
			rtp += 90000 * 3600
		case 200:
			rtp -= 90000 * 7200
		case 300:
			p.untie() // a reconnect, with another clock
			rtp = 77
			r.pass(10 * time.Second)
		}
		at, ok, _ := p.at(rtp, r.now())
		if !ok || at <= last {
			t.Fatalf("unit %d at %d after %d, ok %v", i, at, last, ok)
		}
		last = at
		rtp += 3600
		r.pass(40 * time.Millisecond)
	}
	if len(r.jumps) != 2 {
		t.Errorf("told of jumps %v, want 2", r.jumps)
	}
	if want := r.line.elapsed(r.now()); want-last > 2*media.TickRate || last > want {
		t.Errorf("line is at %d, our clock at %d", last, want)
	}
}

func TestStallIsNoJump(t *testing.T) {
	r := newRig()
	p := r.place(90000)
	p.at(0, r.now())
	r.pass(30 * time.Second) // then everything held back comes at once
	for i := 1; i < 750; i++ {
		if at, ok, jumped := p.at(uint32(i*3600), r.now()); !ok || jumped || at != int64(i*3600) {
			t.Fatalf("unit %d at %d, ok %v, jumped %v", i, at, ok, jumped)
		}
	}
}

// A camera whose crystal is 100 ppm slow: over an hour the wall clock stays right.
func TestDriftIsFollowed(t *testing.T) {
	for _, ppm := range []float64{100, -100} {
		r := newRig()
		p := r.place(90000)
		ticks, last := 0.0, clock.Millis(0)
		for range 36000 {
			at, _, _ := p.at(uint32(int64(ticks)), r.now())
			wall := p.steady(r.line.wallAt(at, clock.At(r.wall.Now())))
			if wall < last || wall > last+300 && last != 0 {
				t.Fatalf("wall steps from %d to %d", last, wall)
			}
			last = wall
			if off := int64(clock.At(r.wall.Now()) - wall); off < -100 || off > 100 {
				t.Fatalf("%v ppm: after %v the wall clock is off by %d ms", ppm, r.past, off)
			}
			ticks += 9000 * (1 - ppm/1e6)
			r.pass(100 * time.Millisecond)
		}
		if len(r.ties) != 0 || len(r.jumps) != 0 {
			t.Errorf("%v ppm: ties %v, jumps %v; drift is neither", ppm, r.ties, r.jumps)
		}
	}
}

func TestOurOwnClockIsSet(t *testing.T) {
	for _, by := range []time.Duration{time.Hour, -time.Hour} {
		r := newRig()
		p := r.place(90000)
		var off time.Duration
		for i := range 400 {
			if i == 100 {
				r.wall.Advance(by)
			}
			at, ok, jumped := p.at(uint32(i*9000), r.now())
			if !ok || jumped || at != int64(i*9000) {
				t.Fatal("setting our clock moved the line")
			}
			off = r.wall.Now().Sub(r.line.wallAt(at, clock.At(r.wall.Now())).Time())
			r.pass(100 * time.Millisecond)
		}
		if off.Abs() > 100*time.Millisecond {
			t.Errorf("set by %v: still off by %v after half a minute", by, off)
		}
		if len(r.ties) != 1 {
			t.Errorf("set by %v: told %v, want once", by, r.ties)
		}
	}
}

// Sound that began 300 ms off is moved once both clocks are known, and its time never goes back.
func TestSoundIsAlignedByReports(t *testing.T) {
	for _, early := range []int64{300, -300} { // ms
		r := newRig()
		picture, sound := r.place(90000), r.place(48000)
		const ntp = uint64(3_900_000_000) << 32
		r.pass(time.Second)
		picture.at(1000, r.now())
		sound.at(uint32(5000+48*early), r.now()) // arrived together, but were not made together
		picture.hear(ntp, 1000)
		sound.hear(ntp, 5000)
		sound.align(picture)
		last, left := int64(0), 0
		for i := 1; i <= 50; i++ {
			at, ok, jumped := sound.at(uint32(5000+48*early)+uint32(i*960), r.now())
			if jumped {
				t.Fatal("being aligned counts as a jump")
			}
			if !ok {
				left++
				continue
			}
			if at <= last {
				t.Fatalf("sound goes from %d back to %d", last, at)
			}
			last = at
		}
		want := int64(90000) + early*90 + 50*1800 // the line began one second ago
		if last != want {
			t.Errorf("early %d ms: sound is at %d, want %d", early, last, want)
		}
		if (left > 0) != (early < 0) {
			t.Errorf("early %d ms: %d frames left out", early, left)
		}
	}
}

func TestNonsenseReportsMoveNothing(t *testing.T) {
	r := newRig()
	picture, sound := r.place(90000), r.place(48000)
	picture.at(0, r.now())
	sound.at(0, r.now())
	picture.hear(uint64(3_900_000_000)<<32, 0)
	sound.hear(uint64(1)<<32, 0)
	before := sound.offset
	sound.align(picture)
	sound.hear(uint64(3_900_000_000)<<32, 48000*50)
	sound.align(picture)
	if sound.offset != before {
		t.Errorf("moved by %d", sound.offset-before)
	}
}
