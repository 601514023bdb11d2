package account

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// second is the sealed part of a second step.
type second struct {
	Key      []byte   `json:"key"`
	Used     int64    `json:"used"` // the newest step whose code was used: it works once
	Recovery recovery `json:"recovery"`
}

// Second is the state of somebody's second step.
type Second struct {
	On       bool
	Since    clock.Day // the UTC day it was turned on
	Recovery int       // codes left
}

// Offer is a key that an authenticator app is to take. Until a code of it comes back, nothing has changed.
type Offer struct {
	Key     string // in groups, to be typed
	Address string // for the QR code
	Until   time.Time
}

const offerLasts = 15 * time.Minute

func stepWrong() error { return problem.Forbidden("step.wrong") }
func stepOver() error  { return problem.Gone("step.over") }
func stepOff() error   { return problem.Conflict("step.off") }
func stepOn() error    { return problem.Conflict("step.on") }

// offers are keys that wait for their first code. They live in memory: a restart ends them.
type offers struct {
	mu   sync.Mutex
	open map[id.Account]offer
}

type offer struct {
	key   []byte
	until time.Time
}

func (o *offers) put(a id.Account, f offer, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for other, f := range o.open {
		if !now.Before(f.until) {
			delete(o.open, other)
		}
	}
	o.open[a] = f
}

func (o *offers) get(a id.Account, now time.Time) (offer, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	f, ok := o.open[a]
	return f, ok && now.Before(f.until)
}

func (o *offers) drop(a id.Account) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.open, a)
}

// HasSecond reports whether an account has a second step, and since which day.
func (r *Room) HasSecond(ctx context.Context, t id.Tenant, a id.Account) (on bool, since clock.Day, err error) {
	var row struct {
		On  bool  `bun:"is_on"`
		Day int64 `bun:"day"`
	}
	err = r.DB.Read.NewRaw("SELECT second IS NOT NULL AS is_on, coalesce(second_day, 0) AS day FROM account_account WHERE tenant_id = ? AND id = ?", t, a).Scan(ctx, &row)
	if err != nil {
		return false, 0, fmt.Errorf("look for a second step: %w", err)
	}
	return row.On, clock.Day(row.Day), nil
}

// Second is the state of an account's second step, as its owner sees it.
func (r *Room) Second(ctx context.Context, t id.Tenant, a id.Account) (Second, error) {
	s, _, on, err := r.second(ctx, t, a)
	if err != nil || !on {
		return Second{}, err
	}
	_, since, err := r.HasSecond(ctx, t, a)
	return Second{On: true, Since: since, Recovery: len(s.Recovery.Hashes)}, err
}

// second opens what is sealed of a second step. What is there and does not open is an error, never
// "off": nobody is let in with less.
func (r *Room) second(ctx context.Context, t id.Tenant, a id.Account) (s second, sealed []byte, on bool, err error) {
	if err := r.DB.Read.NewRaw("SELECT second FROM account_account WHERE tenant_id = ? AND id = ?", t, a).Scan(ctx, &sealed); err != nil {
		return second{}, nil, false, fmt.Errorf("read second step: %w", err)
	}
	if sealed == nil {
		return second{}, nil, false, nil
	}
	p, err := r.Gate.Permit(ctx, gate.Request{Tenant: t, Actor: permit.System(gate.SignIn), Action: permit.AccountSignIn, Account: a})
	if err != nil {
		return second{}, nil, true, err
	}
	plain, err := r.Keeper.Open(ctx, p, place(t, a, secondPassport, id.RowOf(a)), sealed)
	if err != nil {
		return second{}, nil, true, fmt.Errorf("open second step: %w", err)
	}
	defer clear(plain)
	if err := json.Unmarshal(plain, &s); err != nil || len(s.Key) != totpKey {
		return second{}, nil, true, errors.Join(errors.New("second step has another form"), err)
	}
	return s, sealed, true, nil
}

// OfferSecond begins to set a second step up: it makes a key for the authenticator app. Whoever
// calls has made sure that it is the owner who asks. Problem: step.on.
func (r *Room) OfferSecond(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) (Offer, error) {
	if on, _, err := r.HasSecond(ctx, t, a); err != nil || on {
		return Offer{}, errors.Join(err, ifOn(on))
	}
	email, err := r.Address(ctx, p, t, a)
	if err != nil {
		return Offer{}, err
	}
	now := r.Clock.Now()
	f := offer{newTOTPKey(), now.Add(offerLasts)}
	r.offers.put(a, f, now)
	return Offer{Key: grouped(base32Plain.EncodeToString(f.key), " "), Address: totpAddress(f.key, email), Until: f.until}, nil
}

func ifOn(on bool) error {
	if on {
		return stepOn()
	}
	return nil
}

// ConfirmSecond turns the second step on with the first code of the app, and gives the recovery codes:
// they are nowhere else. Problems: step.on, step.wrong, step.over, request.too_many.
func (r *Room) ConfirmSecond(ctx context.Context, t id.Tenant, a id.Account, code string) ([]string, error) {
	now := r.Clock.Now()
	f, ok := r.offers.get(a, now)
	if !ok {
		return nil, stepOver()
	}
	attempt, err := r.throttle.step(a.String(), "")
	if err != nil {
		return nil, err
	}
	step, ok := totpFind(f.key, typed(code), now, 0)
	if !ok {
		return nil, stepWrong()
	}
	codes, kept := newRecovery()
	sealed, err := r.sealSecond(ctx, t, a, second{f.key, step, kept})
	if err != nil {
		return nil, err
	}
	res, err := r.DB.Write.NewRaw("UPDATE account_account SET second = ?, second_day = ? WHERE tenant_id = ? AND id = ? AND state = 'open' AND second IS NULL",
		sealed, int64(clock.DayOf(now)), t, a).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("turn second step on: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return nil, errors.Join(err, stepOn())
	}
	attempt.succeeded()
	r.offers.drop(a)
	r.tell(context.WithoutCancel(ctx), t, a, "secondOn", map[string]string{"time": r.moment()})
	return codes, nil
}

func (r *Room) sealSecond(ctx context.Context, t id.Tenant, a id.Account, s second) ([]byte, error) {
	plain, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return r.seal(ctx, t, a, secondPassport, id.RowOf(a), string(plain))
}

// verifyStep compares a code of the app, or a recovery code, and spends it. An account without a second
// step is step.off. Of two that come with the same code at once one gets in. Problem: step.wrong.
func (r *Room) verifyStep(ctx context.Context, t id.Tenant, a id.Account, code string) error {
	s, was, on, err := r.second(ctx, t, a)
	if err != nil {
		return err
	}
	if !on {
		return stepOff()
	}
	if step, ok := totpFind(s.Key, typed(code), r.Clock.Now(), s.Used); ok {
		s.Used = step
	} else if s.Recovery, ok = s.Recovery.use(code); !ok {
		return stepWrong()
	}
	next, err := r.sealSecond(ctx, t, a, s)
	if err != nil {
		return err
	}
	res, err := r.DB.Write.NewRaw("UPDATE account_account SET second = ? WHERE tenant_id = ? AND id = ? AND state = 'open' AND second = ?", next, t, a, was).Exec(ctx)
	if err != nil {
		return fmt.Errorf("spend a code: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return errors.Join(err, stepWrong())
	}
	return nil
}

// VerifyStep compares a code of somebody who is signed in. Problems: step.off, step.wrong,
// request.too_many.
func (r *Room) VerifyStep(ctx context.Context, t id.Tenant, a id.Account, code string) error {
	attempt, err := r.throttle.step(a.String(), "")
	if err != nil {
		return err
	}
	if err := r.verifyStep(ctx, t, a, code); err != nil {
		if problem.Is(err, "step.wrong") {
			r.missed(ctx, t, a)
		}
		return err
	}
	attempt.succeeded()
	r.steps.right(a)
	return nil
}

// DropSecond turns the second step off, with the password and a code. Problems: password.wrong,
// step.off, step.wrong, request.too_many.
func (r *Room) DropSecond(ctx context.Context, t id.Tenant, a id.Account, password, code string) error {
	if err := r.VerifyPassword(ctx, t, a, password); err != nil {
		return err
	}
	if err := r.VerifyStep(ctx, t, a, code); err != nil {
		return err
	}
	if err := r.dropSecond(ctx, r.DB.Write, t, a); err != nil {
		return err
	}
	r.tell(context.WithoutCancel(ctx), t, a, "secondOff", map[string]string{"time": r.moment()})
	return nil
}

func (r *Room) dropSecond(ctx context.Context, db bun.IDB, t id.Tenant, a id.Account) error {
	if _, err := db.NewRaw("UPDATE account_account SET second = NULL, second_day = NULL WHERE tenant_id = ? AND id = ?", t, a).Exec(ctx); err != nil {
		return fmt.Errorf("turn second step off: %w", err)
	}
	return nil
}
