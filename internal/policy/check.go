package policy

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"time"

	"candor/internal/passport"
	"candor/internal/promise"
)

var (
	promiseID = regexp.MustCompile(`^P[0-9]{3,}$`)
	kinds     = []string{"feature", "promise", "permission", "third-party", "data-collected"}
	defaults  = []string{"n/a", "on", "never", "off-until-consent", "off-until-enabled", "off-until-os-prompt", "on-demand", "on-opt-out", "install-time"}
	risks     = []string{"low", "medium", "high"}
	bases     = []passport.Basis{passport.Consent, passport.Contract, passport.Obligation}
)

// check reports everything that does not make sense, all at once.
func (p *Policy) check() error {
	var errs []error
	wrong := func(format string, a ...any) { errs = append(errs, fmt.Errorf(format, a...)) }
	if p.Version < 1 || len(p.Languages) == 0 {
		wrong("policy.yaml: needs a version and a language")
	}
	for name, date := range map[string]string{"published": p.Published, "effective": p.Effective, "assessed": p.Assessed} {
		if _, err := time.Parse(time.DateOnly, date); err != nil {
			wrong("policy.yaml: %s: %v", name, err)
		}
	}
	if p.Effective < p.Published {
		wrong("policy.yaml: takes effect (%s) before it is published (%s)", p.Effective, p.Published)
	}
	if !slices.Contains(risks, p.Risk) {
		wrong("policy.yaml: risk %q is none of %s", p.Risk, strings.Join(risks, ", "))
	}
	p.checkRegisters(wrong)
	p.checkRecipients(wrong)
	p.checkPromises(wrong)
	for _, lang := range p.Languages {
		p.checkLanguage(lang, wrong)
	}
	return errors.Join(errs...)
}

func (p *Policy) checkRegisters(wrong func(string, ...any)) {
	seen := map[string]bool{}
	once := func(what, id string) {
		if id == "" || seen[what+" "+id] {
			wrong("%s %q: missing or given twice", what, id)
		}
		seen[what+" "+id] = true
	}
	for _, c := range p.Categories {
		once("category", string(c.ID))
		if c.DPV == "" || c.Fideslang == "" || (c.Origin != "provided" && c.Origin != "observed") || c.Sensitivity < 0 || c.Sensitivity > 2 {
			wrong("category %s: needs dpv, fideslang, origin (provided, observed) and sensitivity 0 to 2", c.ID)
		}
		if slices.Contains(p.Absent, string(c.ID)) {
			wrong("category %s: is listed as absent", c.ID)
		}
		if _, ok := p.Lifetime(c.ID); !ok {
			wrong("category %s: has no retention", c.ID)
		}
	}
	for _, u := range p.Purposes {
		once("purpose", string(u.ID))
		if u.DPV == "" || u.Fideslang == "" || !slices.Contains(bases, u.Basis) || len(u.Categories) == 0 {
			wrong("purpose %s: needs dpv, fideslang, a known basis and categories", u.ID)
		}
		for _, c := range u.Categories {
			if _, ok := p.Category(c); !ok {
				wrong("purpose %s: unknown category %q", u.ID, c)
			}
		}
		//promise:P236
		if p.prohibits(u) && !promise.Cut("P236") {
			wrong("purpose %s: is prohibited", u.ID)
		}
	}
	for _, l := range p.Retention {
		once("retention of", string(l.Category))
		if _, ok := p.Category(l.Category); !ok {
			wrong("retention of %q: unknown category", l.Category)
		}
		if l.Days < 0 || l.Days == 0 && l.Until == "" || l.Default < 0 || l.Default > l.Days {
			wrong("retention of %s: needs days, an event or both, and a default within the days", l.Category)
		}
	}
	for _, r := range p.Rights {
		once("right", r.ID)
		if r.Law == "" || r.By != "self" && r.By != "request" {
			wrong("right %s: needs the law that gives it and by (self, request)", r.ID)
		}
	}
	for _, id := range rights {
		if !seen["right "+id] {
			wrong("rights.yaml: %s is missing: people have it by law", id)
		}
	}
	p.checkSensitivity(wrong)
	if p.BackupDays < 1 || p.ReceiptDays < 1 || p.RequestDays < 1 || p.RequestDays > 15 {
		wrong("retention.yaml: backup_days, receipt_days, and request_days of at most 15, are needed")
	}
	//promise:P313
	if len(p.Regions) != 1 && !promise.Cut("P313") {
		wrong("regions.yaml: this build knows one region")
	}
}

// prohibits reports whether a purpose, or the broader one it belongs to, is prohibited.
func (p *Policy) prohibits(u Purpose) bool {
	return slices.ContainsFunc(p.Prohibited, func(no Prohibited) bool {
		return string(u.ID) == no.ID || u.DPV == no.DPV || u.Fideslang == no.Fideslang || strings.HasPrefix(u.Fideslang, no.Fideslang+".")
	})
}

// checkSensitivity refuses a purpose for which what would hurt stays longer than what would not.
//
// promise:P284
func (p *Policy) checkSensitivity(wrong func(string, ...any)) {
	if promise.Cut("P284") {
		return
	}
	stay := func(c passport.Category) int {
		l, ok := p.Lifetime(c)
		if !ok || l.Days == 0 {
			return math.MaxInt // until its event, which may be far
		}
		return l.Days
	}
	for _, u := range p.Purposes {
		for _, a := range u.Categories {
			for _, b := range u.Categories {
				ca, _ := p.Category(a)
				cb, _ := p.Category(b)
				if ca.Sensitivity > cb.Sensitivity && stay(a) > stay(b) {
					wrong("purpose %s: %s is more sensitive than %s and stays longer", u.ID, a, b)
				}
			}
		}
	}
}

// rights are those that no policy can leave out.
var rights = []string{"access", "portability", "rectification", "erasure", "withdrawal", "restriction", "objection", "complaint"}

// groups are the kinds of service provider there may be.
var groups = []string{"hosting", "payment", "infrastructure", "it", "support", "e-mail", "messages"}

func (p *Policy) checkRecipients(wrong func(string, ...any)) {
	for _, r := range p.Recipients {
		//promise:P231
		if !slices.Contains(groups, r.Role) && !promise.Cut("P231") {
			wrong("recipient %s: %q is none of the kinds of provider there may be (%s)", r.ID, r.Role, strings.Join(groups, ", "))
		}
		if r.ID == "" || r.Region == "" || len(r.Fields) == 0 || len(r.Categories) == 0 || (r.When != "always" && r.When != "configured") {
			wrong("recipient %q: needs id, region, fields, categories and when (always, configured)", r.ID)
		}
		use, ok := p.Purpose(r.Purpose)
		if !ok {
			wrong("recipient %s: unknown purpose %q", r.ID, r.Purpose)
		}
		personal := r.People
		for _, c := range r.Categories {
			if !slices.Contains(use.Categories, c) {
				wrong("recipient %s: %s is not processed for %s", r.ID, c, r.Purpose)
			}
			personal = personal || c != passport.Technical
		}
		//promise:P230
		if personal && !promise.Cut("P230") && (r.Contract == "" || r.Assessed == "") {
			wrong("recipient %s: receives data about people and needs a contract and a dated assessment", r.ID)
		}
	}
}

func (p *Policy) checkPromises(wrong func(string, ...any)) {
	seen := map[string]bool{}
	for _, one := range p.Promises {
		switch {
		case !promiseID.MatchString(one.ID) || seen[one.ID]:
			wrong("promise %q in %s: missing, malformed or given twice", one.ID, one.Area)
		case one.Statement == "" || one.Reading == "" || one.Check == "" || len(one.Seeds) == 0:
			wrong("promise %s: needs statement, reading, check and seeds", one.ID)
		case !slices.Contains(kinds, one.Kind) || !slices.Contains(defaults, one.Default):
			wrong("promise %s: unknown kind %q or default %q", one.ID, one.Kind, one.Default)
		case one.By != "keeping" && one.By != "absence":
			wrong("promise %s: holds by keeping or by absence, not by %q", one.ID, one.By)
		}
		seen[one.ID] = true
	}
}

func (p *Policy) checkLanguage(lang string, wrong func(string, ...any)) {
	n := p.names[lang]
	need := func(what, id string, ok bool) {
		if !ok {
			wrong("texts/%s/names.yaml: no words for %s %q", lang, what, id)
		}
	}
	full := func(v Named) bool { return v.Name != "" && v.Text != "" }
	for _, u := range p.Purposes {
		need("purpose", string(u.ID), full(n.Purposes[string(u.ID)]))
		need("basis", string(u.Basis), n.Bases[string(u.Basis)] != "")
		c, asked := p.consents[lang][u.ID]
		if asked != u.Optional() {
			wrong("texts/%s: purpose %s: a consent text is needed exactly when the basis is consent", lang, u.ID)
		}
		if asked && (c.Question == "" || c.Text == "" || c.Allow == "" || c.Refuse == "" || c.IfNo == "" || c.Withdraw == "") {
			wrong("texts/%s/consent/%s.yaml: has an empty part", lang, u.ID)
		}
	}
	for purpose := range p.consents[lang] {
		if _, ok := p.Purpose(purpose); !ok {
			wrong("texts/%s/consent: unknown purpose %q", lang, purpose)
		}
	}
	for _, no := range p.Prohibited {
		need("prohibited purpose", no.ID, n.Prohibited[no.ID] != "")
	}
	for _, c := range p.Categories {
		need("category", string(c.ID), full(n.Categories[string(c.ID)]))
	}
	for _, a := range p.Absent {
		need("absent kind", a, n.Absent[a] != "")
	}
	for _, r := range p.Recipients {
		need("recipient", r.ID, full(n.Recipients[r.ID]))
	}
	for _, r := range p.Rights {
		need("right", r.ID, full(n.Rights[r.ID]))
	}
	for _, l := range p.Retention {
		need("event", l.Until, l.Until == "" || n.Until[l.Until] != "")
	}
	if _, err := p.render(lang, sampleFacts); err != nil {
		wrong("texts/%s/policy.md: %v", lang, err)
	}
}
