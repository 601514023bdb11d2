package account

import (
	"context"
	"fmt"
	"strings"

	"candor/internal/id"
	"candor/internal/problem"
	"candor/internal/promise"
)

// Door says who may sign up.
type Door string

// The answers. The zero Door is closed.
const (
	DoorOpen    Door = "open"    // whoever reads mail at the address
	DoorInvited Door = "invited" // and was invited
	DoorClosed  Door = "closed"
)

// Ask is what somebody gives who wants a code.
type Ask struct {
	Email      string
	Language   string // of the letter
	Invitation string // the token of one, to sign up
	Client     Client
}

// AskSignUp sends a code to an address that wants an account. An address that has one is sent a
// letter that says so; the answer is the same. Problems: email.invalid, sign_up.closed,
// sign_up.invited and those of Invited, mail.none, mail.full, request.too_many.
func (r *Room) AskSignUp(ctx context.Context, t id.Tenant, q Ask) (Asked, error) {
	email, err := CheckEmail(q.Email)
	if err != nil {
		return Asked{}, err
	}
	if err := r.mayEnter(ctx, t, email, q.Invitation); err != nil {
		return Asked{}, err
	}
	if err := r.canMail(); err != nil {
		return Asked{}, err
	}
	_, known, err := r.of(ctx, t, email)
	if err != nil {
		return Asked{}, err
	}
	asked, code, err := r.codes.ask(forSignUp, t, email, q.Client.Address, id.Account{}, false)
	if err != nil || code == "" {
		return asked, err
	}
	lang := r.language(q.Language)
	new, old := r.withCode(r.letter("signUp", lang, email, map[string]string{"code": spaced(code)}), asked), r.withCode(r.letter("signUpKnown", lang, email, nil), asked)
	if known {
		r.codes.spoil(asked) // no code was told
		new = old
	}
	return asked, r.Mail.Send(ctx, new)
}

// mayEnter asks the door.
func (r *Room) mayEnter(ctx context.Context, t id.Tenant, email, invitation string) error {
	any, err := r.Any(ctx, t)
	switch {
	case err != nil:
		return err
	case !any: // the first account is set-up's
		return problem.Forbidden("sign_up.closed")
	case r.SignUps == DoorOpen:
		return nil
	case r.SignUps != DoorInvited:
		return problem.Forbidden("sign_up.closed")
	}
	if r.Invited == nil || invitation == "" {
		return problem.Forbidden("sign_up.invited")
	}
	return r.Invited(ctx, t, invitation, email)
}

// of finds the open account of an address. It does the same work for every address.
func (r *Room) of(ctx context.Context, t id.Tenant, email string) (a id.Account, known bool, err error) {
	a, known, err = r.Keeper.Account(ctx, t, email)
	if err != nil {
		return id.Account{}, false, fmt.Errorf("look an address up: %w", err)
	}
	open, err := r.Open(ctx, t, a)
	if err != nil || !known || !open {
		return id.Account{}, false, err
	}
	return a, true, nil
}

func (r *Room) withCode(l Letter, a Asked) Letter {
	l.Code, l.Until = true, a.Until
	return l
}

// language is one of the app's.
func (r *Room) language(wanted string) string {
	if r.checkSettings(wanted, "", "") != nil || wanted == "" {
		return r.Languages[0]
	}
	return wanted
}

// spaced is a code as it is read.
func spaced(code string) string { return code[:codeDigits/2] + " " + code[codeDigits/2:] }

// SignUp makes the account of somebody who proves with the code that they read mail at the address.
// What else is wrong is said before the code is looked at, so a short password costs no try.
// Problems: code.wrong, code.over and those of Create.
//
// promise:P004
func (r *Room) SignUp(ctx context.Context, t id.Tenant, token, code string, n New) (id.Account, error) {
	n.First = false
	if _, err := r.check(n); err != nil {
		return id.Account{}, err
	}
	settle := func(bool) {}
	if !promise.Cut("P004") {
		var err error
		if _, settle, err = r.codes.enter(forSignUp, t, token, n.Email, code); err != nil {
			return id.Account{}, err
		}
	}
	a, err := r.Create(ctx, t, n)
	settle(err == nil || problem.Is(err, "email.taken"))
	return a, err
}

// AskReset sends a code with which the owner of an address sets a new password. An address that
// nobody has is sent nothing; the answer is the same. Problems: email.invalid, mail.none,
// request.too_many.
func (r *Room) AskReset(ctx context.Context, t id.Tenant, q Ask) (Asked, error) {
	email, err := CheckEmail(q.Email)
	if err != nil {
		return Asked{}, err
	}
	if err := r.canMail(); err != nil {
		return Asked{}, err
	}
	a, known, err := r.of(ctx, t, email)
	if err != nil {
		return Asked{}, err
	}
	asked, code, err := r.codes.ask(forReset, t, email, q.Client.Address, a, r.throttle.familiar(personOf(t, email), q.Client.Address))
	if err != nil || code == "" {
		return asked, err
	}
	l := r.withCode(r.letter("reset", r.language(q.Language), email, map[string]string{"code": spaced(code)}), asked)
	if !known {
		r.codes.spoil(asked)
		return asked, nil
	}
	if err := r.Mail.Send(ctx, l); err != nil { // said to nobody: it would tell that the account exists
		r.Log.WarnContext(ctx, "a code could not be written", "err", err)
	}
	return asked, nil
}

// ResetByCode sets a new password with the code that was sent, and ends every session. A second step
// stays: whoever reads the mail has one of two things. Problems:
// password.weak, password.long, code.wrong, code.over.
func (r *Room) ResetByCode(ctx context.Context, t id.Tenant, token, email, code, password string) error {
	if err := suits(password, email); err != nil {
		return err
	}
	q, settle, err := r.codes.enter(forReset, t, token, email, code)
	if err != nil {
		return err
	}
	open, err := r.Open(ctx, t, q.account)
	if err == nil && !open {
		err = codeOver()
	}
	if err == nil {
		err = r.keepVerifier(ctx, t, q.account, password)
	}
	settle(err == nil)
	if err != nil {
		return err
	}
	ctx = context.WithoutCancel(ctx)
	r.throttle.forgive(personOf(t, email))
	r.steps.end(q.account)
	err = r.endOthers(ctx, t, q.account, id.Session{})
	r.tell(ctx, t, q.account, "passwordChanged", map[string]string{"time": r.moment()})
	return err
}

// suits says whether a password may be chosen with an address.
func suits(password, email string) error {
	if err := CheckPassword(password); err != nil {
		return err
	}
	if strings.EqualFold(strings.TrimSpace(password), strings.TrimSpace(email)) {
		return problem.Invalid("password.weak")
	}
	return nil
}
