// Package report keeps, for a week, when a camera was reached, when not and for what reason, so that
// "why was it away last night" has an answer. Its owner must have agreed (purpose diagnostics);
// without that only the present state is known, and nothing is written down.
//
// A report is a change: reached, or not reached and the code of the problem. Attempts in between are
// none, so a camera that is away for a day is one report. Reports are sealed under a key of one day
// and camera; withdrawing destroys these keys. In clear are random ids and the day.
//
// The room owns table report_state. It is told of states and asks the gate for each report; it knows
// no camera, no protocol and no HTTP.
package report

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

const (
	keptDays = 7
	perDay   = 500 // reports of one camera on one day; more say nothing new
)

// Camera is whose connection is meant.
type Camera struct {
	Tenant  id.Tenant
	Account id.Account
	Binding id.Binding
}

func (c Camera) subject() id.Subject { return id.SubjectOf(c.Account) }

// State is what a camera came to.
type State struct {
	At      clock.Millis `json:"at"`
	Reached bool         `json:"reached"`
	Code    string       `json:"code,omitempty"` // why not; a key of the catalogue ("problem." + code)
}

// Keys is what the room needs of package seal; *seal.Keeper is one.
type Keys interface {
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
	Destroy(ctx context.Context, s seal.Selection, reason string) (seal.Destruction, error)
}

// Gate allows each report; *gate.Gate is one.
type Gate interface {
	Lease(ctx context.Context, r gate.Request) (*permit.Lease, error)
}

// Room keeps reports. Fill the fields, then Start.
type Room struct {
	DB    *sqldb.DB
	Keys  Keys
	Gate  Gate
	Clock clock.Clock
	Log   *slog.Logger

	mu      sync.Mutex
	last    map[id.Binding]State
	waiting chan told
	stop    context.CancelFunc
	work    sync.WaitGroup
}

type told struct {
	camera Camera
	state  State
}

// Start begins to write down what Tell is told.
func (r *Room) Start(ctx context.Context) {
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.mu.Lock()
	r.last, r.waiting = map[id.Binding]State{}, make(chan told, 256)
	r.mu.Unlock()
	r.work.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case t := <-r.waiting:
				if err := r.write(ctx, t.camera, t.state); err != nil && ctx.Err() == nil {
					r.Log.Warn("a connection report is lost", "err", err)
				}
			}
		}
	})
}

// Close stops and waits.
func (r *Room) Close() error {
	if r.stop != nil {
		r.stop()
	}
	r.work.Wait()
	return nil
}

// Tell tells the room a camera's state. It never waits: what comes faster than it can be written down
// is not.
func (r *Room) Tell(c Camera, reached bool, code string) {
	s := State{At: clock.At(r.Clock.Now()), Reached: reached, Code: code}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.waiting == nil {
		return
	}
	was, known := r.last[c.Binding]
	if known && was.Reached == s.Reached && was.Code == s.Code {
		return
	}
	select {
	case r.waiting <- told{c, s}:
		r.last[c.Binding] = s
	default:
	}
}

// Forget has the next state of a camera written down, whatever it is: somebody agreed just now.
func (r *Room) Forget(b id.Binding) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.last, b)
}

const statePassport passport.ID = "report.state"

func place(c Camera, row id.Row) seal.Place {
	return seal.Place{Tenant: c.Tenant, Subject: c.subject(), Binding: c.Binding, Passport: statePassport, Category: passport.DeviceData, Row: row}
}

// write writes a report down, if its owner agreed. The lease ends with a withdrawal, and after that
// nothing is sealed.
func (r *Room) write(ctx context.Context, c Camera, s State) error {
	l, err := r.Gate.Lease(ctx, gate.Request{Tenant: c.Tenant, Actor: permit.System(gate.Reporter), Action: permit.CameraReport, Account: c.Account, Binding: c.Binding})
	if p, ok := problem.Of(err); ok && p.Status < 500 {
		r.Forget(c.Binding)
		return nil // not agreed to, or the camera is gone
	}
	if err != nil {
		return err
	}
	defer l.End(nil)
	plain, err := json.Marshal(s)
	if err != nil {
		return err
	}
	day, row := clock.DayOf(s.At.Time()), id.Random[id.Row]() // its bits must not tell the moment
	scope := seal.OfBinding(c.Tenant, c.subject(), c.Binding).In(seal.Bucket{Day: day, Category: passport.DeviceData, Class: seal.Continuous})
	v, err := r.Keys.Seal(l.Context(), scope, place(c, row), plain)
	if err != nil {
		return err
	}
	_, err = r.DB.Write.NewRaw(`INSERT INTO report_state (tenant_id, id, binding_id, subject_id, day, state)
		SELECT ?, ?, ?, ?, ?, ? WHERE (SELECT count(*) FROM report_state WHERE tenant_id = ? AND binding_id = ? AND day = ?) < ?`,
		c.Tenant, row, c.Binding, c.subject(), int64(day), []byte(v), c.Tenant, c.Binding, int64(day), perDay).Exec(l.Context())
	return err
}

type row struct {
	ID      id.Row     `bun:"id"`
	Binding id.Binding `bun:"binding_id"`
	Day     int64      `bun:"day"`
	State   []byte     `bun:"state"`
}

// Report is a state as listed.
type Report struct {
	Binding id.Binding
	State
}

// List lists a camera's reports, newest first. The permit is that of permit.CameraReports.
func (r *Room) List(ctx context.Context, p permit.Permit, c Camera) ([]Report, error) {
	return r.list(ctx, p, c.Tenant, c.subject(), c.Binding)
}

func (r *Room) list(ctx context.Context, p permit.Permit, t id.Tenant, s id.Subject, b id.Binding) ([]Report, error) {
	var rows []row
	q := r.DB.Read.NewSelect().Table("report_state").Column("id", "binding_id", "day", "state").Where("tenant_id = ? AND subject_id = ?", t, s)
	if !b.IsZero() {
		q = q.Where("binding_id = ?", b)
	}
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list reports: %w", err)
	}
	var out []Report
	for _, w := range rows { // one by one: a day whose key is gone is no reason to show none
		at := place(Camera{t, id.Account(s), w.Binding}, w.ID)
		plain, err := r.Keys.OpenAll(ctx, p, []seal.Sealed{{Place: at, Value: seal.Value(w.State)}})
		switch {
		case errors.Is(err, permit.ErrNone), errors.Is(err, permit.ErrOther), errors.Is(err, permit.ErrExpired):
			return nil, problem.NotFound().Because(err)
		case errors.Is(err, seal.ErrClosed):
			continue
		case err != nil:
			return nil, fmt.Errorf("list reports: %w", err)
		}
		one := Report{Binding: w.Binding}
		if err := json.Unmarshal(plain[0], &one.State); err != nil {
			return nil, fmt.Errorf("read report: %w", err)
		}
		out = append(out, one)
	}
	slices.SortStableFunc(out, func(a, b Report) int { return cmp.Compare(b.At, a.At) })
	return out, nil
}

// Sweep lets go of reports that are a week old: first their keys.
func (r *Room) Sweep(ctx context.Context) error {
	last := clock.DayOf(r.Clock.Now()) - keptDays
	var due []struct {
		Tenant  id.Tenant  `bun:"tenant_id"`
		Subject id.Subject `bun:"subject_id"`
		Binding id.Binding `bun:"binding_id"`
	}
	err := r.DB.Read.NewRaw("SELECT DISTINCT tenant_id, subject_id, binding_id FROM report_state WHERE day < ?", int64(last)).Scan(ctx, &due)
	errs := []error{err}
	for _, d := range due {
		s := seal.Buckets(d.Tenant, d.Subject, d.Binding, passport.DeviceData)
		s.Class, s.Until = seal.Continuous, last-1
		if _, err := r.Keys.Destroy(ctx, s, seal.Expired); err != nil {
			errs = append(errs, err)
			continue
		}
		_, err := r.DB.Write.NewRaw("DELETE FROM report_state WHERE tenant_id = ? AND binding_id = ? AND day < ?", d.Tenant, d.Binding, int64(last)).Exec(ctx)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
