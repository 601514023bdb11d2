package httpapi

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"candor/internal/id"
)

// Event is something that happened, as a browser is told: ids and a small state, never values.
type Event struct {
	Type    string     // "camera.state", "camera.recording", "camera.added", "camera.removed", "event.opened", "notice"
	Account id.Account // whose browsers are told
	Data    any        // becomes JSON
}

// Events hands events to the open feeds and keeps the last ones of each account, so that a feed
// that was cut off goes on where it was (Last-Event-ID).
type Events struct {
	boot string

	mu       sync.Mutex
	seq      uint64
	accounts map[id.Account]*accountFeed
	closed   bool
}

type accountFeed struct {
	kept  []sent
	feeds map[*feed]bool
}

type sent struct {
	seq uint64
	Event
}

// feed is one browser that listens.
type feed struct {
	session id.Session
	news    chan sent
	end     chan struct{} // closed when the feed must end
	ended   bool
}

const (
	keptEvents   = 128
	feedBuffer   = 64
	keptAccounts = 1000
)

func newEvents() *Events {
	var b [6]byte
	_, _ = rand.Read(b[:])
	return &Events{boot: hex.EncodeToString(b[:]), accounts: map[id.Account]*accountFeed{}}
}

// Publish tells the browsers of an account. It never waits: a browser too slow to listen is cut
// off and comes back by Last-Event-ID.
func (e *Events) Publish(ev Event) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed || ev.Account.IsZero() {
		return
	}
	e.seq++
	s := sent{e.seq, ev}
	af := e.of(ev.Account)
	if af.kept = append(af.kept, s); len(af.kept) > keptEvents {
		af.kept = append([]sent(nil), af.kept[len(af.kept)-keptEvents:]...)
	}
	for f := range af.feeds {
		select {
		case f.news <- s:
		default:
			af.stop(f)
		}
	}
}

func (e *Events) of(a id.Account) *accountFeed {
	af := e.accounts[a]
	if af == nil {
		for k, other := range e.accounts {
			if len(e.accounts) < keptAccounts {
				break
			}
			if len(other.feeds) == 0 {
				delete(e.accounts, k)
			}
		}
		af = &accountFeed{feeds: map[*feed]bool{}}
		e.accounts[a] = af
	}
	return af
}

func (af *accountFeed) stop(f *feed) {
	if !f.ended {
		f.ended = true
		close(f.end)
	}
	delete(af.feeds, f)
}

// subscribe opens a feed. missed holds what came after last; whole is false when some of it is
// forgotten, and the browser must read everything anew. A nil feed means there are too many.
func (e *Events) subscribe(a id.Account, s id.Session, last string, limit int) (f *feed, missed []sent, whole bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	af := e.of(a)
	if e.closed || len(af.feeds) >= limit {
		return nil, nil, false
	}
	f = &feed{session: s, news: make(chan sent, feedBuffer), end: make(chan struct{})}
	af.feeds[f] = true
	if last == "" {
		return f, nil, true
	}
	boot, number, _ := strings.Cut(last, "-")
	seq, err := strconv.ParseUint(number, 10, 64)
	if boot != e.boot || err != nil || seq > e.seq {
		return f, nil, false
	}
	if len(af.kept) == keptEvents && af.kept[0].seq > seq+1 {
		return f, nil, false
	}
	for _, s := range af.kept {
		if s.seq > seq {
			missed = append(missed, s)
		}
	}
	return f, missed, true
}

func (e *Events) unsubscribe(a id.Account, f *feed) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if af := e.accounts[a]; af != nil {
		af.stop(f)
	}
}

// now is the id of the newest event, for a feed that begins.
func (e *Events) now() string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.name(e.seq)
}

func (e *Events) name(seq uint64) string { return fmt.Sprintf("%s-%d", e.boot, seq) }

// endSession ends the feeds of a session that was signed out.
func (e *Events) endSession(s id.Session) {
	e.stopWhere(func(_ id.Account, f *feed) bool { return f.session == s })
}

// EndSession is for app: a session ended elsewhere (another node, an expiry, a new password).
func (e *Events) EndSession(s id.Session) { e.endSession(s) }

// endAccount ends an account's feeds and forgets its events.
func (e *Events) endAccount(a id.Account) {
	e.stopWhere(func(of id.Account, _ *feed) bool { return of == a })
	e.mu.Lock()
	defer e.mu.Unlock()
	delete(e.accounts, a)
}

func (e *Events) close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.stopWhere(func(id.Account, *feed) bool { return true })
}

func (e *Events) stopWhere(which func(id.Account, *feed) bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for a, af := range e.accounts {
		for f := range af.feeds {
			if which(a, f) {
				af.stop(f)
			}
		}
	}
}
