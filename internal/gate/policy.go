package gate

import (
	"slices"

	"candor/internal/passport"
	"candor/internal/policy"
)

// Under is a loaded policy as the gate reads it.
func Under(p *policy.Policy) Policy { return under{p} }

type under struct{ *policy.Policy }

func (u under) Basis(p passport.Purpose) (passport.Basis, bool) {
	found, ok := u.Purpose(p)
	return found.Basis, ok
}

func (u under) Touches(p passport.Purpose, c passport.Category) bool {
	found, ok := u.Purpose(p)
	return ok && slices.Contains(found.Categories, c)
}

func (u under) Asked(p passport.Purpose, textHash string) bool {
	_, ok := u.ConsentHash(p, textHash)
	return ok
}

// UnderStanding is what holds for one person, as the gate reads it.
func UnderStanding(s *policy.Standing) Policy { return stands{under{s.Policy}, s} }

type stands struct {
	under
	standing *policy.Standing
}

func (s stands) Asked(p passport.Purpose, textHash string) bool { return s.standing.Asked(p, textHash) }
