package notify

import (
	"time"

	"candor/internal/passport"
)

// Passports lists what this room keeps.
func Passports() []passport.Passport {
	const closed = "account closed"
	alerts, push := []passport.Purpose{passport.Alerts}, []passport.Purpose{passport.Push}
	sealed := func(p passport.ID, table, column string, purposes []passport.Purpose, keep time.Duration, until string) passport.Passport {
		return passport.Passport{
			ID: p, Where: "notify_" + table + "." + column, Category: categories[p], Purposes: purposes, Sealed: true, Retention: keep, Until: until,
			Erasure: passport.Shred, Owner: "notify_" + table + ".account_id",
		}
	}
	all := []passport.Passport{
		sealed(choicePassport, "rule", "choice", alerts, 0, closed),
		sealed(spanPassport, "pause", "span", alerts, 0, closed),
		sealed(devicePassport, "device", "subscription", push, 0, closed),
		sealed(aboutPassport, "device", "about", push, 0, closed),
		sealed(messagePassport, "outbox", "message", alerts, message{}.useful(), ""),
		sealed(entryPassport, "log", "entry", alerts, Keep, ""),
	}
	plain := func(table string, keep time.Duration, until string, columns ...string) {
		for _, c := range columns {
			all = append(all, passport.Passport{
				ID: passport.ID("notify." + table + "_" + c), Where: "notify_" + table + "." + c, Category: passport.Technical, Purposes: alerts,
				Retention: keep, Until: until, Erasure: passport.Delete, Owner: "notify_" + table + ".account_id",
			})
		}
	}
	plain("rule", 0, closed, "tenant_id", "account_id", "binding_id", "kind", "row_id", "stop_hash", "mail_off")
	plain("pause", 0, closed, "tenant_id", "account_id", "binding_id", "row_id")
	plain("device", 0, closed, "tenant_id", "id", "account_id", "session_id", "endpoint_hash", "state")
	plain("outbox", message{}.useful(), "", "tenant_id", "account_id", "binding_id", "kind", "channel", "device_id", "row_id", "tries", "due_ms")
	plain("log", Keep, "", "tenant_id", "account_id", "n", "row_id", "binding_id", "day")
	plain("ticket", 2*ticketFor, "", "tenant_id", "hash", "account_id", "binding_id", "event_id", "used", "ends_ms")
	plain("gap", 0, "camera deleted", "tenant_id", "account_id", "binding_id")
	return all
}
