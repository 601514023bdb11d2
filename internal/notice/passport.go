package notice

import (
	"strings"

	"candor/internal/passport"
)

// Passports lists the columns of the notices. The words of a notice are the operator's, and about nobody.
func Passports() []passport.Passport {
	var all []passport.Passport
	why := []passport.Purpose{passport.Rights}
	for c := range strings.FieldsSeq("tenant_id id kind cause declared_ms known_ms ends_ms erases_ms reported_ms reference public words days last_day") {
		all = append(all, passport.Passport{
			ID: passport.ID("notice.notice." + c), Where: "notice_notice." + c, Category: passport.Technical, Purposes: why,
			Until: "installation ends", Erasure: passport.Keep, Owner: "none",
		})
	}
	for c := range strings.FieldsSeq("tenant_id notice_id subject_id state") {
		all = append(all, passport.Passport{
			ID: passport.ID("notice.told." + c), Where: "notice_told." + c, Category: passport.Technical, Purposes: why,
			Until: "account closed", Erasure: passport.Delete, Owner: "notice_told.subject_id",
		})
	}
	return all
}
