package httpapi

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/visit"
)

// inside is what is known of a request once it is let in.
type inside struct {
	route   Route
	visit   visit.Visit
	request string // request id
	lang    string
	caller  Caller  // zero unless signed in
	visitor Visitor // zero unless by link
	token   string  // the session's cookie
	binding id.Binding
	permit  permit.Permit
	lease   *permit.Lease
	client  string
}

type insideKey struct{}

func of(ctx context.Context) *inside {
	if in, ok := ctx.Value(insideKey{}).(*inside); ok {
		return in
	}
	return &inside{}
}

// enter is the one way to every handler.
func (a *API) enter(route Route, h http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		in := of(r.Context())
		in.route = route
		kept := false
		defer func() {
			if in.lease != nil && !(kept && route.Hold == Beyond) {
				in.lease.End(permit.ErrEnded)
			}
		}()
		if err := a.admit(w, r, in); err != nil {
			a.fail(w, r, err)
			return
		}
		if route.Replay && r.Header.Get("Idempotency-Key") != "" {
			a.replay(w, r, in, h)
			return
		}
		h(w, r)
		kept = true // not after a panic
	}
}

// admit checks origin, body, session and gate, in this order.
func (a *API) admit(w http.ResponseWriter, r *http.Request, in *inside) error {
	if err := a.sameOrigin(r, in.visit); err != nil {
		return err
	}
	switch in.route.Auth {
	case Public:
		if in.route.Knows && a.authenticate(r, in) != nil {
			in.caller, in.token = Caller{}, "" // as for everybody
		}
	case Session:
		if err := a.authenticate(r, in); err != nil {
			return err
		}
	case Link:
		if err := a.visiting(r, in); err != nil {
			return err
		}
	}
	if in.route.Camera() {
		b, ok := parse[id.Binding](r.PathValue("id"))
		if !ok {
			return errNotFound()
		}
		in.binding = b
	}
	if in.route.Action != "" {
		if err := a.ask(r, in); err != nil {
			return err
		}
	}
	return a.readBody(w, r)
}

// authenticate finds the session of the cookie.
//
// promise:P001
func (a *API) authenticate(r *http.Request, in *inside) error {
	if promise.Cut("P001") {
		in.caller = Caller{Tenant: a.deps.Tenant}
		return nil
	}
	c, err := r.Cookie(cookieName(in.visit))
	if err != nil || c.Value == "" {
		return problem.New(http.StatusUnauthorized, "session.needed")
	}
	caller, err := a.deps.Sessions.Session(r.Context(), c.Value)
	if err != nil {
		return err
	}
	if caller.Account.IsZero() || caller.Session.IsZero() || caller.Tenant != a.deps.Tenant {
		return problem.New(http.StatusUnauthorized, "session.needed")
	}
	in.caller, in.token = caller, c.Value
	if lang := speak(caller.Language); lang != "" {
		in.lang = lang
	}
	return nil
}

// ask asks the gate for what the route's registry line says.
func (a *API) ask(r *http.Request, in *inside) (err error) {
	ctx := r.Context()
	q := Request{
		Tenant: in.caller.Tenant, Actor: permit.Person(in.caller.Account, in.caller.Session), Action: in.route.Action,
		Account: in.caller.Account, Binding: in.binding, Client: in.client,
	}
	if !in.visitor.Link.IsZero() {
		q.Actor = permit.Visitor(in.visitor.Link)
	}
	if in.route.Export != "" && r.URL.Query().Get("download") == "1" {
		q.Action = in.route.Export
	}
	if !in.binding.IsZero() {
		q.Account = id.Account{} // whose camera it is, the gate finds
	}
	switch in.route.Hold {
	case Short, "":
		in.permit, err = a.deps.Gate.Permit(ctx, q)
		return err
	case Beyond:
		ctx = context.WithoutCancel(ctx)
	}
	holder, limit := in.holder(), a.limits.Viewings
	if !in.visitor.Link.IsZero() {
		limit = a.limits.Visitors
	}
	if err := a.viewings.reserve(holder, limit); err != nil {
		return err
	}
	in.lease, err = a.deps.Gate.Lease(ctx, q)
	if err != nil {
		a.viewings.release(holder)
		return err
	}
	in.lease.OnEnd(func() { a.viewings.release(holder) })
	in.permit = in.lease.Permit()
	return nil
}

// holder is for whom leases are counted: an account, or all visitors of one link.
func (in *inside) holder() id.Account {
	if !in.visitor.Link.IsZero() {
		return id.Account(in.visitor.Link)
	}
	return in.caller.Account
}

const bodyTime = 10 * time.Second

// readBody reads a request's body whole, bounded in size and time, so that a slow or large one
// holds nothing up and no deadline is left behind for a long answer.
func (a *API) readBody(w http.ResponseWriter, r *http.Request) error {
	if r.Body == nil || r.Body == http.NoBody || r.Method == http.MethodGet || r.Method == http.MethodHead {
		return nil
	}
	deadline := http.NewResponseController(w)
	_ = deadline.SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, a.limits.Body))
	_ = deadline.SetReadDeadline(time.Time{})
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return problem.New(http.StatusRequestEntityTooLarge, "request.too_large")
	case err != nil:
		return problem.New(http.StatusBadRequest, "request.unreadable").Because(err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.ContentLength = int64(len(body))
	return nil
}
