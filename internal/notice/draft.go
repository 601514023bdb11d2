package notice

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"candor/internal/problem"
	"candor/internal/promise"
)

// Kind is what a notice is about.
type Kind string

// The kinds.
const (
	Incident   Kind = "incident"   // a personal data breach, whatever its cause
	Closing    Kind = "closing"    // the service ends
	Controller Kind = "controller" // merger, acquisition, insolvency: somebody else decides from now on
)

// parts are what each kind has to say, in the order in which people read it.
var parts = map[Kind][]string{
	Incident:   {"facts", "effect", "measures", "advice", "remedies"},
	Closing:    {"what", "copies"},
	Controller: {"owner", "uses", "choices"},
}

// causes of incidents. None of them changes what has to be told.
var causes = []string{"attack", "mistake", "accident", "force-majeure"}

// Bounds.
const (
	AuthorityWithin = 72 * time.Hour
	closingDays     = 30 // between telling people and the end
	mostDays        = 90 // between the end and erasing
	maxFile         = 64 << 10
	maxPart         = 4000 // characters
)

// Draft is a notice as the operator writes it.
type Draft struct {
	Kind    Kind                         `yaml:"kind"`
	Cause   string                       `yaml:"cause"`  // of an incident
	Known   time.Time                    `yaml:"known"`  // when the operator came to know of an incident
	Ends    date                         `yaml:"ends"`   // the last day of service
	Erases  date                         `yaml:"erases"` // the day on which accounts are closed
	From    date                         `yaml:"from"`   // the day from which somebody else decides
	Affects Affects                      `yaml:"affects"`
	Texts   map[string]map[string]string `yaml:"texts"` // language, part
}

// Affects says whom an incident concerns.
type Affects struct {
	Everybody bool     `yaml:"everybody"`
	Accounts  []string `yaml:"accounts"` // e-mail addresses
	Cameras   []string `yaml:"cameras"`  // ids
	Accesses  *Window  `yaml:"accesses"`
}

// Window is everybody whose data somebody else opened in a stretch of time.
type Window struct {
	From time.Time `yaml:"from"`
	To   time.Time `yaml:"to"`
	By   string    `yaml:"by"` // member, link or system; empty: whoever is not the person
}

// Nobody reports whether nothing was named.
func (a Affects) Nobody() bool {
	return !a.Everybody && len(a.Accounts) == 0 && len(a.Cameras) == 0 && a.Accesses == nil
}

// date is a day, YYYY-MM-DD, in UTC.
type date struct{ time.Time }

// UnmarshalYAML reads a day.
func (d *date) UnmarshalYAML(n *yaml.Node) (err error) {
	if d.Time, err = time.Parse(time.DateOnly, n.Value); err != nil {
		return errors.New("line " + strconv.Itoa(n.Line) + ": " + strconv.Quote(n.Value) + " is no day; write it like 2030-05-31")
	}
	return nil
}

func malformed(why string) error { return problem.Invalid("notice.file").With("why", why) }

// Read reads a draft and refuses what could not be declared. Now and languages are what it is measured by. Problems:
// notice.file, notice.part, notice.early.
func Read(from io.Reader, now time.Time, languages []string) (Draft, error) {
	b, err := io.ReadAll(io.LimitReader(from, maxFile+1))
	if err != nil {
		return Draft{}, err
	}
	if len(b) > maxFile {
		return Draft{}, malformed("it is larger than 64 KiB")
	}
	var d Draft
	in := yaml.NewDecoder(bytes.NewReader(b))
	in.KnownFields(true)
	if err := in.Decode(&d); err != nil {
		return Draft{}, malformed(strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := in.Decode(new(any)); !errors.Is(err, io.EOF) {
		return Draft{}, malformed("it holds more than one document")
	}
	if err := d.check(now); err != nil {
		return Draft{}, err
	}
	return d, d.words(languages)
}

func (d *Draft) check(now time.Time) error {
	wanted, known := parts[d.Kind]
	if !known || wanted == nil {
		return malformed("kind has to be incident, closing or controller")
	}
	only := func(k Kind, set bool, name string) error {
		if set && d.Kind != k {
			return malformed(name + " belongs to a notice of kind " + string(k))
		}
		return nil
	}
	if err := errors.Join(
		only(Incident, d.Cause != "", "cause"), only(Incident, !d.Known.IsZero(), "known"), only(Incident, !d.Affects.Nobody(), "affects"),
		only(Closing, !d.Ends.IsZero(), "ends"), only(Closing, !d.Erases.IsZero(), "erases"), only(Controller, !d.From.IsZero(), "from"),
	); err != nil {
		return err
	}
	switch d.Kind {
	case Incident:
		return d.incident(now)
	case Closing:
		return d.closing(now)
	}
	if d.From.IsZero() {
		return malformed("from is missing: the day on which somebody else takes over")
	}
	return nil
}

// promise:P312
func (d *Draft) incident(now time.Time) error {
	allowed := causes
	if promise.Cut("P312") {
		allowed = causes[:1]
	}
	switch {
	case !slices.Contains(allowed, d.Cause):
		return malformed("cause has to be one of " + strings.Join(causes, ", "))
	case d.Known.IsZero():
		return malformed("known is missing: the moment at which you came to know of it")
	case d.Known.After(now):
		return malformed("known lies in the future")
	case d.Affects.Nobody():
		return malformed("affects names nobody: say everybody, accounts, cameras or accesses")
	case d.Affects.Accesses != nil && !d.Affects.Accesses.From.Before(d.Affects.Accesses.To):
		return malformed("accesses has to begin before it ends")
	case d.Affects.Accesses != nil && !slices.Contains([]string{"", "member", "link", "system"}, d.Affects.Accesses.By):
		return malformed("by has to be member, link or system, or be left out")
	}
	return nil
}

// promise:P332
func (d *Draft) closing(now time.Time) error {
	if d.Ends.IsZero() {
		return malformed("ends is missing: the last day of service")
	}
	if d.Erases.IsZero() {
		d.Erases = date{d.Ends.AddDate(0, 0, 14)}
	}
	if first := now.AddDate(0, 0, closingDays); !d.Ends.After(first) && !promise.Cut("P332") {
		return problem.Invalid("notice.early").With("day", first.AddDate(0, 0, 1).Format(time.DateOnly))
	}
	if d.Erases.Before(d.Ends.Time) || d.Erases.After(d.Ends.AddDate(0, 0, mostDays)) {
		return malformed("erases has to be between ends and 90 days after it")
	}
	return nil
}

// words sees to it that everything is said, in every language.
//
// promise:P307,P336
func (d *Draft) words(languages []string) error {
	for lang := range d.Texts {
		if !slices.Contains(languages, lang) {
			return malformed("texts has " + strconv.Quote(lang) + ", which is no language of the app (" + strings.Join(languages, ", ") + ")")
		}
	}
	for _, lang := range languages {
		said := d.Texts[lang]
		for name := range said {
			if !slices.Contains(parts[d.Kind], name) {
				return malformed("texts." + lang + " has a part " + strconv.Quote(name) + ", which a notice of this kind does not have")
			}
		}
		for _, name := range parts[d.Kind] {
			text := strings.TrimSpace(said[name])
			if text == "" && !(promise.Cut("P307") && d.Kind == Incident) && !(promise.Cut("P336") && d.Kind == Controller) {
				return problem.Invalid("notice.part").With("part", name).With("language", lang)
			}
			if len([]rune(text)) > maxPart {
				return malformed("texts." + lang + "." + name + " is longer than 4 000 characters")
			}
		}
	}
	return nil
}
