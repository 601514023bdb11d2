package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"candor/internal/passport"
	"candor/internal/promise"
)

// NoticeDays is how long after its publication a version with a material change takes effect at
// the earliest.
const NoticeDays = 14

// Class is one of the six kinds of change that are material.
type Class string

const (
	Processing Class = "processing" // what is done, why, with which kinds of data, for how long
	Controller Class = "controller" // who decides
	Receivers  Class = "recipients" // who receives what, and where
	RightsOf   Class = "rights"     // what people can ask for, and how
	ContactOf  Class = "contact"    // whom to write to
	HighRisk   Class = "risk"       // an assessment that finds a high risk
)

// Change is one difference between two versions.
type Change struct {
	Name     string             `json:"name"`               // permanent: "purpose.recording.categories"
	Class    Class              `json:"class,omitempty"`    // "" for a change that is not material
	Was      string             `json:"was,omitempty"`      // "" for what was not there
	Is       string             `json:"is,omitempty"`       // "" for what is no more
	Cut      bool               `json:"cut,omitempty"`      // takes something from people: it must be named in cuts
	Never    bool               `json:"never,omitempty"`    // a cut that no version may make, since nobody's former rule could be kept
	Suspends []passport.Purpose `json:"suspends,omitempty"` // purposes that become new or wider: off, as far as they do, until agreed to
}

// Material reports whether people have to be told and asked.
//
// promise:P328
func (c Change) Material() bool { return c.Class != "" && !promise.Cut("P328") }

// String is one line for a person at the shell.
func (c Change) String() string {
	was, is := c.Was, c.Is
	switch {
	case was == "":
		was = "(nothing)"
	case is == "":
		is = "(nothing)"
	}
	return fmt.Sprintf("%s: %s → %s", c.Name, was, is)
}

// Diff lists what changed, by comparing registers; nobody can call a material change minor.
func Diff(was, is *Policy) []Change {
	d := &differ{was: was, is: is}
	d.installation()
	d.purposes()
	d.categories()
	d.spans()
	d.recipients()
	d.rights()
	d.wording()
	return d.changes
}

// Material are those of the changes that people have to be told of.
func Material(all []Change) []Change {
	return slices.DeleteFunc(slices.Clone(all), func(c Change) bool { return !c.Material() })
}

// Follows reports why a version may not follow another: its number, its dates, or a cut that it
// does not admit to.
func Follows(was, is *Policy) error {
	var errs []string
	if is.Version != was.Version+1 {
		errs = append(errs, fmt.Sprintf("the version after %d is %d, not %d", was.Version, was.Version+1, is.Version))
	}
	if is.Published < was.Published || is.Effective < was.Effective {
		errs = append(errs, "it is published, or takes effect, before the version that it follows")
	}
	changes := Diff(was, is)
	if len(Material(changes)) > 0 {
		published, _ := time.Parse(time.DateOnly, is.Published)
		if earliest := published.AddDate(0, 0, NoticeDays).Format(time.DateOnly); is.Effective < earliest {
			errs = append(errs, fmt.Sprintf("it has material changes, was published on %s and can take effect on %s at the earliest, not on %s", is.Published, earliest, is.Effective))
		}
	}
	admitted := slices.Clone(is.Cuts)
	for _, c := range changes {
		at := slices.Index(admitted, c.Name)
		switch {
		case c.Never:
			errs = append(errs, "no version may do this: "+c.String())
		case c.Cut && at < 0:
			errs = append(errs, fmt.Sprintf("this takes something from people, and cuts does not name it: %s", c))
		}
		if at >= 0 {
			admitted = slices.Delete(admitted, at, at+1)
		}
	}
	if len(admitted) > 0 {
		errs = append(errs, "cuts names what is no change: "+strings.Join(admitted, ", "))
	}
	if len(errs) == 0 {
		return nil
	}
	return fmt.Errorf("policy: version %d cannot follow version %d: %s", is.Version, was.Version, strings.Join(errs, "; "))
}

// differ compares register by register.
type differ struct {
	was, is *Policy
	changes []Change
}

func (d *differ) add(c Change) {
	if c.Was != c.Is {
		d.changes = append(d.changes, c)
	}
}

func (d *differ) installation() {
	d.add(Change{Name: "controller", Class: Controller, Was: operator(d.was.Controller), Is: operator(d.is.Controller)})
	d.add(Change{Name: "contact", Class: ContactOf, Was: operator(d.was.Contact), Is: operator(d.is.Contact)})
	risk := Change{Name: "risk", Was: d.was.Risk, Is: d.is.Risk}
	if d.is.Risk == "high" {
		risk.Class = HighRisk
	}
	d.add(risk)
	d.add(Change{Name: "assessed", Was: d.was.Assessed, Is: d.is.Assessed})
}

func operator(name string) string {
	if name == "" {
		return "the operator that the settings name"
	}
	return name
}

func (d *differ) purposes() {
	both(d.was.Purposes, d.is.Purposes, func(p Purpose) string { return string(p.ID) }, func(id string, was, is *Purpose) {
		purpose := []passport.Purpose{passport.Purpose(id)}
		switch {
		case was == nil:
			d.add(Change{Name: "purpose." + id, Class: Processing, Is: string(is.Basis) + " " + list(is.Categories), Suspends: purpose})
		case is == nil:
			d.add(Change{Name: "purpose." + id, Class: Processing, Was: string(was.Basis) + " " + list(was.Categories)})
		default:
			basis := Change{Name: "purpose." + id + ".basis", Class: Processing, Was: string(was.Basis), Is: string(is.Basis)}
			if was.Optional() { // it could be refused and taken back
				basis.Class, basis.Cut, basis.Suspends = RightsOf, true, purpose
			}
			d.add(basis)
			wider := Change{Name: "purpose." + id + ".categories", Class: Processing, Was: list(was.Categories), Is: list(is.Categories)}
			if len(beyond(is.Categories, was.Categories)) > 0 {
				wider.Suspends = purpose
			}
			d.add(wider)
		}
	})
	both(d.was.Prohibited, d.is.Prohibited, func(p Prohibited) string { return p.ID }, func(id string, was, is *Prohibited) {
		switch {
		case was == nil:
			d.add(Change{Name: "prohibited." + id, Is: "prohibited"})
		case is == nil:
			d.add(Change{Name: "prohibited." + id, Class: RightsOf, Was: "prohibited", Is: "not ruled out", Cut: true})
		default:
			d.add(Change{Name: "prohibited." + id, Class: RightsOf, Was: was.DPV + " " + was.Fideslang, Is: is.DPV + " " + is.Fideslang, Cut: true})
		}
	})
}

func (d *differ) categories() {
	both(d.was.Categories, d.is.Categories, func(c Category) string { return string(c.ID) }, func(id string, was, is *Category) {
		switch {
		case was == nil:
			d.add(Change{Name: "category." + id, Class: Processing, Is: is.Origin, Suspends: d.touching(passport.Category(id))})
		case is == nil:
			d.add(Change{Name: "category." + id, Class: Processing, Was: was.Origin})
		default:
			d.add(Change{Name: "category." + id + ".sealed", Class: RightsOf, Was: strconv.FormatBool(was.Sealed), Is: strconv.FormatBool(is.Sealed), Cut: was.Sealed, Never: was.Sealed && !is.Sealed})
			d.add(Change{Name: "category." + id + ".kind", Class: Processing, Was: kind(was), Is: kind(is)})
		}
	})
	both(d.was.Absent, d.is.Absent, func(s string) string { return s }, func(id string, was, is *string) {
		if is == nil {
			d.add(Change{Name: "absent." + id, Class: RightsOf, Was: "has no place here", Is: "not ruled out", Cut: true})
		} else if was == nil {
			d.add(Change{Name: "absent." + id, Is: "has no place here"})
		}
	})
}

func kind(c *Category) string {
	return fmt.Sprintf("%s %s %s, sensitivity %d", c.DPV, c.Fideslang, c.Origin, c.Sensitivity)
}

// touching are the purposes that may touch a category now.
func (d *differ) touching(c passport.Category) []passport.Purpose {
	var all []passport.Purpose
	for _, u := range d.is.Purposes {
		if slices.Contains(u.Categories, c) {
			all = append(all, u.ID)
		}
	}
	return all
}

func (d *differ) spans() {
	both(d.was.Retention, d.is.Retention, func(l Lifetime) string { return string(l.Category) }, func(id string, was, is *Lifetime) {
		if was == nil || is == nil {
			return // with its category
		}
		c := Change{Name: "retention." + id, Class: Processing, Was: stay(was), Is: stay(is)}
		if longer(was, is) {
			c.Suspends = d.touching(passport.Category(id))
		}
		d.add(c)
		d.add(Change{Name: "retention." + id + ".default", Class: Processing, Was: fmt.Sprint(was.Default), Is: fmt.Sprint(is.Default)})
	})
	span := func(name string, was, is int, cut bool) {
		d.add(Change{Name: name, Class: RightsOf, Was: days(was), Is: days(is), Cut: cut})
	}
	span("backup_days", d.was.BackupDays, d.is.BackupDays, d.is.BackupDays > d.was.BackupDays)
	span("receipt_days", d.was.ReceiptDays, d.is.ReceiptDays, d.is.ReceiptDays < d.was.ReceiptDays)
	span("request_days", d.was.RequestDays, d.is.RequestDays, d.is.RequestDays > d.was.RequestDays)
}

// longer reports whether something may stay longer than it could.
func longer(was, is *Lifetime) bool {
	return was.Days > 0 && (is.Days == 0 || is.Days > was.Days) || was.Until != is.Until && (is.Days == 0 || was.Days == 0)
}

func stay(l *Lifetime) string {
	switch {
	case l.Days == 0:
		return "until " + l.Until
	case l.Until == "":
		return days(l.Days)
	}
	return days(l.Days) + " or until " + l.Until
}

func days(n int) string { return fmt.Sprintf("%d days", n) }

func (d *differ) recipients() {
	both(d.was.Recipients, d.is.Recipients, func(r Recipient) string { return r.ID }, func(id string, was, is *Recipient) {
		name := "recipient." + id
		switch {
		case was == nil:
			d.add(Change{Name: name, Class: Receivers, Is: receives(is), Suspends: []passport.Purpose{is.Purpose}})
		case is == nil:
			d.add(Change{Name: name, Class: Receivers, Was: receives(was)})
		default:
			c := Change{Name: name, Class: Receivers, Was: receives(was), Is: receives(is)}
			if was.Purpose != is.Purpose || was.Region != is.Region || !was.People && is.People || is.When == "always" && was.When != "always" ||
				len(beyond(is.Fields, was.Fields)) > 0 || len(beyond(is.Categories, was.Categories)) > 0 {
				c.Suspends = []passport.Purpose{is.Purpose}
			}
			d.add(c)
			d.add(Change{Name: name + ".contract", Was: was.Contract + ", assessed " + was.Assessed, Is: is.Contract + ", assessed " + is.Assessed})
		}
	})
	both(d.was.Regions, d.is.Regions, func(r Region) string { return r.ID }, func(id string, was, is *Region) {
		c := Change{Name: "region." + id, Class: Receivers}
		if was != nil {
			c.Was = was.Place
		}
		if is != nil {
			c.Is = is.Place
		}
		d.add(c)
	})
}

func receives(r *Recipient) string {
	about := "about nobody"
	if r.People {
		about = "about people"
	}
	return fmt.Sprintf("%s for %s: %s (%s, %s, %s, %s)", r.Role, r.Purpose, strings.Join(r.Fields, ", "), list(r.Categories), about, r.When, r.Region)
}

func (d *differ) rights() {
	both(d.was.Rights, d.is.Rights, func(r Right) string { return r.ID }, func(id string, was, is *Right) {
		switch {
		case was == nil:
			d.add(Change{Name: "right." + id, Class: RightsOf, Is: is.By})
		case is == nil:
			d.add(Change{Name: "right." + id, Class: RightsOf, Was: was.By, Cut: true})
		default:
			d.add(Change{Name: "right." + id, Class: RightsOf, Was: was.By, Is: is.By, Cut: was.Self()})
			d.add(Change{Name: "right." + id + ".law", Was: was.Law, Is: is.Law})
		}
	})
	both(d.was.Languages, d.is.Languages, func(s string) string { return s }, func(id string, was, is *string) {
		if is == nil {
			d.add(Change{Name: "language." + id, Class: RightsOf, Was: "can be read", Is: "cannot be read", Cut: true, Never: true})
		} else if was == nil {
			d.add(Change{Name: "language." + id, Is: "can be read"})
		}
	})
	both(d.was.Promises, d.is.Promises, func(p Promise) string { return p.ID }, func(id string, was, is *Promise) {
		switch {
		case was == nil:
			d.add(Change{Name: "promise." + id, Is: is.Statement})
		case is == nil:
			d.add(Change{Name: "promise." + id, Class: RightsOf, Was: was.Statement, Cut: true, Never: true})
		default:
			d.add(Change{Name: "promise." + id, Class: RightsOf, Was: was.Statement, Is: is.Statement, Cut: true, Never: true})
			d.add(Change{Name: "promise." + id + ".reading", Was: was.Reading, Is: is.Reading})
		}
	})
}

// wording lists texts that read differently. What they say is in the registers.
func (d *differ) wording() {
	for _, lang := range d.is.Languages {
		if !slices.Contains(d.was.Languages, lang) {
			continue
		}
		d.reads("text."+lang+".policy", d.was.texts[lang], d.is.texts[lang])
		for _, u := range d.is.Purposes {
			was, asked := d.was.consents[lang][u.ID]
			is, asks := d.is.consents[lang][u.ID]
			if asked && asks {
				d.reads("text."+lang+".consent."+string(u.ID), was.Hash, is.Hash)
			}
		}
	}
}

func (d *differ) reads(name, was, is string) {
	if was != is {
		d.add(Change{Name: name, Was: digest([]byte(was))[:8], Is: digest([]byte(is))[:8]})
	}
}

// both walks two registers together: first what both have or is new, in the new order, then what is gone.
func both[T any](was, is []T, id func(T) string, visit func(string, *T, *T)) {
	find := func(all []T, name string) *T {
		for i := range all {
			if id(all[i]) == name {
				return &all[i]
			}
		}
		return nil
	}
	for i := range is {
		visit(id(is[i]), find(was, id(is[i])), &is[i])
	}
	for i := range was {
		if name := id(was[i]); find(is, name) == nil {
			visit(name, &was[i], nil)
		}
	}
}

// beyond is what a list has that the other has not.
func beyond[T comparable](list, other []T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(x T) bool { return slices.Contains(other, x) })
}

func list[T ~string](all []T) string {
	words := make([]string, len(all))
	for i, one := range all {
		words[i] = string(one)
	}
	slices.Sort(words)
	return strings.Join(words, ", ")
}
