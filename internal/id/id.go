// Package id gives every noun of Candor its own identifier type.
//
// An identifier is a UUIDv7 (RFC 9562): 16 bytes in SQL, 36 characters in text.
// A device ID cannot be passed where a site ID is meant; the compiler says no.
// The package imports nothing of ours and knows nothing of what the nouns mean.
package id

import (
	"database/sql/driver"
	"encoding/hex"
	"fmt"

	"github.com/google/uuid"
)

// ID is a UUIDv7 that names one K. The zero ID names nothing.
type ID[K any] [16]byte

// The nouns. Each alias is a type of its own because its phantom kind is.
type (
	Tenant   = ID[tenant]   // a brand that runs its own cloud on this installation
	Account  = ID[account]  // a person who signed up
	Subject  = ID[subject]  // the person whom data is about
	Site     = ID[site]     // a place with a time zone and members
	Device   = ID[device]   // anything bound by serial number
	Binding  = ID[binding]  // the tie of a device to its one owner
	Session  = ID[session]  // one signed-in browser
	Consent  = ID[consent]  // one consent record
	Key      = ID[key]      // one destroyable key in keys.db
	Segment  = ID[segment]  // one sealed object of footage
	Access   = ID[access]   // one access record
	Receipt  = ID[receipt]  // one erasure receipt
	Share    = ID[share]    // a scoped, timed right given to a member or a link
	Export   = ID[export]   // one copy of everything about a person
	Event    = ID[event]    // something that happened, as told on the bus
	Sighting = ID[sighting] // one event in front of a camera; made by Random
	Viewing  = ID[viewing]  // one consumer of a stream, as named in the API
	Row      = ID[row]      // any row at all: what a sealed value is bound to
)

type (
	tenant   struct{}
	account  struct{}
	subject  struct{}
	site     struct{}
	device   struct{}
	binding  struct{}
	session  struct{}
	consent  struct{}
	key      struct{}
	segment  struct{}
	access   struct{}
	receipt  struct{}
	share    struct{}
	export   struct{}
	event    struct{}
	sighting struct{}
	viewing  struct{}
	row      struct{}
)

// DefaultTenant is the one tenant of a fresh installation.
var DefaultTenant = Tenant{0x01, 0x93, 0x5e, 0x2a, 0, 0, 0x70, 0, 0x80, 0, 0, 0, 0, 0, 0, 1}

// New makes a fresh identifier. It panics only when the system has no randomness left.
func New[K any]() ID[K] { return ID[K](uuid.Must(uuid.NewV7())) }

// Make makes a fresh identifier of a noun: id.Make[id.Binding](). It is New for callers outside,
// who can name the noun but not its kind.
func Make[T ~[16]byte]() T { return T(uuid.Must(uuid.NewV7())) }

// Read is Parse for a noun: id.Read[id.Binding]("0193…").
func Read[T ~[16]byte](s string) (T, error) {
	v, err := Parse[struct{}](s)
	return T(v), err
}

// As renames an identifier to another noun with the same bytes: an account is also a
// subject, and any noun is also a row. Use it where that identity is a fact of the design.
func As[To, From any](from ID[From]) ID[To] { return ID[To](from) }

// SubjectOf is the subject an account stands for: the person who signed up.
func SubjectOf(a Account) Subject { return Subject(a) }

// RowOf is the row a noun's own table keeps it in.
func RowOf[K any](v ID[K]) Row { return Row(v) }

// Parse reads the 36-character form.
func Parse[K any](s string) (ID[K], error) {
	if len(s) != 36 {
		return ID[K]{}, fmt.Errorf("identifier %q: want the 36-character form of a UUID", clip(s))
	}
	u, err := uuid.Parse(s)
	if err != nil {
		return ID[K]{}, fmt.Errorf("identifier %q: want the 36-character form of a UUID", clip(s))
	}
	return ID[K](u), nil
}

func clip(s string) string {
	if len(s) > 40 {
		return s[:40] + "…"
	}
	return s
}

// IsZero reports whether v names nothing.
func (v ID[K]) IsZero() bool { return v == ID[K]{} }

// String is the 36-character form.
func (v ID[K]) String() string { return uuid.UUID(v).String() }

// Hex is the 32-character form without dashes, for neutral file names.
func (v ID[K]) Hex() string { return hex.EncodeToString(v[:]) }

// MarshalText writes the 36-character form; the zero ID is the empty string.
func (v ID[K]) MarshalText() ([]byte, error) {
	if v.IsZero() {
		return nil, nil
	}
	return []byte(v.String()), nil
}

// UnmarshalText reads what MarshalText wrote.
func (v *ID[K]) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*v = ID[K]{}
		return nil
	}
	p, err := Parse[K](string(b))
	if err != nil {
		return err
	}
	*v = p
	return nil
}

// Value stores the 16 bytes; the zero ID is NULL.
func (v ID[K]) Value() (driver.Value, error) {
	if v.IsZero() {
		return nil, nil
	}
	return v[:], nil
}

// Scan reads the 16 bytes back.
func (v *ID[K]) Scan(src any) error {
	switch b := src.(type) {
	case nil:
		*v = ID[K]{}
		return nil
	case []byte:
		if len(b) == 16 {
			copy(v[:], b)
			return nil
		}
	}
	return fmt.Errorf("identifier column holds %T, want 16 bytes", src)
}
