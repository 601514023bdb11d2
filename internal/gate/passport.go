package gate

import (
	"time"

	"candor/internal/passport"
)

// Passports lists the columns and the subjects of the gate: numbers and random ids.
func Passports() []passport.Passport {
	all := []passport.Passport{}
	add := func(name, where string, stay time.Duration, until string) {
		all = append(all, passport.Passport{
			ID: passport.ID("gate." + name), Where: where, Category: passport.Technical, Purposes: []passport.Purpose{passport.Security, passport.Rights},
			Retention: stay, Until: until, Erasure: passport.Keep, Owner: "none",
		})
	}
	for _, c := range []string{"tenant_id", "seq", "subject_id", "binding_id", "purpose", "session_id", "actor_id", "share_id", "at_ms"} {
		add("revocation_"+c, "gate_revocation."+c, keepRevocations, "")
	}
	for _, c := range []string{"one", "value"} {
		add("counter_"+c, "gate_counter."+c, 0, "installation removed")
	}
	add("beat", "bus:"+string(Beat), time.Second, "")
	add("revoked", "bus:"+string(Revoked), time.Second, "")
	return all
}
