package logging

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// storm writes the first lines of a kind and counts the rest: at the end of the window one
// line says how many more there were.
type storm struct {
	next  slog.Handler
	state *stormState
}

type stormState struct {
	window time.Duration
	after  func(time.Duration, func())
	mu     sync.Mutex
	kinds  map[kind]*burst
}

// kind is what makes two lines the same: level, message and the logger they come from.
type kind struct {
	level   slog.Level
	message string
	from    slog.Handler
}

type burst struct {
	count int
	last  slog.Record
}

const (
	stormAllows = 5   // lines of a kind per window before counting begins
	stormKinds  = 512 // kinds remembered at once; beyond, lines pass uncounted
)

func newStorm(next slog.Handler, window time.Duration, after func(time.Duration, func())) *storm {
	if window == 0 {
		window = time.Second
	}
	if after == nil {
		after = func(d time.Duration, f func()) { time.AfterFunc(d, f) }
	}
	return &storm{next: next, state: &stormState{window: window, after: after, kinds: map[kind]*burst{}}}
}

func (s *storm) Enabled(ctx context.Context, l slog.Level) bool { return s.next.Enabled(ctx, l) }

func (s *storm) WithAttrs(a []slog.Attr) slog.Handler {
	return &storm{next: s.next.WithAttrs(a), state: s.state}
}

func (s *storm) WithGroup(name string) slog.Handler {
	return &storm{next: s.next.WithGroup(name), state: s.state}
}

func (s *storm) Handle(ctx context.Context, r slog.Record) error {
	k := kind{r.Level, r.Message, s.next}
	s.state.mu.Lock()
	b := s.state.kinds[k]
	switch {
	case b == nil && len(s.state.kinds) < stormKinds:
		s.state.kinds[k] = &burst{count: 1}
		s.state.after(s.state.window, func() { s.state.end(k) })
	case b != nil:
		b.count++
		if b.count > stormAllows {
			b.last = r.Clone()
			s.state.mu.Unlock()
			return nil
		}
	}
	s.state.mu.Unlock()
	return s.next.Handle(ctx, r)
}

// end closes a kind's window and tells what it held back.
func (s *stormState) end(k kind) {
	s.mu.Lock()
	b := s.kinds[k]
	delete(s.kinds, k)
	s.mu.Unlock()
	if b == nil || b.count <= stormAllows {
		return
	}
	b.last.AddAttrs(slog.Int("repeated", b.count-stormAllows))
	_ = k.from.Handle(context.Background(), b.last)
}

// flush ends every window now.
func (s *storm) flush() {
	s.state.mu.Lock()
	kinds := make([]kind, 0, len(s.state.kinds))
	for k := range s.state.kinds {
		kinds = append(kinds, k)
	}
	s.state.mu.Unlock()
	for _, k := range kinds {
		s.state.end(k)
	}
}
