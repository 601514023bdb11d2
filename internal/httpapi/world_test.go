package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"candor/internal/clock"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/logging/logtest"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/visit"
)

// world is a small honest cloud in memory: two people with a camera each, behind the real
// door. Where a room is asked for something of somebody else the test fails: the door must
// not have let that through.
type world struct {
	t      *testing.T
	clock  *clock.Virtual
	api    *httpapi.API
	door   http.Handler
	visit  visit.Visit
	issuer *permit.Issuer

	mu       sync.Mutex
	sessions map[string]httpapi.Caller
	owner    map[id.Binding]id.Account
	asked    []httpapi.Request
	leases   []*permit.Lease
	calls    []string
	adds     int
	wrong    func(httpapi.Request) error // a gate that refuses

	fresh  bool // no account yet
	second bool // everybody has a second step
	shown  bool // mail is shown instead of sent
	movie  []byte
	still  func(*permit.Lease) (httpapi.Picture, error)
	socket func(context.Context, *permit.Lease, *websocket.Conn) error
	room   func(name string) error // a room that fails

	anna, ben person
	link      id.Share // of Anna's camera, for whoever has "own"
}

type person struct {
	account id.Account
	session id.Session
	token   string
	camera  id.Binding
}

func newWorld(t *testing.T, change ...func(*httpapi.Deps)) *world {
	w := &world{
		t: t, clock: clock.NewVirtual(time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)),
		visit:    visit.Visit{Secure: true, Host: "cameras.example"},
		sessions: map[string]httpapi.Caller{}, owner: map[id.Binding]id.Account{}, movie: bytes.Repeat([]byte("0123456789"), 1000),
	}
	w.issuer = permit.NewIssuer(w.clock)
	w.anna, w.ben, w.link = w.person("en"), w.person("zh-Hans"), newID[id.Share]()
	d := httpapi.Deps{
		Tenant: id.DefaultTenant, Clock: w.clock, Log: logtest.New(t), Words: words,
		Gate: w, Setup: setup{w}, Sessions: sessions{w}, Accounts: accounts{w}, Cameras: cameras{w}, Finding: finding{w}, Live: live{w}, Footage: footage{w}, Shares: shares{w}, Alarms: alarms{w}, Privacy: privacy{w}, Exports: exports{w}, Reports: reports{w}, Notices: notices{w}, Seconds: seconds{w}, Policy: policy{w},
		Page: http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) { io.WriteString(rw, "metrics") }),
	}
	d.SignUps = signUps{w}
	d.Alerts = alerts{w}
	for _, c := range change {
		c(&d)
	}
	w.api = httpapi.New(d)
	inner := w.api.Handler()
	w.door = http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		v := w.visit
		if r.Header.Get("X-Test-Host") != "" {
			v = visit.Visit{Host: r.Host}
		}
		inner.ServeHTTP(rw, r.WithContext(visit.With(r.Context(), v)))
	})
	t.Cleanup(w.api.Drain)
	return w
}

func (w *world) person(lang string) person {
	p := person{account: newID[id.Account](), session: newID[id.Session](), camera: newID[id.Binding]()}
	p.token = "token-" + p.session.String()
	w.sessions[p.token] = httpapi.Caller{Tenant: id.DefaultTenant, Account: p.account, Session: p.session, Language: lang}
	w.owner[p.camera] = p.account
	return p
}

// words is a catalogue of which a test can see the key, the language and the arguments.
func words(lang, key string, args map[string]string) string {
	if strings.HasPrefix(key, "problem.unknown.") {
		return ""
	}
	s := lang + ":" + key
	for k, v := range args {
		s += " " + k + "=" + v
	}
	return s
}

// request is one call through the door.
type request struct {
	as           *person
	method, path string
	body         string
	header       map[string]string
	cookie       string // instead of as
}

func (w *world) do(q request) *httptest.ResponseRecorder {
	w.t.Helper()
	r := httptest.NewRequestWithContext(w.t.Context(), q.method, q.path, strings.NewReader(q.body))
	r.Host = w.visit.Host
	if q.body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	if q.as != nil {
		q.cookie = "__Host-candor_session=" + q.as.token
	}
	if q.cookie != "" {
		r.Header.Set("Cookie", q.cookie)
	}
	for k, v := range q.header {
		r.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, r)
	return rec
}

func (w *world) want(rec *httptest.ResponseRecorder, status int, code string) map[string]any {
	w.t.Helper()
	var body map[string]any
	if strings.Contains(rec.Header().Get("Content-Type"), "json") && rec.Body.Len() > 0 && rec.Body.Bytes()[0] == '{' {
		if err := json.Unmarshal(rec.Body.Bytes(), &body); err != nil {
			w.t.Errorf("not JSON: %s", rec.Body)
		}
	}
	if rec.Code != status || code != "" && body["code"] != code {
		w.t.Errorf("got %d %.300s, want %d %s", rec.Code, rec.Body, status, code)
	}
	return body
}

// called notes that a room was reached.
func (w *world) called(name string, p permit.Permit, a id.Account, b id.Binding) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, name)
	g, ok := p.Grant()
	switch {
	case !ok:
		w.t.Errorf("%s was reached without a permit", name)
	case !a.IsZero() && g.Subject != id.SubjectOf(a):
		w.t.Errorf("%s was reached for another person", name)
	case !b.IsZero() && (g.Binding != b || id.SubjectOf(w.owner[b]) != g.Subject):
		w.t.Errorf("%s was reached for another person's camera", name)
	}
	if w.room != nil {
		return w.room(name)
	}
	return nil
}

func (w *world) reached() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.calls...)
}

// The gate of the world: owners, and who holds the one link.

func (w *world) grant(r httpapi.Request) (permit.Grant, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.asked = append(w.asked, r)
	if w.wrong != nil {
		if err := w.wrong(r); err != nil {
			return permit.Grant{}, err
		}
	}
	if !r.Binding.IsZero() && r.Account.IsZero() {
		r.Account = w.owner[r.Binding]
	}
	if !r.Actor.Link.IsZero() {
		if r.Actor != permit.Visitor(w.link) || r.Binding != w.anna.camera {
			return permit.Grant{}, problem.NotFound()
		}
		return permit.Grant{Tenant: r.Tenant, Actor: r.Actor, Action: r.Action, Subject: id.SubjectOf(w.anna.account), Binding: r.Binding, Purpose: passport.Live,
			Share: w.link, From: 1000, To: 2000, Expires: w.clock.Now().Add(time.Minute)}, nil
	}
	if r.Account.IsZero() || r.Actor.Account != r.Account || r.Actor.Session.IsZero() || !r.Binding.IsZero() && w.owner[r.Binding] != r.Account {
		return permit.Grant{}, problem.NotFound()
	}
	return permit.Grant{Tenant: r.Tenant, Actor: r.Actor, Action: r.Action, Subject: id.SubjectOf(r.Account), Binding: r.Binding, Purpose: passport.Live,
		Expires: w.clock.Now().Add(time.Minute)}, nil
}

func (w *world) Permit(_ context.Context, r httpapi.Request) (permit.Permit, error) {
	g, err := w.grant(r)
	if err != nil {
		return permit.Permit{}, err
	}
	return w.issuer.Permit(g), nil
}

func (w *world) Lease(ctx context.Context, r httpapi.Request) (*permit.Lease, error) {
	g, err := w.grant(r)
	if err != nil {
		return nil, err
	}
	l := w.issuer.Lease(ctx, g)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leases = append(w.leases, l)
	return l, nil
}

// open counts leases that have not ended.
func (w *world) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, l := range w.leases {
		if l.State() != permit.Ended {
			n++
		}
	}
	return n
}

// The rooms of the world.

type (
	setup    struct{ *world }
	sessions struct{ *world }
	accounts struct{ *world }
	cameras  struct{ *world }
	live     struct{ *world }
	footage  struct{ *world }
	shares   struct{ *world }
	privacy  struct{ *world }
	exports  struct{ *world }
	reports  struct{ *world }
	notices  struct{ *world }
	policy   struct{ *world }
	signUps  struct{ *world }
	alerts   struct{ *world }
)

func (s signUps) Door(context.Context) (string, bool, error) { return "open", true, nil }

func (s signUps) AskSignUp(_ context.Context, q httpapi.Ask) (httpapi.Asked, error) {
	return httpapi.Asked{Request: "request", Until: httpapi.Moment(clock.At(s.clock.Now()))}, nil
}

func (s signUps) SignUp(_ context.Context, c httpapi.Coded, n httpapi.Newcomer) (httpapi.SignedIn, error) {
	if c.Code != "1234 5678" {
		return httpapi.SignedIn{}, problem.Forbidden("code.wrong")
	}
	return httpapi.SignedIn{Account: httpapi.Account{ID: s.anna.account, Email: n.Email}, Session: s.anna.session, Token: s.anna.token, Expires: s.clock.Now().Add(time.Hour)}, nil
}

func (s signUps) AskReset(ctx context.Context, q httpapi.Ask) (httpapi.Asked, error) {
	return s.AskSignUp(ctx, q)
}

func (s signUps) Reset(_ context.Context, c httpapi.Coded, _ string) error {
	if c.Code != "1234 5678" {
		return problem.Forbidden("code.wrong")
	}
	return nil
}

func (s signUps) AskEmail(ctx context.Context, p permit.Permit, a id.Account, _ string, q httpapi.Ask) (httpapi.Asked, error) {
	asked, _ := s.AskSignUp(ctx, q)
	return asked, s.called("ask e-mail", p, a, id.Binding{})
}

func (s signUps) SetEmail(_ context.Context, p permit.Permit, a id.Account, c httpapi.Coded) (httpapi.Account, error) {
	return httpapi.Account{ID: a, Email: c.Email}, s.called("set e-mail", p, a, id.Binding{})
}

func (s signUps) Outbox() ([]httpapi.Letter, bool) {
	return []httpapi.Letter{{To: "zoe@example.org", Subject: "a code", Text: "1234 5678"}}, s.shown
}

func (s sessions) EndOthers(_ context.Context, p permit.Permit, a id.Account) ([]id.Session, error) {
	return nil, s.called("end others", p, a, id.Binding{})
}

func (s setup) Needed(context.Context) (bool, error) { return s.fresh, nil }
func (s setup) Code() string                         { return "ABCD-EFGH" }
func (s setup) DemoCamera() bool                     { return true }
func (s setup) Begin(_ context.Context, n httpapi.Newcomer) (httpapi.SignedIn, error) {
	if n.Password == "weak" {
		return httpapi.SignedIn{}, problem.Invalid("password.weak")
	}
	s.fresh = false
	return httpapi.SignedIn{Account: httpapi.Account{ID: s.anna.account, Email: n.Email}, Session: s.anna.session, Token: s.anna.token, Expires: s.clock.Now().Add(time.Hour)}, nil
}

type seconds struct{ *world }

func (seconds) Finish(context.Context, string, string, httpapi.Client) (httpapi.SignedIn, error) {
	return httpapi.SignedIn{}, problem.New(http.StatusForbidden, "step.wrong")
}

func (s seconds) State(context.Context, permit.Permit, id.Account) (httpapi.SecondStep, error) {
	return httpapi.SecondStep{On: s.second}, nil
}

func (seconds) Verify(_ context.Context, _ permit.Permit, _ id.Account, code string) error {
	if code != "123456" {
		return problem.Forbidden("step.wrong")
	}
	return nil
}

func (seconds) Offer(context.Context, permit.Permit, id.Account, string) (httpapi.SecondOffer, error) {
	return httpapi.SecondOffer{}, nil
}

func (seconds) Confirm(context.Context, permit.Permit, id.Account, string) ([]string, error) {
	return nil, nil
}

func (seconds) Drop(context.Context, permit.Permit, id.Account, string, string) error { return nil }

func (s sessions) SignIn(_ context.Context, _ id.Tenant, email, password string, c httpapi.Client) (httpapi.SignedIn, error) {
	if email != "anna@example.org" || password != "right" {
		return httpapi.SignedIn{}, problem.New(http.StatusUnauthorized, "session.wrong")
	}
	return httpapi.SignedIn{Account: httpapi.Account{ID: s.anna.account, Email: email}, Session: s.anna.session, Token: s.anna.token, Expires: s.clock.Now().Add(time.Hour)}, nil
}

func (s sessions) Session(_ context.Context, token string) (httpapi.Caller, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.sessions[token]
	if !ok {
		return c, problem.New(http.StatusUnauthorized, "session.ended")
	}
	return c, nil
}

func (s sessions) List(_ context.Context, p permit.Permit, a id.Account) ([]httpapi.SessionInfo, error) {
	return []httpapi.SessionInfo{{ID: s.anna.session}, {ID: s.ben.session}}[:1], s.called("sessions", p, a, id.Binding{})
}

func (s sessions) End(_ context.Context, p permit.Permit, a id.Account, session id.Session) error {
	if err := s.called("end", p, a, id.Binding{}); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for token, c := range s.sessions {
		if c.Session == session && c.Account == a {
			delete(s.sessions, token)
			return nil
		}
	}
	return problem.NotFound()
}

func (s accounts) Get(_ context.Context, p permit.Permit, a id.Account) (httpapi.Account, error) {
	return httpapi.Account{ID: a, Name: "Name", Email: "x@example.org", Language: "en"}, s.called("account", p, a, id.Binding{})
}

func (s accounts) Change(_ context.Context, p permit.Permit, a id.Account, c httpapi.AccountChange) (httpapi.Account, error) {
	return httpapi.Account{ID: a, Name: "New"}, s.called("change account", p, a, id.Binding{})
}

func (s accounts) SetPassword(_ context.Context, p permit.Permit, a id.Account, _ id.Session, _, _ string) error {
	return s.called("password", p, a, id.Binding{})
}

func (s accounts) Verify(_ context.Context, p permit.Permit, a id.Account, password string) error {
	if password != "right" {
		return problem.Forbidden("password.wrong")
	}
	return s.called("verify", p, a, id.Binding{})
}

func (s accounts) Erase(_ context.Context, p permit.Permit, a id.Account, password string) (httpapi.Receipt, error) {
	if password != "right" {
		return httpapi.Receipt{}, problem.Forbidden("password.wrong")
	}
	s.mu.Lock()
	for token, c := range s.sessions {
		if c.Account == a {
			delete(s.sessions, token)
		}
	}
	s.mu.Unlock()
	return httpapi.Receipt{ID: newID[id.Receipt](), What: "account", Token: "secret"}, s.called("erase", p, a, id.Binding{})
}

func (s cameras) camera(b id.Binding) httpapi.Camera {
	return httpapi.Camera{ID: b, Name: "Door", State: httpapi.CameraState{Phase: "waiting", Code: "camera.refused", Args: map[string]string{"x": "y"}},
		Recording: httpapi.CameraRecording{Mode: "on", Consent: "given"}, Retention: httpapi.Retention{Days: 7}}
}

func (s cameras) Sites(_ context.Context, p permit.Permit, a id.Account) ([]httpapi.Site, error) {
	return nil, s.called("sites", p, a, id.Binding{})
}

func (s cameras) List(_ context.Context, p permit.Permit, a id.Account) ([]httpapi.Camera, error) {
	var out []httpapi.Camera
	for b, o := range s.owner {
		if o == a {
			out = append(out, s.camera(b))
		}
	}
	return out, s.called("cameras", p, a, id.Binding{})
}

func (s cameras) Health(_ context.Context, p permit.Permit, a id.Account) ([]httpapi.CameraHealth, error) {
	return nil, s.called("health", p, a, id.Binding{})
}

func (s cameras) Get(_ context.Context, p permit.Permit, b id.Binding) (httpapi.Camera, error) {
	return s.camera(b), s.called("camera", p, id.Account{}, b)
}

func (s cameras) Check(_ context.Context, p permit.Permit, a httpapi.Address) (httpapi.Checked, error) {
	return httpapi.Checked{Warnings: []httpapi.Warning{{Code: "camera.reorder"}}}, s.called("check", p, id.Account{}, id.Binding{})
}

func (s cameras) Add(_ context.Context, p permit.Permit, a id.Account, n httpapi.NewCamera) (httpapi.Camera, error) {
	s.adds++
	return s.camera(newID[id.Binding]()), s.called("add", p, a, id.Binding{})
}

func (s cameras) Change(_ context.Context, p permit.Permit, b id.Binding, _ httpapi.CameraChange) (httpapi.Camera, error) {
	return s.camera(b), s.called("change", p, id.Account{}, b)
}

func (s cameras) Remove(_ context.Context, p permit.Permit, b id.Binding, _ string) (httpapi.Receipt, error) {
	return httpapi.Receipt{What: "camera", DoneAt: 1}, s.called("remove", p, id.Account{}, b)
}

func (s live) Still(_ context.Context, l *permit.Lease, b id.Binding, _ int) (httpapi.Picture, error) {
	if err := s.called("still", l.Permit(), id.Account{}, b); err != nil {
		return httpapi.Picture{}, err
	}
	if s.still != nil {
		return s.world.still(l)
	}
	return httpapi.Picture{JPEG: []byte("jpeg"), At: clock.At(s.clock.Now())}, nil
}

func (s live) Offer(_ context.Context, l *permit.Lease, b id.Binding, offer string, w httpapi.Watch) (string, id.Viewing, error) {
	return "answer to " + offer + " " + w.Quality, newID[id.Viewing](), s.called("offer", l.Permit(), id.Account{}, b)
}

func (s live) Socket(ctx context.Context, l *permit.Lease, b id.Binding, rw http.ResponseWriter, r *http.Request, w httpapi.Watch) error {
	if err := s.called("socket", l.Permit(), id.Account{}, b); err != nil {
		return err
	}
	if s.socket == nil {
		return errors.New("no socket")
	}
	conn, err := websocket.Accept(rw, r, &websocket.AcceptOptions{InsecureSkipVerify: true})
	if err != nil {
		return httpapi.ErrAnswered
	}
	defer conn.CloseNow()
	return errors.Join(httpapi.ErrAnswered, s.world.socket(ctx, l, conn))
}

func (s footage) Timeline(_ context.Context, p permit.Permit, b id.Binding, _ media.Profile, from, to clock.Millis) (httpapi.Timeline, error) {
	return httpapi.Timeline{From: httpapi.Moment(from), To: httpapi.Moment(to), Gaps: []httpapi.Gap{{Reason: "paused"}}}, s.called("timeline", p, id.Account{}, b)
}

func (s footage) Days(_ context.Context, p permit.Permit, b id.Binding) ([]httpapi.Day, error) {
	return nil, s.called("days", p, id.Account{}, b)
}

func (s footage) Movie(_ context.Context, l *permit.Lease, b id.Binding, _ media.Profile, _, _ clock.Millis) (httpapi.Movie, error) {
	return movie{bytes.NewReader(s.movie)}, s.called("movie", l.Permit(), id.Account{}, b)
}

func (s footage) Frame(_ context.Context, l *permit.Lease, b id.Binding, at clock.Millis, _ int) (httpapi.Picture, error) {
	return httpapi.Picture{JPEG: []byte("frame"), At: at}, s.called("frame", l.Permit(), id.Account{}, b)
}

type movie struct{ *bytes.Reader }

func (movie) Close() error { return nil }
func (movie) ETag() string { return `"movie"` }

func (s shares) List(_ context.Context, p permit.Permit, a id.Account) (httpapi.Shared, error) {
	return httpapi.Shared{}, s.called("shares", p, a, id.Binding{})
}

func (s shares) Invite(_ context.Context, p permit.Permit, a id.Account, n httpapi.NewInvite, app, _ string) (httpapi.Made, error) {
	return httpapi.Made{Token: "invited", URL: app}, s.called("invite", p, a, id.Binding{})
}

func (s shares) Link(_ context.Context, p permit.Permit, a id.Account, n httpapi.NewLink) (httpapi.Made, error) {
	return httpapi.Made{Token: "linked"}, s.called("link", p, a, id.Binding{})
}

func (s shares) Change(context.Context, permit.Permit, id.Account, id.Share, httpapi.ChangedTerms) (httpapi.Share, error) {
	return httpapi.Share{}, problem.NotFound()
}

func (s shares) End(context.Context, permit.Permit, id.Account, id.Share) error {
	return problem.NotFound()
}

func (s shares) Leave(context.Context, permit.Permit, id.Account, id.Share) error {
	return problem.NotFound()
}

func (s shares) Letter(_ context.Context, _ id.Tenant, token string) (httpapi.Invitation, error) {
	if token != "invited" {
		return httpapi.Invitation{}, problem.NotFound()
	}
	return httpapi.Invitation{By: "Anna"}, nil
}

func (s shares) Accept(context.Context, permit.Permit, id.Account, string) (httpapi.Received, error) {
	return httpapi.Received{}, problem.NotFound()
}

func (s shares) Enter(_ context.Context, _ id.Tenant, token string) (httpapi.LinkView, string, time.Time, error) {
	switch token {
	case "linked":
		return httpapi.LinkView{ID: s.link, Kind: "clip"}, "own", s.clock.Now().Add(time.Hour), nil
	case "over":
		return httpapi.LinkView{}, "", time.Time{}, problem.Gone("link.over")
	}
	return httpapi.LinkView{}, "", time.Time{}, problem.NotFound()
}

func (s shares) Visitor(_ context.Context, _ id.Tenant, link id.Share, own string) (httpapi.Visitor, error) {
	switch {
	case link == s.link && own == "late":
		return httpapi.Visitor{}, problem.Gone("link.over")
	case link != s.link || own != "own":
		return httpapi.Visitor{}, problem.NotFound()
	}
	return httpapi.Visitor{Link: link, Binding: s.anna.camera}, nil
}

func (s shares) Look(_ context.Context, _ id.Tenant, link id.Share) (httpapi.LinkView, error) {
	return httpapi.LinkView{ID: link, Kind: "clip"}, nil
}

func (s privacy) Held(_ context.Context, p permit.Permit, a id.Account) ([]httpapi.Held, error) {
	return nil, s.called("held", p, a, id.Binding{})
}

func (s privacy) Accesses(_ context.Context, p permit.Permit, a id.Account, _ id.Binding, before int64, limit int) ([]httpapi.Access, int64, error) {
	if before == 0 {
		return []httpapi.Access{{Seq: 100}}, 99, s.called("accesses", p, a, id.Binding{})
	}
	return []httpapi.Access{{Seq: before}}, 0, s.called("accesses", p, a, id.Binding{})
}

func (s privacy) Consents(_ context.Context, p permit.Permit, a id.Account) (httpapi.Consents, error) {
	return httpapi.Consents{}, s.called("consents", p, a, id.Binding{})
}

func (s privacy) Decide(_ context.Context, p permit.Permit, a id.Account, b id.Binding, purpose passport.Purpose, c httpapi.Consented) (httpapi.Consent, *httpapi.Receipt, error) {
	var r *httpapi.Receipt
	if c.State == "withdrawn" {
		r = &httpapi.Receipt{What: "recording"}
	}
	return httpapi.Consent{Purpose: string(purpose), State: c.State}, r, s.called("decide", p, a, b)
}

func (s privacy) Proof(_ context.Context, token string) (json.RawMessage, error) {
	if token != "known" {
		return nil, problem.NotFound()
	}
	return json.RawMessage(`{"candor_receipt":1}`), nil
}

func (s privacy) ConsentReceipt(context.Context, permit.Permit, id.Consent) (json.RawMessage, error) {
	return nil, problem.NotFound()
}

func (s privacy) Receipt(_ context.Context, token string) (httpapi.Receipt, error) {
	switch token {
	case "kept":
		return httpapi.Receipt{What: "account", Token: token}, nil
	case "old":
		return httpapi.Receipt{}, problem.Gone("receipt.gone")
	}
	return httpapi.Receipt{}, problem.NotFound()
}

func (s alerts) Settings(_ context.Context, p permit.Permit, a id.Account, _ id.Session) (httpapi.AlertSettings, error) {
	return httpapi.AlertSettings{PushConsent: "none"}, s.called("alerts", p, a, id.Binding{})
}

func (s alerts) Choose(_ context.Context, p permit.Permit, _ id.Account, b id.Binding, c httpapi.AlertChoice) (httpapi.AlertRule, error) {
	return httpapi.AlertRule{Camera: b, AlertChoice: c}, s.called("choose", p, id.Account{}, b)
}

func (s alerts) Pause(_ context.Context, p permit.Permit, a id.Account, b id.Binding, _ string) (httpapi.AlertPause, error) {
	return httpapi.AlertPause{Camera: &b}, s.called("pause", p, a, b)
}

func (s alerts) Resume(_ context.Context, p permit.Permit, a id.Account, b id.Binding) error {
	return s.called("resume", p, a, b)
}

func (s alerts) Subscribe(_ context.Context, p permit.Permit, a id.Account, _ id.Session, d httpapi.NewPushDevice) (httpapi.PushDevice, error) {
	if d.Base != "https://cameras.example/" || d.Agent == "" {
		s.t.Errorf("the browser is %+v", d)
	}
	return httpapi.PushDevice{ID: newID[id.Row]()}, s.called("subscribe", p, a, id.Binding{})
}

func (s alerts) Unsubscribe(_ context.Context, p permit.Permit, a id.Account, _ id.Row) error {
	return errors.Join(s.called("device", p, a, id.Binding{}), problem.NotFound())
}

func (s alerts) Try(_ context.Context, p permit.Permit, a id.Account, _ id.Row) error {
	return errors.Join(s.called("device", p, a, id.Binding{}), problem.NotFound())
}

func (s alerts) Arrived(_ context.Context, p permit.Permit, a id.Account, _ string) error {
	return s.called("arrived", p, a, id.Binding{})
}

func (s alerts) Sent(_ context.Context, p permit.Permit, a id.Account, before int64, _ int) ([]httpapi.SentMessage, int64, error) {
	return []httpapi.SentMessage{{Number: before, Channel: "app", Result: "told"}}, 7, s.called("sent", p, a, id.Binding{})
}

func (s alerts) Picture(_ context.Context, p permit.Permit, a id.Account, ticket string) ([]byte, error) {
	switch err := s.called("ticket", p, a, id.Binding{}); {
	case err != nil:
		return nil, err
	case ticket == "used":
		return nil, problem.Gone("ticket.over")
	case ticket == "fresh":
		return []byte("picture"), nil
	}
	return nil, problem.NotFound()
}

func (s alerts) StopMail(_ context.Context, token string) error {
	if token != "known" {
		return problem.NotFound()
	}
	return nil
}

func (policy) Version() (string, string) { return "1", "hash" }

func (policy) Standing(context.Context, permit.Permit, id.Account, string) (httpapi.Standing, error) {
	return httpapi.Standing{Under: httpapi.PolicyVersion{Version: "1"}}, nil
}

func (policy) Answer(context.Context, permit.Permit, id.Account, string, string) error { return nil }

func (policy) Purposes(_ context.Context, _ httpapi.Caller, lang string) ([]httpapi.Purpose, error) {
	return []httpapi.Purpose{{ID: "live", Text: lang}, {ID: "recording", Optional: true, Text: lang}}, nil
}

func (policy) Consent(_ context.Context, purpose, lang string) (httpapi.ConsentText, error) {
	return httpapi.ConsentText{Text: purpose + " " + lang, Hash: "h"}, nil
}

func (policy) Text(_ context.Context, lang, _ string) (httpapi.PolicyText, error) {
	return httpapi.PolicyText{PolicyVersion: httpapi.PolicyVersion{Version: "1"}, Language: lang}, nil
}

func (policy) Promises(context.Context) (json.RawMessage, error) {
	return json.RawMessage(`{"promises":[]}`), nil
}

// newID makes an identifier of a noun.
func newID[T ~[16]byte]() T { return T(id.New[struct{}]()) }

type finding struct{ *world }

func (s finding) Discover(_ context.Context, p permit.Permit, a id.Account) (httpapi.Discovered, error) {
	return httpapi.Discovered{Cameras: []httpapi.DiscoveredCamera{{Host: "10.0.0.1"}}}, s.called("discover", p, a, id.Binding{})
}

func (s finding) Profiles(_ context.Context, p permit.Permit, _ httpapi.LookAt) (httpapi.Profiles, error) {
	return httpapi.Profiles{Warnings: []httpapi.Warning{{Code: "camera.warns_clock"}}}, s.called("profiles", p, id.Account{}, id.Binding{})
}

func (s finding) Brands() []httpapi.Brand {
	return []httpapi.Brand{{ID: "generic", Noted: true}, {ID: "x", Name: "X"}}
}
