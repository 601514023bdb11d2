package rtsp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync"
	"time"
)

const (
	dialTimeout = 5 * time.Second
	// hangUpGrace is how long a camera gets to hear TEARDOWN before the line is cut.
	hangUpGrace = 500 * time.Millisecond
)

var errElsewhere = errors.New("the camera sends us to another host")

// tap dials the camera, remembers how the other side began to speak, and can cut the line.
type tap struct {
	dialer Dialer
	target target

	mu     sync.Mutex
	conn   net.Conn
	cut    bool
	dialed bool // a connection was made
	first  []byte
	wrong  []byte // certificate that was not trusted (its SHA-256)
}

// dial is the client's DialContext. A camera may send us to another port of its own, and
// nowhere else: credentials go with the request.
func (t *tap) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if hostOf(addr) != hostOf(t.target.host) {
		return nil, errElsewhere
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	conn, err := t.dialer.DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.cut {
		_ = conn.Close()
		return nil, net.ErrClosed
	}
	t.conn, t.dialed, t.first = conn, true, nil
	return &tapped{Conn: conn, tap: t}, nil
}

// dialTLS is the client's DialTLSContext. The handshake has its own time: a camera without TLS
// waits for a request it understands, silently.
func (t *tap) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := t.dial(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, dialTimeout)
	defer cancel()
	secure := tls.Client(conn, t.tlsConfig())
	if err := secure.HandshakeContext(ctx); err != nil {
		_ = conn.Close()
		return nil, err
	}
	return secure, nil
}

func hostOf(addr string) string {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return addr
	}
	return host
}

// hangUp closes the connection under the client.
func (t *tap) hangUp() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.cut = true
	if t.conn != nil {
		_ = t.conn.Close()
	}
}

// heard is how the other side began to speak.
func (t *tap) heard() (dialed bool, first []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.dialed, t.first
}

type tapped struct {
	net.Conn
	tap *tap
}

func (c *tapped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 {
		c.tap.mu.Lock()
		if room := 8 - len(c.tap.first); room > 0 {
			c.tap.first = append(c.tap.first, b[:min(n, room)]...)
		}
		c.tap.mu.Unlock()
	}
	return n, err
}

// tlsConfig trusts the system's authorities, or exactly the certificate the address names:
// cameras sign their own.
func (t *tap) tlsConfig() *tls.Config {
	host := hostOf(t.target.host)
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		ServerName:         host,
		InsecureSkipVerify: true, // VerifyConnection below decides instead
		VerifyConnection: func(s tls.ConnectionState) error {
			if len(s.PeerCertificates) == 0 {
				return errors.New("no certificate")
			}
			leaf := s.PeerCertificates[0]
			sum := sha256.Sum256(leaf.Raw)
			if t.target.print != nil {
				if bytes.Equal(sum[:], t.target.print) {
					return nil
				}
				return t.distrust(sum[:], errors.New("another certificate than the address names"))
			}
			pool := x509.NewCertPool()
			for _, c := range s.PeerCertificates[1:] {
				pool.AddCert(c)
			}
			if _, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: pool}); err != nil {
				return t.distrust(sum[:], err)
			}
			return nil
		},
	}
}

func (t *tap) distrust(sum []byte, err error) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wrong = sum
	return err
}
