package config

import (
	"errors"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"strings"
)

var basePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)

var pushService = regexp.MustCompile(`^(\*\.)?[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:[0-9]{1,5})?$`)

// leastCode is how long a set-up code of one's own is at least.
const leastCode = 12

// leastBytes is the least space a camera's footage may be given.
const leastBytes Size = 64 << 20

// check reports settings that do not fit each other, each with what would.
func (l *Loaded) check() error {
	var errs []error
	bad := func(path, format string, a ...any) {
		where := l.From[path]
		if where == "" {
			where = path
		} else {
			where += ": " + path
		}
		errs = append(errs, fmt.Errorf("%s: %s", where, fmt.Sprintf(format, a...)))
	}
	listen := func(path, address string, optional bool) {
		if address == "" && optional {
			return
		}
		if _, port, err := net.SplitHostPort(address); err != nil || !isPort(port) {
			bad(path, "%q is not an address to listen on; write 127.0.0.1:8780 or :8780", address)
		}
	}
	if c := l.SetupCode.Reveal(); c != "" && len(c) < leastCode {
		bad("setup_code", "a code of %d characters can be guessed; write at least %d, or leave it out", len(c), leastCode)
	}
	h := l.HTTP
	listen("http.listen", h.Listen, false)
	listen("metrics.listen", l.Metrics.Listen, true)
	if h.TLS == TLSACME || h.TLS == TLSLocalCA {
		listen("http.tls_listen", h.TLSListen, false)
	}
	if h.TLS == TLSACME && len(h.Domains) == 0 {
		bad("http.domains", "http.tls is acme, so at least one domain name is needed")
	}
	if h.TLS == TLSProxy && len(h.TrustedProxies) == 0 {
		bad("http.trusted_proxies", "http.tls is proxy, so the proxy's address is needed; whatever claims to be it is not believed otherwise")
	}
	if !basePath.MatchString(h.BasePath) {
		bad("http.base_path", "%q is not a path; write /cameras, without a slash at the end", h.BasePath)
	}
	if h.StopSeconds < 1 {
		bad("http.stop_seconds", "at least 1 is needed")
	}
	if l.DataDir == "" {
		bad("data_dir", "a folder is needed")
	}
	if l.Language != "en" && l.Language != "zh-Hans" {
		bad("language", "%q is none of en, zh-Hans", l.Language)
	}
	for path, port := range map[string]int{"webrtc.udp_port": l.WebRTC.UDPPort, "webrtc.tcp_port": l.WebRTC.TCPPort} {
		if port < 0 || port > 65535 {
			bad(path, "%d is not a port; 0 switches it off", port)
		}
	}
	for _, service := range l.Push.Services {
		if !pushService.MatchString(service) {
			bad("push.services", "%q is not a host; write push.example.org, *.push.example.org or push.example.org:8443", service)
		}
	}
	if l.Recording.Days < 1 {
		bad("recording.days", "at least 1 is needed; recording itself is switched off at the camera")
	}
	if b := l.Recording.Bytes; b != 0 && b < leastBytes {
		bad("recording.bytes", "at least 64MiB is needed; 0 sets no limit")
	}
	for path, text := range map[string]string{"operator.name": l.Operator.Name, "operator.contact": l.Operator.Contact} {
		if strings.ContainsAny(text, "\r\n") || len(text) > 200 {
			bad(path, "one line of up to 200 letters is wanted")
		}
	}
	l.checkMail(bad)
	if l.Decode.Limit < 1 {
		bad("decode.limit", "at least 1 is needed")
	}
	return errors.Join(errs...)
}

func isPort(s string) bool {
	n, err := strconv.Atoi(s)
	return err == nil && n >= 0 && n <= 65535
}
