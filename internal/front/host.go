package front

import (
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"golang.org/x/text/language"
)

// private are endings of names that nobody outside can own: RFC 6761, 6762, 8375, and what
// routers at home use. A name of one label is nobody's either.
var private = []string{".localhost", ".local", ".lan", ".home", ".internal", ".home.arpa", ".localdomain", ".test"}

// ours reports whether a browser may name us so over plain HTTP. A page of a stranger's site
// whose name is made to point here (DNS rebinding) is of our own origin as far as a browser
// knows; that name is the one thing by which it can be told.
func (f *Front) ours(host string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(strings.Trim(host, "[]"), "."))
	if _, err := netip.ParseAddr(host); err == nil || !strings.Contains(host, ".") {
		return true
	}
	for _, d := range f.o.Domains {
		if strings.EqualFold(strings.TrimSuffix(d, "."), host) {
			return true
		}
	}
	for _, end := range private {
		if strings.HasSuffix(host, end) {
			return true
		}
	}
	own, err := os.Hostname()
	return err == nil && strings.EqualFold(own, host)
}

// strange answers a request for a name that is not ours.
func (f *Front) strange(w http.ResponseWriter, r *http.Request) {
	lang := "en"
	if tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")); err == nil && len(tags) > 0 {
		if _, i, c := trustLanguages.Match(tags...); c != language.No && i == 1 {
			lang = "zh-Hans"
		}
	}
	text := f.o.Words(lang, "front.unknown_name", nil)
	if text == "" {
		text = http.StatusText(http.StatusMisdirectedRequest)
	}
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Connection", "close")
	http.Error(w, text, http.StatusMisdirectedRequest)
}
