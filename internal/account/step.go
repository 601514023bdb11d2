package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
)

const (
	stepLasts  = 10 * time.Minute
	stepTries  = 5
	maxSteps   = 20000     // sign-ins that wait for their second step
	warnAfter  = 5         // wrong codes in a row
	warnPause  = time.Hour // between letters about them
	stepRandom = 16        // bytes of a token
)

// waiting is a sign-in whose password was right and whose second step is still to come.
type waiting struct {
	tenant  id.Tenant
	account id.Account
	attempt attempt // at the password; forgiven when the whole sign-in is done
	tries   int
	until   time.Time
}

// misses are wrong codes of one account in a row.
type misses struct {
	n    int
	last time.Time
	told time.Time
}

// steps are the sign-ins that wait. They live in memory: a restart means to begin anew.
type steps struct {
	clock  clock.Clock
	mu     sync.Mutex
	open   map[[sha256.Size]byte]*waiting // by the hash of the token
	missed map[id.Account]misses
}

func newSteps(c clock.Clock) *steps {
	return &steps{clock: c, open: map[[sha256.Size]byte]*waiting{}, missed: map[id.Account]misses{}}
}

// begin gives the token of a sign-in that waits. Problem: request.too_many, when too many do.
func (k *steps) begin(w waiting) (Asked, error) {
	now := k.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	for at, o := range k.open {
		if !now.Before(o.until) {
			delete(k.open, at)
		}
	}
	if len(k.open) >= maxSteps {
		return Asked{}, problem.New(http.StatusTooManyRequests, "request.too_many").With("retry_after", strconv.Itoa(60))
	}
	var raw [stepRandom]byte
	_, _ = rand.Read(raw[:])
	token := base64.RawURLEncoding.EncodeToString(raw[:])
	w.until = now.Add(stepLasts)
	k.open[sha256.Sum256([]byte(token))] = &w
	return Asked{Request: token, Until: w.until}, nil
}

// take counts a try of the sign-in with that token. Problem: step.over.
func (k *steps) take(token string) (waiting, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.open[sha256.Sum256([]byte(token))]
	if w == nil || !k.clock.Now().Before(w.until) || w.tries >= stepTries {
		return waiting{}, stepOver()
	}
	w.tries++
	return *w, nil
}

// who is whose sign-in waits under the token; it counts no try.
func (k *steps) who(token string) (waiting, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	w := k.open[sha256.Sum256([]byte(token))]
	if w == nil || !k.clock.Now().Before(w.until) || w.tries >= stepTries {
		return waiting{}, stepOver()
	}
	return *w, nil
}

// done ends a sign-in that waited; false when it was over already.
func (k *steps) done(token string) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	at := sha256.Sum256([]byte(token))
	_, there := k.open[at]
	delete(k.open, at)
	return there
}

// end ends every sign-in of an account that waits: its password is another one now.
func (k *steps) end(a id.Account) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for at, w := range k.open {
		if w.account == a {
			delete(k.open, at)
		}
	}
}

// wrong counts a wrong code, and reports whether its owner should hear of it now.
func (k *steps) wrong(a id.Account) bool {
	now := k.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	for other, m := range k.missed {
		if now.Sub(m.last) > warnPause {
			delete(k.missed, other)
		}
	}
	m := k.missed[a]
	m.n, m.last = m.n+1, now
	tell := m.n >= warnAfter && (m.told.IsZero() || now.Sub(m.told) >= warnPause)
	if tell {
		m.told = now
	}
	k.missed[a] = m
	return tell
}

// right forgets the wrong codes of an account; a letter that was written stays known.
func (k *steps) right(a id.Account) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if m, ok := k.missed[a]; ok {
		m.n = 0
		k.missed[a] = m
	}
}

// missed counts a wrong code. After five the owner is written to, once an hour at most: whoever tries
// codes has the password.
func (r *Room) missed(ctx context.Context, t id.Tenant, a id.Account) {
	if r.steps.wrong(a) {
		r.tell(context.WithoutCancel(ctx), t, a, "stepGuessed", map[string]string{"time": r.moment()})
	}
}

// FinishSignIn takes the second step of a sign-in, with a code of the app or a recovery code, and begins
// the session. Problems: step.wrong, which counts a try; step.over, when time or tries are over, to
// begin anew; request.too_many.
func (r *Room) FinishSignIn(ctx context.Context, token, code string, c Client) (SignedIn, error) {
	w, err := r.steps.who(token)
	if err != nil {
		return SignedIn{}, err
	}
	attempt, err := r.throttle.step(w.account.String(), c.Address)
	if err != nil {
		return SignedIn{}, err
	}
	if w, err = r.steps.take(token); err != nil {
		return SignedIn{}, err
	}
	err = r.verifyStep(ctx, w.tenant, w.account, code)
	switch {
	case problem.Is(err, "step.off"): // it was turned off meanwhile: a whole sign-in then needs no second step
		r.steps.done(token)
		return SignedIn{}, stepOver()
	case problem.Is(err, "step.wrong"):
		r.missed(ctx, w.tenant, w.account)
		return SignedIn{}, err
	case err != nil:
		return SignedIn{}, err
	}
	if !r.steps.done(token) {
		return SignedIn{}, stepOver()
	}
	attempt.succeeded()
	r.steps.right(w.account)
	return r.enter(ctx, w.tenant, w.account, w.attempt, c)
}
