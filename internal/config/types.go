package config

import (
	"fmt"
	"log/slog"
	"math"
	"strconv"
	"strings"
)

// Secret is a value that is used and never shown: logs and prints get an ellipsis.
type Secret string

const hidden = "…"

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return hidden
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return s.String() }

// LogValue hides the value from logs.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the value from anything that encodes the configuration.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Reveal is the value itself.
func (s Secret) Reveal() string { return string(s) }

// Size is a number of bytes, written "20GiB", "500MB" or "1048576".
type Size int64

var sizeUnits = []struct {
	suffix string
	factor float64
}{
	{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40},
	{"kB", 1e3}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1},
}

// UnmarshalText reads a size.
func (s *Size) UnmarshalText(b []byte) error {
	text, factor := strings.TrimSpace(string(b)), 1.0
	for _, u := range sizeUnits {
		if number, ok := strings.CutSuffix(text, u.suffix); ok {
			text, factor = strings.TrimSpace(number), u.factor
			break
		}
	}
	n, err := strconv.ParseFloat(text, 64)
	if err != nil || n < 0 || math.IsNaN(n) || n*factor >= math.MaxInt64 {
		return fmt.Errorf("%q is not a size; write 20GiB, 500MB or a number of bytes", b)
	}
	*s = Size(n * factor)
	return nil
}

// MarshalText writes a size with the largest binary unit that divides it.
func (s Size) MarshalText() ([]byte, error) {
	for i := 3; i >= 0; i-- {
		if f := int64(sizeUnits[i].factor); s != 0 && int64(s)%f == 0 {
			return []byte(strconv.FormatInt(int64(s)/f, 10) + sizeUnits[i].suffix), nil
		}
	}
	return []byte(strconv.FormatInt(int64(s), 10)), nil
}

// TLSMode is how the connection to a browser is protected.
type TLSMode string

// The modes.
const (
	TLSOff     TLSMode = "off"      // plain HTTP, for this machine or a network you trust
	TLSProxy   TLSMode = "proxy"    // a proxy in front of us has the certificate
	TLSACME    TLSMode = "acme"     // our own domain, certificate by ACME
	TLSLocalCA TLSMode = "local-ca" // our own certificate authority, trusted once per device
)

// UnmarshalText reads a mode.
func (m *TLSMode) UnmarshalText(b []byte) error {
	return oneOf(m, b, TLSOff, TLSProxy, TLSACME, TLSLocalCA)
}

// SignUp is who may make an account.
type SignUp string

// The answers.
const (
	SignUpOpen    SignUp = "open"    // whoever reads mail at an address
	SignUpInvited SignUp = "invited" // and was invited
	SignUpClosed  SignUp = "closed"  // nobody
)

// UnmarshalText reads an answer.
func (s *SignUp) UnmarshalText(b []byte) error {
	return oneOf(s, b, SignUpOpen, SignUpInvited, SignUpClosed)
}

// MailTLS is how the connection to the mail server is protected.
type MailTLS string

// The ways.
const (
	MailStartTLS MailTLS = "starttls" // plain at first, TLS before anything is said
	MailImplicit MailTLS = "tls"      // TLS from the first byte
	MailNoTLS    MailTLS = "none"     // only to this machine
)

// UnmarshalText reads a way.
func (m *MailTLS) UnmarshalText(b []byte) error {
	return oneOf(m, b, MailStartTLS, MailImplicit, MailNoTLS)
}

// LogLevel is the least important line that is written.
type LogLevel string

// UnmarshalText reads a level.
func (l *LogLevel) UnmarshalText(b []byte) error {
	return oneOf(l, b, "debug", "info", "warn", "error")
}

// Slog is the level as log/slog knows it.
func (l LogLevel) Slog() slog.Level {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l)); err != nil {
		return slog.LevelInfo
	}
	return level
}

// LogFormat is how a line looks.
type LogFormat string

// UnmarshalText reads a format.
func (f *LogFormat) UnmarshalText(b []byte) error { return oneOf(f, b, "text", "json") }

func oneOf[T ~string](to *T, b []byte, allowed ...T) error {
	names := make([]string, len(allowed))
	for i, a := range allowed {
		if string(b) == string(a) {
			*to = a
			return nil
		}
		names[i] = string(a)
	}
	return fmt.Errorf("%q is none of %s", b, strings.Join(names, ", "))
}
