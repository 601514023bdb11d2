package metrics

import (
	"time"

	"candor/internal/passport"
)

// Passport is the passport of a metric about nobody in particular. A metric about somebody is
// not a metric.
func Passport(name string, labels ...string) passport.Passport {
	return passport.Passport{
		ID: passport.ID("metric." + name), Where: Where(name, labels...), Category: passport.Technical,
		Purposes: []passport.Purpose{passport.Security}, Retention: 30 * 24 * time.Hour,
		Erasure: passport.Keep, Owner: "none",
	}
}

// Passports says what this room's own metrics are; go_… and process_… come from the runtime
// and carry no labels of ours.
func Passports() []passport.Passport {
	return []passport.Passport{Passport("build_info", "version", "go")}
}
