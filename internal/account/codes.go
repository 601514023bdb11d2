package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/big"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
)

// What a code is for.
const (
	forSignUp = "sign-up"
	forReset  = "reset"
	forEmail  = "email"
)

const (
	codeDigits  = 8
	codeLasts   = 15 * time.Minute
	codeTries   = 5     // of one request
	sharedTries = 100   // of all requests that share a code
	maxRequests = 20000 // that wait at once
)

// quota is how many codes may be asked for under one kind of key: so many at once, and one more
// after each refill.
type quota struct {
	burst  int
	refill time.Duration
}

var (
	codesOfPlace  = quota{20, 3 * time.Minute} // from one address on the network
	codesOfPair   = quota{5, 5 * time.Minute}  // for one e-mail address from one place
	codesOfPerson = quota{30, 2 * time.Minute} // for one e-mail address, from anywhere: mails, that is
)

// Asked is what somebody who asked for a code is told, whoever they are.
type Asked struct {
	Request string // goes back with the code; the code of one browser is of no use in another
	Until   time.Time
}

// mailed is a code that was sent to an address. Of the code only a keyed hash is kept.
type mailed struct {
	hash   [32]byte
	until  time.Time
	shared int // tries by requests that did not cause it
	used   bool
}

// request is one browser that asked for a code.
type request struct {
	kind    string
	person  digest // the address, under this program's key
	account id.Account
	code    *mailed
	own     bool // the code was sent because of this request
	tries   int
	until   time.Time
}

// codes are those that wait to be typed. They live in memory, for a quarter of an hour.
type codes struct {
	clock clock.Clock
	key   [32]byte

	mu     sync.Mutex
	open   map[digest]*request // by the request's token
	newest map[digest]*mailed  // by kind and address
	full   map[digest]time.Time
}

func newCodes(c clock.Clock) *codes {
	k := &codes{clock: c, open: map[digest]*request{}, newest: map[digest]*mailed{}, full: map[digest]time.Time{}}
	_, _ = rand.Read(k.key[:])
	return k
}

func (k *codes) mac(parts ...string) [32]byte {
	h := hmac.New(sha256.New, k.key[:])
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return [32]byte(h.Sum(nil))
}

func (k *codes) digest(parts ...string) digest { m := k.mac(parts...); return digest(m[:16]) }

// person is the address as it is remembered. Case does not matter.
func (k *codes) person(t id.Tenant, email string) digest {
	return k.digest("person", t.String(), strings.ToLower(strings.TrimSpace(email)))
}

// ask takes a request. code is what to send to the address, "" when nothing is to be sent because
// enough was: then the newest code that was sent there serves this request as well. familiar says
// that somebody signed in to the account from this place before. Problem: request.too_many.
func (k *codes) ask(kind string, t id.Tenant, email, place string, a id.Account, familiar bool) (asked Asked, code string, err error) {
	now := k.clock.Now()
	who := k.person(t, email)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tidy(now)
	pair := k.digest("pair", kind, string(who[:]), place)
	where := k.digest("place", place)
	wait := max(k.wait(now, pair, codesOfPair), k.wait(now, where, codesOfPlace))
	if len(k.open) >= maxRequests && !familiar {
		wait = max(wait, time.Minute)
	}
	if wait > 0 {
		seconds := strconv.Itoa(int((wait + time.Second - 1) / time.Second))
		return Asked{}, "", problem.New(http.StatusTooManyRequests, "request.too_many").With("retry_after", seconds)
	}
	k.take(now, pair, codesOfPair)
	k.take(now, where, codesOfPlace)
	r := &request{kind: kind, person: who, account: a, until: now.Add(codeLasts)}
	mails, last := k.digest("mails", string(who[:])), k.digest("newest", kind, string(who[:]))
	if have := k.newest[last]; !familiar && k.wait(now, mails, codesOfPerson) > 0 && have != nil && !have.used && now.Before(have.until) {
		r.code, r.until = have, have.until
	} else {
		k.take(now, mails, codesOfPerson)
		code = newCode()
		r.code, r.own = &mailed{hash: k.mac("code", kind, string(who[:]), code), until: r.until}, true
		k.newest[last] = r.code
	}
	var raw [24]byte
	_, _ = rand.Read(raw[:])
	asked = Asked{Request: base64.RawURLEncoding.EncodeToString(raw[:]), Until: r.until}
	k.open[k.digest("request", asked.Request)] = r
	return asked, code, nil
}

// spoil makes the code of a request one that nobody was told: the request looks like any other.
func (k *codes) spoil(a Asked) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if r := k.open[k.digest("request", a.Request)]; r != nil {
		_, _ = rand.Read(r.code.hash[:])
	}
}

// newCode is eight random digits.
func newCode() string {
	n, err := rand.Int(rand.Reader, big.NewInt(100_000_000))
	if err != nil {
		panic("account: no randomness: " + err.Error())
	}
	return fmt.Sprintf("%0*d", codeDigits, n)
}

// typed is a code without what people put between its digits.
func typed(code string) string {
	return strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -\u00a0\t\r\n", r) {
			return -1
		}
		return r
	}, code)
}

func codeWrong() error { return problem.Forbidden("code.wrong") }
func codeOver() error  { return problem.Gone("code.over") }

// enter compares a code with the one its request waits for. A right one is spent; settle(false) gives
// it back because what it was for failed. Problems: code.wrong, which counts a try, and code.over for
// a request that was never made, whose time or tries are over, or whose code was spent.
func (k *codes) enter(kind string, t id.Tenant, token, email, code string) (r request, settle func(done bool), err error) {
	now := k.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	at := k.digest("request", token)
	open := k.open[at]
	if open == nil || open.kind != kind || !now.Before(open.until) || open.tries >= codeTries || open.code.used || !open.own && open.code.shared >= sharedTries {
		return request{}, nil, codeOver()
	}
	open.tries++
	if !open.own {
		open.code.shared++
	}
	who := k.person(t, email)
	hash := k.mac("code", kind, string(who[:]), typed(code))
	if who != open.person || !hmac.Equal(hash[:], open.code.hash[:]) {
		return request{}, nil, codeWrong()
	}
	open.code.used = true
	return *open, func(done bool) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if done {
			delete(k.open, at)
			return
		}
		open.code.used = false
		open.tries--
	}, nil
}

// wait is how long until a key's quota has room.
func (k *codes) wait(now time.Time, key digest, q quota) time.Duration {
	full := k.full[key]
	if full.Before(now) {
		full = now
	}
	return full.Add(q.refill).Sub(now) - time.Duration(q.burst)*q.refill
}

func (k *codes) take(now time.Time, key digest, q quota) {
	full := k.full[key]
	if full.Before(now) {
		full = now
	}
	k.full[key] = full.Add(q.refill)
}

// tidy forgets what is over.
func (k *codes) tidy(now time.Time) {
	for at, r := range k.open {
		if !now.Before(r.until) {
			delete(k.open, at)
		}
	}
	for at, m := range k.newest {
		if !now.Before(m.until) {
			delete(k.newest, at)
		}
	}
	for at, full := range k.full {
		if !full.After(now) {
			delete(k.full, at)
		}
	}
}
