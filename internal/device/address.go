package device

import (
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"

	"candor/internal/problem"
)

const maxAddress = 2048

// ParseAddress reads what somebody typed as a camera's address: an rtsp or rtsps URL. A user name
// and password in it are taken out. What is no such address is problem camera.address.
func ParseAddress(typed string) (address string, c *Credentials, err error) {
	typed = strings.TrimSpace(typed)
	bad := problem.Invalid("camera.address")
	if typed == "" || len(typed) > maxAddress || strings.ContainsFunc(typed, func(r rune) bool { return unicode.IsControl(r) || unicode.IsSpace(r) || r == unicode.ReplacementChar }) {
		return "", nil, bad
	}
	u, err := url.Parse(typed)
	if err != nil { // the error repeats what was typed, password and all: it is not passed on
		return "", nil, bad
	}
	u.Scheme = strings.ToLower(u.Scheme)
	if u.Scheme != "rtsp" && u.Scheme != "rtsps" || u.Opaque != "" || u.Hostname() == "" || strings.HasSuffix(u.Host, ":") {
		return "", nil, bad
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "", nil, bad
		}
	}
	if u.User != nil {
		password, _ := u.User.Password()
		c = &Credentials{Username: u.User.Username(), Password: password}
		if err := c.check(); err != nil {
			return "", nil, err
		}
		u.User = nil
	}
	u.Host, u.Fragment, u.RawFragment = strings.ToLower(u.Host), "", ""
	address = u.String()
	if len(address) > maxAddress {
		return "", nil, bad
	}
	return address, c, nil
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
func shown(address string) string { return inURL.ReplaceAllString(address, "$1="+hidden) }

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
