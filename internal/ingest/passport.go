package ingest

import "candor/internal/passport"

// Passports lists what this room keeps: attributes of lines in the log, and nothing else.
func Passports() []passport.Passport {
	var all []passport.Passport
	for _, key := range []string{
		"device",  // random id of the device
		"profile", // main or sub
		"code",    // problem code
		"wait",    // time until the next attempt
		"by",      // how far a camera's clock jumped
		"off",     // how far the wall clock was off
		"what",    // kind of noise
		"lost",    // number of packets
		"times",   // how often
	} {
		all = append(all, passport.Passport{
			ID: passport.ID("log.ingest." + key), Where: "log:" + key,
			Category: passport.Technical, Purposes: []passport.Purpose{passport.Live},
			Until: "log turned", Erasure: passport.Keep, Owner: "none",
		})
	}
	return all
}
