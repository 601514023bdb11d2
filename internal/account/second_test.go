package account

import (
	"bytes"
	"context"
	"encoding/base32"
	"net/url"
	"strings"
	"testing"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/rights"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

// RFC 6238, appendix B, SHA-1, of which apps show the last six digits.
func TestCodesAreThoseOfTheRFC(t *testing.T) {
	key := []byte("12345678901234567890")
	for at, want := range map[int64]string{59: "287082", 1111111109: "081804", 1111111111: "050471", 1234567890: "005924", 2000000000: "279037", 20000000000: "353130"} {
		if got := totpCode(key, totpStep(time.Unix(at, 0))); got != want {
			t.Errorf("at %d: %s, want %s", at, got, want)
		}
	}
	now := time.Unix(1111111111, 0)
	for off := int64(-3); off <= 3; off++ {
		step := totpStep(now) + off
		if got, ok := totpFind(key, totpCode(key, step), now, 0); ok != (off >= -1 && off <= 1) || ok && got != step {
			t.Errorf("%d steps away: %d, %v", off, got, ok)
		}
		if _, ok := totpFind(key, totpCode(key, step), now, step); ok {
			t.Errorf("%d steps away: a used code is taken", off)
		}
	}
}

// app is an authenticator app that read the QR code.
type app struct{ key []byte }

func read(t *testing.T, o Offer) app {
	t.Helper()
	u, err := url.Parse(o.Address)
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/Candor:Zoe@example.org" {
		t.Fatalf("the QR code says %s, %v", o.Address, err)
	}
	secret := u.Query().Get("secret")
	if strings.ReplaceAll(o.Key, " ", "") != secret {
		t.Errorf("to be typed is %s, to be read %s", o.Key, secret)
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	return app{key}
}

func (a app) code(now time.Time) string { return totpCode(a.key, totpStep(now)) }

// secures turns the second step on.
func (r rig) secures(who SignedIn) (app, []string) {
	r.t.Helper()
	ctx := context.Background()
	o, err := r.OfferSecond(ctx, r.permit(who, permit.AccountRead), who.Tenant, who.Account)
	if err != nil {
		r.t.Fatal(err)
	}
	a := read(r.t, o)
	if on, _, err := r.HasSecond(ctx, who.Tenant, who.Account); on || err != nil {
		r.t.Errorf("on before the first code: %v", err)
	}
	codes, err := r.ConfirmSecond(ctx, who.Tenant, who.Account, a.code(r.clock.Now()))
	if err != nil || len(codes) != recoveryCodes {
		r.t.Fatalf("confirm: %v, %v", codes, err)
	}
	return a, codes
}

func (r rig) half() Asked {
	r.t.Helper()
	in, err := r.SignIn(context.Background(), id.DefaultTenant, "zoe@example.org", password, here)
	if err != nil || in.Step.Request == "" || in != (SignedIn{Step: in.Step}) {
		r.t.Fatalf("the password alone gives %+v, %v", in, err)
	}
	return in.Step
}

func TestSignInTakesASecondStep(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe := r.zoe()
		phone, recovery := r.secures(zoe)
		refuses := func(token, code, want string) {
			t.Helper()
			if in, err := r.FinishSignIn(ctx, token, code, here); !problem.Is(err, want) || in != (SignedIn{}) {
				t.Errorf("%+v, %v, want %s", in, err, want)
			}
		}
		enters := func(code string) {
			t.Helper()
			if in, err := r.FinishSignIn(ctx, r.half().Request, code, here); err != nil || in.Account != zoe.Account || in.Token == "" {
				t.Errorf("%+v, %v", in, err)
			}
		}
		refuses(r.half().Request, phone.code(r.clock.Now()), "step.wrong") // turning it on spent that code
		r.clock.Advance(time.Minute)
		now := phone.code(r.clock.Now())
		enters(now[:3] + " " + now[3:])
		refuses(r.half().Request, now, "step.wrong")
		enters(strings.ToUpper(recovery[3]))
		refuses(r.half().Request, recovery[3], "step.wrong")
		if s, err := r.Second(ctx, zoe.Tenant, zoe.Account); err != nil || !s.On || s.Recovery != recoveryCodes-1 {
			t.Errorf("%+v, %v", s, err)
		}
		r.clock.Advance(time.Hour)
		late := r.half().Request
		r.clock.Advance(stepLasts)
		refuses(late, phone.code(r.clock.Now()), "step.over")
		refuses("", phone.code(r.clock.Now()), "step.over")

		var out bytes.Buffer
		if err := (Holder{r.Room}).Export(ctx, r.permit(zoe, permit.AccountRead), rights.Whose{Tenant: zoe.Tenant, Subject: id.SubjectOf(zoe.Account)}, &out); err != nil {
			t.Fatal(err)
		}
		if s := out.String(); !strings.Contains(s, `"second_step"`) || strings.Contains(s, base32Plain.EncodeToString(phone.key)) {
			t.Errorf("the copy says %s", s)
		}

		if err := r.DropSecond(ctx, zoe.Tenant, zoe.Account, password, recovery[3]); !problem.Is(err, "step.wrong") {
			t.Errorf("turned off with a used code: %v", err)
		}
		if err := r.DropSecond(ctx, zoe.Tenant, zoe.Account, "another password", recovery[4]); !problem.Is(err, "password.wrong") {
			t.Errorf("turned off without the password: %v", err)
		}
		if err := r.DropSecond(ctx, zoe.Tenant, zoe.Account, password, recovery[4]); err != nil {
			t.Fatal(err)
		}
		r.in("zoe@example.org", zoe.Account)
	})
}

func TestFiveWrongCodesAreToldAndLockNobodyOut(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		phone, _ := r.secures(r.zoe())
		letters := func() (n int) {
			for _, l := range r.post.to("Zoe@example.org") {
				if l.Subject == r.Words("en", "mail.stepGuessed.subject", nil) {
					n++
				}
			}
			return n
		}
		thief := Client{Kind: "Firefox on Linux", Address: "198.51.100.9"}
		for round := range 3 { // the first letter comes in the first round
			for range stepTries {
				r.clock.Advance(perPair.longest) // whatever has to be waited is over
				token := r.half().Request
				if _, err := r.FinishSignIn(ctx, token, "000 00x", thief); !problem.Is(err, "step.wrong") {
					t.Fatalf("round %d: %v", round, err)
				}
			}
		}
		if n := letters(); n != 1 {
			t.Errorf("%d letters in an hour, want 1", n)
		}
		r.clock.Advance(perPair.longest)
		token := r.half().Request
		for range stepTries {
			_, _ = r.steps.take(token)
		}
		if _, err := r.FinishSignIn(ctx, token, phone.code(r.clock.Now()), here); !problem.Is(err, "step.over") {
			t.Errorf("after five tries: %v", err)
		}
		r.clock.Advance(perPair.longest)
		if _, err := r.FinishSignIn(ctx, r.half().Request, phone.code(r.clock.Now()), here); err != nil {
			t.Errorf("the owner: %v", err)
		}
	})
}

func TestANewPasswordKeepsTheSecondStepAndTheOperatorTakesItAway(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe := r.zoe()
		phone, _ := r.secures(zoe)
		waits := r.half().Request
		asked, err := r.AskReset(ctx, zoe.Tenant, Ask{Email: "Zoe@example.org", Language: "en", Client: here})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.ResetByCode(ctx, zoe.Tenant, asked.Request, "Zoe@example.org", r.post.code("Zoe@example.org"), password); err != nil {
			t.Fatal(err)
		}
		r.clock.Advance(time.Minute)
		if _, err := r.FinishSignIn(ctx, waits, phone.code(r.clock.Now()), here); !problem.Is(err, "step.over") {
			t.Errorf("a sign-in with the old password goes on: %v", err)
		}
		r.half()
		next, err := r.Reset(ctx, zoe.Tenant, "zoe@example.org")
		if err != nil {
			t.Fatal(err)
		}
		last := r.post.to("Zoe@example.org")
		if len(last) == 0 || last[len(last)-1].Subject != r.Words("en", "mail.operatorReset.subject", nil) {
			t.Errorf("the operator's reset is not told: %+v", last)
		}
		if in, err := r.SignIn(ctx, zoe.Tenant, "zoe@example.org", next, here); err != nil || in.Token == "" {
			t.Errorf("after the operator's reset: %+v, %v", in, err)
		}
	})
}
