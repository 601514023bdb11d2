package device

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/problem"
	"candor/internal/seal"
)

// Mode says whether the owner wants footage now. Whether it may be kept at all is a consent.
type Mode string

// The modes.
const (
	On     Mode = "on"
	Paused Mode = "paused"
)

// Retention bounds how much footage stays: so many days, and so many bytes (0: no such bound).
type Retention struct {
	Days  int   `json:"days"`
	Bytes int64 `json:"bytes"`
}

// Ref is what is known of a camera without opening anything.
type Ref struct {
	Tenant    id.Tenant
	Account   id.Account
	Binding   id.Binding
	Device    id.Device
	Site      id.Site
	Demo      bool
	Recording Mode
	Retention Retention
	CreatedAt clock.Millis
}

// Subject is the person whose camera it is.
func (r Ref) Subject() id.Subject { return id.SubjectOf(r.Account) }

// Camera is a camera as its owner sees it. The addresses hold no password.
type Camera struct {
	Ref
	Name string
	Main string
	Sub  string // "": it has no second stream
}

// Spec is what connecting to a camera takes.
type Spec struct {
	Tenant      id.Tenant
	Binding     id.Binding
	Device      id.Device
	Main, Sub   string // Sub "": none
	Credentials Credentials
}

// New is a camera to be added.
type New struct {
	Name      string
	Site      id.Site // zero: the owner's first
	Main, Sub string
	Credentials
	Demo      bool
	Retention Retention // zero: the default
}

// Change holds what changes; nil stays. Credentials change as a whole. An address on a host that
// the camera did not have before drops the old ones.
type Change struct {
	Name        *string
	Site        *id.Site
	Main, Sub   *string
	Credentials *Credentials
	Recording   *Mode
	Retention   *Retention
}

// address is what is sealed as one value.
type address struct {
	Main string `json:"main"`
	Sub  string `json:"sub,omitempty"`
}

func (a address) hosts() map[string]bool {
	all := map[string]bool{hostOf(a.Main): true}
	if a.Sub != "" {
		all[hostOf(a.Sub)] = true
	}
	return all
}

// within reports whether a names no host that b does not.
func (a address) within(b address) bool {
	known := b.hosts()
	for h := range a.hosts() {
		if !known[h] {
			return false
		}
	}
	return true
}

// The limits of an account and a camera.
const (
	MaxCameras = 200
	MaxSites   = 50
	maxName    = 100 // characters
	minBytes   = 64 << 20
)

func checkName(name, code string) (string, error) {
	name = strings.TrimSpace(norm.NFC.String(name))
	if name == "" || utf8.RuneCountInString(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", problem.Invalid(code).With("longest", strconv.Itoa(maxName))
	}
	return name, nil
}

func (r *Room) checkRetention(v Retention) error {
	if v.Days < 1 || v.Days > r.MaxDays || v.Bytes < 0 || v.Bytes > 0 && v.Bytes < minBytes {
		return problem.Invalid("camera.retention").With("days", strconv.Itoa(r.MaxDays))
	}
	return nil
}

// The passports of what this room seals. Their ids are part of the seals.
const (
	namePassport        passport.ID = "device.camera_name"
	addressPassport     passport.ID = "device.camera_address"
	credentialsPassport passport.ID = "device.camera_credentials"
	siteNamePassport    passport.ID = "device.site_name"
	siteZonePassport    passport.ID = "device.site_time_zone"
)

func place(t id.Tenant, a id.Account, b id.Binding, p passport.ID) seal.Place {
	c := passport.DeviceData
	if p == credentialsPassport {
		c = passport.Credential
	}
	return seal.Place{Tenant: t, Subject: id.SubjectOf(a), Binding: b, Passport: p, Category: c, Row: id.RowOf(b)}
}

func sitePlace(t id.Tenant, a id.Account, s id.Site, p passport.ID) seal.Place {
	return seal.Place{Tenant: t, Subject: id.SubjectOf(a), Passport: p, Category: passport.DeviceData, Row: id.RowOf(s)}
}
