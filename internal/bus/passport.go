package bus

import (
	"time"

	"candor/internal/passport"
)

// Passports lists what the outbox keeps. The subjects that travel are listed by the rooms that
// speak on them.
func Passports() []passport.Passport {
	kept := func(column string) passport.Passport {
		return passport.Passport{
			ID: passport.ID("bus." + column), Where: "bus_outbox." + column, Category: passport.Technical,
			Purposes: []passport.Purpose{passport.Account, passport.Live}, Retention: 25 * time.Hour, Erasure: passport.Keep, Owner: "none",
		}
	}
	all := []passport.Passport{}
	for _, c := range []string{"seq", "tenant_id", "id", "type", "resource", "time_ms", "sent_ms"} {
		all = append(all, kept(c))
	}
	for _, c := range []string{"one", "value"} {
		all = append(all, passport.Passport{
			ID: passport.ID("bus.counter_" + c), Where: "bus_counter." + c, Category: passport.Technical,
			Purposes: []passport.Purpose{passport.Account}, Until: "installation removed", Erasure: passport.Keep, Owner: "none",
		})
	}
	return all
}
