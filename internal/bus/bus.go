package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
)

// ErrUnknown refuses a type that no passport names.
var ErrUnknown = errors.New("bus: no passport names this subject")

const (
	startWithin = 10 * time.Second
	prefix      = "bus:"
)

// Bus is the running server and this program's one connection to it.
type Bus struct {
	clock  clock.Clock
	log    *slog.Logger
	known  map[Type]bool
	server *server.Server
	conn   *nats.Conn
}

// Start starts the server. Only the subjects named by passports ("bus:room.noun.verb") exist.
func Start(c clock.Clock, log *slog.Logger, passports []passport.Passport) (*Bus, error) {
	b := &Bus{clock: c, log: log, known: map[Type]bool{}}
	for _, p := range passports {
		name, ok := strings.CutPrefix(p.Where, prefix)
		if !ok {
			continue
		}
		if !typeForm.MatchString(name) {
			return nil, fmt.Errorf("passport %s: %q is no subject of the bus", p.ID, p.Where)
		}
		b.known[Type(name)] = true
	}
	s, err := server.NewServer(&server.Options{
		ServerName: "candor", DontListen: true, JetStream: false, NoLog: true, NoSigs: true,
		MaxPayload: maxEnvelope,
	})
	if err != nil {
		return nil, fmt.Errorf("start the bus: %w", err)
	}
	go s.Start()
	if !s.ReadyForConnections(startWithin) {
		s.Shutdown()
		return nil, errors.New("start the bus: not ready in time")
	}
	conn, err := nats.Connect("", nats.InProcessServer(s), nats.Name("candor"), nats.MaxReconnects(-1),
		nats.ReconnectWait(50*time.Millisecond),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { log.Error("bus connection", "err", err) }))
	if err != nil {
		s.Shutdown()
		s.WaitForShutdown()
		return nil, fmt.Errorf("connect to the bus: %w", err)
	}
	b.server, b.conn = s, conn
	return b, nil
}

// Close ends the connection and the server and waits for both.
func (b *Bus) Close() error {
	b.conn.Close()
	b.server.Shutdown()
	b.server.WaitForShutdown()
	return nil
}

// Say makes an envelope with a fresh id and the present time.
func (b *Bus) Say(typ Type, t id.Tenant, resource id.Row) Envelope {
	return Envelope{ID: id.Make[id.Event](), Type: typ, Tenant: t, Resource: resource, Time: b.clock.Now()}
}

// Publish tells whoever listens now. Nobody is waited for; what must arrive goes through the Outbox.
func (b *Bus) Publish(e Envelope) error {
	if !b.known[e.Type] {
		return fmt.Errorf("%w: %s", ErrUnknown, e.Type)
	}
	body, err := e.Encode()
	if err != nil {
		return err
	}
	return b.conn.Publish(e.Subject(), body)
}

// flush returns when the server has all that was published.
func (b *Bus) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	return b.conn.FlushWithContext(ctx)
}

// Subscription is one listener.
type Subscription struct{ sub *nats.Subscription }

// Close stops listening. A call of the handler that has begun may still be running.
func (s *Subscription) Close() error { return s.sub.Unsubscribe() }

// Everyone listens to all tenants and to the installation itself.
var Everyone = id.Tenant{0xff}

// Subscribe has f called for each envelope of that type, one after the other, from the moment
// Subscribe returns. The tenant may be one tenant, the zero tenant (installation) or Everyone.
func (b *Bus) Subscribe(t id.Tenant, typ Type, f func(Envelope)) (*Subscription, error) {
	if !b.known[typ] {
		return nil, fmt.Errorf("%w: %s", ErrUnknown, typ)
	}
	where := subject(t, typ)
	if t == Everyone {
		where = "candor.v1.*." + string(typ)
	}
	sub, err := b.conn.Subscribe(where, func(m *nats.Msg) {
		e, err := Decode(m.Data)
		if err == nil && e.Subject() != m.Subject {
			err = errors.New("envelope says another subject than it came on")
		}
		if err != nil {
			b.log.Error("bus message refused", "err", err)
			return
		}
		f(e)
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe to %s: %w", typ, err)
	}
	if err := b.flush(context.Background()); err != nil {
		return nil, errors.Join(fmt.Errorf("subscribe to %s: %w", typ, err), sub.Unsubscribe())
	}
	return &Subscription{sub}, nil
}
