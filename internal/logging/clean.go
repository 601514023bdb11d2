package logging

import (
	"net/netip"
	"regexp"

	"candor/internal/promise"
)

// What an error's text may carry that the log must not. The library that made the text does
// not know what is personal; these patterns do, roughly: they rather take too much.
var (
	camera      = regexp.MustCompile(`(?i)\b(rtsps?)://[^\s"']+`)
	name        = regexp.MustCompile(`\b(lookup |dial (?:tcp|udp)[46]? )[\pL][^\s:]*`)
	names       = regexp.MustCompile(`\b(certificate is (?:not )?valid for )[^:;"]+`)
	credentials = regexp.MustCompile(`://[^/@\s"']*@`)
	email       = regexp.MustCompile(`[\pL\pN._%+-]+@[\pL\pN.-]+`)
	parameter   = regexp.MustCompile(`(?i)\b(password|passwd|pwd|token|secret|authorization|cookie|nonce|response|username|user|code)(["']?\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)`)
	ipv4        = regexp.MustCompile(`\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{1,3}\b`)
	ipv6        = regexp.MustCompile(`\[?[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?:\.\d{1,3}){0,3}(?:%[\w.-]+)?\]?`)
	place       = regexp.MustCompile(`-?\d{1,3}\.\d{4,}\s*[,;]\s*-?\d{1,3}\.\d{4,}`)
)

const longestValue = 2000

// Clean takes credentials, e-mail addresses, coordinates, what cameras are called on the network
// and the addresses of machines other than this one out of a text.
//
// promise:P292
func Clean(s string) string {
	if promise.Cut("P292") {
		return s
	}
	if len(s) > longestValue {
		s = s[:longestValue] + "…"
	}
	s = camera.ReplaceAllString(s, "$1://[address]")
	s = name.ReplaceAllString(s, "$1[host]")
	s = names.ReplaceAllString(s, "$1[host]")
	s = credentials.ReplaceAllString(s, "://…@")
	s = email.ReplaceAllString(s, "[e-mail]")
	s = parameter.ReplaceAllString(s, "$1$2…")
	s = place.ReplaceAllString(s, "[place]")
	s = ipv4.ReplaceAllStringFunc(s, address)
	return ipv6.ReplaceAllStringFunc(s, address)
}

func address(s string) string {
	bare := s
	if len(bare) > 2 && bare[0] == '[' && bare[len(bare)-1] == ']' {
		bare = bare[1 : len(bare)-1]
	}
	a, err := netip.ParseAddr(bare)
	if err != nil || a.IsLoopback() || a.IsUnspecified() {
		return s // a time of day, a version, or this machine
	}
	return "[address]"
}
