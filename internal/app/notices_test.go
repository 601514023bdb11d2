package app

import (
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/config"
	"candor/internal/id"
	"candor/internal/notice"
	"candor/internal/problem"
	"candor/internal/promise"
)

type shownNotice struct {
	ID, Kind, From, Erases string
	Seen                   bool
	Parts                  []struct{ Name, Text string }
}

// file writes a notice in both languages.
func noticeFile(t *testing.T, kind, lines string, parts ...string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("kind: " + kind + "\n" + lines + "texts:\n")
	for _, lang := range []string{"en", "zh-Hans"} {
		b.WriteString("  " + lang + ":\n")
		for _, p := range parts {
			b.WriteString("    " + p + ": what is said of " + p + "\n")
		}
	}
	name := filepath.Join(t.TempDir(), "notice.yaml")
	if err := os.WriteFile(name, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// declare is what the command does beside the running house.
func (w *world) declare(t *testing.T, file string, dry bool) (notice.Notice, int, error) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return Declare(t.Context(), w.config, f, dry)
}

// An incident concerns whose data a member opened, as their own access chain tells; they read it in a letter and in the app.
func TestAnIncidentReachesWhomItConcerns(t *testing.T) {
	t.Parallel()
	w := fresh(t, func(c *config.Config) { c.Mail.Outbox = true })
	owner := w.visitor(t)
	owner.setUp(t, anna, "given")
	other := w.join(t, identity{"Ben", "ben@house.example", "a green kettle 21"})
	member := w.join(t, identity{"Mia", "mia@house.example", "a green kettle 22"})
	m := owner.invites(owner.camera, map[string]any{"abilities": []string{"live"}})
	member.call("POST", "/invites/"+m.Token+"/accept", nil, nil)
	owner.live(owner.camera)
	file := func(by string) string {
		from, to := time.Now().Add(-time.Hour).UTC().Format(time.RFC3339), time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
		return noticeFile(t, "incident", "cause: accident\nknown: "+from+"\naffects: {accesses: {from: "+from+", to: "+to+", by: "+by+"}}\n", "facts", "effect", "measures", "advice", "remedies")
	}
	if _, _, err := w.declare(t, file("member"), false); !problem.Is(err, "notice.nobody") {
		t.Fatalf("nobody opened anything of anybody yet: %v", err)
	}
	if a := member.do("GET", "/cameras/"+owner.camera+"/still.jpg", nil); a.status != http.StatusOK {
		t.Fatalf("a still: %d %s", a.status, a.body)
	}
	if _, people, err := w.declare(t, file("link"), true); err != nil || people != 0 {
		t.Errorf("by a link: %d people, %v", people, err)
	}
	if _, people, err := w.declare(t, file("member"), true); err != nil || people != 1 {
		t.Errorf("only looking: %d people, %v", people, err)
	}
	n, people, err := w.declare(t, file("member"), false)
	if err != nil || people != 1 {
		t.Fatalf("%d people, %v", people, err)
	}
	if err := w.notices.Tick(t.Context()); err != nil {
		t.Fatal(err)
	}
	letters := owner.letters()
	if !slices.ContainsFunc(letters, func(l struct{ To, Subject, Text string }) bool {
		return l.To == anna.email && l.Subject == "What happened to your data" && strings.Contains(l.Text, "what is said of advice")
	}) {
		t.Errorf("the letters: %+v", letters)
	}
	var mine, others, open []shownNotice
	owner.call("GET", "/notices", nil, &mine)
	other.call("GET", "/notices", nil, &others)
	other.call("GET", "/notices/open", nil, &open)
	if len(mine) != 1 || mine[0].Kind != "incident" || len(mine[0].Parts) != 5 || mine[0].Seen || len(others) != 0 || len(open) != 0 {
		t.Errorf("mine %+v, the other's %+v, everybody's %+v", mine, others, open)
	}
	other.refused("PUT", "/notices/"+n.ID.String()+"/seen", map[string]any{"seen": true}, http.StatusNotFound, "not_found")
	owner.call("PUT", "/notices/"+n.ID.String()+"/seen", map[string]any{"seen": true}, nil)
	owner.call("GET", "/notices", nil, &mine)
	if !mine[0].Seen {
		t.Error("what was read does not stay read")
	}
	all, err := Notices(t.Context(), w.config)
	if err != nil || len(all) != 1 || all[0].People["seen"] != 1 {
		t.Errorf("%+v, %v", all, err)
	}
	if err := ReportNotice(t.Context(), w.config, n.ID, "2030/17"); err != nil {
		t.Error(err)
	}
	if err := WithdrawNotice(t.Context(), w.config, n.ID); !problem.Is(err, "notice.kind") {
		t.Errorf("an incident cannot be taken back: %v", err)
	}
	if err := ReportNotice(t.Context(), w.config, id.Make[id.Row](), ""); !problem.Is(err, "not_found") {
		t.Errorf("one that was never declared: %v", err)
	}
}

// After its last day the service does nothing but what people may ask for; on the day named it closes every account.
func TestTheServiceEnds(t *testing.T) {
	t.Parallel()
	w := fresh(t, func(c *config.Config) { c.Mail.Outbox, c.Accounts.SignUp = true, config.SignUpOpen })
	owner := w.visitor(t)
	owner.setUp(t, anna, "given")
	owner.live(owner.camera)
	ends := time.Now().AddDate(0, 0, 40).UTC().Format(time.DateOnly)
	n, people, err := w.declare(t, noticeFile(t, "closing", "ends: "+ends+"\n", "what", "copies"), false)
	if err != nil || people != 1 {
		t.Fatalf("%d people, %v", people, err)
	}
	visitor := w.visitor(t)
	var open []shownNotice
	eventually(t, "everybody may read it", func() bool {
		visitor.call("GET", "/notices/open", nil, &open)
		return len(open) == 1 && open[0].Erases != ""
	})
	owner.call("GET", "/cameras", nil, nil)
	turn := func(set string) {
		t.Helper()
		if _, err := w.db.Write.NewRaw("UPDATE notice_notice SET "+set+" WHERE id = ?", n.ID).Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.notices.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	turn("ends_ms = 1")
	owner.refused("GET", "/cameras", nil, http.StatusGone, "house.over")
	owner.refused("GET", "/cameras/"+owner.camera+"/still.jpg", nil, http.StatusGone, "house.over")
	visitor.refused("POST", "/sign-up", map[string]any{"email": "new@house.example", "language": "en"}, http.StatusGone, "house.over")
	owner.call("GET", "/privacy/held", nil, nil)
	owner.call("GET", "/account", nil, nil)
	turn("erases_ms = 2, declared_ms = 3")
	owner.call("GET", "/account", nil, nil) // one day was seen, which could be a clock that jumped
	turn("days = 20")
	owner.refused("GET", "/account", nil, http.StatusUnauthorized, "session.ended")
	if all, err := w.people.Everybody(t.Context(), w.tenant); err != nil || len(all) != 0 {
		t.Errorf("%d accounts are left, %v", len(all), err)
	}
	eventually(t, "nothing is swept any more", func() bool { pending, stuck, _ := w.office.Pending(); return pending == 0 && stuck == 0 })
}

// The policy has to be looked at once a year.
func TestTheYearlyLook(t *testing.T) {
	promise.Proves(t, "P329")
	now := time.Date(2031, 3, 1, 12, 0, 0, 0, time.UTC)
	for assessed, late := range map[string]bool{"2031-03-01": false, "2030-03-02": false, "2030-03-01": true, "2020-01-01": true, "": true, "soon": true} {
		if got := unreviewed(assessed, now); (got > 0) != late {
			t.Errorf("looked at on %q: late by %v", assessed, got)
		}
	}
	folder, _ := ownPolicy(t, nil, [3]string{"policy.yaml", `assessed: "2026-11-25"`, `assessed: "2024-11-25"`})
	var out strings.Builder
	d := &doctor{out: &out, config: config.Config{Policy: config.Policy{Folder: folder}}}
	if d.policy(t.Context()); d.bad == 0 || !strings.Contains(out.String(), "once a year") {
		t.Errorf("the doctor says: %s", out.String())
	}
}
