package footage

import "candor/internal/passport"

// Passports says what the room keeps and why.
func Passports() []passport.Passport {
	const until = "the camera's retention is over, recording is withdrawn, or the camera or account is removed"
	about := func(name, where string) passport.Passport { // clear: random ids, states, sizes, coarse times
		return passport.Passport{
			ID: passport.ID("footage." + name), Where: where, Category: passport.Technical, Purposes: []passport.Purpose{passport.Recording, passport.Retention},
			Until: until, Erasure: passport.Delete, Owner: "footage_camera.subject_id",
		}
	}
	sealed := func(id passport.ID, where string) passport.Passport {
		return passport.Passport{
			ID: id, Where: where, Category: passport.Footage, Purposes: []passport.Purpose{passport.Recording}, Sealed: true,
			Until: until, Erasure: passport.Shred, Owner: "footage_camera.subject_id",
		}
	}
	out := []passport.Passport{
		sealed(segmentObject, "blob:footage/"),
		sealed(hourSummary, "footage_hour.summary"),
		sealed("footage.segment_key", "footage_segment.wrapped"),
	}
	for table, columns := range map[string][]string{
		"segment": {"tenant_id", "binding_id", "profile", "start_ms", "id", "subject_id", "duration_ms", "bytes", "key_id", "closed", "summed"},
		"hour":    {"tenant_id", "binding_id", "hour", "id", "subject_id"},
		"camera":  {"tenant_id", "binding_id", "subject_id", "first_ms", "expired_ms"},
		"garbage": {"tenant_id", "id", "subject_id", "object"},
	} {
		for _, column := range columns {
			out = append(out, about(table+"."+column, "footage_"+table+"."+column))
		}
	}
	return out
}
