package seal

import (
	"strings"

	"candor/internal/passport"
)

// Passports says what keys.db holds. Its columns are written "keys.db/table.column".
//
// A tombstone is kept for good where a person or a camera was said goodbye to: it is about random
// identifiers that, with the keys, lead to nobody any more.
func Passports() []passport.Passport {
	var out []passport.Passport
	add := func(table, columns string, p passport.Passport) {
		for _, c := range strings.Fields(columns) {
			q := p
			q.ID = passport.ID("seal." + table + "." + c)
			q.Where = "keys.db/" + table + "." + c
			out = append(out, q)
		}
	}
	add("state", "one epoch next created_ms", passport.Passport{
		Category: passport.Technical, Purposes: []passport.Purpose{passport.Security},
		Until: "installation ends", Erasure: passport.Keep, Owner: "none",
	})
	add("slot_free", "n", passport.Passport{
		Category: passport.Technical, Purposes: []passport.Purpose{passport.Security},
		Until: "installation ends", Erasure: passport.Keep, Owner: "none",
	})
	keys := passport.Passport{
		Category: passport.Technical, Purposes: []passport.Purpose{passport.Security, passport.Rights},
		Until: "account closed", Erasure: passport.Delete, Owner: "keys.db/key.subject",
	}
	add("slot", "n wrapped", keys)
	add("key", "id kind tenant subject binding export category class day slot created_ms", keys)
	add("tombstone", "id kind tenant subject binding export category class day reason keys at_ms", passport.Passport{
		Category: passport.Technical, Purposes: []passport.Purpose{passport.Rights},
		Until: "installation ends", Erasure: passport.Keep, Owner: "none",
	})
	add("directory", "n entry mac account", passport.Passport{
		Category: passport.Identity, Purposes: []passport.Purpose{passport.Account},
		Until: "account closed", Erasure: passport.Delete, Owner: "keys.db/directory.account",
	})
	return out
}
