// Package logging is the operator's log: log/slog behind one registry of the attribute keys
// that may appear, each with a passport.
//
// A key outside the registry is dropped at run time (and counted, once per key with a line of
// its own) and fails a test that uses Test. Values are cleaned on their way: addresses of
// people and machines, e-mails and credentials inside an error's text do not reach the log.
// The same line in a storm is written a few times and then counted, once a second.
//
// Rooms take a *slog.Logger that already carries their name (Room); they never import this
// package. What happened to a person's data is not here but in the access record.
package logging

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Options say how lines look.
type Options struct {
	Level   slog.Level
	Format  string                      // "json", or text
	Unknown func(key string)            // told of each key that was dropped; nil: a line, once per key
	Window  time.Duration               // of the storm summary; 0 means a second
	After   func(time.Duration, func()) // when a window ends; nil: time.AfterFunc
}

// New makes the logger of the program. Flush writes what a storm still holds back.
func New(w io.Writer, o Options) (log *slog.Logger, flush func()) {
	var sink slog.Handler
	options := &slog.HandlerOptions{Level: o.Level, ReplaceAttr: utc}
	if o.Format == "json" {
		sink = slog.NewJSONHandler(w, options)
	} else {
		sink = slog.NewTextHandler(w, options)
	}
	storm := newStorm(sink, o.Window, o.After)
	g := &guard{next: storm, unknown: o.Unknown}
	if g.unknown == nil {
		g.unknown = onceEach(sink)
	}
	return slog.New(g), storm.flush
}

// Room is the logger of one room.
func Room(log *slog.Logger, name string) *slog.Logger { return log.With("room", name) }

// utc writes times as the API does: RFC 3339, UTC, milliseconds.
func utc(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		a.Value = slog.StringValue(a.Value.Time().UTC().Format("2006-01-02T15:04:05.000Z07:00"))
	}
	return a
}

// onceEach writes one line per dropped key.
func onceEach(sink slog.Handler) func(string) {
	var mu sync.Mutex
	seen := map[string]bool{}
	return func(key string) {
		mu.Lock()
		known := seen[key] || len(seen) >= 100
		seen[key] = true
		mu.Unlock()
		if known {
			return
		}
		r := slog.NewRecord(time.Now(), slog.LevelWarn, "log attribute without a passport was dropped", 0)
		r.AddAttrs(slog.String("key", key))
		_ = sink.Handle(context.Background(), r)
	}
}
