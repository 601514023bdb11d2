package app

import (
	"bytes"
	"encoding/json"
	"image"
	"image/jpeg"
	"net/http"
	"testing"

	"candor/internal/alarm"
	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
)

// agreeAbout answers a question about one camera.
func (p *person) agreeAbout(camera, purpose, state string) {
	p.t.Helper()
	var all []struct{ ID, Hash string }
	p.call("GET", "/purposes", nil, &all)
	for _, one := range all {
		if one.ID == purpose {
			p.call("PUT", "/cameras/"+camera+"/consents/"+purpose, map[string]any{"state": state, "text_hash": one.Hash}, nil)
			return
		}
	}
	p.t.Fatalf("no purpose called %s", purpose)
}

// A message with a picture carries a ticket and no picture. The ticket gives the picture to the person it
// was made for, once and for ten minutes.
func TestAPictureTicketFromMessageToPicture(t *testing.T) {
	t.Parallel()
	w, service := pushed(t)
	p := w.visitor(t)
	p.setUp(t, anna, "refused")
	desk := w.visitor(t) // the same person at another browser
	desk.signIn(t, anna)
	stranger := w.join(t, identity{"Tilo Tanne", "tilo@house.example", "a silver handcart 17"})
	p.agree("push", "given")
	for _, browser := range []*person{p, desk} {
		if a := browser.subscribe(service.Subscribe(p.alerts().PushKey)); a.status != http.StatusOK {
			t.Fatalf("subscribing: %d %s", a.status, a.body)
		}
	}
	p.agreeAbout(p.camera, "motion", "given")
	p.call("PATCH", "/cameras/"+p.camera+"/motion", map[string]any{"on": false}, nil) // from here on the test looks
	p.call("PUT", "/cameras/"+p.camera+"/alerts", map[string]any{"kind": "motion", "app": true, "push": true, "mail": false, "pictures": true}, nil)
	p.agreeAbout(p.camera, "message_picture", "given")

	b, err := id.Read[id.Binding](p.camera)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "switched off", func() bool { return !w.station.Watching(b) })
	lease, err := w.gate.Lease(t.Context(), gate.Request{Tenant: w.tenant, Actor: permit.System(gate.Motion), Action: permit.CameraMotion, Account: p.account, Binding: b})
	if err != nil {
		t.Fatal(err)
	}
	defer lease.End(nil)
	watch, err := w.alarms.Watch(lease, alarm.Camera{Tenant: w.tenant, Subject: id.SubjectOf(p.account), Binding: b})
	if err != nil {
		t.Fatal(err)
	}
	var shot bytes.Buffer
	if err := jpeg.Encode(&shot, image.NewGray(image.Rect(0, 0, 64, 36)), nil); err != nil {
		t.Fatal(err)
	}
	at := clock.At(w.house.clock.Now())
	if err := watch.Begin(alarm.Report{Kind: alarm.Motion, Start: at, At: at, Score: 30, Picture: shot.Bytes(), Shown: at}); err != nil {
		t.Fatal(err)
	}

	var tickets []string
	for _, m := range service.Wait(2) { // one for each browser
		var said struct {
			Notification struct{ Data struct{ Ticket string } }
		}
		if err := json.Unmarshal(m.Payload, &said); err != nil {
			t.Fatal(err)
		}
		if said.Notification.Data.Ticket == "" || bytes.Contains(m.Payload, []byte("image/jpeg")) {
			t.Fatalf("the message: %s", m.Payload)
		}
		tickets = append(tickets, said.Notification.Data.Ticket)
	}
	if tickets[0] == tickets[1] {
		t.Error("two browsers have the same ticket")
	}
	path := "/tickets/" + tickets[0]
	stranger.refused("GET", path, nil, http.StatusNotFound, "not_found")
	w.visitor(t).refused("GET", path, nil, http.StatusUnauthorized, "session.needed")
	if a := p.do("GET", path, nil); a.status != http.StatusOK || !bytes.Equal(a.body, shot.Bytes()) {
		t.Fatalf("the picture: %d, %d bytes", a.status, len(a.body))
	}
	p.refused("GET", path, nil, http.StatusGone, "ticket.over")
	desk.refused("GET", path, nil, http.StatusGone, "ticket.over")
	stranger.refused("GET", path, nil, http.StatusNotFound, "not_found")

	// Ten minutes pass for the other.
	if _, err := w.db.Write.NewRaw("UPDATE notify_ticket SET ends_ms = ends_ms - 600000").Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.refused("GET", "/tickets/"+tickets[1], nil, http.StatusGone, "ticket.over")
	stranger.refused("GET", "/tickets/"+tickets[1], nil, http.StatusNotFound, "not_found")
}
