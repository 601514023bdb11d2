package rtsp

import (
	"bytes"
	"log/slog"
	"sync/atomic"
	"time"

	"candor/internal/clock"
	"candor/internal/media"
)

// intake turns a camera's access units into units of a stream. It outlives connections, so that
// the line goes on and a camera that comes back unchanged keeps its tracks. Its methods are
// called by one goroutine at a time, except lastKey.
type intake struct {
	stream *media.Stream
	open   func() bool // whether anything may be delivered now
	log    *slog.Logger
	line   *line

	video    *media.Track
	facts    facts
	sps, pps []byte // as last heard
	picture  place
	decoding *decoding
	resync   bool // drop pictures until the next key picture
	shut     bool // the lease was not open at the last unit

	audio *media.Track
	sound place

	order    watch
	firstKey func() // called at the next key unit, once

	keyed atomic.Int64 // when the last key unit was delivered, as a duration since begin; 0: none
	begin time.Time
	count int // pictures since the one observed said
	since int64
	told  bool // fps was observed and told
}

func newIntake(stream *media.Stream, c clock.Clock, log *slog.Logger, open func() bool) *intake {
	in := &intake{stream: stream, open: open, log: log, line: newLine(c), begin: time.Now()}
	in.picture = place{line: in.line, rate: media.TickRate}
	jumps, ties := storm{every: time.Minute}, storm{every: time.Minute}
	in.line.onJump = func(by time.Duration) {
		if n := jumps.count(); n > 0 {
			log.Info("camera's clock jumped; the time line goes on", "jump", by.String(), "count", n)
		}
	}
	in.line.onTie = func(off time.Duration) {
		if n := ties.count(); n > 0 {
			log.Info("wall clock tied to the time line anew", "drift", off.String(), "count", n)
		}
	}
	return in
}

// connect prepares for a new connection that offers these parameter sets and this sound.
func (in *intake) connect(sps, pps []byte, audio *media.Track) {
	in.picture.untie()
	in.resync = true
	in.order.held = nil
	if in.decoding != nil {
		in.decoding.reset()
	}
	in.since, in.count = 0, 0
	if !sameSound(in.audio, audio) {
		last := in.sound
		in.audio = audio
		in.sound = place{line: in.line, last: last.last, used: last.used, wall: last.wall}
		if audio != nil {
			in.sound.rate = int64(audio.SampleRate)
		}
	}
	in.sound.untie()
	if sps != nil && pps != nil {
		in.hear(sps, pps)
	}
	if in.video != nil {
		in.describe()
	}
}

func sameSound(a, b *media.Track) bool {
	if a == nil || b == nil {
		return a == b
	}
	return a.Codec == b.Codec && a.SampleRate == b.SampleRate && a.Channels == b.Channels && bytes.Equal(a.Config, b.Config)
}

// hear takes parameter sets. They hold from the next key picture on.
func (in *intake) hear(sps, pps []byte) {
	if sps != nil {
		in.sps = sps
	}
	if pps != nil {
		in.pps = pps
	}
	if in.sps == nil || in.pps == nil {
		return
	}
	if in.video != nil && bytes.Equal(in.video.SPS, in.sps) && bytes.Equal(in.video.PPS, in.pps) {
		return
	}
	f, err := readSPS(in.sps)
	if err != nil {
		in.log.Warn("camera sent parameters that cannot be read", "err", err)
		in.sps = nil
		return
	}
	if in.video != nil && bytes.Equal(in.video.SPS, in.sps) {
		f.reorder = max(f.reorder, in.facts.reorder) // what was observed still holds
		f.fps = max(f.fps, in.video.FPS)
	}
	in.facts = f
	in.order = watch{}
	in.track()
}

// track makes the track that the facts describe.
func (in *intake) track() {
	f := in.facts
	in.video = &media.Track{
		Codec: media.H264, SPS: bytes.Clone(in.sps), PPS: bytes.Clone(in.pps),
		Width: f.width, Height: f.height, FPS: f.fps,
		Reorder: f.reorder == orderChanged, Profile: f.profile,
	}
	in.picture.reorders = in.video.Reorder
	last := in.decoding
	in.decoding = newDecoding(f, in.video.SPS)
	if last != nil {
		in.decoding.last, in.decoding.any = last.last, last.any
	}
	in.resync = true
	in.describe()
}

// describe tells the stream what it consists of, if that has changed.
func (in *intake) describe() {
	if d := in.stream.Description(); d != nil && d.Video() == in.video && d.Audio() == in.audio {
		return
	}
	d := &media.Description{Tracks: []*media.Track{in.video}}
	if in.audio != nil {
		d.Tracks = append(d.Tracks, in.audio)
	}
	in.stream.Describe(d)
}

// pictureIn takes one access unit of the video track.
func (in *intake) pictureIn(au [][]byte, rtp uint32, now time.Time) {
	p := unwrap(au)
	if p.sps != nil || p.pps != nil {
		in.hear(p.sps, p.pps)
	}
	if in.video == nil || !p.shows() {
		return
	}
	a := arrival{p, rtp, now, clock.At(in.line.clock.Now())}
	if !in.order.settled && in.facts.reorder == orderUnknown {
		in.ponder(a)
		return
	}
	if in.facts.reorder == orderUnknown && p.bidirectional() { // the camera kept it to itself so far
		in.facts.reorder = orderChanged
		in.track()
		in.stream.Interrupt()
	}
	in.deliver(a)
}

// deliver places a picture on the line and writes it.
func (in *intake) deliver(a arrival) {
	p := a.picture
	pts, ok, jumped := in.picture.at(a.rtp, a.at)
	if jumped {
		in.sound.untie()
		if in.video.Reorder {
			in.decoding.reset()
			in.resync = true
			in.stream.Interrupt()
		}
	}
	if !ok || (in.resync && !p.key) {
		return
	}
	dts, ok := in.decoding.dts(p, pts)
	if !ok {
		in.decoding.reset()
		in.resync = true
		in.stream.Interrupt()
		return
	}
	if p.key {
		in.observe(pts)
	}
	in.count++
	in.resync = false
	wall := in.picture.steady(in.line.wallAt(dts, a.wall))
	if !in.allowed() {
		return
	}
	u := &media.Unit{Track: in.video, PTS: pts, DTS: dts, Wall: wall, Key: p.key, Data: p.data()}
	if in.stream.Write(u) && p.key {
		in.keyed.Store(int64(time.Since(in.begin)) + 1)
		if f := in.firstKey; f != nil {
			in.firstKey = nil
			f()
		}
	}
}

// onFirstKey has f called at the next key unit that is delivered. Call it before connecting.
func (in *intake) onFirstKey(f func()) { in.firstKey = f }

// soundIn takes the audio frames of one packet; each lasts so many RTP ticks.
func (in *intake) soundIn(frames [][]byte, lasts func([]byte) int64, rtp uint32, now time.Time) {
	if in.audio == nil {
		return
	}
	for _, f := range frames {
		pts, ok, _ := in.sound.at(rtp, now)
		rtp += uint32(lasts(f))
		if !ok || len(f) == 0 || in.resync || !in.line.wall.tied || !in.allowed() {
			continue
		}
		wall := in.sound.steady(in.line.wall.read(pts))
		in.stream.Write(&media.Unit{Track: in.audio, PTS: pts, DTS: pts, Wall: wall, Key: true, Data: bytes.Clone(f)})
	}
}

// allowed reads the lease. A stream that was held back begins again with a key picture.
func (in *intake) allowed() bool {
	if in.open() {
		in.shut = false
		return true
	}
	if !in.shut {
		in.shut, in.resync = true, true
		in.stream.Interrupt()
	}
	return false
}

// observe counts pictures between key pictures, for cameras whose parameters do not tell.
func (in *intake) observe(pts int64) {
	if in.facts.fps > 0 || in.told {
		return
	}
	if in.since == 0 || in.resync {
		in.since, in.count = pts, 0
		return
	}
	if lasts := pts - in.since; lasts >= media.TickRate {
		in.told = true
		in.facts.fps = float64(int64(in.count)*media.TickRate*100/lasts) / 100
		t := *in.video
		t.FPS = in.facts.fps
		in.video = &t
		in.describe()
	}
}

// lastKey is when the last key unit was delivered, as a duration since begin.
func (in *intake) lastKey() time.Duration { return time.Duration(in.keyed.Load()) }
