package takeaway

import (
	"strings"

	"candor/internal/passport"
)

// Passports says what the room keeps: for each copy its states, and its frozen part under a key of
// its own.
func Passports() []passport.Passport {
	all := []passport.Passport{{
		ID: objectPassport, Where: "blob:exports/", Category: passport.Identity, Purposes: []passport.Purpose{passport.Rights}, Sealed: true,
		Until: "the copy ended", Erasure: passport.Shred, Owner: "takeaway_export.subject_id",
	}}
	for c := range strings.FieldsSeq("tenant_id id subject_id token_sha256 state why language created_ms ready_ms ended_ms expires_ms whole_ms size total key_id wrapped frozen index_at") {
		all = append(all, passport.Passport{
			ID: passport.ID("takeaway.export." + c), Where: "takeaway_export." + c, Category: passport.Technical, Purposes: []passport.Purpose{passport.Rights},
			Until: "30 days after the copy ended", Erasure: passport.Delete, Owner: "takeaway_export.subject_id",
		})
	}
	return all
}
