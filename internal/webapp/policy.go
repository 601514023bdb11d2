package webapp

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"

	"candor/internal/promise"
	"candor/internal/visit"
)

var (
	baseTag   = regexp.MustCompile(`(?i)<base\s[^>]*>`)
	headTag   = regexp.MustCompile(`(?i)<head(\s[^>]*)?>`)
	scriptTag = regexp.MustCompile(`(?is)<script([^>]*)>(.*?)</script>`)
)

// markBase puts the mark where the page says <base>, or at the start of its head.
func markBase(page string) string {
	if at := baseTag.FindStringIndex(page); at != nil {
		return page[:at[0]] + baseMark + page[at[1]:]
	}
	if at := headTag.FindStringIndex(page); at != nil {
		return page[:at[1]] + baseMark + page[at[1]:]
	}
	return baseMark + page
}

// inlineHashes lists the inline scripts of the page as the policy names them.
func inlineHashes(page string) string {
	var out strings.Builder
	for _, m := range scriptTag.FindAllStringSubmatch(page, -1) {
		if strings.Contains(strings.ToLower(m[1]), "src=") || m[2] == "" {
			continue
		}
		sum := sha256.Sum256([]byte(m[2]))
		out.WriteString(" 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'")
	}
	return out.String()
}

// secure sets what protects the page from others, and others from it.
//
// promise:P221,P254
func (a *App) secure(h http.Header, v visit.Visit) {
	socket := "ws://" + v.Host
	if v.Secure {
		socket = "wss://" + v.Host
	}
	frames := "'none'"
	if v.Framed {
		frames = "'self'" // a trusted proxy shows us inside its own page (ingress)
	}
	from := "'self'"
	if promise.Cut("P221") || promise.Cut("P254") {
		from = "*"
	}
	h.Set("Content-Security-Policy", strings.Join([]string{
		"default-src 'none'",
		"script-src " + from + a.inline,
		"style-src 'self'",
		"style-src-attr 'unsafe-inline'", // positions on the timeline are style attributes
		"img-src " + from + " data: blob:",
		"media-src 'self' blob:",
		"font-src 'self'",
		"connect-src " + from + " " + socket,
		"worker-src 'self' blob:",
		"manifest-src 'self'",
		"form-action 'self'",
		"base-uri 'self'",
		"frame-ancestors " + frames,
	}, "; "))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(self), microphone=(self), fullscreen=(self), autoplay=(self), clipboard-write=(self), picture-in-picture=(self), geolocation=(), usb=(), payment=(), browsing-topics=(), interest-cohort=()")
	if !v.Framed {
		h.Set("X-Frame-Options", "DENY")
	}
	if a.strict && v.Secure {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}
