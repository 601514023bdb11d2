package live_test

import (
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"candor/internal/live"
	"candor/internal/live/livetest"
	"candor/internal/media"
	"candor/internal/problem"
)

func TestState(t *testing.T) {
	s := livetest.Stream(media.Main)
	if all := (live.Source{Main: s, Sub: nil}).State(); len(all) != 0 {
		t.Errorf("before the camera said anything: %+v", all)
	}
	s.Describe(livetest.Load(t, "car-detection.mp4").Desc)
	all := live.Source{Main: s}.State()
	if len(all) != 1 || all[0].Codec != media.H264 || all[0].Width != 768 || all[0].Audio == nil || all[0].Audio.RFC6381 != "mp4a.40.2" {
		t.Errorf("got %+v", all)
	}
}

// pair is a main stream that is dear to decode and its sub stream, with a clock each.
func pair(t *testing.T, at time.Duration) (main, sub *livetest.Player) {
	t.Helper()
	clip := livetest.Load(t, "people.mp4")
	clip.Desc.Tracks[0].Width, clip.Desc.Tracks[0].Height = 3840, 2160
	main = livetest.Play(t, clip, livetest.Stream(media.Main))
	sub = livetest.Play(t, livetest.Load(t, "people.sub.mp4"), livetest.Stream(media.Sub))
	sub.Shift = 777777
	main.Skip(at)
	sub.Skip(at)
	return main, sub
}

func TestWhichStreamComesFirst(t *testing.T) {
	main, sub := pair(t, 5*time.Second)
	both := live.Source{Main: main.Stream, Sub: sub.Stream}
	cheap := livetest.Play(t, livetest.Load(t, "people.mp4"), livetest.Stream(media.Main)).Skip(300 * time.Millisecond)
	for name, c := range map[string]struct {
		src  live.Source
		o    live.Options
		want media.Profile
	}{
		"dear main":          {both, live.Options{}, media.Sub},
		"a fast player":      {both, live.Options{Decode: time.Millisecond}, media.Main},
		"main is asked for":  {both, live.Options{Quality: live.Main}, media.Main},
		"sub is asked for":   {both, live.Options{Quality: live.Sub}, media.Sub},
		"sub, without one":   {live.Source{Main: main.Stream}, live.Options{Quality: live.Sub}, media.Main},
		"sub did not start":  {live.Source{Main: main.Stream, Sub: livetest.Stream(media.Sub)}, live.Options{}, media.Main},
		"just begun, cheap":  {live.Source{Main: cheap.Stream, Sub: sub.Stream}, live.Options{}, media.Main},
		"only a sub stream":  {live.Source{Sub: sub.Stream}, live.Options{}, media.Sub},
		"main was cut short": {both, live.Options{Decode: time.Hour}, media.Sub},
	} {
		f, err := live.Join(t.Context(), c.src, c.o)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		log := f.Backlog()
		if len(log) == 0 || log[0].Profile != c.want || !log[0].Unit.Key {
			t.Errorf("%s: %d units, want some of %s from a key picture on", name, len(log), c.want)
		}
		for _, i := range log {
			if !i.Unit.Track.Video() {
				t.Errorf("%s: sound that was not asked for", name)
				break
			}
		}
		f.Close()
	}
	if n := main.Stream.Watching() + sub.Stream.Watching(); n != 0 {
		t.Errorf("%d viewers are left behind", n)
	}
}

func TestMainTakesOverOnOneTimeLine(t *testing.T) {
	main, sub := pair(t, 5*time.Second)
	f, err := live.Join(t.Context(), live.Source{Main: main.Stream, Sub: sub.Stream}, live.Options{Audio: true, Decode: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	log := f.Backlog()
	last := log[len(log)-1]
	main.Go(t, 2)
	sub.Go(t, 2)
	var profiles []media.Profile
	sounds := 0
	for len(profiles) < 30 {
		i, err := f.Next(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if !i.Unit.Track.Video() {
			if i.Profile != media.Main {
				t.Fatal("sound of the sub stream")
			}
			sounds++
			continue
		}
		if n := len(profiles); n > 0 && profiles[n-1] != i.Profile && (i.Profile != media.Main || !i.Unit.Key) {
			t.Fatalf("changed to %s at a picture that is key: %v", i.Profile, i.Unit.Key)
		}
		if d := i.PTS() - last.PTS(); last.Unit.Track.Video() && (d < -9000 || d > 3*9000) {
			t.Errorf("picture %d is %d ticks after the one before", len(profiles), d)
		}
		profiles, last = append(profiles, i.Profile), i
	}
	if profiles[0] != media.Sub || profiles[len(profiles)-1] != media.Main || sounds == 0 {
		t.Errorf("saw %v and %d sounds, want sub, then main, with sound", profiles, sounds)
	}
	if sub.Stream.Watching() != 0 {
		t.Error("the sub stream is still watched")
	}
}

func TestTheSubStreamMayGo(t *testing.T) {
	main, sub := pair(t, 5*time.Second)
	f, err := live.Join(t.Context(), live.Source{Main: main.Stream, Sub: sub.Stream}, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	sub.Stream.Close()
	main.Go(t, 4)
	if i, err := f.Next(t.Context()); err != nil || i.Profile != media.Main || !i.Unit.Key {
		t.Errorf("after sub went: %+v, %v, want main's key picture", i, err)
	}
	main.Stream.Close()
	for {
		if _, err = f.Next(t.Context()); err != nil {
			break
		}
	}
	if !errors.Is(err, io.EOF) {
		t.Errorf("after main went: %v, want io.EOF", err)
	}
}

func TestNoPicture(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	for name, src := range map[string]live.Source{"no streams": {}, "nothing came": {Main: livetest.Stream(media.Main)}} {
		if _, err := live.Join(ctx, src, live.Options{}); !problem.Is(err, "live.not_ready") {
			t.Errorf("%s: %v, want live.not_ready", name, err)
		}
	}
}
