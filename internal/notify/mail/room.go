package mail

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Keeper seals and opens letters; *seal.Keeper is one.
type Keeper interface {
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	Open(ctx context.Context, p permit.Permit, at seal.Place, v seal.Value) ([]byte, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
}

// Gate is asked before a letter that waited is opened; *gate.Gate is one.
type Gate interface {
	Permit(ctx context.Context, r gate.Request) (permit.Permit, error)
}

// Room takes letters and carries them. Fill the exported fields, then Start. With neither a Server
// nor an Outbox nobody can be written to.
type Room struct {
	DB     *sqldb.DB
	Keeper Keeper
	Gate   Gate
	Clock  clock.Clock
	Log    *slog.Logger
	Server *Server
	Dial   Dial
	Outbox *Outbox // instead of a server

	mu      sync.Mutex
	waiting map[id.Row]*waiting
	tries   int       // in a row in which the server was down
	resume  time.Time // nothing is tried before
	wake    chan struct{}
	stop    context.CancelFunc
	done    chan struct{}
}

// waiting is a letter on its way.
type waiting struct {
	id      id.Row
	tenant  id.Tenant
	account id.Account
	message *Message // nil: it lies in SQL
	tries   int
	next    time.Time
	until   time.Time
}

// Bounds of what waits.
const (
	maxFleeting = 500
	maxKept     = 2000
	maxOfOne    = 50 // kept letters of one person
)

// none is what Send says where nobody can be written to.
func none() *problem.Problem { return problem.Unavailable("mail.none") }

// Can reports whether a letter can be sent or shown.
func (r *Room) Can() bool { return r.Server != nil || r.Outbox != nil }

// Start reads what waited and begins to carry.
func (r *Room) Start(ctx context.Context) error {
	r.waiting, r.wake, r.done = map[id.Row]*waiting{}, make(chan struct{}, 1), make(chan struct{})
	if r.Server == nil {
		close(r.done)
		return nil
	}
	if err := r.load(ctx); err != nil {
		return err
	}
	ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	go r.run(ctx)
	return nil
}

// Close stops carrying and waits for the letter that is under way.
func (r *Room) Close() error {
	if r.stop != nil {
		r.stop()
	}
	<-r.done
	return nil
}

// Send takes a letter. It returns as soon as the letter waits; what becomes of it, the sender does
// not learn. Problems: mail.none, mail.full.
func (r *Room) Send(ctx context.Context, m Message) error {
	m, err := m.neat()
	if err != nil {
		return err
	}
	now := r.Clock.Now()
	if r.Server == nil {
		if r.Outbox == nil {
			return none()
		}
		r.Outbox.put(now, m)
		return nil
	}
	if last := now.Add(Keep); m.Until.IsZero() || m.Until.After(last) {
		m.Until = last
	}
	w := &waiting{id: id.Make[id.Row](), tenant: m.Tenant, account: m.Account, next: now, until: m.Until}
	if m.Fleeting || m.Account.IsZero() {
		w.message = &m
	}
	if err := r.enter(w); err != nil {
		return err
	}
	if w.message == nil {
		if err := r.keep(ctx, w, m); err != nil {
			r.forget(w)
			return err
		}
	}
	r.mu.Lock()
	w.next = r.Clock.Now()
	r.mu.Unlock()
	r.nudge()
	return nil
}

// Carry carries a letter now and reports whether the server took it: for a room that keeps its own
// letters and asks anew before each try. Problems: mail.none, mail.refused (for good), mail.down.
func (r *Room) Carry(ctx context.Context, m Message) error {
	m, err := m.neat()
	if err != nil {
		return problem.Invalid("mail.refused").Because(err)
	}
	now := r.Clock.Now()
	switch {
	case r.Server == nil && r.Outbox == nil:
		return none()
	case r.Server == nil:
		r.Outbox.put(now, m)
		return nil
	}
	r.mu.Lock()
	resting := r.resume.After(now)
	r.mu.Unlock()
	if resting {
		return problem.Unavailable("mail.down")
	}
	switch became, err := r.Server.deliver(ctx, r.Dial, m); became {
	case sent:
		return nil
	case never:
		return problem.Invalid("mail.refused").Because(err)
	default:
		return problem.Unavailable("mail.down").Because(err)
	}
}

// enter reserves a place, from which nothing is sent yet.
func (r *Room) enter(w *waiting) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	fleeting, kept, ofOne := 0, 0, 0
	for _, o := range r.waiting {
		switch {
		case o.message != nil:
			fleeting++
		case o.account == w.account:
			ofOne++
			kept++
		default:
			kept++
		}
	}
	if w.message != nil && fleeting >= maxFleeting || w.message == nil && (kept >= maxKept || ofOne >= maxOfOne) {
		return problem.Unavailable("mail.full")
	}
	w.next = w.until // not before it is kept
	r.waiting[w.id] = w
	return nil
}

func (r *Room) forget(w *waiting) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.waiting, w.id)
}

func (r *Room) nudge() {
	select {
	case r.wake <- struct{}{}:
	default:
	}
}

// place is where a kept letter belongs.
func place(t id.Tenant, a id.Account, row id.Row) seal.Place {
	return seal.Place{Tenant: t, Subject: id.SubjectOf(a), Passport: letterPassport, Category: passport.Identity, Row: row}
}

// body is the sealed part of a letter.
type body struct {
	To      string           `json:"to"`
	Subject string           `json:"subject"`
	Text    string           `json:"text"`
	Purpose passport.Purpose `json:"purpose"`
	Stop    string           `json:"stop,omitempty"`
}

func (r *Room) keep(ctx context.Context, w *waiting, m Message) error {
	plain, err := json.Marshal(body{m.To, m.Subject, m.Text, m.Purpose, m.Stop})
	if err != nil {
		return err
	}
	sealed, err := r.Keeper.Seal(ctx, seal.OfSubject(w.tenant, id.SubjectOf(w.account)), place(w.tenant, w.account, w.id), plain)
	if err != nil {
		return fmt.Errorf("keep a letter: %w", err)
	}
	_, err = r.DB.Write.NewRaw("INSERT INTO mail_letter (tenant_id, id, account_id, letter, until_ms) VALUES (?, ?, ?, ?, ?)",
		w.tenant, w.id, w.account, []byte(sealed), int64(clock.At(w.until))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep a letter: %w", err)
	}
	return nil
}

// load finds the letters that waited when the program stopped.
func (r *Room) load(ctx context.Context) error {
	var rows []struct {
		Tenant  id.Tenant  `bun:"tenant_id"`
		ID      id.Row     `bun:"id"`
		Account id.Account `bun:"account_id"`
		Until   int64      `bun:"until_ms"`
	}
	if err := r.DB.Read.NewRaw("SELECT tenant_id, id, account_id, until_ms FROM mail_letter ORDER BY id").Scan(ctx, &rows); err != nil {
		return fmt.Errorf("read letters: %w", err)
	}
	now := r.Clock.Now()
	for _, row := range rows {
		r.waiting[row.ID] = &waiting{id: row.ID, tenant: row.Tenant, account: row.Account, next: now, until: clock.Millis(row.Until).Time()}
	}
	return nil
}

// open opens a letter; gone is true when there is nothing to send any more.
func (r *Room) open(ctx context.Context, w *waiting) (m Message, gone bool, err error) {
	if w.message != nil {
		return *w.message, false, nil
	}
	p, err := r.Gate.Permit(ctx, gate.Request{Tenant: w.tenant, Actor: permit.System(gate.Post), Action: permit.AccountMail, Account: w.account})
	if problem.Is(err, "not_found") {
		return Message{}, true, nil // the account is closed
	}
	if err != nil {
		return Message{}, false, err
	}
	var sealed []byte
	if err := r.DB.Read.NewRaw("SELECT letter FROM mail_letter WHERE tenant_id = ? AND id = ?", w.tenant, w.id).Scan(ctx, &sealed); err != nil {
		return Message{}, errors.Is(err, errNoRows), err
	}
	plain, err := r.Keeper.Open(ctx, p, place(w.tenant, w.account, w.id), sealed)
	if err != nil {
		return Message{}, false, err
	}
	var b body
	if err := json.Unmarshal(plain, &b); err != nil {
		return Message{}, true, err
	}
	return Message{Tenant: w.tenant, Account: w.account, To: b.To, Subject: b.Subject, Text: b.Text, Purpose: b.Purpose, Stop: b.Stop}, false, nil
}

// drop ends a letter's wait.
func (r *Room) drop(ctx context.Context, w *waiting) {
	if w.message == nil {
		if _, err := r.DB.Write.NewRaw("DELETE FROM mail_letter WHERE tenant_id = ? AND id = ?", w.tenant, w.id).Exec(context.WithoutCancel(ctx)); err != nil {
			r.Log.Error("a letter that is over stays", "err", err) // and is sent again after the next start
		}
	}
	r.forget(w)
}
