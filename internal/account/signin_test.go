package account

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

func TestSignIn(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe := r.zoe()
		r.in(" ZOE@example.org", zoe.Account)
		runs := 0
		r.hashing.runs = func() { runs++ }
		for name, c := range map[string]struct{ email, password string }{
			"wrong password": {"zoe@example.org", "three blue heron"},
			"unknown e-mail": {"nobody@example.org", password},
			"nothing":        {"", ""},
			"zero bytes":     {"zoe@example.org", strings.Repeat("\x00", 32)},
			"very long":      {strings.Repeat("z", 10000), strings.Repeat("p", 1<<20)},
		} {
			before := runs
			s, err := r.SignIn(ctx, id.DefaultTenant, c.email, c.password, Client{})
			if !problem.Is(err, "session.wrong") || s != (SignedIn{}) {
				t.Errorf("%s: %v", name, err)
			}
			if runs != before+1 {
				t.Errorf("%s costs %d hashes, a wrong password costs one", name, runs-before)
			}
		}
		if _, err := r.SignIn(ctx, id.Make[id.Tenant](), "zoe@example.org", password, Client{}); !problem.Is(err, "session.wrong") {
			t.Errorf("in another tenant: %v", err)
		}
		s, err := r.Session(ctx, zoe.Token)
		if err != nil || s.Account != zoe.Account || s.ID != zoe.Session || s.Tenant != id.DefaultTenant || s.Language != "en" || !s.Expires.Equal(zoe.Expires) {
			t.Errorf("session %+v, %v", s, err)
		}
		flipped := []byte(zoe.Token)
		flipped[3] ^= 1
		for name, token := range map[string]string{"made up": base64.RawURLEncoding.EncodeToString(make([]byte, tokenSize)), "changed": string(flipped), "no token at all": "\x00'; --"} {
			if s, err := r.Session(ctx, token); !problem.Is(err, "session.ended") || s != (Session{}) {
				t.Errorf("%s: %+v, %v", name, s, err)
			}
		}
		if _, err := r.Session(ctx, ""); !problem.Is(err, "session.needed") {
			t.Errorf("without a token: %v", err)
		}
	})
}

func TestSessionsEndInTime(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		used, unused := r.zoe(), r.person("Max", "max@example.org")
		start := r.clock.Now()
		days := func(n int) time.Time { return start.AddDate(0, 0, n) }
		for day := 1; day <= longestDays; day += 25 {
			r.clock.Set(days(day))
			if _, err := r.Session(ctx, used.Token); err != nil {
				t.Fatalf("a session in use ended on day %d: %v", day, err)
			}
			_, err := r.Session(ctx, unused.Token)
			if day > 1 && day <= unusedDays && err != nil { // looked at on day 26: moved to day 56
				t.Errorf("day %d: %v", day, err)
			}
		}
		r.clock.Set(days(longestDays))
		if _, err := r.Session(ctx, used.Token); err != nil {
			t.Errorf("on the last day: %v", err)
		}
		r.clock.Set(days(longestDays + 1))
		if _, err := r.Session(ctx, used.Token); !problem.Is(err, "session.ended") {
			t.Errorf("after %d days: %v", longestDays, err)
		}
		again := r.in("max@example.org", unused.Account)
		r.clock.Advance((unusedDays + 1) * 24 * time.Hour)
		if _, err := r.Session(ctx, again.Token); !problem.Is(err, "session.ended") {
			t.Errorf("unused for %d days: %v", unusedDays+1, err)
		}
		if in, err := r.SignedIn(ctx, id.DefaultTenant, again.Account, again.Session); in || err != nil {
			t.Errorf("the gate takes it for signed in: %v", err)
		}
		if n, err := r.Expire(ctx); n != 3 || err != nil {
			t.Errorf("expired %d, %v", n, err)
		}
	})
}

func TestSessionsAreListedAndEnded(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe, max := r.zoe(), r.person("Max", "max@example.org")
		r.clock.Advance(time.Hour)
		other := r.in("zoe@example.org", zoe.Account)
		all, err := r.Sessions(ctx, r.permit(zoe, permit.AccountRead), zoe.Tenant, zoe.Account)
		if err != nil || len(all) != 2 || all[0].ID != other.Session || all[1].ID != zoe.Session {
			t.Fatalf("sessions %+v, %v", all, err)
		}
		if s := all[0]; s.Client != "Chrome on Android" || s.CreatedAt != clock.At(r.clock.Now()) || s.SeenOn != clock.DayOf(r.clock.Now()) || s.Expires != clock.At(other.Expires) {
			t.Errorf("session %+v", s)
		}
		lease, err := r.gate.Lease(ctx, gate.Request{Tenant: zoe.Tenant, Actor: permit.Person(zoe.Account, other.Session), Action: permit.PrivacyExport, Account: zoe.Account})
		if err != nil {
			t.Fatal(err)
		}
		ended := r.hears(SessionEnded)
		if err := r.SignOut(ctx, zoe.Tenant, zoe.Account, max.Session); !problem.Is(err, "not_found") {
			t.Errorf("ending another's session: %v", err)
		}
		if err := r.SignOut(ctx, zoe.Tenant, zoe.Account, other.Session); err != nil {
			t.Fatal(err)
		}
		if lease.State() != permit.Ended {
			t.Error("what was open under the session goes on")
		}
		if _, err := r.Session(ctx, other.Token); !problem.Is(err, "session.ended") {
			t.Errorf("the token still works: %v", err)
		}
		if err := r.SignOut(ctx, zoe.Tenant, zoe.Account, other.Session); !problem.Is(err, "not_found") {
			t.Errorf("ending it again: %v", err)
		}
		for _, s := range []SignedIn{zoe, max} {
			if _, err := r.Session(ctx, s.Token); err != nil {
				t.Errorf("another session ended: %v", err)
			}
		}
		eventually(t, "the bus tells", func() bool { return slices.Equal(ended(), []id.Row{id.RowOf(other.Session)}) })
	})
}

func TestNewPasswordEndsOtherSessions(t *testing.T) {
	promise.Proves(t, "P301")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe, max := r.zoe(), r.person("Max", "max@example.org")
		other := r.in("zoe@example.org", zoe.Account)
		const next = "four green herons"
		for code, try := range map[string][2]string{"password.wrong": {"three blue heron", next}, "password.weak": {password, "short"}} {
			if err := r.SetPassword(ctx, zoe.Tenant, zoe.Account, zoe.Session, try[0], try[1]); !problem.Is(err, code) {
				t.Errorf("%v, want %s", err, code)
			}
		}
		if err := r.SetPassword(ctx, zoe.Tenant, zoe.Account, zoe.Session, password, next); err != nil {
			t.Fatal(err)
		}
		if _, err := r.Session(ctx, other.Token); !problem.Is(err, "session.ended") {
			t.Errorf("the other session: %v", err)
		}
		for _, s := range []SignedIn{zoe, max} {
			if _, err := r.Session(ctx, s.Token); err != nil {
				t.Errorf("a session that should stay: %v", err)
			}
		}
		if err := r.VerifyPassword(ctx, zoe.Tenant, zoe.Account, password); !problem.Is(err, "password.wrong") {
			t.Errorf("the old password: %v", err)
		}
		if err := r.VerifyPassword(ctx, zoe.Tenant, zoe.Account, next); err != nil {
			t.Errorf("the new password: %v", err)
		}

		if _, err := r.Reset(ctx, zoe.Tenant, "nobody@example.org"); !problem.Is(err, "not_found") {
			t.Errorf("reset of nobody: %v", err)
		}
		given, err := r.Reset(ctx, zoe.Tenant, "ZOE@example.org")
		if err != nil || CheckPassword(given) != nil {
			t.Fatalf("reset gave %q, %v", given, err)
		}
		if _, err := r.Session(ctx, zoe.Token); !problem.Is(err, "session.ended") {
			t.Errorf("a session outlived the reset: %v", err)
		}
		if s, err := r.SignIn(ctx, zoe.Tenant, "zoe@example.org", given, Client{}); err != nil || s.Account != zoe.Account {
			t.Errorf("signing in with the password given: %v", err)
		}
	})
}

func TestVerifierIsRenewedAtSignIn(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	zoe := r.zoe()
	r.Cost.Time = 2
	r.in("zoe@example.org", zoe.Account)
	v, found, err := r.verifier(ctx, zoe.Tenant, zoe.Account)
	if err != nil || !found || v.cost != r.Cost {
		t.Errorf("verifier %v, %v, %v", v.cost, found, err)
	}
	r.in("zoe@example.org", zoe.Account)
}

func TestGuessingIsSlowedAndNobodyIsLockedOut(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	zoe := r.zoe() // from 192.0.2.7
	runs := 0
	r.hashing.runs = func() { runs++ }
	guess := func(email, from string) bool {
		_, err := r.SignIn(ctx, id.DefaultTenant, email, "a wrong password", Client{Address: from})
		if p, ok := problem.Of(err); ok && p.Code == "request.too_many" {
			if p.Status != 429 || p.Args["retry_after"] == "" || p.Args["retry_after"] == "0" {
				t.Fatalf("refusal %+v", p)
			}
			return false
		}
		return true
	}
	// One place guesses at one address for an hour, every second.
	let := 0
	for range 3600 {
		r.clock.Advance(time.Second)
		if guess("zoe@example.org", "203.0.113.9") {
			let++
		}
	}
	if let < perPair.free || let > 30 || runs != let {
		t.Errorf("%d guesses in an hour were let through, %d hashed", let, runs)
	}
	// Zoe comes from where she always comes: at once.
	r.in("zoe@example.org", zoe.Account)
	// Many places guess at her address together; she comes from a new place and waits seconds, not hours.
	for i := range 400 {
		guess("zoe@example.org", "198.51.100."+string(rune('a'+i%26))+string(rune('a'+i/26)))
	}
	tried := 0
	for ; tried < 30; tried++ {
		_, err := r.SignIn(ctx, id.DefaultTenant, "zoe@example.org", password, Client{Address: "192.0.2.200"})
		if err == nil {
			break
		}
		if !problem.Is(err, "request.too_many") {
			t.Fatal(err)
		}
		r.clock.Advance(time.Second)
	}
	if tried == 0 || tried > 16 {
		t.Errorf("waited %d s at a new place while others guess", tried)
	}
	// One place tries many addresses.
	let = 0
	for i := range 3600 {
		r.clock.Advance(time.Second)
		if guess("person"+string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676))+"@example.org", "203.0.113.10") {
			let++
		}
	}
	if let > 120 {
		t.Errorf("%d addresses were tried from one place in an hour", let)
	}
	if n := len(r.throttle.tries); n > maxTries {
		t.Errorf("%d keys are remembered", n)
	}
	// An hour of rest forgets.
	r.clock.Advance(forgetAfter + time.Minute)
	if !guess("zoe@example.org", "203.0.113.9") || !guess("zoe@example.org", "203.0.113.9") {
		t.Error("still slowed after an hour of rest")
	}
}

func FuzzVerifier(f *testing.F) {
	f.Add(verifier{cheap, make([]byte, saltSize), make([]byte, keySize)}.String())
	f.Add("$argon2id$v=19$m=99999999999,t=1,p=1$$")
	f.Fuzz(func(t *testing.T, in string) {
		if v, err := parseVerifier(in); err == nil && v.String() != in {
			t.Errorf("%q became %q", in, v)
		}
	})
}

func FuzzCheckEmail(f *testing.F) {
	for _, s := range []string{"zoe@example.org", "Zoe <zoe@example.org>", "a@b@c", "\"a b\"@c", "zoe@[127.0.0.1]", "ж@пример.рф"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := CheckEmail(in)
		if err != nil {
			return
		}
		if again, err := CheckEmail(got); err != nil || again != got || strings.Count(got, "@") != 1 {
			t.Errorf("%q became %q, then %q, %v", in, got, again, err)
		}
	})
}
