package share

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/translog"
	source "candor/policy"
)

// rig is the room with the real keeper and gate around it. Everybody is signed in and has agreed to
// everything, so that what is left to decide is who was let in.
type rig struct {
	*Room
	t     *testing.T
	clock *clock.Virtual
	gate  *gate.Gate
	keys  *seal.Keeper
	town  *town
}

// town is whose cameras stand where.
type town struct {
	mu      sync.Mutex
	closed  map[id.Account]bool
	cameras map[id.Binding]camera
	zone    *time.Location
	text    string
}

type camera struct {
	owner id.Account
	site  id.Site
}

func (w *town) do(f func()) { w.mu.Lock(); defer w.mu.Unlock(); f() }

func (w *town) Open(_ context.Context, _ id.Tenant, a id.Account) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return !w.closed[a], nil
}

func (w *town) SignedIn(ctx context.Context, t id.Tenant, a id.Account, _ id.Session) (bool, error) {
	return w.Open(ctx, t, a)
}

func (w *town) Given(context.Context, id.Tenant, id.Subject, id.Binding, passport.Purpose) (gate.Consent, bool, error) {
	return gate.Consent{Record: id.Make[id.Consent](), TextHash: w.text}, true, nil
}

func (w *town) Owner(_ context.Context, _ id.Tenant, b id.Binding) (id.Account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cameras[b].owner, nil
}

func (w *town) Where(_ context.Context, _ id.Tenant, b id.Binding) (id.Account, id.Site, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cameras[b].owner, w.cameras[b].site, nil
}

func (w *town) At(_ context.Context, _ id.Tenant, owner id.Account, s id.Site) (out []id.Binding, _ error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for b, c := range w.cameras {
		if c == (camera{owner, s}) {
			out = append(out, b)
		}
	}
	return out, nil
}

func (w *town) Owns(_ context.Context, _ id.Tenant, owner id.Account, s id.Site) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.cameras {
		if c == (camera{owner, s}) {
			return true, nil
		}
	}
	return false, nil
}

func (w *town) Zone(context.Context, permit.Permit, id.Tenant, id.Account, id.Site) (*time.Location, error) {
	return w.zone, nil
}

// start is a Monday, 14:00 in Berlin.
var start = time.Date(2031, 5, 5, 12, 0, 0, 0, time.UTC)

func begin(t *testing.T, db *sqldb.DB) rig {
	t.Helper()
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	pol, err := policy.Load(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewVirtual(start)
	k, err := seal.Open(ctx, seal.Options{Dir: t.TempDir(), Fresh: true, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Start(c, quiet, slices.Concat(Passports(), gate.Passports()))
	if err != nil {
		t.Fatal(err)
	}
	_, text := pol.ConsentText(passport.Recording, "en")
	w := &town{closed: map[id.Account]bool{}, cameras: map[id.Binding]camera{}, zone: zone, text: text}
	r := &Room{DB: db, Keeper: k, Places: w, Clock: c}
	g := &gate.Gate{
		Issuer: permit.NewIssuer(c), Clock: c, Log: quiet, DB: db, Bus: b, Policy: gate.Under(pol),
		People: w, Relations: w, Consents: w, Shares: r, Records: &translog.Log{DB: db, Keeper: k, Clock: c},
	}
	r.Gate = g
	if err := g.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = g.Close(), b.Close(), k.Close() })
	return rig{r, t, c, g, k, w}
}

// place gives an account a site with a camera.
func (r rig) place(owner id.Account) (id.Site, id.Binding) {
	s := id.Make[id.Site]()
	return s, r.camera(owner, s)
}

func (r rig) camera(owner id.Account, s id.Site) id.Binding {
	b := id.Make[id.Binding]()
	r.town.do(func() { r.town.cameras[b] = camera{owner, s} })
	return b
}

func person() id.Account { return id.Make[id.Account]() }

func (r rig) permit(a id.Account, action permit.Action) permit.Permit {
	r.t.Helper()
	p, err := r.gate.Permit(context.Background(), gate.Request{Tenant: id.DefaultTenant, Actor: permit.Person(a, id.Make[id.Session]()), Action: action, Account: a})
	if err != nil {
		r.t.Fatalf("%s: %v", action, err)
	}
	return p
}

// ask asks the gate as somebody who is not the owner.
func (r rig) ask(actor permit.Actor, action permit.Action, b id.Binding) (permit.Grant, error) {
	if !actor.Account.IsZero() {
		actor.Session = id.Make[id.Session]()
	}
	p, err := r.gate.Permit(context.Background(), gate.Request{Tenant: id.DefaultTenant, Actor: actor, Action: action, Binding: b})
	g, _ := p.Grant()
	return g, err
}

func (r rig) lease(actor permit.Actor, action permit.Action, b id.Binding) *permit.Lease {
	r.t.Helper()
	if !actor.Account.IsZero() {
		actor.Session = id.Make[id.Session]()
	}
	l, err := r.gate.Lease(context.Background(), gate.Request{Tenant: id.DefaultTenant, Actor: actor, Action: action, Binding: b})
	if err != nil {
		r.t.Fatalf("%s: %v", action, err)
	}
	return l
}

// invite makes an invite for what is wanted, with what every invite needs.
func (r rig) invite(owner id.Account, w Wanted) (Given, string) {
	r.t.Helper()
	w.Confirmed, w.By, w.Place = true, "Anna", "Elm Street"
	g, token, err := r.Invite(context.Background(), r.permit(owner, permit.ShareChange), id.DefaultTenant, owner, w)
	if err != nil {
		r.t.Fatal(err)
	}
	return g, token
}

// member lets somebody in.
func (r rig) member(owner id.Account, w Wanted) (id.Account, id.Share) {
	r.t.Helper()
	g, token := r.invite(owner, w)
	m := person()
	if _, err := r.Accept(context.Background(), id.DefaultTenant, token, m, w.Email); err != nil {
		r.t.Fatal(err)
	}
	return m, g.ID
}

func (r rig) link(owner id.Account, w Wanted) (Given, string) {
	r.t.Helper()
	w.Confirmed, w.By, w.Place = true, "Anna", "Front door"
	g, token, err := r.Link(context.Background(), r.permit(owner, permit.ShareChange), id.DefaultTenant, owner, w)
	if err != nil {
		r.t.Fatal(err)
	}
	return g, token
}

func can(all ...permit.Ability) Terms { return Terms{Abilities: all} }

func code(err error) string {
	p, ok := problem.Of(err)
	switch {
	case err == nil:
		return ""
	case !ok:
		return err.Error()
	}
	return p.Code
}
