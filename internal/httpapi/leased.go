package httpapi

import (
	"net/http"
	"sync"
	"time"

	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/visit"
)

// unsent is how much the kernel may hold for a slow reader of footage: it is beyond our reach
// once it is written.
const unsent = 512 << 10

// leased writes media under a lease: its state is looked at before every write. When it ends,
// the connection is broken off, so that nobody takes what came for the whole, and what a slow
// reader has not fetched yet is thrown away. Over HTTP/2 only the stream is broken off: other
// requests share the connection, maybe the very one that takes the right away.
type leased struct {
	http.ResponseWriter
	lease *permit.Lease
	pause time.Duration
	until *http.ResponseController

	mu   sync.Mutex
	done bool // the handler is through, and the connection somebody else's
}

// leased makes the writer of one answer. Say finish when it is written.
func (a *API) leased(w http.ResponseWriter, r *http.Request, l *permit.Lease) *leased {
	out := &leased{ResponseWriter: w, lease: l, pause: a.limits.Pause, until: http.NewResponseController(w)}
	visit.Hurry(r.Context(), unsent)
	l.OnEnd(func() {
		out.mu.Lock()
		defer out.mu.Unlock()
		if out.done {
			return
		}
		if r.ProtoMajor < 2 {
			visit.Cut(r.Context())
		}
		_ = out.until.SetWriteDeadline(time.Now()) // a write that waits for the reader waits no longer
	})
	return out
}

// finish lets go of the connection: the end of the lease does not reach it any more.
func (w *leased) finish() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.done = true
}

// within gives the next write its time, unless the lease has just cut it short.
func (w *leased) within(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lease.State() != permit.Ended {
		_ = w.until.SetWriteDeadline(time.Now().Add(d))
	}
}

// Unwrap lets http.ResponseController reach the connection.
func (w *leased) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// Write writes in pieces small enough that an end is noticed between them.
func (w *leased) Write(b []byte) (n int, err error) {
	const piece = 64 << 10
	for len(b) > 0 {
		if err := w.open(); err != nil {
			panic(http.ErrAbortHandler)
		}
		w.within(writeTime)
		m, err := w.ResponseWriter.Write(b[:min(len(b), piece)])
		n += m
		if err != nil {
			return n, err
		}
		b = b[m:]
	}
	return n, nil
}

// open waits while the lease is paused, for a time, and reports whether it still is one.
func (w *leased) open() error {
	if w.lease.State() == permit.Open {
		return nil
	}
	give := time.NewTimer(w.pause)
	defer give.Stop()
	look := time.NewTicker(20 * time.Millisecond)
	defer look.Stop()
	for {
		switch w.lease.State() {
		case permit.Open:
			return nil
		case permit.Ended:
			return permit.ErrEnded
		}
		select {
		case <-w.lease.Context().Done():
			return permit.ErrEnded
		case <-give.C:
			return problem.Unavailable("gate.paused")
		case <-look.C:
		}
	}
}
