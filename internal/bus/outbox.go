package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/sqldb"
)

const (
	keepSent  = 24 * time.Hour         // so that a listener who was away can ask After
	idle      = 500 * time.Millisecond // between two looks when nobody said that there is something
	batch     = 64
	longestBo = 5 * time.Second
)

// Outbox is the durable way onto the bus.
type Outbox struct {
	DB    *sqldb.DB
	Bus   *Bus
	Clock clock.Clock
	Log   *slog.Logger

	wake   chan struct{}
	cancel context.CancelFunc
	done   chan struct{}
}

// Start starts the relay.
func (o *Outbox) Start() {
	ctx, cancel := context.WithCancel(context.Background())
	o.wake, o.cancel, o.done = make(chan struct{}, 1), cancel, make(chan struct{})
	go func() {
		defer close(o.done)
		o.relay(ctx)
	}()
}

// Close stops the relay and waits for it. What was not sent is sent after the next Start.
func (o *Outbox) Close() error {
	o.cancel()
	<-o.done
	return nil
}

// Add writes e into the caller's transaction and gives it its number: it is published after
// that transaction commits, or never. Call it last in the transaction: on PostgreSQL
// it makes other writers of the outbox wait until this one commits, which is what keeps the order.
func (o *Outbox) Add(ctx context.Context, tx bun.Tx, e Envelope) error {
	if !o.Bus.known[e.Type] {
		return fmt.Errorf("%w: %s", ErrUnknown, e.Type)
	}
	if err := e.check(); err != nil {
		return err
	}
	var seq int64
	if err := tx.NewRaw("UPDATE bus_counter SET value = value + 1 WHERE one = 1 RETURNING value").Scan(ctx, &seq); err != nil {
		return fmt.Errorf("number the outbox: %w", err)
	}
	_, err := tx.NewRaw("INSERT INTO bus_outbox (seq, tenant_id, id, type, resource, time_ms) VALUES (?, ?, ?, ?, ?, ?)",
		seq, e.Tenant, e.ID, string(e.Type), e.Resource, int64(clock.At(e.Time))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("write the outbox: %w", err)
	}
	o.Wake()
	return nil
}

// Wake has the relay look soon.
func (o *Outbox) Wake() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

// relay looks after each Wake, a little later and later until it finds what was announced (the
// transaction may still be open), and every idle interval in any case.
func (o *Outbox) relay(ctx context.Context) {
	wait, purged := time.Duration(0), time.Time{}
	for ctx.Err() == nil {
		sent, err := o.pass(ctx)
		if err == nil && o.Clock.Now().Sub(purged) > time.Hour {
			purged = o.Clock.Now()
			err = o.purge(ctx)
		}
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			wait = min(max(2*wait, idle), longestBo)
			o.Log.Error("outbox relay", "err", err)
		case sent > 0:
			wait = time.Millisecond
		default:
			wait = min(max(2*wait, time.Millisecond), idle)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
		case <-o.wake:
			wait = 0
		case <-t.C:
		}
		t.Stop()
	}
}

type outboxRow struct {
	Seq    int64     `bun:"seq"`
	Tenant id.Tenant `bun:"tenant_id"`
	ID     id.Event  `bun:"id"`
	Type   string    `bun:"type"`
	Res    id.Row    `bun:"resource"`
	Time   int64     `bun:"time_ms"`
}

func (r outboxRow) envelope() Envelope {
	return Envelope{ID: r.ID, Type: Type(r.Type), Tenant: r.Tenant, Resource: r.Res, Seq: r.Seq, Time: clock.Millis(r.Time).Time()}
}

// pass publishes what is unsent, oldest first, and marks it after the server has it.
func (o *Outbox) pass(ctx context.Context) (int, error) {
	var rows []outboxRow
	err := o.DB.Read.NewRaw("SELECT seq, tenant_id, id, type, resource, time_ms FROM bus_outbox WHERE sent_ms IS NULL ORDER BY seq LIMIT ?", batch).
		Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return 0, err
	}
	for _, r := range rows {
		err := o.Bus.Publish(r.envelope())
		if errors.Is(err, ErrUnknown) { // left by another version: nobody here could hear it
			o.Log.Error("outbox holds an unknown type", "err", err)
			continue
		}
		if err != nil {
			return 0, err
		}
	}
	if err := o.Bus.flush(ctx); err != nil {
		return 0, err
	}
	_, err = o.DB.Write.NewRaw("UPDATE bus_outbox SET sent_ms = ? WHERE sent_ms IS NULL AND seq <= ?",
		int64(clock.At(o.Clock.Now())), rows[len(rows)-1].Seq).Exec(ctx)
	return len(rows), err
}

func (o *Outbox) purge(ctx context.Context) error {
	_, err := o.DB.Write.NewRaw("DELETE FROM bus_outbox WHERE sent_ms IS NOT NULL AND sent_ms < ?",
		int64(clock.At(o.Clock.Now().Add(-keepSent)))).Exec(ctx)
	return err
}

// After lists what a tenant's listener missed: the envelopes of the last day with a number above
// seq, in order. Complete is false when older ones may have been dropped since.
func (o *Outbox) After(ctx context.Context, t id.Tenant, seq int64, limit int) (missed []Envelope, complete bool, err error) {
	var oldest, last int64
	err = o.DB.Read.NewRaw("SELECT value, coalesce((SELECT min(seq) FROM bus_outbox), value + 1) FROM bus_counter WHERE one = 1").
		Scan(ctx, &last, &oldest)
	if err != nil {
		return nil, false, err
	}
	var rows []outboxRow
	err = o.DB.Read.NewRaw("SELECT seq, tenant_id, id, type, resource, time_ms FROM bus_outbox WHERE tenant_id = ? AND seq > ? ORDER BY seq LIMIT ?", t, seq, limit).
		Scan(ctx, &rows)
	for _, r := range rows {
		missed = append(missed, r.envelope())
	}
	return missed, seq >= oldest-1 && seq <= last && len(rows) < limit, err
}
