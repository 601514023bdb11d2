package translog

import "candor/internal/passport"

// Passports lists the columns of the access log.
func Passports() []passport.Passport {
	owner := "translog_head.subject_id"
	all := []passport.Passport{{
		ID: detailsPassport, Where: "translog_access.details", Category: passport.AccessLog, Purposes: []passport.Purpose{passport.Rights, passport.Security},
		Sealed: true, Retention: Keep, Erasure: passport.Shred, Owner: "translog_access.subject_id",
	}}
	add := func(table, column string) {
		all = append(all, passport.Passport{
			ID: passport.ID("translog." + table + "_" + column), Where: "translog_" + table + "." + column, Category: passport.Technical,
			Purposes: []passport.Purpose{passport.Rights, passport.Security}, Until: "account closed", Erasure: passport.Delete, Owner: owner,
		})
	}
	for _, c := range []string{"tenant_id", "subject_id", "seq", "day", "prev", "commitment", "hash"} {
		add("access", c)
	}
	for _, c := range []string{"tenant_id", "subject_id", "seq", "hash", "first_seq"} {
		add("head", c)
	}
	return all
}
