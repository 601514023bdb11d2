package notify

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/notify/webpush/pushtest"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

// A pause lasts as long as it was meant to, whatever becomes of the wall clock.
func TestPausesAndClocks(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for name, set := range map[string]time.Duration{"left alone": 0, "set back": -5 * time.Hour, "set back a little": -20 * time.Minute, "set forward": 9 * time.Hour} {
			t.Run(name, func(t *testing.T) {
				w := open(t, db)
				w.choose(w.zoe, w.door, App)
				if _, err := w.Pause(t.Context(), id.DefaultTenant, w.zoe, id.Binding{}, TwoHours); err != nil {
					t.Fatal(err)
				}
				w.pass(30 * time.Minute)
				w.clock.Set(w.clock.Now().Add(set))
				w.happen(w.door, 1)
				w.pass(89 * time.Minute)
				w.happen(w.door, 1)
				if n := len(w.told(w.zoe)); n != 0 {
					t.Errorf("told %d times before the pause was over", n)
				}
				w.pass(time.Minute)
				w.happen(w.door, 1)
				if n := len(w.told(w.zoe)); n != 1 {
					t.Errorf("told %d times when it was over", n)
				}
				if p := w.Pauses(id.DefaultTenant, w.zoe); len(p) != 0 {
					t.Errorf("pauses %+v", p)
				}
			})
		}
	})
}

// Over a restart the wall clock decides, between nothing and all of what was left.
func TestPausesOutliveTheProgram(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for name, c := range map[string]struct{ set, left time.Duration }{
			"down for ten minutes":        {10 * time.Minute, 80 * time.Minute},
			"down past its end":           {3 * time.Hour, 0},
			"the clock set back meantime": {-24 * time.Hour, 90 * time.Minute},
		} {
			t.Run(name, func(t *testing.T) {
				w := open(t, db)
				w.choose(w.zoe, w.door, App)
				if _, err := w.Pause(t.Context(), id.DefaultTenant, w.zoe, w.door, TwoHours); err != nil {
					t.Fatal(err)
				}
				w.clock.Set(w.clock.Now().Add(-time.Hour)) // set back in the first run, too
				w.pass(30 * time.Minute)
				w.clock.Set(w.clock.Now().Add(c.set))
				w.restart()
				got := w.Pauses(id.DefaultTenant, w.zoe)
				if c.left == 0 && len(got) != 0 || c.left > 0 && (len(got) != 1 || got[0].Until != w.now()+clock.Millis(c.left/time.Millisecond)) {
					t.Errorf("%+v, want %v left of %v", got, c.left, w.now())
				}
				if c.left > time.Minute {
					w.pass(c.left - time.Minute)
					w.happen(w.door, 1)
				}
				if n := len(w.told(w.zoe)); n != 0 {
					t.Errorf("told %d times too early", n)
				}
				w.pass(time.Minute)
				w.happen(w.door, 1)
				if n := len(w.told(w.zoe)); n != 1 {
					t.Errorf("told %d times after its end", n)
				}
			})
		}
	})
}

func TestPausingAndResuming(t *testing.T) {
	w := open(t, sqltest.SQLite(t))
	w.do(func() { w.zone, _ = time.LoadLocation("Europe/Berlin") }) // 16:32 there
	w.subscribe(w.zoe)
	w.choose(w.zoe, w.door, App, Push)
	w.choose(w.zoe, w.yard, App)
	p, err := w.Pause(t.Context(), id.DefaultTenant, w.zoe, w.door, Morning)
	if err != nil || p.Until.Time() != time.Date(2031, 5, 7, 5, 0, 0, 0, time.UTC) {
		t.Errorf("till morning is %v, %v", p.Until.Time(), err)
	}
	w.happen(w.door, 1)
	w.happen(w.yard, 1)
	if n := w.told(w.zoe); len(n) != 1 || n[0].Binding != w.yard {
		t.Errorf("told %+v", n)
	}
	if err := w.Resume(t.Context(), id.DefaultTenant, w.zoe, w.door); err != nil {
		t.Fatal(err)
	}
	w.pass(time.Minute)
	w.happen(w.door, 1)
	if n := w.told(w.zoe); len(n) != 2 || n[1].Binding != w.door || n[1].Count != 1 {
		t.Errorf("after resuming: %+v", n)
	}
	// What waits for a busy push service when a pause begins is not sent into it.
	w.service.Answers(func(*pushtest.Browser, http.Header) int { return http.StatusServiceUnavailable })
	w.pass(time.Hour)
	w.happen(w.door, 1)
	if _, err := w.Pause(t.Context(), id.DefaultTenant, w.zoe, id.Binding{}, HalfHour); err != nil {
		t.Fatal(err)
	}
	before := len(w.service.Messages())
	w.service.Answers(nil)
	w.pass(20 * time.Minute)
	if n := len(w.service.Messages()); n != before {
		t.Error("pushed into a pause")
	}
	if _, err := w.Pause(t.Context(), id.DefaultTenant, w.zoe, w.door, "for ever"); !problem.Is(err, "alert.pause") {
		t.Errorf("an unknown length: %v", err)
	}
}

func TestATicketOpensOnePictureOnce(t *testing.T) {
	promise.Proves(t, "P082", "P081")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		w.subscribe(w.zoe)
		event := id.Make[id.Row]()
		next := func() string {
			w.pass(time.Hour)
			w.Hear(Happening{Tenant: id.DefaultTenant, Owner: w.zoe, Binding: w.door, Event: event, Kind: Motion, At: w.now()})
			w.run()
			got := w.service.Messages()
			return w.shown(got[len(got)-1]).Notification.Data.Ticket
		}
		w.choose(w.zoe, w.door, Push)
		if next() != "" {
			t.Error("a picture that nobody chose")
		}
		rule := Rule{Binding: w.door, Kind: Motion, Channels: []Channel{Push}, Pictures: true}
		if err := w.Choose(t.Context(), id.DefaultTenant, w.zoe, rule); err != nil {
			t.Fatal(err)
		}
		w.refuse("picture", problem.Forbidden("consent.needed"))
		if next() != "" {
			t.Error("a picture that the owner did not agree to")
		}
		w.refuse("picture", nil)
		ticket := next()
		if len(ticket) != 22 {
			t.Fatalf("ticket %q", ticket)
		}
		redeem := func(who id.Account, ticket string) string {
			body, err := w.Redeem(t.Context(), id.DefaultTenant, permit.Person(who, id.Make[id.Session]()), ticket)
			if p, ok := problem.Of(err); ok {
				return p.Code
			}
			return string(body)
		}
		if got := redeem(w.ben, ticket); got != "not_found" {
			t.Errorf("another person's ticket: %s", got)
		}
		if got := redeem(w.zoe, ticket); got != "picture of "+w.door.String()+" for "+w.zoe.String()+" at "+event.String() {
			t.Errorf("the picture: %s", got)
		}
		if got := redeem(w.zoe, ticket); got != "ticket.over" {
			t.Errorf("used again: %s", got)
		}
		late := next()
		w.pass(10 * time.Minute)
		if got := redeem(w.zoe, late); got != "ticket.over" {
			t.Errorf("after ten minutes: %s", got)
		}
		back := next()
		w.clock.Set(w.clock.Now().Add(-24 * time.Hour))
		if got := redeem(w.zoe, back); got != "ticket.over" {
			t.Errorf("after the clock was set back a day: %s", got)
		}
		w.clock.Set(w.clock.Now().Add(24 * time.Hour))
		withdrawn := next()
		w.refuse("picture", problem.Forbidden("consent.needed"))
		if got := redeem(w.zoe, withdrawn); got != "consent.needed" {
			t.Errorf("after the owner took it back: %s", got)
		}
		for _, bad := range []string{"", "x", strings.Repeat("A", 22), ticket + "A"} {
			if got := redeem(w.zoe, bad); got != "not_found" {
				t.Errorf("%q: %s", bad, got)
			}
		}
		var plain int
		if err := db.Read.NewRaw("SELECT count(*) FROM notify_ticket WHERE hash = ?", []byte(ticket)).Scan(t.Context(), &plain); err != nil || plain != 0 {
			t.Error("the ticket itself is kept")
		}
	})
}

// The link in a mail ends the mails of its rule and of no other; choosing again begins them anew.
func TestMailsEndWithoutSigningIn(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		w.choose(w.zoe, w.door, App, ByMail)
		w.choose(w.zoe, w.yard, ByMail)
		w.happen(w.door, 1)
		if len(w.mails) != 1 {
			t.Fatalf("mails %+v", w.mails)
		}
		m := w.mails[0]
		token := m.Stop[strings.LastIndex(m.Stop, "/")+1:]
		if !strings.HasPrefix(m.Stop, "https://cameras.example/base/api/v1/unsubscribe/") || !strings.Contains(m.Text, "/unsubscribe/"+token) {
			t.Errorf("the mail: %+v", m)
		}
		for range 2 {
			if err := w.StopMail(t.Context(), id.DefaultTenant, token); err != nil {
				t.Error(err)
			}
		}
		for _, bad := range []string{"", "x", strings.Repeat("A", 22)} {
			if err := w.StopMail(t.Context(), id.DefaultTenant, bad); !problem.Is(err, "not_found") {
				t.Errorf("%q: %v", bad, err)
			}
		}
		w.pass(time.Hour)
		w.happen(w.door, 1)
		w.happen(w.yard, 1)
		if len(w.mails) != 2 || !strings.Contains(w.mails[1].Subject, "Yard") || len(w.told(w.zoe)) != 2 {
			t.Errorf("mails %+v, told %+v", w.mails, w.told(w.zoe))
		}
		rules, err := w.Rules(t.Context(), w.own(w.zoe), id.DefaultTenant, w.zoe)
		if err != nil || len(rules) != 2 {
			t.Fatal(err)
		}
		for _, r := range rules {
			if r.MailOff != (r.Binding == w.door) {
				t.Errorf("%+v", r)
			}
		}
		w.choose(w.zoe, w.door, ByMail)
		if err := w.StopMail(t.Context(), id.DefaultTenant, token); !problem.Is(err, "not_found") {
			t.Errorf("the old link after choosing anew: %v", err)
		}
		w.pass(time.Hour)
		w.happen(w.door, 1)
		if len(w.mails) != 3 {
			t.Errorf("%d mails", len(w.mails))
		}
	})
}

func TestAMailServerThatIsDown(t *testing.T) {
	w := open(t, sqltest.SQLite(t))
	w.choose(w.zoe, w.door, ByMail)
	w.do(func() { w.mailDown = errors.New("connection refused") })
	w.happen(w.door, 1)
	w.pass(10 * time.Minute)
	w.do(func() { w.mailDown = nil })
	w.pass(20 * time.Minute)
	if len(w.mails) != 1 {
		t.Errorf("%d mails", len(w.mails))
	}
}

// A camera without footage is told once, and once when there is some again, also over a restart.
func TestGapsAreToldOnce(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		g := &Gaps{Room: w.Room}
		look := func(should, writing bool) {
			t.Helper()
			if err := g.Look(t.Context(), []Watched{{id.DefaultTenant, w.zoe, w.door, should, writing}}); err != nil {
				t.Fatal(err)
			}
			w.run()
		}
		kinds := func() (s string) {
			for _, n := range w.told(w.zoe) {
				s += string(n.Kind) + " "
			}
			return s
		}
		look(true, false)
		w.pass(119 * time.Second)
		look(true, false)
		if kinds() != "" {
			t.Errorf("told too early: %s", kinds())
		}
		for range 3 {
			w.pass(time.Minute)
			look(true, false)
		}
		if kinds() != "gap " {
			t.Errorf("told %s", kinds())
		}
		w.restart()
		g = &Gaps{Room: w.Room}
		for range 5 {
			look(true, false)
			w.pass(time.Minute)
		}
		look(true, true)
		look(true, true)
		if kinds() != "gap gap_over " {
			t.Errorf("told %s", kinds())
		}
		// Switched off is no gap, and a gap that ends by switching off is not told as over.
		look(true, false)
		w.pass(3 * time.Minute)
		look(true, false)
		look(false, false)
		look(true, true)
		if kinds() != "gap gap_over gap " {
			t.Errorf("told %s", kinds())
		}
		if e := w.log(w.zoe); len(e) != 3 || e[0].Channel != App || e[0].Camera != "Front door" {
			t.Errorf("the log: %+v", e)
		}
		if len(w.told(w.ben)) != 0 {
			t.Error("somebody else was told")
		}
		// Who chose to be told by push is; somebody the camera is shared with is not.
		w.subscribe(w.zoe)
		w.subscribe(w.ben)
		for _, who := range []id.Account{w.zoe, w.ben} {
			if err := w.Choose(t.Context(), id.DefaultTenant, who, Rule{Binding: w.door, Kind: Gap, Channels: []Channel{Push}}); err != nil {
				t.Fatal(err)
			}
		}
		look(true, false)
		w.pass(3 * time.Minute)
		look(true, false)
		if got := w.service.Wait(1); len(got) != 1 || !strings.Contains(w.shown(got[0]).Notification.Body, "Front door") {
			t.Errorf("%+v", got)
		}
	})
}

func TestTheLogIsKeptForThirtyDays(t *testing.T) {
	w := open(t, sqltest.SQLite(t))
	w.choose(w.zoe, w.door, App)
	w.happen(w.door, 1)
	w.clock.Advance(29 * 24 * time.Hour)
	w.prune(t.Context())
	if len(w.log(w.zoe)) != 1 {
		t.Error("gone too early")
	}
	w.clock.Advance(24 * time.Hour)
	w.prune(t.Context())
	if e := w.log(w.zoe); len(e) != 0 {
		t.Errorf("still there: %+v", e)
	}
}

func TestTheHolderAnswersForEverything(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := open(t, db)
		fill := func(a id.Account) {
			w.subscribe(a)
			w.choose(a, w.door, App, Push, ByMail)
			w.choose(a, w.yard, App)
			if _, err := w.Pause(t.Context(), id.DefaultTenant, a, w.yard, TwoHours); err != nil {
				t.Fatal(err)
			}
		}
		fill(w.zoe)
		fill(w.ben)
		w.do(func() { w.mailDown = errors.New("down") })
		w.happen(w.door, 1)
		if _, err := w.issue(t.Context(), id.DefaultTenant, w.zoe, w.door, id.Make[id.Row]()); err != nil {
			t.Fatal(err)
		}
		if err := (&Gaps{Room: w.Room}).note(t.Context(), Watched{id.DefaultTenant, w.zoe, w.door, true, false}, true); err != nil {
			t.Fatal(err)
		}
		h := Holder{w.Room}
		of := func(a id.Account) rights.Whose {
			return rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(a)}
		}
		count := func(a id.Account) map[string]int64 {
			t.Helper()
			held, err := h.Count(t.Context(), w.own(a), of(a))
			if err != nil {
				t.Fatal(err)
			}
			out := map[string]int64{}
			for _, l := range held {
				out[l.Kind] += l.Count
				if l.Bytes == 0 || l.Ends == "" && l.Until == 0 {
					t.Errorf("%+v", l)
				}
			}
			return out
		}
		lines := func(a id.Account) map[string]int64 {
			t.Helper()
			var b bytes.Buffer
			if err := h.Export(t.Context(), w.own(a), of(a), &b); err != nil {
				t.Fatal(err)
			}
			out := map[string]int64{}
			for s := bufio.NewScanner(&b); s.Scan(); {
				var line struct{ Kind string }
				if err := json.Unmarshal(s.Bytes(), &line); err != nil {
					t.Fatal(err)
				}
				out[line.Kind]++
			}
			return out
		}
		same := func(a id.Account, want string) {
			t.Helper()
			c, l := count(a), lines(a)
			cj, _ := json.Marshal(c)
			lj, _ := json.Marshal(l)
			if string(cj) != string(lj) || string(cj) != want {
				t.Errorf("counted %s, exported %s, want %s", cj, lj, want)
			}
		}
		same(w.zoe, `{"alert_pause":1,"alert_rule":2,"message":2,"message_waiting":1,"push_device":1}`)
		erase := func(who rights.Whose, rows int64) {
			t.Helper()
			if swept, err := h.Erase(t.Context(), who); err != nil || swept.Rows != rows {
				t.Errorf("swept %+v, %v, want %d rows", swept, err, rows)
			}
			found, err := h.Scan(t.Context(), who)
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				if f.Found != 0 {
					t.Errorf("%+v", f)
				}
			}
		}
		// A withdrawn consent to push takes the devices of one person.
		erase(rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(w.ben), Purpose: passport.Push}, 1)
		same(w.ben, `{"alert_pause":1,"alert_rule":2,"message":2,"message_waiting":1}`)
		same(w.zoe, `{"alert_pause":1,"alert_rule":2,"message":2,"message_waiting":1,"push_device":1}`)
		// Another consent takes nothing.
		erase(rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(w.zoe), Purpose: passport.Recording, Binding: w.door}, 0)
		// A camera takes along what everybody chose and was told about it.
		erase(rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(w.zoe), Binding: w.door}, 10)
		same(w.zoe, `{"alert_pause":1,"alert_rule":1,"push_device":1}`)
		same(w.ben, `{"alert_pause":1,"alert_rule":1}`)
		// An account takes its side alone.
		erase(of(w.ben), 2)
		same(w.ben, `{}`)
		same(w.zoe, `{"alert_pause":1,"alert_rule":1,"push_device":1}`)
	})
}

func TestPassportsHold(t *testing.T) {
	for _, p := range Passports() {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
	}
}
