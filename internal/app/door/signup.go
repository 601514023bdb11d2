package door

import (
	"context"

	"candor/internal/account"
	"candor/internal/clock"
	"candor/internal/consent"
	"candor/internal/device"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/notify/mail"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/words"
)

// SignUps lets people in with a code that is sent by mail.
type SignUps struct {
	Tenant   id.Tenant
	People   *account.Room
	Devices  *device.Room
	Versions *consent.Versions
	Sessions Sessions
	Mail     *mail.Room
	Over     func() bool // the service has ended
}

var _ httpapi.SignUps = SignUps{}

// Door is who may sign up.
func (s SignUps) Door(ctx context.Context) (door string, sends bool, err error) {
	door = string(s.People.SignUps)
	if door == "" {
		door = string(account.DoorClosed)
	}
	return door, s.Mail.Can(), nil
}

func ask(q httpapi.Ask) account.Ask {
	return account.Ask{Email: q.Email, Language: q.Language, Invitation: q.Invitation, Client: account.Client{Kind: q.Client.Agent, Address: q.Client.Address.String()}}
}

func asked(a account.Asked, err error) (httpapi.Asked, error) {
	if err != nil {
		return httpapi.Asked{}, err
	}
	return httpapi.Asked{Request: a.Request, Until: httpapi.Moment(clock.At(a.Until))}, nil
}

// AskSignUp sends a code to sign up.
func (s SignUps) AskSignUp(ctx context.Context, q httpapi.Ask) (httpapi.Asked, error) {
	if s.Over() {
		return httpapi.Asked{}, problem.Gone("house.over")
	}
	return asked(s.People.AskSignUp(ctx, s.Tenant, ask(q)))
}

// SignUp makes the account and its first place, as set-up does.
func (s SignUps) SignUp(ctx context.Context, c httpapi.Coded, n httpapi.Newcomer) (httpapi.SignedIn, error) {
	if s.Over() {
		return httpapi.SignedIn{}, problem.Gone("house.over")
	}
	zone := n.TimeZone
	if zone == "" {
		zone = "UTC"
	}
	a, err := s.People.SignUp(ctx, s.Tenant, c.Request, c.Code, account.New{Name: n.Name, Email: n.Email, Password: n.Password, Language: n.Language, TimeZone: zone})
	if err != nil {
		return httpapi.SignedIn{}, err
	}
	ctx = context.WithoutCancel(ctx) // a browser that leaves now finds everything when it comes back
	in, err := s.People.Begin(ctx, s.Tenant, a, n.Client.Agent)
	if err != nil {
		return httpapi.SignedIn{}, err
	}
	if err := joined(ctx, s.Versions, s.Tenant, a, in.Session); err != nil {
		return httpapi.SignedIn{}, err
	}
	if _, err := s.Devices.AddSite(ctx, s.Tenant, a, words.Sentence(n.Language, "site.default_name", nil), zone); err != nil {
		return httpapi.SignedIn{}, err
	}
	return s.Sessions.signedIn(ctx, in)
}

// AskReset sends a code to set a new password.
func (s SignUps) AskReset(ctx context.Context, q httpapi.Ask) (httpapi.Asked, error) {
	return asked(s.People.AskReset(ctx, s.Tenant, ask(q)))
}

// Reset sets a new password with the code.
func (s SignUps) Reset(ctx context.Context, c httpapi.Coded, password string) error {
	return s.People.ResetByCode(ctx, s.Tenant, c.Request, c.Email, c.Code, password)
}

// AskEmail sends a code to another address.
func (s SignUps) AskEmail(ctx context.Context, p permit.Permit, a id.Account, password string, q httpapi.Ask) (httpapi.Asked, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Asked{}, err
	}
	return asked(s.People.AskEmail(ctx, g.Tenant, a, password, ask(q)))
}

// SetEmail moves the account to that address.
func (s SignUps) SetEmail(ctx context.Context, p permit.Permit, a id.Account, c httpapi.Coded) (httpapi.Account, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Account{}, err
	}
	if err := s.People.SetEmail(ctx, p, g.Tenant, a, c.Request, c.Email, c.Code); err != nil {
		return httpapi.Account{}, err
	}
	got, err := s.People.Get(ctx, p, g.Tenant, a)
	return profile(got), err
}

// Outbox lists the mail that is shown instead of sent.
func (s SignUps) Outbox() ([]httpapi.Letter, bool) {
	if s.Mail.Outbox == nil {
		return nil, false
	}
	out := []httpapi.Letter{}
	for _, l := range s.Mail.Outbox.Letters() {
		out = append(out, httpapi.Letter{At: httpapi.Moment(clock.At(l.At)), To: l.To, Subject: l.Subject, Text: l.Text})
	}
	return out, true
}

// Letters hands what the account room writes to mail.
type Letters struct{ Mail *mail.Room }

var _ account.Mail = Letters{}

// Can reports whether letters go anywhere.
func (l Letters) Can() bool { return l.Mail.Can() }

// Send sends one.
func (l Letters) Send(ctx context.Context, a account.Letter) error {
	return l.Mail.Send(ctx, mail.Message{
		Tenant: a.Tenant, Account: a.Account, To: a.To, Subject: a.Subject, Text: a.Text, Purpose: passport.Security, Until: a.Until, Fleeting: a.Code,
	})
}
