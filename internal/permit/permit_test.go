package permit_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/promise"
)

var (
	now    = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ann    = id.Make[id.Subject]()
	door   = id.Make[id.Binding]()
	tenant = id.DefaultTenant
)

func grant() permit.Grant {
	return permit.Grant{
		Tenant: tenant, Subject: ann, Binding: door, Action: permit.FootageRead, Purpose: passport.Recording,
		Categories: []passport.Category{passport.Footage}, Expires: now.Add(time.Minute),
	}
}

func TestAPermitOpensWhatItSaysAndNothingElse(t *testing.T) {
	promise.Proves(t, "P242")
	p := permit.NewIssuer(clock.NewVirtual(now)).Permit(grant())
	for _, c := range []struct {
		name     string
		tenant   id.Tenant
		subject  id.Subject
		binding  id.Binding
		category passport.Category
		at       time.Time
		want     error
	}{
		{"what it says", tenant, ann, door, passport.Footage, now, nil},
		{"a value of no camera", tenant, ann, id.Binding{}, passport.Footage, now, nil},
		{"another tenant", id.Make[id.Tenant](), ann, door, passport.Footage, now, permit.ErrOther},
		{"another person", tenant, id.Make[id.Subject](), door, passport.Footage, now, permit.ErrOther},
		{"nobody", tenant, id.Subject{}, door, passport.Footage, now, permit.ErrOther},
		{"another camera", tenant, ann, id.Make[id.Binding](), passport.Footage, now, permit.ErrOther},
		{"another category", tenant, ann, door, passport.Identity, now, permit.ErrOther},
		{"the last moment", tenant, ann, door, passport.Footage, now.Add(time.Minute - 1), nil},
		{"when it has expired", tenant, ann, door, passport.Footage, now.Add(time.Minute), permit.ErrExpired},
	} {
		if err := p.Opens(c.tenant, c.subject, c.binding, c.category, c.at); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

func TestTheZeroPermitOpensNothing(t *testing.T) {
	var p permit.Permit
	if err := p.Opens(tenant, ann, door, passport.Footage, now); !errors.Is(err, permit.ErrNone) {
		t.Errorf("zero permit: %v, want %v", err, permit.ErrNone)
	}
	if g, ok := p.Grant(); ok {
		t.Errorf("zero permit grants %+v", g)
	}
}

func TestNobodyWidensAPermitAfterwards(t *testing.T) {
	g := grant()
	p := permit.NewIssuer(clock.NewVirtual(now)).Permit(g)
	g.Categories[0] = passport.Identity // the issuer's caller
	seen, _ := p.Grant()
	seen.Categories[0] = passport.Identity // a reader
	if err := p.Opens(tenant, ann, door, passport.Identity, now); !errors.Is(err, permit.ErrOther) {
		t.Errorf("a changed slice widened the permit: %v", err)
	}
}

func TestALeaseIsOpenPausedOrEnded(t *testing.T) {
	l := permit.NewIssuer(clock.NewVirtual(now)).Lease(context.Background(), grant())
	if err := l.Permit().Opens(tenant, ann, door, passport.Footage, now); err != nil {
		t.Fatalf("open lease: %v", err)
	}
	l.Pause()
	if _, ok := l.Permit().Grant(); ok || l.Context().Err() != nil {
		t.Fatal("a paused lease gives a permit, or has ended its context")
	}
	l.Resume()
	if _, ok := l.Permit().Grant(); !ok {
		t.Fatal("a resumed lease gives no permit")
	}
	ends := 0
	l.OnEnd(func() { ends++ })
	cause := errors.New("withdrawn")
	l.End(cause)
	l.End(errors.New("again"))
	l.Resume()
	l.OnEnd(func() { ends++ }) // too late, so at once
	if _, ok := l.Permit().Grant(); ok || l.State() != permit.Ended || !errors.Is(context.Cause(l.Context()), cause) || ends != 2 {
		t.Fatalf("ended lease: state %v, cause %v, OnEnd called %d times", l.State(), context.Cause(l.Context()), ends)
	}
}

func TestALeaseWhoseParentIsGoneGivesNoPermit(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	l := permit.NewIssuer(clock.NewVirtual(now)).Lease(ctx, grant())
	cancel()
	if _, ok := l.Permit().Grant(); ok {
		t.Fatal("the request is over and its lease still gives permits")
	}
}
