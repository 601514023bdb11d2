package report_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/report"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
	source "candor/policy"
)

var ctx = context.Background()

type rig struct {
	*report.Room
	t      *testing.T
	clock  *clock.Virtual
	issuer *permit.Issuer
	keys   *seal.Keeper
	cam    report.Camera
	agreed atomic.Bool
	asked  atomic.Int32
}

func open(t *testing.T, db *sqldb.DB) *rig {
	t.Helper()
	r := &rig{t: t, clock: clock.NewVirtual(time.Date(2031, 5, 6, 15, 10, 9, 0, time.UTC)), cam: report.Camera{Tenant: id.DefaultTenant, Account: id.Make[id.Account](), Binding: id.Make[id.Binding]()}}
	r.issuer = permit.NewIssuer(r.clock)
	var err error
	if r.keys, err = seal.Open(ctx, seal.Options{Dir: t.TempDir(), Fresh: true, Clock: r.clock}); err != nil {
		t.Fatal(err)
	}
	r.Room = &report.Room{DB: db, Keys: r.keys, Gate: r, Clock: r.clock, Log: slog.New(slog.DiscardHandler)}
	r.Start(ctx)
	r.agreed.Store(true)
	t.Cleanup(func() { _ = r.Close(); _ = r.keys.Close() })
	return r
}

func (r *rig) grant(a permit.Action) permit.Grant {
	return permit.Grant{
		Tenant: r.cam.Tenant, Subject: id.SubjectOf(r.cam.Account), Binding: r.cam.Binding, Action: a, Purpose: passport.Reports,
		Categories: []passport.Category{passport.DeviceData}, Expires: r.clock.Now().Add(time.Minute),
	}
}

// Lease answers as the gate does.
func (r *rig) Lease(ctx context.Context, q gate.Request) (*permit.Lease, error) {
	if q.Action != permit.CameraReport || q.Actor.System != gate.Reporter || q.Binding != r.cam.Binding {
		return nil, problem.NotFound()
	}
	if !r.agreed.Load() {
		r.asked.Add(1)
		return nil, problem.Forbidden("consent.needed")
	}
	return r.issuer.Lease(ctx, r.grant(q.Action)), nil
}

func (r *rig) list() []report.Report {
	r.t.Helper()
	all, err := r.List(ctx, r.issuer.Permit(r.grant(permit.CameraReports)), r.cam)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

func (r *rig) until(n int) {
	r.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if len(r.list()) == n {
			return
		}
	}
	r.t.Fatalf("%d reports, want %d", len(r.list()), n)
}

func (r *rig) whose() rights.Whose {
	return rights.Whose{Tenant: r.cam.Tenant, Subject: id.SubjectOf(r.cam.Account)}
}

func TestChangesAreReportedForAWeek(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := open(t, db)
		for _, s := range []struct {
			reached bool
			code    string
		}{{true, ""}, {true, ""}, {false, "camera.timeout"}, {false, "camera.timeout"}, {false, "camera.refused"}, {true, ""}} {
			r.clock.Advance(time.Minute)
			r.Tell(r.cam, s.reached, s.code)
		}
		r.until(4)
		all := r.list()
		if !all[0].Reached || all[1].Code != "camera.refused" || all[2].Code != "camera.timeout" || all[0].At <= all[1].At {
			t.Errorf("%+v", all)
		}
		h := report.Holder{Of: r.Room}
		p := r.issuer.Permit(r.grant(permit.CameraReports))
		held, err := h.Count(ctx, p, r.whose())
		var out bytes.Buffer
		if err := errors.Join(err, h.Export(ctx, p, r.whose(), &out)); err != nil || len(held) != 1 || held[0].Count != 4 || bytes.Count(out.Bytes(), []byte("\n")) != 4 {
			t.Errorf("held %+v, exported %s, %v", held, out.String(), err)
		}
		r.clock.Advance(9 * 24 * time.Hour)
		if err := r.Sweep(ctx); err != nil {
			t.Fatal(err)
		}
		if len(r.list()) != 0 {
			t.Error("reports older than a week are left")
		}
		if n, err := r.keys.Count(ctx, seal.Buckets(r.cam.Tenant, id.SubjectOf(r.cam.Account), r.cam.Binding, passport.DeviceData)); n != 0 || err != nil {
			t.Errorf("%d keys are left, %v", n, err)
		}
	})
}

func TestNothingIsKeptWithoutConsent(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := open(t, db)
		r.agreed.Store(false)
		r.Tell(r.cam, false, "camera.timeout")
		for end := time.Now().Add(30 * time.Second); r.asked.Load() == 0 && time.Now().Before(end); {
			time.Sleep(5 * time.Millisecond)
		}
		r.agreed.Store(true)
		r.Tell(report.Camera{Tenant: r.cam.Tenant, Account: r.cam.Account, Binding: id.Make[id.Binding]()}, true, "")
		r.clock.Advance(time.Minute)
		r.Forget(r.cam.Binding)
		r.Tell(r.cam, true, "")
		r.until(1)
		if all := r.list(); !all[0].Reached {
			t.Errorf("%+v", all)
		}
		// Taken back: the keys go, then the rows.
		w := r.whose()
		w.Purpose, w.Before = passport.Reports, clock.At(r.clock.Now())+1
		if _, err := r.keys.Destroy(ctx, seal.Buckets(w.Tenant, w.Subject, id.Binding{}, passport.DeviceData), seal.Withdrawn); err != nil {
			t.Fatal(err)
		}
		if len(r.list()) != 0 {
			t.Error("reports open without their key")
		}
		h := report.Holder{Of: r.Room}
		if swept, err := h.Erase(ctx, w); err != nil || swept.Rows != 1 {
			t.Errorf("%+v, %v", swept, err)
		}
		if found, err := h.Scan(ctx, w); err != nil || found[0].Found != 0 {
			t.Errorf("%+v, %v", found, err)
		}
		w.Purpose = passport.Recording
		if held, err := h.Count(ctx, permit.Permit{}, w); err != nil || held != nil {
			t.Errorf("held for recording: %+v, %v", held, err)
		}
	})
}

func TestPassportsFitThePolicy(t *testing.T) {
	pol, err := policy.Load(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range report.Passports() {
		if err := pol.Judge(p); err != nil {
			t.Error(err)
		}
	}
}
