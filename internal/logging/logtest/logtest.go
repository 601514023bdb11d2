// Package logtest gives tests a logger that fails them when a key without a passport is used.
package logtest

import (
	"log/slog"
	"sync"
	"testing"
	"time"

	"candor/internal/logging"
)

// New is a logger that writes to the test's own output. What is logged after the test ended
// is dropped: a goroutine that outlives it is found by other means.
func New(t testing.TB) *slog.Logger {
	w := &writer{t: t}
	t.Cleanup(w.close)
	log, _ := logging.New(w, logging.Options{Level: slog.LevelDebug, Unknown: w.unknown, After: func(time.Duration, func()) {}})
	return log
}

type writer struct {
	mu     sync.Mutex
	t      testing.TB
	closed bool
}

func (w *writer) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.t.Log(string(b[:max(len(b)-1, 0)]))
	}
	return len(b), nil
}

func (w *writer) unknown(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.t.Errorf("log attribute %q has no passport: add it to internal/logging/passport.go, if it may be in a log at all", key)
	}
}

func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}
