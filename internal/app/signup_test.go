package app

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/emersion/go-smtp"

	"candor/internal/config"
	"candor/internal/promise"
)

var eight = regexp.MustCompile(`\b\d{4} \d{4}\b`)

type request struct{ Request string }

// letters are those in the outbox, newest first.
func (p *person) letters() []struct{ To, Subject, Text string } {
	p.t.Helper()
	var out struct {
		Letters []struct{ To, Subject, Text string }
	}
	p.call("GET", "/outbox", nil, &out)
	return out.Letters
}

func (p *person) code(email string) string {
	p.t.Helper()
	for _, l := range p.letters() {
		if c := eight.FindString(l.Text); l.To == email && c != "" {
			return c
		}
	}
	p.t.Fatalf("no code for %s in the outbox: %+v", email, p.letters())
	return ""
}

// A stranger signs up by the outbox, adds nothing of anybody's, forgets the password, moves to another address, and
// hears of what was done.
func TestAStrangerSignsUp(t *testing.T) {
	promise.Proves(t, "P004")
	t.Parallel()
	w := fresh(t, func(c *config.Config) { c.Accounts.SignUp, c.Mail.Outbox = config.SignUpOpen, true })
	owner := w.visitor(t)
	ask := map[string]any{"email": "max@house.example", "language": "en"}
	owner.refused("POST", "/sign-up", ask, http.StatusForbidden, "sign_up.closed") // set-up comes first
	owner.setUp(t, anna, "refused")

	max := w.visitor(t)
	var door struct {
		SignUp       string `json:"sign_up"`
		Mail, Outbox bool
	}
	if max.call("GET", "/sign-up", nil, &door); door.SignUp != "open" || !door.Mail || !door.Outbox {
		t.Errorf("the door says %+v", door)
	}
	var asked, again request
	max.call("POST", "/sign-up", ask, &asked)
	confirm := map[string]any{"request": asked.Request, "email": "max@house.example", "code": "0000 0000", "name": "Max Meer", "password": "a green tricycle 72", "language": "en", "time_zone": "Europe/Berlin"}
	max.refused("POST", "/sign-up/confirm", confirm, http.StatusForbidden, "code.wrong")
	max.refused("POST", "/session", map[string]any{"email": "max@house.example", "password": "a green tricycle 72"}, http.StatusUnauthorized, "session.wrong")
	confirm["code"] = max.code("max@house.example")
	max.call("POST", "/sign-up/confirm", confirm, nil)
	var sites []struct{ Name string }
	if max.call("GET", "/sites", nil, &sites); len(sites) != 1 {
		t.Errorf("places %+v", sites)
	}
	var cameras struct{ Cameras []struct{ ID string } }
	if max.call("GET", "/cameras", nil, &cameras); len(cameras.Cameras) != 0 {
		t.Errorf("a newcomer sees %+v", cameras)
	}
	w.visitor(t).refused("POST", "/sign-up/confirm", confirm, http.StatusGone, "code.over")

	// Known and unknown addresses are answered alike; the known one is told.
	before := len(owner.letters())
	known := max.do("POST", "/sign-up", map[string]any{"email": anna.email, "language": "en"})
	unknown := max.do("POST", "/sign-up", map[string]any{"email": "nora@house.example", "language": "en"})
	if known.status != http.StatusAccepted || unknown.status != known.status || len(known.body) != len(unknown.body) {
		t.Errorf("known %d %s, unknown %d %s", known.status, known.body, unknown.status, unknown.body)
	}
	if got := owner.letters(); len(got) != before+2 || got[1].To != anna.email || eight.MatchString(got[1].Text) {
		t.Errorf("letters %+v", got)
	}

	// Forgotten: from another browser, which ends the session here.
	lost := w.visitor(t)
	lost.call("POST", "/password/reset", ask, &again)
	lost.call("POST", "/password/reset/confirm", map[string]any{"request": again.Request, "email": "max@house.example", "code": lost.code("max@house.example"), "password": "a red tricycle 73"}, nil)
	max.refused("GET", "/account", nil, http.StatusUnauthorized, "session.ended")
	next := identity{"Max Meer", "max@house.example", "a red tricycle 73"}
	max.signIn(t, next)
	if got := owner.letters(); got[0].To != next.email || !strings.Contains(got[0].Subject, "password was changed") {
		t.Errorf("told %+v", got[0])
	}

	// Another address, with the code that went there.
	max.refused("POST", "/account/email", map[string]any{"email": "meer@house.example", "password": "wrong"}, http.StatusForbidden, "password.wrong")
	max.call("POST", "/account/email", map[string]any{"email": "meer@house.example", "password": next.password}, &again)
	owner.refused("POST", "/account/email/confirm", map[string]any{"request": again.Request, "email": "meer@house.example", "code": max.code("meer@house.example")}, http.StatusForbidden, "code.wrong")
	max.call("POST", "/account/email/confirm", map[string]any{"request": again.Request, "email": "meer@house.example", "code": max.code("meer@house.example")}, nil)
	next.email = "meer@house.example"
	phone := w.visitor(t)
	phone.signIn(t, next)

	// One control signs every other browser out.
	max.call("DELETE", "/sessions", nil, nil)
	phone.refused("GET", "/account", nil, http.StatusUnauthorized, "session.ended")
	max.call("GET", "/account", nil, nil)

	// Nothing of it is in the data folder or the log in clear.
	words := []string{"max@house.example", "meer@house.example", "a red tricycle 73", "Max Meer"}
	hunt(t, "while it runs", snapshot(t, w.dir), words)
	for _, clear := range words {
		if strings.Contains(w.said.String(), clear) {
			t.Errorf("%q is in the log", clear)
		}
	}
}

// Where only who was invited may sign up, an invite opens the door for its address, once.
func TestAnInviteLetsSomebodySignUp(t *testing.T) {
	t.Parallel()
	w := fresh(t, func(c *config.Config) { c.Mail.Outbox = true })
	owner := w.visitor(t)
	owner.setUp(t, anna, "refused")
	m := owner.invites(owner.camera, map[string]any{"abilities": []string{"live"}, "email": "max@house.example"})
	max := w.visitor(t)
	ask := map[string]any{"email": "max@house.example", "language": "en"}
	max.refused("POST", "/sign-up", ask, http.StatusForbidden, "sign_up.invited")
	ask["invitation"] = m.Token
	var asked request
	max.call("POST", "/sign-up", ask, &asked)
	max.call("POST", "/sign-up/confirm", map[string]any{"request": asked.Request, "email": "max@house.example", "code": max.code("max@house.example"), "name": "Max", "password": "a green tricycle 72", "language": "en"}, nil)
	max.call("POST", "/invites/"+m.Token+"/accept", nil, nil)
	max.call("GET", "/cameras/"+owner.camera, nil, nil)
	eve := w.visitor(t)
	ask["email"] = "eve@house.example"
	if a := eve.do("POST", "/sign-up", ask); a.status < 400 {
		t.Errorf("by a spent invite of another: %d %s", a.status, a.body)
	}
}

// mailbox is a real SMTP server that takes whatever it is sent.
type mailbox struct {
	port int
	mu   sync.Mutex
	got  []string
}

func (b *mailbox) NewSession(*smtp.Conn) (smtp.Session, error) { return talk{b}, nil }

type talk struct{ *mailbox }

func (talk) Mail(string, *smtp.MailOptions) error { return nil }
func (talk) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (talk) Reset()                               {}
func (talk) Logout() error                        { return nil }
func (t talk) Data(r io.Reader) error {
	b, err := io.ReadAll(r)
	t.mu.Lock()
	defer t.mu.Unlock()
	t.got = append(t.got, string(b))
	return err
}

func (b *mailbox) letters() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Join(b.got, "\n")
}

func receive(t *testing.T) *mailbox {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := &mailbox{port: l.Addr().(*net.TCPAddr).Port}
	s := smtp.NewServer(b)
	done := make(chan struct{})
	go func() { defer close(done); _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close(); <-done })
	return b
}

// By the operator's own server: through egress, which writes it down, and never onto the outbox page.
func TestMailGoesByTheOperatorsServer(t *testing.T) {
	t.Parallel()
	box := receive(t)
	w := fresh(t, func(c *config.Config) {
		c.Accounts.SignUp = config.SignUpOpen
		c.SMTP = config.SMTP{Host: "127.0.0.1", Port: box.port, TLS: config.MailNoTLS, From: "candor@house.example"}
	})
	owner := w.visitor(t)
	owner.setUp(t, anna, "refused")
	max := w.visitor(t)
	max.refused("GET", "/outbox", nil, http.StatusNotFound, "not_found")
	var asked request
	max.call("POST", "/sign-up", map[string]any{"email": "max@house.example", "language": "en"}, &asked)
	eventually(t, "the code arrives", func() bool { return eight.MatchString(box.letters()) })
	max.call("POST", "/sign-up/confirm", map[string]any{"request": asked.Request, "email": "max@house.example", "code": eight.FindString(box.letters()), "name": "Max", "password": "a green tricycle 72", "language": "en"}, nil)
	if !strings.Contains(w.said.String(), "recipient=smtp purpose=security host=127.0.0.1") {
		t.Error("the ledger has no line")
	}
	if strings.Contains(w.said.String(), "max@house.example") {
		t.Error("the address is in the log")
	}
	policy := string(max.do("GET", "/policy?lang=en", nil).body)
	if !strings.Contains(policy, "The mail server that the operator chose") || !strings.Contains(policy, "In use on this installation") {
		t.Error("the policy does not say that the mail server is in use")
	}
}

// What doctor says of mail.
func TestDoctorTriesTheMailServer(t *testing.T) {
	t.Parallel()
	box := receive(t)
	dir := filepath.Join(t.TempDir(), "data")
	const closed = 1 // where nobody listens
	for port, want := range map[int]string{box.port: "ok    mail: 127.0.0.1", closed: "WRONG mail: 127.0.0.1", 0: "note  no mail is sent"} {
		c := config.Loaded{Config: settings(dir, "")}
		if port != 0 {
			c.SMTP = config.SMTP{Host: "127.0.0.1", Port: port, TLS: config.MailNoTLS, From: "candor@house.example"}
		}
		var out bytes.Buffer
		_ = Doctor(t.Context(), &c, &out)
		if !strings.Contains(out.String(), want) {
			t.Errorf("port %d: %s", port, out.String())
		}
	}
	if box.letters() != "" {
		t.Errorf("doctor sent a letter: %s", fmt.Sprint(box.letters()))
	}
}
