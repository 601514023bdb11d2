package bus

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
	"time"

	"candor/internal/id"
)

// Type names what happened: "<room>.<noun>.<verb>", as in "device.camera.added".
type Type string

var typeForm = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}\.[a-z][a-z0-9_]{0,31}\.[a-z][a-z0-9_]{0,31}$`)

// Envelope is all that travels. It has no field that could hold a value about somebody.
type Envelope struct {
	ID       id.Event  `json:"id"`
	Type     Type      `json:"type"`
	Tenant   id.Tenant `json:"tenant"`   // zero: the whole installation
	Resource id.Row    `json:"resource"` // what it happened to
	Seq      int64     `json:"seq"`      // the number in the outbox; 0 for what was never in it
	Time     time.Time `json:"time"`     // when it was said, UTC, to the millisecond
}

const maxEnvelope = 512 // bytes; the longest real one is well below

func (e Envelope) check() error {
	switch {
	case e.ID.IsZero():
		return errors.New("envelope without an id")
	case !typeForm.MatchString(string(e.Type)):
		return fmt.Errorf("envelope type %q: want room.noun.verb", e.Type)
	case e.Seq < 0:
		return errors.New("envelope with a negative number")
	case e.Time.IsZero():
		return errors.New("envelope without a time")
	}
	return nil
}

// Encode writes the JSON form.
func (e Envelope) Encode() ([]byte, error) {
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	if err := e.check(); err != nil {
		return nil, err
	}
	return json.Marshal(e)
}

// Decode reads the JSON form and refuses whatever an Envelope does not have.
func Decode(b []byte) (Envelope, error) {
	if len(b) > maxEnvelope {
		return Envelope{}, fmt.Errorf("envelope of %d bytes: want at most %d", len(b), maxEnvelope)
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	var e Envelope
	if err := d.Decode(&e); err != nil {
		return Envelope{}, fmt.Errorf("read envelope: %w", err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Envelope{}, errors.New("read envelope: something follows it")
	}
	e.Time = e.Time.UTC().Truncate(time.Millisecond)
	return e, e.check()
}

// Subject is where the envelope travels.
func (e Envelope) Subject() string { return subject(e.Tenant, e.Type) }

func subject(t id.Tenant, typ Type) string {
	tenant := "_"
	if !t.IsZero() {
		tenant = t.String()
	}
	return strings.Join([]string{"candor", "v1", tenant, string(typ)}, ".")
}
