package rtsp

import (
	"time"

	"candor/internal/clock"
	"candor/internal/media"
)

// What the line tolerates, in ticks.
const (
	jumpAhead = 5 * media.TickRate     // further ahead of its arrival than this is a jump
	jumpBack  = 3 * media.TickRate / 2 // reordering never goes back further than this
)

// line is a stream's 90 kHz time line and its tie to the wall clock. It outlives connections. One
// goroutine uses it.
type line struct {
	begin time.Time // monotonic; tick 0
	clock clock.Clock
	wall  wall

	onJump func(by time.Duration)  // a camera's clock jumped; the line went on
	onTie  func(off time.Duration) // the wall clock was tied anew
}

func newLine(c clock.Clock) *line {
	return &line{
		begin:  time.Now(),
		clock:  c,
		onJump: func(time.Duration) {},
		onTie:  func(time.Duration) {},
	}
}

// elapsed is where the line would be if the camera's clock ran like ours.
func (l *line) elapsed(now time.Time) int64 {
	d := now.Sub(l.begin)
	return int64(d/time.Second)*media.TickRate + int64(d%time.Second)*media.TickRate/int64(time.Second)
}

// place puts one track's RTP time stamps on the line.
type place struct {
	line     *line
	rate     int64 // RTP ticks a second
	reorders bool  // time stamps may go back a little

	tied     bool
	rtp      uint32 // last time stamp
	ticks    int64  // of rtp, unwrapped, in RTP ticks
	offset   int64  // line = ticks scaled + offset
	last     int64  // newest place on the line that was handed out
	used     bool   // last was handed out
	arrived  time.Time
	interval int64 // between the last two time stamps on the line
	owed     int64 // after a step back: what lies this far behind last is left out
	report   report
	wall     clock.Millis // of the newest unit
}

// report is what the camera says of its own clock: at this place on the line it showed ntp.
type report struct {
	known bool
	ntp   uint64
	tick  int64
}

// untie forgets the camera's clock, as after a reconnect. The line goes on.
func (p *place) untie() { p.tied, p.report = false, report{} }

// at is where a unit with that RTP time stamp lies on the line. It reports false for a unit to
// leave out, and whether the camera's clock jumped before it.
func (p *place) at(rtp uint32, now time.Time) (tick int64, ok, jumped bool) {
	if !p.tied {
		p.anchor(rtp, now)
		return p.last, true, false
	}
	p.ticks += int64(int32(rtp - p.rtp))
	p.rtp = rtp
	at := p.scaled() + p.offset
	step := at - p.last
	if step <= 0 && -step <= p.owed {
		p.arrived = now
		return 0, false, false
	}
	back := int64(0)
	if p.reorders {
		back = jumpBack
	}
	wait := p.line.elapsed(now) - p.line.elapsed(p.arrived)
	if step < -back || (step <= 0 && !p.reorders) || step > wait+jumpAhead {
		p.anchor(rtp, now)
		if off := at - p.last; off > media.TickRate/10 || off < -media.TickRate/10 {
			p.line.onJump(time.Duration(off) * time.Second / media.TickRate)
			return p.last, true, true
		}
		return p.last, true, false
	}
	if step > 0 {
		p.interval, p.owed = step, 0
	}
	p.arrived = now
	p.last = max(p.last, at)
	return at, true, false
}

// anchor ties the camera's clock to the line: this unit lies where our monotonic clock is, and
// after everything before.
func (p *place) anchor(rtp uint32, now time.Time) {
	at := p.line.elapsed(now)
	if p.used {
		at = max(at, p.last+max(p.interval, 1))
	}
	p.tied, p.used, p.rtp, p.ticks = true, true, rtp, 0
	p.offset, p.last, p.arrived = at, at, now
	p.owed, p.report = 0, report{}
}

func (p *place) scaled() int64 {
	return p.ticks/p.rate*media.TickRate + p.ticks%p.rate*media.TickRate/p.rate
}

// hear takes a sender report of the camera.
func (p *place) hear(ntp uint64, rtp uint32) {
	if !p.tied {
		return
	}
	d := int64(int32(rtp - p.rtp))
	p.report = report{known: true, ntp: ntp, tick: p.scaled() + p.offset + d*media.TickRate/p.rate}
}

// steady keeps a track's wall times from going back by what the tie is corrected. Only a tie
// that is made anew, which is told, may set them back.
func (p *place) steady(at clock.Millis) clock.Millis {
	if at < p.wall && p.wall-at <= retieMS {
		return p.wall
	}
	p.wall = at
	return at
}

// What sound may be off before it is moved, and what it may be off at all.
const (
	alignFrom = media.TickRate / 50
	alignTo   = 10 * media.TickRate
)

// align moves p so that the camera's clock shows the same at the same place of both tracks. What
// was handed out stays: after a step back, units are left out until the line is reached again.
func (p *place) align(to *place) {
	if !p.report.known || !to.report.known {
		return
	}
	apart := ntpTicks(to.report.ntp) - ntpTicks(p.report.ntp)
	by := to.report.tick - p.report.tick - apart
	if apart < -6*alignTo || apart > 6*alignTo || by < -alignTo || by > alignTo || (by > -alignFrom && by < alignFrom) {
		return
	}
	p.offset += by
	p.report.tick += by
	if by < 0 {
		p.owed += -by
	}
}

// ntpTicks converts an NTP time (RFC 5905: seconds in 32.32 fixed point) to ticks.
func ntpTicks(ntp uint64) int64 {
	return int64(ntp>>32)*media.TickRate + int64((ntp&0xffffffff)*media.TickRate>>32)
}

// wall ties the line to the wall clock.
type wall struct {
	tied bool
	tick int64        // at this place on the line
	at   clock.Millis // the wall clock showed this

	windowEnd  int64 // tick at which the window closes
	windowMin  int64 // least lateness (ms) in the window
	windowSeen bool
	slewMicros int64 // remainder of slow correction
}

const (
	window  = 10 * media.TickRate
	slewPPM = 500
	retieMS = 2000 // further off than this is not drift
)

// wallAt is the wall time of a place on the line, learning from a unit that came at now.
//
// A unit cannot arrive before it was made. So the least lateness over a window is how far the
// tie is off; it is corrected by at most 500 ppm. A unit that comes before its time moves the
// tie at once.
func (l *line) wallAt(tick int64, now clock.Millis) clock.Millis {
	w := &l.wall
	if !w.tied {
		w.tied, w.tick, w.at = true, tick, now
		w.open(tick)
		return now
	}
	late := int64(now - w.read(tick))
	switch {
	case late < 0:
		if late < -retieMS {
			l.onTie(time.Duration(late) * time.Millisecond)
		}
		w.tick, w.at = tick, now
		w.open(tick)
		return now
	case !w.windowSeen || late < w.windowMin:
		w.windowSeen, w.windowMin = true, late
	}
	if tick >= w.windowEnd {
		off := w.windowMin
		if off > retieMS {
			l.onTie(time.Duration(off) * time.Millisecond)
		} else {
			w.slewMicros += min(off*1000, window/media.TickRate*slewPPM)
			off = w.slewMicros / 1000
			w.slewMicros %= 1000
		}
		w.at, w.tick = w.read(tick)+clock.Millis(off), tick
		w.open(tick)
	}
	return w.read(tick)
}

func (w *wall) open(tick int64) { w.windowEnd, w.windowSeen = tick+window, false }

func (w *wall) read(tick int64) clock.Millis {
	return w.at + clock.Millis((tick-w.tick)/(media.TickRate/1000))
}
