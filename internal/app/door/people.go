package door

import (
	"context"
	"errors"

	"candor/internal/account"
	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
)

// Sessions signs people in and out.
type Sessions struct {
	Room *account.Room
	Gate *gate.Gate
}

var _ httpapi.Sessions = Sessions{}

// SignIn compares e-mail and password.
func (s Sessions) SignIn(ctx context.Context, t id.Tenant, email, password string, c httpapi.Client) (httpapi.SignedIn, error) {
	in, err := s.Room.SignIn(ctx, t, email, password, account.Client{Kind: c.Agent, Address: c.Address.String()})
	if err != nil {
		return httpapi.SignedIn{}, err
	}
	return s.signedIn(ctx, in)
}

// signedIn opens the account for the session that has just begun, or says that a second step comes first.
func (s Sessions) signedIn(ctx context.Context, in account.SignedIn) (httpapi.SignedIn, error) {
	if in.Step.Request != "" {
		return httpapi.SignedIn{Step: &httpapi.PendingStep{Token: in.Step.Request, Until: httpapi.Moment(clock.At(in.Step.Until))}}, nil
	}
	p, err := s.Gate.Permit(ctx, gate.Request{Tenant: in.Tenant, Actor: permit.Person(in.Account, in.Session), Action: permit.AccountRead, Account: in.Account})
	if err != nil {
		return httpapi.SignedIn{}, err
	}
	got, err := s.Room.Get(ctx, p, in.Tenant, in.Account)
	return httpapi.SignedIn{Account: profile(got), Session: in.Session, Token: in.Token, Expires: in.Expires}, err
}

// Session finds who a token belongs to.
func (s Sessions) Session(ctx context.Context, token string) (httpapi.Caller, error) {
	in, err := s.Room.Session(ctx, token)
	return httpapi.Caller{Tenant: in.Tenant, Account: in.Account, Session: in.ID, Language: in.Language}, err
}

// List shows an account's sessions.
func (s Sessions) List(ctx context.Context, p permit.Permit, a id.Account) ([]httpapi.SessionInfo, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	all, err := s.Room.Sessions(ctx, p, g.Tenant, a)
	if err != nil {
		return nil, err
	}
	out := make([]httpapi.SessionInfo, 0, len(all))
	for _, i := range all {
		seen := i.SeenOn.Start()
		out = append(out, httpapi.SessionInfo{
			ID: i.ID, Agent: i.Client, CreatedAt: httpapi.Moment(i.CreatedAt), SeenAt: moment(&seen), ExpiresAt: httpapi.Moment(i.Expires),
			Current: i.ID == g.Actor.Session,
		})
	}
	return out, nil
}

// End ends one session.
func (s Sessions) End(ctx context.Context, p permit.Permit, a id.Account, which id.Session) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return s.Room.SignOut(ctx, g.Tenant, a, which)
}

// EndOthers ends every other session of the account.
func (s Sessions) EndOthers(ctx context.Context, p permit.Permit, a id.Account) ([]id.Session, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	return s.Room.SignOutOthers(ctx, g.Tenant, a, g.Actor.Session)
}

// Accounts shows and changes a person's own account.
type Accounts struct {
	Room   *account.Room
	Office *rights.Office
	Gone   func(a id.Account) // the account is closed
}

var _ httpapi.Accounts = Accounts{}

// Get opens the account.
func (s Accounts) Get(ctx context.Context, p permit.Permit, a id.Account) (httpapi.Account, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Account{}, err
	}
	got, err := s.Room.Get(ctx, p, g.Tenant, a)
	return profile(got), err
}

func profile(p account.Profile) httpapi.Account {
	return httpapi.Account{
		ID: p.ID, Name: p.Name, Email: p.Email, Language: p.Language, Theme: p.Theme, TimeZone: p.TimeZone, CreatedAt: httpapi.Moment(p.CreatedAt),
	}
}

// Change changes it.
func (s Accounts) Change(ctx context.Context, p permit.Permit, a id.Account, c httpapi.AccountChange) (httpapi.Account, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Account{}, err
	}
	got, err := s.Room.Change(ctx, p, g.Tenant, a, account.Change{Name: c.Name, Language: c.Language, Theme: c.Theme, TimeZone: c.TimeZone})
	return profile(got), err
}

// SetPassword changes the password and ends the other sessions.
func (s Accounts) SetPassword(ctx context.Context, p permit.Permit, a id.Account, keep id.Session, current, next string) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return s.Room.SetPassword(ctx, g.Tenant, a, keep, current, next)
}

// Verify compares the password.
func (s Accounts) Verify(ctx context.Context, p permit.Permit, a id.Account, password string) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return s.Room.VerifyPassword(ctx, g.Tenant, a, password)
}

// Erase closes the account and says goodbye, whenever its owner wants that.
//
// promise:P273
func (s Accounts) Erase(ctx context.Context, p permit.Permit, a id.Account, password string) (httpapi.Receipt, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Receipt{}, err
	}
	if promise.Cut("P273") {
		return httpapi.Receipt{}, problem.NotFound()
	}
	if err := s.Room.VerifyPassword(ctx, g.Tenant, a, password); err != nil {
		return httpapi.Receipt{}, err
	}
	ctx = context.WithoutCancel(ctx)
	closing := s.Room.Close(ctx, g.Tenant, a) // a full disk must not keep what is to go: the goodbye is said all the same
	r, err := s.Office.CloseAccount(ctx, p)
	if err != nil {
		return httpapi.Receipt{}, errors.Join(err, closing)
	}
	s.Gone(a)
	return receipt(r), nil
}
