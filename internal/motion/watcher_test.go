package motion

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/decode"
	"candor/internal/live/livetest"
	"candor/internal/media"
	"candor/internal/permit"
)

// decoder lets a test come between a watcher and the real decoder.
type decoder struct {
	Decoder
	before func(q decode.Sequence, units []*media.Unit) error
}

func (d decoder) Grey(ctx context.Context, q decode.Sequence, units ...*media.Unit) ([]byte, error) {
	if err := d.before(q, units); err != nil {
		return nil, err
	}
	return d.Decoder.Grey(ctx, q, units...)
}

// running is a watcher that runs.
type running struct {
	*Watcher
	stream *media.Stream
	sink   *sink
	lease  *permit.Lease
	done   chan struct{}
}

func start(t *testing.T, p Decoder, c *livetest.Clip) *running {
	t.Helper()
	r := &running{stream: livetest.Stream(media.Main), sink: &sink{zero: zero}, done: make(chan struct{})}
	r.lease = permit.NewIssuer(clock.Wall).Lease(context.Background(), permit.Grant{Actor: permit.System("motion")})
	r.Watcher = &Watcher{Decoder: p, Sink: r.sink, Streams: func() []*media.Stream { return []*media.Stream{r.stream} }}
	r.stream.Describe(c.Desc)
	t.Cleanup(func() {
		r.lease.End(nil)
		<-r.done
		r.stream.Close()
	})
	return r
}

// play writes the units of a clip from one second to another.
func (r *running) play(c *livetest.Clip, from, to float64) {
	part := &livetest.Clip{}
	for _, u := range c.Units {
		if s := ticks(u.DTS).Seconds(); s >= from && s < to {
			part.Units = append(part.Units, u)
		}
	}
	feed(r.stream, r.Watcher, part, func() {
		if from == 0 {
			go func() {
				defer close(r.done)
				r.Run(r.lease)
			}()
		}
	})
}

func (s *sink) state() (events int, open bool, why []Why) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events), s.open, slices.Clone(s.why)
}

// until waits for a condition.
func until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("never came: ", what)
		}
	}
}

func TestNothingIsLookedAtBeyondTheLease(t *testing.T) {
	c := livetest.Load(t, "people.sub.mp4")
	r := start(t, pool(t), c)
	r.play(c, 0, 12)
	if n, open, _ := r.sink.state(); n != 1 || !open {
		t.Fatalf("%d events, open %v, with somebody in the room", n, open)
	}
	looked := r.Stats().Looked
	r.lease.Pause()
	r.play(c, 12, 16)
	if now := r.Stats().Looked; now != looked {
		t.Errorf("%d pictures were looked at while the lease was paused", now-looked)
	}
	r.lease.Resume()
	r.play(c, 16, 18)
	if r.Stats().Looked == looked {
		t.Error("nothing is looked at after the lease was resumed")
	}
	r.lease.End(nil)
	<-r.done
	if n, open, why := r.sink.state(); n != 1 || open || !slices.Equal(why, []Why{Over}) {
		t.Errorf("%d events, open %v, ended for %v; want the one, ended with the lease", n, open, why)
	}
}

// A child that is lost in the middle of a group costs nothing: it is made up for.
func TestALostChildIsMadeUpFor(t *testing.T) {
	c := livetest.Load(t, "cars.mp4").Without(false)
	calls, begins := 0, 0
	p := pool(t)
	r := start(t, decoder{p, func(q decode.Sequence, units []*media.Unit) error {
		calls++
		if q.Begins {
			begins++
		}
		if calls == 5 {
			return errors.New("lost")
		}
		return nil
	}}, c)
	r.play(c, 0, 12)
	s := r.Stats()
	if s.Failed > 0 || s.Looked < 11 || begins != 2 {
		t.Errorf("%+v, sequences begun %d times; want twice and no picture lost", s, begins)
	}
	if n, _, _ := r.sink.state(); n != 1 {
		t.Errorf("%d events, want one", n)
	}
}

// A camera whose pictures cannot be decoded is asked less and less.
func TestWhatCannotBeDecodedIsLeftAloneForAWhile(t *testing.T) {
	c := livetest.Load(t, "people.sub.mp4")
	calls := 0
	r := start(t, decoder{pool(t), func(decode.Sequence, []*media.Unit) error {
		calls++
		return errors.New("no picture")
	}}, c)
	r.play(c, 0, 60)
	if s := r.Stats(); s.Looked > 0 || s.Failed < 3 || calls > 15 {
		t.Errorf("%+v after %d calls in 60 s; want some tries, fewer and fewer", s, calls)
	}
}

func TestKeyPicturesAloneWhereTheDecoderKnowsNothingElse(t *testing.T) {
	c := livetest.Load(t, "cars.mp4").Without(false)
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &decode.Pool{Path: path, Engine: "ffmpeg", Timeout: 20 * time.Second}
	defer p.Close()
	r := start(t, p, c)
	r.play(c, 0, 30.1)
	if s := r.Stats(); !s.Keys || s.Failed > 0 || s.Looked < 3 || s.Looked > 4 {
		t.Errorf("%+v, want the key pictures of 30 s", s)
	}
}

// A watcher that falls behind goes on with what is new, and says what it left out.
func TestALateWatcherSkips(t *testing.T) {
	c := livetest.Load(t, "people.sub.mp4")
	var slow atomic.Bool
	release := make(chan struct{})
	r := start(t, decoder{pool(t), func(decode.Sequence, []*media.Unit) error {
		if slow.Load() {
			<-release
		}
		return nil
	}}, c)
	r.play(c, 0, 6)
	slow.Store(true)
	for _, u := range c.Units {
		if s := ticks(u.DTS).Seconds(); s >= 6 && s < 30 {
			v := *u
			v.Wall = zero + clock.Millis(ticks(u.DTS).Milliseconds())
			r.stream.Write(&v)
		}
	}
	looked := r.Stats().Looked
	slow.Store(false)
	close(release)
	r.play(c, 30, 34)
	if s := r.Stats(); s.Skipped < 5 || s.Looked-looked > 7 || s.Looked == looked {
		t.Errorf("%+v after %d pictures before; want what is old left out", s, looked)
	}
}

func TestASilentCameraEndsItsEvent(t *testing.T) {
	c := livetest.Load(t, "people.sub.mp4")
	r := start(t, pool(t), c)
	r.patience = 300 * time.Millisecond
	r.play(c, 0, 12)
	r.stream.Interrupt()
	until(t, "the end of the event", func() bool { _, open, _ := r.sink.state(); return !open })
	if n, _, why := r.sink.state(); n != 1 || !slices.Equal(why, []Why{Silence}) {
		t.Errorf("%d events, ended for %v", n, why)
	}
	// It comes back, with other tracks and another time line.
	other := livetest.Load(t, "people.sub.mp4")
	r.stream.Describe(other.Desc)
	looked, next := r.Stats().Looked, 0
	until(t, "a look after the camera came back", func() bool {
		if next == len(other.Units) {
			return r.Stats().Looked > looked
		}
		v := *other.Units[next]
		v.PTS, v.DTS, v.Wall = v.PTS+1000, v.DTS+1000, zero+clock.Millis(60_000+ticks(v.DTS).Milliseconds())
		r.stream.Write(&v)
		next++
		return r.Stats().Looked > looked
	})
}

func TestTheSmallestStreamThatRunsIsWatched(t *testing.T) {
	large, small := livetest.Stream(media.Main), livetest.Stream(media.Sub)
	defer large.Close()
	defer small.Close()
	all := []*media.Stream{large, small}
	if choose(all) != nil {
		t.Error("a stream that does not run was chosen")
	}
	for s, name := range map[*media.Stream]string{large: "people.mp4", small: "people.sub.mp4"} {
		c := livetest.Load(t, name).Without(false)
		s.Describe(c.Desc)
		s.Write(c.Units[0])
	}
	if choose(all) != small {
		t.Error("the smaller one was not chosen")
	}
	small.Interrupt()
	if choose(all) != large {
		t.Error("the one that runs was not chosen")
	}
}

func TestHowFarKeyPicturesAreApart(t *testing.T) {
	track := &media.Track{Codec: media.H264}
	at := func(s float64, key bool) *media.Unit {
		return &media.Unit{Track: track, DTS: int64(s * media.TickRate), Key: key}
	}
	var g gop
	for i, step := range []struct {
		s     float64
		key   bool
		short bool
	}{
		{0, true, false}, {1, false, false}, {2, true, false}, {3, false, false}, {4, true, true}, {5, false, true},
		{6.05, false, true}, {6.2, false, false}, // the next is late
		{9, true, false}, {10, true, false}, {11, true, true}, {12.5, true, true},
	} {
		if g.see(at(step.s, step.key)); g.short() != step.short {
			t.Errorf("step %d: short %v, want %v", i, g.short(), step.short)
		}
	}
}

func TestTheTimeLineOnlyGrows(t *testing.T) {
	a, b := &media.Track{}, &media.Track{}
	var l timeLine
	last := time.Duration(-1)
	for _, u := range []*media.Unit{
		{Track: a, PTS: 90000, Wall: 1000}, {Track: a, PTS: 180000, Wall: 2000}, {Track: b, PTS: 0, Wall: 4000},
		{Track: b, PTS: 90000, Wall: 5000}, {Track: a, PTS: 500, Wall: 100}, {Track: a, PTS: 400, Wall: 100},
	} {
		at := l.at(u)
		if at <= last {
			t.Errorf("%v after %v", at, last)
		}
		last = at
	}
	var m timeLine
	m.at(&media.Unit{Track: a, PTS: 9, Wall: 1000})
	from := m.at(&media.Unit{Track: a, PTS: 9 + 90000, Wall: 2000})
	if d := m.at(&media.Unit{Track: b, PTS: 77, Wall: 5000}) - from; d != 3*time.Second {
		t.Errorf("across a change of streams %v passed, want 3 s", d)
	}
}
