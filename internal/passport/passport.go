// Package passport is the vocabulary in which every kept thing says what it is: its data
// category, the purposes it serves, how long it stays and what erasing it means.
//
// A SQL column, blob prefix, bus subject, log field or metric label without a passport fails
// the tests. Each room lists its own in its passport.go; the inventory, the export, erasure and
// the data map are read from these lists, so they cannot drift from what is stored.
//
// The package imports nothing of ours. Names follow W3C DPV and Fideslang where these have one.
package passport

import (
	"fmt"
	"time"
)

// ID is a passport's permanent name ("account.email"). It is part of what seals a value, so it
// outlives the table and the column: never rename one.
type ID string

// Category is a data category (policy/categories.yaml).
type Category string

// The categories of this build.
const (
	Identity   Category = "identity"   // name, e-mail: who somebody is
	Contact    Category = "contact"    // what a person calls those they let in, and the addresses they invite
	Credential Category = "credential" // password verifiers, session tokens, camera passwords
	Setting    Category = "setting"    // choices without a story: language, time zone, theme
	DeviceData Category = "device"     // camera name, address, serial number
	Footage    Category = "footage"    // recorded pictures and sound, and the index that tells when
	Picture    Category = "picture"    // stills
	Event      Category = "event"      // that something moved in front of a camera, when, where in the picture, and its picture
	LiveMedia  Category = "live"       // pictures and sound that pass through and are not kept
	AccessLog  Category = "access"     // who opened what, when
	ConsentLog Category = "consent"    // what was agreed to, and when
	Technical  Category = "technical"  // random ids, states, sizes, coarse times: about nobody in particular
)

// Purpose is why data is processed (policy/purposes.yaml).
type Purpose string

// The purposes of this build.
const (
	Account   Purpose = "account"         // contract: have an account and sign in
	Security  Purpose = "security"        // contract: keep the account and the service safe
	Live      Purpose = "live"            // contract: see a camera now
	Recording Purpose = "recording"       // consent: keep footage and look at it later
	Sharing   Purpose = "sharing"         // contract: let people whom the owner chose use a camera
	Motion    Purpose = "motion"          // consent: look for movement in the pictures and keep the events
	Alerts    Purpose = "alerts"          // contract: tell a person who asked for it that something happened
	Pictures  Purpose = "message_picture" // consent: let messages fetch a picture of the event
	Push      Purpose = "push"            // consent: send messages through the push service of a person's browser
	Reports   Purpose = "diagnostics"     // consent: keep reports of a camera's connection for a while
	Rights    Purpose = "rights"          // legal obligation: inventory, export, erasure, receipts
	Retention Purpose = "retention"       // legal obligation: let go of what is due
)

// Basis is the legal basis of a purpose, as DPV names it (eu-gdpr:A6-1-a …).
type Basis string

// The legal bases in use.
const (
	Consent    Basis = "eu-gdpr:A6-1-a"
	Contract   Basis = "eu-gdpr:A6-1-b"
	Obligation Basis = "eu-gdpr:A6-1-c"
)

// Erasure is what a goodbye does to the thing.
type Erasure string

// The erasure actions.
const (
	Shred  Erasure = "shred"  // sealed: its key is destroyed first, the bytes are swept after
	Delete Erasure = "delete" // the row or object goes
	Keep   Erasure = "keep"   // stays, because it is about nobody once the keys are gone
)

// Passport says what one kept thing is.
type Passport struct {
	ID        ID
	Where     string // "account_account.email" (table.column), "blob:footage/", "bus:…", "log:…", "metric:…"
	Category  Category
	Purposes  []Purpose
	Sealed    bool          // the stored form is a seal.Value
	Retention time.Duration // longest stay; 0 means as long as the owner keeps the thing it belongs to (Until says what)
	Until     string        // the event that ends it when Retention is 0: "account closed", "camera deleted"
	Erasure   Erasure
	Owner     string // the path to the subject: "account_account.id", or "none" for Technical things about nobody
}

// Check reports what a passport lacks. A thing that is about somebody must say for how long,
// and what is kept about somebody in clear must not be erased by key.
func (p Passport) Check() error {
	switch {
	case p.ID == "" || p.Where == "":
		return fmt.Errorf("passport %q for %q: needs an id and a place", p.ID, p.Where)
	case p.Category == "":
		return fmt.Errorf("passport %s: no category", p.ID)
	case len(p.Purposes) == 0:
		return fmt.Errorf("passport %s: no purpose", p.ID)
	case p.Retention == 0 && p.Until == "":
		return fmt.Errorf("passport %s: neither a retention nor an event that ends it", p.ID)
	case p.Erasure == "" || p.Owner == "":
		return fmt.Errorf("passport %s: needs an erasure action and an owner path", p.ID)
	case p.Erasure == Shred && !p.Sealed:
		return fmt.Errorf("passport %s: only what is sealed can be erased by its key", p.ID)
	case p.Owner == "none" && p.Category != Technical:
		return fmt.Errorf("passport %s: %s data needs a path to the person it is about", p.ID, p.Category)
	}
	return nil
}
