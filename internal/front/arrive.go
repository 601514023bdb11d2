package front

import (
	"net/http"
	"net/netip"
	"regexp"
	"strings"

	"candor/internal/visit"
)

var (
	plainHost = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$`)
	plainPath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)
)

// forwarded are the headers that only a trusted proxy may send.
var forwarded = []string{"Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Ingress-Path", "X-Real-Ip", "X-Forwarded-Ssl", "X-Forwarded-Server"}

// arrive works out how each request came, and takes off the base path. With TLS the certificate
// has shown that the name is ours, and a trusted proxy knows its own names.
func (f *Front) arrive(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := f.Visit(r)
		if r.TLS == nil && !f.trusts(peer(r)) && !f.ours(r.Host) {
			f.strange(w, r)
			return
		}
		for _, h := range forwarded {
			r.Header.Del(h)
		}
		r = r.WithContext(visit.With(r.Context(), v))
		if v.BasePath == "" {
			next.ServeHTTP(w, r)
			return
		}
		// A proxy may have taken the prefix off already (ingress does) or not.
		if r.URL.Path == v.BasePath {
			http.Redirect(w, r, v.BasePath+"/", http.StatusPermanentRedirect)
			return
		}
		if strings.HasPrefix(r.URL.Path, v.BasePath+"/") {
			http.StripPrefix(v.BasePath, next).ServeHTTP(w, r)
			return
		}
		if f.o.BasePath != "" && !f.trusts(peer(r)) {
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// Visit weighs the headers of a request. Without trust it is what the connection itself says.
func (f *Front) Visit(r *http.Request) visit.Visit {
	v := visit.Direct(r)
	v.BasePath = f.o.BasePath
	if !f.trusts(peer(r)) {
		return v
	}
	switch strings.ToLower(last(r, "X-Forwarded-Proto")) {
	case "https", "wss":
		v.Secure = true
	case "http", "ws":
		v.Secure = false
	}
	if h := last(r, "X-Forwarded-Host"); h != "" && okHost(h) {
		v.Host = h
	}
	v.Client = f.client(r, v.Client)
	if p := last(r, "X-Ingress-Path"); p != "" && okPath(p) {
		v.BasePath, v.Framed = strings.TrimSuffix(p, "/"), true
	} else if p := last(r, "X-Forwarded-Prefix"); p != "" && okPath(p) {
		v.BasePath = strings.TrimSuffix(p, "/")
	}
	return v
}

func okHost(h string) bool {
	if _, err := netip.ParseAddrPort(h); err == nil {
		return true
	}
	name, port, found := strings.Cut(h, ":")
	if found && (port == "" || len(port) > 5 || strings.Trim(port, "0123456789") != "") {
		return false
	}
	return plainHost.MatchString(name)
}

func okPath(p string) bool {
	p = strings.TrimSuffix(p, "/")
	return len(p) < 200 && plainPath.MatchString(p) && !strings.Contains(p, "/.")
}

// client walks X-Forwarded-For from the right: the first address that is not a trusted proxy's
// is the browser's. What stands left of it anybody may have written.
func (f *Front) client(r *http.Request, direct netip.Addr) netip.Addr {
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	at := direct
	for i := len(hops) - 1; i >= 0; i-- {
		text := strings.TrimSpace(hops[i])
		a, err := netip.ParseAddr(strings.Trim(text, "[]"))
		if err != nil {
			ap, err := netip.ParseAddrPort(text)
			if err != nil {
				return at
			}
			a = ap.Addr()
		}
		at = a.Unmap().WithZone("")
		if !f.trusts(at) {
			return at
		}
	}
	return at
}

func (f *Front) trusts(a netip.Addr) bool {
	for _, p := range f.o.TrustedProxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

func peer(r *http.Request) netip.Addr {
	a, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}
	}
	return a.Addr().Unmap().WithZone("")
}

// last is the last value of a header: the one the nearest proxy added.
func last(r *http.Request, name string) string {
	all := strings.Split(strings.Join(r.Header.Values(name), ","), ",")
	return strings.TrimSpace(all[len(all)-1])
}
