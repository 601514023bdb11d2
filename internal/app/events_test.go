package app

import (
	"bufio"
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"candor/internal/alarm"
	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
)

// noticedEvent is an event as the API shows it.
type noticedEvent struct {
	ID       string
	Camera   string `json:"camera_id"`
	Kind     string
	State    string
	Start    time.Time
	PlayFrom *time.Time `json:"play_from"`
	Seen     bool
	Picture  bool
}

// noticed lists a person's events.
func (p *person) noticed(query string) []noticedEvent {
	p.t.Helper()
	var page struct{ Events []noticedEvent }
	p.call("GET", "/events/history"+query, nil, &page)
	return page.Events
}

// has reports whether an event is among some.
func has(all []noticedEvent, e string) (noticedEvent, bool) {
	for _, one := range all {
		if one.ID == e {
			return one, true
		}
	}
	return noticedEvent{}, false
}

// say decides about movement.
func (p *person) sayMotion(camera, state string) *receipt {
	p.t.Helper()
	hash := ""
	var all []struct{ ID, Hash string }
	p.call("GET", "/purposes", nil, &all)
	for _, one := range all {
		if one.ID == "motion" {
			hash = one.Hash
		}
	}
	var out struct{ Receipt *receipt }
	p.call("PUT", "/cameras/"+camera+"/consents/motion", map[string]any{"state": state, "text_hash": hash}, &out)
	return out.Receipt
}

// TestAnEventFromNoticingToWithdrawing goes the whole way through the house: no consent, no lease; an event is told,
// listed, shown and marked; somebody else sees none of it; taking it back destroys it.
func TestAnEventFromNoticingToWithdrawing(t *testing.T) {
	w, _ := share(t)
	p := w.join(t, identity{"Edda Event", "edda@house.example", "a lilac scooter 63"})
	other := w.join(t, identity{"Otto Other", "otto@house.example", "a brown handcart 58"})
	c := p.add(map[string]any{"demo": true, "recording": "given"})
	p.recorded(c.ID, time.Second)
	binding, err := id.Read[id.Binding](c.ID)
	if err != nil {
		t.Fatal(err)
	}
	ask := gate.Request{Tenant: id.DefaultTenant, Actor: permit.System(gate.Motion), Action: permit.CameraMotion, Account: p.account, Binding: binding}
	if l, err := w.gate.Lease(t.Context(), ask); err == nil {
		l.End(nil)
		t.Fatal("a camera may be looked at though nobody agreed")
	}
	var set struct {
		On      bool
		Actual  bool
		Consent string
	}
	p.call("GET", "/cameras/"+c.ID+"/motion", nil, &set)
	if set.Actual || set.Consent != "none" {
		t.Fatalf("before anybody agreed: %+v", set)
	}
	p.sayMotion(c.ID, "given")
	eventually(t, "the camera is looked at", func() bool {
		p.call("GET", "/cameras/"+c.ID+"/motion", nil, &set)
		return set.Actual
	})
	p.call("PATCH", "/cameras/"+c.ID+"/motion", map[string]any{"on": false}, nil) // from here on the test looks
	eventually(t, "switched off", func() bool { return !w.station.Watching(binding) })

	lease, err := w.gate.Lease(t.Context(), ask)
	if err != nil {
		t.Fatal(err)
	}
	defer lease.End(nil)
	watch, err := w.alarms.Watch(lease, alarm.Camera{Tenant: id.DefaultTenant, Subject: id.SubjectOf(p.account), Binding: binding})
	if err != nil {
		t.Fatal(err)
	}
	news := p.listens(t)
	theirs := other.listens(t)
	var shot bytes.Buffer
	if err := jpeg.Encode(&shot, image.NewGray(image.Rect(0, 0, 64, 36)), nil); err != nil {
		t.Fatal(err)
	}
	at := clock.At(w.house.clock.Now())
	if err := watch.Begin(alarm.Report{Kind: alarm.Motion, Start: at, At: at, Score: 30, Picture: shot.Bytes(), Shown: at}); err != nil {
		t.Fatal(err)
	}
	told := news("event.opened")
	if !strings.Contains(told, c.ID) || strings.Contains(told, "start") {
		t.Errorf("told: %s", told)
	}
	if err := watch.End(at + 3000); err != nil {
		t.Fatal(err)
	}
	news("event.closed")
	got := p.noticed("?camera=" + c.ID)
	if len(got) == 0 {
		t.Fatal("no event is listed")
	}
	e := got[0]
	for _, one := range got { // what the camera itself was noticed to do before may be there, too
		if one.Start.Equal(at.Time()) {
			e = one
		}
	}
	if e.Camera != c.ID || e.Kind != "motion" || e.State != "over" || !e.Start.Equal(at.Time()) || e.Seen || !e.Picture || e.PlayFrom == nil || !e.PlayFrom.Equal(at.Time().Add(-5*time.Second)) {
		t.Errorf("listed: %+v", e)
	}
	if a := p.do("GET", "/cameras/"+c.ID+"/events/"+e.ID+"/picture.jpg", nil); a.status != http.StatusOK || !bytes.Equal(a.body, shot.Bytes()) {
		t.Errorf("picture: %d, %d bytes", a.status, len(a.body))
	}
	var day struct{ Events []noticedEvent }
	q := url.Values{"from": {at.Time().Add(-time.Minute).Format(time.RFC3339Nano)}, "to": {at.Time().Add(time.Minute).Format(time.RFC3339Nano)}}
	p.call("GET", "/cameras/"+c.ID+"/events?"+q.Encode(), nil, &day)
	if _, ok := has(day.Events, e.ID); !ok {
		t.Errorf("on the timeline: %+v", day.Events)
	}

	// Somebody else has nothing of it, whatever they ask.
	for _, path := range []string{"", "/picture.jpg"} {
		other.refused("GET", "/cameras/"+c.ID+"/events/"+e.ID+path, nil, http.StatusNotFound, "not_found")
	}
	other.call("POST", "/events/seen", map[string]any{"events": []string{e.ID}, "seen": true}, nil)
	if all := other.noticed(""); len(all) != 0 {
		t.Errorf("somebody else sees %+v", all)
	}
	if one, _ := has(p.noticed(""), e.ID); one.Seen {
		t.Error("somebody else has marked the event")
	}
	p.call("POST", "/events/seen", map[string]any{"events": []string{e.ID}, "seen": true}, nil)
	if one, _ := has(p.noticed(""), e.ID); !one.Seen {
		t.Error("what was marked is not seen")
	}
	if _, ok := has(p.noticed("?seen=false"), e.ID); ok {
		t.Error("what was seen is among what was not")
	}

	gone := p.sayMotion(c.ID, "withdrawn")
	if gone == nil || gone.KeysDestroyed == 0 {
		t.Errorf("the receipt: %+v", gone)
	}
	<-lease.Context().Done()
	if err := watch.Begin(alarm.Report{Kind: alarm.Motion, Start: at + 9000, At: at + 9000}); err == nil {
		t.Error("an event after the withdrawal")
	}
	if all := p.noticed(""); len(all) != 0 {
		t.Errorf("after the withdrawal: %+v", all)
	}
	if a := p.do("GET", "/cameras/"+c.ID+"/events/"+e.ID+"/picture.jpg", nil); a.status == http.StatusOK {
		t.Error("the picture opens after the withdrawal")
	}
	if heard := theirs(""); strings.Contains(heard, "event.opened") || strings.Contains(heard, c.ID) {
		t.Errorf("somebody else was told: %s", heard)
	}
}

// listens opens a person's feed. The function it returns waits for something of a kind and gives its data, or, for
// no kind, gives all that has come so far.
func (p *person) listens(t *testing.T) func(kind string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Second)
	req, _ := http.NewRequestWithContext(ctx, "GET", p.world.base+"/api/v1/events", nil)
	res, err := p.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 256)
	ended := make(chan struct{})
	t.Cleanup(func() { cancel(); res.Body.Close(); <-ended })
	go func() {
		defer close(ended)
		in := bufio.NewScanner(res.Body)
		for in.Scan() {
			select {
			case lines <- in.Text():
			case <-ctx.Done():
				return
			}
		}
	}()
	if first := <-lines; !strings.HasPrefix(first, ":") {
		t.Fatalf("the feed begins with %q", first)
	}
	return func(kind string) string {
		t.Helper()
		if kind == "" {
			var all []string
			for {
				select {
				case l := <-lines:
					all = append(all, l)
				default:
					return strings.Join(all, "\n")
				}
			}
		}
		for {
			select {
			case l := <-lines:
				if l == "event: "+kind {
					return <-lines
				}
			case <-ctx.Done():
				t.Fatalf("never told: %s", kind)
				return ""
			}
		}
	}
}
