package webpush

import (
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	"candor/internal/problem"
)

// Subscription is where and for whom to encrypt. It is personal: keep it sealed.
type Subscription struct {
	Endpoint string `json:"endpoint"`
	P256dh   string `json:"p256dh"` // base64url
	Auth     string `json:"auth"`   // base64url
}

const (
	longestEndpoint = 2048
	largestJSON     = 8 << 10
	pointSize       = 65
	authSize        = 16
)

// Parse reads what PushSubscription.toJSON() gives in a browser. Problems: push.subscription for
// what is none, push.service for an address at a host that is not among the services.
func Parse(body []byte, services Services) (Subscription, error) {
	var in struct {
		Endpoint string `json:"endpoint"`
		Keys     struct {
			P256dh string `json:"p256dh"`
			Auth   string `json:"auth"`
		} `json:"keys"`
	}
	if len(body) > largestJSON {
		return Subscription{}, malformed(errors.New("too long"))
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return Subscription{}, malformed(err)
	}
	point, err := decode(in.Keys.P256dh, pointSize)
	if err != nil {
		return Subscription{}, malformed(err)
	}
	if _, err := ecdh.P256().NewPublicKey(point); err != nil {
		return Subscription{}, malformed(err)
	}
	auth, err := decode(in.Keys.Auth, authSize)
	if err != nil {
		return Subscription{}, malformed(err)
	}
	if err := services.Check(in.Endpoint); err != nil {
		return Subscription{}, err
	}
	return Subscription{Endpoint: in.Endpoint, P256dh: base64.RawURLEncoding.EncodeToString(point), Auth: base64.RawURLEncoding.EncodeToString(auth)}, nil
}

func malformed(cause error) error { return problem.Invalid("push.subscription").Because(cause) }

// decode reads base64url with or without padding.
func decode(s string, size int) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(s, "="))
	if err == nil && len(b) != size {
		err = errors.New("a key of the wrong length")
	}
	return b, err
}

// Services are the push services that may be posted to: host names, with "*." before one for the
// names below it, and with a port where it is not 443.
type Services []string

// Check refuses an address that is not at a known service, with the problem push.service.
func (s Services) Check(endpoint string) error {
	u, err := url.Parse(endpoint)
	switch {
	case err != nil || len(endpoint) > longestEndpoint || u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" || u.Opaque != "":
		return malformed(errors.New("the address is not a plain https one"))
	case !s.has(u):
		return problem.Invalid("push.service").With("host", u.Hostname())
	}
	return nil
}

func (s Services) has(u *url.URL) bool {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" {
		port = "443"
	}
	for _, one := range s {
		name, at, found := strings.Cut(strings.ToLower(one), ":")
		if !found {
			at = "443"
		}
		if at != port {
			continue
		}
		if below, ok := strings.CutPrefix(name, "*"); ok {
			if strings.HasSuffix(host, below) && len(host) > len(below) {
				return true
			}
		} else if host == name {
			return true
		}
	}
	return false
}

// Hosts are the services as package egress takes them: a leading dot allows the names below.
func (s Services) Hosts() []string {
	out := make([]string, len(s))
	for i, one := range s {
		name, _, _ := strings.Cut(one, ":")
		out[i] = strings.TrimPrefix(name, "*")
	}
	return out
}
