package gate

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/promise"
)

// Revoked tells the nodes that there is a revocation up to the envelope's number.
const Revoked bus.Type = "gate.right.revoked"

const keepRevocations = 24 * time.Hour

// now is the number of a revocation that has none yet: later than all others.
const now = math.MaxInt64

// Revoke takes a right away. Every lease that rests on it on this node has ended when Revoke
// returns, whatever the error; an error says that other nodes may not know yet, so the caller tries
// again. It does not stop half-way when ctx ends.
//
// promise:P278
func (g *Gate) Revoke(ctx context.Context, r Right) error {
	if r.Tenant.IsZero() {
		return errors.New("revoke: no tenant")
	}
	if promise.Cut("P278") {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	ended := g.end(r, now, ErrRevoked)
	seq, err := g.write(ctx, r)
	if err != nil {
		return fmt.Errorf("number the revocation: %w", err)
	}
	g.Log.Info("right revoked", "number", seq, "leases", ended)
	e := g.Bus.Say(Revoked, id.Tenant{}, id.Row{})
	e.Seq = seq
	if err := g.Bus.Publish(e); err != nil {
		return fmt.Errorf("tell the revocation: %w", err)
	}
	return nil
}

// write gives the revocation its number and drops those that nobody needs any more.
func (g *Gate) write(ctx context.Context, r Right) (seq int64, err error) {
	at := g.Clock.Now()
	err = g.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if err := tx.NewRaw("UPDATE gate_counter SET value = value + 1 WHERE one = 1 RETURNING value").Scan(ctx, &seq); err != nil {
			return err
		}
		if _, err := tx.NewRaw("INSERT INTO gate_revocation (tenant_id, seq, subject_id, binding_id, purpose, session_id, actor_id, share_id, at_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
			r.Tenant, seq, r.Subject, r.Binding, string(r.Purpose), r.Session, r.Actor, r.Share, int64(clock.At(at))).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewRaw("DELETE FROM gate_revocation WHERE at_ms < ?", int64(clock.At(at.Add(-keepRevocations)))).Exec(ctx)
		return err
	})
	return seq, err
}

type revocation struct {
	UpTo    int64      `bun:"value"` // the counter
	Tenant  id.Tenant  `bun:"tenant_id"`
	Seq     *int64     `bun:"seq"` // nil in the one row that says that there are none
	Subject id.Subject `bun:"subject_id"`
	Binding id.Binding `bun:"binding_id"`
	Purpose *string    `bun:"purpose"`
	Session id.Session `bun:"session_id"`
	Actor   id.Account `bun:"actor_id"`
	Share   id.Share   `bun:"share_id"`
}

var errNoCounter = errors.New("no revocation counter")

// counter is the number of the newest revocation.
func (g *Gate) counter(ctx context.Context) (n int64, err error) {
	err = g.DB.Read.NewRaw("SELECT value FROM gate_counter WHERE one = 1").Scan(ctx, &n)
	return n, err
}

// catchUp acts upon every revocation since the last one seen. Where some were dropped in the
// meantime, nobody knows what they said: then every lease ends.
func (g *Gate) catchUp(ctx context.Context) error {
	g.catching.Lock()
	defer g.catching.Unlock()
	g.mu.Lock()
	since := g.seen
	g.mu.Unlock()
	// One statement, so that counter and rows are of one moment.
	var news []revocation
	err := g.DB.Read.NewRaw(`SELECT c.value, r.tenant_id, r.seq, r.subject_id, r.binding_id, r.purpose, r.session_id, r.actor_id, r.share_id
		FROM gate_counter AS c LEFT JOIN gate_revocation AS r ON r.seq > ? WHERE c.one = 1 ORDER BY r.seq`, since).Scan(ctx, &news)
	if err == nil && len(news) == 0 {
		err = errNoCounter
	}
	if err != nil {
		return fmt.Errorf("read revocations: %w", err)
	}
	upTo := max(news[0].UpTo, since)
	if news[0].Seq == nil {
		news = nil
	}
	if upTo-since != int64(len(news)) {
		g.Log.Warn("revocations were missed, all leases end", "since", since, "number", upTo)
		g.endAll(errors.New("revocations were missed"))
	}
	for _, n := range news {
		g.end(Right{n.Tenant, n.Subject, n.Binding, passport.Purpose(*n.Purpose), n.Session, n.Actor, n.Share}, *n.Seq, ErrRevoked)
	}
	g.mu.Lock()
	g.seen = max(g.seen, upTo)
	g.mu.Unlock()
	return nil
}

func (g *Gate) endAll(cause error) {
	g.mu.Lock()
	tenants := map[id.Tenant]bool{}
	for e := range g.leases {
		tenants[e.right.Tenant] = true
	}
	g.mu.Unlock()
	for t := range tenants {
		g.end(Right{Tenant: t}, now, cause)
	}
}
