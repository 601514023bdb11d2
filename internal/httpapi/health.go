package httpapi

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/visit"
)

func (a *API) health() {
	a.serveDocument()
	plain := func(op *huma.Operation) { answers(op, http.StatusOK, "ok", "text/plain") }

	a.raw(Route{Method: http.MethodGet, Path: "/healthz", ID: "healthz", Summary: "The program runs", Auth: Public, Tag: "service"}, plain,
		func(w http.ResponseWriter, _ *http.Request) { answer(w, http.StatusOK, "ok\n") })

	a.raw(Route{Method: http.MethodGet, Path: "/readyz", ID: "readyz", Summary: "The program can serve", Auth: Public, Tag: "service"}, plain,
		func(w http.ResponseWriter, r *http.Request) {
			ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
			defer cancel()
			select {
			case <-a.drain:
				answer(w, http.StatusServiceUnavailable, "stopping\n")
				return
			default:
			}
			if a.deps.Ready != nil {
				if err := a.deps.Ready(ctx); err != nil {
					a.deps.Log.WarnContext(ctx, "not ready", "err", err)
					answer(w, http.StatusServiceUnavailable, "not ready\n")
					return
				}
			}
			answer(w, http.StatusOK, "ok\n")
		})

	if a.deps.Page != nil {
		a.raw(Route{Method: http.MethodGet, Path: "/metrics", ID: "metrics", Summary: "Prometheus page, for this machine only", Auth: Public, Tag: "service"}, plain,
			func(w http.ResponseWriter, r *http.Request) {
				if !sameMachine(r) {
					a.fail(w, r, errNotFound())
					return
				}
				a.deps.Page.ServeHTTP(w, r)
			})
	}
}

// sameMachine reports whether both the connection and the visitor behind it are on this machine.
func sameMachine(r *http.Request) bool {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return err == nil && peer.Addr().Unmap().IsLoopback() && visit.Of(r).Client.IsLoopback()
}

func answer(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(text))
}
