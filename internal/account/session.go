package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

const (
	unusedDays  = 30  // a session ends after so many days without use
	longestDays = 180 // and after so many in any case
	tokenSize   = 32
)

// SignedIn is a session that has just begun. The token is nowhere else.
type SignedIn struct {
	Tenant  id.Tenant
	Account id.Account
	Session id.Session
	Token   string
	Expires time.Time
	Step    Asked // the password was right and a second step is needed; then nothing else is set
}

// Session is who a token belongs to.
type Session struct {
	Tenant   id.Tenant
	Account  id.Account
	ID       id.Session
	Language string
	Expires  time.Time
}

// Info is one signed-in browser, as its owner sees it.
type Info struct {
	ID        id.Session
	Client    string
	CreatedAt clock.Millis
	SeenOn    clock.Day // the UTC day it was last used
	Expires   clock.Millis
}

// about is the sealed part of a session.
type about struct {
	Client string       `json:"client"`
	At     clock.Millis `json:"at"`
}

func tokenHash(token string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(raw) != tokenSize {
		return nil, false
	}
	sum := sha256.Sum256(raw)
	return sum[:], true
}

// ends is the first moment a session with these days is over.
func ends(until, last int64) time.Time { return clock.Day(min(until, last) + 1).Start() }

// begin begins a session.
func (r *Room) begin(ctx context.Context, t id.Tenant, a id.Account, client string) (SignedIn, error) {
	raw := make([]byte, tokenSize)
	_, _ = rand.Read(raw)
	token := base64.RawURLEncoding.EncodeToString(raw)
	hash, _ := tokenHash(token)
	s, now := id.Make[id.Session](), r.Clock.Now()
	plain, err := json.Marshal(about{client, clock.At(now)})
	if err != nil {
		return SignedIn{}, err
	}
	sealed, err := r.seal(ctx, t, a, sessionPassport, id.RowOf(s), string(plain))
	if err != nil {
		return SignedIn{}, fmt.Errorf("begin session: %w", err)
	}
	today := int64(clock.DayOf(now))
	until, last := today+unusedDays, today+longestDays
	res, err := r.DB.Write.NewRaw(`INSERT INTO account_session (tenant_id, id, account_id, token_hash, about, until_day, last_day)
		SELECT tenant_id, ?, id, ?, ?, ?, ? FROM account_account WHERE tenant_id = ? AND id = ? AND state = 'open'`, s, hash, sealed, until, last, t, a).Exec(ctx)
	if err != nil {
		return SignedIn{}, fmt.Errorf("begin session: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return SignedIn{}, errors.Join(err, sessionWrong())
	}
	return SignedIn{Tenant: t, Account: a, Session: s, Token: token, Expires: ends(until, last)}, nil
}

// Begin begins a session for somebody who has just signed up.
func (r *Room) Begin(ctx context.Context, t id.Tenant, a id.Account, client string) (SignedIn, error) {
	in, err := r.begin(ctx, t, a, client)
	if err != nil {
		return SignedIn{}, err
	}
	if err := r.meet(ctx, t, a, client); err != nil {
		r.Log.WarnContext(ctx, "a kind of client is not remembered", "err", err)
	}
	return in, nil
}

// Session finds who a token belongs to, and moves the session's end along. Problems:
// session.needed without a token, session.ended with one that is over or was never given.
func (r *Room) Session(ctx context.Context, token string) (Session, error) {
	if token == "" {
		return Session{}, problem.New(http.StatusUnauthorized, "session.needed")
	}
	hash, ok := tokenHash(token)
	if !ok {
		return Session{}, sessionEnded()
	}
	var row struct {
		Tenant   id.Tenant  `bun:"tenant_id"`
		ID       id.Session `bun:"id"`
		Account  id.Account `bun:"account_id"`
		Until    int64      `bun:"until_day"`
		Last     int64      `bun:"last_day"`
		Language string     `bun:"language"`
	}
	err := r.DB.Read.NewRaw(`SELECT s.tenant_id, s.id, s.account_id, s.until_day, s.last_day, a.language
		FROM account_session AS s JOIN account_account AS a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
		WHERE s.token_hash = ? AND a.state = 'open'`, hash).Scan(ctx, &row)
	if errors.Is(err, sql.ErrNoRows) {
		return Session{}, sessionEnded()
	}
	if err != nil {
		return Session{}, fmt.Errorf("find session: %w", err)
	}
	today := int64(clock.DayOf(r.Clock.Now()))
	if today > row.Until || today > row.Last {
		return Session{}, sessionEnded()
	}
	if until := today + unusedDays; until > row.Until {
		if _, err := r.DB.Write.NewRaw("UPDATE account_session SET until_day = ? WHERE tenant_id = ? AND id = ?", until, row.Tenant, row.ID).Exec(ctx); err != nil {
			return Session{}, fmt.Errorf("move session along: %w", err)
		}
		row.Until = until
	}
	return Session{row.Tenant, row.Account, row.ID, row.Language, ends(row.Until, row.Last)}, nil
}

// Sessions lists an account's signed-in browsers, newest first.
func (r *Room) Sessions(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) ([]Info, error) {
	var rows []struct {
		ID    id.Session `bun:"id"`
		About []byte     `bun:"about"`
		Until int64      `bun:"until_day"`
		Last  int64      `bun:"last_day"`
	}
	today := int64(clock.DayOf(r.Clock.Now()))
	err := r.DB.Read.NewRaw("SELECT id, about, until_day, last_day FROM account_session WHERE tenant_id = ? AND account_id = ? AND until_day >= ? AND last_day >= ? ORDER BY id DESC",
		t, a, today, today).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	sealed := make([]seal.Sealed, len(rows))
	for i, row := range rows {
		sealed[i] = seal.Sealed{Place: place(t, a, sessionPassport, id.RowOf(row.ID)), Value: row.About}
	}
	plain, err := r.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	out := make([]Info, len(rows))
	for i, row := range rows {
		var s about
		if err := json.Unmarshal(plain[i], &s); err != nil {
			return nil, fmt.Errorf("read session: %w", err)
		}
		out[i] = Info{row.ID, s.Client, s.At, clock.Day(row.Until - unusedDays), clock.At(ends(row.Until, row.Last))}
	}
	return out, nil
}

// SignOut ends a session of the account, and everything that is open under it. A session the
// account does not have is not_found.
func (r *Room) SignOut(ctx context.Context, t id.Tenant, a id.Account, s id.Session) error {
	ended, err := r.endWhere(ctx, t, a, "id = ?", s)
	if err != nil {
		return err
	}
	if len(ended) == 0 {
		return problem.NotFound()
	}
	return nil
}

// SignOutOthers ends every session of the account but one, and everything that is open under them: for
// somebody who suspects that another has their password or their telephone.
//
// promise:P302
func (r *Room) SignOutOthers(ctx context.Context, t id.Tenant, a id.Account, keep id.Session) ([]id.Session, error) {
	if promise.Cut("P302") {
		return nil, nil
	}
	return r.endWhere(ctx, t, a, "id <> ?", keep[:])
}

func (r *Room) endOthers(ctx context.Context, t id.Tenant, a id.Account, keep id.Session) error {
	_, err := r.endWhere(ctx, t, a, "id <> ?", keep[:])
	return err
}

// endWhere deletes sessions of an account, tells of it, and revokes what rests on them.
func (r *Room) endWhere(ctx context.Context, t id.Tenant, a id.Account, where string, arg any) (ended []id.Session, err error) {
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		ended = nil
		if err := tx.NewRaw("DELETE FROM account_session WHERE tenant_id = ? AND account_id = ? AND "+where+" RETURNING id", t, a, arg).Scan(ctx, &ended); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		for _, s := range ended {
			if err := r.Outbox.Add(ctx, tx, r.Outbox.Bus.Say(SessionEnded, t, id.RowOf(s))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("end sessions: %w", err)
	}
	for _, s := range ended {
		err = errors.Join(err, r.Gate.Revoke(ctx, gate.Right{Tenant: t, Session: s}))
	}
	return ended, err
}

// Close begins the end of an account: from now on nobody signs in and no session is one. The
// caller then revokes the person's rights and says the goodbye. Saying it twice is no error.
//
// promise:P275
func (r *Room) Close(ctx context.Context, t id.Tenant, a id.Account) error {
	if promise.Cut("P275") {
		return nil
	}
	err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var was string
		if err := tx.NewRaw("UPDATE account_account SET state = 'closing' WHERE tenant_id = ? AND id = ? AND state = 'open' RETURNING state", t, a).Scan(ctx, &was); err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if was == "" {
			return nil
		}
		return r.Outbox.Add(ctx, tx, r.Outbox.Bus.Say(Closing, t, id.RowOf(a)))
	})
	if err != nil {
		return fmt.Errorf("close account: %w", err)
	}
	r.steps.end(a)
	r.offers.drop(a)
	if _, err := r.endWhere(ctx, t, a, "id <> ?", make([]byte, 16)); err != nil {
		return err
	}
	return r.Keeper.DropAccount(ctx, t, a)
}

// Expire deletes sessions that are over.
func (r *Room) Expire(ctx context.Context) (int64, error) {
	today := int64(clock.DayOf(r.Clock.Now()))
	res, err := r.DB.Write.NewRaw("DELETE FROM account_session WHERE until_day < ? OR last_day < ?", today, today).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("expire sessions: %w", err)
	}
	return res.RowsAffected()
}
