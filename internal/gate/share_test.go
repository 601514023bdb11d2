package gate

import (
	"context"
	"errors"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
)

// What an owner shares opens to whom it was given to, and nothing else does.
func TestSharesOpenWhatTheyName(t *testing.T) {
	g, w := started(t, sqlite(t))
	zoe, zoeIn := w.person()
	ana, anaIn := w.person()
	mallory, malloryIn := w.person()
	door, yard := w.camera(zoe), w.camera(zoe)
	w.consent(t, zoe, door)
	guest := w.share(ana, door, Share{}, permit.LiveView)
	link := w.share(id.Account{}, door, Share{From: 1000, To: 2000}, permit.Playback)
	member, stranger := permit.Person(ana, anaIn), permit.Person(mallory, malloryIn)
	for name, c := range map[string]struct {
		r     Request
		want  string
		share id.Share
	}{
		"owner, found by the camera":      {Request{Actor: permit.Person(zoe, zoeIn), Action: permit.CameraWatch, Binding: door}, "ok", id.Share{}},
		"member watches":                  {Request{Actor: member, Action: permit.CameraWatch, Binding: door}, "ok", guest},
		"member sees that it is there":    {Request{Actor: member, Action: permit.CameraRead, Binding: door}, "ok", guest},
		"member plays footage":            {Request{Actor: member, Action: permit.FootageRead, Binding: door}, "share.not_included", id.Share{}},
		"member changes it":               {Request{Actor: member, Action: permit.CameraChange, Binding: door}, "share.owner_only", id.Share{}},
		"member deletes it":               {Request{Actor: member, Action: permit.CameraErase, Binding: door}, "share.owner_only", id.Share{}},
		"member decides for the owner":    {Request{Actor: member, Action: permit.ConsentChange, Binding: door}, "share.owner_only", id.Share{}},
		"member opens another camera":     {Request{Actor: member, Action: permit.CameraWatch, Binding: yard}, "not_found", id.Share{}},
		"member reads the account":        {Request{Actor: member, Action: permit.AccountRead, Account: zoe}, "not_found", id.Share{}},
		"member without a session":        {Request{Actor: permit.Person(ana, id.Session{}), Action: permit.CameraWatch, Binding: door}, "not_found", id.Share{}},
		"member in another's session":     {Request{Actor: permit.Person(ana, malloryIn), Action: permit.CameraWatch, Binding: door}, "session.ended", id.Share{}},
		"stranger watches":                {Request{Actor: stranger, Action: permit.CameraWatch, Binding: door}, "not_found", id.Share{}},
		"stranger changes it":             {Request{Actor: stranger, Action: permit.CameraChange, Binding: door}, "not_found", id.Share{}},
		"no such camera":                  {Request{Actor: member, Action: permit.CameraWatch, Binding: id.Make[id.Binding]()}, "not_found", id.Share{}},
		"link plays":                      {Request{Actor: permit.Visitor(link), Action: permit.FootageRead, Binding: door}, "ok", link},
		"link watches":                    {Request{Actor: permit.Visitor(link), Action: permit.CameraWatch, Binding: door}, "share.not_included", id.Share{}},
		"link changes":                    {Request{Actor: permit.Visitor(link), Action: permit.CameraChange, Binding: door}, "share.owner_only", id.Share{}},
		"link opens another camera":       {Request{Actor: permit.Visitor(link), Action: permit.FootageRead, Binding: yard}, "not_found", id.Share{}},
		"some other link":                 {Request{Actor: permit.Visitor(id.Make[id.Share]()), Action: permit.FootageRead, Binding: door}, "not_found", id.Share{}},
		"member and link at once":         {Request{Actor: permit.Actor{Account: ana, Session: anaIn, Link: link}, Action: permit.FootageRead, Binding: door}, "not_found", id.Share{}},
		"link and part of the system":     {Request{Actor: permit.Actor{System: Recorder, Link: link}, Action: permit.CameraRecord, Binding: door}, "not_found", id.Share{}},
		"link with a session":             {Request{Actor: permit.Actor{Session: anaIn, Link: link}, Action: permit.FootageRead, Binding: door}, "not_found", id.Share{}},
		"link for everything of somebody": {Request{Actor: permit.Visitor(link), Action: permit.PrivacyExport, Account: zoe}, "not_found", id.Share{}},
	} {
		t.Run(name, func(t *testing.T) {
			c.r.Tenant = id.DefaultTenant
			p, err := g.Permit(context.Background(), c.r)
			if code(err) != c.want {
				t.Errorf("Permit: %v, want %s", err, c.want)
			}
			grant, _ := p.Grant()
			if grant.Share != c.share || c.want == "ok" && grant.Subject != id.SubjectOf(zoe) {
				t.Errorf("grant %+v rests on %v, want %v", grant, grant.Share, c.share)
			}
			if c.share == link && (grant.From != 1000 || grant.To != 2000) {
				t.Errorf("window %d to %d", grant.From, grant.To)
			}
			l, err := g.Lease(t.Context(), c.r)
			if code(err) != c.want || (l != nil) != (c.want == "ok") {
				t.Errorf("Lease: %v, %v, want %s", l, err, c.want)
			}
		})
	}
	for _, r := range w.records {
		if r.Subject != id.SubjectOf(zoe) {
			t.Errorf("access by %+v is on record with %v", r.Actor, r.Subject)
		}
	}
}

// A share ends by its hour, its revocation, its holder's sign-out and its holder's goodbye.
func TestSharesEnd(t *testing.T) {
	for name, end := range map[string]func(t *testing.T, g *Gate, w *world, share id.Share, member permit.Actor){
		"its hour comes": func(_ *testing.T, g *Gate, _ *world, _ id.Share, _ permit.Actor) {
			g.Clock.(*clock.Virtual).Advance(time.Hour)
		},
		"it is revoked": func(t *testing.T, g *Gate, w *world, s id.Share, _ permit.Actor) {
			w.do(func() { clear(w.shares) })
			revoked(t, g, Right{Share: s})
		},
		"its holder signs out": func(t *testing.T, g *Gate, w *world, _ id.Share, m permit.Actor) {
			w.do(func() { delete(w.sessions, m.Session) })
			revoked(t, g, Right{Session: m.Session})
		},
		"its holder leaves": func(t *testing.T, g *Gate, w *world, _ id.Share, m permit.Actor) {
			w.do(func() { w.open[m.Account] = false })
			revoked(t, g, Right{Actor: m.Account})
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, w := started(t, sqlite(t))
			zoe, zoeIn := w.person()
			ana, anaIn := w.person()
			door := w.camera(zoe)
			share := w.share(ana, door, Share{Until: clock.At(g.Clock.Now().Add(time.Hour))}, permit.LiveView)
			watch := Request{Tenant: id.DefaultTenant, Action: permit.CameraWatch, Binding: door}
			mine, theirs := watch, watch
			mine.Actor, theirs.Actor = permit.Person(zoe, zoeIn), permit.Person(ana, anaIn)
			own, err := g.Lease(t.Context(), mine)
			if err != nil {
				t.Fatal(err)
			}
			l, err := g.Lease(t.Context(), theirs)
			if err != nil {
				t.Fatal(err)
			}
			end(t, g, w, share, theirs.Actor)
			eventually(t, "the member's lease ends", func() bool { return l.State() == permit.Ended })
			if own.State() == permit.Ended {
				t.Error("the owner's lease ended too")
			}
			if again, err := g.Lease(t.Context(), theirs); err == nil {
				t.Errorf("and was given anew: %v", again.Grant())
			}
		})
	}
}

func revoked(t *testing.T, g *Gate, r Right) {
	t.Helper()
	r.Tenant = id.DefaultTenant
	if err := g.Revoke(context.Background(), r); err != nil {
		t.Fatal(err)
	}
}

// What the room of shares cannot tell is denied.
func TestTroubleWithSharesDenies(t *testing.T) {
	g, w := started(t, sqlite(t))
	zoe, _ := w.person()
	ana, anaIn := w.person()
	door := w.camera(zoe)
	w.share(ana, door, Share{}, permit.LiveView)
	w.do(func() { w.err = errors.New("database away") })
	r := Request{Tenant: id.DefaultTenant, Actor: permit.Person(ana, anaIn), Action: permit.CameraWatch, Binding: door}
	if _, err := g.Permit(context.Background(), r); code(err) != "gate.unsure" {
		t.Errorf("got %v", err)
	}
	if l, err := g.Lease(t.Context(), r); code(err) != "gate.unsure" || l != nil {
		t.Errorf("got %v, %v", l, err)
	}
}
