package account

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Letter is what the room has somebody told.
type Letter struct {
	Tenant            id.Tenant
	Account           id.Account // zero: somebody without one
	To, Subject, Text string
	Until             time.Time // zero: whenever it can be sent
	Code              bool      // carries a code
}

// Mail sends letters; it takes one without waiting for any server.
type Mail interface {
	// Can reports whether letters go anywhere.
	Can() bool
	Send(ctx context.Context, l Letter) error
}

// Words gives the sentence of a key in a language.
type Words func(lang, key string, args map[string]string) string

func mailNone() error { return problem.Unavailable("mail.none") }

func (r *Room) canMail() error {
	if r.Mail == nil || !r.Mail.Can() {
		return mailNone()
	}
	return nil
}

// letter writes one of the letters of the catalogue: mail.NAME.subject and mail.NAME.text.
func (r *Room) letter(name, lang, to string, args map[string]string) Letter {
	return Letter{To: to, Subject: r.Words(lang, "mail."+name+".subject", args), Text: r.Words(lang, "mail."+name+".text", args) + "\n\n" + r.Words(lang, "mail.foot", nil) + "\n"}
}

// tell writes to an account about its own safety. That somebody cannot be told changes nothing about
// what was done: it is logged.
func (r *Room) tell(ctx context.Context, t id.Tenant, a id.Account, name string, args map[string]string) {
	if r.canMail() != nil {
		return
	}
	email, err := r.email(ctx, t, a)
	if err == nil {
		err = r.tellAt(ctx, t, a, email, name, args)
	}
	if err != nil {
		r.Log.WarnContext(ctx, "a notice could not be written", "err", err)
	}
}

func (r *Room) tellAt(ctx context.Context, t id.Tenant, a id.Account, email, name string, args map[string]string) error {
	var lang string
	if err := r.DB.Read.NewRaw("SELECT language FROM account_account WHERE tenant_id = ? AND id = ?", t, a).Scan(ctx, &lang); err != nil {
		return err
	}
	l := r.letter(name, lang, email, args)
	l.Tenant, l.Account = t, a
	return r.Mail.Send(ctx, l)
}

// Whereto is where an account is written to, and in which language. Problems: not_found.
func (r *Room) Whereto(ctx context.Context, t id.Tenant, a id.Account) (email, lang string, err error) {
	if email, err = r.email(ctx, t, a); err != nil {
		return "", "", err
	}
	return email, lang, r.DB.Read.NewRaw("SELECT language FROM account_account WHERE tenant_id = ? AND id = ?", t, a).Scan(ctx, &lang)
}

// email opens the address an account is written to at.
func (r *Room) email(ctx context.Context, t id.Tenant, a id.Account) (string, error) {
	b, err := r.openOne(ctx, t, a, "SELECT email FROM account_account WHERE tenant_id = ? AND id = ?", emailPassport)
	return string(b), err
}

// openOne opens one sealed value of an account so that its owner can be written to; nil is none.
func (r *Room) openOne(ctx context.Context, t id.Tenant, a id.Account, query string, what passport.ID) ([]byte, error) {
	p, err := r.Gate.Permit(ctx, gate.Request{Tenant: t, Actor: permit.System(gate.Post), Action: permit.AccountMail, Account: a})
	if err != nil {
		return nil, err
	}
	return r.openWith(ctx, p, t, a, query, what)
}

func (r *Room) openWith(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, query string, what passport.ID) ([]byte, error) {
	var sealed []byte
	if err := r.DB.Read.NewRaw(query, t, a).Scan(ctx, &sealed); err != nil || sealed == nil {
		return nil, err
	}
	return r.Keeper.Open(ctx, p, place(t, a, what, id.RowOf(a)), sealed)
}

const (
	maxClients   = 20
	clientsQuery = "SELECT clients FROM account_account WHERE tenant_id = ? AND id = ?"
)

// clients are the kinds of client somebody signed in with.
func (r *Room) clients(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) ([]string, error) {
	plain, err := r.openWith(ctx, p, t, a, clientsQuery, clientsPassport)
	if err != nil {
		return nil, fmt.Errorf("open clients: %w", err)
	}
	return readClients(plain)
}

func readClients(plain []byte) (known []string, err error) {
	if plain == nil {
		return nil, nil
	}
	if err := json.Unmarshal(plain, &known); err != nil {
		return nil, fmt.Errorf("read clients: %w", err)
	}
	return known, nil
}

// meet remembers the kind of client somebody signed in with, and tells them when it is a kind that was
// not used before. The first one is taken as theirs.
func (r *Room) meet(ctx context.Context, t id.Tenant, a id.Account, client string) error {
	plain, err := r.openOne(ctx, t, a, clientsQuery, clientsPassport)
	if err != nil {
		return err
	}
	known, err := readClients(plain)
	if err != nil {
		return err
	}
	if slices.Contains(known, client) {
		return nil
	}
	first := len(known) == 0
	known = append(known, client)
	if over := len(known) - maxClients; over > 0 {
		known = known[over:]
	}
	b, err := json.Marshal(known)
	if err != nil {
		return err
	}
	sealed, err := r.seal(ctx, t, a, clientsPassport, id.RowOf(a), string(b))
	if err != nil {
		return err
	}
	if _, err := r.DB.Write.NewRaw("UPDATE account_account SET clients = ? WHERE tenant_id = ? AND id = ?", sealed, t, a).Exec(ctx); err != nil {
		return err
	}
	if !first {
		r.tell(ctx, t, a, "newClient", map[string]string{"client": strings.TrimSpace(client), "time": r.moment()})
	}
	return nil
}

// moment is now, as a letter says it.
func (r *Room) moment() string { return r.Clock.Now().UTC().Format("2006-01-02 15:04 UTC") }
