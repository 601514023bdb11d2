package httpapi

import (
	"net/http"
	"time"

	"candor/internal/permit"
	"candor/internal/problem"
)

// leased writes media under a lease: its state is looked at before every write. When it ends,
// the connection is broken off, so that nobody takes what came for the whole.
type leased struct {
	http.ResponseWriter
	lease *permit.Lease
	pause time.Duration
	until *http.ResponseController
}

func (a *API) leased(w http.ResponseWriter, l *permit.Lease) *leased {
	return &leased{ResponseWriter: w, lease: l, pause: a.limits.Pause, until: http.NewResponseController(w)}
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
		_ = w.until.SetWriteDeadline(time.Now().Add(writeTime))
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
