package media

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"candor/internal/id"
)

var (
	picture = &Track{ID: 0, Codec: H264}
	sound   = &Track{ID: 1, Codec: Opus}
)

// unit number n of a stream with a picture every 3000 ticks.
func unit(n int, key bool) *Unit {
	return &Unit{Track: picture, DTS: int64(n) * 3000, PTS: int64(n) * 3000, Key: key, Data: []byte{0, 0, 0, 1, 0x65}}
}

func described() *Stream {
	s := newStream(Key{Profile: Main})
	s.Describe(&Description{Tracks: []*Track{picture, sound}})
	return s
}

func number(u *Unit) int { return int(u.DTS / 3000) }

func next(t *testing.T, v *Viewer) *Unit {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	u, err := v.Next(ctx)
	if err != nil {
		t.Fatal("next:", err)
	}
	return u
}

// nothing asserts that no unit waits for v.
func nothing(t *testing.T, v *Viewer) {
	t.Helper()
	if u, ended := v.pop(); u != nil || ended {
		t.Fatalf("got unit %v (ended %v), want none", u, ended)
	}
}

func TestStreamBeginsWithAKeyUnit(t *testing.T) {
	s := described()
	v := s.Join(JoinOptions{})
	if s.Write(unit(0, false)) {
		t.Error("a picture before the first key picture was taken")
	}
	if s.Write(&Unit{Track: sound, Key: true}) {
		t.Error("sound before the first key picture was taken")
	}
	if !s.Write(unit(1, true)) || !s.Write(&Unit{Track: sound, DTS: 3000}) || !s.Write(unit(2, false)) {
		t.Fatal("units from the key picture on were refused")
	}
	if u := next(t, v); !u.Key || number(u) != 1 {
		t.Errorf("first unit is %d, want key unit 1", number(u))
	}
	if u := next(t, v); u.Track != sound {
		t.Error("the sound after the key picture is missing")
	}
	if u := next(t, v); number(u) != 2 {
		t.Errorf("got unit %d, want 2", number(u))
	}
	nothing(t, v)
	if v.Dropped() != 0 {
		t.Errorf("dropped %d, want 0: units before the first key unit are nobody's loss", v.Dropped())
	}
}

func TestJoinGetsTheLastGroupOfPictures(t *testing.T) {
	s := described()
	for n := range 25 {
		s.Write(unit(n, n%10 == 0))
	}
	v := s.Join(JoinOptions{Backlog: true})
	live := s.Join(JoinOptions{})
	got := v.Backlog()
	if len(got) != 5 || number(got[0]) != 20 || !got[0].Key {
		t.Fatalf("backlog of %d units from %v, want 5 from key unit 20", len(got), got)
	}
	s.Write(unit(25, false))
	s.Write(unit(26, true))
	if len(v.Backlog()) != 5 {
		t.Error("the backlog grew after the join")
	}
	if u := next(t, v); number(u) != 25 {
		t.Errorf("first live unit is %d, want 25", number(u))
	}
	if v.Backlog() != nil {
		t.Error("the backlog is kept after the first Next")
	}
	if u := next(t, live); number(u) != 26 {
		t.Errorf("without a backlog the first unit is %d, want the key unit 26", number(u))
	}
}

// Joins race with writes: what a viewer gets is the sequence from a key unit on, with no number
// missing and none twice.
func TestJoinIsExact(t *testing.T) {
	const units, joins = 4000, 60
	s := described()
	s.Write(unit(0, true))
	var wg sync.WaitGroup
	begin := make(chan struct{})
	for range joins {
		wg.Go(func() {
			<-begin
			v := s.Join(JoinOptions{Backlog: true, Size: units + 1})
			defer v.Close()
			want := -1
			check := func(u *Unit) bool {
				if want == -1 {
					if !u.Key {
						t.Errorf("viewer begins with unit %d, which is no key unit", number(u))
					}
					want = number(u)
				}
				if number(u) != want {
					t.Errorf("got unit %d, want %d", number(u), want)
					return false
				}
				want++
				return true
			}
			for _, u := range v.Backlog() {
				if !check(u) {
					return
				}
			}
			for want < units {
				u, err := v.Next(t.Context())
				if err != nil {
					t.Errorf("before unit %d: %v", want, err)
					return
				}
				if !check(u) {
					return
				}
			}
			if v.Dropped() != 0 {
				t.Errorf("dropped %d", v.Dropped())
			}
		})
	}
	close(begin)
	for n := 1; n < units; n++ {
		s.Write(unit(n, n%50 == 0))
	}
	wg.Wait()
	if s.Watching() != 0 {
		t.Errorf("%d viewers left", s.Watching())
	}
}

func TestSlowViewerDropsToTheNextKeyUnit(t *testing.T) {
	s := described()
	slow, quick := s.Join(JoinOptions{Size: 4}), s.Join(JoinOptions{Size: 64})
	for n := range 12 {
		s.Write(unit(n, n%10 == 0)) // 0 and 10 are key units
	}
	// Units 0 to 3 fill the ring, 4 to 9 are lost, 10 finds no room and takes the place of all.
	for _, want := range []int{10, 11} {
		if u := next(t, slow); number(u) != want {
			t.Fatalf("slow viewer got %d, want %d", number(u), want)
		}
	}
	nothing(t, slow)
	if slow.Dropped() != 10 {
		t.Errorf("slow viewer dropped %d, want 10", slow.Dropped())
	}
	for n := range 12 {
		if u := next(t, quick); number(u) != n {
			t.Fatalf("quick viewer got %d, want %d", number(u), n)
		}
	}
	if quick.Dropped() != 0 {
		t.Errorf("quick viewer dropped %d because of the slow one", quick.Dropped())
	}
}

func TestSlowViewerKeepsWhatItHasWhenThereIsRoom(t *testing.T) {
	s := described()
	v := s.Join(JoinOptions{Size: 4})
	for n := range 6 {
		s.Write(unit(n, n == 0))
	}
	next(t, v) // room for one, but it must not be used in mid-group
	s.Write(unit(6, false))
	s.Write(unit(7, true))
	for _, want := range []int{1, 2, 3, 7} {
		if u := next(t, v); number(u) != want {
			t.Fatalf("got %d, want %d", number(u), want)
		}
	}
	if v.Dropped() != 3 {
		t.Errorf("dropped %d, want 3", v.Dropped())
	}
}

func TestInterruptKeepsViewers(t *testing.T) {
	s := described()
	v := s.Join(JoinOptions{})
	s.Write(unit(0, true))
	next(t, v)
	s.Interrupt()
	if s.Running() {
		t.Error("an interrupted stream claims to run")
	}
	if key, gop := s.Last(); key == nil || gop != nil {
		t.Errorf("after an interruption Last is %v, %v; want the key unit and no backlog", key, gop)
	}
	if got := s.Join(JoinOptions{Backlog: true}).Backlog(); len(got) != 0 {
		t.Error("who joins an interrupted stream gets old pictures as if they were live")
	}
	if s.Write(unit(1, false)) {
		t.Error("after an interruption a picture that needs the lost ones was taken")
	}
	other := *picture
	s.Describe(&Description{Tracks: []*Track{&other}})
	u := unit(2, true)
	u.Track = &other
	s.Write(u)
	if got := next(t, v); got.Track != &other {
		t.Error("the new track is not visible at the unit")
	}
}

func TestBacklogIsBounded(t *testing.T) {
	s := described()
	s.Write(unit(0, true))
	s.Write(unit(60*30+1, false)) // a little over 60 s later
	if key, gop := s.Last(); key == nil || gop != nil {
		t.Errorf("after 60 s without a key picture Last is %v, %d units; want only the key unit", key, len(gop))
	}
	v := s.Join(JoinOptions{Backlog: true})
	s.Write(unit(60*30+2, false))
	nothing(t, v)
	s.Write(unit(60*30+3, true))
	if u := next(t, v); !u.Key {
		t.Error("did not begin with the key unit")
	}
	big := unit(60*30+4, false)
	big.Data = make([]byte, maxBacklogBytes)
	s.Write(big)
	if _, gop := s.Last(); gop != nil {
		t.Error("the backlog grew past its bytes")
	}
	if u := next(t, v); u != big {
		t.Error("the bound of the backlog hurt a live viewer")
	}
}

func TestCloseEndsViewersAtOnce(t *testing.T) {
	hub := NewHub()
	key := Key{Device: device(), Profile: Main}
	s := hub.Open(key)
	if again := hub.Open(key); again != s {
		t.Fatal("two streams for one key")
	}
	s.Describe(&Description{Tracks: []*Track{picture}})
	v := s.Join(JoinOptions{})
	s.Write(unit(0, true))
	s.Write(unit(1, false))
	hub.Close(key.Device)
	if u, err := v.Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("after Close: unit %v, error %v; want io.EOF and no unit", u, err)
	}
	if s.Write(unit(2, true)) {
		t.Error("a closed stream takes units")
	}
	if k, gop := s.Last(); k != nil || gop != nil {
		t.Error("a closed stream keeps pictures")
	}
	if _, err := s.Join(JoinOptions{Backlog: true}).Next(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("joining a closed stream: %v, want io.EOF", err)
	}
	if err := s.Ready(t.Context()); !errors.Is(err, io.EOF) {
		t.Errorf("waiting for a closed stream: %v, want io.EOF", err)
	}
	if _, ok := hub.Stream(key); ok {
		t.Error("the hub still knows the stream")
	}
	if hub.Open(key) == s {
		t.Error("the hub gave the closed stream again")
	}
}

func TestReadyAndChanged(t *testing.T) {
	s := newStream(Key{})
	ready := make(chan error, 1)
	go func() { ready <- s.Ready(t.Context()) }()
	changed := s.Changed()
	s.Describe(&Description{Tracks: []*Track{picture}})
	<-changed
	select {
	case err := <-ready:
		t.Fatal("ready without a key unit:", err)
	default:
	}
	s.Write(unit(0, true))
	if err := <-ready; err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := newStream(Key{}).Ready(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
}

func TestNextWakesOnCloseAndContext(t *testing.T) {
	s := described()
	v := s.Join(JoinOptions{})
	got := make(chan error, 1)
	go func() { _, err := v.Next(t.Context()); got <- err }()
	v.Close()
	if err := <-got; !errors.Is(err, io.EOF) {
		t.Errorf("closed viewer: %v, want io.EOF", err)
	}
	w := s.Join(JoinOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { _, err := w.Next(ctx); got <- err }()
	cancel()
	if err := <-got; !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	w.Close()
	if s.Watching() != 0 {
		t.Errorf("%d viewers left", s.Watching())
	}
}

// A unit costs no memory per viewer.
func TestWriteDoesNotAllocatePerViewer(t *testing.T) {
	cost := func(viewers int) float64 {
		s := described()
		for range viewers {
			s.Join(JoinOptions{Size: 64})
		}
		units := make([]*Unit, 400)
		for n := range units {
			units[n] = unit(n, n%20 == 0)
		}
		n := 0
		return testing.AllocsPerRun(len(units)-1, func() { s.Write(units[n]); n++ })
	}
	if one, many := cost(1), cost(200); many > one {
		t.Errorf("%v allocations a unit with 200 viewers, %v with one", many, one)
	}
}

func BenchmarkWrite100Viewers(b *testing.B) {
	s := described()
	for range 100 {
		s.Join(JoinOptions{})
	}
	u := unit(0, true)
	b.ReportAllocs()
	for b.Loop() {
		s.Write(u)
	}
}

func device() (d id.Device) {
	d[0] = 1
	return d
}
