package httpapi

import (
	"context"
	"net/http"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// SignUps is how people get an account, or back into theirs, with a code that is sent by mail.
// What is answered to who asks for a code does not tell whether the address has an account.
type SignUps interface {
	// Door is who may sign up (open, invited, closed), and whether mail can be sent at all.
	Door(ctx context.Context) (door string, mail bool, err error)
	AskSignUp(ctx context.Context, q Ask) (Asked, error)
	// SignUp makes the account and signs the browser in: code.wrong, code.over.
	SignUp(ctx context.Context, c Coded, n Newcomer) (SignedIn, error)
	AskReset(ctx context.Context, q Ask) (Asked, error)
	// Reset sets the password and ends every session of the account.
	Reset(ctx context.Context, c Coded, password string) error
	// AskEmail compares the password and sends a code to the new address.
	AskEmail(ctx context.Context, p permit.Permit, a id.Account, password string, q Ask) (Asked, error)
	SetEmail(ctx context.Context, p permit.Permit, a id.Account, c Coded) (Account, error)
	// Outbox lists the newest mail where it is shown instead of sent, and is false elsewhere.
	Outbox() ([]Letter, bool)
}

// Ask is what somebody gives who wants a code.
type Ask struct {
	Email, Language, Invitation string
	Client                      Client
}

// Asked is what they are told.
type Asked struct {
	Request string `json:"request" doc:"Goes back with the code. A code is of use only with its own request"`
	Until   Moment `json:"expires_at"`
}

// Coded is a code that was typed.
type Coded struct{ Request, Email, Code string }

// Letter is a mail in the outbox.
type Letter struct {
	At      Moment `json:"at"`
	To      string `json:"to"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
}

type signUpState struct {
	Door   string `json:"sign_up" enum:"open,invited,closed" doc:"Who may sign up"`
	Mail   bool   `json:"mail" doc:"Codes can be sent"`
	Outbox bool   `json:"outbox" doc:"Mail is shown at /outbox, to this browser too"`
}

type askedOutput struct{ Body Asked }

type lettersOutput struct {
	Body struct {
		Letters []Letter `json:"letters" nullable:"false"`
	}
}

func (a *API) signUp() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/sign-up", ID: "getSignUp", Summary: "Who may sign up", Auth: Public, Tag: "sign-up"},
		func(ctx context.Context, _ *none) (*struct{ Body signUpState }, error) {
			door, mail, err := a.deps.SignUps.Door(ctx)
			return &struct{ Body signUpState }{signUpState{Door: door, Mail: mail, Outbox: a.outbox(ctx)}}, err
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/sign-up", ID: "askSignUp", Summary: "Ask for a code to sign up", Auth: Public, Tag: "sign-up"},
		func(ctx context.Context, in *struct {
			Body struct {
				Email      string `json:"email" minLength:"3" maxLength:"254"`
				Language   string `json:"language" enum:"en,zh-Hans" doc:"Of the message"`
				Invitation string `json:"invitation,omitempty" maxLength:"128" doc:"Token of an invitation"`
			}
		}) (*askedOutput, error) {
			asked, err := a.deps.SignUps.AskSignUp(ctx, Ask{Email: in.Body.Email, Language: in.Body.Language, Invitation: in.Body.Invitation, Client: a.client(ctx)})
			return &askedOutput{asked}, err
		}, http.StatusAccepted)

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/sign-up/confirm", ID: "signUp", Summary: "Make an account with the code", Auth: Mailed, Tag: "sign-up"},
		func(ctx context.Context, in *struct {
			Body struct {
				Request  string `json:"request" maxLength:"64"`
				Email    string `json:"email" minLength:"3" maxLength:"254"`
				Code     string `json:"code" maxLength:"32"`
				Name     string `json:"name" minLength:"1" maxLength:"200"`
				Password string `json:"password" maxLength:"1024"`
				Language string `json:"language" enum:"en,zh-Hans"`
				TimeZone string `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name; UTC when left out"`
			}
		}) (*signedIn, error) {
			b := in.Body
			if err := a.throttle.try("code "+place(ctx), 30, 2*time.Second); err != nil {
				return nil, err
			}
			signed, err := a.deps.SignUps.SignUp(ctx, Coded{b.Request, b.Email, b.Code},
				Newcomer{Name: b.Name, Email: b.Email, Password: b.Password, Language: b.Language, TimeZone: b.TimeZone, Client: a.client(ctx)})
			if err != nil {
				return nil, err
			}
			return a.signedIn(ctx, signed), nil
		}, http.StatusCreated)

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/password/reset", ID: "askReset", Summary: "Ask for a code to set a new password", Auth: Public, Tag: "sign-up"},
		func(ctx context.Context, in *struct {
			Body struct {
				Email    string `json:"email" minLength:"3" maxLength:"254"`
				Language string `json:"language" enum:"en,zh-Hans" doc:"Of the message"`
			}
		}) (*askedOutput, error) {
			asked, err := a.deps.SignUps.AskReset(ctx, Ask{Email: in.Body.Email, Language: in.Body.Language, Client: a.client(ctx)})
			return &askedOutput{asked}, err
		}, http.StatusAccepted)

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/password/reset/confirm", ID: "resetPassword", Summary: "Set a new password with the code; every session ends", Auth: Mailed, Tag: "sign-up"},
		func(ctx context.Context, in *struct {
			Body struct {
				Request  string `json:"request" maxLength:"64"`
				Email    string `json:"email" minLength:"3" maxLength:"254"`
				Code     string `json:"code" maxLength:"32"`
				Password string `json:"password" maxLength:"1024"`
			}
		}) (*none, error) {
			if err := a.throttle.try("code "+place(ctx), 30, 2*time.Second); err != nil {
				return nil, err
			}
			return &none{}, a.deps.SignUps.Reset(ctx, Coded{in.Body.Request, in.Body.Email, in.Body.Code}, in.Body.Password)
		}, http.StatusNoContent)

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/account/email", ID: "askEmail", Summary: "Ask for a code to use another e-mail address", Auth: Session, Action: permit.AccountChange, Tag: "account"},
		func(ctx context.Context, ask *struct {
			Body struct {
				Email    string `json:"email" minLength:"3" maxLength:"254"`
				Password string `json:"password" maxLength:"1024" doc:"Your password, again"`
			}
		}) (*askedOutput, error) {
			in := of(ctx)
			key := "password " + in.caller.Account.String()
			if err := a.throttle.try(key, 8, 5*time.Second); err != nil {
				return nil, err
			}
			asked, err := a.deps.SignUps.AskEmail(ctx, in.permit, in.caller.Account, ask.Body.Password, Ask{Email: ask.Body.Email, Language: in.lang, Client: a.client(ctx)})
			if err == nil {
				a.throttle.forgive(key)
			}
			return &askedOutput{asked}, err
		}, http.StatusAccepted)

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/account/email/confirm", ID: "setEmail", Summary: "Use another e-mail address, with the code", Auth: Session, Action: permit.AccountChange, Tag: "account"},
		func(ctx context.Context, set *struct {
			Body struct {
				Request string `json:"request" maxLength:"64"`
				Email   string `json:"email" minLength:"3" maxLength:"254"`
				Code    string `json:"code" maxLength:"32"`
			}
		}) (*accountOutput, error) {
			in := of(ctx)
			acc, err := a.deps.SignUps.SetEmail(ctx, in.permit, in.caller.Account, Coded{set.Body.Request, set.Body.Email, set.Body.Code})
			return &accountOutput{ETag: etag(acc), Body: acc}, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/outbox", ID: "getOutbox", Summary: "Mail that is shown instead of sent, to this machine only", Auth: Public, Tag: "sign-up"},
		func(ctx context.Context, _ *none) (*lettersOutput, error) {
			if !a.outbox(ctx) {
				return nil, problem.NotFound()
			}
			out := &lettersOutput{}
			out.Body.Letters, _ = a.deps.SignUps.Outbox()
			return out, nil
		})
}

// outbox reports whether there is one and the browser is on this machine: by its address, and by the
// name it has for us, so that no other site's name leads here.
func (a *API) outbox(ctx context.Context) bool {
	v := of(ctx).visit
	_, there := a.deps.SignUps.Outbox()
	return there && v.Client.Unmap().IsLoopback() && v.Local()
}
