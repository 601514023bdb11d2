// Package egress is the only place that opens a connection to anywhere.
//
// Device gives a dialer for one camera: it reaches the operator's allowed networks and nothing
// else. A name is resolved once, every answer is checked, and the address that was checked is
// the one dialled, so a name that answers differently a moment later gains nothing; a redirect
// dials again and is checked again. Loopback, link-local, multicast, metadata and addresses
// that carry another address inside are refused whatever the networks say, except loopback
// where the operator allowed it, and the demo camera's own port.
//
// Ask sends a question to everybody in those networks (discovery), and Client speaks HTTP to a camera.
//
// Third gives a client for a recipient outside: only registered recipients, only the hosts they
// are registered with, and a line in the ledger before the first byte.
//
// A dependency test says that no other room calls net.Dial or uses http.DefaultClient.
package egress

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"syscall"
	"time"

	"candor/internal/id"
	"candor/internal/problem"
)

// Resolver turns a name into addresses; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Options are what the room needs.
type Options struct {
	Networks      []netip.Prefix // where cameras may be
	AllowLoopback bool           // cameras may be on this machine
	Resolver      Resolver       // nil: the system's
	Ledger        Ledger         // nil: a line in the log
	Register      Register       // nil: nobody outside is sent anything
	Log           *slog.Logger
}

// Room hands out dialers.
type Room struct {
	o    Options
	demo struct {
		sync.RWMutex
		addrs []netip.AddrPort
	}
	// connect opens a connection to a checked address; a test may watch it.
	connect func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error)
}

// New makes the room.
func New(o Options) *Room {
	if o.Resolver == nil {
		o.Resolver = net.DefaultResolver
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Ledger == nil {
		o.Ledger = logLedger{o.Log}
	}
	r := &Room{o: o}
	r.connect = r.dialChecked
	return r
}

// AllowDemo opens the addresses on this machine where the demo camera listens, and only those; none
// closes them again.
func (r *Room) AllowDemo(at ...netip.AddrPort) {
	r.demo.Lock()
	defer r.demo.Unlock()
	r.demo.addrs = nil
	for _, a := range at {
		r.demo.addrs = append(r.demo.addrs, netip.AddrPortFrom(a.Addr().Unmap(), a.Port()))
	}
}

// demoAt reports whether the demo camera listens where f says yes.
func (r *Room) demoAt(f func(netip.AddrPort) bool) bool {
	r.demo.RLock()
	defer r.demo.RUnlock()
	return slices.ContainsFunc(r.demo.addrs, f)
}

// Device is the dialer for one camera.
func (r *Room) Device(b id.Binding) *DeviceDialer { return &DeviceDialer{room: r, binding: b} }

// DeviceDialer reaches one camera in the allowed networks.
type DeviceDialer struct {
	room    *Room
	binding id.Binding
}

const dialTimeout = 10 * time.Second

// DialContext connects to a camera. An address outside the allowed networks is the problem
// camera.forbidden_network; no packet is sent to it.
func (d *DeviceDialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	if network != "tcp" && network != "tcp4" && network != "tcp6" && network != "udp" && network != "udp4" && network != "udp6" {
		return nil, fmt.Errorf("dial a camera by %q: only TCP and UDP", network)
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	host, port, err := splitPort(address)
	if err != nil {
		return nil, problem.Invalid("camera.address").With("reason", "port").Because(err)
	}
	addrs, err := d.room.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var allowed []netip.AddrPort
	var refusal error
	for _, a := range addrs {
		to := netip.AddrPortFrom(a, port)
		if err := d.room.mayReach(to); err != nil {
			refusal = err
			continue
		}
		allowed = append(allowed, to)
	}
	if len(allowed) == 0 {
		d.room.o.Log.WarnContext(ctx, "camera address refused", "binding", d.binding, "reason", refusal.Error())
		return nil, forbidden(refusal)
	}
	var last error
	for _, to := range allowed {
		c, err := d.room.connect(ctx, network, to)
		if err == nil {
			return c, nil
		}
		last = err
		if ctx.Err() != nil {
			break
		}
	}
	return nil, last
}

func forbidden(cause error) error {
	return problem.Invalid("camera.forbidden_network").Because(cause)
}

func (r *Room) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a}, nil
	}
	if err := checkName(host); err != nil {
		return nil, problem.Invalid("camera.address").With("reason", "unreadable").Because(err)
	}
	addrs, err := r.o.Resolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, problem.Invalid("camera.unreachable").With("host", host).Because(unnamed(err))
	}
	if len(addrs) == 0 {
		return nil, problem.Invalid("camera.unreachable").With("host", host).Because(errors.New("the name has no address"))
	}
	return addrs, nil
}

// unnamed says why a name was not found, without the name: it tells where somebody's camera is.
func unnamed(err error) error {
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return errors.New("look the name up: " + dns.Err)
	}
	return fmt.Errorf("look the name up: %w", err)
}

// mayReach reports why a camera must not be dialled there; nil means it may.
func (r *Room) mayReach(to netip.AddrPort) error {
	if to.Addr().Zone() != "" {
		return errors.New("an address with a zone is link-local")
	}
	a := to.Addr().Unmap()
	if r.demoAt(func(d netip.AddrPort) bool { return d == netip.AddrPortFrom(a, to.Port()) }) {
		return nil
	}
	if a.IsLoopback() {
		if r.o.AllowLoopback {
			return nil
		}
		return errors.New("the address is this machine's own")
	}
	if why := never(a); why != "" {
		return errors.New(why)
	}
	for _, n := range r.o.Networks {
		if n.Contains(a) {
			return nil
		}
	}
	return errors.New("the address is in no allowed network")
}

// dialChecked connects, and looks again at the address the kernel is given.
func (r *Room) dialChecked(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	d := net.Dialer{Timeout: dialTimeout, Control: func(_, address string, _ syscall.RawConn) error {
		got, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("dial: %w", err)
		}
		if got.Addr().Unmap() != to.Addr().Unmap() || got.Port() != to.Port() {
			return fmt.Errorf("dial: the address changed on the way")
		}
		return nil
	}}
	return d.DialContext(ctx, network, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()).String())
}
