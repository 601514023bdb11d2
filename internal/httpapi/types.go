package httpapi

import (
	"encoding"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/clock"
)

// Moment is a point in time as the API writes it: RFC 3339, UTC, milliseconds.
type Moment clock.Millis

const momentFormat = "2006-01-02T15:04:05.000Z"

// Schema describes a Moment to the OpenAPI document.
func (Moment) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Examples: []any{"2026-01-02T15:04:05.678Z"}}
}

// MarshalText writes the moment.
func (m Moment) MarshalText() ([]byte, error) {
	return []byte(clock.Millis(m).Time().Format(momentFormat)), nil
}

// UnmarshalText reads a moment in any zone.
func (m *Moment) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.RFC3339, string(b))
	if err != nil {
		return fmt.Errorf("a moment is written like %s", momentFormat)
	}
	*m = Moment(clock.At(t))
	return nil
}

// Millis is the moment as the rooms know it.
func (m Moment) Millis() clock.Millis { return clock.Millis(m) }

// parse reads an identifier out of a path. What is none names nothing.
func parse[T any, P interface {
	*T
	encoding.TextUnmarshaler
}](s string) (T, bool) {
	var v, zero T
	if s == "" || P(&v).UnmarshalText([]byte(s)) != nil {
		return zero, false
	}
	return v, true
}

// none is the input of an operation that takes nothing.
type none struct{}
