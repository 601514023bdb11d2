package whep

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/pion/ice/v4"
	"github.com/pion/interceptor"
	"github.com/pion/logging"
	"github.com/pion/webrtc/v4"

	"candor/internal/id"
	"candor/internal/live"
	"candor/internal/media"
	"candor/internal/permit"
)

// Defaults of a Server.
const (
	DefaultViewers = 256
	DefaultBursts  = 8
	connectWithin  = 15 * time.Second
	offerLimit     = 64 << 10
)

// Server answers WHEP offers. The exported fields are inputs.
type Server struct {
	UDPPort     int          // the one UDP port; 0: any, one per address
	NoUDP       bool         // only TCP, or nothing
	Here        bool         // for browsers on this machine and nobody else
	TCP         net.Listener // ICE over TCP, or nil
	ExternalIPs []string     // told to browsers instead of the machine's own addresses
	Loopback    bool         // also on the loopback address, for a browser on this machine
	Viewers     int          // at the same time; 0: DefaultViewers
	Bursts      int          // joins at the same time; 0: DefaultBursts
	Log         *slog.Logger

	settings webrtc.SettingEngine
	cert     webrtc.Certificate
	closers  []func() error
	slots    chan struct{} // one token for each burst that is going on

	mu       sync.Mutex
	started  bool
	viewings map[id.Viewing]*viewing
	streams  map[*media.Stream]*packetiser
	wg       sync.WaitGroup
}

// Start opens the ports.
func (s *Server) Start() error {
	if s.Viewers <= 0 {
		s.Viewers = DefaultViewers
	}
	if s.Bursts <= 0 {
		s.Bursts = DefaultBursts
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	s.slots = make(chan struct{}, s.Bursts)
	s.viewings = map[id.Viewing]*viewing{}
	s.streams = map[*media.Stream]*packetiser{}

	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	cert, err := webrtc.GenerateCertificate(key)
	if err != nil {
		return err
	}
	s.cert = *cert

	quiet := logging.NewDefaultLoggerFactory()
	quiet.DefaultLogLevel = logging.LogLevelDisabled
	e := &s.settings
	e.LoggerFactory = quiet
	e.SetLite(true)
	e.SetICEMulticastDNSMode(ice.MulticastDNSModeDisabled)
	e.DisableActiveTCP(true)
	e.SetIncludeLoopbackCandidate(s.Loopback)
	e.SetICETimeouts(5*time.Second, 5*time.Second, time.Second)
	e.SetReceiveMTU(1500)
	if s.Here {
		e.SetIPFilter(net.IP.IsLoopback)
	}
	var networks []webrtc.NetworkType
	if !s.NoUDP {
		networks = append(networks, webrtc.NetworkTypeUDP4, webrtc.NetworkTypeUDP6)
		if err := s.openUDP(quiet); err != nil {
			return fmt.Errorf("WebRTC's UDP port %d: %w", s.UDPPort, err)
		}
	}
	if s.TCP != nil {
		mux := webrtc.NewICETCPMux(quiet.NewLogger("ice"), hurried{s.TCP}, 32)
		e.SetICETCPMux(mux)
		s.closers = append(s.closers, mux.Close)
		networks = append(networks, webrtc.NetworkTypeTCP4, webrtc.NetworkTypeTCP6)
	}
	e.SetNetworkTypes(networks)
	if len(networks) == 0 { // which pion takes for "all"
		e.SetIPFilter(func(net.IP) bool { return false })
	}
	if len(s.ExternalIPs) > 0 {
		err := e.SetICEAddressRewriteRules(webrtc.ICEAddressRewriteRule{External: s.ExternalIPs, AsCandidateType: webrtc.ICECandidateTypeHost})
		if err != nil {
			return errors.Join(err, s.closePorts())
		}
	}
	s.started = true
	return nil
}

func (s *Server) openUDP(quiet logging.LoggerFactory) error {
	opts := []ice.UDPMuxFromPortOption{
		ice.UDPMuxFromPortWithReadBufferSize(1 << 20),
		ice.UDPMuxFromPortWithWriteBufferSize(4 << 20),
		ice.UDPMuxFromPortWithLogger(quiet.NewLogger("ice")),
	}
	if s.Loopback {
		opts = append(opts, ice.UDPMuxFromPortWithLoopback())
	}
	if s.Here {
		opts = append(opts, ice.UDPMuxFromPortWithIPFilter(net.IP.IsLoopback))
	}
	mux, err := ice.NewMultiUDPMuxFromPort(s.UDPPort, opts...)
	if err != nil {
		return err
	}
	s.settings.SetICEUDPMux(mux)
	s.closers = append(s.closers, mux.Close)
	return nil
}

// hurried makes TCP connections forget what was not sent yet when they are closed: the end of a
// lease is the end of the bytes, also for a slow reader.
type hurried struct{ net.Listener }

func (h hurried) Accept() (net.Conn, error) {
	c, err := h.Listener.Accept()
	if tcp, ok := c.(*net.TCPConn); ok {
		tcp.SetLinger(0)
		tcp.SetWriteBuffer(256 << 10)
	}
	return c, err
}

// Offer answers a browser's offer to receive. It returns when the answer is known; the picture
// follows as soon as the browser has connected, and ends with the lease. Problems: live.busy,
// live.not_ready, live.reorder, live.audio, live.browser, live.offer, and live.no_webrtc at once
// where no port is open for it.
func (s *Server) Offer(ctx context.Context, lease *permit.Lease, src live.Source, offer string, o live.Options) (answer string, _ id.Viewing, err error) {
	if s.NoUDP && s.TCP == nil {
		return "", id.Viewing{}, live.Refused("live.no_webrtc")
	}
	v, err := s.admit(lease, src, o)
	if err != nil {
		return "", id.Viewing{}, err
	}
	answer, err = v.negotiate(ctx, offer)
	if err != nil {
		v.end(err)
		s.remove(v)
		return "", id.Viewing{}, err
	}
	go v.run()
	return answer, v.id, nil
}

// admit counts a new viewing in.
func (s *Server) admit(lease *permit.Lease, src live.Source, o live.Options) (*viewing, error) {
	if lease.State() == permit.Ended {
		return nil, context.Cause(lease.Context())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.started || len(s.viewings) >= s.Viewers {
		return nil, live.Busy("live.busy")
	}
	v := &viewing{id: id.Viewing(id.New[struct{}]()), server: s, lease: lease, src: src, options: o, connected: make(chan struct{})}
	v.ctx, v.cancel = context.WithCancelCause(lease.Context())
	for i, stream := range []*media.Stream{src.Main, src.Sub} {
		if stream == nil {
			continue
		}
		p := s.streams[stream]
		if p == nil {
			p = &packetiser{}
			s.streams[stream] = p
		}
		p.watching++
		v.packetisers[i] = p
	}
	s.viewings[v.id] = v
	s.wg.Add(1)
	return v, nil
}

func (s *Server) remove(v *viewing) {
	s.mu.Lock()
	delete(s.viewings, v.id)
	for i, stream := range []*media.Stream{v.src.Main, v.src.Sub} {
		if p := v.packetisers[i]; p != nil {
			if p.watching--; p.watching == 0 {
				delete(s.streams, stream)
			}
		}
	}
	s.mu.Unlock()
	s.wg.Done()
}

// End ends a viewing; it reports whether there was one.
func (s *Server) End(viewing id.Viewing) bool {
	s.mu.Lock()
	v, ok := s.viewings[viewing]
	s.mu.Unlock()
	if ok {
		v.end(errEnded)
	}
	return ok
}

// Grant is what a viewing's lease permits: who may end it is whose it is.
func (s *Server) Grant(viewing id.Viewing) (permit.Grant, bool) {
	s.mu.Lock()
	v, ok := s.viewings[viewing]
	s.mu.Unlock()
	if !ok {
		return permit.Grant{}, false
	}
	return v.lease.Grant(), true
}

// Watching is the number of viewings.
func (s *Server) Watching() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.viewings)
}

// Close ends every viewing, waits for them and closes the ports.
func (s *Server) Close() error {
	s.mu.Lock()
	s.started = false
	for _, v := range s.viewings {
		v.end(errEnded)
	}
	s.mu.Unlock()
	s.wg.Wait()
	return s.closePorts()
}

func (s *Server) closePorts() error {
	var errs []error
	for _, c := range s.closers {
		errs = append(errs, c())
	}
	s.closers = nil
	return errors.Join(errs...)
}

// api is pion with exactly the codecs of one answer and without interceptors: repeating and
// reporting are done here, where payloads are shared and leases asked.
func (s *Server) api(m *webrtc.MediaEngine) *webrtc.API {
	return webrtc.NewAPI(webrtc.WithMediaEngine(m), webrtc.WithSettingEngine(s.settings), webrtc.WithInterceptorRegistry(&interceptor.Registry{}))
}
