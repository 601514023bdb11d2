package policy

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Canonical writes v as RFC 8785 canonical JSON. v is made of map[string]any, []any, string,
// bool, nil, int, int64 and float64; anything else, a number that JSON cannot hold or a string
// that is not UTF-8 is an error.
func Canonical(v any) ([]byte, error) {
	var b bytes.Buffer
	if err := canonical(&b, v); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func canonical(b *bytes.Buffer, v any) error {
	switch v := v.(type) {
	case nil:
		b.WriteString("null")
	case bool:
		b.WriteString(strconv.FormatBool(v))
	case string:
		return canonicalString(b, v)
	case int:
		return canonicalNumber(b, float64(v), int64(v))
	case int64:
		return canonicalNumber(b, float64(v), v)
	case float64:
		return canonicalFloat(b, v)
	case []any:
		b.WriteByte('[')
		for i, e := range v {
			if i > 0 {
				b.WriteByte(',')
			}
			if err := canonical(b, e); err != nil {
				return err
			}
		}
		b.WriteByte(']')
	case map[string]any:
		return canonicalObject(b, v)
	default:
		return fmt.Errorf("canonical JSON: %T is no JSON value", v)
	}
	return nil
}

// canonicalObject sorts members by the UTF-16 code units of their names (RFC 8785, 3.2.3).
func canonicalObject(b *bytes.Buffer, m map[string]any) error {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, c string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(c)))
	})
	b.WriteByte('{')
	for i, k := range keys {
		if i > 0 {
			b.WriteByte(',')
		}
		if err := canonicalString(b, k); err != nil {
			return err
		}
		b.WriteByte(':')
		if err := canonical(b, m[k]); err != nil {
			return err
		}
	}
	b.WriteByte('}')
	return nil
}

// canonicalString escapes only what RFC 8785, 3.2.2.2 names.
func canonicalString(b *bytes.Buffer, s string) error {
	if !utf8.ValidString(s) {
		return fmt.Errorf("canonical JSON: %q is not UTF-8", s)
	}
	b.WriteByte('"')
	for _, r := range s {
		switch r {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case '\b':
			b.WriteString(`\b`)
		case '\t':
			b.WriteString(`\t`)
		case '\n':
			b.WriteString(`\n`)
		case '\f':
			b.WriteString(`\f`)
		case '\r':
			b.WriteString(`\r`)
		default:
			if r < 0x20 {
				fmt.Fprintf(b, `\u%04x`, r)
			} else {
				b.WriteRune(r)
			}
		}
	}
	b.WriteByte('"')
	return nil
}

// canonicalNumber refuses integers that a JSON number cannot hold exactly.
func canonicalNumber(b *bytes.Buffer, f float64, i int64) error {
	if i > 1<<53 || i < -(1<<53) {
		return fmt.Errorf("canonical JSON: %d is beyond the exact integers", i)
	}
	return canonicalFloat(b, f)
}

// canonicalFloat writes a number as ECMAScript does (RFC 8785, 3.2.2.3).
func canonicalFloat(b *bytes.Buffer, f float64) error {
	switch {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return fmt.Errorf("canonical JSON: %v is no number", f)
	case f == 0:
		b.WriteByte('0') // also for -0
		return nil
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		b.WriteString(strconv.FormatFloat(f, 'f', -1, 64))
		return nil
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'e', -1, 64), "e")
	sign := exponent[:1] // always + or -
	b.WriteString(mantissa + "e" + sign + strings.TrimLeft(exponent[1:], "0"))
	return nil
}
