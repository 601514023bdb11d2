package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/problem"
)

// limit is how tries under one kind of key are slowed down: after free ones the next has to wait
// a second, then two, four … up to longest.
type limit struct {
	free    int
	longest time.Duration
}

var (
	perPlace  = limit{30, time.Minute}      // from one address on the network: a household may share it
	perPerson = limit{20, 15 * time.Second} // at one e-mail address, from anywhere
	perPair   = limit{5, 5 * time.Minute}   // at one e-mail address from one place
	perStep   = limit{10, time.Minute}      // at the second step of one account, from anywhere
)

const (
	forgetAfter = time.Hour
	maxTries    = 20000 // keys remembered
)

type digest [16]byte

type tries struct {
	n    int
	last time.Time
	next time.Time // no try before
}

// throttle slows guessing. Nothing in it can be read as an address.
type throttle struct {
	clock clock.Clock
	key   [32]byte

	mu    sync.Mutex
	tries map[digest]tries
	good  map[digest]time.Time // pairs that have succeeded, and when
}

func newThrottle(c clock.Clock) *throttle {
	t := &throttle{clock: c, tries: map[digest]tries{}, good: map[digest]time.Time{}}
	_, _ = rand.Read(t.key[:])
	return t
}

func (t *throttle) digest(kind string, parts ...string) digest {
	h := hmac.New(sha256.New, t.key[:])
	h.Write([]byte(kind + "\x00" + strings.Join(parts, "\x00")))
	return digest(h.Sum(nil)[:16])
}

// attempt is one try that was let through.
type attempt struct {
	t      *throttle
	person digest
	pair   digest
}

// try counts a try, or refuses it with request.too_many and the seconds to wait. A refused try does
// not count.
func (t *throttle) try(person, place string) (attempt, error) {
	return t.count(perPerson, person, place)
}

// step counts a try at the second step of an account. Whoever gets there has the password, so there are
// fewer; a place where the whole sign-in was done before is not held up by others.
func (t *throttle) step(account, place string) (attempt, error) {
	return t.count(perStep, "step "+account, place)
}

func (t *throttle) count(whole limit, person, place string) (attempt, error) {
	a := attempt{t, t.digest("person", person), t.digest("pair", person, place)}
	now := t.clock.Now()
	t.mu.Lock()
	defer t.mu.Unlock()
	keys := map[digest]limit{a.pair: perPair}
	if place != "" {
		keys[t.digest("place", place)] = perPlace
	}
	if _, known := t.good[a.pair]; !known {
		keys[a.person] = whole
	}
	var wait time.Duration
	for k := range keys {
		wait = max(wait, t.tries[k].next.Sub(now))
	}
	if wait > 0 {
		seconds := strconv.Itoa(int((wait + time.Second - 1) / time.Second))
		return attempt{}, problem.New(http.StatusTooManyRequests, "request.too_many").With("retry_after", seconds)
	}
	t.tidy(now)
	for k, l := range keys {
		seen := t.tries[k]
		if now.Sub(seen.last) > forgetAfter {
			seen = tries{}
		}
		seen.n, seen.last = seen.n+1, now
		if over := seen.n - l.free; over >= 0 {
			seen.next = now.Add(min(time.Second<<min(over, 20), l.longest))
		}
		t.tries[k] = seen
	}
	return a, nil
}

// familiar reports whether somebody signed in as the person from the place.
func (t *throttle) familiar(person, place string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, known := t.good[t.digest("pair", person, place)]
	return known
}

// forgive takes the waiting off a person who proved who they are in another way.
func (t *throttle) forgive(person string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.tries, t.digest("person", person))
}

// succeeded forgives the person and the pair, and remembers the place as theirs.
func (a attempt) succeeded() {
	a.t.mu.Lock()
	defer a.t.mu.Unlock()
	delete(a.t.tries, a.person)
	delete(a.t.tries, a.pair)
	a.t.good[a.pair] = a.t.clock.Now()
}

// tidy forgets what is old, and whatever is too much.
func (t *throttle) tidy(now time.Time) {
	if len(t.tries) >= maxTries {
		for k, seen := range t.tries {
			if now.Sub(seen.last) > forgetAfter {
				delete(t.tries, k)
			}
		}
		for k := range t.tries {
			if len(t.tries) < maxTries {
				break
			}
			delete(t.tries, k)
		}
	}
	for k := range t.good {
		if len(t.good) <= maxTries {
			break
		}
		delete(t.good, k)
	}
}
