package mail

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	gomail "github.com/wneessen/go-mail"

	"candor/internal/passport"
)

// TLS is how the way to the server is protected.
type TLS string

// The ways.
const (
	StartTLS TLS = "starttls" // plain at first, TLS before anything is said
	Implicit TLS = "tls"      // TLS from the first byte
	None     TLS = "none"     // only to this machine
)

// Server is the operator's SMTP server.
type Server struct {
	Host               string
	Port               int
	TLS                TLS
	Username, Password string // both empty: no signing in
	From               string // an address, with a name if wanted
	Roots              *x509.CertPool
}

// Dial connects to the server for a purpose; app has egress do it.
type Dial func(ctx context.Context, p passport.Purpose, address string) (net.Conn, error)

// within bounds one letter's way to the server, and each of its steps.
const (
	within = time.Minute
	step   = 20 * time.Second
)

// outcome is what became of a letter.
type outcome int

const (
	sent  outcome = iota
	later         // the server cannot take this letter now
	never         // the server will not take this letter
	down          // the server is not there, or does not let us in
)

// deliver carries one letter to the server. The error is in our words: the server's name the address.
func (s Server) deliver(ctx context.Context, dial Dial, m Message) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	letter, err := s.letter(m)
	if err != nil {
		return never, err
	}
	c, err := s.client(ctx, dial, m.Purpose)
	if err != nil {
		return down, err
	}
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return down, plain(err)
	}
	err = c.SendWithSMTPClient(conn, letter)
	_ = c.CloseWithSMTPClient(conn) // what counts was said already
	if err == nil || letter.IsDelivered() {
		return sent, nil
	}
	var refused *gomail.SendError
	switch {
	case !errors.As(err, &refused):
		return down, plain(err)
	case refused.ErrorCode() >= 500:
		return never, plain(err)
	case refused.ErrorCode() >= 400 && refused.ErrorCode() != 421:
		return later, plain(err)
	}
	return down, plain(err)
}

// Check connects, signs in and leaves again.
func (s Server) Check(ctx context.Context, dial Dial) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	c, err := s.client(ctx, dial, passport.Security)
	if err != nil {
		return err
	}
	conn, err := c.DialToSMTPClientWithContext(ctx)
	if err != nil {
		return err
	}
	return c.CloseWithSMTPClient(conn)
}

// client is made for one connection: it is closed when ctx ends, whatever it waits for.
func (s Server) client(ctx context.Context, dial Dial, p passport.Purpose) (*gomail.Client, error) {
	secure := &tls.Config{ServerName: s.Host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	policy := gomail.TLSMandatory
	if s.TLS != StartTLS {
		policy = gomail.TLSOpportunistic // looks whether the connection it is given is TLS
	}
	options := []gomail.Option{
		gomail.WithPort(s.Port), gomail.WithTimeout(step), gomail.WithHELO(s.domain()), gomail.WithTLSConfig(secure),
		gomail.WithTLSPolicy(policy), gomail.WithoutNoop(),
		gomail.WithDialContextFunc(func(dialing context.Context, _, address string) (net.Conn, error) {
			conn, err := dial(dialing, p, address)
			if err != nil {
				return nil, err
			}
			context.AfterFunc(ctx, func() { _ = conn.Close() })
			return s.protect(dialing, conn, secure)
		}),
	}
	if s.TLS == None {
		options = append(options, gomail.WithTLSPolicy(gomail.NoTLS))
	}
	if s.Username != "" {
		way := gomail.SMTPAuthAutoDiscover
		if s.TLS == None {
			way = gomail.SMTPAuthPlainNoEnc
		}
		options = append(options, gomail.WithSMTPAuth(way), gomail.WithUsername(s.Username), gomail.WithPassword(s.Password))
	}
	return gomail.NewClient(s.Host, options...)
}

// protect begins TLS where it comes first, and refuses to go on without TLS to another machine.
func (s Server) protect(ctx context.Context, conn net.Conn, secure *tls.Config) (net.Conn, error) {
	switch s.TLS {
	case Implicit:
		t := tls.Client(conn, secure)
		if err := t.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		return t, nil
	case None:
		to, err := netip.ParseAddrPort(conn.RemoteAddr().String())
		if err != nil || !to.Addr().Unmap().IsLoopback() {
			return nil, errors.Join(errors.New("mail without TLS goes to this machine only"), err, conn.Close())
		}
	}
	return conn, nil
}

// domain is that of the sender: what the server is told of us, instead of this machine's name.
func (s Server) domain() string {
	at := strings.LastIndexByte(s.From, '@')
	return strings.Trim(s.From[at+1:], " <>")
}

func (s Server) letter(m Message) (*gomail.Msg, error) {
	out := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	if err := errors.Join(out.From(s.From), out.To(m.To)); err != nil {
		return nil, errors.New("an address that cannot be written to")
	}
	var random [16]byte
	_, _ = rand.Read(random[:])
	out.SetMessageIDWithValue(hex.EncodeToString(random[:]) + "@" + s.domain())
	out.SetDate()
	out.SetGenHeader("Auto-Submitted", "auto-generated")
	if m.Stop != "" {
		out.SetGenHeader("List-Unsubscribe", "<"+m.Stop+">")
		out.SetGenHeader("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	out.Subject(m.Subject)
	out.SetBodyString(gomail.TypeTextPlain, m.Text)
	return out, nil
}

// plain says what failed without the server's words.
func plain(err error) error {
	var refused *gomail.SendError
	if errors.As(err, &refused) {
		if code := refused.ErrorCode(); code != 0 {
			return fmt.Errorf("the server answered %s", strconv.Itoa(code))
		}
		return errors.New("the connection to the server broke off")
	}
	return err // of connecting and signing in: about the operator's own server
}
