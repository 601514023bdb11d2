package rights

import (
	"strings"

	"candor/internal/passport"
)

// Passports says what rights keeps: goodbyes on their way, receipts, and marks. All of it is
// random identifiers, steps and counts; a goodbye that is over says no more whose it was.
func Passports() []passport.Passport {
	var out []passport.Passport
	add := func(table, columns string, p passport.Passport) {
		for _, c := range strings.Fields(columns) {
			q := p
			q.ID, q.Where = passport.ID("rights."+table+"."+c), "rights_"+table+"."+c
			out = append(out, q)
		}
	}
	duty := []passport.Purpose{passport.Rights}
	add("goodbye", "tenant_id id token_sha256 what step tries requested_ms expires_ms receipt", passport.Passport{
		Category: passport.Technical, Purposes: duty, Until: "30 days after the goodbye", Erasure: passport.Keep, Owner: "none",
	})
	add("goodbye", "subject_id binding_id purpose probes", passport.Passport{
		Category: passport.Technical, Purposes: duty, Until: "goodbye over", Erasure: passport.Delete, Owner: "rights_goodbye.subject_id",
	})
	add("replayed", "tenant_id tombstone_id at_ms", passport.Passport{
		Category: passport.Technical, Purposes: duty, Until: "installation ends", Erasure: passport.Keep, Owner: "none",
	})
	return out
}
