package device

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
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/translog"
	source "candor/policy"
)

// rig is the room with the real keeper, gate and bus around it. Everybody is signed in and has
// agreed to everything, so that what is left to decide is whose camera it is.
type rig struct {
	*Room
	t      *testing.T
	clock  *clock.Virtual
	keeper *seal.Keeper
	gate   *gate.Gate
}

type everybody struct{ text string }

func (everybody) Open(context.Context, id.Tenant, id.Account) (bool, error) { return true, nil }

func (everybody) SignedIn(context.Context, id.Tenant, id.Account, id.Session) (bool, error) {
	return true, nil
}

func (e everybody) Given(context.Context, id.Tenant, id.Subject, id.Binding, passport.Purpose) (gate.Consent, bool, error) {
	return gate.Consent{Record: id.Make[id.Consent](), TextHash: e.text}, true, nil
}

func open(t *testing.T, db *sqldb.DB) rig {
	t.Helper()
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	pol, err := policy.Load(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewVirtual(time.Date(2031, 5, 6, 15, 10, 9, 0, time.UTC))
	k, err := seal.Open(ctx, seal.Options{Dir: t.TempDir(), Fresh: true, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Start(c, quiet, slices.Concat(Passports(), gate.Passports()))
	if err != nil {
		t.Fatal(err)
	}
	o := &bus.Outbox{DB: db, Bus: b, Clock: clock.Wall, Log: quiet}
	o.Start()
	r := &Room{DB: db, Keeper: k, Outbox: o, Clock: c, DefaultDays: 30, DefaultBytes: 1 << 30, MaxDays: 365}
	_, text := pol.ConsentText(passport.Recording, "en")
	all := everybody{text}
	g := &gate.Gate{
		Issuer: permit.NewIssuer(c), Clock: c, Log: quiet, DB: db, Bus: b, Policy: gate.Under(pol),
		People: all, Relations: r, Consents: all, Records: &translog.Log{DB: db, Keeper: k, Clock: c},
	}
	if err := g.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _, _ = g.Close(), o.Close(), b.Close(), k.Close() })
	return rig{r, t, c, k, g}
}

func (r rig) request(a id.Account, action permit.Action, b id.Binding) gate.Request {
	actor := permit.Person(a, id.Make[id.Session]())
	switch action {
	case permit.CameraPull:
		actor = permit.System(gate.Ingest)
	case permit.CameraRecord:
		actor = permit.System(gate.Recorder)
	}
	return gate.Request{Tenant: id.DefaultTenant, Actor: actor, Action: action, Account: a, Binding: b}
}

func (r rig) permit(a id.Account, action permit.Action, b id.Binding) permit.Permit {
	r.t.Helper()
	p, err := r.gate.Permit(context.Background(), r.request(a, action, b))
	if err != nil {
		r.t.Fatalf("%s: %v", action, err)
	}
	return p
}

func (r rig) person() id.Account {
	r.t.Helper()
	a := id.Make[id.Account]()
	if _, err := r.AddSite(context.Background(), id.DefaultTenant, a, "Elm Street", "Europe/Berlin"); err != nil {
		r.t.Fatal(err)
	}
	return a
}

func (r rig) add(a id.Account, n New) Camera {
	r.t.Helper()
	c, err := r.Add(context.Background(), r.permit(a, permit.CameraAdd, id.Binding{}), id.DefaultTenant, a, n)
	if err != nil {
		r.t.Fatal(err)
	}
	return c
}

func (r rig) door(a id.Account) Camera {
	r.t.Helper()
	return r.add(a, New{Name: "Front door", Main: "rtsp://viewer:s3cr3t-heron@10.1.2.3:554/main?pwd=in-url", Sub: "rtsp://10.1.2.3:554/sub"})
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
