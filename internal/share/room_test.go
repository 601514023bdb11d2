package share

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

var ctx = context.Background()

// actions are what the abilities open, one each.
var actions = map[permit.Ability]permit.Action{
	permit.LiveView: permit.CameraWatch, permit.Playback: permit.FootageRead, permit.Export: permit.FootageExport,
}

// Between accepting and revoking a member may do what the share says and nothing else; before and
// after it, and for everybody else, the camera is not there.
func TestAMemberMayWhatTheShareSays(t *testing.T) {
	promise.Proves(t, "P123", "P125")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := begin(t, db)
		anna, stranger := person(), person()
		site, door := r.place(anna)
		_, other := r.place(anna)
		for given := range actions {
			g, token := r.invite(anna, Wanted{Scope: Scope{Site: site}, Terms: can(given)})
			ben := person()
			if _, err := r.ask(permit.Actor{Account: ben}, permit.CameraRead, door); code(err) != "not_found" {
				t.Errorf("before accepting: %v", err)
			}
			if _, err := r.Accept(ctx, id.DefaultTenant, token, ben, ""); err != nil {
				t.Fatal(err)
			}
			later := r.camera(anna, site)
			for _, b := range []id.Binding{door, later} {
				for a, action := range actions {
					grant, err := r.ask(permit.Actor{Account: ben}, action, b)
					if want := map[bool]string{true: "", false: "share.not_included"}[a == given]; code(err) != want {
						t.Errorf("who was given %s asks for %s: %v", given, a, err)
					}
					if err == nil && (grant.Share != g.ID || grant.Subject != id.SubjectOf(anna)) {
						t.Errorf("the grant rests on %v", grant.Share)
					}
				}
				if _, err := r.ask(permit.Actor{Account: ben}, permit.CameraRead, b); err != nil {
					t.Errorf("a member may see that the camera is there: %v", err)
				}
				if _, err := r.ask(permit.Actor{Account: ben}, permit.CameraChange, b); code(err) != "share.owner_only" {
					t.Errorf("a member changes a camera: %v", err)
				}
			}
			if _, err := r.ask(permit.Actor{Account: ben}, permit.CameraRead, other); code(err) != "not_found" {
				t.Errorf("a camera at another place: %v", err)
			}
			if _, err := r.ask(permit.Actor{Account: stranger}, actions[given], door); code(err) != "not_found" {
				t.Errorf("a stranger: %v", err)
			}
			lease := r.lease(permit.Actor{Account: ben}, actions[given], door)
			if err := r.End(ctx, r.permit(anna, permit.ShareChange), id.DefaultTenant, anna, g.ID); err != nil {
				t.Fatal(err)
			}
			if lease.State() != permit.Ended {
				t.Error("a lease goes on after its share was revoked")
			}
			for _, action := range actions {
				if _, err := r.ask(permit.Actor{Account: ben}, action, door); code(err) != "not_found" {
					t.Errorf("after revoking: %v", err)
				}
			}
		}
	})
}

// The stretch of footage, and an end, stand in the grant; what is over stays over when the clock is set back.
func TestStretchAndEnd(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := begin(t, db)
		anna := person()
		_, door := r.place(anna)
		from := clock.At(start.Add(-time.Hour))
		until := clock.At(start.Add(2 * time.Hour))
		terms := can(permit.LiveView, permit.Playback)
		terms.From, terms.Until = from, until
		ben, _ := r.member(anna, Wanted{Scope: Scope{Binding: door}, Terms: terms})
		g, err := r.ask(permit.Actor{Account: ben}, permit.FootageRead, door)
		if err != nil || g.From != from || g.To != 0 {
			t.Fatalf("%v to %v, %v", g.From, g.To, err)
		}
		lease := r.lease(permit.Actor{Account: ben}, permit.CameraWatch, door)
		r.clock.Set(until.Time().Add(-time.Millisecond))
		if _, err := r.ask(permit.Actor{Account: ben}, permit.CameraWatch, door); err != nil {
			t.Errorf("just before the end: %v", err)
		}
		r.clock.Set(until.Time())
		<-lease.Context().Done()
		if cause := context.Cause(lease.Context()); !errors.Is(cause, gate.ErrOver) {
			t.Errorf("the lease ended because %v", cause)
		}
		for _, at := range []time.Time{until.Time(), start} { // and set back
			r.clock.Set(at)
			if _, err := r.ask(permit.Actor{Account: ben}, permit.CameraWatch, door); code(err) != "not_found" {
				t.Errorf("over, at %v: %v", at, err)
			}
		}
		if n, err := r.Expire(ctx); n != 1 || err != nil {
			t.Errorf("expire: %d, %v", n, err)
		}
		again := &Room{DB: r.DB, Keeper: r.Keeper, Gate: r.Gate, Places: r.Places, Clock: r.clock} // a program that starts with the wrong clock
		if _, related, err := again.Find(ctx, id.DefaultTenant, permit.Actor{Account: ben}, anna, door, permit.See, start); related || err != nil {
			t.Errorf("what was over is %v, %v", related, err)
		}
	})
}

// Hours are the place's own; the camera may be known at any time, and leases end with the hours.
func TestHours(t *testing.T) {
	r := begin(t, sqltest.SQLite(t))
	anna := person()
	_, door := r.place(anna)
	terms := can(permit.LiveView)
	terms.Hours = Hours{{Days: []int{1, 2, 3, 4, 5}, From: 8 * 60, To: 18 * 60}} // Berlin: until 16:00 UTC in May
	ben, _ := r.member(anna, Wanted{Scope: Scope{Binding: door}, Terms: terms})
	who := permit.Actor{Account: ben}
	lease := r.lease(who, permit.CameraWatch, door)
	r.clock.Set(time.Date(2031, 5, 5, 16, 0, 0, 0, time.UTC))
	<-lease.Context().Done()
	if _, err := r.ask(who, permit.CameraWatch, door); code(err) != "share.not_included" {
		t.Errorf("after hours: %v", err)
	}
	if _, err := r.ask(who, permit.CameraRead, door); err != nil {
		t.Errorf("after hours the camera is not there: %v", err)
	}
	r.clock.Set(time.Date(2031, 5, 5, 15, 0, 0, 0, time.UTC)) // set back into the hours
	if _, err := r.ask(who, permit.CameraWatch, door); err != nil {
		t.Errorf("hours follow the clock: %v", err)
	}
	r.clock.Set(time.Date(2031, 5, 10, 12, 0, 0, 0, time.UTC)) // a Saturday
	if _, err := r.ask(who, permit.CameraWatch, door); code(err) != "share.not_included" {
		t.Errorf("on a Saturday: %v", err)
	}
}

func TestHoursOfTheWeek(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(day, hour, minute int) time.Time { return time.Date(2031, 3, day, hour, minute, 0, 0, berlin) } // 3 March 2031 is a Monday
	night := Hours{{Days: []int{1}, From: 22 * 60, To: 6 * 60}}
	always := Hours{{Days: []int{1, 2, 3, 4, 5, 6, 7}, From: 0, To: 24 * 60}}
	joined := Hours{{Days: []int{1}, From: 8 * 60, To: 12 * 60}, {Days: []int{1}, From: 12 * 60, To: 13 * 60}}
	spring := Hours{{Days: []int{7}, From: 2*60 + 30, To: 4 * 60}} // on the 30th the clock skips 2:00 to 3:00
	for name, c := range map[string]struct {
		hours  Hours
		at     time.Time
		end    time.Time
		within bool
	}{
		"any time":                    {nil, at(3, 1, 0), time.Time{}, true},
		"before":                      {night, at(3, 21, 59), time.Time{}, false},
		"begins":                      {night, at(3, 22, 0), at(4, 6, 0), true},
		"past midnight":               {night, at(4, 5, 59), at(4, 6, 0), true},
		"ended":                       {night, at(4, 6, 0), time.Time{}, false},
		"the same hour on Wednesday":  {night, at(5, 23, 0), time.Time{}, false},
		"two that touch":              {joined, at(3, 9, 0), at(3, 13, 0), true},
		"a skipped hour":              {spring, at(30, 3, 30), at(30, 4, 0), true},
		"before the skipped hour":     {spring, at(30, 1, 59), time.Time{}, false},
		"the whole week has no pause": {always, at(3, 9, 0), at(11, 0, 0), true},
	} {
		end, within := c.hours.at(c.at, berlin)
		if within != c.within || within && c.end.IsZero() != end.IsZero() || within && end.Before(c.end) || within && name != "the whole week has no pause" && !end.Equal(c.end) {
			t.Errorf("%s: %v until %v, want %v until %v", name, within, end, c.within, c.end)
		}
	}
	for name, wrong := range map[string]Hours{
		"no day": {{From: 1, To: 2}}, "no such day": {{Days: []int{8}, To: 2}}, "a day twice": {{Days: []int{1, 1}, To: 2}},
		"no such minute": {{Days: []int{1}, From: 1440, To: 1}}, "no end": {{Days: []int{1}}}, "too many": make(Hours, maxSpans+1),
	} {
		if code(wrong.check()) != "share.hours" {
			t.Errorf("%s is accepted", name)
		}
	}
}

// Reused, expired, withdrawn, other people's and one's own invites are refused with their own words.
func TestInvitesThatDoNotFit(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := begin(t, db)
		anna, ben, cem := person(), person(), person()
		_, door := r.place(anna)
		want := Wanted{Scope: Scope{Binding: door}, Terms: can(permit.LiveView), Email: "Ben@Example.org", Label: "Ben"}
		_, token := r.invite(anna, want)
		accept := func(token string, a id.Account, email string) string {
			_, err := r.Accept(ctx, id.DefaultTenant, token, a, email)
			return code(err)
		}
		if l, err := r.Letter(ctx, id.DefaultTenant, token); err != nil || l.By != "Anna" || l.Place != "Elm Street" || !l.Addressed || l.Site || !slices.Equal(l.Abilities, want.Abilities) {
			t.Errorf("the letter says %+v, %v", l, err)
		}
		if mine, other := r.Invited(ctx, id.DefaultTenant, token, "ben@example.org"), r.Invited(ctx, id.DefaultTenant, token, "cem@example.org"); mine != nil || code(other) != "invite.other" {
			t.Errorf("the invited person may sign up: %v; another: %v", mine, other)
		}
		for what, c := range map[string][2]string{
			"one's own":        {accept(token, anna, "anna@example.org"), "invite.self"},
			"another person's": {accept(token, cem, "cem@example.org"), "invite.other"},
			"no token":         {accept("x", ben, "ben@example.org"), "not_found"},
			"unknown token":    {accept("AAAAAAAAAAAAAAAAAAAAAA", ben, "ben@example.org"), "not_found"},
		} {
			if c[0] != c[1] {
				t.Errorf("%s: %q, want %q", what, c[0], c[1])
			}
		}
		if got := accept(token, ben, "ben@example.org"); got != "" {
			t.Fatalf("the invited person: %s", got)
		}
		if got := accept(token, ben, "ben@example.org"); got != "invite.used" {
			t.Errorf("used again: %q", got)
		}
		if err := r.Invited(ctx, id.DefaultTenant, token, "ben@example.org"); code(err) != "invite.used" {
			t.Errorf("signing up with a used invite: %v", err)
		}
		_, again := r.invite(anna, Wanted{Scope: Scope{Binding: door}, Terms: can(permit.Playback)})
		if got := accept(again, ben, "ben@example.org"); got != "invite.already" {
			t.Errorf("a member already: %q", got)
		}
		if got := accept(again, cem, "cem@example.org"); got != "" {
			t.Errorf("the invite was lost to somebody who had it already: %q", got)
		}
		taken, withdrawn := r.invite(anna, want)
		if err := r.End(ctx, r.permit(anna, permit.ShareChange), id.DefaultTenant, anna, taken.ID); err != nil {
			t.Fatal(err)
		}
		if got := accept(withdrawn, ben, "ben@example.org"); got != "invite.over" {
			t.Errorf("withdrawn: %q", got)
		}
		_, late := r.invite(anna, want)
		r.clock.Advance(inviteFor)
		if got := accept(late, ben, "ben@example.org"); got != "invite.over" {
			t.Errorf("expired: %q", got)
		}
		r.clock.Advance(-inviteFor)
		if got := accept(late, ben, "ben@example.org"); got != "invite.over" {
			t.Errorf("expired, and the clock set back: %q", got)
		}
	})
}

func TestWhatCannotBeShared(t *testing.T) {
	promise.Proves(t, "P126")
	r := begin(t, sqltest.SQLite(t))
	anna, ben := person(), person()
	site, door := r.place(anna)
	_, foreign := r.place(ben)
	now := clock.At(start)
	ok := Wanted{Scope: Scope{Site: site}, Terms: can(permit.LiveView), Confirmed: true}
	for name, c := range map[string]struct {
		change func(*Wanted)
		want   string
	}{
		"nothing wrong":          {func(*Wanted) {}, ""},
		"not confirmed":          {func(w *Wanted) { w.Confirmed = false }, "share.confirm"},
		"nothing":                {func(w *Wanted) { w.Scope = Scope{} }, "share.scope"},
		"two things":             {func(w *Wanted) { w.Binding = door }, "share.scope"},
		"another's camera":       {func(w *Wanted) { w.Scope = Scope{Binding: foreign} }, "not_found"},
		"another's place":        {func(w *Wanted) { w.Scope = Scope{Site: id.Make[id.Site]()} }, "not_found"},
		"no ability":             {func(w *Wanted) { w.Abilities = nil }, "share.abilities"},
		"an unknown ability":     {func(w *Wanted) { w.Abilities = []permit.Ability{permit.LiveView, "own"} }, "share.abilities"},
		"seeing alone":           {func(w *Wanted) { w.Abilities = []permit.Ability{permit.See} }, "share.abilities"},
		"over already":           {func(w *Wanted) { w.Until = now }, "share.until"},
		"for ever":               {func(w *Wanted) { w.Until = 1 << 60 }, "share.until"},
		"a stretch that is none": {func(w *Wanted) { w.From, w.To = now, now }, "share.window"},
		"a long label":           {func(w *Wanted) { w.Label = strings.Repeat("x", maxLabel+1) }, "share.label"},
	} {
		w := ok
		c.change(&w)
		if _, _, err := r.Invite(ctx, r.permit(anna, permit.ShareChange), id.DefaultTenant, anna, w); code(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, _, err := r.Invite(ctx, r.permit(ben, permit.ShareChange), id.DefaultTenant, anna, ok); code(err) != "not_found" {
		t.Errorf("with another's permit: %v", err)
	}
	given, err := r.Given(ctx, r.permit(anna, permit.ShareRead), id.DefaultTenant, anna)
	if err != nil || len(given) != 1 || given[0].Confirmed != now {
		t.Errorf("the confirmation is on record as %+v, %v", given, err)
	}
	for range maxInvites - 1 {
		r.invite(anna, ok)
	}
	if _, _, err := r.Invite(ctx, r.permit(anna, permit.ShareChange), id.DefaultTenant, anna, ok); code(err) != "share.too_fast" {
		t.Errorf("one more than a day may have: %v", err)
	}
}

// A link opens its clip, exactly, for who has it; it is exchanged for a token of the browser's own.
func TestLinks(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := begin(t, db)
		anna := person()
		_, door := r.place(anna)
		_, other := r.place(anna)
		clip := Wanted{Scope: Scope{Binding: door}, Terms: can(permit.Playback)}
		clip.From, clip.To = clock.At(start.Add(-time.Minute)), clock.At(start)
		g, token := r.link(anna, clip)
		if g.Until != clock.At(start.Add(linkFor)) {
			t.Errorf("a link ends at %v", g.Until.Time())
		}
		v, own, err := r.Enter(ctx, id.DefaultTenant, token)
		if err != nil || v.Place != "" || v.From != clip.From || v.To != clip.To || v.ID != g.ID {
			t.Fatalf("entered %+v, %v", v, err)
		}
		if own == token {
			t.Error("the browser has the link's own token")
		}
		if _, err := r.Visitor(ctx, id.DefaultTenant, g.ID, token); code(err) != "not_found" {
			t.Errorf("the link's token is taken for the browser's: %v", err)
		}
		if _, err := r.Visitor(ctx, id.DefaultTenant, g.ID, own); err != nil {
			t.Error(err)
		}
		another, _ := r.link(anna, clip)
		if _, err := r.Visitor(ctx, id.DefaultTenant, another.ID, own); code(err) != "not_found" {
			t.Errorf("one link's token opens another: %v", err)
		}
		visitor := permit.Visitor(g.ID)
		grant, err := r.ask(visitor, permit.FootageRead, door)
		if err != nil || grant.From != clip.From || grant.To != clip.To || grant.Share != g.ID {
			t.Errorf("%+v, %v", grant, err)
		}
		for action, want := range map[permit.Action]string{permit.CameraWatch: "share.not_included", permit.FootageExport: "share.not_included", permit.CameraChange: "share.owner_only"} {
			if _, err := r.ask(visitor, action, door); code(err) != want {
				t.Errorf("%s by link: %v", action, err)
			}
		}
		if _, err := r.ask(visitor, permit.FootageRead, other); code(err) != "not_found" {
			t.Errorf("another camera by link: %v", err)
		}
		lease := r.lease(visitor, permit.FootageRead, door)
		if err := r.End(ctx, r.permit(anna, permit.ShareChange), id.DefaultTenant, anna, g.ID); err != nil {
			t.Fatal(err)
		}
		if lease.State() != permit.Ended {
			t.Error("a revoked link goes on")
		}
		_, _, entering := r.Enter(ctx, id.DefaultTenant, token)
		_, visiting := r.Visitor(ctx, id.DefaultTenant, g.ID, own)
		_, asking := r.ask(visitor, permit.FootageRead, door)
		for what, err := range map[string]error{"entering": entering, "visiting": visiting, "asking": asking} {
			if code(err) != "link.over" {
				t.Errorf("%s a revoked link: %v", what, err)
			}
		}
		named := clip
		named.Named = true
		n, token := r.link(anna, named)
		if v, _, err := r.Enter(ctx, id.DefaultTenant, token); err != nil || v.Place != "Front door" {
			t.Errorf("a link whose owner ticked the name tells %q, %v", v.Place, err)
		}
		r.clock.Set(n.Until.Time())
		if _, _, err := r.Enter(ctx, id.DefaultTenant, token); code(err) != "link.over" {
			t.Errorf("after a day: %v", err)
		}
	})
}

func TestLinksThatDoNotFit(t *testing.T) {
	promise.Proves(t, "P127", "P132")
	r := begin(t, sqltest.SQLite(t))
	anna, ben := person(), person()
	site, door := r.place(anna)
	_, foreign := r.place(ben)
	clip := Wanted{Scope: Scope{Binding: door}, Terms: can(permit.Playback), Confirmed: true}
	clip.From, clip.To = 1000, 2000
	for name, c := range map[string]struct {
		change func(*Wanted)
		want   string
	}{
		"a clip":            {func(*Wanted) {}, ""},
		"live":              {func(w *Wanted) { w.Terms = can(permit.LiveView) }, ""},
		"not warned":        {func(w *Wanted) { w.Confirmed = false }, "share.warned"},
		"a place":           {func(w *Wanted) { w.Scope = Scope{Site: site} }, "share.link"},
		"all footage":       {func(w *Wanted) { w.From, w.To = 0, 0 }, "share.link"},
		"live and a clip":   {func(w *Wanted) { w.Abilities = []permit.Ability{permit.LiveView} }, "share.link"},
		"live and playback": {func(w *Wanted) { w.Terms = can(permit.LiveView, permit.Playback) }, "share.link"},
		"talking":           {func(w *Wanted) { w.Abilities = append(w.Abilities, permit.Talk) }, "share.abilities"},
		"open at one side":  {func(w *Wanted) { w.To = 0 }, "share.window"},
		"a week":            {func(w *Wanted) { w.To = w.From + 7*86400_000 }, "share.window"},
		"for a year":        {func(w *Wanted) { w.Until = clock.At(start.AddDate(1, 0, 0)) }, "share.until"},
		"another's camera":  {func(w *Wanted) { w.Scope = Scope{Binding: foreign} }, "not_found"},
	} {
		w := clip
		w.Abilities = slices.Clone(clip.Abilities)
		c.change(&w)
		if _, _, err := r.Link(ctx, r.permit(anna, permit.ShareChange), id.DefaultTenant, anna, w); code(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	if _, _, err := r.Link(ctx, r.permit(ben, permit.ShareChange), id.DefaultTenant, anna, clip); code(err) != "not_found" {
		t.Errorf("somebody else opens the owner's camera: %v", err)
	}
	_, token := r.link(anna, clip)
	for range maxVisits {
		if _, _, err := r.Enter(ctx, id.DefaultTenant, token); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := r.Enter(ctx, id.DefaultTenant, token); code(err) != "link.too_many_visitors" {
		t.Errorf("one browser more than a link has room for: %v", err)
	}
}

// What the database holds of tokens and addresses helps nobody.
func TestTokensAreNotKept(t *testing.T) {
	r := begin(t, sqltest.SQLite(t))
	anna := person()
	site, door := r.place(anna)
	_, invite := r.invite(anna, Wanted{Scope: Scope{Site: site}, Terms: can(permit.LiveView), Email: "canary@heron.example", Label: "Canary Label"})
	clip := Wanted{Scope: Scope{Binding: door}, Terms: can(permit.Playback), Named: true}
	clip.From, clip.To = 1000, 2000
	_, link := r.link(anna, clip)
	_, own, err := r.Enter(ctx, id.DefaultTenant, link)
	if err != nil {
		t.Fatal(err)
	}
	var kept []byte
	for _, q := range []string{"SELECT hex(token_hash) || hex(coalesce(addressed, '')) || hex(terms) || hex(about) || abilities FROM share_share", "SELECT hex(token_hash) FROM share_visit"} {
		var rows []string
		if err := r.DB.Read.NewRaw(q).Scan(ctx, &rows); err != nil || len(rows) == 0 {
			t.Fatal(err, len(rows))
		}
		kept = append(kept, strings.Join(rows, " ")...)
	}
	for _, secret := range []string{invite, link, own, "canary", "Canary Label", "Elm Street", "Front door"} {
		if bytes.Contains(kept, []byte(secret)) || bytes.Contains(kept, []byte(strings.ToUpper(hexOf(secret)))) {
			t.Errorf("the rows hold %q", secret)
		}
	}
}

func hexOf(s string) string {
	const digits = "0123456789abcdef"
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteByte(digits[c>>4])
		b.WriteByte(digits[c&15])
	}
	return b.String()
}

// Closing either account takes that person's row, ends the share, and leaves the other's whole.
func TestEitherSideMayGo(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := begin(t, db)
		h := Holder{Of: r.Room}
		anna := person()
		site, door := r.place(anna)
		ben, share := r.member(anna, Wanted{Scope: Scope{Site: site}, Terms: can(permit.LiveView), Label: "Ben from next door"})
		cem, _ := r.member(anna, Wanted{Scope: Scope{Binding: door}, Terms: can(permit.Playback), Label: "Cem"})
		counted := func(a id.Account) map[string]int64 {
			w := rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(a)}
			held, err := h.Count(ctx, permit.Permit{}, w)
			if err != nil {
				t.Fatal(err)
			}
			p, err := r.gate.Permit(ctx, gate.Request{Tenant: id.DefaultTenant, Actor: permit.System(gate.Rights), Action: permit.PrivacyExport, Account: a})
			if err != nil {
				t.Fatal(err)
			}
			var out bytes.Buffer
			if err := h.Export(ctx, p, w, &out); err != nil {
				t.Fatal(err)
			}
			lines := map[string]int64{}
			for line := range strings.Lines(out.String()) {
				var one struct{ Kind string }
				if err := json.Unmarshal([]byte(line), &one); err != nil {
					t.Fatal(err)
				}
				lines[one.Kind]++
			}
			for _, k := range held {
				if lines[k.Kind] != k.Count {
					t.Errorf("%d of %s are counted, %d exported", k.Count, k.Kind, lines[k.Kind])
				}
			}
			return lines
		}
		if got := counted(anna); got["share"] != 2 || got["membership"] != 0 {
			t.Errorf("of the owner are held %v", got)
		}
		if got := counted(ben); got["share"] != 0 || got["membership"] != 1 {
			t.Errorf("of the member are held %v", got)
		}
		erase := func(a id.Account) {
			w := rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(a)}
			for range 2 { // a goodbye that is said again
				if _, err := h.Erase(ctx, w); err != nil {
					t.Fatal(err)
				}
			}
			found, err := h.Scan(ctx, w)
			for _, f := range found {
				if f.Found != 0 {
					t.Errorf("%s still has %d", f.Where, f.Found)
				}
			}
			if err != nil || len(found) != 2 {
				t.Error(found, err)
			}
		}
		erase(ben)
		given, err := r.Given(ctx, r.permit(anna, permit.ShareRead), id.DefaultTenant, anna)
		if err != nil || len(given) != 2 {
			t.Fatal(given, err)
		}
		for _, g := range given {
			if (g.ID == share) != (g.State == Ended && g.Member.IsZero()) {
				t.Errorf("%s is %s with member %v", g.Label, g.State, g.Member)
			}
		}
		members, _ := Names(given)
		if members[cem] != "Cem" || len(members) != 1 {
			t.Errorf("named are %v", members)
		}
		if _, err := r.ask(permit.Actor{Account: ben}, permit.CameraRead, door); code(err) != "not_found" {
			t.Errorf("a former member: %v", err)
		}
		erase(anna)
		r.town.do(func() { r.town.closed[anna] = true })
		received, err := r.Received(ctx, r.permit(cem, permit.ShareRead), id.DefaultTenant, cem)
		if err != nil || len(received) != 1 || !received[0].Over || received[0].Place != "Elm Street" || received[0].By != "Anna" {
			t.Errorf("the member is left with %+v, %v", received, err)
		}
		if err := r.Leave(ctx, r.permit(cem, permit.ShareChange), id.DefaultTenant, cem, received[0].ID); err != nil {
			t.Error(err)
		}
		if got := counted(cem); len(got) != 0 {
			t.Errorf("after leaving: %v", got)
		}
	})
}

// A member leaves, an owner forgets; nobody else can do either.
func TestLeavingAndForgetting(t *testing.T) {
	r := begin(t, sqltest.SQLite(t))
	anna, stranger := person(), person()
	_, door := r.place(anna)
	ben, s := r.member(anna, Wanted{Scope: Scope{Binding: door}, Terms: can(permit.LiveView)})
	if all, err := r.With(ctx, id.DefaultTenant, ben); err != nil || len(all) != 1 || all[0].Binding != door || all[0].Owner != anna {
		t.Errorf("shared with the member: %v, %v", all, err)
	}
	if all, err := r.Members(ctx, id.DefaultTenant, anna, door); err != nil || !slices.Equal(all, []id.Account{ben}) {
		t.Errorf("members: %v, %v", all, err)
	}
	for _, a := range []id.Account{stranger, ben} {
		if err := r.End(ctx, r.permit(a, permit.ShareChange), id.DefaultTenant, a, s); code(err) != "not_found" {
			t.Errorf("somebody else ends it: %v", err)
		}
	}
	if err := r.Leave(ctx, r.permit(stranger, permit.ShareChange), id.DefaultTenant, stranger, s); code(err) != "not_found" {
		t.Errorf("a stranger leaves it: %v", err)
	}
	lease := r.lease(permit.Actor{Account: ben}, permit.CameraWatch, door)
	if err := r.Leave(ctx, r.permit(ben, permit.ShareChange), id.DefaultTenant, ben, s); err != nil {
		t.Fatal(err)
	}
	if lease.State() != permit.Ended {
		t.Error("who left goes on watching")
	}
	if err := r.End(ctx, r.permit(anna, permit.ShareChange), id.DefaultTenant, anna, s); err != nil { // it has ended: forgotten
		t.Fatal(err)
	}
	if given, err := r.Given(ctx, r.permit(anna, permit.ShareRead), id.DefaultTenant, anna); err != nil || len(given) != 0 {
		t.Errorf("still listed: %v, %v", given, err)
	}
	if err := r.End(ctx, r.permit(anna, permit.ShareChange), id.DefaultTenant, anna, s); code(err) != "not_found" {
		t.Errorf("once more: %v", err)
	}
}

func FuzzToken(f *testing.F) {
	f.Add("AAAAAAAAAAAAAAAAAAAAAA")
	f.Add("")
	f.Add("AAAAAAAAAAAAAAAAAAAAAB")
	f.Fuzz(func(t *testing.T, s string) {
		h, ok := hashed(s)
		if ok && (len(s) != 22 || len(h) != 32) || !ok && h != nil {
			t.Errorf("%q gives %x, %v", s, h, ok)
		}
	})
}
