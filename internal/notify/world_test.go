package notify

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/notify/webpush"
	"candor/internal/notify/webpush/pushtest"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/words"
)

// world is a room with its own push service and mailbox, a wall clock that can be set and a
// monotonic one that cannot. The gate allows what nobody has taken away.
type world struct {
	*Room
	t       *testing.T
	clock   *clock.Virtual
	keeper  *seal.Keeper
	issuer  *permit.Issuer
	service *pushtest.Service

	mu       sync.Mutex
	up       time.Duration
	refused  map[string]error // "told", "push", "picture", with an account or camera
	notices  map[id.Account][]Notice
	mails    []Mail
	mailDown error
	zone     *time.Location
	lang     string

	zoe, ben   id.Account
	door, yard id.Binding
}

func open(t *testing.T, db *sqldb.DB) *world {
	t.Helper()
	w := &world{
		t: t, clock: clock.NewVirtual(time.Date(2031, 5, 6, 14, 32, 9, 0, time.UTC)), service: pushtest.Start(t), refused: map[string]error{}, notices: map[id.Account][]Notice{},
		zone: time.UTC, lang: "en", zoe: id.Make[id.Account](), ben: id.Make[id.Account](), door: id.Make[id.Binding](), yard: id.Make[id.Binding](),
	}
	w.issuer = permit.NewIssuer(w.clock)
	keys, err := seal.Open(context.Background(), seal.Options{Dir: t.TempDir(), Fresh: true, Clock: w.clock})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keys.Close() })
	who, err := webpush.Keep(filepath.Join(t.TempDir(), "push.key"))
	if err != nil {
		t.Fatal(err)
	}
	w.keeper = keys
	w.Room = &Room{
		DB: db, Keeper: keys, Gate: gates{w}, Cameras: gates{w}, People: gates{w}, Clock: w.clock, Uptime: w.uptime, Log: slog.New(slog.DiscardHandler), Words: words.Sentence,
		Tell: func(a id.Account, n Notice) {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.notices[a] = append(w.notices[a], n)
		},
		Push: &webpush.Sender{Identity: who, Services: webpush.Services{w.service.Host()}, Client: w.service.Client(), Contact: "ops@house.example", Patience: 30 * time.Second},
		Mail: gates{w}, Pictures: pictures{w}, Base: func() string { return "https://cameras.example/base/" },
	}
	w.init()
	return w
}

// restart is the room after a restart of the program.
func (w *world) restart() {
	old := w.Room
	w.Room = &Room{
		DB: old.DB, Keeper: old.Keeper, Gate: old.Gate, Cameras: old.Cameras, People: old.People, Clock: old.Clock, Uptime: old.Uptime, Log: old.Log, Words: old.Words, Tell: old.Tell,
		Push: old.Push, Mail: old.Mail, Pictures: old.Pictures, Base: old.Base,
	}
	w.mu.Lock()
	w.up = 0
	w.mu.Unlock()
	w.init()
	if err := w.loadPauses(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) uptime() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.up
}

// pass lets time pass on both clocks, with the room looking about once a minute.
func (w *world) pass(d time.Duration) {
	for d > 0 {
		step := min(d, time.Minute)
		d -= step
		w.mu.Lock()
		w.up += step
		w.mu.Unlock()
		w.clock.Advance(step)
		w.run()
	}
}

// run does what the loops would do now.
func (w *world) run() {
	w.decide(w.t.Context())
	w.deliver(w.t.Context())
	w.loops.Wait()
}

func (w *world) do(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
}

func (w *world) refuse(what string, err error) { w.do(func() { w.refused[what] = err }) }

func (w *world) happen(b id.Binding, n int) {
	for range n {
		w.Hear(Happening{Tenant: id.DefaultTenant, Owner: w.zoe, Binding: b, Event: id.Make[id.Row](), Kind: Motion, At: w.now()})
	}
	w.run()
}

func (w *world) choose(a id.Account, b id.Binding, c ...Channel) {
	w.t.Helper()
	if err := w.Choose(w.t.Context(), id.DefaultTenant, a, Rule{Binding: b, Kind: Motion, Channels: c}); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) subscribe(a id.Account) (*pushtest.Browser, Device) {
	w.t.Helper()
	b := w.service.Subscribe(w.Key())
	d, err := w.Subscribe(w.t.Context(), id.DefaultTenant, a, id.Make[id.Session](), "Chrome on Android", "https://cameras.example/base/", b.JSON())
	if err != nil {
		w.t.Fatal(err)
	}
	return b, d
}

func (w *world) own(a id.Account) permit.Permit {
	p, err := gates{w}.Own(w.t.Context(), id.DefaultTenant, a)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *world) told(a id.Account) []Notice {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]Notice(nil), w.notices[a]...)
}

// shown is what a payload shows.
type shown struct {
	WebPush      int `json:"web_push"`
	Notification struct {
		Title, Body, Lang, Tag, Navigate string
		Silent                           bool
		Data                             struct {
			Camera, Kind, Open, Ticket, Test string
			Count                            int
		}
	}
}

func (w *world) shown(m pushtest.Message) (s shown) {
	w.t.Helper()
	if err := json.Unmarshal(m.Payload, &s); err != nil {
		w.t.Fatalf("%s: %v", m.Payload, err)
	}
	return s
}

func (w *world) log(a id.Account) []Entry {
	w.t.Helper()
	page, _, err := w.Sent(w.t.Context(), w.own(a), id.DefaultTenant, a, 0, 100)
	if err != nil {
		w.t.Fatal(err)
	}
	return page
}

// gates are the rooms around this one.
type gates struct{ w *world }

func (g gates) ask(what ...string) error {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	return g.w.refused[strings.Join(what, " ")]
}

func (g gates) grant(a id.Account, c ...passport.Category) permit.Permit {
	return g.w.issuer.Permit(permit.Grant{
		Tenant: id.DefaultTenant, Actor: permit.System("notify"), Subject: id.SubjectOf(a), Purpose: passport.Alerts, Categories: c, Expires: g.w.clock.Now().Add(time.Minute),
	})
}

func (g gates) Told(_ context.Context, _ id.Tenant, who id.Account, b id.Binding) (permit.Permit, error) {
	if err := errors.Join(g.ask("told", who.String()), g.ask("told", b.String())); err != nil {
		return permit.Permit{}, err
	}
	return g.grant(g.w.zoe, passport.DeviceData), nil
}

func (g gates) Own(_ context.Context, _ id.Tenant, who id.Account) (permit.Permit, error) {
	return g.grant(who, passport.Setting, passport.Event), g.ask("own", who.String())
}

func (g gates) Push(_ context.Context, _ id.Tenant, who id.Account) (permit.Permit, error) {
	return g.grant(who, passport.Setting), g.ask("push", who.String())
}

func (g gates) Picture(_ context.Context, _ id.Tenant, b id.Binding) error { return g.ask("picture") }

func (g gates) Name(_ context.Context, _ permit.Permit, _ id.Tenant, b id.Binding) (string, error) {
	return map[id.Binding]string{g.w.door: "Front door", g.w.yard: "Yard"}[b], nil
}

func (g gates) Who(_ context.Context, p permit.Permit, _ id.Tenant, a id.Account) (Person, error) {
	if grant, ok := p.Grant(); !ok || grant.Subject != id.SubjectOf(a) {
		return Person{}, problem.NotFound()
	}
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	return Person{Language: g.w.lang, Zone: g.w.zone}, nil
}

func (g gates) Address(context.Context, id.Tenant, id.Account) (string, error) {
	return "zoe@house.example", nil
}

func (g gates) Carry(_ context.Context, m Mail) error {
	g.w.mu.Lock()
	defer g.w.mu.Unlock()
	if g.w.mailDown != nil {
		return g.w.mailDown
	}
	g.w.mails = append(g.w.mails, m)
	return nil
}

// pictures are apart, because their method is called like a gate's.
type pictures struct{ w *world }

func (p pictures) Picture(_ context.Context, _ id.Tenant, who permit.Actor, b id.Binding, event id.Row) ([]byte, error) {
	return []byte("picture of " + b.String() + " for " + who.Account.String() + " at " + event.String()), nil
}
