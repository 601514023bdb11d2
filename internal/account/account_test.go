package account

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
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

func ptr(s string) *string { return &s }

// Each field can be read and changed by its owner and by nobody else, and the change is in the export.
func TestOwnersReadAndChangeTheirAccount(t *testing.T) {
	promise.Proves(t, "P262")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe, mallory := r.zoe(), r.person("Mallory", "mallory@example.org")
		p := r.permit(zoe, permit.AccountRead)
		got, err := r.Get(ctx, p, zoe.Tenant, zoe.Account)
		want := Profile{zoe.Account, "Zoe Ünal", "Zoe@example.org", "en", "system", "Europe/Berlin", clock.At(r.clock.Now())}
		if err != nil || got != want {
			t.Fatalf("got %+v, %v; want %+v", got, err, want)
		}
		for name, p := range map[string]permit.Permit{"none": {}, "another's": r.permit(mallory, permit.AccountRead), "for cameras": r.permit(zoe, permit.CameraList)} {
			if got, err := r.Get(ctx, p, zoe.Tenant, zoe.Account); !errors.Is(err, seal.ErrClosed) || got != (Profile{}) {
				t.Errorf("permit %s reads %+v, %v", name, got, err)
			}
			if _, err := r.Change(ctx, p, zoe.Tenant, zoe.Account, Change{Name: ptr("Eve")}); !errors.Is(err, seal.ErrClosed) {
				t.Errorf("permit %s changes: %v", name, err)
			}
		}
		p = r.permit(zoe, permit.AccountChange)
		want.Name, want.Language, want.Theme, want.TimeZone = "Zoë", "zh-Hans", "dark", "Asia/Shanghai"
		changed := Change{ptr("Zoë"), ptr("zh-Hans"), ptr("dark"), ptr("Asia/Shanghai")}
		if got, err := r.Change(ctx, p, zoe.Tenant, zoe.Account, changed); err != nil || got != want {
			t.Errorf("changed to %+v, %v", got, err)
		}
		asked, err := r.AskEmail(ctx, zoe.Tenant, zoe.Account, password, Ask{Email: "zoe@new.example", Language: "en"})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.SetEmail(ctx, p, zoe.Tenant, zoe.Account, asked.Request, "zoe@new.example", r.post.code("zoe@new.example")); err != nil {
			t.Fatal(err)
		}
		want.Email = "zoe@new.example"
		if got, err := r.Get(ctx, p, zoe.Tenant, zoe.Account); err != nil || got != want {
			t.Errorf("reads back %+v, %v", got, err)
		}
		r.in("zoe@new.example", zoe.Account)
		if _, err := r.SignIn(ctx, zoe.Tenant, "zoe@example.org", password, Client{}); !problem.Is(err, "session.wrong") {
			t.Errorf("the old address still signs in: %v", err)
		}
		var out bytes.Buffer
		export := r.permit(zoe, permit.PrivacyExport)
		w := rights.Whose{Tenant: zoe.Tenant, Subject: id.SubjectOf(zoe.Account)}
		if err := (Holder{r.Room}).Export(ctx, export, w, &out); err != nil {
			t.Fatal(err)
		}
		for _, v := range []string{"Zoë", "zoe@new.example", "zh-Hans", "dark", "Asia/Shanghai", "Chrome on Android"} {
			if !strings.Contains(out.String(), v) {
				t.Errorf("export lacks %q: %s", v, out.String())
			}
		}
		for _, v := range []string{"argon2", "zoe@example.org", "Mallory", "192.0.2.7"} {
			if strings.Contains(out.String(), v) {
				t.Errorf("export holds %q", v)
			}
		}
	})
}

func TestWhatIsNoAccountIsRefused(t *testing.T) {
	promise.Proves(t, "P301")
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	r.zoe()
	good := New{Name: "Max", Email: "max@example.org", Password: password, Language: "en"}
	for name, c := range map[string]struct {
		change func(*New)
		code   string
	}{
		"no name":            {func(n *New) { n.Name = "  " }, "name.invalid"},
		"long name":          {func(n *New) { n.Name = strings.Repeat("ü", maxName+1) }, "name.invalid"},
		"control in name":    {func(n *New) { n.Name = "Max\x00" }, "name.invalid"},
		"no e-mail":          {func(n *New) { n.Email = "" }, "email.invalid"},
		"e-mail with a name": {func(n *New) { n.Email = "Max <max@example.org>" }, "email.invalid"},
		"two e-mails":        {func(n *New) { n.Email = "max@example.org, zoe@example.org" }, "email.invalid"},
		"taken, other case":  {func(n *New) { n.Email = " zOE@Example.ORG " }, "email.taken"},
		"short password":     {func(n *New) { n.Password = "ünîcödë9!" }, "password.weak"},
		"common password":    {func(n *New) { n.Password = "Password123" }, "password.weak"},
		"one character":      {func(n *New) { n.Password = "zzzzzzzzzzzz" }, "password.weak"},
		"e-mail as password": {func(n *New) { n.Password = "MAX@example.org" }, "password.weak"},
		"endless password":   {func(n *New) { n.Password = strings.Repeat("ab", maxPassword) }, "password.long"},
		"unknown language":   {func(n *New) { n.Language = "tlh" }, "language.unknown"},
		"unknown zone":       {func(n *New) { n.TimeZone = "Mars/Olympus" }, "time_zone.unknown"},
		"zone out of bounds": {func(n *New) { n.TimeZone = "../../etc/passwd" }, "time_zone.unknown"},
		"not the first":      {func(n *New) { n.First = true }, "setup.done"},
	} {
		n := good
		c.change(&n)
		if a, err := r.Create(ctx, id.DefaultTenant, n); !problem.Is(err, c.code) || !a.IsZero() {
			t.Errorf("%s: %v, %v, want %s", name, a, err, c.code)
		}
	}
	if _, known, err := r.keeper.Account(ctx, id.DefaultTenant, good.Email); known || err != nil {
		t.Errorf("a refused sign-up stays in the directory: %v", err)
	}
	for _, ok := range []string{"ünîcödë9!x", "aaaaaaaaab", "correct horse", strings.Repeat("long ", 40)} {
		if err := CheckPassword(ok); err != nil {
			t.Errorf("%q is refused: %v", ok, err)
		}
	}
	if _, err := r.Create(ctx, id.Make[id.Tenant](), New{Name: "Zoe", Email: "zoe@example.org", Password: password, First: true}); err != nil {
		t.Errorf("the address in another tenant: %v", err)
	}
}

func TestOneAddressOneAccountWhoeverIsFaster(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		var wg sync.WaitGroup
		made := make([]id.Account, 6)
		for i := range made {
			wg.Go(func() {
				a, err := r.Create(ctx, id.DefaultTenant, New{Name: "Zoe", Email: "zoe@example.org", Password: password, First: true})
				if made[i] = a; err != nil && !problem.Is(err, "email.taken") && !problem.Is(err, "setup.done") {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		n := 0
		for _, a := range made {
			if !a.IsZero() {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%d accounts were made", n)
		}
	})
}

// The program stopped after the directory knew the address and before the account was there.
func TestInterruptedSignUpLeavesTheAddressFree(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	if err := r.keeper.PutAccount(ctx, id.DefaultTenant, "zoe@example.org", id.Make[id.Account]()); err != nil {
		t.Fatal(err)
	}
	if any, err := r.Any(ctx, id.DefaultTenant); any || err != nil {
		t.Errorf("an account seems to exist: %v", err)
	}
	r.zoe()
	if any, err := r.Any(ctx, id.DefaultTenant); !any || err != nil {
		t.Errorf("no account seems to exist: %v", err)
	}
}

// After cancelling, the account can no longer sign in, and everything open under it has ended.
func TestClosingTakesEffectAtOnce(t *testing.T) {
	promise.Proves(t, "P275")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		zoe, stays := r.zoe(), r.person("Max", "max@example.org")
		again := r.in("zoe@example.org", zoe.Account)
		lease, err := r.gate.Lease(ctx, gate.Request{Tenant: zoe.Tenant, Actor: permit.Person(zoe.Account, again.Session), Action: permit.PrivacyExport, Account: zoe.Account})
		if err != nil {
			t.Fatal(err)
		}
		closing := r.hears(Closing)
		for range 2 {
			if err := r.Close(ctx, zoe.Tenant, zoe.Account); err != nil {
				t.Fatal(err)
			}
		}
		if lease.State() != permit.Ended {
			t.Error("a lease goes on")
		}
		for _, token := range []string{zoe.Token, again.Token} {
			if _, err := r.Session(ctx, token); !problem.Is(err, "session.ended") {
				t.Errorf("a token still works: %v", err)
			}
		}
		if s, err := r.SignIn(ctx, zoe.Tenant, "zoe@example.org", password, Client{}); !problem.Is(err, "session.wrong") || s != (SignedIn{}) {
			t.Errorf("signed in: %v", err)
		}
		if _, err := r.Begin(ctx, zoe.Tenant, zoe.Account, ""); !problem.Is(err, "session.wrong") {
			t.Errorf("a session began: %v", err)
		}
		if _, err := r.gate.Permit(ctx, gate.Request{Tenant: zoe.Tenant, Actor: permit.Person(zoe.Account, zoe.Session), Action: permit.AccountRead, Account: zoe.Account}); !problem.Is(err, "session.ended") {
			t.Errorf("a permit was given: %v", err)
		}
		if _, err := r.Session(ctx, stays.Token); err != nil {
			t.Errorf("somebody else was signed out: %v", err)
		}
		eventually(t, "the bus tells once", func() bool { return len(closing()) == 1 && closing()[0] == id.RowOf(zoe.Account) })

		h, w := Holder{r.Room}, rights.Whose{Tenant: zoe.Tenant, Subject: id.SubjectOf(zoe.Account)}
		if left, err := h.Leaving(ctx); err != nil || !slices.Equal(left, []rights.Whose{w}) {
			t.Errorf("leaving %+v, %v", left, err)
		}
		if s, err := h.Erase(ctx, rights.Whose{Tenant: w.Tenant, Subject: w.Subject, Binding: id.Make[id.Binding]()}); err != nil || s.Rows != 0 {
			t.Errorf("removing a camera erased %+v, %v", s, err)
		}
		if s, err := h.Erase(ctx, w); err != nil || s.Rows != 1 {
			t.Errorf("Erase %+v, %v", s, err)
		}
		found, err := h.Scan(ctx, w)
		if err != nil || len(found) != 2 || found[0].Found+found[1].Found != 0 || found[1].Looked != 1 {
			t.Errorf("Scan %+v, %v", found, err)
		}
		if held, err := h.Count(ctx, permit.Permit{}, w); err != nil || held != nil {
			t.Errorf("Count %+v, %v", held, err)
		}
		if held, err := h.Count(ctx, permit.Permit{}, rights.Whose{Tenant: stays.Tenant, Subject: id.SubjectOf(stays.Account)}); err != nil || len(held) != 4 {
			t.Errorf("Count of who stays %+v, %v", held, err)
		}
		r.zoe() // the address is free again
	})
}

// Nothing of a person is in a file in clear: not who they are, not with what they sign in.
func TestFilesHoldNoAccountInClear(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	zoe := r.zoe()
	var file string
	if err := r.DB.Read.NewRaw("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(ctx, &file); err != nil {
		t.Fatal(err)
	}
	files := []string{file, file + "-wal"}
	keys, err := filepath.Glob(filepath.Join(r.keys, "*"))
	if err != nil || len(keys) == 0 {
		t.Fatal("no key files")
	}
	for _, name := range append(files, keys...) {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range []string{"Ünal", "example.org", "Europe/Berlin", "$argon2id", password, zoe.Token, "Chrome on", "192.0.2.7"} {
			if bytes.Contains(bytes.ToLower(b), []byte(strings.ToLower(canary))) {
				t.Errorf("%s holds %q", filepath.Base(name), canary)
			}
		}
	}
}

func TestPassportsFitThePolicy(t *testing.T) {
	pol, err := policy.Load(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range Passports() {
		if err := pol.Judge(p); err != nil {
			t.Error(err)
		}
	}
}
