// Package front opens the doors: listeners, TLS, and what is known of a request's way here.
//
// There are four ways to be reached, and one setting (http.tls) chooses:
//
//   - off: plain HTTP, for this machine or a network one trusts; visit.Missing lists what
//     browsers withhold then.
//   - proxy: plain HTTP behind a proxy that has the certificate. Its X-Forwarded-* and
//     X-Ingress-Path are believed because its address is in the trusted networks; from anybody
//     else these headers are taken off before a handler sees them.
//   - acme: an own domain. The certificate is fetched and renewed through egress.
//   - local-ca: an authority made here, for a home without a domain. Each device trusts its root
//     once; /trust shows how and has the root to download.
//
// With TLS, the plain listener only forwards, answers challenges and shows /trust.
package front

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/promise"
	"candor/internal/visit"
)

// Mode is how the connection to a browser is protected.
type Mode string

// The modes.
const (
	Off     Mode = "off"
	Proxy   Mode = "proxy"
	ACME    Mode = "acme"
	LocalCA Mode = "local-ca"
)

// Options are what the front needs.
type Options struct {
	Mode           Mode
	Listen         string // plain HTTP
	TLSListen      string // for acme and local-ca
	Domains        []string
	BasePath       string
	TrustedProxies []netip.Prefix
	Dir            string // where certificates and the authority are kept
	Authority      Authority
	StopWithin     time.Duration
	Log            *slog.Logger
	Clock          clock.Clock
	Words          func(lang, key string, args map[string]string) string // for /trust
	OnStop         func()                                                // told when stopping begins, to end what would go on for ever
}

// Authority is how an own domain's certificate is got.
type Authority struct {
	Email, Directory string
	Client           *http.Client // egress' client for this recipient; reaches nobody else
}

// Front is the open doors.
type Front struct {
	o       Options
	ca      *localCA
	acme    *ownDomain
	plain   net.Listener
	secure  net.Listener
	servers []*http.Server
	serving sync.WaitGroup
	stop    context.CancelFunc
	failed  chan error
	stopped sync.Once
}

// New prepares certificates but opens nothing yet.
func New(o Options) (*Front, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Clock == nil {
		o.Clock = clock.Wall
	}
	if o.StopWithin == 0 {
		o.StopWithin = 10 * time.Second
	}
	if o.Words == nil {
		o.Words = func(string, string, map[string]string) string { return "" }
	}
	f := &Front{o: o, failed: make(chan error, 2)}
	switch o.Mode {
	case Off, Proxy:
	case LocalCA:
		ca, err := openLocalCA(o.Dir, o.Domains, o.Clock)
		if err != nil {
			return nil, err
		}
		f.ca = ca
	case ACME:
		if len(o.Domains) == 0 || o.Authority.Client == nil {
			return nil, errors.New("acme needs a domain and a way to the authority")
		}
	default:
		return nil, fmt.Errorf("no TLS mode %q", o.Mode)
	}
	return f, nil
}

// Start opens the listeners and serves until Stop.
func (f *Front) Start(ctx context.Context, handler http.Handler) error {
	ctx, f.stop = context.WithCancel(context.WithoutCancel(ctx))
	handler = f.arrive(handler)
	var err error
	if f.plain, err = net.Listen("tcp", f.o.Listen); err != nil {
		f.stop()
		return fmt.Errorf("open the front door (http.listen): %w", err)
	}
	if f.o.Mode == Off || f.o.Mode == Proxy {
		f.serve(f.plain, handler, nil)
		return nil
	}
	if f.secure, err = net.Listen("tcp", f.o.TLSListen); err != nil {
		f.stop()
		return errors.Join(fmt.Errorf("open the front door for TLS (http.tls_listen): %w", err), f.plain.Close())
	}
	config, challenge, err := f.certificates(ctx)
	if err != nil {
		f.stop()
		return errors.Join(err, f.plain.Close(), f.secure.Close())
	}
	f.serve(f.secure, f.withTrust(handler), config)
	f.serve(f.plain, challenge(f.withTrust(http.HandlerFunc(f.forward))), nil)
	return nil
}

// certificates gives the TLS configuration and what the plain listener answers before all else.
//
// promise:P289
func (f *Front) certificates(ctx context.Context) (*tls.Config, func(http.Handler) http.Handler, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	if promise.Cut("P289") {
		config.MinVersion = tls.VersionTLS10
	}
	if f.o.Mode == LocalCA {
		config.GetCertificate = f.ca.certificate
		return config, func(h http.Handler) http.Handler { return h }, nil
	}
	a, err := newACME(f.o)
	if err != nil {
		return nil, nil, err
	}
	f.acme = a
	config.GetCertificate = a.certificate
	config.NextProtos = append(config.NextProtos, "acme-tls/1")
	return config, a.challenge, a.start(ctx)
}

func (f *Front) serve(l net.Listener, h http.Handler, config *tls.Config) {
	s := &http.Server{
		Handler:           h,
		TLSConfig:         config,
		ReadHeaderTimeout: 10 * time.Second,
		// For handlers that set no deadline of their own; who streams moves it along.
		WriteTimeout:   time.Minute,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: 64 << 10,
		ErrorLog:       log.New(quiet{f.o.Log}, "", 0),
		ConnContext:    visit.WithConn,
	}
	f.servers = append(f.servers, s)
	f.serving.Go(func() {
		var err error
		if config != nil {
			err = s.ServeTLS(l, "", "")
		} else {
			err = s.Serve(l)
		}
		if !errors.Is(err, http.ErrServerClosed) {
			f.failed <- fmt.Errorf("the front door closed: %w", err)
		}
	})
}

// Also serves h by plain HTTP at another address, such as that of the metrics page. Call it
// after Start.
func (f *Front) Also(address string, h http.Handler) error {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return fmt.Errorf("open another door at %s: %w", address, err)
	}
	f.serve(l, h, nil)
	return nil
}

// Failed tells of a listener that closed by itself.
func (f *Front) Failed() <-chan error { return f.failed }

// Stop lets open requests finish for a time and closes what is left. A second call does nothing.
func (f *Front) Stop(ctx context.Context) error {
	if f.stop == nil {
		return nil
	}
	var err error
	f.stopped.Do(func() { err = f.shut(ctx) })
	return err
}

func (f *Front) shut(ctx context.Context) error {
	defer f.stop()
	if f.o.OnStop != nil {
		f.o.OnStop()
	}
	ctx, cancel := context.WithTimeout(ctx, f.o.StopWithin)
	defer cancel()
	var errs []error
	for _, s := range f.servers {
		if err := s.Shutdown(ctx); err != nil {
			errs = append(errs, s.Close())
		}
	}
	f.serving.Wait()
	if f.acme != nil {
		f.acme.cache.Stop()
	}
	return errors.Join(errs...)
}

// Addr is where plain HTTP is heard, and SecureAddr where TLS is; the zero AddrPort if not at all.
func (f *Front) Addr() netip.AddrPort { return addr(f.plain) }

// SecureAddr is where TLS is heard.
func (f *Front) SecureAddr() netip.AddrPort { return addr(f.secure) }

func addr(l net.Listener) netip.AddrPort {
	if l == nil {
		return netip.AddrPort{}
	}
	a, _ := netip.ParseAddrPort(l.Addr().String())
	return a
}

// URLs are what to type into a browser, the best first. On this machine that is localhost and
// never 127.0.0.1: passkeys refuse addresses.
func (f *Front) URLs() []string {
	scheme, at, std := "http", f.Addr(), uint16(80)
	if f.secure != nil {
		scheme, at, std = "https", f.SecureAddr(), 443
	}
	port := ""
	if at.Port() != std {
		port = fmt.Sprintf(":%d", at.Port())
	}
	hosts := slices.Clone(f.o.Domains)
	switch ip := at.Addr().Unmap(); {
	case f.o.Mode == ACME:
	case ip.IsLoopback():
		hosts = append(hosts, "localhost")
	case ip.IsUnspecified():
		hosts = append(hosts, "localhost")
		for _, own := range ownAddresses() {
			hosts = append(hosts, hostOf(own))
		}
	default:
		hosts = append(hosts, hostOf(ip))
	}
	out := make([]string, len(hosts))
	for i, h := range hosts {
		out[i] = scheme + "://" + h + port + f.o.BasePath + "/"
	}
	return out
}

func hostOf(a netip.Addr) string {
	if a.Is6() {
		return "[" + a.String() + "]"
	}
	return a.String()
}

// ownAddresses are this machine's addresses in private networks.
func ownAddresses() []netip.Addr {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	var out []netip.Addr
	for _, a := range all {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap().IsPrivate() {
			out = append(out, p.Addr().Unmap())
		}
	}
	return out
}

// forward sends a browser that came by plain HTTP to HTTPS, before anything of it is read.
func (f *Front) forward(w http.ResponseWriter, r *http.Request) {
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(host, "[]")
	if f.o.Mode == ACME && !slices.ContainsFunc(f.o.Domains, func(d string) bool { return strings.EqualFold(d, host) }) {
		host = f.o.Domains[0]
	}
	if a, err := netip.ParseAddr(host); err == nil {
		host = hostOf(a)
	} else if !plainHost.MatchString(host) {
		http.Error(w, http.StatusText(http.StatusBadRequest), http.StatusBadRequest)
		return
	}
	if p := f.SecureAddr().Port(); p != 443 {
		host = fmt.Sprintf("%s:%d", host, p)
	}
	w.Header().Set("Connection", "close")
	http.Redirect(w, r, "https://"+host+r.URL.RequestURI(), http.StatusPermanentRedirect)
}

// quiet takes what net/http has to say about broken connections: for the curious only.
type quiet struct{ log *slog.Logger }

func (q quiet) Write(b []byte) (int, error) {
	q.log.Debug("connection", "reason", strings.TrimSpace(string(b)))
	return len(b), nil
}
