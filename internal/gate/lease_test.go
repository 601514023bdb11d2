package gate

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/promise"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

func must(t *testing.T, g *Gate, r Request) *permit.Lease {
	t.Helper()
	r.Tenant = id.DefaultTenant
	l, err := g.Lease(context.Background(), r)
	if err != nil {
		t.Fatalf("%s: %v", r.Action, err)
	}
	return l
}

func TestRevokeEndsWhatRestsOnTheRight(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		g, w := started(t, db)
		zoe, phone := w.person()
		laptop := id.Make[id.Session]()
		w.do(func() { w.sessions[laptop] = zoe })
		other, otherIn := w.person()
		door, yard, theirs := w.camera(zoe), w.camera(zoe), w.camera(other)
		w.consent(t, zoe, door)
		subject := id.SubjectOf(zoe)
		for name, c := range map[string]struct {
			right Right
			ends  []string
		}{
			"recording of a camera": {Right{Subject: subject, Binding: door, Purpose: passport.Recording}, []string{"records door", "reads door on phone", "exports all on laptop"}},
			"a camera":              {Right{Subject: subject, Binding: door}, []string{"records door", "reads door on phone", "pulls door", "watches door on phone", "exports all on laptop"}},
			"a session":             {Right{Subject: subject, Session: phone}, []string{"reads door on phone", "watches door on phone", "watches yard on phone"}},
			"a person": {Right{Subject: subject}, []string{"records door", "reads door on phone", "pulls door", "watches door on phone",
				"watches yard on phone", "watches yard on laptop", "exports all on laptop"}},
			"somebody else": {Right{Subject: id.Make[id.Subject]()}, nil},
		} {
			t.Run(name, func(t *testing.T) {
				leases := map[string]*permit.Lease{
					"records door":           must(t, g, Request{Actor: permit.System(Recorder), Action: permit.CameraRecord, Account: zoe, Binding: door}),
					"pulls door":             must(t, g, Request{Actor: permit.System(Ingest), Action: permit.CameraPull, Account: zoe, Binding: door}),
					"reads door on phone":    must(t, g, Request{Actor: permit.Person(zoe, phone), Action: permit.FootageRead, Account: zoe, Binding: door}),
					"watches door on phone":  must(t, g, Request{Actor: permit.Person(zoe, phone), Action: permit.CameraWatch, Account: zoe, Binding: door}),
					"watches yard on phone":  must(t, g, Request{Actor: permit.Person(zoe, phone), Action: permit.CameraWatch, Account: zoe, Binding: yard}),
					"watches yard on laptop": must(t, g, Request{Actor: permit.Person(zoe, laptop), Action: permit.CameraWatch, Account: zoe, Binding: yard}),
					"exports all on laptop":  must(t, g, Request{Actor: permit.Person(zoe, laptop), Action: permit.PrivacyExport, Account: zoe}),
					"erases":                 must(t, g, Request{Actor: permit.System(Rights), Action: permit.CameraErase, Account: zoe, Binding: door}),
					"another watches":        must(t, g, Request{Actor: permit.Person(other, otherIn), Action: permit.CameraWatch, Account: other, Binding: theirs}),
				}
				c.right.Tenant = id.DefaultTenant
				gone, cancel := context.WithCancel(context.Background())
				cancel() // whoever asked has left: the right ends all the same
				if err := g.Revoke(gone, c.right); err != nil {
					t.Fatal(err)
				}
				should := map[string]bool{}
				for _, e := range c.ends {
					should[e] = true
				}
				for name, l := range leases {
					if ended := l.State() == permit.Ended; ended != should[name] {
						t.Errorf("%s: ended %v, want %v", name, ended, should[name])
					}
					if should[name] && (l.Context().Err() == nil || l.Permit() != (permit.Permit{}) || !errors.Is(context.Cause(l.Context()), ErrRevoked)) {
						t.Errorf("%s still gives something", name)
					}
					l.End(nil)
				}
				if n := g.Leases(); n != 0 {
					t.Errorf("%d leases left in the register", n)
				}
			})
		}
	})
}

func TestRevocationsAreForgottenAfterADay(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		g, w := started(t, db)
		zoe, _ := w.person()
		if err := g.Revoke(context.Background(), Right{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe)}); err != nil {
			t.Fatal(err)
		}
		c := g.Clock.(*clock.Virtual)
		rows := func() (n int) {
			if err := g.DB.Write.NewRaw("SELECT count(*) FROM gate_revocation").Scan(context.Background(), &n); err != nil {
				t.Fatal(err)
			}
			return n
		}
		g.tidy(context.Background())
		if rows() != 1 {
			t.Error("a fresh revocation is forgotten")
		}
		c.Advance(keepRevocations + time.Second)
		g.tidy(context.Background())
		if n := rows(); n != 0 {
			t.Errorf("%d revocations are kept longer than their passport says, though nobody revokes anything", n)
		}
	})
}

// However a lease and a revocation meet, no lease is open after both have returned.
func TestLeaseGrantedDuringRevokeEnds(t *testing.T) {
	promise.Proves(t, "P278")
	g, w := started(t, sqlite(t))
	zoe, _ := w.person()
	for range 300 {
		door := w.camera(zoe)
		w.consent(t, zoe, door)
		right := Right{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe), Binding: door, Purpose: passport.Recording}
		var wg sync.WaitGroup
		leases := make([]*permit.Lease, 3)
		for i := range leases {
			wg.Go(func() {
				leases[i], _ = g.Lease(context.Background(), Request{Tenant: id.DefaultTenant, Actor: permit.System(Recorder), Action: permit.CameraRecord, Account: zoe, Binding: door})
			})
		}
		wg.Go(func() {
			w.withdraw(zoe, door)
			if err := g.Revoke(context.Background(), right); err != nil {
				t.Error(err)
			}
		})
		wg.Wait()
		for _, l := range leases {
			if l != nil && l.State() != permit.Ended {
				t.Fatal("a lease outlived its consent")
			}
		}
	}
}

// The decision has read the consent, then it is withdrawn and revoked, then the lease is made.
func TestRevokeInsideADecision(t *testing.T) {
	g, w := started(t, sqlite(t))
	zoe, _ := w.person()
	door := w.camera(zoe)
	w.consent(t, zoe, door)
	w.do(func() {
		w.asked = func() {
			w.withdraw(zoe, door)
			if err := g.Revoke(context.Background(), Right{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe), Binding: door}); err != nil {
				t.Error(err)
			}
		}
	})
	l, err := g.Lease(context.Background(), Request{Tenant: id.DefaultTenant, Actor: permit.System(Recorder), Action: permit.CameraRecord, Account: zoe, Binding: door})
	if l != nil || code(err) != "not_found" {
		t.Errorf("lease %v, %v", l, err)
	}
}

func TestLeaseEndsWithWhatHoldsIt(t *testing.T) {
	g, w := started(t, sqlite(t))
	zoe, in := w.person()
	ctx, cancel := context.WithCancel(context.Background())
	l, err := g.Lease(ctx, Request{Tenant: id.DefaultTenant, Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: w.camera(zoe)})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	eventually(t, "the lease ends", func() bool { return l.State() == permit.Ended && g.Leases() == 0 })
}

func TestOtherNodesHear(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w, b, still := newWorld(), startBus(t), clock.NewVirtual(time.Now())
		here, there := node(t, w, db, b, still), node(t, w, db, b, still)
		run(t, here)
		run(t, there)
		zoe, in := w.person()
		door, yard := w.camera(zoe), w.camera(zoe)
		watch := must(t, there, Request{Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: door})
		stays := must(t, there, Request{Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: yard})
		if err := here.Revoke(context.Background(), Right{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe), Binding: door}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the other node ends it", func() bool { return watch.State() == permit.Ended })
		// The message gets lost, the heartbeat tells.
		if _, err := here.write(context.Background(), Right{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe), Binding: yard}); err != nil {
			t.Fatal(err)
		}
		if err := here.catchUp(context.Background()); err != nil {
			t.Fatal(err)
		}
		here.beat()
		eventually(t, "the other node notices from a heartbeat", func() bool { return stays.State() == permit.Ended })
	})
}

// Nothing is heard: leases pause. The bus is back: what was revoked meanwhile ends, the rest resumes.
func TestSilencePausesAndResumes(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w, now := newWorld(), clock.NewVirtual(time.Now())
		g := node(t, w, db, startBus(t), now)
		// Not started: the test is the loop, so that the time between two beats is its own.
		g.running, g.heard = true, now.Now()
		zoe, in := w.person()
		door, yard, shed := w.camera(zoe), w.camera(zoe), w.camera(zoe)
		watch := func(b id.Binding) *permit.Lease {
			return must(t, g, Request{Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: b})
		}
		revoked, forgotten, stays := watch(door), watch(yard), watch(shed)
		beat := func() { g.hearBeat(context.Background(), g.Bus.Say(Beat, id.Tenant{}, id.Row{})) }

		now.Advance(deafAfter - time.Millisecond)
		g.watch(context.Background())
		if stays.State() != permit.Open {
			t.Fatal("paused too early")
		}
		now.Advance(time.Millisecond)
		g.watch(context.Background())
		if stays.State() != permit.Paused || stays.Permit() != (permit.Permit{}) {
			t.Fatal("not paused after 750 ms of silence")
		}
		if l, err := g.Lease(t.Context(), Request{Tenant: id.DefaultTenant, Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: shed}); code(err) != "gate.paused" {
			t.Errorf("a paused gate gave %v, %v", l, err)
		}
		// Another node revokes one; of another only the state changed.
		if _, err := g.write(context.Background(), Right{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe), Binding: door}); err != nil {
			t.Fatal(err)
		}
		w.do(func() { delete(w.owners, yard) })
		w.do(func() { w.err = errors.New("database away") })
		beat()
		if stays.State() != permit.Paused || forgotten.State() == permit.Open {
			t.Fatal("resumed without knowing")
		}
		w.do(func() { w.err = nil })
		beat()
		if revoked.State() != permit.Ended || forgotten.State() != permit.Ended || stays.State() != permit.Open {
			t.Errorf("after the pause: revoked %v, released %v, kept %v", revoked.State(), forgotten.State(), stays.State())
		}
	})
}

// The gate's own loops, on the real clock: a paused gate that hears itself again resumes.
func TestHeartbeatsResume(t *testing.T) {
	w := newWorld()
	g := node(t, w, sqlite(t), startBus(t), clock.Wall)
	run(t, g)
	zoe, in := w.person()
	r := Request{Tenant: id.DefaultTenant, Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: w.camera(zoe)}
	var l *permit.Lease
	eventually(t, "a lease", func() (ok bool) { l, _ = g.Lease(context.Background(), r); return l != nil })
	g.pause()
	eventually(t, "it is open again", func() bool { return l.State() == permit.Open })
}

// Catching up while others' rights are being revoked ends nothing but those.
func TestCatchingUpEndsNothingElse(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		g, w := started(t, db)
		zoe, in := w.person()
		l := must(t, g, Request{Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: w.camera(zoe)})
		var wg sync.WaitGroup
		wg.Go(func() {
			for range 100 {
				if err := g.Revoke(context.Background(), Right{Tenant: id.DefaultTenant, Subject: id.Make[id.Subject]()}); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Go(func() {
			for range 200 {
				if err := g.catchUp(context.Background()); err != nil {
					t.Error(err)
				}
			}
		})
		wg.Wait()
		if l.State() != permit.Open {
			t.Error("a lease ended that nobody revoked")
		}
	})
}

func TestDroppedRevocationsEndEverything(t *testing.T) {
	g, w := started(t, sqlite(t))
	zoe, in := w.person()
	l := must(t, g, Request{Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: w.camera(zoe)})
	if _, err := g.DB.Write.Exec("UPDATE gate_counter SET value = value + 5"); err != nil {
		t.Fatal(err)
	}
	if err := g.catchUp(context.Background()); err != nil {
		t.Fatal(err)
	}
	if l.State() != permit.Ended {
		t.Error("a lease stays although nobody knows what was revoked")
	}
}

// A revocation that cannot be written ends this node's leases all the same, and says so.
func TestRevokeWithoutADatabase(t *testing.T) {
	g, w := started(t, sqlite(t))
	zoe, in := w.person()
	l := must(t, g, Request{Actor: permit.Person(zoe, in), Action: permit.CameraWatch, Account: zoe, Binding: w.camera(zoe)})
	if _, err := g.DB.Write.Exec("DROP TABLE gate_revocation"); err != nil {
		t.Fatal(err)
	}
	if err := g.Revoke(context.Background(), Right{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe)}); err == nil {
		t.Error("no error")
	}
	if l.State() != permit.Ended {
		t.Error("the lease goes on")
	}
	if err := g.Revoke(context.Background(), Right{Subject: id.SubjectOf(zoe)}); err == nil {
		t.Error("a right without a tenant was revoked")
	}
}
