package whep

import (
	"sync"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format/rtph264"
	"github.com/pion/interceptor"
	"github.com/pion/rtcp"
	"github.com/pion/rtp"
	"github.com/pion/webrtc/v4"

	"candor/internal/id"
	"candor/internal/live"
	"candor/internal/permit"
)

// client is a WHEP player: pion instead of a browser.
type client struct {
	t       *testing.T
	pc      *webrtc.PeerConnection
	viewing id.Viewing

	mu      sync.Mutex
	video   []arrival
	audio   []arrival
	reports map[uint32][]*rtcp.SenderReport
	closed  time.Time
	drop    func(*rtp.Packet) bool // pretend a packet was lost
	slow    time.Duration          // between two packets
}

type arrival struct {
	*rtp.Packet
	at time.Time
}

func startServer(t *testing.T) *Server {
	t.Helper()
	s := &Server{Loopback: true}
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// offerer makes a browser that wants a picture and, if audio, sound.
func offerer(t *testing.T, audio bool, networks ...webrtc.NetworkType) (*client, string) {
	t.Helper()
	m := &webrtc.MediaEngine{}
	if err := m.RegisterDefaultCodecs(); err != nil {
		t.Fatal(err)
	}
	if err := m.RegisterHeaderExtension(webrtc.RTPHeaderExtensionCapability{URI: playoutDelayURI}, webrtc.RTPCodecTypeVideo); err != nil {
		t.Fatal(err)
	}
	var e webrtc.SettingEngine
	e.SetIncludeLoopbackCandidate(true)
	if len(networks) > 0 {
		e.SetNetworkTypes(networks)
	}
	e.DisableSRTPReplayProtection(true) // so that a test sees what is repeated without need
	pc, err := webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(e), webrtc.WithInterceptorRegistry(&interceptor.Registry{})).
		NewPeerConnection(webrtc.Configuration{})
	if err != nil {
		t.Fatal(err)
	}
	c := &client{t: t, pc: pc, reports: map[uint32][]*rtcp.SenderReport{}}
	t.Cleanup(func() { pc.Close() })
	pc.OnTrack(c.onTrack)
	pc.OnConnectionStateChange(func(s webrtc.PeerConnectionState) {
		if s == webrtc.PeerConnectionStateClosed || s == webrtc.PeerConnectionStateFailed || s == webrtc.PeerConnectionStateDisconnected {
			c.mu.Lock()
			defer c.mu.Unlock()
			if c.closed.IsZero() {
				c.closed = time.Now()
			}
		}
	})
	kinds := []webrtc.RTPCodecType{webrtc.RTPCodecTypeVideo}
	if audio {
		kinds = append(kinds, webrtc.RTPCodecTypeAudio)
	}
	for _, k := range kinds {
		if _, err := pc.AddTransceiverFromKind(k, webrtc.RTPTransceiverInit{Direction: webrtc.RTPTransceiverDirectionRecvonly}); err != nil {
			t.Fatal(err)
		}
	}
	offer, err := pc.CreateOffer(nil)
	if err != nil {
		t.Fatal(err)
	}
	gathered := webrtc.GatheringCompletePromise(pc)
	if err := pc.SetLocalDescription(offer); err != nil {
		t.Fatal(err)
	}
	<-gathered
	return c, pc.LocalDescription().SDP
}

// watch connects a player.
func watch(t *testing.T, s *Server, l *permit.Lease, src live.Source, o live.Options, networks ...webrtc.NetworkType) *client {
	t.Helper()
	c, offer := offerer(t, o.Audio, networks...)
	answer, viewing, err := s.Offer(t.Context(), l, src, offer, o)
	if err != nil {
		t.Fatal(err)
	}
	c.viewing = viewing
	if err := c.pc.SetRemoteDescription(webrtc.SessionDescription{Type: webrtc.SDPTypeAnswer, SDP: answer}); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *client) onTrack(t *webrtc.TrackRemote, r *webrtc.RTPReceiver) {
	go func() {
		for {
			packets, _, err := r.ReadRTCP()
			if err != nil {
				return
			}
			for _, p := range packets {
				if sr, ok := p.(*rtcp.SenderReport); ok {
					c.mu.Lock()
					c.reports[sr.SSRC] = append(c.reports[sr.SSRC], sr)
					c.mu.Unlock()
				}
			}
		}
	}()
	for {
		p, _, err := t.ReadRTP()
		if err != nil {
			return
		}
		c.mu.Lock()
		slow := c.slow
		switch {
		case c.drop != nil && c.drop(p):
		case t.Kind() == webrtc.RTPCodecTypeVideo:
			c.video = append(c.video, arrival{p, time.Now()})
		default:
			c.audio = append(c.audio, arrival{p, time.Now()})
		}
		c.mu.Unlock()
		time.Sleep(slow)
	}
}

func (c *client) packets() (video, audio []arrival) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.video[:len(c.video):len(c.video)], c.audio[:len(c.audio):len(c.audio)]
}

// until waits, generously, for what must come.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("%s did not happen", what)
}

// unit is one access unit as it arrived.
type unit struct {
	ts   uint32
	nals [][]byte
}

func (u unit) key() bool {
	for _, n := range u.nals {
		if n[0]&0x1f == 5 {
			return true
		}
	}
	return false
}

// units puts packets together again. Sequence numbers must be without a hole.
func units(t *testing.T, packets []arrival) []unit {
	t.Helper()
	d := &rtph264.Decoder{PacketizationMode: 1}
	if err := d.Init(); err != nil {
		t.Fatal(err)
	}
	var out []unit
	for i, p := range packets {
		if i > 0 && p.SequenceNumber != packets[i-1].SequenceNumber+1 {
			t.Fatalf("sequence number %d after %d", p.SequenceNumber, packets[i-1].SequenceNumber)
		}
		nals, err := d.Decode(p.Packet)
		if err != nil {
			if err == rtph264.ErrMorePacketsNeeded {
				continue
			}
			t.Fatalf("packet %d: %v", i, err)
		}
		out = append(out, unit{p.Timestamp, nals})
	}
	return out
}

func nack(t *testing.T, c *client, ssrc uint32, seq uint16) {
	t.Helper()
	err := c.pc.WriteRTCP([]rtcp.Packet{&rtcp.TransportLayerNack{MediaSSRC: ssrc, Nacks: []rtcp.NackPair{{PacketID: seq}}}})
	if err != nil {
		t.Fatal(err)
	}
}

func pli(t *testing.T, c *client, ssrc uint32) {
	t.Helper()
	if err := c.pc.WriteRTCP([]rtcp.Packet{&rtcp.PictureLossIndication{MediaSSRC: ssrc}}); err != nil {
		t.Fatal(err)
	}
}
