package notify

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

const (
	ticketSize = 16
	ticketFor  = 10 * time.Minute
)

// issue makes a ticket for the picture of an event.
func (r *Room) issue(ctx context.Context, t id.Tenant, who id.Account, b id.Binding, event id.Row) (string, error) {
	raw := make([]byte, ticketSize)
	_, _ = rand.Read(raw)
	sum := sha256.Sum256(raw)
	_, err := r.DB.Write.NewRaw("INSERT INTO notify_ticket (tenant_id, hash, account_id, binding_id, event_id, used, ends_ms) VALUES (?, ?, ?, ?, ?, 0, ?)",
		t, sum[:], who, b, event, int64(r.now())+int64(ticketFor/time.Millisecond)).Exec(ctx)
	if err != nil {
		return "", fmt.Errorf("keep ticket: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(raw), nil
}

// Redeem gives the picture of a ticket, once. Whoever has no such ticket learns nothing; one that was
// used or is too old is ticket.over.
func (r *Room) Redeem(ctx context.Context, t id.Tenant, who permit.Actor, ticket string) ([]byte, error) {
	raw, err := base64.RawURLEncoding.DecodeString(ticket)
	if err != nil || len(raw) != ticketSize || r.Pictures == nil {
		return nil, problem.NotFound()
	}
	sum := sha256.Sum256(raw)
	var row struct {
		Binding id.Binding `bun:"binding_id"`
		Event   id.Row     `bun:"event_id"`
	}
	now := int64(r.now())
	err = r.DB.Write.NewRaw(`UPDATE notify_ticket SET used = 1 WHERE tenant_id = ? AND hash = ? AND account_id = ? AND used = 0 AND ends_ms > ? AND ends_ms <= ?
		RETURNING binding_id, event_id`, t, sum[:], who.Account, now, now+2*int64(ticketFor/time.Millisecond)).Scan(ctx, &row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, r.over(ctx, t, who.Account, sum[:])
	}
	if err != nil {
		return nil, fmt.Errorf("use ticket: %w", err)
	}
	if err := r.Gate.Picture(ctx, t, row.Binding); err != nil {
		return nil, err
	}
	return r.Pictures.Picture(ctx, t, who, row.Binding, row.Event)
}

// over tells a ticket that was theirs from one that never was.
func (r *Room) over(ctx context.Context, t id.Tenant, who id.Account, hash []byte) error {
	var n int
	if err := r.DB.Read.NewRaw("SELECT count(*) FROM notify_ticket WHERE tenant_id = ? AND hash = ? AND account_id = ?", t, hash, who).Scan(ctx, &n); err != nil {
		return err
	}
	if n == 0 {
		return problem.NotFound()
	}
	return problem.Gone("ticket.over")
}
