package alarm_test

import (
	"context"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"candor/internal/alarm"
	"candor/internal/blob"
	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

// noon is when the worlds begin: far from midnight, on an hour.
const noon = clock.Millis(1_763_812_800_000)

const (
	second = clock.Millis(1000)
	minute = 60 * second
	hour   = 60 * minute
	day    = 24 * hour
)

// world is a room with everything real around it but the bus, on a clock that stands still.
type world struct {
	t      testing.TB
	db     *sqldb.DB
	dir    string
	keeper *seal.Keeper
	clock  *clock.Virtual
	issuer *permit.Issuer
	room   *alarm.Room
	cam    alarm.Camera
	owner  id.Account
	days   int

	mu   sync.Mutex
	told []string
}

func (w *world) Say(typ bus.Type, t id.Tenant, r id.Row) bus.Envelope {
	return bus.Envelope{ID: id.Make[id.Event](), Type: typ, Tenant: t, Resource: r, Time: w.clock.Now()}
}

func (w *world) Publish(e bus.Envelope) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.told = append(w.told, fmt.Sprint(e.Type, " ", e.Resource))
	return nil
}

// news is what was told since the last time.
func (w *world) news() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	out := w.told
	w.told = nil
	return out
}

func newWorld(t testing.TB, db *sqldb.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, dir: t.TempDir(), clock: clock.NewVirtual(noon.Time()), owner: id.Make[id.Account](), days: 7}
	w.cam = w.camera()
	w.issuer = permit.NewIssuer(w.clock)
	var err error
	w.keeper, err = seal.Open(context.Background(), seal.Options{Dir: filepath.Join(w.dir, "keys"), Fresh: true, Clock: w.clock})
	w.must(err)
	t.Cleanup(func() { _ = w.keeper.Close() })
	w.open()
	t.Cleanup(func() { _ = w.room.Close() })
	return w
}

// camera is a further camera of the owner.
func (w *world) camera() alarm.Camera {
	return alarm.Camera{Tenant: id.DefaultTenant, Subject: id.SubjectOf(w.owner), Binding: id.Make[id.Binding]()}
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// open starts the room, as the program does at its start.
func (w *world) open() {
	w.t.Helper()
	store, err := blob.OpenDisk(filepath.Join(w.dir, "events"))
	w.must(err)
	store.Coarse = true
	w.room = &alarm.Room{
		DB: w.db, Keys: w.keeper, Store: store, Bus: w, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Whole: 5,
		Days:     func(context.Context, alarm.Camera) (int, error) { return w.days, nil },
		Recorded: func(id.Binding) bool { return true },
	}
	w.must(w.room.Open(context.Background()))
}

func (w *world) grant(c alarm.Camera, viewer id.Account, action permit.Action) permit.Grant {
	g := permit.Grant{
		Tenant: c.Tenant, Subject: c.Subject, Binding: c.Binding, Action: action, Purpose: passport.Motion,
		Categories: []passport.Category{passport.Event, passport.DeviceData}, Expires: w.clock.Now().Add(time.Hour), Actor: permit.System("test"),
	}
	if !viewer.IsZero() {
		g.Actor = permit.Person(viewer, id.Make[id.Session]())
	}
	return g
}

// may is the owner's permit to see a camera's events.
func (w *world) may(cams ...alarm.Camera) []permit.Permit {
	if len(cams) == 0 {
		cams = []alarm.Camera{w.cam}
	}
	var out []permit.Permit
	for _, c := range cams {
		out = append(out, w.issuer.Permit(w.grant(c, w.owner, permit.EventRead)))
	}
	return out
}

func (w *world) watch(c alarm.Camera) (*alarm.Watch, *permit.Lease) {
	w.t.Helper()
	l := w.issuer.Lease(context.Background(), w.grant(c, id.Account{}, permit.CameraMotion))
	w.t.Cleanup(func() { l.End(nil) })
	watch, err := w.room.Watch(l, c)
	w.must(err)
	return watch, l
}

// report is something that moves at a moment.
func report(at clock.Millis) alarm.Report {
	return alarm.Report{Kind: alarm.Motion, Start: at, At: at, Score: 40, Picture: fmt.Appendf(nil, "picture of %d", at), Shown: at}
}

// event has a whole event happen.
func (w *world) event(on *alarm.Watch, from, to clock.Millis) {
	w.t.Helper()
	w.must(on.Begin(report(from)))
	w.must(on.End(to))
}

func (w *world) list(q alarm.Query, may ...permit.Permit) alarm.Page {
	w.t.Helper()
	if len(may) == 0 {
		may = w.may()
	}
	page, err := w.room.List(context.Background(), w.owner, may, q)
	w.must(err)
	return page
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) { f(t, newWorld(t, db)) })
}
