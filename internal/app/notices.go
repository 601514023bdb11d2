package app

import (
	"context"
	"io"
	"time"

	"candor/internal/config"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/notice"
	"candor/internal/notify/mail"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/retention"
	"candor/words"
)

// openNotices wires what people must be told; a server also tells it.
func (h *house) openNotices() {
	h.notices = &notice.Room{
		DB: h.db, Clock: h.clock, Log: h.room("notice"), Tenant: h.tenant, Words: words.Sentence, Write: h.write,
		Everybody: func(ctx context.Context) ([]id.Account, error) { return h.people.Everybody(ctx, h.tenant) },
		Leave:     h.leave,
	}
	h.gate.Over = h.notices.Over
}

// startNotices finds out whether the service has ended, before any door opens.
func (h *house) startNotices(ctx context.Context) error {
	h.metrics.GaugeFunc("incidents_overdue", "Incidents that the authority was not told of within 72 hours.", func() float64 {
		n, err := h.notices.Overdue(context.Background())
		if err != nil {
			return -1 // not known is not none
		}
		return float64(n)
	})
	return h.notices.Begin(ctx)
}

// telling is the loop's part in it.
func (h *house) telling() retention.Sweeper {
	return retention.Sweeper{Room: "notice", Every: 10 * time.Second, Sweep: h.notices.Tick}
}

// write carries a letter to a person, in their language.
func (h *house) write(ctx context.Context, a id.Account, say func(lang string) (subject, text string)) error {
	to, lang, err := h.people.Whereto(ctx, h.tenant, a)
	if err != nil {
		return err
	}
	m := mail.Message{Tenant: h.tenant, Account: a, To: to, Purpose: passport.Security}
	m.Subject, m.Text = say(lang)
	return h.mail.Carry(ctx, m)
}

// leave closes an account whose person did not ask, at the end of the service.
func (h *house) leave(ctx context.Context, a id.Account) error {
	p, err := h.gate.Permit(ctx, gate.Request{Tenant: h.tenant, Actor: permit.System(gate.Rights), Action: permit.AccountErase, Account: a})
	if problem.Is(err, "not_found") {
		return nil // it is being closed
	}
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	if err := h.people.Close(ctx, h.tenant, a); err != nil {
		h.log.WarnContext(ctx, "an account is closed although its rows could not say so", "err", err)
	}
	if _, err := h.office.CloseAccount(ctx, p); err != nil {
		return err
	}
	h.gone(a)
	return nil
}

// affected are the people whom an incident concerns.
//
// Whose data somebody opened is read off each person's own access chain: there is no other list of it.
func (h *house) affected(ctx context.Context, of notice.Affects) ([]id.Account, error) {
	everybody, err := h.people.Everybody(ctx, h.tenant)
	if err != nil || of.Everybody {
		return everybody, err
	}
	found := map[id.Account]bool{}
	for _, email := range of.Accounts {
		a, ok, err := h.keys.Account(ctx, h.tenant, email)
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, problem.Invalid("notice.file").With("why", "nobody has the address "+email)
		}
		found[a] = true
	}
	for _, camera := range of.Cameras {
		b, err := id.Read[id.Binding](camera)
		if err != nil {
			return nil, problem.Invalid("notice.file").With("why", camera+" is no camera's id")
		}
		owner, err := h.devices.Owner(ctx, h.tenant, b)
		if err != nil {
			return nil, err
		}
		if owner.IsZero() {
			return nil, problem.Invalid("notice.file").With("why", "there is no camera "+camera)
		}
		found[owner] = true
	}
	if of.Accesses != nil {
		for _, a := range everybody {
			hit, err := h.opened(ctx, a, *of.Accesses)
			if err != nil {
				return nil, err
			}
			if hit {
				found[a] = true
			}
		}
	}
	var out []id.Account
	for _, a := range everybody {
		if found[a] {
			out = append(out, a)
		}
	}
	return out, nil
}

// opened reports whether somebody else opened a person's data in a stretch of time.
func (h *house) opened(ctx context.Context, a id.Account, w notice.Window) (bool, error) {
	p, err := h.gate.Permit(ctx, gate.Request{Tenant: h.tenant, Actor: permit.System(gate.Rights), Action: permit.PrivacyRead, Account: a})
	if problem.Is(err, "not_found") {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	for cursor := int64(0); ; {
		page, next, err := h.records.List(ctx, p, h.tenant, id.SubjectOf(a), cursor, 500)
		if err != nil {
			return false, err
		}
		for _, e := range page {
			if e.At.Before(w.From) {
				return false, nil
			}
			if !e.At.After(w.To) && another(e.Actor, a, w.By) {
				return true, nil
			}
		}
		if cursor = next; next == 0 {
			return false, nil
		}
	}
}

func another(who permit.Actor, a id.Account, by string) bool {
	switch {
	case who.System != "":
		return by == "system" || by == ""
	case !who.Link.IsZero():
		return by == "link" || by == ""
	}
	return who.Account != a && (by == "member" || by == "")
}

// Declared is a notice and how far telling is.
type Declared struct {
	notice.Notice
	People map[string]int
}

// atNotices has f work on the notices beside a server that may be running.
func atNotices(ctx context.Context, c config.Config, f func(h *house) error) (err error) {
	return beside(ctx, c, func(h *house) error {
		h.openNotices()
		return f(h)
	})
}

// Declare reads a notice and declares it. With dry it only says how many people it concerns.
func Declare(ctx context.Context, c config.Config, from io.Reader, dry bool) (n notice.Notice, people int, err error) {
	err = atNotices(ctx, c, func(h *house) error {
		d, err := notice.Read(from, h.clock.Now(), h.policy.Languages)
		if err != nil {
			return err
		}
		whom, err := h.affected(ctx, d.Affects)
		if err != nil {
			return err
		}
		if d.Kind != notice.Incident {
			if whom, err = h.people.Everybody(ctx, h.tenant); err != nil {
				return err
			}
		}
		people = len(whom)
		if dry {
			n = notice.Notice{Kind: d.Kind}
			return nil
		}
		n, err = h.notices.Declare(ctx, d, whom)
		return err
	})
	return n, people, err
}

// Notices are all that were declared, and how far telling is.
func Notices(ctx context.Context, c config.Config) (all []Declared, err error) {
	err = atNotices(ctx, c, func(h *house) error {
		list, err := h.notices.All(ctx)
		if err != nil {
			return err
		}
		for _, n := range list {
			told, err := h.notices.Told(ctx, n.ID)
			if err != nil {
				return err
			}
			all = append(all, Declared{n, told})
		}
		return nil
	})
	return all, err
}

// ReportNotice keeps that the authority has an incident.
func ReportNotice(ctx context.Context, c config.Config, which id.Row, reference string) error {
	return atNotices(ctx, c, func(h *house) error { return h.notices.Report(ctx, which, reference) })
}

// WithdrawNotice takes a closing back.
func WithdrawNotice(ctx context.Context, c config.Config, which id.Row) error {
	return atNotices(ctx, c, func(h *house) error { return h.notices.Withdraw(ctx, which) })
}

// reviewEvery is how often the policy has to be looked at.
const reviewEvery = 365 * 24 * time.Hour

// unreviewed is for how long the newest look at the policy is too old; 0: it is not.
//
// promise:P329
func unreviewed(assessed string, now time.Time) time.Duration {
	at, err := time.Parse(time.DateOnly, assessed)
	if err != nil {
		return now.Sub(time.Time{}) // a policy that does not say was never looked at
	}
	if promise.Cut("P329") {
		return 0
	}
	return max(0, now.Sub(at)-reviewEvery)
}
