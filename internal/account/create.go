package account

import (
	"context"
	"errors"
	"fmt"
	"net/mail"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/uptrace/bun"
	"golang.org/x/text/unicode/norm"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
	"candor/internal/seal"
)

// New is what somebody gives to sign up: these fields and no other.
type New struct {
	Name, Email, Password string
	Language, TimeZone    string
	First                 bool // only if there is no account yet, else problem setup.done
}

const maxName = 200 // characters

// Create makes an account. Problems: name.invalid, email.invalid, email.taken, password.weak,
// password.long, language.unknown, time_zone.unknown, setup.done.
func (r *Room) Create(ctx context.Context, t id.Tenant, n New) (id.Account, error) {
	n, err := r.check(n)
	if err != nil {
		return id.Account{}, err
	}
	v, err := r.hashing.make(ctx, n.Password, r.Cost)
	if err != nil {
		return id.Account{}, err
	}
	r.making.Lock()
	defer r.making.Unlock()
	if n.First {
		if any, err := r.Any(ctx, t); err != nil || any {
			return id.Account{}, errors.Join(err, ifAny(any))
		}
	}
	a := id.Make[id.Account]()
	if err := r.claim(ctx, t, n.Email, a); err != nil {
		return id.Account{}, err
	}
	if err := r.insert(ctx, t, a, v, n); err != nil {
		return id.Account{}, errors.Join(fmt.Errorf("create account: %w", err), r.Keeper.DropAccount(context.WithoutCancel(ctx), t, a))
	}
	return a, nil
}

// check is what is given as it is kept, or what is wrong with it.
func (r *Room) check(n New) (New, error) {
	var err error
	if n.Name, err = CheckName(n.Name); err != nil {
		return New{}, err
	}
	if n.Email, err = CheckEmail(n.Email); err != nil {
		return New{}, err
	}
	if err := suits(n.Password, n.Email); err != nil {
		return New{}, err
	}
	if n.Language == "" {
		n.Language = r.Languages[0]
	}
	return n, r.checkSettings(n.Language, "", n.TimeZone)
}

func ifAny(any bool) error {
	if any {
		return problem.Conflict("setup.done")
	}
	return nil
}

// claim enters the address in the sign-in directory. An entry whose account never came to be,
// because the program stopped in between, gives way.
func (r *Room) claim(ctx context.Context, t id.Tenant, email string, a id.Account) error {
	have, taken, err := r.Keeper.Account(ctx, t, email)
	if err != nil {
		return err
	}
	if taken && have != a {
		var exists bool
		if err := r.DB.Write.NewRaw("SELECT EXISTS (SELECT 1 FROM account_account WHERE tenant_id = ? AND id = ?)", t, have).Scan(ctx, &exists); err != nil {
			return err
		}
		if exists {
			return problem.Conflict("email.taken")
		}
		if err := r.Keeper.DropAccount(ctx, t, have); err != nil {
			return err
		}
	}
	err = r.Keeper.PutAccount(ctx, t, email, a)
	if errors.Is(err, seal.ErrTaken) {
		return problem.Conflict("email.taken").Because(err)
	}
	return err
}

func (r *Room) insert(ctx context.Context, t id.Tenant, a id.Account, v verifier, n New) error {
	row := id.RowOf(a)
	sealedName, err1 := r.seal(ctx, t, a, namePassport, row, n.Name)
	sealedEmail, err2 := r.seal(ctx, t, a, emailPassport, row, n.Email)
	sealedSettings, err3 := r.seal(ctx, t, a, settingsPassport, row, settings{TimeZone: n.TimeZone, Theme: themes[0]}.encode())
	sealedVerifier, err4 := r.seal(ctx, t, a, verifierPassport, row, v.String())
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	return r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		_, err := tx.NewRaw("INSERT INTO account_account (tenant_id, id, state, name, email, settings, verifier, language, created_ms) VALUES (?, ?, 'open', ?, ?, ?, ?, ?, ?)",
			t, a, sealedName, sealedEmail, sealedSettings, sealedVerifier, n.Language, int64(clock.At(r.Clock.Now()))).Exec(ctx)
		if err != nil {
			return err
		}
		return r.Outbox.Add(ctx, tx, r.Outbox.Bus.Say(Created, t, row))
	})
}

// CheckName gives a person's name as kept, or problem name.invalid.
func CheckName(name string) (string, error) {
	name = strings.TrimSpace(norm.NFC.String(name))
	if name == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", problem.Invalid("name.invalid")
	}
	return name, nil
}

// CheckEmail gives an e-mail address as kept, or problem email.invalid.
func CheckEmail(email string) (string, error) {
	email = strings.TrimSpace(norm.NFC.String(email))
	a, err := mail.ParseAddress(email)
	local, domain, _ := strings.Cut(email, "@")
	if err != nil || a.Address != email || len(email) > 254 || len(local) > 64 || strings.ContainsAny(email, " \"()<>,;\\") ||
		strings.ContainsFunc(email, func(c rune) bool { return unicode.IsControl(c) || unicode.IsSpace(c) }) ||
		domain == "" || strings.HasPrefix(domain, "[") || strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") || strings.Contains(domain, "..") {
		return "", problem.Invalid("email.invalid")
	}
	return email, nil
}

var themes = []string{"system", "light", "dark"}

func (r *Room) checkSettings(language, theme, zone string) error {
	switch {
	case language != "" && !slices.Contains(r.Languages, language):
		return problem.Invalid("language.unknown")
	case theme != "" && !slices.Contains(themes, theme):
		return problem.Invalid("theme.unknown")
	case zone != "" && !knownZone(zone):
		return problem.Invalid("time_zone.unknown")
	}
	return nil
}

func knownZone(name string) bool {
	if len(name) > 64 || name == "Local" {
		return false
	}
	_, err := time.LoadLocation(name)
	return err == nil
}
