package gate

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

func code(err error) string {
	if err == nil {
		return "ok"
	}
	if p, ok := problem.Of(err); ok {
		return p.Code
	}
	return "internal"
}

// Every way to ask for something and what comes of it; the default is no.
func TestDecisions(t *testing.T) {
	promise.Proves(t, "P019", "P245")
	g, w := started(t, sqlite(t))
	zoe, zoeIn := w.person()
	mallory, malloryIn := w.person()
	door, yard, theirs := w.camera(zoe), w.camera(zoe), w.camera(mallory)
	w.consent(t, zoe, door)
	w.do(func() { // an answer to a text that the policy does not have is no consent
		w.consents[agreed{id.SubjectOf(mallory), theirs, passport.Recording}] = Consent{id.Make[id.Consent](), "0000"}
	})
	unbound := id.Make[id.Binding]()
	as := func(a id.Account, s id.Session) permit.Actor { return permit.Person(a, s) }
	for name, c := range map[string]struct {
		r    Request
		want string
	}{
		"owner watches":                       {Request{Actor: as(zoe, zoeIn), Action: permit.CameraWatch, Account: zoe, Binding: door}, "ok"},
		"owner watches without any consent":   {Request{Actor: as(zoe, zoeIn), Action: permit.CameraWatch, Account: zoe, Binding: yard}, "ok"},
		"owner reads footage":                 {Request{Actor: as(zoe, zoeIn), Action: permit.FootageRead, Account: zoe, Binding: door}, "ok"},
		"no consent":                          {Request{Actor: as(zoe, zoeIn), Action: permit.FootageRead, Account: zoe, Binding: yard}, "consent.needed"},
		"recorder with consent":               {Request{Actor: permit.System(Recorder), Action: permit.CameraRecord, Account: zoe, Binding: door}, "ok"},
		"recorder without consent":            {Request{Actor: permit.System(Recorder), Action: permit.CameraRecord, Account: zoe, Binding: yard}, "consent.needed"},
		"consent to an unknown text":          {Request{Actor: permit.System(Recorder), Action: permit.CameraRecord, Account: mallory, Binding: theirs}, "consent.needed"},
		"unbound camera watched":              {Request{Actor: as(zoe, zoeIn), Action: permit.CameraWatch, Account: zoe, Binding: unbound}, "not_found"},
		"unbound camera pulled":               {Request{Actor: permit.System(Ingest), Action: permit.CameraPull, Account: zoe, Binding: unbound}, "not_found"},
		"unbound camera recorded":             {Request{Actor: permit.System(Recorder), Action: permit.CameraRecord, Account: zoe, Binding: unbound}, "not_found"},
		"unbound camera changed":              {Request{Actor: as(zoe, zoeIn), Action: permit.CameraChange, Account: zoe, Binding: unbound}, "not_found"},
		"another's camera":                    {Request{Actor: as(mallory, malloryIn), Action: permit.CameraWatch, Account: mallory, Binding: door}, "not_found"},
		"another's camera, saying whose":      {Request{Actor: as(mallory, malloryIn), Action: permit.CameraWatch, Account: zoe, Binding: door}, "not_found"},
		"another's session":                   {Request{Actor: as(zoe, malloryIn), Action: permit.CameraWatch, Account: zoe, Binding: door}, "session.ended"},
		"no session":                          {Request{Actor: as(zoe, id.Session{}), Action: permit.CameraWatch, Account: zoe, Binding: door}, "not_found"},
		"nobody":                              {Request{Action: permit.CameraWatch, Account: zoe, Binding: door}, "not_found"},
		"unknown action":                      {Request{Actor: as(zoe, zoeIn), Action: "camera.sell", Account: zoe, Binding: door}, "not_found"},
		"no action":                           {Request{Actor: as(zoe, zoeIn), Account: zoe, Binding: door}, "not_found"},
		"no tenant":                           {Request{Tenant: id.Tenant{9}, Actor: as(zoe, zoeIn), Action: permit.CameraWatch, Account: zoe, Binding: door}, "not_found"},
		"no camera where one is needed":       {Request{Actor: as(zoe, zoeIn), Action: permit.CameraWatch, Account: zoe}, "not_found"},
		"a camera where none belongs":         {Request{Actor: as(zoe, zoeIn), Action: permit.AccountRead, Account: zoe, Binding: door}, "not_found"},
		"recorder watches":                    {Request{Actor: permit.System(Recorder), Action: permit.CameraWatch, Account: zoe, Binding: door}, "not_found"},
		"owner pulls (opens the password)":    {Request{Actor: as(zoe, zoeIn), Action: permit.CameraPull, Account: zoe, Binding: door}, "not_found"},
		"owner opens the verifier":            {Request{Actor: as(zoe, zoeIn), Action: permit.AccountSignIn, Account: zoe}, "not_found"},
		"an unnamed part of the system":       {Request{Actor: permit.System("analytics"), Action: permit.FootageRead, Account: zoe, Binding: door}, "not_found"},
		"a system with an account of its own": {Request{Actor: permit.Actor{System: Recorder, Account: zoe}, Action: permit.CameraRecord, Account: zoe, Binding: door}, "not_found"},
		"rights erase what is released":       {Request{Actor: permit.System(Rights), Action: permit.CameraErase, Account: zoe, Binding: unbound}, "ok"},
		"rights may not watch":                {Request{Actor: permit.System(Rights), Action: permit.CameraWatch, Account: zoe, Binding: door}, "not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.r.Tenant.IsZero() {
				c.r.Tenant = id.DefaultTenant
			}
			p, err := g.Permit(context.Background(), c.r)
			if code(err) != c.want {
				t.Errorf("Permit: %v, want %s", err, c.want)
			}
			grant, is := p.Grant()
			if is != (c.want == "ok") {
				t.Errorf("a permit came with %v", err)
			}
			if is && (grant.Subject != id.SubjectOf(c.r.Account) || grant.Policy == "" || grant.Basis == "" || grant.Expires.After(time.Now().Add(time.Minute))) {
				t.Errorf("grant %+v", grant)
			}
			if is && (grant.Basis == passport.Consent) == grant.Consent.IsZero() {
				t.Errorf("basis %s with consent record %v", grant.Basis, grant.Consent)
			}
			l, err := g.Lease(t.Context(), c.r)
			if code(err) != c.want || (l != nil) != (c.want == "ok") {
				t.Errorf("Lease: %v, %v, want %s", l, err, c.want)
			}
		})
	}
	w.do(func() { delete(w.owners, door) })
	if _, err := g.Permit(context.Background(), Request{Tenant: id.DefaultTenant, Actor: as(zoe, zoeIn), Action: permit.CameraWatch, Account: zoe, Binding: door}); code(err) != "not_found" {
		t.Errorf("after the camera was released: %v", err)
	}
}

// Names, e-mail and settings of an account open for the account itself and for its owner's rights,
// never for what cameras do; password verifiers open for signing in only.
func TestAccountFieldsServeTheAccountOnly(t *testing.T) {
	promise.Proves(t, "P010")
	g, w := started(t, sqlite(t))
	zoe, in := w.person()
	door := w.camera(zoe)
	w.consent(t, zoe, door)
	w.agree(t, zoe, door, passport.Pictures)
	w.agree(t, zoe, door, passport.Reports)
	w.agree(t, zoe, id.Binding{}, passport.Push)
	opens := func(action permit.Action, actor permit.Actor, c passport.Category) bool {
		r := Request{Tenant: id.DefaultTenant, Actor: actor, Action: action, Account: zoe}
		if rules[action].camera == oneCamera {
			r.Binding = door
		}
		p, err := g.Permit(context.Background(), r)
		if err != nil {
			t.Fatalf("%s: %v", action, err)
		}
		return p.Opens(id.DefaultTenant, id.SubjectOf(zoe), id.Binding{}, c, g.Clock.Now()) == nil
	}
	for action, ru := range rules {
		actor := permit.Person(zoe, in)
		if !ru.owner {
			actor = permit.System(ru.systems[0])
		}
		identity := action == permit.AccountRead || action == permit.AccountChange || action == permit.AccountMail || action == permit.PrivacyExport
		if got := opens(action, actor, passport.Identity); got != identity {
			t.Errorf("%s (%s) opens identity: %v", action, ru.purpose, got)
		}
		credential := action == permit.AccountSignIn || action == permit.CameraPull
		if got := opens(action, actor, passport.Credential); got != credential {
			t.Errorf("%s (%s) opens credentials: %v", action, ru.purpose, got)
		}
	}
}

// What cannot be established is denied.
// Whoever refuses one thing loses what rests on it and nothing else.
func TestRefusingOneThingCostsThatAlone(t *testing.T) {
	promise.Proves(t, "P243")
	g, w := started(t, sqlite(t))
	var optional []passport.Purpose
	for _, u := range loaded(t).Purposes {
		if u.Optional() {
			optional = append(optional, u.ID)
		}
	}
	if len(optional) < 4 {
		t.Fatalf("only %v rest on consent", optional)
	}
	for _, refused := range optional {
		zoe, in := w.person()
		door := w.camera(zoe)
		for _, u := range optional {
			if u != refused {
				w.agree(t, zoe, door, u)
				w.agree(t, zoe, id.Binding{}, u)
			}
		}
		for action, ru := range rules {
			actor := permit.Person(zoe, in)
			if !ru.owner {
				actor = permit.System(ru.systems[0])
			}
			r := Request{Tenant: id.DefaultTenant, Actor: actor, Action: action, Account: zoe}
			if ru.camera == oneCamera {
				r.Binding = door
			}
			want := "ok"
			if ru.purpose == refused {
				want = "consent.needed"
			}
			if _, err := g.Permit(context.Background(), r); code(err) != want {
				t.Errorf("%s is refused, and %s (%s) says %v", refused, action, ru.purpose, err)
			}
		}
	}
}

func TestTroubleDenies(t *testing.T) {
	g, w := started(t, sqlite(t))
	zoe, in := w.person()
	door := w.camera(zoe)
	w.consent(t, zoe, door)
	w.do(func() { w.err = errors.New("database away") })
	for _, r := range []Request{
		{Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: door},
		{Actor: permit.System(Recorder), Action: permit.CameraRecord, Account: zoe, Binding: door},
	} {
		r.Tenant = id.DefaultTenant
		if p, err := g.Permit(context.Background(), r); code(err) != "gate.unsure" || p != (permit.Permit{}) {
			t.Errorf("%s: %v, %v", r.Action, p, err)
		}
		if l, err := g.Lease(t.Context(), r); code(err) != "gate.unsure" || l != nil {
			t.Errorf("%s: lease %v, %v", r.Action, l, err)
		}
	}
	if n := g.Leases(); n != 0 {
		t.Errorf("%d leases left over", n)
	}
}

type blindPolicy struct{ Policy }

func (blindPolicy) Touches(passport.Purpose, passport.Category) bool { return false }

type newPurpose struct{ Policy }

// unlisted is a policy from which a purpose was taken off.
type unlisted struct{ Policy }

func (unlisted) Basis(passport.Purpose) (passport.Basis, bool) { return "", false }

func (newPurpose) Basis(passport.Purpose) (passport.Basis, bool) { return "eu-gdpr:A6-1-f", true }

func TestPolicyDecides(t *testing.T) {
	promise.Proves(t, "P241")
	g, w := started(t, sqlite(t))
	zoe, in := w.person()
	r := Request{Tenant: id.DefaultTenant, Actor: permit.Person(zoe, in), Action: permit.AccountRead, Account: zoe}
	for name, p := range map[string]Policy{"a purpose may not touch": blindPolicy{g.Policy}, "a basis nobody provided for": newPurpose{g.Policy}, "a purpose that is not listed": unlisted{g.Policy}} {
		other := node(t, w, g.DB, g.Bus, clock.Wall)
		other.Policy = p
		if _, err := other.Permit(context.Background(), r); code(err) != "gate.unsure" {
			t.Errorf("%s: %v", name, err)
		}
	}
	other := node(t, w, g.DB, g.Bus, clock.Wall)
	other.Policy = blindPolicy{g.Policy}
	if err := other.Start(context.Background()); err == nil {
		t.Error("the gate starts under a policy that its rules contradict")
	}
}

func TestEveryRuleIsMeant(t *testing.T) {
	for action, ru := range rules {
		if ru.purpose == "" || !ru.owner && len(ru.systems) == 0 {
			t.Errorf("%s: no purpose or nobody who may", action)
		}
		if ru.after && ru.purpose != passport.Rights {
			t.Errorf("%s goes on after a goodbye", action)
		}
		if slices.Contains(ru.categories, passport.LiveMedia) && ru.owner && !ru.record {
			t.Errorf("%s shows pictures without a record", action)
		}
	}
	for _, p := range Passports() {
		if err := loaded(t).Judge(p); err != nil {
			t.Error(err)
		}
	}
}

func TestAccessIsOnRecordBeforeThePermit(t *testing.T) {
	promise.Proves(t, "P295")
	db := sqlite(t)
	w, now := newWorld(), clock.NewVirtual(time.Now())
	b := startBus(t)
	g := node(t, w, db, b, now)
	run(t, g)
	zoe, in := w.person()
	door, yard := w.camera(zoe), w.camera(zoe)
	w.consent(t, zoe, door)
	ask := func(action permit.Action, b id.Binding) Request {
		return Request{Tenant: id.DefaultTenant, Actor: permit.Person(zoe, in), Action: action, Account: zoe, Binding: b, Client: "Chrome on Android"}
	}
	must := func(r Request, lease bool) {
		t.Helper()
		var err error
		if lease {
			_, err = g.Lease(t.Context(), r)
		} else {
			_, err = g.Permit(context.Background(), r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	count := func(want int) {
		t.Helper()
		if n := len(w.records); n != want {
			t.Errorf("%d records, want %d", n, want)
		}
	}
	must(Request{Tenant: id.DefaultTenant, Actor: permit.System(Recorder), Action: permit.CameraRecord, Account: zoe, Binding: door}, true)
	must(ask(permit.CameraWatch, door), true)
	must(ask(permit.CameraWatch, door), true)
	count(2)
	for range 5 {
		must(ask(permit.CameraStill, door), false)
		must(ask(permit.FootageRead, door), true)
	}
	count(4)
	must(ask(permit.CameraStill, yard), false)
	count(5)
	now.Advance(often)
	must(ask(permit.CameraStill, door), false)
	count(6)
	must(ask(permit.CameraList, id.Binding{}), false)
	count(6)
	if r := w.records[0]; r.Subject != id.SubjectOf(zoe) || r.Actor.Session != in || r.Binding != door || r.Purpose != passport.Live || r.Client != "Chrome on Android" {
		t.Errorf("record %+v", r)
	}
	w.do(func() { w.logErr = errors.New("disk full") })
	if p, err := g.Permit(context.Background(), ask(permit.CameraStill, id.Make[id.Binding]())); err == nil {
		t.Errorf("unowned: %v", p)
	}
	if l, err := g.Lease(t.Context(), ask(permit.CameraWatch, door)); code(err) != "gate.log_down" || l != nil {
		t.Errorf("watching without a log: %v, %v", l, err)
	}
	count(6)
}

func TestNoLeaseBeforeStartAndAfterClose(t *testing.T) {
	w, db := newWorld(), sqlite(t)
	g := node(t, w, db, startBus(t), clock.NewVirtual(time.Now()))
	zoe, in := w.person()
	r := Request{Tenant: id.DefaultTenant, Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: w.camera(zoe)}
	if l, err := g.Lease(t.Context(), r); code(err) != "gate.paused" || l != nil {
		t.Errorf("before Start: %v, %v", l, err)
	}
	if err := g.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	l, err := g.Lease(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if err := g.Close(); err != nil {
		t.Fatal(err)
	}
	if l.State() != permit.Ended || l.Permit() != (permit.Permit{}) {
		t.Error("a lease outlived its gate")
	}
	if l, err := g.Lease(t.Context(), r); code(err) != "gate.paused" || l != nil {
		t.Errorf("after Close: %v, %v", l, err)
	}
	if _, err := g.Bus.Subscribe(bus.Everyone, "gate.lease.given", nil); !errors.Is(err, bus.ErrUnknown) {
		t.Errorf("a subject without a passport: %v", err)
	}
}
