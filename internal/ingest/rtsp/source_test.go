package rtsp

import (
	"context"
	"errors"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/democam"
	"candor/internal/media"
)

// pulled is a source at work, with a viewer and everything it said.
type pulled struct {
	t      *testing.T
	source *Source
	stream *media.Stream
	viewer *media.Viewer

	mu     sync.Mutex
	states []State
}

func pull(t *testing.T, a Address, dialer Dialer) *pulled {
	t.Helper()
	return pullPatiently(t, a, dialer, patience{})
}

func pullPatiently(t *testing.T, a Address, dialer Dialer, wait patience) *pulled {
	t.Helper()
	p := &pulled{t: t, stream: media.NewHub().Open(media.Key{Profile: media.Main})}
	p.viewer = p.stream.Join(media.JoinOptions{})
	p.source = &Source{Address: a, Dialer: dialer, Stream: p.stream, Clock: clock.Wall, patience: wait}
	p.source.OnState = func(s State) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.states = append(p.states, s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { p.source.Run(ctx) })
	t.Cleanup(func() { cancel(); done.Wait(); p.stream.Close() })
	return p
}

func (p *pulled) next() *media.Unit {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 30*time.Second)
	defer cancel()
	u, err := p.viewer.Next(ctx)
	if err != nil {
		p.t.Fatalf("no unit: %v; states %+v", err, p.said())
	}
	return u
}

func (p *pulled) said() []State {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.states)
}

// until waits for a state.
func (p *pulled) until(what string, is func(State) bool) State {
	p.t.Helper()
	for end := time.Now().Add(40 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		for _, s := range p.said() {
			if is(s) {
				return s
			}
		}
	}
	p.t.Fatalf("never %s; said %+v", what, p.said())
	return State{}
}

// units reads so many units and checks what holds for every stream.
func (p *pulled) units(n int) []*media.Unit {
	p.t.Helper()
	var all []*media.Unit
	for len(all) < n {
		all = append(all, p.next())
	}
	proper(p.t, all)
	return all
}

// proper asserts the shape of units and that no track's time goes back.
func proper(t *testing.T, units []*media.Unit) {
	t.Helper()
	last, wall := map[bool]int64{}, map[bool]clock.Millis{}
	for _, u := range units {
		video := u.Track.Video()
		if before, ok := last[video]; ok && u.DTS <= before {
			t.Errorf("decoding time goes from %d to %d (video %v)", before, u.DTS, video)
		}
		if u.PTS < u.DTS {
			t.Errorf("shown at %d before it is decoded at %d", u.PTS, u.DTS)
		}
		if u.PTS != u.DTS && !u.Track.Reorder {
			t.Error("a track without reordering shows a picture at another time than it decodes it")
		}
		if d := wall[video]; d != 0 && u.Wall < d-1 {
			t.Errorf("wall clock goes from %d back to %d", d, u.Wall)
		}
		last[video], wall[video] = u.DTS, u.Wall
		if !video {
			continue
		}
		total, idr := 0, false
		for nal := range media.NALs(u.Data) {
			total += 4 + len(nal)
			switch nal[0] & 0x1f {
			case nalSPS, nalPPS, nalAUD:
				t.Errorf("a unit carries NAL type %d", nal[0]&0x1f)
			case nalIDR:
				idr = true
			}
		}
		if total != len(u.Data) || total == 0 {
			t.Errorf("%d of %d bytes are NAL units", total, len(u.Data))
		}
		if idr != u.Key {
			t.Errorf("key flag %v, IDR %v", u.Key, idr)
		}
	}
}

func TestSourceDeliversInRealTime(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "people.mp4", Sub: clips + "people.sub.mp4", Username: "u", Password: "p#@%"})
	a, err := Parse("rtsp://u:p#@%@"+cam.Address()+"/main", "", "")
	if err != nil {
		t.Fatal(err)
	}
	p := pull(t, a, &net.Dialer{})
	first := p.next()
	if !first.Key || !first.Track.Video() {
		t.Fatal("does not begin with a key picture")
	}
	units := p.units(150) // two seconds and a half
	late := time.Now().UnixMilli() - int64(units[len(units)-1].Wall)
	if late < -50 || late > 2000 {
		t.Errorf("the newest unit claims to be %d ms old", late)
	}
	sound := 0
	for _, u := range units {
		if u.Track.Codec == media.Opus {
			sound++
		}
		if u.Track.FPS != 10 && u.Track.Video() {
			t.Fatalf("%v pictures a second", u.Track.FPS)
		}
	}
	if sound < 80 {
		t.Errorf("%d of %d units are sound", sound, len(units))
	}
	if s := p.source.State(); s.Phase != Live || s.Code != "" {
		t.Errorf("state %+v", s)
	}
}

func TestSourceReordersDecoding(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "one-by-one-person-detection.mp4"})
	p := pull(t, Address{URL: cam.URL(media.Main)}, &net.Dialer{})
	units := p.units(25)
	later := 0
	for _, u := range units {
		if !u.Track.Reorder {
			t.Fatal("the track does not say that it reorders")
		}
		if u.PTS > u.DTS {
			later++
		}
	}
	if later < 10 {
		t.Errorf("%d of %d pictures are shown later than decoded", later, len(units))
	}
	shown := make([]int64, len(units))
	for i, u := range units {
		shown[i] = u.PTS
	}
	slices.Sort(shown)
	for i := 1; i < len(shown)-3; i++ {
		if d := shown[i] - shown[i-1]; d < 8000 || d > 10000 {
			t.Errorf("pictures are shown %d ticks apart, want 9000", d)
		}
	}
}

func TestSourceComesBack(t *testing.T) {
	t.Parallel()
	first := &democam.Server{Main: clips + "people.mp4"}
	if err := first.Start(); err != nil {
		t.Fatal(err)
	}
	addr := first.Address()
	p := pull(t, Address{URL: first.URL(media.Main)}, &net.Dialer{})
	before := p.units(20)
	first.Close()
	p.until("waiting after the camera went", func(s State) bool { return s.Phase == Waiting && s.Code != "" && s.NextTry > s.Since })
	if p.stream.Running() {
		t.Error("the stream runs without its source")
	}
	again := &democam.Server{Main: clips + "people.mp4", Addr: addr}
	for end := time.Now().Add(20 * time.Second); again.Start() != nil; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("cannot listen again")
		}
	}
	t.Cleanup(again.Close)
	after := p.units(20)
	for !after[0].Key || after[0].DTS <= before[19].DTS { // what was still in the ring
		before, after = append(before, after[0]), append(after[1:], p.next())
	}
	proper(t, append(before, after...))
	if after[0].Track != before[0].Track {
		t.Error("the camera came back unchanged and got a new track")
	}
	lived := 0
	for _, s := range p.said() {
		if s.Phase == Live {
			lived++
			if s.Code != "" {
				t.Errorf("live with code %s", s.Code)
			}
		}
	}
	if lived != 2 {
		t.Errorf("went live %d times, want 2: %+v", lived, p.said())
	}
}

func TestSourceSurvivesJumps(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "people.mp4"})
	p := pull(t, Address{URL: cam.URL(media.Main)}, &net.Dialer{})
	all := p.units(30)
	for _, by := range []time.Duration{time.Hour, -2 * time.Hour, -300 * time.Millisecond, 40 * time.Second} {
		cam.Jump(by)
		all = append(all, p.units(40)...)
	}
	proper(t, all)
	begin, end := all[0], all[len(all)-1]
	line := time.Duration(end.DTS-begin.DTS) * time.Second / media.TickRate
	wall := end.Wall.Time().Sub(begin.Wall.Time())
	if line > 20*time.Second || (line-wall).Abs() > time.Second {
		t.Errorf("line went on by %v, wall clock by %v, for some seconds of pictures", line, wall)
	}
}

func TestSourceSurvivesGarbage(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "people.mp4"})
	cam.Garbage(true)
	p := pull(t, Address{URL: cam.URL(media.Main)}, &net.Dialer{})
	units := p.units(120)
	cam.Garbage(false)
	pictures := 0
	for _, u := range units {
		if u.Track.Video() {
			pictures++
		}
	}
	if pictures < 5 {
		t.Errorf("%d pictures among %d units", pictures, len(units))
	}
}

func TestSourceNoticesNewParameters(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "people.sub.mp4", HideParameters: true})
	p := pull(t, Address{URL: cam.URL(media.Main)}, &net.Dialer{})
	all := p.units(10)
	if err := cam.Switch(media.Main, clips+"one-by-one-person-detection.mp4"); err != nil {
		t.Fatal(err)
	}
	for i := 0; ; i++ {
		u := p.next()
		all = append(all, u)
		if u.Track != all[0].Track {
			if !u.Key || u.Track.Width != 768 || !u.Track.Reorder || all[0].Track.Width != 384 {
				t.Errorf("new track %+v after %+v, key %v", u.Track, all[0].Track, u.Key)
			}
			break
		}
		if i > 600 { // a busy machine may lose a key picture or two
			t.Fatal("the new parameters were never noticed")
		}
	}
	if d := p.stream.Description(); d.Video() != all[len(all)-1].Track {
		t.Error("the description is not the new one")
	}
	proper(t, append(all, p.units(15)...))
}

func TestSourceSeesAStall(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "people.sub.mp4"})
	p := pullPatiently(t, Address{URL: cam.URL(media.Main)}, &net.Dialer{}, patience{packet: 2 * time.Second, key: time.Minute})
	p.units(3)
	cam.Stall(true)
	p.until("stalled", func(s State) bool { return s.Phase == Waiting && s.Code == CodeStalled })
	cam.Stall(false)
	p.until("live again", func(s State) bool { return s.Phase == Live && s.Since > p.said()[2].Since })
}

func TestSourceDoesNotHammerWithAWrongPassword(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "people.sub.mp4", Username: "u", Password: "right"})
	p := pull(t, Address{URL: cam.URL(media.Main), Username: "u", Password: "wrong"}, &net.Dialer{})
	s := p.until("told", func(s State) bool { return s.Code == CodePassword })
	if wait := s.NextTry - s.Since; s.Phase != Waiting || wait < 3*60_000 {
		t.Errorf("state %+v: tries again after %d ms", s, wait)
	}
}

func TestSourceDeliversNothingWhileShut(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "people.sub.mp4"})
	stream := media.NewHub().Open(media.Key{})
	var mu sync.Mutex
	open := false
	src := &Source{
		Address: Address{URL: cam.URL(media.Main)}, Dialer: &net.Dialer{}, Stream: stream, Clock: clock.Wall,
		Open: func() bool { mu.Lock(); defer mu.Unlock(); return open },
	}
	ctx, cancel := context.WithCancel(t.Context())
	var done sync.WaitGroup
	done.Go(func() { src.Run(ctx) })
	defer done.Wait()
	defer cancel()
	v := stream.Join(media.JoinOptions{})
	short, stop := context.WithTimeout(t.Context(), 3*time.Second)
	defer stop()
	if u, err := v.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("a shut source delivered %v, %v", u, err)
	}
	mu.Lock()
	open = true
	mu.Unlock()
	long, stop := context.WithTimeout(t.Context(), 30*time.Second)
	defer stop()
	if u, err := v.Next(long); err != nil || !u.Key {
		t.Fatalf("after opening: %v, %v; want a key unit", u, err)
	}
}

func TestSourceStopsAtOnce(t *testing.T) {
	t.Parallel()
	deaf := listen(t, func(c net.Conn) { time.Sleep(time.Minute); c.Close() }) // accepts, and never answers
	stream := media.NewHub().Open(media.Key{})
	src := &Source{Address: Address{URL: "rtsp://" + deaf + "/"}, Dialer: &net.Dialer{}, Stream: stream, Clock: clock.Wall}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { src.Run(ctx); close(ended) }()
	time.Sleep(200 * time.Millisecond)
	cancel()
	select {
	case <-ended:
	case <-time.After(5 * time.Second):
		t.Fatal("a source that waits for an answer does not stop")
	}
	if s := src.State(); s.Phase != Stopped || s.Code != "" {
		t.Errorf("state %+v", s)
	}
}

// The clip's key pictures are 10 s apart: a source that is less patient says so, goes on, and takes
// it back when one comes.
func TestSourceSaysThatNoKeyPictureComes(t *testing.T) {
	t.Parallel()
	cam := camera(t, &democam.Server{Main: clips + "cars.mp4", Offset: 7 * time.Second})
	p := pullPatiently(t, Address{URL: cam.URL(media.Main)}, &net.Dialer{}, patience{packet: time.Minute, key: time.Second})
	if s := p.until("told", func(s State) bool { return s.Code == CodeNoKey }); s.Phase != Connecting {
		t.Errorf("state %+v before any key picture", s)
	}
	if u := p.next(); !u.Key {
		t.Error("began without a key picture")
	}
	p.until("taken back", func(s State) bool { return s.Phase == Live && s.Code == "" })
	p.until("told again", func(s State) bool { return s.Phase == Live && s.Code == CodeNoKey })
}
