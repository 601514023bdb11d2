package httpapi

import (
	"context"
	"net/http"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
)

// Seconds is the second step of a sign-in: codes of an authenticator app, as in RFC 6238.
type Seconds interface {
	// Finish takes the second step of a sign-in whose password was right. Problems: step.wrong, step.over.
	Finish(ctx context.Context, token, code string, c Client) (SignedIn, error)
	State(ctx context.Context, p permit.Permit, a id.Account) (SecondStep, error)
	// Offer makes a key for the app, for who shows the password; nothing is on before Confirm. Problems: password.wrong, step.on.
	Offer(ctx context.Context, p permit.Permit, a id.Account, password string) (SecondOffer, error)
	// Confirm turns it on with a code of the app. Problems: step.wrong, step.over, step.on.
	Confirm(ctx context.Context, p permit.Permit, a id.Account, code string) (recovery []string, err error)
	// Verify spends a code of somebody who is signed in. Problems: step.wrong, step.off.
	Verify(ctx context.Context, p permit.Permit, a id.Account, code string) error
	// Drop turns it off. Problems: password.wrong, step.wrong, step.off.
	Drop(ctx context.Context, p permit.Permit, a id.Account, password, code string) error
}

// SecondStep is whether a code is asked for after the password.
type SecondStep struct {
	On       bool   `json:"on"`
	Since    string `json:"since,omitempty" format:"date" doc:"The UTC day on which it was turned on"`
	Recovery int    `json:"recovery_codes" doc:"How many recovery codes are left"`
}

// SecondOffer is a key for an authenticator app.
type SecondOffer struct {
	Key     string `json:"key" doc:"In Base32, in groups, to be typed into the app"`
	Address string `json:"address" doc:"otpauth address, for a QR code"`
	Until   Moment `json:"until" doc:"Confirm it with a code before"`
}

// PendingStep is a sign-in that waits for its second step.
type PendingStep struct {
	Token string `json:"token" doc:"To be sent with the code"`
	Until Moment `json:"until"`
}

type finishInput struct {
	Body struct {
		Token string `json:"token" maxLength:"64"`
		Code  string `json:"code" maxLength:"64" doc:"Of the app, or a recovery code"`
	}
}

type codeInput struct {
	Body struct {
		Code string `json:"code" maxLength:"64" doc:"Of the app"`
	}
}

type dropInput struct {
	Body struct {
		Password string `json:"password" maxLength:"1024"`
		Code     string `json:"code" maxLength:"64" doc:"Of the app, or a recovery code"`
	}
}

func (a *API) second() {
	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/session/second", ID: "finishSignIn", Summary: "The second step of a sign-in", Auth: Public, Tag: "session"},
		func(ctx context.Context, in *finishInput) (*signedIn, error) {
			if err := a.throttle.try(place(ctx), 30, 2*time.Second); err != nil {
				return nil, err
			}
			signed, err := a.deps.Seconds.Finish(ctx, in.Body.Token, in.Body.Code, a.client(ctx))
			if err != nil {
				return nil, err
			}
			return a.signedIn(ctx, signed), nil
		}, http.StatusCreated)

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/account/second", ID: "getSecondStep", Summary: "Whether a code is asked for after the password", Auth: Session, Action: permit.AccountRead, Tag: "account"},
		func(ctx context.Context, _ *none) (*struct{ Body SecondStep }, error) {
			in := of(ctx)
			s, err := a.deps.Seconds.State(ctx, in.permit, in.caller.Account)
			return &struct{ Body SecondStep }{s}, err
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/account/second", ID: "offerSecondStep", Summary: "A key for an authenticator app", Auth: Session, Action: permit.AccountChange, Tag: "account"},
		func(ctx context.Context, confirm *passwordInput) (*struct{ Body SecondOffer }, error) {
			in := of(ctx)
			key := "password " + in.caller.Account.String()
			if err := a.throttle.try(key, 8, 5*time.Second); err != nil {
				return nil, err
			}
			offer, err := a.deps.Seconds.Offer(ctx, in.permit, in.caller.Account, confirm.Body.Password)
			if err == nil {
				a.throttle.forgive(key)
			}
			return &struct{ Body SecondOffer }{offer}, err
		})

	operation(a, Route{Method: http.MethodPut, Path: "/api/v1/account/second", ID: "confirmSecondStep", Summary: "Turn the second step on, with a code of the app", Auth: Session, Action: permit.AccountChange, Tag: "account"},
		func(ctx context.Context, confirm *codeInput) (*struct {
			Body struct {
				RecoveryCodes []string `json:"recovery_codes" nullable:"false" doc:"Each works once in place of the app. They are shown in this answer and nowhere else."`
			}
		}, error) {
			in := of(ctx)
			codes, err := a.deps.Seconds.Confirm(ctx, in.permit, in.caller.Account, confirm.Body.Code)
			out := &struct {
				Body struct {
					RecoveryCodes []string `json:"recovery_codes" nullable:"false" doc:"Each works once in place of the app. They are shown in this answer and nowhere else."`
				}
			}{}
			out.Body.RecoveryCodes = orEmpty(codes)
			return out, err
		})

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/account/second", ID: "dropSecondStep", Summary: "Turn the second step off", Auth: Session, Action: permit.AccountChange, Tag: "account"},
		func(ctx context.Context, confirm *dropInput) (*none, error) {
			in := of(ctx)
			key := "password " + in.caller.Account.String()
			if err := a.throttle.try(key, 8, 5*time.Second); err != nil {
				return nil, err
			}
			if err := a.deps.Seconds.Drop(ctx, in.permit, in.caller.Account, confirm.Body.Password, confirm.Body.Code); err != nil {
				return nil, err
			}
			a.throttle.forgive(key)
			return &none{}, nil
		}, http.StatusNoContent)
}
