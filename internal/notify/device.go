package notify

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/notify/webpush"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

// Device is a browser that takes messages while the app is closed.
type Device struct {
	ID      id.Row
	Agent   string // "Chrome on Android"
	AddedAt clock.Millis
	Gone    bool // its push service says that it is no longer there
	Mine    bool // it is the browser that asks
}

// about is what is sealed of a device beside its subscription.
type about struct {
	Agent string       `json:"agent"`
	Base  string       `json:"base"` // the app's address as that browser knows it; ends with a slash
	At    clock.Millis `json:"at"`
}

const (
	live        = "live"
	gone        = "gone"
	mostDevices = 32
)

// noPush says that this installation has no Web Push.
func noPush() error { return problem.Unavailable("push.off") }

// Key is what a page subscribes with, and "" where there is no Web Push.
func (r *Room) Key() string {
	if r.Push == nil {
		return ""
	}
	return r.Push.Identity.Public
}

// Subscribe takes a browser's subscription for an account, or brings what is known of it up to date:
// the app does so whenever it is opened. A browser belongs to the account that subscribed it last. The
// person must have agreed to push. Problems: push.off, push.subscription, push.service, alert.too_many.
//
// promise:P087
// promise:P101
func (r *Room) Subscribe(ctx context.Context, t id.Tenant, a id.Account, s id.Session, agent, base string, body []byte) (Device, error) {
	if r.Push == nil {
		return Device{}, noPush()
	}
	if _, err := r.Gate.Push(ctx, t, a); err != nil && !promise.Cut("P087") && !promise.Cut("P101") {
		return Device{}, err
	}
	sub, err := webpush.Parse(body, r.Push.Services)
	if err != nil {
		return Device{}, err
	}
	now := r.now()
	d := Device{ID: newRow(), Agent: agent, AddedAt: now, Mine: true}
	address, err1 := json.Marshal(sub)
	known, err2 := json.Marshal(about{agent, base, now})
	sealed, err3 := r.seal(ctx, t, a, devicePassport, d.ID, address)
	beside, err4 := r.seal(ctx, t, a, aboutPassport, d.ID, known)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return Device{}, fmt.Errorf("keep subscription: %w", err)
	}
	hash := sha256.Sum256([]byte(sub.Endpoint))
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var was []id.Row
		err := tx.NewRaw("DELETE FROM notify_device WHERE tenant_id = ? AND (endpoint_hash = ? OR (account_id = ? AND session_id = ?)) RETURNING id", t, hash[:], a, s[:]).Scan(ctx, &was)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		for _, old := range was {
			if err := forgetDevice(ctx, tx, t, old); err != nil {
				return err
			}
		}
		var n int
		if err := tx.NewRaw("SELECT count(*) FROM notify_device WHERE tenant_id = ? AND account_id = ?", t, a).Scan(ctx, &n); err != nil {
			return err
		}
		if n >= mostDevices {
			return problem.Conflict("alert.too_many")
		}
		_, err = tx.NewRaw("INSERT INTO notify_device (tenant_id, id, account_id, session_id, endpoint_hash, state, subscription, about) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			t, d.ID, a, s[:], hash[:], live, sealed, beside).Exec(ctx)
		return err
	})
	if err != nil {
		return Device{}, fmt.Errorf("keep subscription: %w", err)
	}
	return d, nil
}

func forgetDevice(ctx context.Context, tx bun.IDB, t id.Tenant, d id.Row) error {
	_, err := tx.NewRaw("DELETE FROM notify_outbox WHERE tenant_id = ? AND device_id = ?", t, d).Exec(ctx)
	return err
}

type deviceRow struct {
	ID      id.Row     `bun:"id"`
	Session id.Session `bun:"session_id"`
	State   string     `bun:"state"`
	Sub     []byte     `bun:"subscription"`
	About   []byte     `bun:"about"`
}

func (r *Room) devices(ctx context.Context, t id.Tenant, a id.Account, where string, args ...any) (rows []deviceRow, err error) {
	err = r.DB.Read.NewRaw("SELECT id, session_id, state, subscription, about FROM notify_device WHERE tenant_id = ? AND account_id = ?"+where+" ORDER BY id",
		append([]any{t, a}, args...)...).Scan(ctx, &rows)
	return rows, err
}

// abouts opens what is known of devices; their addresses stay closed.
func (r *Room) abouts(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, rows []deviceRow) ([]about, error) {
	sealed := make([]seal.Sealed, len(rows))
	for i, w := range rows {
		sealed[i] = seal.Sealed{Place: place(t, a, aboutPassport, w.ID), Value: w.About}
	}
	plain, err := r.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, fmt.Errorf("open devices: %w", err)
	}
	out := make([]about, len(rows))
	for i := range rows {
		if err := json.Unmarshal(plain[i], &out[i]); err != nil {
			return nil, fmt.Errorf("read device: %w", err)
		}
	}
	return out, nil
}

// reach opens one device whole, under the permit that rests on the consent to push.
func (r *Room) reach(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, w deviceRow) (sub webpush.Subscription, known about, err error) {
	plain, err := r.Keeper.OpenAll(ctx, p, []seal.Sealed{
		{Place: place(t, a, devicePassport, w.ID), Value: w.Sub}, {Place: place(t, a, aboutPassport, w.ID), Value: w.About},
	})
	if err != nil {
		return sub, known, fmt.Errorf("open device: %w", err)
	}
	if err := errors.Join(json.Unmarshal(plain[0], &sub), json.Unmarshal(plain[1], &known)); err != nil {
		return sub, known, fmt.Errorf("read device: %w", err)
	}
	return sub, known, nil
}

// Devices are a person's own. The session is that of the browser that asks.
func (r *Room) Devices(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, s id.Session) ([]Device, error) {
	rows, err := r.devices(ctx, t, a, "")
	if err != nil {
		return nil, fmt.Errorf("list devices: %w", err)
	}
	known, err := r.abouts(ctx, p, t, a, rows)
	if err != nil {
		return nil, err
	}
	out := make([]Device, len(rows))
	for i, w := range rows {
		out[i] = Device{ID: w.ID, Agent: known[i].Agent, AddedAt: known[i].At, Gone: w.State == gone, Mine: w.Session == s}
	}
	return out, nil
}

// Unsubscribe forgets a device. One the account does not have is not_found.
func (r *Room) Unsubscribe(ctx context.Context, t id.Tenant, a id.Account, d id.Row) error {
	n, err := r.dropDevices(ctx, t, "account_id = ? AND id = ?", a, d)
	if err == nil && n == 0 {
		return problem.NotFound()
	}
	return err
}

// SignedOut forgets the devices of a session that has ended.
func (r *Room) SignedOut(ctx context.Context, t id.Tenant, s id.Session) error {
	_, err := r.dropDevices(ctx, t, "session_id = ?", s[:])
	return err
}

// Withdrawn forgets every device of somebody who took their consent to push back.
func (r *Room) Withdrawn(ctx context.Context, t id.Tenant, a id.Account) error {
	_, err := r.dropDevices(ctx, t, "account_id = ?", a)
	return err
}

func (r *Room) dropDevices(ctx context.Context, t id.Tenant, where string, args ...any) (n int, err error) {
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var was []id.Row
		err := tx.NewRaw("DELETE FROM notify_device WHERE tenant_id = ? AND "+where+" RETURNING id", append([]any{t}, args...)...).Scan(ctx, &was)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		n = len(was)
		for _, d := range was {
			if err := forgetDevice(ctx, tx, t, d); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("forget devices: %w", err)
	}
	return n, nil
}

// lost notes that a push service no longer knows a browser, and tells its owner in the app.
func (r *Room) lost(ctx context.Context, t id.Tenant, a id.Account, d id.Row) error {
	err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewRaw("UPDATE notify_device SET state = ? WHERE tenant_id = ? AND id = ?", gone, t, d).Exec(ctx); err != nil {
			return err
		}
		return forgetDevice(ctx, tx, t, d)
	})
	if err != nil {
		return fmt.Errorf("note a device that is gone: %w", err)
	}
	r.Tell(a, Notice{Kind: DeviceGone})
	return nil
}

// Subscribers are the people whose browsers take messages while the app is closed.
func (r *Room) Subscribers(ctx context.Context, t id.Tenant) (all []id.Account, err error) {
	if err := r.DB.Read.NewRaw("SELECT DISTINCT account_id FROM notify_device WHERE tenant_id = ? AND state = ?", t, live).Scan(ctx, &all); err != nil {
		return nil, fmt.Errorf("read who takes messages: %w", err)
	}
	return all, nil
}
