package account

import (
	"time"

	"candor/internal/bus"
	"candor/internal/passport"
)

// Passports lists the columns of accounts and sessions and what is told of them on the bus.
func Passports() []passport.Passport {
	const closed = "account closed"
	serve := []passport.Purpose{passport.Account}
	guard := []passport.Purpose{passport.Security}
	sealed := func(p passport.ID, where string, purposes []passport.Purpose, owner string) passport.Passport {
		return passport.Passport{ID: p, Where: where, Category: categories[p], Purposes: purposes, Sealed: true, Until: closed, Erasure: passport.Shred, Owner: owner}
	}
	all := []passport.Passport{
		sealed(namePassport, "account_account.name", serve, "account_account.id"),
		sealed(emailPassport, "account_account.email", append(serve, guard...), "account_account.id"),
		sealed(settingsPassport, "account_account.settings", serve, "account_account.id"),
		sealed(verifierPassport, "account_account.verifier", guard, "account_account.id"),
		sealed(clientsPassport, "account_account.clients", guard, "account_account.id"),
		sealed(secondPassport, "account_account.second", guard, "account_account.id"),
		sealed(sessionPassport, "account_session.about", guard, "account_session.account_id"),
		{ID: "account.language", Where: "account_account.language", Category: passport.Setting, Purposes: serve, Until: closed, Erasure: passport.Delete, Owner: "account_account.id"},
		{ID: "account.session_token", Where: "account_session.token_hash", Category: passport.Technical, Purposes: guard, Retention: longestDays * 24 * time.Hour,
			Until: "signed out", Erasure: passport.Delete, Owner: "account_session.account_id"},
	}
	plain := func(table, owner string, columns ...string) {
		for _, c := range columns {
			all = append(all, passport.Passport{
				ID: passport.ID("account." + table + "_" + c), Where: "account_" + table + "." + c, Category: passport.Technical,
				Purposes: []passport.Purpose{passport.Account, passport.Security}, Until: closed, Erasure: passport.Delete, Owner: owner,
			})
		}
	}
	plain("account", "account_account.id", "tenant_id", "id", "state", "created_ms", "second_day")
	plain("session", "account_session.account_id", "tenant_id", "id", "account_id", "until_day", "last_day")
	for name, typ := range map[string]bus.Type{"created": Created, "changed": Changed, "closing": Closing, "session_ended": SessionEnded} {
		all = append(all, passport.Passport{
			ID: passport.ID("account.told_" + name), Where: "bus:" + string(typ), Category: passport.Technical, Purposes: serve, Until: "heard", Erasure: passport.Keep, Owner: "none",
		})
	}
	return all
}
