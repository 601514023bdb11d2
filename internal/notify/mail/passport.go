package mail

import "candor/internal/passport"

// letterPassport is part of the seals of letters.
const letterPassport passport.ID = "mail.letter"

// Passports lists the columns of letters that wait.
func Passports() []passport.Passport {
	why := []passport.Purpose{passport.Security}
	all := []passport.Passport{{
		ID: letterPassport, Where: "mail_letter.letter", Category: passport.Identity, Purposes: why, Sealed: true,
		Retention: Keep, Erasure: passport.Shred, Owner: "mail_letter.account_id",
	}}
	for _, c := range []string{"tenant_id", "id", "account_id", "until_ms"} {
		all = append(all, passport.Passport{
			ID: passport.ID("mail.letter_" + c), Where: "mail_letter." + c, Category: passport.Technical, Purposes: why,
			Retention: Keep, Erasure: passport.Delete, Owner: "mail_letter.account_id",
		})
	}
	return all
}
