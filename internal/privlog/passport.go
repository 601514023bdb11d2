package privlog

import (
	"strings"

	"candor/internal/passport"
)

// Passports lists the leaves that wait or lie in the log, and the log's folder. A leaf is about nobody: what ties it to somebody is
// its opening, which is not here.
func Passports() []passport.Passport {
	why := []passport.Purpose{passport.Rights}
	all := []passport.Passport{{
		ID: "privlog.folder", Where: "blob:log/", Category: passport.Technical, Purposes: why, Until: "installation ends", Erasure: passport.Keep, Owner: "none",
	}}
	for c := range strings.FieldsSeq("tenant_id id kind leaf idx log") {
		all = append(all, passport.Passport{
			ID: passport.ID("privlog.leaf." + c), Where: "privlog_leaf." + c, Category: passport.Technical, Purposes: why, Until: "installation ends", Erasure: passport.Keep, Owner: "none",
		})
	}
	return all
}
