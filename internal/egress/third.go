package egress

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"candor/internal/passport"
	"candor/internal/problem"
	"candor/internal/promise"
)

// Recipient is somebody outside who is sent something. It is declared in code, named in the
// policy's register, and reached at its own hosts only.
type Recipient struct {
	Name    string           // "acme"
	Purpose passport.Purpose // why it is sent anything
	Fields  []string         // what it is sent, by passport or plain name
	Hosts   []string         // exact names; a leading dot allows the names below
	Private bool             // its hosts may lie in private networks (an authority of one's own)
	Roots   *x509.CertPool   // who vouches for its hosts; nil: whom this machine trusts
}

// Sending is one line of the ledger: that something is about to be sent, never what.
type Sending struct {
	Recipient string
	Purpose   passport.Purpose
	Host      string
}

// Ledger keeps what is sent to whom. An error stops the sending.
type Ledger interface {
	Send(ctx context.Context, s Sending) error
}

// Register is who may be sent something, and what; *policy.Policy is one. People are shown the same.
type Register interface {
	// Receives lists what a recipient may be sent; false for who is not in the register.
	Receives(recipient string) (fields []string, ok bool)
}

type logLedger struct{ log *slog.Logger }

func (l logLedger) Send(ctx context.Context, s Sending) error {
	l.log.InfoContext(ctx, "connecting to a recipient", "recipient", s.Recipient, "purpose", string(s.Purpose), "host", s.Host)
	return nil
}

// ErrRecipient is a connection to a recipient that must not be made.
var ErrRecipient = errors.New("recipient not allowed")

// Third is the way to one recipient.
func (r *Room) Third(to Recipient) (*ThirdDialer, error) {
	if to.Name == "" || to.Purpose == "" || len(to.Hosts) == 0 {
		return nil, fmt.Errorf("%w: it needs a name, a purpose and hosts", ErrRecipient)
	}
	if !r.registered(to) {
		return nil, fmt.Errorf("%w: %s is not in the register, or not with %v", ErrRecipient, to.Name, to.Fields)
	}
	return &ThirdDialer{room: r, to: to}, nil
}

// registered reports whether the register lets a recipient be sent what it is to be sent.
//
// promise:P229,P233
func (r *Room) registered(to Recipient) bool {
	if promise.Cut("P229") || promise.Cut("P233") {
		return true
	}
	if r.o.Register == nil {
		return false
	}
	may, ok := r.o.Register.Receives(to.Name)
	return ok && !slices.ContainsFunc(to.Fields, func(f string) bool { return !slices.Contains(may, f) })
}

// ThirdDialer reaches one recipient.
type ThirdDialer struct {
	room *Room
	to   Recipient
}

// DialContext connects to one of the recipient's hosts, after the ledger has its line.
func (d *ThirdDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if !strings.HasPrefix(network, "tcp") {
		return nil, fmt.Errorf("%w: %s by %q", ErrRecipient, d.to.Name, network)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host, port, err := splitPort(address)
	if err != nil {
		return nil, err
	}
	if !d.named(host) {
		return nil, fmt.Errorf("%w: %s is not a host of %s", ErrRecipient, host, d.to.Name)
	}
	addrs, err := d.room.resolve(ctx, host)
	if err != nil {
		if p, ok := problem.Of(err); ok {
			return nil, p.Cause // a camera's problem is not this reader's
		}
		return nil, err
	}
	addrs = slices.DeleteFunc(slices.Clone(addrs), func(a netip.Addr) bool { return !d.mayReach(a) })
	if len(addrs) == 0 {
		return nil, fmt.Errorf("%w: %s has no address that may be reached", ErrRecipient, host)
	}
	if err := d.room.o.Ledger.Send(ctx, Sending{Recipient: d.to.Name, Purpose: d.to.Purpose, Host: host}); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	var last error
	for _, a := range addrs {
		c, err := d.room.connect(ctx, network, netip.AddrPortFrom(a, port))
		if err == nil {
			return c, nil
		}
		last = err
	}
	return nil, last
}

// named reports whether the recipient is registered with that host.
//
// promise:P228
func (d *ThirdDialer) named(host string) bool {
	if promise.Cut("P228") {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	return slices.ContainsFunc(d.to.Hosts, func(h string) bool {
		h = strings.ToLower(h)
		return host == h || strings.HasPrefix(h, ".") && strings.HasSuffix(host, h)
	})
}

func (d *ThirdDialer) mayReach(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if d.to.Private && (a.IsLoopback() || a.IsPrivate()) {
		return true
	}
	return never(a) == "" && !a.IsPrivate()
}

// Client is an HTTP client that reaches this recipient only, redirects included, and uses no
// proxy that the environment names.
func (d *ThirdDialer) Client() *http.Client {
	return &http.Client{
		Timeout: time.Minute,
		Transport: &http.Transport{
			DialContext:         d.DialContext,
			TLSClientConfig:     &tls.Config{RootCAs: d.to.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: dialTimeout,
			IdleConnTimeout:     30 * time.Second,
			MaxIdleConns:        4,
			ForceAttemptHTTP2:   true,
		},
	}
}
