package account

import (
	"context"
	"log/slog"
	"net/http"
	"sync"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Keeper seals and opens values and keeps the sign-in directory; *seal.Keeper is one.
type Keeper interface {
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	Open(ctx context.Context, p permit.Permit, at seal.Place, v seal.Value) ([]byte, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
	Account(ctx context.Context, t id.Tenant, email string) (a id.Account, ok bool, err error)
	PutAccount(ctx context.Context, t id.Tenant, email string, a id.Account) error
	DropAccount(ctx context.Context, t id.Tenant, a id.Account) error
}

// Gate is asked before a verifier opens, and told when sessions end; *gate.Gate is one.
type Gate interface {
	Permit(ctx context.Context, r gate.Request) (permit.Permit, error)
	Revoke(ctx context.Context, r gate.Right) error
}

// What happens to accounts. The resource of a session's end is the session, else the account.
const (
	Created      bus.Type = "account.account.created"
	Changed      bus.Type = "account.account.changed"
	Closing      bus.Type = "account.account.closing"
	SessionEnded bus.Type = "account.session.ended"
)

// Room keeps accounts and sessions. Fill the exported fields, then Init.
type Room struct {
	DB        *sqldb.DB
	Keeper    Keeper
	Gate      Gate
	Outbox    *bus.Outbox
	Clock     clock.Clock
	Log       *slog.Logger
	Languages []string // of the app; the first is the default
	Cost      Cost     // zero: DefaultCost
	SignUps   Door     // who may sign up
	Mail      Mail     // nil: nobody can be written to
	Words     Words    // of letters; needed with Mail
	// Invited reports why somebody with that address may not come in by an invitation. Nil: nobody may.
	Invited func(ctx context.Context, t id.Tenant, token, email string) error

	hashing  *hasher
	throttle *throttle
	codes    *codes
	steps    *steps
	offers   *offers
	making   sync.Mutex // one new account or address at a time
}

var _ gate.People = (*Room)(nil)

// Init makes the room ready.
func (r *Room) Init() {
	if r.Cost == (Cost{}) {
		r.Cost = DefaultCost
	}
	if len(r.Languages) == 0 {
		r.Languages = []string{"en"}
	}
	r.hashing, r.throttle = newHasher(), newThrottle(r.Clock)
	r.codes, r.steps = newCodes(r.Clock), newSteps(r.Clock)
	r.offers = &offers{open: map[id.Account]offer{}}
}

// The passports of what this room seals. Their ids are part of the seals.
const (
	namePassport     passport.ID = "account.name"
	emailPassport    passport.ID = "account.email"
	settingsPassport passport.ID = "account.settings"
	verifierPassport passport.ID = "account.verifier"
	sessionPassport  passport.ID = "account.session_about"
	clientsPassport  passport.ID = "account.clients"
	secondPassport   passport.ID = "account.second"
)

var categories = map[passport.ID]passport.Category{
	namePassport: passport.Identity, emailPassport: passport.Identity, settingsPassport: passport.Setting,
	verifierPassport: passport.Credential, sessionPassport: passport.Identity, clientsPassport: passport.Identity,
	secondPassport: passport.Credential,
}

func place(t id.Tenant, a id.Account, p passport.ID, row id.Row) seal.Place {
	return seal.Place{Tenant: t, Subject: id.SubjectOf(a), Passport: p, Category: categories[p], Row: row}
}

func (r *Room) seal(ctx context.Context, t id.Tenant, a id.Account, p passport.ID, row id.Row, plain string) ([]byte, error) {
	v, err := r.Keeper.Seal(ctx, seal.OfSubject(t, id.SubjectOf(a)), place(t, a, p, row), []byte(plain))
	return v, err
}

// Everybody is who has an account that is not being closed.
func (r *Room) Everybody(ctx context.Context, t id.Tenant) (all []id.Account, err error) {
	err = r.DB.Read.NewRaw("SELECT id FROM account_account WHERE tenant_id = ? AND state = 'open' ORDER BY id", t).Scan(ctx, &all)
	return all, err
}

// Any reports whether the tenant has an account.
func (r *Room) Any(ctx context.Context, t id.Tenant) (bool, error) {
	var any bool
	err := r.DB.Read.NewRaw("SELECT EXISTS (SELECT 1 FROM account_account WHERE tenant_id = ? AND state = 'open')", t).Scan(ctx, &any)
	return any, err
}

// Open answers the gate: the account exists and is not being closed.
func (r *Room) Open(ctx context.Context, t id.Tenant, a id.Account) (open bool, err error) {
	err = r.DB.Read.NewRaw("SELECT EXISTS (SELECT 1 FROM account_account WHERE tenant_id = ? AND id = ? AND state = 'open')", t, a).Scan(ctx, &open)
	return open, err
}

// SignedIn answers the gate: the session is the account's and has not ended.
func (r *Room) SignedIn(ctx context.Context, t id.Tenant, a id.Account, s id.Session) (in bool, err error) {
	today := int64(clock.DayOf(r.Clock.Now()))
	err = r.DB.Read.NewRaw(`SELECT EXISTS (SELECT 1 FROM account_session AS s JOIN account_account AS a ON a.tenant_id = s.tenant_id AND a.id = s.account_id
		WHERE s.tenant_id = ? AND s.id = ? AND s.account_id = ? AND s.until_day >= ? AND s.last_day >= ? AND a.state = 'open')`, t, s, a, today, today).Scan(ctx, &in)
	return in, err
}

// Wrong answers to who asks for a session.
func sessionWrong() error { return problem.New(http.StatusUnauthorized, "session.wrong") }
func sessionEnded() error { return problem.New(http.StatusUnauthorized, "session.ended") }
