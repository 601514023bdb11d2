package notice_test

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/notice"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
	"candor/words"
)

type rig struct {
	*notice.Room
	t       *testing.T
	clock   *clock.Virtual
	people  []id.Account
	letters map[id.Account][2]string
	fails   map[id.Account]error
	left    []id.Account
}

// both runs a test on both engines.
func both(t *testing.T, f func(t *testing.T, r *rig)) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := &rig{t: t, clock: clock.NewVirtual(today), letters: map[id.Account][2]string{}, fails: map[id.Account]error{}}
		for range 3 {
			r.people = append(r.people, id.Make[id.Account]())
		}
		r.Room = &notice.Room{
			DB: db, Clock: r.clock, Log: slog.New(slog.DiscardHandler), Tenant: id.DefaultTenant, Words: words.Sentence,
			Everybody: func(context.Context) ([]id.Account, error) { return slices.Clone(r.people), nil },
			Leave: func(_ context.Context, a id.Account) error {
				r.left = append(r.left, a)
				r.people = slices.DeleteFunc(r.people, func(b id.Account) bool { return a == b })
				_, err := notice.Holder{Of: r.Room}.Erase(t.Context(), rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(a)})
				return err
			},
			Write: func(_ context.Context, a id.Account, say func(string) (string, string)) error {
				if err := r.fails[a]; err != nil {
					return err
				}
				subject, text := say("zh-Hans")
				r.letters[a] = [2]string{subject, text}
				return nil
			},
		}
		f(t, r)
	})
}

func (r *rig) declare(s string, whom ...id.Account) notice.Notice {
	r.t.Helper()
	d, err := notice.Read(strings.NewReader(s), r.clock.Now(), languages)
	if err != nil {
		r.t.Fatal(err)
	}
	n, err := r.Declare(r.t.Context(), d, whom)
	if err != nil {
		r.t.Fatal(err)
	}
	return n
}

// tick is what the loop does once a minute.
func (r *rig) tick() {
	r.t.Helper()
	if err := r.Tick(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) of(a id.Account) []notice.Notice {
	r.t.Helper()
	all, err := r.Of(r.t.Context(), a)
	if err != nil {
		r.t.Fatal(err)
	}
	return all
}

func (r *rig) public() int {
	r.t.Helper()
	all, err := r.Room.Open(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	return len(all)
}

// Whom an incident concerns is written to and sees it; nobody else does. What somebody cannot be told in person, everybody may read.
func TestAnIncidentIsTold(t *testing.T) {
	promise.Proves(t, "P308", "P309")
	both(t, func(t *testing.T, r *rig) {
		anna, ben, other := r.people[0], r.people[1], r.people[2]
		r.fails[ben] = problem.Unavailable("mail.down")
		n := r.declare(incident, anna, ben)
		r.tick()
		if l := r.letters[anna]; l[0] != "关于您的数据发生的事件" || !strings.Contains(l[1], "said of remedies in zh-Hans") || strings.Contains(l[1], "in en") {
			t.Errorf("the letter: %q", l)
		}
		if len(r.letters) != 1 || len(r.of(ben)) != 1 || len(r.of(other)) != 0 || r.public() != 0 {
			t.Errorf("letters %d, Ben's %d, the other's %d, public %d", len(r.letters), len(r.of(ben)), len(r.of(other)), r.public())
		}
		r.clock.Advance(71 * time.Hour)
		r.tick()
		if r.public() != 0 {
			t.Error("it was opened to everybody while Ben might still be reached")
		}
		r.clock.Advance(2 * time.Hour)
		r.tick()
		if r.public() != 1 {
			t.Error("Ben was not reached, and nobody else can read it")
		}
		if told, err := r.Told(t.Context(), n.ID); err != nil || told["written"] != 1 || told["unreachable"] != 1 {
			t.Errorf("told %v, %v", told, err)
		}
		if err := r.Room.Seen(t.Context(), ben, n.ID); err != nil || !r.of(ben)[0].Seen || r.of(anna)[0].Seen {
			t.Errorf("Ben read it: %v", err)
		}
		if err := r.Room.Seen(t.Context(), other, n.ID); !problem.Is(err, "not_found") {
			t.Errorf("whom it does not concern: %v", err)
		}
	})
}

// Without any mail at all it is open at once: the app alone may not be looked at for weeks.
func TestWithoutMailEverybodyMayRead(t *testing.T) {
	both(t, func(t *testing.T, r *rig) {
		r.fails[r.people[0]] = problem.Unavailable("mail.none")
		r.declare(incident, r.people[0])
		r.tick()
		if r.public() != 1 {
			t.Error("nobody can be told, and it is not open")
		}
	})
}

// The authority's clock runs from knowing, not from declaring.
func TestTheAuthorityIsDue(t *testing.T) {
	promise.Proves(t, "P310")
	both(t, func(t *testing.T, r *rig) {
		late := func(want int) {
			t.Helper()
			if n, err := r.Overdue(t.Context()); err != nil || n != want {
				t.Errorf("%d overdue, %v; want %d", n, err, want)
			}
		}
		n := r.declare(incident, r.people[0]) // known 26 hours ago
		if n.Due() != clock.At(time.Date(2030, 5, 8, 10, 0, 0, 0, time.UTC)) {
			t.Errorf("due %v", n.Due().Time())
		}
		late(0)
		r.clock.Set(n.Due().Time().Add(-time.Second))
		late(0)
		r.clock.Advance(time.Second)
		late(1)
		if err := r.Report(t.Context(), n.ID, "2030/17"); err != nil {
			t.Fatal(err)
		}
		late(0)
		if all, err := r.All(t.Context()); err != nil || all[0].Reference != "2030/17" || all[0].Reported == 0 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}

// Through every day of an end: told, over, copies possible, erased.
func TestAnEnd(t *testing.T) {
	promise.Proves(t, "P333")
	both(t, func(t *testing.T, r *rig) {
		n := r.declare(closing)
		second, _ := read(closing)
		if _, err := r.Declare(t.Context(), second, nil); !problem.Is(err, "notice.closing") {
			t.Errorf("a second end: %v", err)
		}
		r.tick()
		if len(r.letters) != 3 || r.public() != 1 || r.Over() {
			t.Fatalf("letters %d, public %d, over %t", len(r.letters), r.public(), r.Over())
		}
		if s := r.letters[r.people[0]][0]; s != "服务将于 2030-06-30 结束" {
			t.Errorf("the letter is called %q", s)
		}
		for r.clock.Now().Before(time.Date(2030, 6, 30, 23, 0, 0, 0, time.UTC)) {
			r.clock.Advance(11 * time.Hour)
			r.tick()
		}
		if r.Over() {
			t.Error("it was over on its last day")
		}
		r.clock.Set(time.Date(2030, 7, 1, 0, 0, 0, 0, time.UTC))
		r.tick()
		if !r.Over() || len(r.left) != 0 {
			t.Errorf("over %t, %d left", r.Over(), len(r.left))
		}
		again := &notice.Room{DB: r.DB, Clock: r.clock, Tenant: id.DefaultTenant} // after a restart; it can write to nobody and needs not
		if err := again.Begin(t.Context()); err != nil || !again.Over() {
			t.Errorf("a new start: over %t, %v", again.Over(), err)
		}
		if err := r.Withdraw(t.Context(), n.ID); !problem.Is(err, "house.over") {
			t.Errorf("taking back what has come: %v", err)
		}
		r.clock.Set(time.Date(2030, 7, 9, 23, 59, 0, 0, time.UTC))
		r.tick()
		if len(r.left) != 0 {
			t.Error("accounts were closed a day early")
		}
		r.clock.Set(time.Date(2030, 7, 10, 0, 0, 0, 0, time.UTC))
		r.tick()
		if len(r.left) != 3 || len(r.people) != 0 {
			t.Errorf("%d of 3 accounts were closed", len(r.left))
		}
	})
}

// A clock that jumps ahead ends the service, and erases nobody.
func TestAClockThatJumpsErasesNobody(t *testing.T) {
	both(t, func(t *testing.T, r *rig) {
		r.declare(closing)
		r.tick()
		r.clock.Set(time.Date(2031, 1, 1, 0, 0, 0, 0, time.UTC))
		for range 10 {
			r.tick()
			r.clock.Advance(time.Hour)
		}
		if !r.Over() || len(r.left) != 0 {
			t.Errorf("over %t, %d left", r.Over(), len(r.left))
		}
	})
}

func TestAnEndIsTakenBack(t *testing.T) {
	both(t, func(t *testing.T, r *rig) {
		n := r.declare(closing)
		if err := r.Withdraw(t.Context(), n.ID); err != nil {
			t.Fatal(err)
		}
		r.clock.Set(time.Date(2030, 7, 10, 0, 0, 0, 0, time.UTC))
		r.tick()
		if r.Over() || len(r.left) != 0 || len(r.letters) != 0 {
			t.Errorf("over %t, %d left, %d letters", r.Over(), len(r.left), len(r.letters))
		}
	})
}

// A change of who decides reaches everybody.
func TestAChangeOfController(t *testing.T) {
	promise.Proves(t, "P335")
	both(t, func(t *testing.T, r *rig) {
		n := r.declare(controller)
		r.tick()
		if len(r.letters) != 3 || r.public() != 1 {
			t.Errorf("letters %d, public %d", len(r.letters), r.public())
		}
		if err := r.Report(t.Context(), n.ID, ""); !problem.Is(err, "notice.kind") {
			t.Errorf("reporting it: %v", err)
		}
	})
}

// What tells that a notice concerned somebody goes with them.
func TestWhoLeavesIsInNoNotice(t *testing.T) {
	both(t, func(t *testing.T, r *rig) {
		r.declare(incident, r.people[0], r.people[1])
		h, w := notice.Holder{Of: r.Room}, rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(r.people[0])}
		if swept, err := h.Erase(t.Context(), w); err != nil || swept.Rows != 1 {
			t.Errorf("swept %+v, %v", swept, err)
		}
		found, err := h.Scan(t.Context(), w)
		if err != nil || found[0].Found != 0 || found[0].Looked != 1 || len(r.of(r.people[0])) != 0 || len(r.of(r.people[1])) != 1 {
			t.Errorf("found %+v, %v", found, err)
		}
	})
}
