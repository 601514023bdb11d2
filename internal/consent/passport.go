package consent

import "candor/internal/passport"

// Passports lists the columns of the consent records and their subject on the bus.
func Passports() []passport.Passport {
	all := []passport.Passport{{
		ID: detailsPassport, Where: "consent_record.details", Category: passport.ConsentLog, Purposes: []passport.Purpose{passport.Rights},
		Sealed: true, Until: "account closed", Erasure: passport.Shred, Owner: "consent_record.subject_id",
	}, {
		ID: versionPassport, Where: "consent_version.details", Category: passport.ConsentLog, Purposes: []passport.Purpose{passport.Rights},
		Sealed: true, Until: "account closed", Erasure: passport.Shred, Owner: "consent_version.subject_id",
	}}
	add := func(table, prefix string, c passport.Category, columns ...string) {
		for _, name := range columns {
			all = append(all, passport.Passport{
				ID: passport.ID("consent." + prefix + name), Where: table + "." + name, Category: c, Purposes: []passport.Purpose{passport.Rights},
				Until: "account closed", Erasure: passport.Delete, Owner: table + ".subject_id",
			})
		}
	}
	add("consent_record", "", passport.ConsentLog, "purpose", "state", "text_hash", "policy_hash")
	add("consent_record", "", passport.Technical, "tenant_id", "subject_id", "n", "record_id", "binding_id", "leaf_id")
	add("consent_version", "version_", passport.ConsentLog, "policy_hash", "answer")
	add("consent_version", "version_", passport.Technical, "tenant_id", "subject_id", "n", "record_id")
	return append(all, passport.Passport{
		ID: "consent.made", Where: "bus:" + string(Made), Category: passport.Technical, Purposes: []passport.Purpose{passport.Rights},
		Until: "heard", Erasure: passport.Keep, Owner: "none",
	})
}
