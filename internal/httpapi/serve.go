package httpapi

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/visit"
)

// Handler serves the API.
//
// The one cookie it ever sets is the session's (cookie.go).
//
// promise:P220
func (a *API) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		in := &inside{
			visit: visit.Of(r), request: newRequestID(), client: agent(r.UserAgent()),
			lang: negotiate(r.Header.Get("Accept-Language"), a.deps.Language),
		}
		ctx := context.WithValue(r.Context(), insideKey{}, in)
		r = r.WithContext(context.WithValue(ctx, apiKey{}, a))
		h := w.Header()
		h.Set("Candor-Request-Id", in.request)
		h.Set("Cache-Control", "no-store")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox")
		h.Set("Vary", "Accept-Language, Cookie")
		if promise.Cut("P220") {
			http.SetCookie(w, &http.Cookie{Name: "visitor", Value: in.request})
		}
		_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(writeTime))

		seen := &statusWriter{ResponseWriter: w}
		begin := time.Now()
		defer func() {
			if p := recover(); p != nil {
				a.panicked(seen, r, p)
			}
			a.count(in, r, seen.status, time.Since(begin))
		}()
		a.mux.ServeHTTP(seen, r)
	})
}

// writeTime bounds an answer, and each piece of a long one.
const writeTime = 30 * time.Second

// panicked turns a panic into the problem "internal" and a line for the operator.
func (a *API) panicked(w *statusWriter, r *http.Request, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		panic(p) // meant: breaks the connection off, so that a cut download is seen as cut
	}
	in := of(r.Context())
	a.deps.Log.ErrorContext(r.Context(), "request panicked", "request", in.request, "route", in.route.ID, "err", fmt.Sprint(p), "stack", string(debug.Stack()))
	if w.status != 0 {
		panic(http.ErrAbortHandler)
	}
	a.fail(w, r, problem.New(http.StatusInternalServerError, "internal"))
}

func (a *API) count(in *inside, r *http.Request, status int, took time.Duration) {
	if a.deps.Metrics == nil {
		return
	}
	route := in.route.ID
	if route == "" {
		route = "none"
	}
	method := r.Method
	if !strings.Contains(" GET HEAD POST PUT PATCH DELETE ", " "+method+" ") {
		method = "other"
	}
	a.deps.Metrics.Request(route, method, status, took)
}

func newRequestID() string {
	var b [8]byte
	_, _ = rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// statusWriter remembers whether an answer has begun.
type statusWriter struct {
	http.ResponseWriter
	status int
}

// Unwrap lets http.ResponseController and huma reach the connection.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(b)
}
