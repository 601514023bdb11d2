package app

import (
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pion/interceptor"
	"github.com/pion/webrtc/v4"
)

// peer is a WebRTC player: pion instead of a browser.
type peer struct {
	pc       *webrtc.PeerConnection
	location string // of the viewing

	mu      sync.Mutex
	packets int
	last    time.Time
}

// offer makes a player that wants a picture.
func offer(t testing.TB) (*peer, string) {
	t.Helper()
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e), webrtc.WithInterceptorRegistry(&interceptor.Registry{})).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { pc.Close() })
	v := &peer{pc: pc}
	pc.OnTrack(func(track *webrtc.TrackRemote, _ *webrtc.RTPReceiver) {
		for {
			if _, _, err := track.ReadRTP(); err != nil {
				return
			}
			v.mu.Lock()
			v.packets++
			v.last = time.Now()
			v.mu.Unlock()
		}
	})
	if _, err := pc.AddTransceiverFromKind(webrtc.RTPCodecTypeVideo, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
		t.Fatal(err)
	}
	o, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(o); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return v, pc.LocalDescription().SDP
}

// call watches a camera by WHEP.
func (p *person) whep(camera string) *peer {
	p.t.Helper()
	v, sdp := offer(p.t)
	a := p.do("POST", "/cameras/"+camera+"/whep", sdp, "Content-Type", "application/sdp")
	if a.status != http.StatusCreated {
		p.t.Fatalf("WHEP: %d %s", a.status, a.body)
	}
	v.location = strings.TrimPrefix(a.header.Get("Location"), "/api/v1")
	if err := v.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: string(a.body)}); err != nil {
		p.t.Fatal(err)
	}
	return v
}

func (v *peer) seen() (packets int, last time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.packets, v.last
}
