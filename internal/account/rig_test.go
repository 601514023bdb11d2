package account

import (
	"context"
	"log/slog"
	"regexp"
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
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/translog"
	source "candor/policy"
	"candor/words"
)

// rig is the room with the real keeper, gate and bus around it.
type rig struct {
	*Room
	t      *testing.T
	clock  *clock.Virtual
	keeper *seal.Keeper
	keys   string
	gate   *gate.Gate
	post   *letterbox
}

// letterbox is a Mail that keeps what was written.
type letterbox struct {
	mu      sync.Mutex
	letters []Letter
	err     error // instead of taking one
}

func (b *letterbox) Can() bool { return true }

func (b *letterbox) Send(_ context.Context, l Letter) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return b.err
	}
	b.letters = append(b.letters, l)
	return nil
}

func (b *letterbox) to(email string) (out []Letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, l := range b.letters {
		if l.To == email {
			out = append(out, l)
		}
	}
	return out
}

var eight = regexp.MustCompile(`\d{4} \d{4}`)

// code is the newest one that was written to an address.
func (b *letterbox) code(email string) string {
	all := b.to(email)
	for _, l := range slices.Backward(all) {
		if l.Code && l.Account.IsZero() {
			return eight.FindString(l.Text)
		}
	}
	return ""
}

const password = "three blue herons"

var cheap = Cost{Time: 1, Memory: 64, Threads: 1}

type noCameras struct{}

func (noCameras) Owner(context.Context, id.Tenant, id.Binding) (id.Account, error) {
	return id.Account{}, nil
}

func (noCameras) Given(context.Context, id.Tenant, id.Subject, id.Binding, passport.Purpose) (gate.Consent, bool, error) {
	return gate.Consent{}, false, nil
}

func open(t *testing.T, db *sqldb.DB) rig {
	t.Helper()
	ctx, quiet, dir := context.Background(), slog.New(slog.DiscardHandler), t.TempDir()
	pol, err := policy.Load(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewVirtual(time.Date(2031, 5, 6, 15, 10, 9, 0, time.UTC))
	k, err := seal.Open(ctx, seal.Options{Dir: dir, Fresh: true, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Start(c, quiet, slices.Concat(Passports(), gate.Passports()))
	if err != nil {
		t.Fatal(err)
	}
	o := &bus.Outbox{DB: db, Bus: b, Clock: clock.Wall, Log: quiet}
	o.Start()
	r := &Room{DB: db, Keeper: k, Outbox: o, Clock: c, Log: quiet, Languages: pol.Languages, Cost: cheap}
	g := &gate.Gate{
		Issuer: permit.NewIssuer(c), Clock: c, Log: quiet, DB: db, Bus: b, Policy: gate.Under(pol),
		People: r, Relations: noCameras{}, Consents: noCameras{}, Records: &translog.Log{DB: db, Keeper: k, Clock: c},
	}
	r.Gate = g
	post := &letterbox{}
	r.Mail, r.Words, r.SignUps = post, words.Sentence, DoorOpen
	r.Init()
	if err := g.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _, _ = g.Close(), o.Close(), b.Close(), k.Close() })
	return rig{r, t, c, k, dir, g, post}
}

// zoe signs up and in.
func (r rig) zoe() SignedIn { return r.person("Zoe Ünal", "Zoe@example.org") }

func (r rig) person(name, email string) SignedIn {
	r.t.Helper()
	ctx := context.Background()
	a, err := r.Create(ctx, id.DefaultTenant, New{Name: name, Email: email, Password: password, Language: "en", TimeZone: "Europe/Berlin"})
	if err != nil {
		r.t.Fatal(err)
	}
	return r.in(email, a)
}

func (r rig) in(email string, want id.Account) SignedIn {
	r.t.Helper()
	s, err := r.SignIn(context.Background(), id.DefaultTenant, email, password, Client{Kind: "Chrome on Android", Address: "192.0.2.7"})
	if err != nil || s.Account != want {
		r.t.Fatalf("sign in: %+v, %v", s, err)
	}
	return s
}

func (r rig) permit(s SignedIn, action permit.Action) permit.Permit {
	r.t.Helper()
	p, err := r.gate.Permit(context.Background(), gate.Request{Tenant: s.Tenant, Actor: permit.Person(s.Account, s.Session), Action: action, Account: s.Account})
	if err != nil {
		r.t.Fatalf("%s: %v", action, err)
	}
	return p
}

// hears collects what is told on the bus.
func (r rig) hears(typ bus.Type) func() []id.Row {
	r.t.Helper()
	var mu sync.Mutex
	var got []id.Row
	sub, err := r.Outbox.Bus.Subscribe(bus.Everyone, typ, func(e bus.Envelope) { mu.Lock(); defer mu.Unlock(); got = append(got, e.Resource) })
	if err != nil {
		r.t.Fatal(err)
	}
	r.t.Cleanup(func() { _ = sub.Close() })
	return func() []id.Row { mu.Lock(); defer mu.Unlock(); return slices.Clone(got) }
}

func eventually(t *testing.T, what string, f func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !f(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}
