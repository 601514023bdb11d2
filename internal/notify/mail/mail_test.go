package mail

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/logging"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
	"candor/internal/translog"
)

// folk answers the gate: everybody is there but who has left.
type folk struct {
	mu   sync.Mutex
	left map[id.Account]bool
}

func (f *folk) Open(_ context.Context, _ id.Tenant, a id.Account) (bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return !f.left[a], nil
}

func (f *folk) SignedIn(context.Context, id.Tenant, id.Account, id.Session) (bool, error) {
	return true, nil
}

func (f *folk) leave(a id.Account) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.left[a] = true
}

type noCameras struct{}

func (noCameras) Owner(context.Context, id.Tenant, id.Binding) (id.Account, error) {
	return id.Account{}, nil
}

func (noCameras) Given(context.Context, id.Tenant, id.Subject, id.Binding, passport.Purpose) (gate.Consent, bool, error) {
	return gate.Consent{}, false, nil
}

// rig is a room with the real keeper and gate around it.
type rig struct {
	*Room
	t     *testing.T
	clock *clock.Virtual
	folk  *folk
	gate  *gate.Gate
	dials atomic.Int64
	log   *lines
}

// lines is a log that may be read while it is written.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func open(t *testing.T, db *sqldb.DB, server *Server) *rig {
	t.Helper()
	ctx, quiet := context.Background(), slog.New(slog.DiscardHandler)
	pol, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{t: t, clock: clock.NewVirtual(time.Date(2031, 5, 6, 15, 10, 9, 0, time.UTC)), folk: &folk{left: map[id.Account]bool{}}, log: &lines{}}
	k, err := seal.Open(ctx, seal.Options{Dir: t.TempDir(), Fresh: true, Clock: r.clock})
	if err != nil {
		t.Fatal(err)
	}
	b, err := bus.Start(r.clock, quiet, gate.Passports())
	if err != nil {
		t.Fatal(err)
	}
	r.gate = &gate.Gate{
		Issuer: permit.NewIssuer(r.clock), Clock: r.clock, Log: quiet, DB: db, Bus: b, Policy: gate.Under(pol),
		People: r.folk, Relations: noCameras{}, Consents: noCameras{}, Records: &translog.Log{DB: db, Keeper: k, Clock: r.clock},
	}
	if err := r.gate.Start(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _, _ = r.gate.Close(), b.Close(), k.Close() })
	r.again(db, k, server)
	return r
}

// again starts the room on what there is, as after a restart.
func (r *rig) again(db *sqldb.DB, k Keeper, server *Server) {
	r.t.Helper()
	log, flush := logging.New(r.log, logging.Options{Level: slog.LevelDebug, Format: "text"})
	room := &Room{DB: db, Keeper: k, Gate: r.gate, Clock: r.clock, Log: log, Server: server, Dial: direct(&r.dials)}
	if err := room.Start(context.Background()); err != nil {
		r.t.Fatal(err)
	}
	r.Room = room
	r.t.Cleanup(func() { _ = room.Close(); flush() })
}

func (r *rig) send(m Message) {
	r.t.Helper()
	if err := r.Send(context.Background(), m); err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) kept() (n int) {
	r.t.Helper()
	if err := r.DB.Read.NewRaw("SELECT count(*) FROM mail_letter").Scan(context.Background(), &n); err != nil {
		r.t.Fatal(err)
	}
	return n
}

func (r *rig) onTheirWay() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.waiting)
}

// later lets time pass until something holds.
func (r *rig) later(what string, holds func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("never: %s\n%s", what, r.log)
		}
		r.clock.Advance(time.Second)
	}
}

var zoe = id.Make[id.Account]()

func to(a id.Account) Message {
	return Message{Tenant: id.DefaultTenant, Account: a, To: canary, Subject: "Neue Anmeldung – 新登录", Text: "Grüße\n你好\n. a line with a dot\n"}
}

func TestALetterArrivesAsItWasWritten(t *testing.T) {
	for _, c := range []struct {
		how      TLS
		implicit bool
		user     string
	}{{StartTLS, false, ""}, {StartTLS, false, "candor"}, {Implicit, true, "candor"}, {None, false, ""}, {None, false, "candor"}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			p := serve(t, "127.0.0.1", c.implicit)
			p.user = c.user
			s := p.settings(c.how)
			s.Username = c.user
			if c.user != "" {
				s.Password = "the right one"
			}
			r := open(t, sqltest.SQLite(t), &s)
			if err := s.Check(context.Background(), r.Dial); err != nil {
				t.Errorf("the check: %v", err)
			}
			if n := len(p.letters()); n != 0 {
				t.Errorf("the check sent %d letters", n)
			}
			r.send(to(zoe))
			r.later("it arrives", func() bool { return len(p.letters()) == 1 })
			got := p.letters()[0]
			if got.from != "candor@example.org" || got.to != canary || got.subject != to(zoe).Subject || got.text != to(zoe).Text || got.secure != (c.how != None) {
				t.Errorf("got %+v", got)
			}
			for _, h := range []string{"Auto-Submitted: auto-generated", "@example.org>", "Content-Type: text/plain; charset=UTF-8", "Candor"} {
				if !strings.Contains(got.raw, h) {
					t.Errorf("lacks %q: %s", h, got.raw)
				}
			}
			for _, h := range []string{"User-Agent", "X-Mailer", "Bcc"} {
				if strings.Contains(got.raw, h) {
					t.Errorf("has %s", h)
				}
			}
			r.later("nothing waits", func() bool { return r.kept() == 0 && r.onTheirWay() == 0 })
			if strings.Contains(r.log.String(), "zoe") || strings.Contains(r.log.String(), "Anmeldung") {
				t.Errorf("the log tells of it: %s", r.log)
			}
		})
	}
}

func TestALetterWaitsUntilTheServerTakesIt(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		p := serve(t, "127.0.0.1", false)
		p.answer(refuse(451), refuse(421), refuse(452))
		s := p.settings(StartTLS)
		r := open(t, db, &s)
		r.send(to(zoe))
		r.send(Message{To: "new@example.org", Subject: "a code", Text: "12345678", Fleeting: true, Until: r.clock.Now().Add(24 * time.Hour)})
		r.later("both arrive", func() bool { return len(p.letters()) == 2 })
		r.later("nothing waits", func() bool { return r.kept() == 0 && r.onTheirWay() == 0 })
		if n := p.recipients(); n < 5 {
			t.Errorf("%d tries for 2 letters and 3 refusals", n)
		}
		if strings.Contains(r.log.String(), canary) {
			t.Errorf("the server's words are in the log: %s", r.log)
		}
	})
}

func TestARefusalForGoodEndsALetter(t *testing.T) {
	p := serve(t, "127.0.0.1", false)
	p.answer(refuse(550))
	s := p.settings(StartTLS)
	r := open(t, sqltest.SQLite(t), &s)
	r.send(to(zoe))
	r.later("it is over", func() bool { return r.kept() == 0 && r.onTheirWay() == 0 })
	r.send(to(zoe))
	r.later("the next arrives", func() bool { return len(p.letters()) == 1 })
	if n := p.recipients(); n != 2 {
		t.Errorf("%d tries", n)
	}
}

// What waits outlives the program, sealed; a code does not, and is in no file.
func TestLettersOutliveTheProgram(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		away := Server{Host: "127.0.0.1", Port: 1, TLS: None, From: "candor@example.org"} // where nobody listens
		r := open(t, db, &away)
		r.send(to(zoe))
		r.send(Message{Tenant: id.DefaultTenant, Account: zoe, To: canary, Subject: "a code", Text: "12345678", Fleeting: true})
		r.later("it was tried", func() bool { return r.dials.Load() > 1 })
		if r.kept() != 1 || r.onTheirWay() != 2 {
			t.Fatalf("%d kept, %d wait", r.kept(), r.onTheirWay())
		}
		var row []byte
		if err := db.Read.NewRaw("SELECT letter FROM mail_letter").Scan(context.Background(), &row); err != nil {
			t.Fatal(err)
		}
		for _, clear := range []string{"zoe", "Anmeldung", "Gr"} {
			if bytes.Contains(row, []byte(clear)) {
				t.Errorf("in clear: %q", row)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		p := serve(t, "127.0.0.1", false)
		s := p.settings(StartTLS)
		r.again(db, r.Keeper, &s)
		r.later("it arrives after the restart", func() bool { return len(p.letters()) == 1 && r.kept() == 0 })
		if got := p.letters()[0]; got.subject != to(zoe).Subject {
			t.Errorf("got %+v", got)
		}
	})
}

func TestALetterDoesNotWaitForEver(t *testing.T) {
	p := serve(t, "127.0.0.1", false)
	for range 10000 {
		p.answer(refuse(451))
	}
	s := p.settings(StartTLS)
	r := open(t, sqltest.SQLite(t), &s)
	r.send(to(zoe))
	r.later("it was tried", func() bool { return p.recipients() > 3 })
	r.clock.Advance(Keep)
	r.later("it is over", func() bool { return r.kept() == 0 && r.onTheirWay() == 0 })
	if len(p.letters()) != 0 || !strings.Contains(r.log.String(), "in time") {
		t.Errorf("%d letters; %s", len(p.letters()), r.log)
	}
	if got := wait(0); got != firstWait {
		t.Errorf("the first wait is %v", got)
	}
	for n := range 100 {
		if wait(n+1) < wait(n) || wait(n) > longest {
			t.Fatalf("wait %d is %v, then %v", n, wait(n), wait(n+1))
		}
	}
}

// A server that does not let us in is asked seldom, and nothing is told to it.
func TestAServerThatIsNotOursIsToldNothing(t *testing.T) {
	for name, c := range map[string]struct {
		name   string
		change func(*Server, *post)
		says   string
	}{
		"wrong password":   {"127.0.0.1", func(s *Server, p *post) { p.user, s.Username, s.Password = "candor", "candor", "the wrong one" }, "535"},
		"other name":       {"mail.elsewhere.test", func(*Server, *post) {}, "certificate"},
		"unknown root":     {"127.0.0.1", func(s *Server, _ *post) { s.Roots = nil }, "certificate"},
		"no TLS to speak":  {"127.0.0.1", func(_ *Server, p *post) { p.server.TLSConfig = nil }, "STARTTLS"},
		"asks for sign-in": {"127.0.0.1", func(_ *Server, p *post) { p.user = "candor" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p := serve(t, c.name, false)
			s := p.settings(StartTLS)
			c.change(&s, p)
			r := open(t, sqltest.SQLite(t), &s)
			if err := s.Check(context.Background(), r.Dial); c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
				t.Errorf("the check says %v, want %q", err, c.says)
			}
			r.send(to(zoe))
			r.later("it was tried", func() bool { return r.dials.Load() > 1 })
			if p.recipients() != 0 {
				t.Error("a recipient was named")
			}
			if strings.Contains(r.log.String(), "the wrong one") {
				t.Error("the password is in the log")
			}
		})
	}
}

func TestWithoutTLSOnlyThisMachineIsTalkedTo(t *testing.T) {
	a, b := net.Pipe() // an address that is none
	defer b.Close()
	if c, err := (Server{TLS: None}).protect(context.Background(), addressed{a}, nil); err == nil {
		t.Errorf("went on with %v", c)
	}
}

type addressed struct{ net.Conn }

func (addressed) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.ParseIP("192.0.2.7"), Port: 25} }

// A server that never answers holds up no sender, and is let go of when the program stops.
func TestASlowServerHoldsNobodyUp(t *testing.T) {
	p := serve(t, "127.0.0.1", false)
	asked, answer := make(chan struct{}, 100), make(chan struct{})
	p.before = func(string) { asked <- struct{}{}; <-answer }
	s := p.settings(StartTLS)
	r := open(t, sqltest.SQLite(t), &s)
	r.send(to(zoe))
	<-asked
	for range 10 {
		r.send(to(zoe)) // returns though the first is still being asked for
	}
	if len(p.letters()) != 0 || r.kept() != 11 {
		t.Errorf("%d sent, %d kept", len(p.letters()), r.kept())
	}
	closed := make(chan struct{})
	go func() { defer close(closed); _ = r.Close() }()
	<-closed // does not wait for the server
	close(answer)
}

func TestWhatWaitsIsBounded(t *testing.T) {
	away := Server{Host: "127.0.0.1", Port: 1, TLS: None, From: "candor@example.org"}
	r := open(t, sqltest.SQLite(t), &away)
	for range maxOfOne {
		r.send(to(zoe))
	}
	if err := r.Send(context.Background(), to(zoe)); !problem.Is(err, "mail.full") {
		t.Errorf("one too many: %v", err)
	}
	r.send(to(id.Make[id.Account]())) // others are not held up
	fleeting := Message{To: "x@example.org", Subject: "s", Text: "t"}
	for range maxFleeting {
		r.send(fleeting)
	}
	if err := r.Send(context.Background(), fleeting); !problem.Is(err, "mail.full") {
		t.Errorf("one too many without an account: %v", err)
	}
	if r.kept() != maxOfOne+1 {
		t.Errorf("%d kept", r.kept())
	}
}

func TestLettersGoWithTheAccount(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		away := Server{Host: "127.0.0.1", Port: 1, TLS: None, From: "candor@example.org"}
		r, ctx := open(t, db, &away), context.Background()
		max := id.Make[id.Account]()
		r.send(to(zoe))
		r.send(to(zoe))
		r.send(to(max))
		h, w := Holder{r.Room}, rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(zoe)}
		held, err := h.Count(ctx, permit.Permit{}, w)
		if err != nil || len(held) != 1 || held[0].Count != 2 || held[0].Until == 0 {
			t.Errorf("Count %+v, %v", held, err)
		}
		p, err := r.gate.Permit(ctx, gate.Request{Tenant: id.DefaultTenant, Actor: permit.Person(zoe, id.Make[id.Session]()), Action: permit.PrivacyExport, Account: zoe})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := h.Export(ctx, p, w, &out); err != nil || strings.Count(out.String(), "\n") != 2 || strings.Count(out.String(), canary) != 2 {
			t.Errorf("export %v: %s", err, out.String())
		}
		if s, err := h.Erase(ctx, rights.Whose{Tenant: w.Tenant, Subject: w.Subject, Binding: id.Make[id.Binding]()}); err != nil || s.Rows != 0 {
			t.Errorf("removing a camera erased %+v, %v", s, err)
		}
		if s, err := h.Erase(ctx, w); err != nil || s.Rows != 2 {
			t.Errorf("Erase %+v, %v", s, err)
		}
		if f, err := h.Scan(ctx, w); err != nil || len(f) != 1 || f[0].Found != 0 || f[0].Looked != 1 {
			t.Errorf("Scan %+v, %v", f, err)
		}
		if r.onTheirWay() != 1 {
			t.Errorf("%d wait", r.onTheirWay())
		}
		// An account that closes while a letter waits: nothing opens, nothing is sent.
		r.folk.leave(max)
		r.later("the letter is let go of", func() bool { return r.onTheirWay() == 0 && r.kept() == 0 })
	})
}

func TestTheOutboxShowsTheNewestOnly(t *testing.T) {
	r := open(t, sqltest.SQLite(t), nil)
	if err := r.Send(context.Background(), to(zoe)); !problem.Is(err, "mail.none") || r.Can() {
		t.Errorf("without a server: %v", err)
	}
	r.Outbox = &Outbox{}
	for n := range outboxSize + 3 {
		m := to(zoe)
		m.Subject = fmt.Sprint("letter ", n)
		r.send(m)
	}
	got := r.Outbox.Letters()
	if len(got) != outboxSize || got[0].Subject != fmt.Sprint("letter ", outboxSize+2) || got[0].To != canary || r.kept() != 0 || r.dials.Load() != 0 {
		t.Errorf("%d letters, first %+v; %d kept, %d dials", len(got), got[0], r.kept(), r.dials.Load())
	}
}

func TestWhatIsNoLetterIsRefused(t *testing.T) {
	good := to(zoe)
	for name, change := range map[string]func(*Message){
		"two recipients":   func(m *Message) { m.To = "a@example.org, b@example.org" },
		"a header":         func(m *Message) { m.To = "a@example.org\r\nBcc: b@example.org" },
		"a name":           func(m *Message) { m.To = "Zoe <zoe@example.org>" },
		"nobody":           func(m *Message) { m.To = "" },
		"no subject":       func(m *Message) { m.Subject = " \n" },
		"no text":          func(m *Message) { m.Text = "" },
		"more than a text": func(m *Message) { m.Text = strings.Repeat("x", maxText+1) },
	} {
		m := good
		change(&m)
		if _, err := m.neat(); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
}

// Nothing that somebody typed becomes a header of its own or ends the letter.
func FuzzLetter(f *testing.F) {
	f.Add("zoe@example.org", "subject\r\nBcc: eve@example.org", ".\r\nMAIL FROM:<>")
	f.Add("\"a b\"@example.org", "=?utf-8?q?x?=", "\x00\xff")
	f.Fuzz(func(t *testing.T, to, subject, text string) {
		m, err := Message{To: to, Subject: subject, Text: text}.neat()
		if err != nil {
			return
		}
		if strings.ContainsAny(m.Subject, "\r\n\x00") || strings.ContainsAny(m.To, "\r\n") || m.Purpose != passport.Security {
			t.Errorf("%+v", m)
		}
		out, err := Server{From: "candor@example.org"}.letter(m)
		if err != nil {
			return
		}
		var b bytes.Buffer
		if _, err := out.WriteTo(&b); err != nil {
			t.Fatal(err)
		}
		head, _, _ := strings.Cut(b.String(), "\r\n\r\n")
		for line := range strings.SplitSeq(head, "\r\n") {
			name, _, _ := strings.Cut(line, ":")
			switch name {
			case "Date", "Message-ID", "MIME-Version", "Auto-Submitted", "Subject", "From", "To", "Content-Type", "Content-Transfer-Encoding":
			default:
				if !strings.HasPrefix(line, " ") {
					t.Errorf("a header of its own: %q in %q", line, head)
				}
			}
		}
	})
}

// A room that keeps its own letters learns what became of each, and its letters end by one click.
func TestALetterIsCarriedNow(t *testing.T) {
	p := serve(t, "127.0.0.1", false)
	s := p.settings(StartTLS)
	r := open(t, sqltest.SQLite(t), &s)
	m := to(zoe)
	m.Stop = "https://cameras.example/api/v1/unsubscribe/AAAA"
	if err := r.Carry(context.Background(), m); err != nil {
		t.Fatal(err)
	}
	if got := p.letters(); len(got) != 1 || !strings.Contains(got[0].raw, "List-Unsubscribe: <"+m.Stop+">") || !strings.Contains(got[0].raw, "List-Unsubscribe-Post: List-Unsubscribe=One-Click") {
		t.Errorf("got %+v", got)
	}
	p.answer(refuse(550), refuse(451))
	for _, code := range []string{"mail.refused", "mail.down", ""} {
		if err := r.Carry(context.Background(), m); code == "" && err != nil || code != "" && !problem.Is(err, code) {
			t.Errorf("%v, want %q", err, code)
		}
	}
	for _, bad := range []string{"unsubscribe", "https://x.example/>\r\nBcc: all@x.example", "https://x.example/a b"} {
		m.Stop = bad
		if err := r.Carry(context.Background(), m); !problem.Is(err, "mail.refused") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	r.Room.Server = nil
	if err := r.Carry(context.Background(), to(zoe)); !problem.Is(err, "mail.none") {
		t.Errorf("without a server: %v", err)
	}
}
