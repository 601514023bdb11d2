package rtsp

import (
	"context"
	"encoding/hex"
	"net"
	"net/url"
	"strconv"
	"strings"

	"github.com/bluenviron/gortsplib/v5/pkg/base"

	"candor/internal/problem"
)

// Dialer opens connections to devices.
type Dialer interface {
	DialContext(ctx context.Context, network, addr string) (net.Conn, error)
}

// Address is where a camera's stream is and how to sign in there.
type Address struct {
	URL      string // rtsp:// or rtsps://, see Parse
	Username string
	Password string
}

// target is an address taken apart.
type target struct {
	scheme string // rtsp or rtsps
	host   string // host:port
	url    *base.URL
	print  []byte // SHA-256 of the certificate to accept, or nil
}

// maxAddress is longer than any camera's.
const maxAddress = 2048

// fragment begins the part of the address that names a certificate:
// rtsps://camera/path#sha256:0123…
const fragment = "sha256:"

// Parse splits user name and password off a typed address and fills in what people leave out:
// surrounding space, the scheme. What it cannot read is camera.address with the reason.
func Parse(typed, username, password string) (Address, error) {
	a := Address{URL: strings.TrimSpace(typed), Username: username, Password: password}
	if a.URL != "" && !strings.Contains(a.URL, "://") {
		a.URL = "rtsp://" + a.URL
	}
	a = a.split()
	t, err := a.target()
	if err != nil {
		return Address{}, err
	}
	t.url.User = nil
	a.URL = t.url.String()
	if t.print != nil {
		a.URL += "#" + fragment + hex.EncodeToString(t.print)
	}
	return a, nil
}

// split takes user name and password out of the URL. People type passwords as they are, with
// '#', '@' or '%' in them, so this looks for the last '@' before the path instead of parsing.
// Given ones win over typed ones.
func (a Address) split() Address {
	scheme, rest, ok := strings.Cut(a.URL, "://")
	if !ok {
		return a
	}
	end := strings.IndexByte(rest, '/')
	if end < 0 {
		end = len(rest)
	}
	at := strings.LastIndexByte(rest[:end], '@')
	if at < 0 {
		return a
	}
	a.URL = scheme + "://" + rest[at+1:]
	if a.Username == "" {
		user, password, _ := strings.Cut(rest[:at], ":")
		a.Username, a.Password = unescape(user), unescape(password)
	}
	return a
}

func unescape(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// target takes the address apart.
func (a Address) target() (target, error) {
	a = a.split()
	bad := func(reason string) (target, error) {
		return target{}, problem.Invalid("camera.address").With("reason", reason)
	}
	switch {
	case a.URL == "":
		return bad("empty")
	case len(a.URL) > maxAddress:
		return bad("long")
	case strings.ContainsFunc(a.URL, func(r rune) bool { return r <= ' ' || r == 0x7f }):
		return bad("space")
	}
	u, err := url.Parse(a.URL)
	if err != nil {
		return bad("unreadable")
	}
	t := target{scheme: strings.ToLower(u.Scheme)}
	port := "554"
	switch t.scheme {
	case "rtsp":
	case "rtsps":
		port = "322"
	default:
		return bad("scheme")
	}
	if u.Hostname() == "" {
		return bad("host")
	}
	if p := u.Port(); p != "" {
		n, err := strconv.ParseUint(p, 10, 16)
		if err != nil || n == 0 {
			return bad("port")
		}
		port = p
	} else if strings.HasSuffix(u.Host, ":") {
		return bad("port")
	}
	if rest, ok := strings.CutPrefix(u.Fragment, fragment); ok {
		t.print, err = hex.DecodeString(strings.ReplaceAll(rest, ":", ""))
		if err != nil || len(t.print) != 32 {
			return bad("certificate")
		}
	}
	u.Fragment, u.RawFragment = "", ""
	u.Scheme = t.scheme
	t.host = net.JoinHostPort(u.Hostname(), port)
	if a.Username != "" {
		u.User = url.UserPassword(a.Username, a.Password)
	}
	t.url = (*base.URL)(u)
	return t, nil
}
