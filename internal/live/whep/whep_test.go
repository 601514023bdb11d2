package whep

import (
	"bytes"
	"os/exec"
	"strings"
	"testing"
	"time"

	"candor/internal/live"
	"candor/internal/live/livetest"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

// decode has ffmpeg decode units and returns how many pictures came out without a complaint.
func decode(t *testing.T, all []unit) int {
	t.Helper()
	var in bytes.Buffer
	for _, u := range all {
		for _, n := range u.nals {
			in.Write([]byte{0, 0, 0, 1})
			in.Write(n)
		}
	}
	cmd := exec.Command("ffmpeg", "-v", "warning", "-f", "h264", "-i", "pipe:0", "-vf", "scale=16:16", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "pipe:1")
	cmd.Stdin = &in
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil || errs.Len() > 0 {
		t.Fatalf("ffmpeg: %v %s", err, errs.String())
	}
	return out.Len() / 256
}

func TestJoinInMidGroup(t *testing.T) {
	c := livetest.Load(t, "cars.mp4") // a key picture every 10 s
	s := livetest.Stream(media.Main)
	p := livetest.Play(t, c, s).Skip(6 * time.Second)
	p.Go(t, 1)
	v := watch(t, startServer(t), livetest.Lease(t), live.Source{Main: s}, live.Options{Audio: true})
	until(t, "the picture", func() bool { video, _ := v.packets(); return len(video) > 0 })
	began := time.Now()
	until(t, "live pictures and sound", func() bool {
		video, audio := v.packets()
		return len(audio) > 20 && len(video) > 0 && time.Since(began) > time.Second
	})
	video, audio := v.packets()
	got := units(t, video)
	if !got[0].key() || len(got[0].nals) < 3 {
		t.Errorf("begins with %d NAL units, want parameter sets and a key picture", len(got[0].nals))
	}
	burst := 0
	for i := 1; i < len(got) && got[i].ts-got[i-1].ts == 1; i++ {
		burst = i
	}
	if burst < 70 {
		t.Errorf("%d pictures one tick apart, want those of 6 s at 12.5 a second", burst)
	}
	live := got[burst+1:]
	if len(live) < 5 {
		t.Fatalf("%d live pictures", len(live))
	}
	for i := 1; i < len(live); i++ {
		if d := live[i].ts - live[i-1].ts; d != 7200 {
			t.Errorf("live picture %d is %d ticks after the one before, want 7200", i, d)
		}
	}
	if d := live[0].ts - got[burst].ts; d != 7200 {
		t.Errorf("the first live picture is %d ticks after the newest of the burst, want 7200", d)
	}
	if n := decode(t, got); n != len(got) {
		t.Errorf("%d of %d pictures decode", n, len(got))
	}
	for i := 1; i < len(audio); i++ {
		if d := audio[i].Timestamp - audio[i-1].Timestamp; d != 960 {
			t.Errorf("sound %d is %d samples after the one before", i, d)
		}
	}
	if video[0].Extensions == nil {
		t.Error("no playout-delay extension")
	}
}

func TestReportsComeAfterTheBurstAndAgree(t *testing.T) {
	c := livetest.Load(t, "people.mp4")
	s := livetest.Stream(media.Main)
	livetest.Play(t, c, s).Skip(5500*time.Millisecond).Go(t, 1)
	v := watch(t, startServer(t), livetest.Lease(t), live.Source{Main: s}, live.Options{Audio: true})
	until(t, "reports of both", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return len(v.reports) == 2 && len(v.audio) > 0
	})
	video, audio := v.packets()
	v.mu.Lock()
	defer v.mu.Unlock()
	first := v.reports[video[0].SSRC][0]
	if first.PacketCount < 10 {
		t.Errorf("the first report counts %d packets: it came before the burst", first.PacketCount)
	}
	// The same moment by both reports: the distance between picture and sound stays what the
	// camera said.
	seconds := func(ntp uint64) float64 { return float64(ntp>>32) + float64(ntp&0xffffffff)/(1<<32) }
	sound := v.reports[audio[0].SSRC][0]
	pictureAt := seconds(first.NTPTime) - float64(int32(first.RTPTime-video[len(video)-1].Timestamp))/90000
	soundAt := seconds(sound.NTPTime) - float64(int32(sound.RTPTime-audio[len(audio)-1].Timestamp))/48000
	if d := pictureAt - soundAt; d > 0.5 || d < -0.5 {
		t.Errorf("newest picture and newest sound are %.3f s apart", d)
	}
}

func TestSubFirstThenMain(t *testing.T) {
	main, sub := livetest.Stream(media.Main), livetest.Stream(media.Sub)
	clip, small := livetest.Load(t, "people.mp4"), livetest.Load(t, "people.sub.mp4")
	a := livetest.Play(t, clip, main)
	b := livetest.Play(t, small, sub)
	b.Shift = 1234567 // its own time line
	a.Skip(5 * time.Second)
	b.Skip(5 * time.Second)
	a.Go(t, 1)
	b.Go(t, 1)
	v := watch(t, startServer(t), livetest.Lease(t), live.Source{Main: main, Sub: sub}, live.Options{Audio: true, Decode: time.Hour})
	until(t, "main", func() bool {
		video, _ := v.packets()
		return len(video) > 100
	})
	video, audio := v.packets()
	got := units(t, video)
	mainSPS, subSPS := clip.Desc.Tracks[0].SPS, small.Desc.Tracks[0].SPS
	if !bytes.Equal(got[0].nals[0], subSPS) {
		t.Error("does not begin with the sub stream")
	}
	switched := 0
	for i, u := range got {
		if bytes.Equal(u.nals[0], mainSPS) && switched == 0 {
			switched = i
		}
		if switched > 0 && bytes.Equal(u.nals[0], subSPS) {
			t.Errorf("picture %d is of the sub stream again", i)
		}
		if i > 0 && int32(u.ts-got[i-1].ts) <= 0 {
			t.Errorf("time runs backwards at picture %d", i)
		}
		if i > 0 && u.ts-got[i-1].ts > 3*9000 {
			t.Errorf("time jumps by %d ticks at picture %d", u.ts-got[i-1].ts, i)
		}
	}
	if switched == 0 {
		t.Fatal("main never came")
	}
	if video[0].SSRC != video[len(video)-1].SSRC {
		t.Error("main came on another track")
	}
	if len(audio) == 0 {
		t.Error("no sound of main beside the sub stream's picture")
	}
	if n := decode(t, got[switched:]); n != len(got)-switched {
		t.Errorf("%d of %d pictures of main decode", n, len(got)-switched)
	}
}

func TestRefusals(t *testing.T) {
	srv := startServer(t)
	play := func(name string) live.Source {
		s := livetest.Stream(media.Main)
		livetest.Play(t, livetest.Load(t, name), s).Skip(time.Second)
		return live.Source{Main: s}
	}
	people, frames, aac := play("people.mp4"), play("one-by-one-person-detection.mp4"), play("car-detection.mp4")
	_, offer := offerer(t, true)
	_, silent := offerer(t, false)
	ended := livetest.Lease(t)
	ended.End(nil)
	for name, c := range map[string]struct {
		lease *permit.Lease
		src   live.Source
		offer string
		o     live.Options
		code  string
	}{
		"B-frames":          {livetest.Lease(t), frames, offer, live.Options{}, "live.reorder"},
		"AAC, strictly":     {livetest.Lease(t), aac, offer, live.Options{Audio: true, Strict: true}, "live.audio"},
		"not an offer":      {livetest.Lease(t), people, "hello", live.Options{}, "live.offer"},
		"an endless offer":  {livetest.Lease(t), people, strings.Repeat("a=x\r\n", 1<<15), live.Options{}, "live.offer"},
		"no H.264":          {livetest.Lease(t), people, strings.ReplaceAll(silent, "H264", "H999"), live.Options{}, "live.browser"},
		"no picture wanted": {livetest.Lease(t), people, silent[:strings.Index(silent, "m=video")], live.Options{}, "live.offer"},
		"no camera":         {livetest.Lease(t), live.Source{}, offer, live.Options{}, "live.not_ready"},
	} {
		if answer, _, err := srv.Offer(t.Context(), c.lease, c.src, c.offer, c.o); !problem.Is(err, c.code) || answer != "" {
			t.Errorf("%s: %v, want %s", name, err, c.code)
		}
	}
	if answer, _, err := srv.Offer(t.Context(), ended, people, offer, live.Options{}); err == nil || answer != "" {
		t.Error("an ended lease was answered")
	}
	until(t, "forgetting the refused", func() bool { return srv.Watching() == 0 })
	if answer, _, err := srv.Offer(t.Context(), livetest.Lease(t), aac, offer, live.Options{Audio: true}); err != nil || strings.Contains(answer, "opus") {
		t.Errorf("AAC without strictness: %v, want the picture alone", err)
	}
	srv.Viewers = 1
	if _, _, err := srv.Offer(t.Context(), livetest.Lease(t), people, offer, live.Options{}); !problem.Is(err, "live.busy") {
		t.Errorf("one too many: %v, want live.busy", err)
	}
}

func TestNothingLeavesWithoutAnOpenLease(t *testing.T) {
	promise.Proves(t, "P057")
	s := livetest.Stream(media.Main)
	livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(time.Second).Go(t, 1)
	srv := startServer(t)
	lease, other := livetest.Lease(t), livetest.Lease(t)
	v := watch(t, srv, lease, live.Source{Main: s}, live.Options{Audio: true})
	bystander := watch(t, srv, other, live.Source{Main: s}, live.Options{Audio: true})
	flows := func(c *client) func() bool {
		video, audio := c.packets()
		return func() bool {
			v2, a2 := c.packets()
			return len(v2) > len(video)+10 && len(a2) > len(audio)+10
		}
	}
	until(t, "watching", flows(v))
	until(t, "watching", flows(bystander))

	lease.Pause()
	time.Sleep(100 * time.Millisecond) // what is on its way
	v1, a1 := v.packets()
	until(t, "the other viewing going on", flows(bystander))
	if v2, a2 := v.packets(); len(v2) != len(v1) || len(a2) != len(a1) {
		t.Errorf("%d packets came while the lease was paused", len(v2)-len(v1)+len(a2)-len(a1))
	}
	lease.Resume()
	until(t, "going on after the pause", flows(v))
	video, _ := v.packets()
	if got := units(t, video[len(v1):]); !got[0].key() {
		t.Error("goes on after the pause with a picture that cannot be decoded")
	}

	ended := time.Now()
	lease.End(nil)
	until(t, "closing", func() bool {
		v.mu.Lock()
		defer v.mu.Unlock()
		return !v.closed.IsZero()
	})
	until(t, "the other viewing going on", flows(bystander))
	v3, a3 := v.packets()
	for _, p := range append(v3, a3...) {
		if d := p.at.Sub(ended); d > time.Second {
			t.Errorf("a packet came %v after the end of the lease", d)
		}
	}
	if srv.Watching() != 1 {
		t.Errorf("%d viewings, want the other one", srv.Watching())
	}
	if srv.End(v.viewing) {
		t.Error("the ended viewing could be ended again")
	}
	if !srv.End(bystander.viewing) {
		t.Error("the other viewing could not be ended")
	}
	until(t, "the end of all", func() bool { return srv.Watching() == 0 && s.Watching() == 0 })
}

func TestLostPicturesAreRepaired(t *testing.T) {
	s := livetest.Stream(media.Main)
	p := livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(500 * time.Millisecond)
	p.Go(t, 1)
	srv := startServer(t)
	v := watch(t, srv, livetest.Lease(t), live.Source{Main: s}, live.Options{})
	until(t, "pictures", func() bool { video, _ := v.packets(); return len(video) > 20 })

	t.Run("by repeating packets", func(t *testing.T) {
		video, _ := v.packets()
		lost := video[5]
		nack(t, v, lost.SSRC, lost.SequenceNumber)
		until(t, "the packet again", func() bool {
			again, _ := v.packets()
			for _, p := range again[len(video):] {
				if p.SequenceNumber == lost.SequenceNumber && bytes.Equal(p.Payload, lost.Payload) && p.Timestamp == lost.Timestamp {
					return true
				}
			}
			return false
		})
	})
	t.Run("by sending the group again", func(t *testing.T) {
		time.Sleep(50 * time.Millisecond)
		video, _ := v.packets()
		pli(t, v, video[0].SSRC)
		until(t, "a key picture", func() bool {
			now, _ := v.packets()
			for _, p := range now[len(video):] {
				if p.Payload[0]&0x1f == 24 { // parameter sets
					return true
				}
			}
			return false
		})
	})
}

func TestPayloadsAreMadeOnce(t *testing.T) {
	s := livetest.Stream(media.Main)
	p := livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(1500 * time.Millisecond)
	p.Go(t, 1)
	srv := startServer(t)
	var all []*client
	for range 4 {
		all = append(all, watch(t, srv, livetest.Lease(t), live.Source{Main: s}, live.Options{}))
	}
	for _, v := range all {
		until(t, "pictures", func() bool { video, _ := v.packets(); return len(video) > 60 })
	}
	srv.mu.Lock()
	pk := srv.streams[s]
	srv.mu.Unlock()
	pk.mu.Lock()
	defer pk.mu.Unlock()
	if pk.split > int(s.Written()) {
		t.Errorf("%d units were split, and only %d written", pk.split, s.Written())
	}
	if len(pk.now)+len(pk.past) > 60 {
		t.Errorf("%d units are remembered, want two groups of 20 pictures", len(pk.now)+len(pk.past))
	}
}
