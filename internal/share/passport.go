package share

import "candor/internal/passport"

// Passports lists the columns of shares, of what members keep of them, of visits by link,
// and of links that were deleted.
func Passports() []passport.Passport {
	purpose := []passport.Purpose{passport.Sharing}
	const owner, member = "share_share.account_id", "share_member.account_id"
	sealed := func(p passport.ID, where string, c passport.Category, until, whose string) passport.Passport {
		return passport.Passport{ID: p, Where: where, Category: c, Purposes: purpose, Sealed: true, Until: until, Erasure: passport.Shred, Owner: whose}
	}
	const year, left = "a year after it ended", "left, or account closed"
	all := []passport.Passport{
		sealed(aboutPassport, "share_share.about", passport.Contact, year, owner),
		sealed(termsPassport, "share_share.terms", passport.Setting, year, owner),
		sealed(toldPassport, "share_member.told", passport.Contact, left, member),
	}
	plain := func(table, until, whose string, columns ...string) {
		for _, c := range columns {
			all = append(all, passport.Passport{
				ID: passport.ID("share." + table + "_" + c), Where: "share_" + table + "." + c, Category: passport.Technical, Purposes: purpose,
				Until: until, Erasure: passport.Delete, Owner: whose,
			})
		}
	}
	plain("share", year, owner, "tenant_id", "id", "account_id", "kind", "state", "site_id", "binding_id", "abilities", "token_hash", "addressed", "accept_ms", "until_ms", "created_ms", "ended_ms")
	plain("member", left, member, "tenant_id", "share_id", "account_id", "owner_id", "accepted_ms")
	plain("visit", year, owner, "tenant_id", "token_hash", "share_id")
	for _, c := range []string{"tenant_id", "token_hash", "until_ms"} {
		all = append(all, passport.Passport{
			ID: passport.ID("share.over_" + c), Where: "share_over." + c, Category: passport.Technical, Purposes: purpose,
			Retention: keepOver, Erasure: passport.Keep, Owner: "none",
		})
	}
	return all
}
