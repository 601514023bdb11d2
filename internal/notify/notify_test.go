package notify

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"candor/internal/id"
	"candor/internal/notify/webpush/pushtest"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

func TestNobodyIsToldBeforeTheyChose(t *testing.T) {
	promise.Proves(t, "P087", "P101", "P100")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		w.refuse("push "+w.zoe.String(), problem.Forbidden("consent.needed"))
		if _, err := w.Subscribe(t.Context(), id.DefaultTenant, w.zoe, id.Make[id.Session](), "", "", w.service.Subscribe("").JSON()); !problem.Is(err, "consent.needed") {
			t.Errorf("a subscription without consent: %v", err)
		}
		// Without push, what happens is in the app all the same.
		w.choose(w.ben, w.door, App, Push)
		w.happen(w.door, 1)
		if len(w.told(w.ben)) != 1 || len(w.log(w.ben)) != 1 || w.log(w.ben)[0].Channel != App || w.service.Tries() != 0 {
			t.Errorf("told %+v, kept %+v", w.told(w.ben), w.log(w.ben))
		}
		if err := w.Choose(t.Context(), id.DefaultTenant, w.ben, Rule{Binding: w.door, Kind: Motion}); err != nil {
			t.Fatal(err)
		}
		w.refuse("push "+w.zoe.String(), nil)
		w.happen(w.door, 3)
		if len(w.told(w.zoe)) != 0 || w.service.Tries() != 0 || len(w.mails) != 0 || len(w.log(w.zoe)) != 0 {
			t.Error("somebody was told who had chosen nothing")
		}
		_, d := w.subscribe(w.zoe)
		w.choose(w.zoe, w.door, App, Push, ByMail)
		w.happen(w.door, 1)
		got := w.service.Wait(1)
		s := w.shown(got[0])
		if s.WebPush != 8030 || s.Notification.Title != "Front door" || s.Notification.Body != "Motion · Front door · 14:32" ||
			s.Notification.Navigate != "https://cameras.example/base/cameras/"+w.door.String()+"?at=2031-05-06T14:32:04.000Z" || s.Notification.Data.Ticket != "" {
			t.Errorf("%s", got[0].Payload)
		}
		if n := w.told(w.zoe); len(n) != 1 || n[0].Count != 1 || n[0].Binding != w.door {
			t.Errorf("the app was told %+v", n)
		}
		if len(w.mails) != 1 || !strings.Contains(w.mails[0].Text, "/cameras/"+w.door.String()+"?at=") || w.mails[0].To != "zoe@house.example" {
			t.Errorf("mails %+v", w.mails)
		}
		if len(w.told(w.ben)) != 1 {
			t.Error("somebody was told who had changed their mind")
		}
		// Withdrawing drops the subscription at once, and what may still be queued goes nowhere.
		if err := w.Withdrawn(t.Context(), id.DefaultTenant, w.zoe); err != nil {
			t.Fatal(err)
		}
		if list, err := w.Devices(t.Context(), w.own(w.zoe), id.DefaultTenant, w.zoe, id.Session{}); err != nil || len(list) != 0 {
			t.Errorf("devices after the withdrawal: %+v, %v", list, err)
		}
		w.pass(2 * time.Minute)
		w.happen(w.door, 1)
		if w.service.Tries() != 1 {
			t.Error("pushed after the withdrawal")
		}
		if err := w.Unsubscribe(t.Context(), id.DefaultTenant, w.zoe, d.ID); !problem.Is(err, "not_found") {
			t.Errorf("forgetting it again: %v", err)
		}
	})
}

// A thousand events are one notification, which is told again with their count.
func TestAFloodIsOneNotification(t *testing.T) {
	promise.Proves(t, "P078")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		w.subscribe(w.zoe)
		w.choose(w.zoe, w.door, Push, ByMail)
		w.choose(w.zoe, w.yard, Push)
		w.happen(w.door, 1)
		for range 10 {
			w.happen(w.door, 100)
		}
		w.happen(w.yard, 1)
		got := w.service.Wait(2)
		if len(got) != 2 || got[0].Topic == got[1].Topic {
			t.Fatalf("%d messages at once", len(got))
		}
		w.pass(time.Minute)
		got = w.service.Wait(3)
		w.pass(5 * time.Minute)
		if again := w.service.Messages(); len(again) != 3 {
			t.Fatalf("%d messages", len(again))
		}
		first, update := w.shown(got[0]), w.shown(got[2])
		if update.Notification.Tag != first.Notification.Tag || got[2].Topic != got[0].Topic || update.Notification.Data.Count != 1001 || !update.Notification.Silent || first.Notification.Silent {
			t.Errorf("first %+v, update %+v", first, update)
		}
		if !strings.Contains(update.Notification.Body, "1001") || strings.Contains(update.Notification.Body, "{") {
			t.Errorf("the update says %q", update.Notification.Body)
		}
		if len(w.mails) != 1 {
			t.Errorf("%d mails before the quarter of an hour", len(w.mails))
		}
		w.pass(15 * time.Minute)
		if len(w.mails) != 2 || !strings.Contains(w.mails[1].Subject, "1001") {
			t.Errorf("mails %+v", w.mails)
		}
		// After half an hour of quiet it begins anew.
		w.pass(31 * time.Minute)
		w.happen(w.door, 1)
		if s := w.shown(w.service.Wait(4)[3]); s.Notification.Data.Count != 1 || s.Notification.Silent {
			t.Errorf("a new series begins with %+v", s)
		}
	})
}

// What is queued when a share is revoked stays where it is.
func TestARevokedShareStopsMessagesAtOnce(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		w.subscribe(w.ben)
		w.subscribe(w.zoe)
		w.choose(w.ben, w.door, App, Push, ByMail)
		w.choose(w.zoe, w.door, Push)
		w.service.Answers(func(*pushtest.Browser, http.Header) int { return http.StatusServiceUnavailable })
		w.do(func() { w.mailDown = errors.New("down") })
		w.happen(w.door, 1)
		if w.service.Tries() != 2 || len(w.told(w.ben)) != 1 {
			t.Fatalf("%d tries", w.service.Tries())
		}
		w.refuse("told "+w.ben.String(), problem.Forbidden("share.not_included"))
		w.service.Answers(nil)
		w.do(func() { w.mailDown = nil })
		w.pass(10 * time.Minute)
		w.happen(w.door, 1)
		w.pass(20 * time.Minute)
		for _, m := range w.service.Messages() {
			if s := w.shown(m); s.Notification.Title == "" {
				t.Errorf("%+v", s)
			}
		}
		if n := len(w.told(w.ben)); n != 1 || len(w.mails) != 0 {
			t.Errorf("%d notices, mails %+v", n, w.mails)
		}
		var withheld, handed int
		for _, e := range w.log(w.ben) {
			switch e.Result {
			case "withheld":
				withheld++
			case "handed":
				handed++
			}
		}
		if withheld != 2 || handed != 0 {
			t.Errorf("the log of who was let out: %+v", w.log(w.ben))
		}
		if got := w.service.Messages(); len(got) != 2 { // Zoe's, once after the outage and once anew
			t.Errorf("%d messages", len(got))
		}
		// A gate that cannot know says nothing either, but the message is kept.
		w.refuse("told "+w.zoe.String(), problem.Unavailable("gate.unsure"))
		w.pass(time.Hour)
		w.happen(w.door, 1)
		if got := w.service.Messages(); len(got) != 2 {
			t.Errorf("%d messages with a gate in doubt", len(got))
		}
	})
}

func TestADeviceThatIsGone(t *testing.T) {
	promise.Proves(t, "P087")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		old, _ := w.subscribe(w.zoe)
		w.subscribe(w.zoe)
		w.choose(w.zoe, w.door, Push)
		w.service.Answers(func(b *pushtest.Browser, _ http.Header) int {
			if b.Endpoint == old.Endpoint {
				return http.StatusGone
			}
			return 0
		})
		w.happen(w.door, 1)
		if got := w.service.Messages(); len(got) != 1 || w.service.Tries() != 2 {
			t.Fatalf("%d messages, %d tries", len(got), w.service.Tries())
		}
		if n := w.told(w.zoe); len(n) != 1 || n[0].Kind != DeviceGone {
			t.Errorf("the app was told %+v", n)
		}
		list, err := w.Devices(t.Context(), w.own(w.zoe), id.DefaultTenant, w.zoe, id.Session{})
		if err != nil || len(list) != 2 || list[0].Gone == list[1].Gone {
			t.Errorf("devices %+v, %v", list, err)
		}
		w.pass(10 * time.Minute)
		w.happen(w.door, 1)
		if w.service.Tries() != 3 {
			t.Errorf("%d tries: a device that is gone is asked again", w.service.Tries())
		}
		// The same browser comes back with the same address: it is one device, and live.
		if _, err := w.Subscribe(t.Context(), id.DefaultTenant, w.zoe, id.Make[id.Session](), "Chrome", "https://cameras.example/", old.JSON()); err != nil {
			t.Fatal(err)
		}
		if list, _ := w.Devices(t.Context(), w.own(w.zoe), id.DefaultTenant, w.zoe, id.Session{}); len(list) != 2 || list[0].Gone || list[1].Gone {
			t.Errorf("after it came back: %+v", list)
		}
		// Somebody else signs in with that browser: it is theirs alone.
		if _, err := w.Subscribe(t.Context(), id.DefaultTenant, w.ben, id.Make[id.Session](), "Chrome", "https://cameras.example/", old.JSON()); err != nil {
			t.Fatal(err)
		}
		if list, _ := w.Devices(t.Context(), w.own(w.zoe), id.DefaultTenant, w.zoe, id.Session{}); len(list) != 1 {
			t.Errorf("a browser of two: %+v", list)
		}
	})
}

// A push service that is busy is asked again, later and later, and not more often because more
// happens; the person gets one message, with the count.
func TestABusyPushServiceIsAskedAgain(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		w.subscribe(w.zoe)
		w.choose(w.zoe, w.door, Push)
		w.service.Answers(func(_ *pushtest.Browser, h http.Header) int {
			h.Set("Retry-After", "600")
			return http.StatusTooManyRequests
		})
		w.happen(w.door, 1)
		for range 9 {
			w.pass(time.Minute)
			w.happen(w.door, 10)
		}
		if n := w.service.Tries(); n != 1 {
			t.Errorf("asked %d times within what it asked for", n)
		}
		w.service.Answers(nil)
		w.pass(2 * time.Minute)
		got := w.service.Wait(1)
		if len(got) != 1 || w.shown(got[0]).Notification.Data.Count != 91 {
			t.Errorf("%d messages: %s", len(got), got[0].Payload)
		}
		if e := w.log(w.zoe); len(e) != 1 || e[0].Result != "handed" || e[0].Device != "Chrome on Android" {
			t.Errorf("the log: %+v", e)
		}
		// One that is away for good: the message is given up when it is of no use any more.
		w.service.Answers(func(*pushtest.Browser, http.Header) int { return http.StatusBadGateway })
		w.pass(time.Hour)
		w.happen(w.door, 1)
		before := w.service.Tries()
		w.pass(5 * time.Hour)
		if n := w.service.Tries() - before; n < 5 || n > 40 {
			t.Errorf("%d tries in five hours", n)
		}
		if e := w.log(w.zoe); e[0].Result != "expired" {
			t.Errorf("the log: %+v", e[0])
		}
		tries := w.service.Tries()
		w.pass(time.Hour)
		if w.service.Tries() != tries {
			t.Error("what was given up is tried again")
		}
	})
}

// What was queued when the program ended goes out after the next start.
func TestTheOutboxOutlivesTheProgram(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		w.subscribe(w.zoe)
		w.choose(w.zoe, w.door, Push)
		w.service.Answers(func(*pushtest.Browser, http.Header) int { return http.StatusServiceUnavailable })
		w.happen(w.door, 1)
		w.restart()
		w.service.Answers(nil)
		w.clock.Set(w.clock.Now().Add(-48 * time.Hour)) // and the clock was set back meanwhile
		w.run()
		w.service.Wait(1)
	})
}

func TestASlowPushServiceHoldsUpNobodyElse(t *testing.T) {
	w := open(t, sqltest.SQLite(t))
	slow, _ := w.subscribe(w.zoe)
	w.subscribe(w.ben)
	w.choose(w.zoe, w.door, Push)
	w.choose(w.ben, w.door, Push)
	release := make(chan struct{})
	w.service.Answers(func(b *pushtest.Browser, _ http.Header) int {
		if b.Endpoint == slow.Endpoint {
			<-release
		}
		return 0
	})
	w.Hear(Happening{Tenant: id.DefaultTenant, Owner: w.zoe, Binding: w.door, Kind: Motion, At: w.now()})
	w.decide(t.Context())
	w.deliver(t.Context())
	if got := w.service.Wait(1); got[0].Browser.Endpoint == slow.Endpoint {
		t.Error("the slow one was first")
	}
	w.deliver(t.Context()) // the slow one is not sent a second time
	close(release)
	w.loops.Wait()
	if got := w.service.Wait(2); len(got) != 2 {
		t.Errorf("%d messages", len(got))
	}
}

func TestHours(t *testing.T) {
	weekdays, night := Hours{Days: []int{1, 2, 3, 4, 5}, From: 8 * 60, To: 17 * 60}, Hours{Days: []int{5, 6}, From: 22 * 60, To: 6 * 60}
	allDay := Hours{Days: []int{7}, From: 0, To: 0}
	at := func(s string) time.Time {
		v, err := time.Parse("2006-01-02 15:04", s)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for when, want := range map[string]bool{ // 2031-05-09 is a Friday
		"2031-05-09 07:59": false, "2031-05-09 08:00": true, "2031-05-09 16:59": true, "2031-05-09 17:00": false,
		"2031-05-09 21:59": false, "2031-05-09 22:00": true, "2031-05-10 05:59": true, "2031-05-10 06:00": false, "2031-05-10 12:00": false,
		"2031-05-11 05:59": true, "2031-05-11 12:00": true, "2031-05-11 23:59": true, "2031-05-12 00:00": false, "2031-05-12 05:00": false,
	} {
		if got := within([]Hours{weekdays, night, allDay}, at(when)); got != want {
			t.Errorf("%s: %v", when, got)
		}
	}
	if !within(nil, at("2031-05-09 03:00")) {
		t.Error("no hours are not always")
	}
	w := open(t, sqltest.SQLite(t))
	for _, bad := range []Hours{{From: 1, To: 2}, {Days: []int{0}, To: 2}, {Days: []int{8}, To: 2}, {Days: []int{1}, From: -1}, {Days: []int{1}, From: 1440}, {Days: []int{1}, To: 1441}} {
		if err := w.Choose(t.Context(), id.DefaultTenant, w.zoe, Rule{Binding: w.door, Kind: Motion, Hours: []Hours{bad}}); !problem.Is(err, "alert.hours") {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	if err := w.Choose(t.Context(), id.DefaultTenant, w.zoe, Rule{Kind: "barking"}); !problem.Is(err, "alert.kind") {
		t.Errorf("an unknown kind: %v", err)
	}
	if err := w.Choose(t.Context(), id.DefaultTenant, w.zoe, Rule{Kind: Motion, Channels: []Channel{"pigeon"}}); !problem.Is(err, "alert.channel") {
		t.Errorf("an unknown channel: %v", err)
	}
}

// Hours and the text are those of where the person is.
func TestTimesAreThePersonsOwn(t *testing.T) {
	w := open(t, sqltest.SQLite(t))
	zone, err := time.LoadLocation("Asia/Shanghai")
	if err != nil {
		t.Fatal(err)
	}
	w.do(func() { w.zone, w.lang = zone, "zh-Hans" })
	w.subscribe(w.zoe)
	rule := Rule{Binding: w.door, Kind: Motion, Channels: []Channel{Push}, Hours: []Hours{{Days: []int{2}, From: 22 * 60, To: 23 * 60}}} // it is 22:32 there on a Tuesday
	if err := w.Choose(t.Context(), id.DefaultTenant, w.zoe, rule); err != nil {
		t.Fatal(err)
	}
	w.happen(w.door, 1)
	if s := w.shown(w.service.Wait(1)[0]); !strings.Contains(s.Notification.Body, "22:32") || s.Notification.Lang != "zh-Hans" || strings.Contains(s.Notification.Body, "Motion") {
		t.Errorf("%+v", s)
	}
	w.pass(40 * time.Minute) // 23:12
	w.happen(w.door, 1)
	if got := w.service.Messages(); len(got) != 1 {
		t.Error("told outside of the hours")
	}
}

func TestATestMessageReportsItsArrival(t *testing.T) {
	w := open(t, sqltest.SQLite(t))
	_, d := w.subscribe(w.zoe)
	if err := w.Try(t.Context(), w.own(w.zoe), id.DefaultTenant, w.zoe, d.ID); err != nil {
		t.Fatal(err)
	}
	token := w.shown(w.service.Wait(1)[0]).Notification.Data.Test
	if err := w.Arrived(id.DefaultTenant, w.ben, token); !problem.Is(err, "not_found") {
		t.Errorf("somebody else reports it: %v", err)
	}
	if err := w.Arrived(id.DefaultTenant, w.zoe, token); err != nil {
		t.Error(err)
	}
	if n := w.told(w.zoe); len(n) != 1 || n[0].Kind != DeviceReached {
		t.Errorf("the app was told %+v", n)
	}
	if err := w.Arrived(id.DefaultTenant, w.zoe, token); !problem.Is(err, "not_found") {
		t.Errorf("it arrives twice: %v", err)
	}
	for status, code := range map[int]string{http.StatusServiceUnavailable: "push.busy", http.StatusForbidden: "push.refused", http.StatusNotFound: "push.gone"} {
		w.service.Answers(func(*pushtest.Browser, http.Header) int { return status })
		if err := w.Try(t.Context(), w.own(w.zoe), id.DefaultTenant, w.zoe, d.ID); !problem.Is(err, code) {
			t.Errorf("%d: %v, want %s", status, err, code)
		}
	}
	if err := w.Try(t.Context(), w.own(w.ben), id.DefaultTenant, w.ben, d.ID); !problem.Is(err, "not_found") {
		t.Errorf("somebody else's device: %v", err)
	}
}
