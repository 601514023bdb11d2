package httpapi

import (
	"bytes"
	"crypto/sha256"
	"io"
	"net/http"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
)

// replays answers a creating request that comes twice under one Idempotency-Key the same way,
// without doing it twice (IETF draft -07): another body is 422, one still under way 409. Answers
// are kept in memory for a day, bounded, and let go of with what they are about.
type replays struct {
	clock clock.Clock
	mu    sync.Mutex
	kept  map[replayKey]*replayed
}

type replayKey struct {
	account id.Account
	route   string
	key     string
}

type replayed struct {
	body   [32]byte
	since  time.Time
	done   bool
	status int
	header http.Header
	answer []byte
}

const (
	maxKey         = 255
	replayFor      = 24 * time.Hour
	replaysAll     = 2000
	replaysAccount = 64
	replayBytes    = 64 << 10
)

func newReplays(c clock.Clock) *replays {
	return &replays{clock: c, kept: map[replayKey]*replayed{}}
}

// replay serves a request that carries a key.
func (a *API) replay(w http.ResponseWriter, r *http.Request, in *inside, h http.HandlerFunc) {
	key := r.Header.Get("Idempotency-Key")
	body, err := io.ReadAll(r.Body)
	if err != nil || len(key) > maxKey {
		a.fail(w, r, problem.New(http.StatusBadRequest, "request.idempotency_key"))
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	k := replayKey{in.caller.Account, in.route.ID, key}
	before, mine := a.replays.begin(k, sha256.Sum256(body))
	switch {
	case mine == nil && before == nil:
		a.fail(w, r, problem.New(http.StatusTooManyRequests, "request.too_many").With("retry_after", "60"))
		return
	case mine == nil && before.body != sha256.Sum256(body):
		a.fail(w, r, problem.Invalid("request.idempotency_reuse"))
		return
	case mine == nil && !before.done:
		a.fail(w, r, problem.Conflict("request.in_progress"))
		return
	case mine == nil:
		for _, name := range []string{"Content-Type", "Location", "ETag"} {
			if v := before.header.Values(name); v != nil {
				w.Header()[name] = v
			}
		}
		w.Header().Set("Idempotency-Replayed", "true")
		w.WriteHeader(before.status)
		_, _ = w.Write(before.answer)
		return
	}
	copied := &copyWriter{ResponseWriter: w}
	finished := false
	defer func() { a.replays.end(k, mine, copied, finished) }()
	h(copied, r)
	finished = true
}

// begin finds the earlier request of a key as it stands, or registers this one as mine. Both
// are nil when there is no room.
func (p *replays) begin(k replayKey, body [32]byte) (before *replayed, mine *replayed) {
	now := p.clock.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if e := p.kept[k]; e != nil && now.Sub(e.since) < replayFor {
		seen := *e
		return &seen, nil
	}
	of := 0
	for o, e := range p.kept {
		if now.Sub(e.since) >= replayFor {
			delete(p.kept, o)
		} else if o.account == k.account {
			of++
		}
	}
	if of >= replaysAccount || len(p.kept) >= replaysAll {
		return nil, nil
	}
	mine = &replayed{body: body, since: now}
	p.kept[k] = mine
	return nil, mine
}

// end keeps an answer. A failure of ours is not kept: trying again may work.
func (p *replays) end(k replayKey, mine *replayed, c *copyWriter, finished bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.kept[k] != mine {
		return // forgotten meanwhile
	}
	if !finished || c.status >= 500 || c.status == http.StatusTooManyRequests || c.body.Len() > replayBytes {
		delete(p.kept, k)
		return
	}
	mine.done, mine.status, mine.answer, mine.header = true, c.status, c.body.Bytes(), c.Header().Clone()
}

// forget lets go of an account's answers.
func (p *replays) forget(a id.Account) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k := range p.kept {
		if k.account == a {
			delete(p.kept, k)
		}
	}
}

// copyWriter keeps a copy of a small answer.
type copyWriter struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// Unwrap lets http.ResponseController reach the connection.
func (c *copyWriter) Unwrap() http.ResponseWriter { return c.ResponseWriter }

func (c *copyWriter) WriteHeader(status int) {
	c.status = status
	c.ResponseWriter.WriteHeader(status)
}

func (c *copyWriter) Write(b []byte) (int, error) {
	if c.status == 0 {
		c.status = http.StatusOK
	}
	if c.body.Len() <= replayBytes {
		c.body.Write(b)
	}
	return c.ResponseWriter.Write(b)
}
