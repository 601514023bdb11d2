package gate

import (
	"context"
	"errors"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
)

// Who may be told of a camera, without anybody being signed in.
func TestWhoIsTold(t *testing.T) {
	g, w := started(t, sqlite(t))
	zoe, _ := w.person()
	ana, _ := w.person()
	ben, _ := w.person()
	mallory, _ := w.person()
	door, yard := w.camera(zoe), w.camera(zoe)
	w.share(ana, door, Share{}, permit.See, permit.Alarms)
	w.share(ben, door, Share{}, permit.See, permit.LiveView)
	ask := func(who id.Account, b id.Binding, want string) {
		t.Helper()
		p, err := g.Told(context.Background(), id.DefaultTenant, who, b)
		grant, given := p.Grant()
		if code(err) != want || given != (want == "ok") {
			t.Errorf("got %v, %v, want %s", grant, err, want)
		}
		if given && (grant.Subject != id.SubjectOf(zoe) || grant.Binding != b || p.Opens(id.DefaultTenant, id.SubjectOf(zoe), b, passport.DeviceData, g.Clock.Now()) != nil ||
			p.Opens(id.DefaultTenant, id.SubjectOf(zoe), b, passport.Event, g.Clock.Now()) == nil) {
			t.Errorf("it opens %+v", grant)
		}
	}
	ask(zoe, door, "ok")
	ask(ana, door, "ok")
	ask(ana, yard, "not_found")
	ask(ben, door, "share.not_included")
	ask(mallory, door, "not_found")
	ask(id.Account{}, door, "not_found")
	ask(zoe, id.Binding{}, "not_found")
	ask(zoe, id.Make[id.Binding](), "not_found")

	until := g.Clock.Now().Add(time.Minute)
	w.share(ana, yard, Share{Until: clock.At(until)}, permit.Alarms)
	ask(ana, yard, "ok")
	g.Clock.(*clock.Virtual).Advance(time.Minute)
	ask(ana, yard, "share.not_included")

	w.do(func() { w.open[ana] = false })
	ask(ana, door, "not_found")
	w.do(func() { w.err = errors.New("database away") })
	ask(zoe, door, "gate.unsure")
	w.do(func() { w.err = nil; w.open[zoe] = false })
	ask(zoe, door, "not_found")
}

// Pushing rests on the consent of who is told, pictures on that of the camera's owner.
func TestWhatMessagesRestOn(t *testing.T) {
	g, w := started(t, sqlite(t))
	zoe, in := w.person()
	door := w.camera(zoe)
	as := permit.System(Notify)
	ask := func(r Request) string {
		r.Tenant, r.Account = id.DefaultTenant, zoe
		_, err := g.Permit(context.Background(), r)
		return code(err)
	}
	for name, c := range map[string]struct {
		r    Request
		want string
	}{
		"push without consent":            {Request{Actor: as, Action: permit.PushSend}, "consent.needed"},
		"a picture without consent":       {Request{Actor: as, Action: permit.AlertPicture, Binding: door}, "consent.needed"},
		"what is kept for them":           {Request{Actor: as, Action: permit.AlertSend}, "ok"},
		"their own page":                  {Request{Actor: permit.Person(zoe, in), Action: permit.AlertRead}, "ok"},
		"choosing for their own camera":   {Request{Actor: permit.Person(zoe, in), Action: permit.AlertChoose, Binding: door}, "ok"},
		"a person pushes":                 {Request{Actor: permit.Person(zoe, in), Action: permit.PushSend}, "not_found"},
		"another part of the system":      {Request{Actor: permit.System(Recorder), Action: permit.AlertSend}, "not_found"},
		"the name, asked for by a person": {Request{Actor: permit.Person(zoe, in), Action: permit.AlertName, Binding: door}, "not_found"},
	} {
		if got := ask(c.r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
