package account

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	_ "time/tzdata" // a bare machine may know no time zones

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

// Profile is an account as its owner sees it.
type Profile struct {
	ID        id.Account
	Name      string
	Email     string
	Language  string
	Theme     string
	TimeZone  string
	CreatedAt clock.Millis
}

// Change holds what changes; nil stays.
type Change struct{ Name, Language, Theme, TimeZone *string }

// settings is what is sealed as one value.
type settings struct {
	Theme    string `json:"theme"`
	TimeZone string `json:"time_zone"`
}

func (s settings) encode() string {
	b, _ := json.Marshal(s)
	return string(b)
}

type profileRow struct {
	Name     []byte `bun:"name"`
	Email    []byte `bun:"email"`
	Settings []byte `bun:"settings"`
	Language string `bun:"language"`
	Created  int64  `bun:"created_ms"`
}

// Get opens a profile.
func (r *Room) Get(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) (Profile, error) {
	return r.get(ctx, r.DB.Read, p, t, a)
}

func (r *Room) get(ctx context.Context, db bun.IDB, p permit.Permit, t id.Tenant, a id.Account) (Profile, error) {
	var row profileRow
	err := db.NewRaw("SELECT name, email, settings, language, created_ms FROM account_account WHERE tenant_id = ? AND id = ?", t, a).Scan(ctx, &row)
	if errors.Is(err, sql.ErrNoRows) {
		return Profile{}, problem.NotFound()
	}
	if err != nil {
		return Profile{}, fmt.Errorf("read account: %w", err)
	}
	plain, err := r.Keeper.OpenAll(ctx, p, []seal.Sealed{
		{Place: place(t, a, namePassport, id.RowOf(a)), Value: row.Name},
		{Place: place(t, a, emailPassport, id.RowOf(a)), Value: row.Email},
		{Place: place(t, a, settingsPassport, id.RowOf(a)), Value: row.Settings},
	})
	if err != nil {
		return Profile{}, fmt.Errorf("open account: %w", err)
	}
	var s settings
	if err := json.Unmarshal(plain[2], &s); err != nil {
		return Profile{}, fmt.Errorf("read settings: %w", err)
	}
	return Profile{a, string(plain[0]), string(plain[1]), row.Language, s.Theme, s.TimeZone, clock.Millis(row.Created)}, nil
}

// Manner is how a person is spoken to: their language and time zone, without who they are.
func (r *Room) Manner(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) (language, zone string, err error) {
	var row profileRow
	err = r.DB.Read.NewRaw("SELECT settings, language FROM account_account WHERE tenant_id = ? AND id = ?", t, a).Scan(ctx, &row)
	if errors.Is(err, sql.ErrNoRows) {
		return "", "", problem.NotFound()
	}
	if err != nil {
		return "", "", fmt.Errorf("read account: %w", err)
	}
	plain, err := r.Keeper.Open(ctx, p, place(t, a, settingsPassport, id.RowOf(a)), row.Settings)
	if err != nil {
		return "", "", fmt.Errorf("open account: %w", err)
	}
	var s settings
	if err := json.Unmarshal(plain, &s); err != nil {
		return "", "", fmt.Errorf("read settings: %w", err)
	}
	return row.Language, s.TimeZone, nil
}

// Address is where a person is written to.
func (r *Room) Address(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) (string, error) {
	var sealed []byte
	err := r.DB.Read.NewRaw("SELECT email FROM account_account WHERE tenant_id = ? AND id = ?", t, a).Scan(ctx, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return "", problem.NotFound()
	}
	if err != nil {
		return "", fmt.Errorf("read account: %w", err)
	}
	plain, err := r.Keeper.Open(ctx, p, place(t, a, emailPassport, id.RowOf(a)), sealed)
	if err != nil {
		return "", fmt.Errorf("open account: %w", err)
	}
	return string(plain), nil
}

// Change changes a profile. Problems: name.invalid, language.unknown, theme.unknown, time_zone.unknown.
//
// promise:P262
func (r *Room) Change(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, c Change) (Profile, error) {
	if c.Name != nil {
		name, err := CheckName(*c.Name)
		if err != nil {
			return Profile{}, err
		}
		c.Name = &name
	}
	if err := r.checkSettings(or(c.Language, ""), or(c.Theme, ""), or(c.TimeZone, "")); err != nil {
		return Profile{}, err
	}
	if promise.Cut("P262") {
		return r.Get(ctx, p, t, a)
	}
	var now Profile
	err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewRaw("UPDATE account_account SET state = state WHERE tenant_id = ? AND id = ?", t, a).Exec(ctx); err != nil { // one change at a time
			return err
		}
		old, err := r.get(ctx, tx, p, t, a)
		if err != nil {
			return err
		}
		now = Profile{a, or(c.Name, old.Name), old.Email, or(c.Language, old.Language), or(c.Theme, old.Theme), or(c.TimeZone, old.TimeZone), old.CreatedAt}
		name, err1 := r.seal(ctx, t, a, namePassport, id.RowOf(a), now.Name)
		sets, err2 := r.seal(ctx, t, a, settingsPassport, id.RowOf(a), settings{now.Theme, now.TimeZone}.encode())
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		if _, err := tx.NewRaw("UPDATE account_account SET name = ?, settings = ?, language = ? WHERE tenant_id = ? AND id = ?", name, sets, now.Language, t, a).Exec(ctx); err != nil {
			return err
		}
		return r.Outbox.Add(ctx, tx, r.Outbox.Bus.Say(Changed, t, id.RowOf(a)))
	})
	if err != nil {
		return Profile{}, fmt.Errorf("change account: %w", err)
	}
	return now, nil
}

// AskEmail sends a code to the address somebody wants to move their account to, after comparing the
// password. An address that another account has is sent a letter that says so; the answer is the
// same. Problems: password.wrong, email.invalid, mail.none, mail.full, request.too_many.
func (r *Room) AskEmail(ctx context.Context, t id.Tenant, a id.Account, password string, q Ask) (Asked, error) {
	email, err := CheckEmail(q.Email)
	if err != nil {
		return Asked{}, err
	}
	if err := r.canMail(); err != nil {
		return Asked{}, err
	}
	if err := r.VerifyPassword(ctx, t, a, password); err != nil {
		return Asked{}, err
	}
	has, known, err := r.of(ctx, t, email)
	if err != nil {
		return Asked{}, err
	}
	asked, code, err := r.codes.ask(forEmail, t, email, q.Client.Address, a, false)
	if err != nil || code == "" {
		return asked, err
	}
	lang := r.language(q.Language)
	l := r.letter("email", lang, email, map[string]string{"code": spaced(code)})
	if known && has != a {
		r.codes.spoil(asked)
		l = r.letter("emailKnown", lang, email, nil)
	}
	return asked, r.Mail.Send(ctx, r.withCode(l, asked))
}

// SetEmail moves the account to the address that the code was sent to, and tells the old one.
// Problems: email.invalid, email.taken, code.wrong, code.over.
func (r *Room) SetEmail(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, token, email, code string) error {
	email, err := CheckEmail(email)
	if err != nil {
		return err
	}
	q, settle, err := r.codes.enter(forEmail, t, token, email, code)
	if err != nil {
		return err
	}
	if q.account != a { // another person's code
		settle(false)
		return codeWrong()
	}
	old, err := r.setEmail(ctx, p, t, a, email)
	settle(err == nil)
	if err != nil {
		return err
	}
	if err := r.tellAt(context.WithoutCancel(ctx), t, a, old, "emailChanged", map[string]string{"time": r.moment()}); err != nil {
		r.Log.WarnContext(ctx, "a notice could not be written", "err", err)
	}
	return nil
}

func (r *Room) setEmail(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, email string) (was string, err error) {
	r.making.Lock()
	defer r.making.Unlock()
	old, err := r.Get(ctx, p, t, a)
	if err != nil {
		return "", err
	}
	if err := r.claim(ctx, t, email, a); err != nil {
		return "", err
	}
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		sealed, err := r.seal(ctx, t, a, emailPassport, id.RowOf(a), email)
		if err != nil {
			return err
		}
		if _, err := tx.NewRaw("UPDATE account_account SET email = ? WHERE tenant_id = ? AND id = ?", sealed, t, a).Exec(ctx); err != nil {
			return err
		}
		return r.Outbox.Add(ctx, tx, r.Outbox.Bus.Say(Changed, t, id.RowOf(a)))
	})
	if err != nil {
		return "", errors.Join(fmt.Errorf("change e-mail: %w", err), r.Keeper.PutAccount(context.WithoutCancel(ctx), t, old.Email, a))
	}
	return old.Email, nil
}

func or(p *string, otherwise string) string {
	if p == nil {
		return otherwise
	}
	return *p
}
