package mail

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"math/big"
	"mime"
	"mime/quotedprintable"
	"net"
	netmail "net/mail"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"

	"candor/internal/passport"
)

// post is a real SMTP server whose answers a test chooses.
type post struct {
	t      *testing.T
	server *smtp.Server
	addr   string
	roots  *x509.CertPool

	mu      sync.Mutex
	got     []letter
	answers []error         // to the next recipients; after that all are taken
	before  func(to string) // called at each recipient, without the lock
	user    string          // "" asks for nobody
	seen    []string        // recipients, taken or not
}

type letter struct {
	from, to, subject, text, raw string
	secure                       bool
}

// certificate makes one for a name, and the pool that vouches for it.
func certificate(t *testing.T, name string) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, DNSNames: []string{name}}
	if ip := net.ParseIP(name); ip != nil {
		c.DNSNames, c.IPAddresses = nil, []net.IP{ip}
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

// serve starts a server on loopback. With implicit TLS it speaks TLS at once, else STARTTLS.
func serve(t *testing.T, name string, implicit bool) *post {
	t.Helper()
	cert, roots := certificate(t, name)
	p := &post{t: t, roots: roots}
	p.server = smtp.NewServer(p)
	p.server.Domain, p.server.AllowInsecureAuth = "mail.test", true
	p.server.TLSConfig = &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}
	p.server.ErrorLog = quietLog{}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.addr = l.Addr().String()
	if implicit {
		l = tls.NewListener(l, p.server.TLSConfig)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = p.server.Serve(l) }()
	t.Cleanup(func() { _ = p.server.Close(); <-done })
	return p
}

type quietLog struct{}

func (quietLog) Printf(string, ...any) {}
func (quietLog) Println(...any)        {}

// settings are those with which the server is reached.
func (p *post) settings(how TLS) Server {
	a, err := net.ResolveTCPAddr("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	return Server{Host: "127.0.0.1", Port: a.Port, TLS: how, From: "Candor <candor@example.org>", Roots: p.roots}
}

func (p *post) letters() []letter {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]letter(nil), p.got...)
}

func (p *post) recipients() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.seen)
}

func (p *post) answer(errs ...error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answers = append(p.answers, errs...)
}

// NewSession begins a conversation.
func (p *post) NewSession(c *smtp.Conn) (smtp.Session, error) { return &talk{post: p, conn: c}, nil }

type talk struct {
	post     *post
	conn     *smtp.Conn
	from, to string
	in       bool
}

func (s *talk) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *talk) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, password string) error {
		if user != s.post.user || password != "the right one" {
			return smtp.ErrAuthFailed
		}
		s.in = true
		return nil
	}), nil
}

func (s *talk) Mail(from string, _ *smtp.MailOptions) error {
	if s.post.user != "" && !s.in {
		return smtp.ErrAuthRequired
	}
	s.from = from
	return nil
}

func (s *talk) Rcpt(to string, _ *smtp.RcptOptions) error {
	s.post.mu.Lock()
	s.post.seen = append(s.post.seen, to)
	var err error
	if len(s.post.answers) > 0 {
		err, s.post.answers = s.post.answers[0], s.post.answers[1:]
	}
	before := s.post.before
	s.post.mu.Unlock()
	if before != nil {
		before(to)
	}
	s.to = to
	return err
}

func (s *talk) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	m, err := netmail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		return err
	}
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		return err
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
	if err != nil {
		return err
	}
	_, secure := s.conn.TLSConnectionState()
	s.post.mu.Lock()
	defer s.post.mu.Unlock()
	s.post.got = append(s.post.got, letter{s.from, s.to, subject, strings.ReplaceAll(string(text), "\r\n", "\n"), string(raw), secure})
	return nil
}

func (s *talk) Reset()        {}
func (s *talk) Logout() error { return nil }

// refuse is an answer of the server.
func refuse(code int) error { return &smtp.SMTPError{Code: code, Message: "not <" + canary + ">"} }

const canary = "zoe@example.org"

// direct dials without egress, and counts.
func direct(dials *atomic.Int64) Dial {
	return func(ctx context.Context, _ passport.Purpose, address string) (net.Conn, error) {
		dials.Add(1)
		return new(net.Dialer).DialContext(ctx, "tcp", address)
	}
}
