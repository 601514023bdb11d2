package logging

import (
	"context"
	"fmt"
	"log/slog"

	"candor/internal/promise"
)

// guard lets registered keys through and cleans their values.
type guard struct {
	next    slog.Handler
	unknown func(key string)
}

var _ slog.Handler = (*guard)(nil)

func (g *guard) Enabled(ctx context.Context, l slog.Level) bool { return g.next.Enabled(ctx, l) }

func (g *guard) Handle(ctx context.Context, r slog.Record) error {
	out := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	r.Attrs(func(a slog.Attr) bool {
		if kept, ok := g.attr(a); ok {
			out.AddAttrs(kept)
		}
		return true
	})
	return g.next.Handle(ctx, out)
}

func (g *guard) WithAttrs(attrs []slog.Attr) slog.Handler {
	kept := make([]slog.Attr, 0, len(attrs))
	for _, a := range attrs {
		if k, ok := g.attr(a); ok {
			kept = append(kept, k)
		}
	}
	return &guard{next: g.next.WithAttrs(kept), unknown: g.unknown}
}

// WithGroup keeps the line flat: a key means the same wherever it stands.
func (g *guard) WithGroup(string) slog.Handler { return g }

// attr drops what has no passport.
//
// promise:P190
func (g *guard) attr(a slog.Attr) (slog.Attr, bool) {
	if !known[a.Key] && !promise.Cut("P190") {
		if a.Key != "" || a.Value.Kind() != slog.KindGroup {
			g.unknown(a.Key)
			return a, false
		}
	}
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		var inner []slog.Attr
		for _, i := range v.Group() {
			if k, ok := g.attr(i); ok {
				inner = append(inner, k)
			}
		}
		return slog.Attr{Key: a.Key, Value: slog.GroupValue(inner...)}, len(inner) > 0
	case slog.KindString:
		return slog.String(a.Key, Clean(v.String())), true
	case slog.KindAny:
		return slog.String(a.Key, Clean(text(v.Any()))), true
	}
	return slog.Attr{Key: a.Key, Value: v}, true
}

// text is a value as the log shows it. Structs and maps are not: who knows what is in them.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case error:
		return v.Error()
	case fmt.Stringer:
		return v.String()
	case []string:
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%T", v)
}
