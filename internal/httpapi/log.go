package httpapi

import (
	"context"
	"net/http"
	"strings"

	"candor/internal/problem"
)

// LogReader gets the public files of the privacy log by their C2SP paths, and says whether one never changes.
type LogReader interface {
	File(ctx context.Context, path string) (b []byte, fixed bool, err error)
}

// LogFiles serves the privacy log under /log/, as C2SP tlog-tiles wants it: to everybody, without a session. It holds nothing
// about anybody.
func LogFiles(l LogReader) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			h.Set("Allow", "GET, HEAD")
			http.Error(w, "the log is only read", http.StatusMethodNotAllowed)
			return
		}
		b, fixed, err := l.File(r.Context(), strings.TrimPrefix(r.URL.Path, "/log/"))
		switch {
		case problem.Is(err, "not_found"):
			http.NotFound(w, r)
			return
		case err != nil:
			http.Error(w, "the log cannot be read now", http.StatusServiceUnavailable)
			return
		}
		h.Set("Cache-Control", "no-cache")
		if fixed {
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		h.Set("Content-Type", "text/plain; charset=utf-8")
		if fixed {
			h.Set("Content-Type", "application/octet-stream")
		}
		_, _ = w.Write(b)
	})
}
