package onvif

import (
	"crypto/md5" // RFC 2617, which is what cameras speak
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"strings"
)

// challenge is what an HTTP server asks before it answers (RFC 7616).
type challenge struct {
	realm, nonce, opaque string
	algorithm            string // "", "MD5" or "SHA-256"
	auth                 bool   // qop=auth
	stale                bool
}

func (c challenge) usable() bool { return c.nonce != "" }

// challenged finds the digest challenge we can answer; Basic is none, since it would send the password.
func challenged(headers []string) challenge {
	var best challenge
	for _, h := range headers {
		kind, rest, _ := strings.Cut(strings.TrimSpace(h), " ")
		if !strings.EqualFold(kind, "Digest") || len(h) > 4096 {
			continue
		}
		c, ok := parameters(rest)
		if ok && (!best.usable() || c.algorithm == "SHA-256") {
			best = c
		}
	}
	return best
}

// parameters reads name="value", name=value.
func parameters(s string) (challenge, bool) {
	var c challenge
	plain := true
	for s != "" {
		var name, value string
		name, s, _ = strings.Cut(s, "=")
		name = strings.ToLower(strings.Trim(name, " ,\t"))
		if s = strings.TrimLeft(s, " \t"); strings.HasPrefix(s, `"`) {
			value, s = quoted(s[1:])
		} else {
			value, s, _ = strings.Cut(s, ",")
			value = strings.TrimSpace(value)
		}
		switch name {
		case "realm":
			c.realm = value
		case "nonce":
			c.nonce = value
		case "opaque":
			c.opaque = value
		case "algorithm":
			c.algorithm = strings.ToUpper(value)
		case "stale":
			c.stale = strings.EqualFold(value, "true")
		case "qop":
			plain = false
			for _, q := range strings.Split(value, ",") {
				c.auth = c.auth || strings.EqualFold(strings.TrimSpace(q), "auth")
			}
		}
	}
	known := c.algorithm == "" || c.algorithm == "MD5" || c.algorithm == "SHA-256"
	clean := !strings.ContainsAny(c.realm+c.nonce+c.opaque, "\"\\\r\n")
	return c, c.nonce != "" && known && clean && (c.auth || plain)
}

// quoted reads up to the closing quote.
func quoted(s string) (value, rest string) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i < len(s) {
				b.WriteByte(s[i])
			}
		case '"':
			return b.String(), s[i+1:]
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), ""
}

// answer is the Authorization header for a request.
func (c challenge) answer(method, uri, username, password string, count int) string {
	own := make([]byte, 8)
	_, _ = rand.Read(own) // never fails
	return c.with(hex.EncodeToString(own), method, uri, username, password, count)
}

func (c challenge) with(cnonce, method, uri, username, password string, count int) string {
	sum := func(parts ...string) string {
		var h hash.Hash
		if h = md5.New(); c.algorithm == "SHA-256" {
			h = sha256.New()
		}
		h.Write([]byte(strings.Join(parts, ":")))
		return hex.EncodeToString(h.Sum(nil))
	}
	who, what := sum(username, c.realm, password), sum(method, uri)
	// A quote in a name would end the header's string; no digest names it then.
	name := strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\r", "", "\n", "").Replace(username)
	out := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s"`, name, c.realm, c.nonce, uri)
	if c.auth {
		nc := fmt.Sprintf("%08x", count)
		out += fmt.Sprintf(`, qop=auth, nc=%s, cnonce="%s", response="%s"`, nc, cnonce, sum(who, c.nonce, nc, cnonce, "auth", what))
	} else {
		out += fmt.Sprintf(`, response="%s"`, sum(who, c.nonce, what))
	}
	if c.algorithm != "" {
		out += ", algorithm=" + c.algorithm
	}
	if c.opaque != "" {
		out += fmt.Sprintf(`, opaque="%s"`, c.opaque)
	}
	return out
}
