// Package seal keeps the keys and seals every personal value under one of them.
//
// Keys decide: what a key sealed is gone, wherever copies of it lie, once the key is destroyed.
// So every key whose destruction means something is random, lives in one small file (keys.db)
// that no data backup contains, and is never derived from a longer-lived key.
//
//	epoch key (epoch-<n>.key)
//	  └ subject                 one person
//	      ├ binding             one camera of theirs: its name, address, password
//	      │   └ bucket          one UTC day × data category × retention class of it: footage
//	      │       └ object      one segment; wrapped beside the segment, not in keys.db
//	      └ export              one export
//
// A stored key is wrapped by AES-256-GCM under HKDF(epoch key ‖ parent key), with the whole
// scope as additional data. Destroying a key zeroes its bytes in place and writes a tombstone in
// the same transaction; under a tombstoned subject, binding or export no key is ever made again.
// A bucket may be begun anew (somebody withdraws and agrees again on the same day): the new key
// opens nothing old.
//
// Nothing opens without a permit.Permit that fits the value's tenant, subject, camera and
// category now. The value's place (tenant, subject, passport, row) is part of its seal: copied to
// another row, column or account it does not open. Every refusal after the permit is the same
// error, ErrClosed.
//
// Rooms use seal; seal knows no room. It imports no HTTP, no bus and not the data database.
package seal

import (
	"errors"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
)

// Refusals, for errors.Is.
var (
	// ErrClosed is every refusal to open: wrong place, wrong key, destroyed key, changed bytes.
	ErrClosed = errors.New("sealed value does not open")
	// ErrGone says that a goodbye has been said to the scope: it gets no keys any more.
	ErrGone = errors.New("keys of this scope were destroyed for good")
	// ErrScope is a scope, place or selection that names nothing sensible: a mistake in the program.
	ErrScope = errors.New("scope names no key")
	// ErrTaken says that another account of the tenant has the e-mail address.
	ErrTaken = errors.New("e-mail address has an account")
)

// Class is a retention class: buckets of different classes die on different days.
type Class string

// Continuous is the class of footage recorded all the time; Kept that of clips somebody chose to keep.
const (
	Continuous Class = "continuous"
	Kept       Class = "kept"
)

// Bucket is one UTC day of one data category in one retention class.
type Bucket struct {
	Day      clock.Day
	Category passport.Category
	Class    Class
}

// Scope names a key of the tree. Tenant and Subject alone name the subject key; with Binding the
// binding key; with Binding and Bucket the bucket key; with Export (and no Binding) an export key.
type Scope struct {
	Tenant  id.Tenant
	Subject id.Subject
	Binding id.Binding
	Bucket  Bucket
	Export  id.Row
}

// Place is where a sealed value belongs. Tenant, Subject, Passport and Row are sealed in; Binding
// and Category are what the permit is asked about.
type Place struct {
	Tenant   id.Tenant
	Subject  id.Subject
	Binding  id.Binding // zero when the value is about no camera
	Passport passport.ID
	Category passport.Category
	Row      id.Row
}

// OfSubject is the scope of a person's own key.
func OfSubject(t id.Tenant, s id.Subject) Scope { return Scope{Tenant: t, Subject: s} }

// OfBinding is the scope of a camera's key.
func OfBinding(t id.Tenant, s id.Subject, b id.Binding) Scope {
	return Scope{Tenant: t, Subject: s, Binding: b}
}

// In is the scope of one bucket of the camera that s names.
func (s Scope) In(b Bucket) Scope { s.Bucket = b; return s }

type kind uint8

// The kinds of stored keys; their numbers are in keys.db.
const (
	kindNone      kind = 0
	kindSubject   kind = 1
	kindBinding   kind = 2
	kindBucket    kind = 3
	kindExport    kind = 4
	kindDirectory kind = 5
)

func (s Scope) kind() kind {
	noBucket := s.Bucket == Bucket{}
	switch {
	case s.Tenant.IsZero() || s.Subject.IsZero():
		return kindNone
	case !s.Export.IsZero():
		if s.Binding.IsZero() && noBucket {
			return kindExport
		}
	case noBucket && s.Binding.IsZero():
		return kindSubject
	case noBucket:
		return kindBinding
	case !s.Binding.IsZero() && s.Bucket.Category != "" && s.Bucket.Class != "":
		return kindBucket
	}
	return kindNone
}

// parent is the scope whose key wraps the key of s, and false for a subject.
func (s Scope) parent() (Scope, bool) {
	switch s.kind() {
	case kindBucket:
		return OfBinding(s.Tenant, s.Subject, s.Binding), true
	case kindBinding, kindExport:
		return OfSubject(s.Tenant, s.Subject), true
	}
	return Scope{}, false
}

// holds reports whether a value of that place may lie under a key of scope s.
func (s Scope) holds(p Place) bool {
	if p.Tenant != s.Tenant || p.Subject != s.Subject || p.Passport == "" || p.Category == "" || p.Row.IsZero() {
		return false
	}
	switch s.kind() {
	case kindSubject, kindExport:
		return true
	case kindBinding:
		return p.Binding == s.Binding
	case kindBucket:
		return p.Binding == s.Binding && p.Category == s.Bucket.Category
	}
	return false
}
