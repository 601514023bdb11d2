package account

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base32"
	"errors"
	"fmt"
	"strings"

	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

// Client is what a browser tells of itself at sign-in. The address is used to slow guessing down
// and is not kept.
type Client struct {
	Kind    string // of client, "Chrome on Android"
	Address string
}

// SignIn compares an e-mail address and a password and begins a session. A wrong one of either is
// problem session.wrong; too many tries are request.too_many with retry_after. With a second step on, the
// answer is no session but Step.
func (r *Room) SignIn(ctx context.Context, t id.Tenant, email, password string, c Client) (SignedIn, error) {
	email = strings.ToLower(strings.TrimSpace(email))
	attempt, err := r.throttle.try(personOf(t, email), c.Address)
	if err != nil {
		return SignedIn{}, err
	}
	a, known, err := r.Keeper.Account(ctx, t, email)
	if err != nil {
		return SignedIn{}, fmt.Errorf("sign in: %w", err)
	}
	ok, err := r.compare(ctx, t, a, known, password)
	if err != nil {
		return SignedIn{}, fmt.Errorf("sign in: %w", err)
	}
	if !ok {
		return SignedIn{}, sessionWrong()
	}
	on, _, err := r.HasSecond(ctx, t, a)
	if err != nil {
		return SignedIn{}, fmt.Errorf("sign in: %w", err)
	}
	if on {
		step, err := r.steps.begin(waiting{tenant: t, account: a, attempt: attempt})
		return SignedIn{Step: step}, err
	}
	return r.enter(ctx, t, a, attempt, c)
}

// enter begins the session of somebody who showed all that is asked.
func (r *Room) enter(ctx context.Context, t id.Tenant, a id.Account, attempt attempt, c Client) (SignedIn, error) {
	attempt.succeeded()
	in, err := r.begin(ctx, t, a, c.Kind)
	if err != nil {
		return SignedIn{}, err
	}
	if err := r.meet(context.WithoutCancel(ctx), t, a, c.Kind); err != nil {
		r.Log.WarnContext(ctx, "a kind of client is not remembered", "err", err)
	}
	return in, nil
}

// personOf is whose tries are counted.
func personOf(t id.Tenant, email string) string {
	return t.String() + " " + strings.ToLower(strings.TrimSpace(email))
}

// VerifyPassword compares the password of somebody who is signed in, before what cannot be undone.
// Problems: password.wrong, request.too_many.
func (r *Room) VerifyPassword(ctx context.Context, t id.Tenant, a id.Account, password string) error {
	attempt, err := r.throttle.try("account "+a.String(), "")
	if err != nil {
		return err
	}
	ok, err := r.compare(ctx, t, a, true, password)
	switch {
	case err != nil:
		return fmt.Errorf("compare password: %w", err)
	case !ok:
		return problem.Forbidden("password.wrong")
	}
	attempt.succeeded()
	return nil
}

// compare does the same costly work whether the account is known or not.
func (r *Room) compare(ctx context.Context, t id.Tenant, a id.Account, known bool, password string) (bool, error) {
	if len(password) > 4*maxPassword {
		password = password[:4*maxPassword] // no password is that long
	}
	v, found := verifier{}, false
	if known {
		var err error
		if v, found, err = r.verifier(ctx, t, a); err != nil {
			return false, err
		}
	}
	if !found {
		v = verifier{cost: r.Cost, salt: make([]byte, saltSize), key: make([]byte, keySize)}
	}
	ok, err := r.hashing.matches(ctx, password, v)
	if err != nil || !ok || !found {
		return false, err
	}
	if v.cost != r.Cost {
		if err := r.keepVerifier(ctx, t, a, password); err != nil {
			r.Log.Error("renew verifier", "err", err)
		}
	}
	return true, nil
}

// verifier opens an account's verifier; found is false when there is no such account (any more).
func (r *Room) verifier(ctx context.Context, t id.Tenant, a id.Account) (v verifier, found bool, err error) {
	p, err := r.Gate.Permit(ctx, gate.Request{Tenant: t, Actor: permit.System(gate.SignIn), Action: permit.AccountSignIn, Account: a})
	if problem.Is(err, "not_found") {
		return verifier{}, false, nil
	}
	if err != nil {
		return verifier{}, false, err
	}
	var sealed []byte
	err = r.DB.Read.NewRaw("SELECT verifier FROM account_account WHERE tenant_id = ? AND id = ? AND state = 'open'", t, a).Scan(ctx, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return verifier{}, false, nil
	}
	if err != nil {
		return verifier{}, false, err
	}
	plain, err := r.Keeper.Open(ctx, p, place(t, a, verifierPassport, id.RowOf(a)), sealed)
	if err != nil {
		return verifier{}, false, err
	}
	defer clear(plain)
	v, err = parseVerifier(string(plain))
	return v, err == nil, err
}

func (r *Room) keepVerifier(ctx context.Context, t id.Tenant, a id.Account, password string) error {
	v, err := r.hashing.make(ctx, password, r.Cost)
	if err != nil {
		return err
	}
	sealed, err := r.seal(ctx, t, a, verifierPassport, id.RowOf(a), v.String())
	if err != nil {
		return err
	}
	_, err = r.DB.Write.NewRaw("UPDATE account_account SET verifier = ? WHERE tenant_id = ? AND id = ?", sealed, t, a).Exec(ctx)
	return err
}

// SetPassword changes the password and ends every session but the one kept. Problems:
// password.wrong, password.weak, password.long.
//
// promise:P301
func (r *Room) SetPassword(ctx context.Context, t id.Tenant, a id.Account, keep id.Session, current, next string) error {
	if err := CheckPassword(next); err != nil {
		return err
	}
	if err := r.VerifyPassword(ctx, t, a, current); err != nil {
		return err
	}
	if err := r.keepVerifier(ctx, t, a, next); err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	r.steps.end(a)
	var err error
	if !promise.Cut("P301") {
		err = r.endOthers(ctx, t, a, keep)
	}
	r.tell(ctx, t, a, "passwordChanged", map[string]string{"time": r.moment()})
	return err
}

// Reset gives the account of an e-mail address a new, random password, turns its second step off, ends
// all of its sessions and writes to its owner.
// It is for whoever runs the machine. An address without an account is not_found.
func (r *Room) Reset(ctx context.Context, t id.Tenant, email string) (password string, err error) {
	a, known, err := r.Keeper.Account(ctx, t, email)
	if err != nil {
		return "", fmt.Errorf("reset password: %w", err)
	}
	if open, err := r.Open(ctx, t, a); err != nil || !known || !open {
		return "", errors.Join(err, problem.NotFound())
	}
	password = randomPassword()
	if err := r.keepVerifier(ctx, t, a, password); err != nil {
		return "", fmt.Errorf("reset password: %w", err)
	}
	if err := r.dropSecond(ctx, r.DB.Write, t, a); err != nil {
		return "", fmt.Errorf("reset password: %w", err)
	}
	ctx = context.WithoutCancel(ctx)
	r.steps.end(a)
	err = r.endOthers(ctx, t, a, id.Session{})
	r.tell(ctx, t, a, "operatorReset", map[string]string{"time": r.moment()})
	return password, err
}

// randomPassword has 100 bits, in groups that can be read out.
func randomPassword() string {
	raw := make([]byte, 13)
	_, _ = rand.Read(raw)
	s := strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw))[:20]
	return strings.Join([]string{s[:5], s[5:10], s[10:15], s[15:]}, "-")
}
