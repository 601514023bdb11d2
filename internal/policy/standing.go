package policy

import (
	"slices"
	"time"

	"candor/internal/passport"
	"candor/internal/promise"
)

// Standing is what holds for one person: the version they stand under, and what may be done under it.
// Its registers are the meet of that version with the one the build keeps, without the purposes that
// the build could serve only in a wider way than was agreed.
type Standing struct {
	*Policy
	Under   *Policy // the version itself, as it can be read
	Waiting *Step   // a version that is in effect and was not agreed to; nil: there is none
	Coming  *Step   // a version that is published and not in effect yet; nil: there is none

	asked []*Policy // versions that Under grew out of without a material change, itself first
}

// Step is the way from one version to a later one.
type Step struct {
	To        *Policy
	Changes   []Change           // the material ones
	Suspended []passport.Purpose // off, or only as wide as they were, until the person agrees
}

// Standing finds what holds on the day of now for somebody who agreed to the versions with these hashes.
// Who agreed to none was here before agreements were kept, under the first. A version without a
// material change takes the place of the one before it by itself.
//
// promise:P326
func (h *History) Standing(agreed []string, now time.Time) *Standing {
	inEffect := h.InEffect(now)
	under := h.versions[0]
	for _, p := range h.versions[:inEffect.Version] {
		if slices.Contains(agreed, p.hash) {
			under = p
		}
	}
	for _, next := range h.versions[under.Version:inEffect.Version] {
		//promise:P330
		if len(Material(Diff(under, next))) > 0 && !promise.Cut("P326") || promise.Cut("P330") {
			break
		}
		under = next
	}
	key := standingKey{under.Version, inEffect.Version}
	h.mu.Lock()
	defer h.mu.Unlock()
	if s, ok := h.standings[key]; ok {
		return s
	}
	s := &Standing{Policy: Meet(under, h.Newest()), Under: under, asked: h.sameAs(under)}
	if inEffect != under {
		s.Waiting = step(under, inEffect)
		s.without(wider(under, inEffect))
	}
	//promise:P327
	if promise.Cut("P327") {
		s.Policy = inEffect
	}
	if newest := h.Newest(); newest != inEffect {
		s.Coming = step(under, newest)
	}
	if h.standings == nil {
		h.standings = map[standingKey]*Standing{}
	}
	h.standings[key] = s
	return s
}

type standingKey struct{ under, inEffect int }

func step(from, to *Policy) *Step {
	return &Step{To: to, Changes: Material(Diff(from, to)), Suspended: Suspended(from, to)}
}

// wider are the purposes for which somebody would receive what they did not receive before. What leaves the
// house is not told apart by who agreed to what, so these are off altogether.
func wider(agreed, kept *Policy) []passport.Purpose {
	var all []passport.Purpose
	for _, c := range Diff(agreed, kept) {
		if c.Class == Receivers {
			all = append(all, beyond(c.Suspends, all)...)
		}
	}
	return all
}

func (s *Standing) without(off []passport.Purpose) {
	p := *s.Policy
	p.Purposes = slices.DeleteFunc(slices.Clone(p.Purposes), func(u Purpose) bool {
		return u.Basis != passport.Obligation && slices.Contains(off, u.ID)
	})
	s.Policy = &p
}

// sameAs are the version and those before it that differ from the next one in nothing material.
func (h *History) sameAs(p *Policy) []*Policy {
	same := []*Policy{p}
	for _, before := range slices.Backward(h.versions[:p.Version-1]) {
		if len(Material(Diff(before, p))) > 0 {
			break
		}
		same = append(same, before)
	}
	return same
}

// Asked reports whether a text with that hash asks for consent to the purpose, as the person's version
// means it: in its own words, or in those of a version that it differs from in nothing material.
func (s *Standing) Asked(purpose passport.Purpose, textHash string) bool {
	for _, p := range s.asked {
		if _, ok := p.ConsentHash(purpose, textHash); ok {
			return true
		}
	}
	return false
}
