package account

import (
	"context"
	"fmt"
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

const newcomer = "Max@example.org"

var (
	here  = Client{Kind: "Firefox on Linux", Address: "192.0.2.7"}
	there = Client{Kind: "Chrome on Windows", Address: "203.0.113.9"}
	max1  = New{Name: "Max", Email: newcomer, Password: "four green herons", Language: "zh-Hans", TimeZone: "Asia/Shanghai"}
)

func (r rig) asks(email string, from Client) Asked {
	r.t.Helper()
	asked, err := r.AskSignUp(context.Background(), id.DefaultTenant, Ask{Email: email, Language: "en", Client: from})
	if err != nil {
		r.t.Fatal(err)
	}
	return asked
}

func wrong(code string) string {
	last := (code[len(code)-1]-'0'+1)%10 + '0'
	return code[:len(code)-1] + string(last)
}

// An account begins with the right code, once; a wrong, used or expired one, or somebody else's, changes nothing.
func TestSignUpTakesTheCode(t *testing.T) {
	promise.Proves(t, "P004")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		r.zoe()
		none := func(what string) {
			t.Helper()
			if _, known, err := r.keeper.Account(ctx, id.DefaultTenant, newcomer); known || err != nil {
				t.Fatalf("%s: there is an account: %v", what, err)
			}
		}
		asked := r.asks(newcomer, here)
		code := r.post.code(newcomer)
		if !eight.MatchString(code) || !asked.Until.Equal(r.clock.Now().Add(codeLasts)) {
			t.Fatalf("asked %+v, code %q", asked, code)
		}
		none("asking")
		other := r.asks("eve@example.org", there)
		for name, c := range map[string]struct{ request, email, code, problem string }{
			"wrong":               {asked.Request, newcomer, wrong(code), "code.wrong"},
			"empty":               {asked.Request, newcomer, "", "code.wrong"},
			"another address":     {asked.Request, "eve@example.org", code, "code.wrong"},
			"another's code":      {asked.Request, newcomer, r.post.code("eve@example.org"), "code.wrong"},
			"another's request":   {other.Request, newcomer, code, "code.wrong"},
			"no request":          {"", newcomer, code, "code.over"},
			"a request never had": {strings.Repeat("A", 32), newcomer, code, "code.over"},
		} {
			n := max1
			n.Email = c.email
			if _, err := r.SignUp(ctx, id.DefaultTenant, c.request, c.code, n); !problem.Is(err, c.problem) {
				t.Errorf("%s: %v, want %s", name, err, c.problem)
			}
			none(name)
		}
		weak := max1
		weak.Password = "short"
		for range 2 * codeTries { // costs no try
			if _, err := r.SignUp(ctx, id.DefaultTenant, asked.Request, code, weak); !problem.Is(err, "password.weak") {
				t.Fatalf("a weak password: %v", err)
			}
		}
		a, err := r.SignUp(ctx, id.DefaultTenant, asked.Request, " "+code+"\n", max1)
		if err != nil {
			t.Fatal(err)
		}
		if in, err := r.SignIn(ctx, id.DefaultTenant, newcomer, max1.Password, here); err != nil || in.Account != a {
			t.Fatalf("signing in: %v", err)
		}
		again := max1
		again.Email = newcomer
		if _, err := r.SignUp(ctx, id.DefaultTenant, asked.Request, code, again); !problem.Is(err, "code.over") {
			t.Errorf("the same code again: %v", err)
		}

		late := r.asks("late@example.org", here)
		r.clock.Advance(codeLasts)
		n := max1
		n.Email = "late@example.org"
		if _, err := r.SignUp(ctx, id.DefaultTenant, late.Request, r.post.code("late@example.org"), n); !problem.Is(err, "code.over") {
			t.Errorf("a quarter of an hour later: %v", err)
		}
	})
}

func TestFiveWrongCodesEndARequest(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	r.zoe()
	asked := r.asks(newcomer, here)
	code := r.post.code(newcomer)
	for n := range codeTries {
		if _, err := r.SignUp(ctx, id.DefaultTenant, asked.Request, wrong(code), max1); !problem.Is(err, "code.wrong") {
			t.Fatalf("try %d: %v", n, err)
		}
	}
	if _, err := r.SignUp(ctx, id.DefaultTenant, asked.Request, code, max1); !problem.Is(err, "code.over") {
		t.Errorf("the right code after %d wrong ones: %v", codeTries, err)
	}
	asked = r.asks(newcomer, here)
	if _, err := r.SignUp(ctx, id.DefaultTenant, asked.Request, r.post.code(newcomer), max1); err != nil {
		t.Errorf("a new request: %v", err)
	}
}

// Nothing that others do keeps somebody from the code they asked for.
func TestStrangersCannotKeepSomebodyOut(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	r.zoe()
	mine := r.asks(newcomer, here)
	code := r.post.code(newcomer)
	// A stranger asks for the same address again and again, and guesses as often as they may.
	refused := 0
	for range 3 * codesOfPair.burst {
		asked, err := r.AskSignUp(ctx, id.DefaultTenant, Ask{Email: newcomer, Language: "en", Client: there})
		if problem.Is(err, "request.too_many") {
			refused++
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		for range 2 * codeTries {
			_, _ = r.SignUp(ctx, id.DefaultTenant, asked.Request, "0000 0000", max1)
		}
	}
	if refused != 2*codesOfPair.burst {
		t.Errorf("%d of %d were refused", refused, 3*codesOfPair.burst)
	}
	if n := len(r.post.to(newcomer)); n > 1+codesOfPair.burst {
		t.Errorf("%d letters", n)
	}
	if _, err := r.SignUp(ctx, id.DefaultTenant, mine.Request, code, max1); err != nil {
		t.Errorf("my code, after all of it: %v", err)
	}

	// Many places ask for one address: the letters are bounded, and whoever comes from yet another
	// place still gets in, with the newest letter's code.
	const flooded = "flooded@example.org"
	for n := range 60 {
		r.asks(flooded, Client{Address: fmt.Sprint("198.51.100.", n)})
	}
	if n := len(r.post.to(flooded)); n != codesOfPerson.burst {
		t.Errorf("%d letters, want %d", n, codesOfPerson.burst)
	}
	n := max1
	n.Email = flooded
	asked := r.asks(flooded, Client{Address: "192.0.2.99"})
	if _, err := r.SignUp(ctx, id.DefaultTenant, asked.Request, r.post.code(flooded), n); err != nil {
		t.Errorf("from a new place while others ask: %v", err)
	}
}

// Those who share a code cannot try without end, and cannot spend the tries of whoever caused it.
func TestSharedTriesAreBounded(t *testing.T) {
	c := clock.NewVirtual(time.Date(2031, 5, 6, 15, 10, 9, 0, time.UTC))
	k := newCodes(c)
	ask := func(place string) (Asked, string) {
		t.Helper()
		asked, code, err := k.ask(forReset, id.DefaultTenant, "zoe@example.org", place, id.Account{}, false)
		if err != nil {
			t.Fatal(err)
		}
		return asked, code
	}
	var owner Asked
	var code string
	for n := range codesOfPerson.burst {
		owner, code = ask(fmt.Sprint("first ", n))
	}
	tried := 0
	for n := range 2 * sharedTries {
		asked, none := ask(fmt.Sprint("second ", n))
		if none != "" {
			t.Fatal("another letter was caused")
		}
		for range codeTries {
			if _, _, err := k.enter(forReset, id.DefaultTenant, asked.Request, "zoe@example.org", wrong(code)); problem.Is(err, "code.wrong") {
				tried++
			}
		}
	}
	if tried != sharedTries {
		t.Errorf("%d tries were shared, want %d", tried, sharedTries)
	}
	if _, settle, err := k.enter(forReset, id.DefaultTenant, owner.Request, "zoe@example.org", code); err != nil {
		t.Errorf("the one it was sent for: %v", err)
	} else {
		settle(true)
	}
	c.Advance(24 * time.Hour)
	ask("later")
	if len(k.open) != 1 || len(k.newest) != 1 || len(k.full) != 3 {
		t.Errorf("%d requests, %d codes, %d quotas are remembered after a day", len(k.open), len(k.newest), len(k.full))
	}
}

// Whether an address has an account shows in no answer and in no amount of work.
func TestKnownAndUnknownAddressesLookAlike(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe := r.zoe()
		runs := 0
		r.hashing.runs = func() { runs++ }
		for name, ask := range map[string]func(context.Context, id.Tenant, Ask) (Asked, error){"sign-up": r.AskSignUp, "reset": r.AskReset} {
			known, err1 := ask(ctx, id.DefaultTenant, Ask{Email: "zoe@example.org", Language: "en", Client: there})
			unknown, err2 := ask(ctx, id.DefaultTenant, Ask{Email: "nobody@example.org", Language: "en", Client: there})
			if err1 != nil || err2 != nil || len(known.Request) != len(unknown.Request) || !known.Until.Equal(unknown.Until) {
				t.Errorf("%s: %+v %v, %+v %v", name, known, err1, unknown, err2)
			}
			if runs != 0 {
				t.Errorf("%s: asking costs %d hashes", name, runs)
			}
			if name != "reset" {
				continue
			}
			for email, asked := range map[string]Asked{"zoe@example.org": known, "nobody@example.org": unknown} {
				for n := range codeTries + 1 {
					want := "code.wrong"
					if n == codeTries {
						want = "code.over"
					}
					if err := r.ResetByCode(ctx, id.DefaultTenant, asked.Request, email, "0000 0000", "four green herons"); !problem.Is(err, want) {
						t.Errorf("%s, try %d: %v, want %s", email, n, err, want)
					}
				}
			}
			if runs != 0 {
				t.Errorf("wrong codes cost %d hashes", runs)
			}
		}
		letters := r.post.to("zoe@example.org")
		if len(letters) != 2 || len(r.post.to("nobody@example.org")) != 1 {
			t.Errorf("Zoe got %d letters, nobody %d", len(letters), len(r.post.to("nobody@example.org")))
		}
		for _, l := range letters {
			if l.Subject == "You already have a Candor account" && (eight.MatchString(l.Text) || !l.Code || l.Until.IsZero()) {
				t.Errorf("letter %+v", l)
			}
		}
		// A queue that is full is not told of: it would tell that the account is there.
		r.post.err = problem.Unavailable("mail.full")
		if _, err := r.AskReset(ctx, id.DefaultTenant, Ask{Email: "zoe@example.org", Language: "en", Client: here}); err != nil {
			t.Errorf("a full queue: %v", err)
		}
		if _, err := r.Session(ctx, zoe.Token); err != nil {
			t.Errorf("somebody asked, and a session ended: %v", err)
		}
	})
}

func TestAForgottenPassword(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe, stays := r.zoe(), r.person("Max", newcomer)
		lease, err := r.gate.Lease(ctx, gate.Request{Tenant: zoe.Tenant, Actor: permit.Person(zoe.Account, zoe.Session), Action: permit.PrivacyExport, Account: zoe.Account})
		if err != nil {
			t.Fatal(err)
		}
		for range 8 { // slowed down at her place
			_, _ = r.SignIn(ctx, zoe.Tenant, "zoe@example.org", "a wrong password", there)
		}
		asked, err := r.AskReset(ctx, zoe.Tenant, Ask{Email: "ZOE@example.org", Language: "en", Client: here})
		if err != nil {
			t.Fatal(err)
		}
		code := r.post.code("ZOE@example.org")
		const next = "four green herons"
		for name, c := range map[string]struct{ request, email, code, password, problem string }{
			"weak":            {asked.Request, "zoe@example.org", code, "short", "password.weak"},
			"the address":     {asked.Request, "zoe@example.org", code, "Zoe@example.org", "password.weak"},
			"wrong code":      {asked.Request, "zoe@example.org", wrong(code), next, "code.wrong"},
			"another account": {asked.Request, newcomer, code, next, "code.wrong"},
		} {
			if err := r.ResetByCode(ctx, zoe.Tenant, c.request, c.email, c.code, c.password); !problem.Is(err, c.problem) {
				t.Errorf("%s: %v, want %s", name, err, c.problem)
			}
		}
		if err := r.ResetByCode(ctx, zoe.Tenant, asked.Request, "zoe@example.org", code, next); err != nil {
			t.Fatal(err)
		}
		if lease.State() != permit.Ended {
			t.Error("what was open goes on")
		}
		if _, err := r.Session(ctx, zoe.Token); !problem.Is(err, "session.ended") {
			t.Errorf("a session outlived it: %v", err)
		}
		if _, err := r.Session(ctx, stays.Token); err != nil {
			t.Errorf("somebody else was signed out: %v", err)
		}
		if in, err := r.SignIn(ctx, zoe.Tenant, "zoe@example.org", next, here); err != nil || in.Account != zoe.Account {
			t.Errorf("the new password: %v", err)
		}
		if err := r.ResetByCode(ctx, zoe.Tenant, asked.Request, "zoe@example.org", code, next); !problem.Is(err, "code.over") {
			t.Errorf("the same code again: %v", err)
		}
		told := r.post.to("Zoe@example.org")
		if len(told) == 0 || told[0].Subject != "Your Candor password was changed" || told[0].Account != zoe.Account || told[0].Code {
			t.Errorf("told %+v", told)
		}
		// A code that waits while the account closes opens nothing.
		if asked, err = r.AskReset(ctx, zoe.Tenant, Ask{Email: "zoe@example.org", Client: here}); err != nil {
			t.Fatal(err)
		}
		code = r.post.code("zoe@example.org")
		if err := r.Close(ctx, zoe.Tenant, zoe.Account); err != nil {
			t.Fatal(err)
		}
		if err := r.ResetByCode(ctx, zoe.Tenant, asked.Request, "zoe@example.org", code, "three red herons"); !problem.Is(err, "code.over") {
			t.Errorf("after the account closed: %v", err)
		}
	})
}

func TestAnotherAddress(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	zoe, max := r.zoe(), r.person("Max", newcomer)
	p := r.permit(zoe, permit.AccountChange)
	if _, err := r.AskEmail(ctx, zoe.Tenant, zoe.Account, "not hers at all", Ask{Email: "new@example.org"}); !problem.Is(err, "password.wrong") {
		t.Errorf("without the password: %v", err)
	}
	asked, err := r.AskEmail(ctx, zoe.Tenant, zoe.Account, password, Ask{Email: "new@example.org", Language: "en"})
	if err != nil {
		t.Fatal(err)
	}
	code := r.post.code("new@example.org")
	if err := r.SetEmail(ctx, r.permit(max, permit.AccountChange), max.Tenant, max.Account, asked.Request, "new@example.org", code); !problem.Is(err, "code.wrong") {
		t.Errorf("another person's code: %v", err)
	}
	if err := r.ResetByCode(ctx, zoe.Tenant, asked.Request, "new@example.org", code, "four green herons"); !problem.Is(err, "code.over") {
		t.Errorf("a code for something else: %v", err)
	}
	if err := r.SetEmail(ctx, p, zoe.Tenant, zoe.Account, asked.Request, "new@example.org", code); err != nil {
		t.Fatal(err)
	}
	r.in("new@example.org", zoe.Account)
	told := r.post.to("Zoe@example.org")
	if len(told) != 1 || told[0].Subject != "Your Candor address was changed" || strings.Contains(told[0].Text, "new@example.org") {
		t.Errorf("the old address was told %+v", told)
	}
	// An address that is taken: the same answer, a letter without a code.
	taken, err := r.AskEmail(ctx, zoe.Tenant, zoe.Account, password, Ask{Email: newcomer, Language: "en"})
	if err != nil || taken.Request == "" || r.post.code(newcomer) != "" {
		t.Errorf("a taken address: %+v, %v, code %q", taken, err, r.post.code(newcomer))
	}
}

func TestWhoMaySignUp(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	ask := func(email, invitation string) error {
		_, err := r.AskSignUp(ctx, id.DefaultTenant, Ask{Email: email, Language: "en", Invitation: invitation, Client: there})
		return err
	}
	if err := ask(newcomer, ""); !problem.Is(err, "sign_up.closed") {
		t.Errorf("before set-up: %v", err)
	}
	r.zoe()
	r.SignUps = DoorInvited
	if err := ask(newcomer, "token"); !problem.Is(err, "sign_up.invited") {
		t.Errorf("where nobody invites: %v", err)
	}
	r.Invited = func(_ context.Context, _ id.Tenant, token, email string) error {
		switch {
		case token == "to max" && strings.EqualFold(email, newcomer), token == "to whom it may concern":
			return nil
		case token == "to max":
			return problem.Forbidden("invite.other")
		}
		return problem.NotFound()
	}
	for _, c := range []struct{ email, invitation, problem string }{
		{"MAX@example.org", "to max", ""}, {"eve@example.org", "to max", "invite.other"}, {"eve@example.org", "to whom it may concern", ""},
		{newcomer, "forged", "not_found"}, {newcomer, "", "sign_up.invited"},
	} {
		if err := ask(c.email, c.invitation); c.problem == "" && err != nil || c.problem != "" && !problem.Is(err, c.problem) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	r.SignUps = DoorClosed
	if err := ask(newcomer, "to max"); !problem.Is(err, "sign_up.closed") {
		t.Errorf("closed: %v", err)
	}
	r.SignUps, r.Mail = DoorOpen, nil
	if err := ask(newcomer, ""); !problem.Is(err, "mail.none") {
		t.Errorf("without mail: %v", err)
	}
	if _, err := r.AskReset(ctx, id.DefaultTenant, Ask{Email: newcomer}); !problem.Is(err, "mail.none") {
		t.Errorf("a reset without mail: %v", err)
	}
}

// A kind of browser that was not used before is told of, once, and not the first.
func TestANewKindOfBrowserIsTold(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe := r.zoe() // Chrome on Android
		for range 2 {
			r.in("zoe@example.org", zoe.Account)
		}
		if told := r.post.to("Zoe@example.org"); len(told) != 0 {
			t.Errorf("told of her own browser: %+v", told)
		}
		for range 2 {
			if _, err := r.SignIn(ctx, zoe.Tenant, "zoe@example.org", password, here); err != nil {
				t.Fatal(err)
			}
		}
		told := r.post.to("Zoe@example.org")
		if len(told) != 1 || !strings.Contains(told[0].Text, "Firefox on Linux") || strings.Contains(told[0].Text, here.Address) || told[0].Code {
			t.Errorf("told %+v", told)
		}
		got, err := r.clients(ctx, r.permit(zoe, permit.PrivacyExport), zoe.Tenant, zoe.Account)
		if err != nil || strings.Join(got, ",") != "Chrome on Android,Firefox on Linux" {
			t.Errorf("remembered %v, %v", got, err)
		}
	})
}

func TestSigningOutEverywhereElse(t *testing.T) {
	promise.Proves(t, "P302")
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	zoe, max := r.zoe(), r.person("Max", newcomer)
	others := []SignedIn{r.in("zoe@example.org", zoe.Account), r.in("zoe@example.org", zoe.Account)}
	ended, err := r.SignOutOthers(ctx, zoe.Tenant, zoe.Account, zoe.Session)
	if err != nil || len(ended) != 2 {
		t.Errorf("ended %v, %v", ended, err)
	}
	for _, s := range others {
		if _, err := r.Session(ctx, s.Token); !problem.Is(err, "session.ended") {
			t.Errorf("another session goes on: %v", err)
		}
	}
	for _, s := range []SignedIn{zoe, max} {
		if _, err := r.Session(ctx, s.Token); err != nil {
			t.Errorf("a session that should stay: %v", err)
		}
	}
}

func FuzzCode(f *testing.F) {
	f.Add("token", "a@example.org", "1234 5678")
	f.Add("", "\x00", "\u00a0\xff")
	k := newCodes(clock.NewVirtual(time.Date(2031, 5, 6, 15, 10, 9, 0, time.UTC)))
	asked, code, err := k.ask(forReset, id.DefaultTenant, "zoe@example.org", "", id.Account{}, true)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, token, email, typing string) {
		if _, _, err := k.enter(forReset, id.DefaultTenant, token, email, typing); err == nil && !(token == asked.Request && typed(typing) == code) {
			t.Errorf("%q %q %q was let in", token, email, typing)
		}
	})
}
