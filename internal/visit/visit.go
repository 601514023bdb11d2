// Package visit says how a request came to us: by which scheme, host and base path, and from
// which address, after a trusted proxy's word has been weighed.
//
// front makes a Visit for every request; httpapi and webapp read it. Nobody else decides
// whether a cookie is Secure or what the origin is called. The package imports nothing of ours.
package visit

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Visit is one request's way here.
type Visit struct {
	Secure   bool       // the browser's side of the connection is TLS
	Host     string     // as the browser names us, with its port
	BasePath string     // "" or "/cameras": what stands before every path of ours
	Client   netip.Addr // the browser's address, as far as a trusted proxy tells
	Framed   bool       // a trusted proxy shows us inside its own page (ingress)
}

type key struct{}

// With puts v into the context.
func With(ctx context.Context, v Visit) context.Context { return context.WithValue(ctx, key{}, v) }

// Of is the request's Visit. Without front (in a test) it is read from the connection alone.
func Of(r *http.Request) Visit {
	if v, ok := r.Context().Value(key{}).(Visit); ok {
		return v
	}
	return Direct(r)
}

// Direct is the Visit of a request that came without a proxy.
func Direct(r *http.Request) Visit {
	v := Visit{Secure: r.TLS != nil, Host: r.Host}
	if a, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		v.Client = a.Addr().Unmap()
	}
	return v
}

// Origin is what a browser sends as Origin when the page is ours.
func (v Visit) Origin() string {
	if v.Secure {
		return "https://" + v.Host
	}
	return "http://" + v.Host
}

// Trustworthy reports whether browsers treat the page as a secure context: TLS, or this machine.
func (v Visit) Trustworthy() bool { return v.Secure || v.Local() }

// Local reports whether the browser names this machine itself.
func (v Visit) Local() bool {
	host := v.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.Trim(strings.ToLower(host), "[]")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// Missing lists what browsers withhold from a page that is not trustworthy.
func (v Visit) Missing() []string {
	if v.Trustworthy() {
		return []string{}
	}
	return []string{"microphone", "push", "install", "passkeys", "confidential"}
}
