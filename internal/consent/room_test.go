package consent_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/consent"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
	source "candor/policy"
)

type rig struct {
	*consent.Room
	policy *policy.Policy
	clock  *clock.Virtual
	keeper *seal.Keeper
	zoe    id.Account
	text   string
}

func open(t *testing.T, db *sqldb.DB) rig {
	t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	pol, err := policy.Load(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	c := clock.NewVirtual(time.Date(2031, 5, 6, 15, 10, 9, 0, time.UTC))
	k, err := seal.Open(context.Background(), seal.Options{Dir: t.TempDir(), Fresh: true, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Start(c, quiet, consent.Passports())
	if err != nil {
		t.Fatal(err)
	}
	o := &bus.Outbox{DB: db, Bus: b, Clock: clock.Wall, Log: quiet}
	o.Start()
	t.Cleanup(func() { _, _, _ = o.Close(), b.Close(), k.Close() })
	_, hash := pol.ConsentText(passport.Recording, "en")
	return rig{&consent.Room{DB: db, Keeper: k, Outbox: o, Policy: pol, Clock: c}, pol, c, k, id.Make[id.Account](), hash}
}

func (r rig) permit(a id.Account) permit.Permit {
	return permit.NewIssuer(r.clock).Permit(permit.Grant{
		Tenant: id.DefaultTenant, Actor: permit.Person(a, id.Make[id.Session]()), Action: permit.PrivacyRead, Subject: id.SubjectOf(a),
		Purpose: passport.Rights, Categories: []passport.Category{passport.ConsentLog}, Expires: r.clock.Now().Add(time.Minute),
	})
}

func (r rig) decide(a id.Account, b id.Binding, s consent.State) (id.Consent, error) {
	return r.Record(context.Background(), consent.Decision{
		Tenant: id.DefaultTenant, Subject: id.SubjectOf(a), Binding: b, Purpose: passport.Recording, State: s, TextHash: r.text,
		How: "camera page", Actor: permit.Person(a, id.Make[id.Session]()),
	})
}

func (r rig) given(t *testing.T, a id.Account, b id.Binding) bool {
	t.Helper()
	c, ok, err := r.Given(context.Background(), id.DefaultTenant, id.SubjectOf(a), b, passport.Recording)
	if err != nil || ok == c.Record.IsZero() {
		t.Fatalf("Given: %+v, %v, %v", c, ok, err)
	}
	return ok
}

func TestTheNewestDecisionHolds(t *testing.T) {
	promise.Proves(t, "P278")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		door, yard, other := id.Make[id.Binding](), id.Make[id.Binding](), id.Make[id.Account]()
		if r.given(t, r.zoe, door) {
			t.Fatal("something is given beforehand")
		}
		if s, err := r.State(ctx, id.DefaultTenant, id.SubjectOf(r.zoe), door, passport.Recording); s != consent.None || err != nil {
			t.Errorf("state %v, %v", s, err)
		}
		for i, step := range []struct {
			state consent.State
			back  time.Duration
			given bool
		}{{consent.Refused, 0, false}, {consent.Given, 0, true}, {consent.Withdrawn, 0, false}, {consent.Given, 0, true}, {consent.Withdrawn, time.Hour, false}} {
			r.clock.Advance(time.Minute - step.back) // the last one on a clock that was set back
			if _, err := r.decide(r.zoe, door, step.state); err != nil {
				t.Fatal(err)
			}
			if got := r.given(t, r.zoe, door); got != step.given {
				t.Errorf("step %d, %s: given %v", i, step.state, got)
			}
			if r.given(t, r.zoe, yard) || r.given(t, r.zoe, id.Binding{}) || r.given(t, other, door) {
				t.Errorf("step %d: the decision counts elsewhere", i)
			}
		}
		all, err := r.History(ctx, r.permit(r.zoe), id.DefaultTenant, id.SubjectOf(r.zoe))
		if err != nil || len(all) != 5 {
			t.Fatalf("history %v, %v", all, err)
		}
		first := all[4]
		if first.Number != 1 || first.State != consent.Refused || first.Language != "en" || first.How != "camera page" || first.Account != r.zoe ||
			first.TextHash != r.text || first.PolicyHash != r.policy.Hash() || first.At != clock.At(time.Date(2031, 5, 6, 15, 11, 9, 0, time.UTC)) || first.Binding != door {
			t.Errorf("first record %+v", first)
		}
		current, err := r.Current(ctx, r.permit(r.zoe), id.DefaultTenant, id.SubjectOf(r.zoe))
		if err != nil || len(current) != 1 || current[0].State != consent.Withdrawn {
			t.Errorf("current %v, %v", current, err)
		}
		if got, err := r.History(ctx, r.permit(other), id.DefaultTenant, id.SubjectOf(r.zoe)); !errors.Is(err, seal.ErrClosed) || got != nil {
			t.Errorf("another reads %v, %v", got, err)
		}
		if _, err := db.Write.Exec("UPDATE consent_record SET state = 'given'"); err == nil {
			t.Error("a record could be changed")
		}
	})
}

func TestSayingItAgainMakesNoRecord(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, door := open(t, db), id.Make[id.Binding]()
		var wg sync.WaitGroup
		ids := make([]id.Consent, 8)
		for i := range ids {
			wg.Go(func() {
				var err error
				if ids[i], err = r.decide(r.zoe, door, consent.Given); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		for _, v := range ids {
			if v != ids[0] || v.IsZero() {
				t.Errorf("records %v", ids)
			}
		}
		leaving := func(want ...rights.Whose) {
			t.Helper()
			if got, err := (consent.Holder{Of: r.Room}).Leaving(context.Background()); err != nil || !slices.Equal(got, want) {
				t.Errorf("leaving %+v, %v, want %+v", got, err, want)
			}
		}
		leaving()
		for range 2 { // a goodbye said twice
			if _, err := r.decide(r.zoe, door, consent.Withdrawn); err != nil {
				t.Error(err)
			}
		}
		all, err := r.History(context.Background(), r.permit(r.zoe), id.DefaultTenant, id.SubjectOf(r.zoe))
		if err != nil || len(all) != 2 {
			t.Errorf("%d records, %v", len(all), err)
		}
		leaving(rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(r.zoe), Binding: door, Purpose: passport.Recording})
		if _, err := r.decide(r.zoe, door, consent.Given); err != nil {
			t.Error(err)
		}
		leaving()
	})
}

func TestWhatIsNoDecisionIsRefused(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	good := consent.Decision{
		Tenant: id.DefaultTenant, Subject: id.SubjectOf(r.zoe), Binding: id.Make[id.Binding](), Purpose: passport.Recording, State: consent.Given,
		TextHash: r.text, How: "test", Actor: permit.Person(r.zoe, id.Make[id.Session]()),
	}
	for name, c := range map[string]struct {
		change func(*consent.Decision)
		code   string
	}{
		"unknown purpose":              {func(d *consent.Decision) { d.Purpose = "advertising" }, "consent.unknown_purpose"},
		"purpose on another basis":     {func(d *consent.Decision) { d.Purpose = passport.Live }, "consent.unknown_purpose"},
		"yes to an unknown text":       {func(d *consent.Decision) { d.TextHash = "0000" }, "consent.text_changed"},
		"withdrawing what nobody gave": {func(d *consent.Decision) { d.State = consent.Withdrawn }, "consent.not_given"},
		"none":                         {func(d *consent.Decision) { d.State = consent.None }, "consent.state"},
		"no state":                     {func(d *consent.Decision) { d.State = "" }, "consent.state"},
		"nobody":                       {func(d *consent.Decision) { d.Subject = id.Subject{} }, ""},
		"said by nobody":               {func(d *consent.Decision) { d.Actor = permit.Actor{} }, ""},
	} {
		d := good
		c.change(&d)
		if got, err := r.Record(ctx, d); err == nil || !got.IsZero() || c.code != "" && !problem.Is(err, c.code) {
			t.Errorf("%s: %v, %v, want %s", name, got, err, c.code)
		}
	}
	if r.given(t, r.zoe, good.Binding) {
		t.Error("a refused decision counts")
	}
	if _, err := r.Record(ctx, good); err != nil {
		t.Fatal(err)
	}
	good.State, good.TextHash = consent.Withdrawn, "whatever was on the screen"
	if _, err := r.Record(ctx, good); err != nil {
		t.Errorf("withdrawing must not depend on the text: %v", err)
	}
}

func TestHolderAnswersForTheRecords(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		h, stays, door := consent.Holder{Of: r.Room}, id.Make[id.Account](), id.Make[id.Binding]()
		for _, a := range []id.Account{r.zoe, stays} {
			if _, err := r.decide(a, door, consent.Given); err != nil {
				t.Fatal(err)
			}
		}
		w := rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(r.zoe)}
		if got, err := h.Count(ctx, r.permit(r.zoe), w); err != nil || len(got) != 1 || got[0].Count != 1 || got[0].Bytes == 0 {
			t.Errorf("Count %+v, %v", got, err)
		}
		var out bytes.Buffer
		if err := h.Export(ctx, r.permit(r.zoe), w, &out); err != nil {
			t.Fatal(err)
		}
		var s consent.Standard
		if err := json.Unmarshal(out.Bytes(), &s); err != nil || s.SchemaVersion != "ISO/IEC TS 27560:2023" || s.Event.State != "dpv:ConsentGiven" ||
			s.PrivacyNotice != r.text || s.Event.Time != "2031-05-06T15:10:09.000Z" || s.PIIPrincipal != id.SubjectOf(r.zoe) {
			t.Errorf("exported %s, %v", out.String(), err)
		}
		if swept, err := h.Erase(ctx, rights.Whose{Tenant: w.Tenant, Subject: w.Subject, Binding: door}); err != nil || swept.Rows != 0 {
			t.Errorf("removing a camera erased %+v, %v", swept, err)
		}
		if swept, err := h.Erase(ctx, w); err != nil || swept.Rows != 1 {
			t.Errorf("Erase %+v, %v", swept, err)
		}
		if found, err := h.Scan(ctx, w); err != nil || len(found) != 1 || found[0].Found != 0 || found[0].Looked != 1 {
			t.Errorf("Scan %+v, %v", found, err)
		}
		if !r.given(t, stays, door) || r.given(t, r.zoe, door) {
			t.Error("the wrong one was erased")
		}
	})
}

func TestPassportsFitThePolicy(t *testing.T) {
	r := open(t, sqltest.SQLite(t))
	for _, p := range consent.Passports() {
		if err := r.policy.Judge(p); err != nil {
			t.Error(err)
		}
	}
}

func TestNoToWhatWasAgreedTakesItBack(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, door := open(t, db), id.Make[id.Binding]()
		asked := r.text
		for i, step := range []struct {
			say  consent.State
			text string
			want consent.State
		}{{consent.Refused, "a text of last year", consent.Refused}, {consent.Given, asked, consent.Given}, {consent.Refused, "", consent.Withdrawn}} {
			r.text = step.text
			if _, err := r.decide(r.zoe, door, step.say); err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			if got, err := r.State(context.Background(), id.DefaultTenant, id.SubjectOf(r.zoe), door, passport.Recording); got != step.want || err != nil {
				t.Fatalf("step %d: state is %q, %v; want %q", i, got, err, step.want)
			}
		}
	})
}

func TestADecisionForAllHoldsForEach(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx, all := open(t, db), context.Background(), id.Binding{}
		door, yard, other := id.Make[id.Binding](), id.Make[id.Binding](), id.Make[id.Account]()
		leaving := func() []rights.Whose {
			t.Helper()
			got, err := (consent.Holder{Of: r.Room}).Leaving(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		for i, step := range []struct {
			about      id.Binding
			say        consent.State
			door, yard bool
			records    int
		}{
			{all, consent.Given, true, true, 1},
			{door, consent.Given, true, true, 1}, // holds already
			{all, consent.Given, true, true, 1},
			{door, consent.Refused, false, true, 2},
			{all, consent.Given, true, true, 3}, // said again, since it did not hold for the door
			{all, consent.Refused, false, false, 4},
			{door, consent.Given, true, false, 5},
			{all, consent.Withdrawn, false, false, 6}, // not given for all, but for one
			{all, consent.Withdrawn, false, false, 6},
		} {
			if _, err := r.decide(r.zoe, step.about, step.say); err != nil {
				t.Fatalf("step %d: %v", i, err)
			}
			if d, y := r.given(t, r.zoe, door), r.given(t, r.zoe, yard); d != step.door || y != step.yard {
				t.Errorf("step %d: door %v, yard %v", i, d, y)
			}
			if r.given(t, other, door) {
				t.Errorf("step %d: it counts for another person", i)
			}
			history, err := r.History(ctx, r.permit(r.zoe), id.DefaultTenant, id.SubjectOf(r.zoe))
			if err != nil || len(history) != step.records {
				t.Errorf("step %d: %d records, %v", i, len(history), err)
			}
			if any, err := r.Any(ctx, id.DefaultTenant, id.SubjectOf(r.zoe), all, passport.Recording); err != nil || any != (step.door || step.yard) {
				t.Errorf("step %d: something to take back: %v, %v", i, any, err)
			}
			if i == 6 && len(leaving()) != 0 {
				t.Errorf("agreed to since, and still leaving: %+v", leaving())
			}
		}
		whole := rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(r.zoe), Purpose: passport.Recording}
		if got := leaving(); !slices.Equal(got, []rights.Whose{whole}) {
			t.Errorf("leaving %+v", got)
		}
		if _, err := r.decide(other, all, consent.Withdrawn); !problem.Is(err, "consent.not_given") {
			t.Errorf("withdrawing what nobody gave: %v", err)
		}
	})
}
