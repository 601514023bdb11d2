package httpapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Sessions is signing in and out.
type Sessions interface {
	// SignIn compares e-mail and password; a wrong one of either is the problem session.wrong. Who has a
	// second step gets SignedIn.Step.
	SignIn(ctx context.Context, t id.Tenant, email, password string, c Client) (SignedIn, error)
	// Session finds who a token belongs to, or the problem session.needed or session.ended (401).
	Session(ctx context.Context, token string) (Caller, error)
	// List shows an account's sessions.
	List(ctx context.Context, p permit.Permit, a id.Account) ([]SessionInfo, error)
	// End ends one session of the account, or is the problem not_found.
	End(ctx context.Context, p permit.Permit, a id.Account, s id.Session) error
	// EndOthers ends every session of the account but the permit's own, and says which.
	EndOthers(ctx context.Context, p permit.Permit, a id.Account) ([]id.Session, error)
}

// Caller is who is signed in.
type Caller struct {
	Tenant   id.Tenant
	Account  id.Account
	Session  id.Session
	Language string
}

// Client is the browser that signs in, as its owner may see it in the list of sessions.
type Client struct {
	Agent   string     // "Firefox on Android"
	Address netip.Addr // as far as a trusted proxy tells
}

// SignedIn is a new session.
type SignedIn struct {
	Account Account
	Session id.Session
	Token   string // for the cookie only
	Expires time.Time
	Step    *PendingStep // a second step is needed first; then nothing else is set
}

// SessionInfo is one signed-in browser.
type SessionInfo struct {
	ID        id.Session `json:"id"`
	Agent     string     `json:"agent"`
	Address   string     `json:"address,omitempty" doc:"Where it signed in from"`
	CreatedAt Moment     `json:"created_at"`
	SeenAt    Moment     `json:"seen_at,omitzero"`
	ExpiresAt Moment     `json:"expires_at,omitzero"`
	Current   bool       `json:"current" doc:"This browser"`
}

type signedIn struct {
	Status    int
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      struct {
		Account *Account     `json:"account,omitempty" doc:"Signed in (201)"`
		Step    *PendingStep `json:"step,omitempty" doc:"The password was right, and a code is needed (202)"`
	}
}

type signInInput struct {
	Body struct {
		Email    string `json:"email" maxLength:"254"`
		Password string `json:"password" maxLength:"1024"`
	}
}

func (a *API) client(ctx context.Context) Client {
	in := of(ctx)
	return Client{Agent: in.client, Address: network(in.visit.Client)}
}

func (a *API) signedIn(ctx context.Context, s SignedIn) *signedIn {
	out := &signedIn{Status: http.StatusCreated}
	if s.Step != nil {
		out.Status, out.Body.Step = http.StatusAccepted, s.Step
		return out
	}
	out.SetCookie = []http.Cookie{*newCookie(of(ctx).visit, s.Token, a.deps.Clock.Now(), s.Expires)}
	out.Body.Account = &s.Account
	return out
}

// gone clears the cookie of a session that has ended.
type gone struct {
	SetCookie http.Cookie `header:"Set-Cookie"`
}

func (a *API) gone(ctx context.Context) *gone {
	return &gone{SetCookie: *newCookie(of(ctx).visit, "", time.Time{}, time.Time{})}
}

func (a *API) session() {
	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/session", ID: "signIn", Summary: "Sign in", Auth: Public, Tag: "session"},
		func(ctx context.Context, in *signInInput) (*signedIn, error) {
			who := sha256.Sum256([]byte(strings.ToLower(strings.TrimSpace(in.Body.Email))))
			person, place := "person "+hex.EncodeToString(who[:]), place(ctx)
			if err := a.throttle.try(place, 30, 2*time.Second); err != nil {
				return nil, err
			}
			if err := a.throttle.try(person+" "+place, 8, 5*time.Second); err != nil {
				return nil, err
			}
			signed, err := a.deps.Sessions.SignIn(ctx, a.deps.Tenant, in.Body.Email, in.Body.Password, a.client(ctx))
			if err != nil {
				return nil, err
			}
			a.throttle.forgive(person + " " + place)
			return a.signedIn(ctx, signed), nil
		}, http.StatusCreated)

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/session", ID: "getSession", Summary: "Who is signed in", Auth: Session, Action: permit.AccountRead, Tag: "session"},
		func(ctx context.Context, _ *none) (*struct {
			Body struct {
				Account Account    `json:"account"`
				Session id.Session `json:"session"`
			}
		}, error) {
			in := of(ctx)
			account, err := a.deps.Accounts.Get(ctx, in.permit, in.caller.Account)
			if err != nil {
				return nil, err
			}
			out := &struct {
				Body struct {
					Account Account    `json:"account"`
					Session id.Session `json:"session"`
				}
			}{}
			out.Body.Account, out.Body.Session = account, in.caller.Session
			return out, nil
		})

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/session", ID: "signOut", Summary: "Sign out", Auth: Session, Action: permit.AccountRead, Tag: "session"},
		func(ctx context.Context, _ *none) (*gone, error) {
			in := of(ctx)
			if err := a.deps.Sessions.End(ctx, in.permit, in.caller.Account, in.caller.Session); err != nil {
				return nil, err
			}
			a.events.endSession(in.caller.Session)
			return a.gone(ctx), nil
		}, http.StatusNoContent)

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/sessions", ID: "listSessions", Summary: "Signed-in browsers", Auth: Session, Action: permit.AccountRead, Tag: "session"},
		func(ctx context.Context, _ *none) (*struct {
			Body struct {
				Sessions []SessionInfo `json:"sessions" nullable:"false"`
			}
		}, error) {
			in := of(ctx)
			all, err := a.deps.Sessions.List(ctx, in.permit, in.caller.Account)
			if err != nil {
				return nil, err
			}
			out := &struct {
				Body struct {
					Sessions []SessionInfo `json:"sessions" nullable:"false"`
				}
			}{}
			out.Body.Sessions = make([]SessionInfo, len(all))
			for i, s := range all {
				s.Current = s.ID == in.caller.Session
				out.Body.Sessions[i] = s
			}
			return out, nil
		})

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/sessions/{session}", ID: "endSession", Summary: "Sign another browser out", Auth: Session, Action: permit.AccountChange, Tag: "session"},
		func(ctx context.Context, path *struct {
			Session string `path:"session"`
		}) (*none, error) {
			in := of(ctx)
			s, ok := parse[id.Session](path.Session)
			if !ok {
				return nil, problem.NotFound()
			}
			if err := a.deps.Sessions.End(ctx, in.permit, in.caller.Account, s); err != nil {
				return nil, err
			}
			a.events.endSession(s)
			return &none{}, nil
		}, http.StatusNoContent)

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/sessions", ID: "endOtherSessions", Summary: "Sign all other browsers out", Auth: Session, Action: permit.AccountChange, Tag: "session"},
		func(ctx context.Context, _ *none) (*none, error) {
			in := of(ctx)
			ended, err := a.deps.Sessions.EndOthers(ctx, in.permit, in.caller.Account)
			for _, s := range ended {
				a.events.endSession(s)
			}
			return &none{}, err
		}, http.StatusNoContent)
}
