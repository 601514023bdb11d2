package device

import (
	"encoding/hex"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"candor/internal/problem"
	"candor/internal/promise"
)

const maxAddress = 2048

// pin begins the part of an address that names the certificate to accept:
// rtsps://camera/path#sha256:0123…
const pin = "sha256:"

// ParseAddress reads what somebody typed as a camera's address: an rtsp or rtsps URL, or one
// without its scheme. A user name and password in it are taken out, written as they are or escaped. What
// is no such address is problem camera.address with the reason; it repeats nothing of what was typed.
func ParseAddress(typed string) (address string, c *Credentials, err error) {
	bad := func(reason string) (string, *Credentials, error) {
		return "", nil, problem.Invalid("camera.address").With("reason", reason)
	}
	typed = strings.TrimSpace(typed)
	switch {
	case typed == "":
		return bad("empty")
	case len(typed) > maxAddress:
		return bad("long")
	}
	if !strings.Contains(typed, "://") {
		typed = "rtsp://" + typed
	}
	typed, c = split(typed)
	if strings.ContainsFunc(typed, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar }) {
		return bad("space")
	}
	u, err := url.Parse(typed)
	if err != nil {
		return bad("unreadable")
	}
	u.Scheme, u.Host = strings.ToLower(u.Scheme), strings.ToLower(u.Host)
	switch {
	case u.Scheme != "rtsp" && u.Scheme != "rtsps" || u.Opaque != "":
		return bad("scheme")
	case u.Hostname() == "" || u.User != nil:
		return bad("host")
	}
	if n, err := strconv.ParseUint(u.Port(), 10, 16); (u.Port() != "" || strings.HasSuffix(u.Host, ":")) && (err != nil || n == 0) {
		return bad("port")
	}
	if u.Fragment, u.RawFragment = pinned(u.Fragment); strings.HasSuffix(u.Fragment, "?") {
		return bad("certificate")
	}
	if c != nil {
		if err := c.check(); err != nil {
			return "", nil, err
		}
	}
	if address = u.String(); len(address) > maxAddress {
		return bad("long")
	}
	return address, c, nil
}

// split takes user name and password out of a URL. People type passwords with '#', '@' or '%' in
// them, so it looks for the last '@' before the path.
func split(typed string) (string, *Credentials) {
	scheme, rest, _ := strings.Cut(typed, "://")
	end := strings.IndexByte(rest, '/')
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if at < 0 {
		return typed, nil
	}
	user, password, _ := strings.Cut(rest[:at], ":")
	return scheme + "://" + rest[at+1:], &Credentials{Username: unescaped(user), Password: unescaped(password)}
}

func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// pinned keeps the name of a certificate, drops any other fragment, and ends in "?" for a name
// that is none.
func pinned(fragment string) (kept, raw string) {
	name, ok := strings.CutPrefix(fragment, pin)
	if !ok {
		return "", ""
	}
	name = strings.ToLower(strings.ReplaceAll(name, ":", ""))
	if b, err := hex.DecodeString(name); err != nil || len(b) != 32 {
		return "?", ""
	}
	return pin + name, ""
}

// hostOf is the host and port an address names.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return u.Host
}

var inURL = regexp.MustCompile(`(?i)([a-z]*(?:pass(?:word|wd)?|pwd))=([^&_/?#]*)`)

const hidden = "%E2%80%A2%E2%80%A2%E2%80%A2" // three dots

// shown is an address as its owner sees it: some cameras want the password inside the URL.
//
// promise:P020
func shown(address string) string {
	if promise.Cut("P020") {
		return address
	}
	return inURL.ReplaceAllString(address, "$1="+hidden)
}

// Credentials are what a camera asks for.
type Credentials struct {
	Username string `json:"username"`
	Password string `json:"password"`
}

func (c Credentials) check() error {
	if len(c.Username) > 256 || len(c.Password) > 256 || strings.ContainsFunc(c.Username+c.Password, unicode.IsControl) {
		return problem.Invalid("camera.credentials")
	}
	return nil
}
