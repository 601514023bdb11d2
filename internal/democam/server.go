package democam

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bluenviron/gortsplib/v5"
	"github.com/bluenviron/gortsplib/v5/pkg/base"
	"github.com/bluenviron/gortsplib/v5/pkg/liberrors"
	"github.com/google/uuid"

	"candor/internal/media"
)

// Server is the demo camera. Fill the exported fields, Start it, Close it.
type Server struct {
	Log  *slog.Logger
	Addr string // where to listen; empty means "127.0.0.1:0"
	FS   fs.FS  // where the clips are; nil means that Main and Sub are paths
	Main string
	Sub  string // empty: there is no sub stream

	TLS *tls.Config // nil: plain RTSP

	Username string // empty: anybody may look
	Password string

	Name     string // what it calls itself; empty means "Demo camera"
	ONVIF    bool   // speak ONVIF on a port beside the RTSP one
	Discover bool   // and answer whoever asks its network for cameras

	Offset time.Duration // where in the clip to begin

	// For tests: say nothing of parameter sets in the SDP; send them with key pictures only.
	HideParameters bool
	// For tests: ask for HTTP digest instead of a token in the message; have a clock that is off.
	Digest   bool
	ClockOff time.Duration
	// For tests: further paths of the streams, as another make names them.
	Also map[string]media.Profile

	server   *gortsplib.Server
	listener net.Listener
	mu       sync.RWMutex // held while the clips are opened: requests may come before that
	players  map[media.Profile]*player
	cancel   context.CancelFunc
	onvif    *service
	announce *discovery
	done     sync.WaitGroup

	stalled atomic.Bool
	garbage atomic.Bool
	skew    atomic.Int64 // nanoseconds the camera's clock has jumped
	wrong   atomic.Int64 // passwords that were not right
}

// Start opens the clips and begins to play.
func (s *Server) Start() error {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Addr == "" {
		s.Addr = "127.0.0.1:0"
	}
	s.server = &gortsplib.Server{
		Handler:        handler{s},
		RTSPAddress:    s.Addr,
		TLSConfig:      s.TLS,
		WriteQueueSize: 4096, // a key picture is hundreds of packets
		Listen: func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			s.listener = l
			return l, err
		},
	}
	if err := s.open(); err != nil {
		return fmt.Errorf("demo camera: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	begin := time.Now()
	for _, p := range s.players {
		s.done.Go(func() { p.run(ctx, begin) })
	}
	if err := s.speak(ctx); err != nil {
		s.Close()
		return fmt.Errorf("demo camera: %w", err)
	}
	return nil
}

// speak begins what it does beside playing.
func (s *Server) speak(ctx context.Context) (err error) {
	if !s.ONVIF && !s.Discover {
		return nil
	}
	if s.onvif, err = s.serve(); err != nil || !s.Discover {
		return err
	}
	if s.announce, err = s.onvif.discoverable(ctx, uuid.New().String()); err != nil {
		// Whatever keeps it from being found, it can be watched.
		s.Log.WarnContext(ctx, "the demo camera cannot be found by search", "err", err)
	}
	return nil
}

func (s *Server) name() string {
	if s.Name == "" {
		return "Demo camera"
	}
	return s.Name
}

// Service is the address of its ONVIF device service; empty when it speaks none.
func (s *Server) Service() string {
	if s.onvif == nil {
		return ""
	}
	return s.onvif.address(devicePath)
}

// Refused is how often somebody came with a wrong password, by RTSP or ONVIF, for tests.
func (s *Server) Refused() int { return int(s.wrong.Load()) }

// open begins to listen and loads the clips, which needs a server that listens.
func (s *Server) open() error {
	s.mu.Lock()
	err := s.server.Start()
	if err != nil {
		s.mu.Unlock()
		return err
	}
	err = s.load()
	s.mu.Unlock()
	if err != nil {
		s.Close()
	}
	return err
}

func (s *Server) player(profile media.Profile) *player {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.players[profile]
}

func (s *Server) load() error {
	s.players = map[media.Profile]*player{}
	for profile, name := range map[media.Profile]string{media.Main: s.Main, media.Sub: s.Sub} {
		if name == "" {
			continue
		}
		clip, err := OpenClip(s.FS, name)
		if err != nil {
			return err
		}
		p, err := newPlayer(s, clip)
		if err != nil {
			return errors.Join(err, clip.Close())
		}
		s.players[profile] = p
	}
	main, sub := s.players[media.Main], s.players[media.Sub]
	if main != nil && sub != nil && (main.clip.Period-sub.clip.Period).Abs() < time.Second {
		sub.clip.Period = main.clip.Period // or they would drift apart, round by round
	}
	return nil
}

// Close hangs up on everybody and ends the server.
func (s *Server) Close() {
	if s.announce != nil {
		s.announce.close()
	}
	if s.onvif != nil {
		s.onvif.close()
	}
	if s.cancel != nil {
		s.cancel()
	}
	s.done.Wait()
	for _, p := range s.players {
		p.close()
	}
	s.server.Close()
}

// Address is where the server listens.
func (s *Server) Address() string { return s.listener.Addr().String() }

// URL is where a profile can be fetched, or empty when there is no such stream. It carries no
// user name and no password.
func (s *Server) URL(profile media.Profile) string {
	if s.player(profile) == nil {
		return ""
	}
	scheme := "rtsp"
	if s.TLS != nil {
		scheme = "rtsps"
	}
	return scheme + "://" + s.Address() + "/" + string(profile)
}

// Stall makes the camera go quiet without hanging up, or lets it go on.
func (s *Server) Stall(quiet bool) { s.stalled.Store(quiet) }

// Garbage has the camera send nonsense between the pictures.
func (s *Server) Garbage(on bool) { s.garbage.Store(on) }

// Jump moves the camera's clock, and its RTP time stamps with it.
func (s *Server) Jump(by time.Duration) { s.skew.Add(int64(by)) }

// Switch plays another clip from its beginning, as when somebody changes a camera's settings.
// Time stamps go on. Sound is left out unless it is of the same kind as before.
func (s *Server) Switch(profile media.Profile, name string) error {
	p := s.player(profile)
	if p == nil {
		return fmt.Errorf("no %s stream", profile)
	}
	clip, err := OpenClip(s.FS, name)
	if err != nil {
		return err
	}
	p.next(clip)
	return nil
}

func (s *Server) random() *rand.Rand { return rand.New(rand.NewPCG(1, 2)) }

// handler answers RTSP requests.
type handler struct{ s *Server }

var (
	_ gortsplib.ServerHandlerOnDescribe = handler{}
	_ gortsplib.ServerHandlerOnSetup    = handler{}
	_ gortsplib.ServerHandlerOnPlay     = handler{}
)

func (h handler) OnDescribe(c *gortsplib.ServerHandlerOnDescribeCtx) (*base.Response, *gortsplib.ServerStream, error) {
	return h.find(c.Conn, c.Request, c.Path)
}

func (h handler) OnSetup(c *gortsplib.ServerHandlerOnSetupCtx) (*base.Response, *gortsplib.ServerStream, error) {
	if c.Transport.Protocol != gortsplib.ProtocolTCP {
		return &base.Response{StatusCode: base.StatusUnsupportedTransport}, nil, nil
	}
	return h.find(c.Conn, c.Request, c.Path)
}

func (h handler) OnPlay(*gortsplib.ServerHandlerOnPlayCtx) (*base.Response, error) {
	return &base.Response{StatusCode: base.StatusOK}, nil
}

func (h handler) find(conn *gortsplib.ServerConn, req *base.Request, path string) (*base.Response, *gortsplib.ServerStream, error) {
	if h.s.Username != "" && !conn.VerifyCredentials(req, h.s.Username, h.s.Password) {
		if len(req.Header["Authorization"]) > 0 {
			h.s.wrong.Add(1)
		}
		return &base.Response{StatusCode: base.StatusUnauthorized}, nil, liberrors.ErrServerAuth{}
	}
	if len(path) > 0 && path[0] == '/' {
		path = path[1:]
	}
	profile := media.Profile(path)
	if other, ok := h.s.Also[path]; ok {
		profile = other
	}
	p := h.s.player(profile)
	if p == nil {
		return &base.Response{StatusCode: base.StatusNotFound}, nil, nil
	}
	return &base.Response{StatusCode: base.StatusOK}, p.stream, nil
}
