package gate

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
	"candor/internal/translog"
	source "candor/policy"
)

// world is what the gate asks about, as a few maps.
type world struct {
	mu       sync.Mutex
	open     map[id.Account]bool
	sessions map[id.Session]id.Account
	owners   map[id.Binding]id.Account
	consents map[agreed]Consent
	shares   map[shared]map[permit.Ability]Share
	records  []translog.Access
	err      error // what every question answers, if set
	logErr   error
	asked    func() // called at each question about consent
}

// shared is what one member or one link was given of one camera.
type shared struct {
	account id.Account
	link    id.Share
	binding id.Binding
}

func (w *world) Find(_ context.Context, _ id.Tenant, a permit.Actor, owner id.Account, b id.Binding, what permit.Ability, at time.Time) (Share, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	all, related := w.shares[shared{a.Account, a.Link, b}]
	s := all[what]
	if s.Until != 0 && !at.Before(s.Until.Time()) {
		s = Share{}
	}
	return s, related && w.owners[b] == owner, w.err
}

// share lets a member (or, with a zero account, whoever holds the link that is returned) use a camera.
func (w *world) share(a id.Account, b id.Binding, s Share, abilities ...permit.Ability) id.Share {
	if s.ID.IsZero() {
		s.ID = id.Make[id.Share]()
	}
	key := shared{a, id.Share{}, b}
	if a.IsZero() {
		key.link = s.ID
	}
	given := map[permit.Ability]Share{permit.See: s}
	for _, what := range abilities {
		given[what] = s
	}
	w.do(func() { w.shares[key] = given })
	return s.ID
}

type agreed struct {
	subject id.Subject
	binding id.Binding
	purpose passport.Purpose
}

func newWorld() *world {
	return &world{open: map[id.Account]bool{}, sessions: map[id.Session]id.Account{}, owners: map[id.Binding]id.Account{}, consents: map[agreed]Consent{}, shares: map[shared]map[permit.Ability]Share{}}
}

func (w *world) Open(_ context.Context, _ id.Tenant, a id.Account) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open[a], w.err
}

func (w *world) SignedIn(_ context.Context, _ id.Tenant, a id.Account, s id.Session) (bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.open[a] && w.sessions[s] == a, w.err
}

func (w *world) Owner(_ context.Context, t id.Tenant, b id.Binding) (id.Account, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if t != id.DefaultTenant {
		return id.Account{}, w.err
	}
	return w.owners[b], w.err
}

func (w *world) Given(_ context.Context, _ id.Tenant, s id.Subject, b id.Binding, p passport.Purpose) (Consent, bool, error) {
	w.mu.Lock()
	asked := w.asked
	c, ok := w.consents[agreed{s, b, p}]
	err := w.err
	w.mu.Unlock()
	if asked != nil {
		asked()
	}
	return c, ok, err
}

func (w *world) Append(_ context.Context, a translog.Access) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.logErr != nil {
		return w.logErr
	}
	w.records = append(w.records, a)
	return nil
}

func (w *world) do(f func()) { w.mu.Lock(); defer w.mu.Unlock(); f() }

func (w *world) person() (id.Account, id.Session) {
	a, s := id.Make[id.Account](), id.Make[id.Session]()
	w.do(func() { w.open[a], w.sessions[s] = true, a })
	return a, s
}

func (w *world) camera(a id.Account) id.Binding {
	b := id.Make[id.Binding]()
	w.do(func() { w.owners[b] = a })
	return b
}

func (w *world) consent(t *testing.T, a id.Account, b id.Binding) {
	for _, p := range []passport.Purpose{passport.Recording, passport.Motion} {
		_, hash := loaded(t).ConsentText(p, "en")
		w.do(func() { w.consents[agreed{id.SubjectOf(a), b, p}] = Consent{id.Make[id.Consent](), hash} })
	}
}

func (w *world) agree(t *testing.T, a id.Account, b id.Binding, p passport.Purpose) {
	_, hash := loaded(t).ConsentText(p, "en")
	w.do(func() { w.consents[agreed{id.SubjectOf(a), b, p}] = Consent{id.Make[id.Consent](), hash} })
}

func (w *world) withdraw(a id.Account, b id.Binding) {
	w.do(func() { delete(w.consents, agreed{id.SubjectOf(a), b, passport.Recording}) })
}

var (
	loadOnce sync.Once
	real     *policy.Policy
	loadErr  error
)

func loaded(t *testing.T) *policy.Policy {
	t.Helper()
	loadOnce.Do(func() { real, loadErr = policy.Load(source.Files) })
	if loadErr != nil {
		t.Fatal(loadErr)
	}
	return real
}

// node is a gate of one node, not started.
func node(t *testing.T, w *world, db *sqldb.DB, b *bus.Bus, c clock.Clock) *Gate {
	t.Helper()
	return &Gate{
		Issuer: permit.NewIssuer(c), Clock: c, Log: slog.New(slog.DiscardHandler), DB: db, Bus: b,
		Policy: Under(loaded(t)), People: w, Relations: w, Shares: w, Consents: w, Records: w,
	}
}

func startBus(t *testing.T) *bus.Bus {
	t.Helper()
	b, err := bus.Start(clock.Wall, slog.New(slog.DiscardHandler), Passports())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	return b
}

// started is a running gate on its own database and bus, in a world of its own. Its clock stands
// still, so that a slow machine does not make it pause.
func started(t *testing.T, db *sqldb.DB) (*Gate, *world) {
	t.Helper()
	w := newWorld()
	g := node(t, w, db, startBus(t), clock.NewVirtual(time.Now()))
	run(t, g)
	return g, w
}

func run(t *testing.T, g *Gate) {
	t.Helper()
	if err := g.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = g.Close() })
}

func sqlite(t *testing.T) *sqldb.DB { return sqltest.SQLite(t) }

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
