package front

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/text/language"
)

// withTrust serves /trust and the root certificate when there is a local authority. They are
// reachable by plain HTTP too: a device that does not trust us yet must get there.
func (f *Front) withTrust(next http.Handler) http.Handler {
	if f.ca == nil {
		return next
	}
	mux := http.NewServeMux()
	mux.Handle("/", next)
	mux.HandleFunc("GET /trust", f.guide)
	mux.HandleFunc("GET /trust/candor-root.crt", func(w http.ResponseWriter, _ *http.Request) {
		f.download(w, "application/x-x509-ca-cert", "candor-root.crt", f.ca.rootPEM)
	})
	mux.HandleFunc("GET /trust/candor-root.cer", func(w http.ResponseWriter, _ *http.Request) {
		f.download(w, "application/pkix-cert", "candor-root.cer", f.ca.root.Raw)
	})
	mux.HandleFunc("GET /trust/candor-root.mobileconfig", func(w http.ResponseWriter, _ *http.Request) {
		f.download(w, "application/x-apple-aspen-config", "candor-root.mobileconfig", mobileConfig(f.ca.root))
	})
	return mux
}

// Root is the local authority's certificate as PEM, nil without one.
func (f *Front) Root() []byte {
	if f.ca == nil {
		return nil
	}
	return f.ca.rootPEM
}

func (f *Front) download(w http.ResponseWriter, kind, name string, body []byte) {
	h := w.Header()
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-cache")
	h.Set("X-Content-Type-Options", "nosniff")
	_, _ = w.Write(body)
}

var trustLanguages = language.NewMatcher([]language.Tag{language.English, language.MustParse("zh-Hans")})

// devices are the parts of the guide; each has a title and steps in the catalogue and a file.
var devices = []struct{ key, file string }{
	{"ios", "candor-root.mobileconfig"},
	{"android", "candor-root.crt"},
	{"windows", "candor-root.cer"},
	{"macos", "candor-root.cer"},
	{"linux", "candor-root.crt"},
	{"firefox", "candor-root.crt"},
}

// guide shows how each kind of device trusts the root, in the reader's language, without script.
func (f *Front) guide(w http.ResponseWriter, r *http.Request) {
	lang := "en"
	if tags, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language")); err == nil && len(tags) > 0 {
		if _, i, c := trustLanguages.Match(tags...); c != language.No && i == 1 {
			lang = "zh-Hans"
		}
	}
	say := func(key string, args map[string]string) string {
		s := f.o.Words(lang, "trust."+key, args)
		if s == "" {
			s = key
		}
		return html.EscapeString(s)
	}
	var b strings.Builder
	fmt.Fprintf(&b, `<!doctype html><html lang="%s"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>%s</title>
<style>body{font:16px/1.6 system-ui,sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem;color-scheme:light dark}code{word-break:break-all}a{color:LinkText}li{margin:.4rem 0}</style></head><body>
<h1>%s</h1><p>%s</p><p>%s<br><code>%s</code></p><p>%s</p>`, lang, say("title", nil), say("title", nil), say("why", nil), say("fingerprint", nil), fingerprint(f.ca.root), say("compare", nil))
	for _, d := range devices {
		fmt.Fprintf(&b, `<h2>%s</h2><ol><li><a href="/trust/%s">%s</a></li>`, say(d.key+".title", nil), d.file, say("download", map[string]string{"file": d.file}))
		for step := range strings.SplitSeq(say(d.key+".steps", nil), "\n") {
			fmt.Fprintf(&b, `<li>%s</li>`, step)
		}
		b.WriteString(`</ol>`)
	}
	fmt.Fprintf(&b, `<p>%s</p></body></html>`, say("undo", nil))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("Cache-Control", "no-cache")
	h.Set("Vary", "Accept-Language")
	_, _ = w.Write([]byte(b.String()))
}

// Trust is the page where a device learns to trust the local authority, and the fingerprint to
// compare it with; both empty without one. Where plain HTTP is for this machine alone, the page
// is reached by HTTPS and the browser warns once.
func (f *Front) Trust() (page, print string) {
	if f.ca == nil {
		return "", ""
	}
	urls := f.URLs()
	u, err := url.Parse(urls[len(urls)-1])
	if err != nil {
		return "", ""
	}
	if at := f.Addr(); !at.Addr().IsLoopback() {
		u.Scheme, u.Host = "http", net.JoinHostPort(u.Hostname(), strconv.Itoa(int(at.Port())))
	}
	u.Path = "/trust"
	return u.String(), fingerprint(f.ca.root)
}

// fingerprint is the SHA-256 of the certificate as devices show it.
func fingerprint(c *x509.Certificate) string {
	sum := sha256.Sum256(c.Raw)
	s := strings.ToUpper(hex.EncodeToString(sum[:]))
	parts := make([]string, 0, len(s)/2)
	for i := 0; i < len(s); i += 2 {
		parts = append(parts, s[i:i+2])
	}
	return strings.Join(parts, ":")
}

// mobileConfig is the root as the profile iPhones and iPads install.
func mobileConfig(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.Raw)
	uuid := func(b []byte) string { return fmt.Sprintf("%X-%X-%X-%X-%X", b[0:4], b[4:6], b[6:8], b[8:10], b[10:16]) }
	name := html.EscapeString(c.Subject.CommonName)
	return fmt.Appendf(nil, `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0"><dict>
<key>PayloadContent</key><array><dict>
<key>PayloadCertificateFileName</key><string>candor-root.cer</string>
<key>PayloadContent</key><data>%s</data>
<key>PayloadDisplayName</key><string>%s</string>
<key>PayloadIdentifier</key><string>candor.root.%x</string>
<key>PayloadType</key><string>com.apple.security.root</string>
<key>PayloadUUID</key><string>%s</string>
<key>PayloadVersion</key><integer>1</integer>
</dict></array>
<key>PayloadDisplayName</key><string>%s</string>
<key>PayloadIdentifier</key><string>candor.%x</string>
<key>PayloadType</key><string>Configuration</string>
<key>PayloadUUID</key><string>%s</string>
<key>PayloadVersion</key><integer>1</integer>
</dict></plist>
`, base64.StdEncoding.EncodeToString(c.Raw), name, sum[:6], uuid(sum[:16]), name, sum[:6], uuid(sum[16:]))
}
