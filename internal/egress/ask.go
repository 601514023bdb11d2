package egress

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	maxDatagram = 64 << 10
	maxDoors    = 8 // interfaces that are asked through
	askTwice    = 400 * time.Millisecond
)

// Ask sends one datagram to a multicast group in every allowed network this machine has an address
// in, and hands on what comes back until ctx ends. It leaves by the interfaces of those networks
// only and goes no further than them; an answer from outside of them is dropped unread. Loopback is
// asked where cameras may be on this machine, or the demo camera is. It says which networks were
// asked; none is no error.
//
// answer is called by one goroutine at a time and must not keep b.
func (r *Room) Ask(ctx context.Context, group netip.AddrPort, datagram []byte, answer func(from netip.AddrPort, b []byte)) ([]netip.Prefix, error) {
	if !group.Addr().Is4() || !group.Addr().IsMulticast() {
		return nil, errors.New("ask a group: only IPv4 multicast")
	}
	doors, err := r.doors()
	if err != nil {
		return nil, err
	}
	var asked []netip.Prefix
	var mu sync.Mutex
	var hearing sync.WaitGroup
	defer hearing.Wait()
	for _, door := range doors {
		c, err := listen(ctx, door.Addr())
		if err != nil {
			r.o.Log.WarnContext(ctx, "a network cannot be asked for cameras", "err", err)
			continue
		}
		asked = append(asked, door)
		stop := context.AfterFunc(ctx, func() { c.Close() })
		hearing.Go(func() {
			defer stop()
			defer c.Close()
			r.hear(c, func(from netip.AddrPort, b []byte) {
				mu.Lock()
				defer mu.Unlock()
				answer(from, b)
			})
		})
		hearing.Go(func() { // twice, since datagrams get lost
			for range 2 {
				if _, err := c.WriteToUDPAddrPort(datagram, group); err != nil {
					return
				}
				select {
				case <-ctx.Done():
					return
				case <-time.After(askTwice):
				}
			}
		})
	}
	return asked, nil
}

// doors are this machine's own addresses in networks where cameras may be.
func (r *Room) doors() ([]netip.Prefix, error) {
	all, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("list this machine's addresses: %w", err)
	}
	var out []netip.Prefix
	for _, one := range all {
		p, err := netip.ParsePrefix(one.String())
		if err != nil || !p.Addr().Is4() || !r.mayHear(p.Addr()) || len(out) == maxDoors {
			continue
		}
		out = append(out, p)
	}
	return out, nil
}

// mayHear reports whether a camera may have that address. It is mayReach without a port.
func (r *Room) mayHear(a netip.Addr) bool {
	a = a.Unmap()
	if r.demoAt(func(d netip.AddrPort) bool { return d.Addr() == a }) {
		return true
	}
	return r.mayReach(netip.AddrPortFrom(a, 1)) == nil
}

// hear reads until the socket is closed.
func (r *Room) hear(c *net.UDPConn, answer func(netip.AddrPort, []byte)) {
	b := make([]byte, maxDatagram)
	for {
		n, from, err := c.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if r.mayHear(from.Addr()) {
			answer(netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), b[:n])
		}
	}
}

// listen opens a socket at one of this machine's addresses, whose multicast leaves by its interface
// and is not passed on by a router.
func listen(ctx context.Context, at netip.Addr) (*net.UDPConn, error) {
	lc := net.ListenConfig{Control: func(_, _ string, raw syscall.RawConn) error {
		var err error
		set := func(fd uintptr) {
			err = errors.Join(unix.SetsockoptInet4Addr(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_IF, at.As4()),
				unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_MULTICAST_TTL, 1))
		}
		return errors.Join(raw.Control(set), err)
	}}
	c, err := lc.ListenPacket(ctx, "udp4", netip.AddrPortFrom(at, 0).String())
	if err != nil {
		return nil, err
	}
	return c.(*net.UDPConn), nil
}

// May reports why a camera must not be dialled at host:port, without dialling or looking a name up;
// nil means it may. What a name means is checked when it is dialled.
func (r *Room) May(address string) error {
	host, port, err := splitPort(address)
	if err != nil {
		return err
	}
	a, err := netip.ParseAddr(host)
	if err != nil {
		return checkName(host)
	}
	return r.mayReach(netip.AddrPortFrom(a, port))
}
