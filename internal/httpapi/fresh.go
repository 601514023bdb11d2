package httpapi

import (
	"context"
	"net/http"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// fresh remembers which sessions proved just now who uses them. What could hurt most asks for
// that: a session left open on a table is not enough. It is kept in memory: a restart asks anew.
type fresh struct {
	clock clock.Clock
	mu    sync.Mutex
	since map[id.Session]time.Time
}

const (
	freshFor  = 10 * time.Minute
	maxFreshs = 10000
)

func newFresh(c clock.Clock) *fresh { return &fresh{clock: c, since: map[id.Session]time.Time{}} }

func (f *fresh) is(at, now time.Time) bool { return !now.Before(at) && now.Sub(at) < freshFor }

// mark notes that the password was entered.
func (f *fresh) mark(s id.Session) {
	now := f.clock.Now()
	f.mu.Lock()
	defer f.mu.Unlock()
	for o, at := range f.since {
		if len(f.since) < maxFreshs && f.is(at, now) {
			continue
		}
		delete(f.since, o)
	}
	f.since[s] = now
}

// check is the problem session.step_up unless the password was entered within ten minutes. A clock
// that was set back does not lengthen that.
func (f *fresh) check(s id.Session) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if at, ok := f.since[s]; ok && f.is(at, f.clock.Now()) {
		return nil
	}
	return problem.Forbidden("session.step_up")
}

type stepUpInput struct {
	Body struct {
		Password string `json:"password" maxLength:"1024" doc:"Your password, again"`
		Code     string `json:"code,omitempty" maxLength:"64" doc:"Of the app, or a recovery code; needed where the second step is on"`
	}
}

// secondAgain asks for the second step too, from whoever has one on: to prove oneself again must not be
// easier than to sign in. Problems: step.needed, step.wrong.
func (a *API) secondAgain(ctx context.Context, in *inside, code string) error {
	s, err := a.deps.Seconds.State(ctx, in.permit, in.caller.Account)
	if err != nil || !s.On {
		return err
	}
	if code == "" {
		return problem.Forbidden("step.needed")
	}
	return a.deps.Seconds.Verify(ctx, in.permit, in.caller.Account, code)
}

func (a *API) stepUp() {
	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/session/step-up", ID: "stepUp", Summary: "Enter the password, and a code where the second step is on, once more", Auth: Session, Action: permit.AccountRead, Tag: "session"},
		func(ctx context.Context, confirm *stepUpInput) (*none, error) {
			in := of(ctx)
			key := "password " + in.caller.Account.String()
			if err := a.throttle.try(key, 8, 5*time.Second); err != nil {
				return nil, err
			}
			if err := a.deps.Accounts.Verify(ctx, in.permit, in.caller.Account, confirm.Body.Password); err != nil {
				return nil, err
			}
			if err := a.secondAgain(ctx, in, confirm.Body.Code); err != nil {
				return nil, err
			}
			a.throttle.forgive(key)
			a.fresh.mark(in.caller.Session)
			return &none{}, nil
		}, http.StatusNoContent)
}
