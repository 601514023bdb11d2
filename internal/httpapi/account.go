package httpapi

import (
	"context"
	"net/http"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
)

// Accounts is a person's own account.
type Accounts interface {
	Get(ctx context.Context, p permit.Permit, a id.Account) (Account, error)
	Change(ctx context.Context, p permit.Permit, a id.Account, c AccountChange) (Account, error)
	// SetPassword compares the current one (password.wrong) and ends the account's other sessions.
	SetPassword(ctx context.Context, p permit.Permit, a id.Account, keep id.Session, current, next string) error
	// Verify compares the password: password.wrong.
	Verify(ctx context.Context, p permit.Permit, a id.Account, password string) error
	// Erase compares the password and says goodbye. Done is zero while the sweep goes on.
	Erase(ctx context.Context, p permit.Permit, a id.Account, password string) (Receipt, error)
}

// Account is the person who signed up, as they see themselves.
type Account struct {
	ID        id.Account `json:"id"`
	Name      string     `json:"name"`
	Email     string     `json:"email"`
	Language  string     `json:"language"`
	Theme     string     `json:"theme" doc:"system, light or dark"`
	TimeZone  string     `json:"time_zone,omitempty"`
	CreatedAt Moment     `json:"created_at"`
}

// AccountChange holds what changes; nil stays.
type AccountChange struct {
	Name     *string `json:"name,omitempty" minLength:"1" maxLength:"200"`
	Language *string `json:"language,omitempty" enum:"en,zh-Hans"`
	Theme    *string `json:"theme,omitempty" enum:"system,light,dark"`
	TimeZone *string `json:"time_zone,omitempty" maxLength:"64"`
}

type accountOutput struct {
	ETag string `header:"ETag"`
	Body Account
}

type receiptOutput struct {
	Status    int
	SetCookie []http.Cookie `header:"Set-Cookie"`
	Body      Receipt
}

type passwordInput struct {
	Body struct {
		Password string `json:"password" maxLength:"1024" doc:"Your password, again"`
	}
}

func (a *API) account() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/account", ID: "getAccount", Summary: "Your account", Auth: Session, Action: permit.AccountRead, Tag: "account"},
		func(ctx context.Context, _ *none) (*accountOutput, error) {
			in := of(ctx)
			acc, err := a.deps.Accounts.Get(ctx, in.permit, in.caller.Account)
			return &accountOutput{ETag: etag(acc), Body: acc}, err
		})

	operation(a, Route{Method: http.MethodPatch, Path: "/api/v1/account", ID: "changeAccount", Summary: "Change your account", Auth: Session, Action: permit.AccountChange, Tag: "account"},
		func(ctx context.Context, change *struct {
			IfMatch string `header:"If-Match"`
			Body    AccountChange
		}) (*accountOutput, error) {
			in := of(ctx)
			if change.IfMatch != "" {
				now, err := a.deps.Accounts.Get(ctx, in.permit, in.caller.Account)
				if err != nil {
					return nil, err
				}
				if err := matches(change.IfMatch, etag(now)); err != nil {
					return nil, err
				}
			}
			acc, err := a.deps.Accounts.Change(ctx, in.permit, in.caller.Account, change.Body)
			return &accountOutput{ETag: etag(acc), Body: acc}, err
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/account/password", ID: "setPassword", Summary: "Change your password", Auth: Session, Action: permit.AccountChange, Tag: "account"},
		func(ctx context.Context, change *struct {
			Body struct {
				Current string `json:"current" maxLength:"1024"`
				New     string `json:"new" maxLength:"1024"`
			}
		}) (*none, error) {
			in := of(ctx)
			key := "password " + in.caller.Account.String()
			if err := a.throttle.try(key, 8, 5*time.Second); err != nil {
				return nil, err
			}
			if err := a.deps.Accounts.SetPassword(ctx, in.permit, in.caller.Account, in.caller.Session, change.Body.Current, change.Body.New); err != nil {
				return nil, err
			}
			a.throttle.forgive(key)
			return &none{}, nil
		}, http.StatusNoContent)

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/account", ID: "eraseAccount", Summary: "Delete your account and everything of it", Auth: Session, Action: permit.AccountErase, Tag: "account"},
		func(ctx context.Context, confirm *passwordInput) (*receiptOutput, error) {
			in := of(ctx)
			key := "password " + in.caller.Account.String()
			if err := a.throttle.try(key, 8, 5*time.Second); err != nil {
				return nil, err
			}
			receipt, err := a.deps.Accounts.Erase(context.WithoutCancel(ctx), in.permit, in.caller.Account, confirm.Body.Password)
			if err != nil {
				return nil, err
			}
			a.forget(in.caller.Account)
			return &receiptOutput{Status: receipt.status(), SetCookie: []http.Cookie{a.gone(ctx).SetCookie}, Body: receipt}, nil
		}, http.StatusOK)
}

// forget lets go of what the door itself remembers of an account.
func (a *API) forget(account id.Account) {
	a.replays.forget(account)
	a.events.endAccount(account)
	a.throttle.forgive("password " + account.String())
}
