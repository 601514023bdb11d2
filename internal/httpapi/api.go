// Package httpapi is the HTTP front door: /api/v1 as OpenAPI 3.1, and /healthz, /readyz and
// /metrics beside it.
//
// Every route is one line of one registry: method, path, who may come, and which action is
// asked of the gate. Nothing is served that is not in the registry (the mux refuses it), and a
// test compares the registry with the OpenAPI document. A request goes the same way whatever
// its route: origin → session cookie → permit or lease from the gate → room. An actor without
// a relation to the thing gets 404, as if it were not there. The gate writes the access record
// before it answers, so nothing is delivered that is not on record; media is written under a
// lease that is looked at before every write.
//
// What rooms the handlers need is declared here, one file per subject, as small interfaces
// (Setup, Sessions, Accounts, SignUps, Cameras, Finding, Live, Footage, Shares, Alarms, Alerts, Privacy, Policy); app fits the rooms
// to them. The package knows no SQL, no codec and no other front door.
package httpapi

import (
	"context"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
)

// Gate decides. It writes the access record, where the action asks for one, before it answers.
type Gate interface {
	Permit(ctx context.Context, r Request) (permit.Permit, error)
	// Lease gives a lasting permit whose context descends from ctx.
	Lease(ctx context.Context, r Request) (*permit.Lease, error)
}

// Request is what the gate is asked.
type Request struct {
	Tenant  id.Tenant
	Actor   permit.Actor
	Action  permit.Action
	Account id.Account // whose data; zero where a camera is named: its owner's
	Binding id.Binding // which camera, zero for none or all
	Client  string     // kind of client, for the access record ("Chrome on Android")
}

// Words gives the sentence of a key in a language, and "" when there is none.
type Words func(lang, key string, args map[string]string) string

// Deps are the rooms behind the door and what the door itself needs.
type Deps struct {
	Tenant   id.Tenant
	Language string // of somebody who did not say
	Clock    clock.Clock
	Log      *slog.Logger
	Words    Words
	Limits   Limits
	Metrics  Meter        // nil: nothing is counted
	Page     http.Handler // /metrics; nil: not served here
	Ready    func(ctx context.Context) error

	Gate     Gate
	Setup    Setup
	Sessions Sessions
	Accounts Accounts
	SignUps  SignUps
	Seconds  Seconds
	Cameras  Cameras
	Finding  Finding
	Live     Live
	Footage  Footage
	Alarms   Alarms
	Shares   Shares
	Privacy  Privacy
	Exports  Exports
	Reports  Reports
	Notices  Notices
	Policy   Policy
	Alerts   Alerts
}

// Meter counts requests.
type Meter interface {
	Request(route, method string, status int, took time.Duration)
}

// Limits bound what one person or browser may hold at once. Zero fields get defaults.
type Limits struct {
	Viewings int           // leases of live and footage one account holds at once
	Visitors int           // the same, of one link
	Feeds    int           // event feeds one account holds at once
	Body     int64         // bytes of a request's body
	Pause    time.Duration // how long a paused lease is waited for before a download is broken off
}

func (l Limits) orDefault() Limits {
	d := Limits{Viewings: 64, Visitors: 12, Feeds: 16, Body: 64 << 10, Pause: 10 * time.Second}
	if l.Viewings != 0 {
		d.Viewings = l.Viewings
	}
	if l.Visitors != 0 {
		d.Visitors = l.Visitors
	}
	if l.Feeds != 0 {
		d.Feeds = l.Feeds
	}
	if l.Body != 0 {
		d.Body = l.Body
	}
	if l.Pause != 0 {
		d.Pause = l.Pause
	}
	return d
}

// API is the front door.
type API struct {
	deps     Deps
	limits   Limits
	mux      *mux
	huma     huma.API
	schemas  huma.Registry
	cross    *http.CrossOriginProtection
	events   *Events
	viewings *viewings
	replays  *replays
	throttle *throttle
	fresh    *fresh
	drain    chan struct{}
	stop     sync.Once
}

// New builds the routes.
func New(d Deps) *API {
	if d.Log == nil {
		d.Log = slog.New(slog.DiscardHandler)
	}
	if d.Clock == nil {
		d.Clock = clock.Wall
	}
	if d.Language == "" {
		d.Language = languages[0].String()
	}
	if d.Words == nil {
		d.Words = func(string, string, map[string]string) string { return "" }
	}
	a := &API{
		deps: d, limits: d.Limits.orDefault(), cross: http.NewCrossOriginProtection(),
		viewings: newViewings(), replays: newReplays(d.Clock), throttle: newThrottle(d.Clock), fresh: newFresh(d.Clock), drain: make(chan struct{}),
	}
	a.events = newEvents()
	a.mux = newMux(a)
	a.huma = a.document()
	a.setup()
	a.session()
	a.stepUp()
	a.account()
	a.signUp()
	a.cameras()
	a.finding()
	a.wellbeing()
	a.live()
	a.footage()
	a.alarms()
	a.shares()
	a.links()
	a.privacy()
	a.exports()
	a.reports()
	a.notices()
	a.second()
	a.policy()
	a.standing()
	a.alerts()
	a.feed()
	a.health()
	return a
}

// Events is where app tells what happened, for the feeds of the browsers it concerns.
func (a *API) Events() *Events { return a.events }

// Drain ends feeds and viewings, so that the server can stop. It does not wait for them.
func (a *API) Drain() {
	a.stop.Do(func() {
		close(a.drain)
		a.events.close()
		a.viewings.endAll()
	})
}
