package whep

import (
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pion/webrtc/v4"

	"candor/internal/live"
	"candor/internal/live/livetest"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
)

func TestOverTCP(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &Server{Loopback: true, TCP: l}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	s := livetest.Stream(media.Main)
	livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(time.Second).Go(t, 1)
	lease := livetest.Lease(t)
	v := watch(t, srv, lease, live.Source{Main: s}, live.Options{}, webrtc.NetworkTypeTCP4)
	until(t, "pictures", func() bool { video, _ := v.packets(); return len(video) > 60 })
	video, _ := v.packets()
	got := units(t, video)
	if n := decode(t, got); n != len(got) {
		t.Errorf("%d of %d pictures decode", n, len(got))
	}
	ended := time.Now()
	lease.End(nil)
	until(t, "the end", func() bool { return srv.Watching() == 0 })
	video, _ = v.packets()
	if last := video[len(video)-1].at.Sub(ended); last > time.Second {
		t.Errorf("a packet came %v after the end of the lease", last)
	}
}

// TestPathsThatAreOffered has a house that is for this machine alone tell nobody another address,
// and one without UDP offer none.
func TestPathsThatAreOffered(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		srv      *Server
		udp, tcp bool
	}{
		"this machine": {&Server{Loopback: true, Here: true}, true, false},
		"no UDP":       {&Server{Loopback: true, Here: true, NoUDP: true, TCP: l}, false, true},
		"nothing":      {&Server{Loopback: true, NoUDP: true}, false, false},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.srv.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { c.srv.Close() })
			s := livetest.Stream(media.Main)
			livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(time.Second)
			_, offer := offerer(t, false)
			answer, _, err := c.srv.Offer(t.Context(), livetest.Lease(t), live.Source{Main: s}, offer, live.Options{})
			if !c.udp && !c.tcp {
				if !problem.Is(err, "live.no_webrtc") {
					t.Fatalf("answered %q, %v", answer, err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var udp, tcp bool
			for line := range strings.Lines(answer) {
				f := strings.Fields(line)
				if !strings.HasPrefix(line, "a=candidate:") {
					continue
				}
				if at := net.ParseIP(f[4]); !at.IsLoopback() {
					t.Errorf("offers %s", line)
				}
				udp, tcp = udp || f[2] == "udp", tcp || f[2] == "tcp"
			}
			if udp != c.udp || tcp != c.tcp {
				t.Errorf("udp %v, tcp %v, want %v, %v", udp, tcp, c.udp, c.tcp)
			}
		})
	}
}

// TestEndOfALeaseAtASlowReader has a viewer over TCP who hardly reads: what the kernel holds for it
// must not be delivered after the end.
func TestEndOfALeaseAtASlowReader(t *testing.T) {
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &Server{Loopback: true, TCP: l}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Close() })
	s := livetest.Stream(media.Main)
	p := livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(time.Second)
	p.Go(t, 1)
	lease := livetest.Lease(t)
	v := watch(t, srv, lease, live.Source{Main: s}, live.Options{}, webrtc.NetworkTypeTCP4)
	until(t, "pictures", func() bool { video, _ := v.packets(); return len(video) > 20 })
	v.mu.Lock()
	v.slow = 20 * time.Millisecond
	v.mu.Unlock()
	time.Sleep(300 * time.Millisecond)
	lease.End(nil)
	until(t, "the end", func() bool { return srv.Watching() == 0 })
	if s.Watching() != 0 {
		t.Error("somebody is left at the stream")
	}
}

func TestABrowserThatLeavesIsForgotten(t *testing.T) {
	srv := startServer(t)
	s := livetest.Stream(media.Main)
	livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(time.Second).Go(t, 1)
	lease := livetest.Lease(t)
	v := watch(t, srv, lease, live.Source{Main: s}, live.Options{})
	until(t, "pictures", func() bool { video, _ := v.packets(); return len(video) > 5 })
	if _, ok := srv.Grant(v.viewing); !ok {
		t.Error("nobody knows whose viewing it is")
	}
	v.pc.Close()
	until(t, "forgetting", func() bool { return srv.Watching() == 0 && s.Watching() == 0 })
	if lease.State() != permit.Ended {
		t.Error("the lease goes on for nobody")
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if len(srv.streams) != 0 {
		t.Error("payloads are kept for nobody")
	}
}

func TestTheCameraGoes(t *testing.T) {
	srv := startServer(t)
	s := livetest.Stream(media.Main)
	livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(time.Second).Go(t, 1)
	v := watch(t, srv, livetest.Lease(t), live.Source{Main: s}, live.Options{})
	until(t, "pictures", func() bool { video, _ := v.packets(); return len(video) > 5 })
	s.Close()
	until(t, "the end", func() bool { return srv.Watching() == 0 })
}

func TestTheServerDialsNobody(t *testing.T) {
	trap, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer trap.Close()
	srv := startServer(t)
	s := livetest.Stream(media.Main)
	livetest.Play(t, livetest.Load(t, "people.mp4"), s).Skip(time.Second)
	_, offer := offerer(t, false)
	port := trap.LocalAddr().(*net.UDPAddr).Port
	planted := strings.Replace(offer, "a=setup:", "a=candidate:1 1 udp 2130706431 127.0.0.1 "+strconv.Itoa(port)+" typ host\r\na=setup:", 1)
	if planted == offer {
		t.Fatal("nothing was planted")
	}
	if _, _, err := srv.Offer(t.Context(), livetest.Lease(t), live.Source{Main: s}, planted, live.Options{}); err != nil {
		t.Fatal(err)
	}
	trap.SetReadDeadline(time.Now().Add(1500 * time.Millisecond))
	if n, _, err := trap.ReadFrom(make([]byte, 2000)); err == nil {
		t.Errorf("%d bytes were sent to an address out of an offer", n)
	}
}

func TestPayloadsAreSmallAndWhole(t *testing.T) {
	for _, name := range []string{"people.mp4", "car-detection.mp4"} {
		for _, u := range livetest.Load(t, name).Units {
			if !u.Track.Video() {
				continue
			}
			for _, p := range payloads(u) {
				if len(p) == 0 || len(p) > maxPayload {
					t.Fatalf("a payload of %d bytes", len(p))
				}
			}
		}
	}
}

func FuzzPayloads(f *testing.F) {
	u := livetest.Load(f, "people.sub.mp4").Units[0]
	f.Add(u.Data, true)
	f.Add([]byte{0, 0, 0, 1, 0x65, 0, 0, 0, 0, 0, 0, 9, 1}, false)
	f.Fuzz(func(t *testing.T, data []byte, key bool) {
		size := 0
		for nal := range media.NALs(data) {
			size += len(nal)
		}
		out := payloads(&media.Unit{Track: u.Track, Key: key, Data: data})
		got := 0
		for _, p := range out {
			if len(p) > maxPayload {
				t.Errorf("a payload of %d bytes", len(p))
			}
			got += len(p)
		}
		if got > size+3*len(out)+len(u.Track.SPS)+len(u.Track.PPS)+5 {
			t.Errorf("%d bytes became %d", size, got)
		}
	})
}

func FuzzFormats(f *testing.F) {
	f.Add("m=video 9 UDP/TLS/RTP/SAVPF 102\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n")
	f.Add("m=audio 9 RTP/AVP 0 8 111\r\na=rtpmap:111 opus/48000/2\r\n")
	f.Fuzz(func(t *testing.T, offer string) {
		all := formats(offer)
		pickVideo(all, &media.Track{Codec: media.H264, Profile: "avc1.4d001f"})
		pickAudio(all, &media.Track{Codec: media.Opus})
	})
}

func FuzzOffer(f *testing.F) {
	srv := &Server{Loopback: true}
	if err := srv.Start(); err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { srv.Close() })
	s := livetest.Stream(media.Main)
	livetest.Play(f, livetest.Load(f, "people.mp4"), s).Skip(time.Second)
	f.Add("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\na=fingerprint:sha-256 " + strings.Repeat("00:", 31) + "00\r\n" +
		"m=video 9 UDP/TLS/RTP/SAVPF 102\r\nc=IN IP4 0.0.0.0\r\na=setup:actpass\r\na=mid:0\r\na=recvonly\r\na=ice-ufrag:abcd\r\na=ice-pwd:" + strings.Repeat("p", 24) +
		"\r\na=rtcp-mux\r\na=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=42e01f\r\n")
	f.Fuzz(func(t *testing.T, offer string) {
		lease := livetest.Lease(t)
		if answer, viewing, err := srv.Offer(t.Context(), lease, live.Source{Main: s}, offer, live.Options{Audio: true}); err == nil {
			if answer == "" {
				t.Error("accepted without an answer")
			}
			srv.End(viewing)
		}
	})
}
