package httpapi

import (
	"net/http"

	"candor/internal/problem"
	"candor/internal/visit"
)

func errNotFound() *problem.Problem { return problem.NotFound() }

func errMethod() *problem.Problem {
	return problem.New(http.StatusMethodNotAllowed, "request.method")
}

func errCrossOrigin() *problem.Problem {
	return problem.New(http.StatusForbidden, "request.cross_origin")
}

// sameOrigin refuses what another site's page makes a browser send. Changing methods go
// through net/http's CrossOriginProtection. Reading is refused too where the browser says that
// it comes from elsewhere: there is no page of ours on another origin, and a WebSocket or an
// event feed is a GET.
func (a *API) sameOrigin(r *http.Request, v visit.Visit) error {
	switch r.Header.Get("Sec-Fetch-Site") {
	case "cross-site", "same-site":
		if !navigation(r) {
			return errCrossOrigin()
		}
	}
	if origin := r.Header.Get("Origin"); origin != "" && origin != v.Origin() {
		return errCrossOrigin()
	}
	if r.Header.Get("Upgrade") != "" && r.Header.Get("Origin") == "" && r.Header.Get("Sec-Fetch-Site") != "" {
		return errCrossOrigin() // every browser names the origin of a WebSocket
	}
	host := r.Host
	r.Host = v.Host
	err := a.cross.Check(r)
	r.Host = host
	if err != nil {
		return errCrossOrigin().Because(err)
	}
	return nil
}

// navigation reports whether a person followed a link, as to a receipt that was mailed.
func navigation(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
}
