package app

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/egress"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/promise"
	"candor/internal/promise/absent"
	"candor/internal/promise/board"
	"candor/internal/seal"
	"candor/internal/watch"
)

// looked is what a probe found broken. A probe that cannot look fails the test.
func looked(t *testing.T, p watch.Probe) (broken []string) {
	t.Helper()
	all, err := p.Look(t.Context())
	if err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	for _, b := range all {
		if !slices.Contains(p.Promises, b.Promise) || b.Why == "" {
			t.Errorf("%s says of %s: %q", p.Name, b.Promise, b.Why)
		}
		broken = append(broken, b.Promise)
	}
	return broken
}

// seenFailing expects a probe to find these promises broken, which it did not before, and counts it as a drill.
func seenFailing(t *testing.T, p watch.Probe, ids ...string) {
	t.Helper()
	got := looked(t, p)
	for _, one := range ids {
		if !slices.Contains(got, one) {
			t.Errorf("%s does not see that %s is broken; it sees %v", p.Name, one, got)
			continue
		}
		promise.Drilled(t, one)
	}
}

// inOrder expects a probe to find nothing broken.
func inOrder(t *testing.T, p watch.Probe) {
	t.Helper()
	all, err := p.Look(t.Context())
	if err != nil || len(all) > 0 {
		t.Errorf("%s: %v, %v", p.Name, all, err)
	}
}

// A house that is in order has nothing broken, and says so on its board.
func TestTheWatchOverAHouseInOrder(t *testing.T) {
	w, owner := share(t)
	owner.live(owner.camera)
	w.watch.Look(t.Context())
	seen := w.watch.Seen()
	for name, s := range seen {
		if !s.Kept {
			t.Errorf("%s is not kept: %s", name, s.Why)
		}
	}
	if len(seen) < 60 || w.watch.Broken() != 0 {
		t.Errorf("%d promises were looked at, %d are broken", len(seen), w.watch.Broken())
	}
	var got board.Board
	w.visitor(t).call("GET", "/promises", nil, &got)
	if got.Count[board.Watched] < 60 {
		t.Errorf("the board counts %v", got.Count)
	}
	for _, r := range got.Promises {
		if r.State == board.Watched && (r.Watch == nil || !r.Watch.Kept || time.Since(r.Watch.At) > time.Hour) {
			t.Errorf("%s is watched, and was seen %+v", r.ID, r.Watch)
		}
	}
}

// What was drilled once counts only while a probe is still about it.
func TestWhatIsWatchedIsStillLookedAfter(t *testing.T) {
	b, err := board.Built()
	if err != nil {
		t.Fatal(err)
	}
	watched := Watched()
	for _, r := range b.Promises {
		if len(r.Drills) > 0 && !slices.Contains(watched, r.ID) {
			t.Errorf("%s was drilled and no probe is about it any more", r.ID)
		}
	}
	if len(b.Promises) == 0 || len(watched) < 60 {
		t.Errorf("%d are watched", len(watched))
	}
}

// A probe that fails to look leaves its promises unkept: not knowing is not keeping.
func TestWhatCannotBeLookedAtIsNotKept(t *testing.T) {
	w := &watch.Watch{Clock: clock.Wall, Log: quiet(), Probes: []watch.Probe{
		{Name: "blind", Promises: []string{"P001"}, Look: func(context.Context) ([]watch.Broken, error) { return nil, context.DeadlineExceeded }},
		{Name: "fine", Promises: []string{"P001", "P019"}, Look: func(context.Context) ([]watch.Broken, error) { return nil, nil }},
	}}
	w.Look(t.Context())
	if s := w.Seen(); !s["P019"].Kept || s["P001"].Kept || w.Broken() != 1 {
		t.Errorf("%+v", s)
	}
	w.Probes = w.Probes[1:]
	w.Look(t.Context())
	if s := w.Seen(); !s["P001"].Kept {
		t.Errorf("seen again: %+v", s)
	}
}

// Each vendor, each power and each foreign host is planted into what the app serves.
func TestDrillOfWhatIsServed(t *testing.T) {
	w, _ := share(t)
	real, err := w.pages(t.Context())
	if err != nil || len(real) < 10 {
		t.Fatalf("%d pages, %v", len(real), err)
	}
	planted, served := watch.Page{}, real
	pages := func(context.Context) ([]watch.Page, error) { return append(slices.Clone(served), planted), nil }
	obeyed := func() *policy.Policy { return w.policy }
	vendors, powers, own := watch.Vendors(pages, obeyed), watch.Powers(pages), watch.Own(pages)
	sound := http.Header{"Content-Security-Policy": {"default-src 'none'; script-src 'self'"}}
	planted = watch.Page{Path: "/plain.js", Header: sound, Body: "let a = 1"}
	for _, p := range []watch.Probe{vendors, powers, own} {
		inOrder(t, p)
	}
	served = nil // the real pages are in order; only what is planted is looked at now
	for _, v := range absent.Vendors {
		planted = watch.Page{Path: "/planted.js", Header: sound, Body: `load("https://` + v.Names[0] + `.example/sdk.js")`}
		seenFailing(t, vendors, v.Promise)
	}
	for _, p := range absent.Powers {
		planted = watch.Page{Path: "/planted.js", Header: sound, Body: p.Example}
		seenFailing(t, powers, p.Promise)
	}
	planted = watch.Page{Path: "/planted", Header: sound, Body: `<script src="https://cdn.example/a.js"></script>`}
	seenFailing(t, own, "P200")
	for _, csp := range []string{"", "script-src 'self'", "default-src *", "default-src 'none'; img-src *", "default-src 'none'; connect-src https://x.example"} {
		planted = watch.Page{Path: "/planted", Header: http.Header{"Content-Security-Policy": {csp}}}
		seenFailing(t, own, "P254")
	}
	planted = watch.Page{Path: "/planted", Header: http.Header{"Content-Security-Policy": sound["Content-Security-Policy"], "Set-Cookie": {"visitor=1"}}}
	seenFailing(t, own, "P220")
}

// Columns that should not be are added to the live database; a label to the metrics page.
func TestDrillOfTheSchema(t *testing.T) {
	t.Parallel()
	w := fresh(t)
	fields, columns := watch.Fields(w.names), watch.Columns(w.columns, Passports())
	inOrder(t, fields)
	inOrder(t, columns)
	for _, f := range absent.Fields {
		column := `"` + strings.ReplaceAll(f.Example, " ", "_") + `"`
		for _, change := range []string{"ADD COLUMN " + column + " TEXT", "DROP COLUMN " + column} {
			if _, err := w.db.Write.Exec("ALTER TABLE account_account " + change); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(change, "ADD") {
				seenFailing(t, fields, f.Promise)
				seenFailing(t, columns, "P296")
			}
		}
	}
	inOrder(t, fields)
	inOrder(t, columns)
	page, err := w.counts()
	if err != nil {
		t.Fatal(err)
	}
	labels := watch.Labels(func() (string, error) { return page, nil }, Passports())
	inOrder(t, labels)
	page += "candor_cameras{owner=\"anna\"} 1\n"
	seenFailing(t, labels, "P185")
}

// The policy that is obeyed may be the operator's own.
func TestDrillOfTheRegister(t *testing.T) {
	built, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	p := *built
	purposes, recipients := watch.Purposes(func() *policy.Policy { return &p }), watch.Recipients(func() *policy.Policy { return &p })
	inOrder(t, purposes)
	inOrder(t, recipients)
	for _, one := range append(slices.Clone(absent.Purposes), absent.Purpose{Promise: "P236", Example: policy.Purpose{ID: "trade", DPV: "dpv:SellDataToThirdParties"}}) {
		p.Purposes = append(slices.Clone(built.Purposes), one.Example)
		seenFailing(t, purposes, one.Promise)
	}
	p.Recipients = append(slices.Clone(built.Recipients), policy.Recipient{ID: "reach", Role: "analysis", People: true})
	seenFailing(t, recipients, "P199", "P288", "P230")
	p.Recipients = append(slices.Clone(built.Recipients), policy.Recipient{ID: "crashes", Role: "support", Fields: []string{"log"}})
	seenFailing(t, recipients, "P186")
}

// A door that lets nobody in, a policy that is another, a version that is gone.
func TestDrillOfTheDoor(t *testing.T) {
	t.Parallel()
	w := fresh(t)
	owner := w.visitor(t)
	owner.setUp(t, anna, "given")
	door, texts := w.doorProbe(), w.policyProbe()
	inOrder(t, door)
	inOrder(t, texts)
	real, lost := w.served, 0
	w.served = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v1/privacy/held" {
			rw.WriteHeader(lost)
			return
		}
		real.ServeHTTP(rw, r)
	})
	for _, lost = range []int{http.StatusOK, http.StatusNotFound, http.StatusUnprocessableEntity} { // sign-in is not asked for, whatever comes then
		seenFailing(t, door, "P001")
	}
	w.served = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) { http.NotFound(rw, r) })
	seenFailing(t, texts, "P324")
	w.served = real
	if _, err := w.db.Write.NewRaw("INSERT INTO consent_version (tenant_id, subject_id, n, record_id, policy_hash, answer, details) VALUES (?, ?, 1, ?, ?, 'agreed', ?)",
		w.tenant, id.Make[id.Subject](), id.Make[id.Consent](), strings.Repeat("0", 64), []byte("x")).Exec(t.Context()); err != nil {
		t.Fatal(err)
	}
	seenFailing(t, texts, "P325")
}

// A gate that lets a stranger in, and a way out that nobody registered.
func TestDrillOfTheGate(t *testing.T) {
	w, _ := share(t)
	inOrder(t, strangerProbe(w.gate.Permit))
	seenFailing(t, strangerProbe(func(context.Context, gate.Request) (permit.Permit, error) { return permit.Permit{}, nil }), "P019", "P241", "P245")
	third := func(to egress.Recipient) error { _, err := w.egress.Third(to); return err }
	inOrder(t, egressProbe(third))
	seenFailing(t, egressProbe(func(egress.Recipient) error { return nil }), "P229", "P233")
}

// An access log that somebody changed, a key that is too old, a browser without consent, an operator who is late.
func TestDrillOfWhatIsKept(t *testing.T) {
	t.Parallel()
	w := fresh(t)
	owner := w.visitor(t)
	owner.setUp(t, anna, "given")
	owner.live(owner.camera)
	if a := owner.do("GET", "/cameras/"+owner.camera+"/still.jpg", nil); a.status != http.StatusOK {
		t.Fatalf("a still: %d", a.status)
	}
	chains, keys, push, late := w.chainProbe(), w.keyProbe(), w.pushProbe(), w.lateProbe()
	for _, p := range []watch.Probe{chains, keys, push, late} {
		inOrder(t, p)
	}
	change := func(query string, args ...any) {
		t.Helper()
		if _, err := w.db.Write.NewRaw(query, args...).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	change("DROP TRIGGER translog_access_fixed") // as somebody with the database file could
	change("UPDATE translog_access SET day = day - 1")
	seenFailing(t, chains, "P295")

	days, _ := w.retention.Limit(passport.Footage)
	old := seal.OfBinding(w.tenant, id.Make[id.Subject](), id.Make[id.Binding]()).In(seal.Bucket{Day: clock.DayOf(time.Now()) - clock.Day(days) - 2, Category: passport.Footage, Class: "standard"})
	if _, err := w.keys.Ensure(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	seenFailing(t, keys, "P281")
	inOrder(t, keys) // and it is gone

	change("INSERT INTO notify_device (tenant_id, id, account_id, session_id, endpoint_hash, state, subscription, about) VALUES (?, ?, ?, ?, ?, 'live', ?, ?)",
		w.tenant, id.Make[id.Row](), owner.account, id.Make[id.Session](), []byte("0123456789abcdef0123456789abcdef"), []byte("x"), []byte("x"))
	seenFailing(t, push, "P087", "P101")
	change("DELETE FROM notify_device")

	known := time.Now().Add(-73 * time.Hour).UTC().Format(time.RFC3339)
	if _, _, err := w.declare(t, noticeFile(t, "incident", "cause: mistake\nknown: "+known+"\naffects: {everybody: true}\n", "facts", "effect", "measures", "advice", "remedies"), false); err != nil {
		t.Fatal(err)
	}
	seenFailing(t, late, "P310")
	own := *w.policy
	own.Assessed = "2020-01-01"
	obeyed := w.policy
	w.policy = &own
	seenFailing(t, late, "P329")
	w.policy = obeyed
}
