package policy

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"candor/internal/passport"
)

// Purpose finds a purpose.
func (p *Policy) Purpose(id passport.Purpose) (Purpose, bool) {
	for _, u := range p.Purposes {
		if u.ID == id {
			return u, true
		}
	}
	return Purpose{}, false
}

// Category finds a category.
func (p *Policy) Category(id passport.Category) (Category, bool) {
	for _, c := range p.Categories {
		if c.ID == id {
			return c, true
		}
	}
	return Category{}, false
}

// Lifetime finds the longest stay of a category.
func (p *Policy) Lifetime(id passport.Category) (Lifetime, bool) {
	for _, l := range p.Retention {
		if l.Category == id {
			return l, true
		}
	}
	return Lifetime{}, false
}

// Recipient finds a recipient. Whoever is not found receives nothing.
func (p *Policy) Recipient(id string) (Recipient, bool) {
	for _, r := range p.Recipients {
		if r.ID == id {
			return r, true
		}
	}
	return Recipient{}, false
}

// Receives lists what a recipient may be sent; false for who is not in the register.
func (p *Policy) Receives(id string) (fields []string, ok bool) {
	r, ok := p.Recipient(id)
	return r.Fields, ok
}

// Names gives the words of the ids in the language nearest to lang.
func (p *Policy) Names(lang string) Names { return p.names[p.Nearest(lang)] }

// Nearest is the language of the policy that fits a language tag best: the same one, else one
// with the same first part ("zh-CN" → "zh-Hans"), else the first.
func (p *Policy) Nearest(lang string) string {
	first := func(s string) string {
		s, _, _ = strings.Cut(strings.ToLower(s), "-")
		return s
	}
	if i := slices.IndexFunc(p.Languages, func(l string) bool { return strings.EqualFold(l, lang) }); i >= 0 {
		return p.Languages[i]
	}
	if i := slices.IndexFunc(p.Languages, func(l string) bool { return first(l) == first(lang) }); i >= 0 {
		return p.Languages[i]
	}
	return p.Languages[0]
}

// Consent is the question asked for a purpose, in the language nearest to lang; false for a
// purpose that does not rest on consent.
func (p *Policy) Consent(purpose passport.Purpose, lang string) (ConsentText, bool) {
	c, ok := p.consents[p.Nearest(lang)][purpose]
	return c, ok
}

// ConsentText is the question and its explanation as one text, with its hash, or two empty
// strings for a purpose that does not rest on consent.
func (p *Policy) ConsentText(purpose passport.Purpose, lang string) (text, hash string) {
	c, ok := p.Consent(purpose, lang)
	if !ok {
		return "", ""
	}
	return strings.Join([]string{c.Question, c.Text, c.IfNo, c.Withdraw}, "\n\n"), c.Hash
}

// ConsentHash reports whether hash is that of the current question for the purpose in some
// language, and in which: an answer to any other text is no consent.
func (p *Policy) ConsentHash(purpose passport.Purpose, hash string) (lang string, ok bool) {
	for _, lang := range p.Languages {
		if c, asked := p.consents[lang][purpose]; asked && c.Hash == hash {
			return lang, true
		}
	}
	return "", false
}

// Judge reports why a passport does not fit the policy: an unknown word, a purpose that may not
// touch its category, data that should be sealed and is not, or a stay longer than promised.
func (p *Policy) Judge(pp passport.Passport) error {
	if err := pp.Check(); err != nil {
		return err
	}
	c, ok := p.Category(pp.Category)
	if !ok {
		return fmt.Errorf("passport %s: the policy has no category %q", pp.ID, pp.Category)
	}
	for _, id := range pp.Purposes {
		u, ok := p.Purpose(id)
		if !ok {
			return fmt.Errorf("passport %s: the policy has no purpose %q", pp.ID, id)
		}
		if !slices.Contains(u.Categories, pp.Category) {
			return fmt.Errorf("passport %s: %s is not processed for %s", pp.ID, pp.Category, id)
		}
	}
	if c.ID == passport.LiveMedia {
		return fmt.Errorf("passport %s: %s passes through and may be kept nowhere", pp.ID, c.ID)
	}
	l, _ := p.Lifetime(pp.Category)
	if limit := time.Duration(l.Days) * 24 * time.Hour; limit > 0 && pp.Retention > limit {
		return fmt.Errorf("passport %s: stays %v, the policy allows %s %v", pp.ID, pp.Retention, pp.Category, limit)
	}
	return nil
}
