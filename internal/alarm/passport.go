package alarm

import (
	"candor/internal/bus"
	"candor/internal/passport"
)

// Passports says what the room keeps and why.
func Passports() []passport.Passport {
	const (
		until = "the camera's retention is over, motion is withdrawn, or the camera or account is removed"
		owner = "alarm_event.subject_id"
	)
	sealed := func(id passport.ID, where string) passport.Passport {
		return passport.Passport{
			ID: id, Where: where, Category: passport.Event, Purposes: []passport.Purpose{passport.Motion}, Sealed: true,
			Until: until, Erasure: passport.Shred, Owner: owner,
		}
	}
	out := []passport.Passport{
		sealed(detailsPassport, "alarm_event.details"),
		sealed(picturePassport, "blob:events/"),
		sealed("alarm.picture_key", "alarm_event.wrapped"),
		{
			ID: settingPassport, Where: "alarm_camera.details", Category: passport.DeviceData, Purposes: []passport.Purpose{passport.Live, passport.Motion},
			Sealed: true, Until: "camera removed", Erasure: passport.Shred, Owner: "alarm_camera.subject_id",
		},
	}
	clear := func(table, until, owner string, purposes []passport.Purpose, columns ...string) {
		for _, c := range columns {
			out = append(out, passport.Passport{
				ID: passport.ID("alarm." + table + "_" + c), Where: "alarm_" + table + "." + c, Category: passport.Technical, Purposes: purposes,
				Until: until, Erasure: passport.Delete, Owner: owner,
			})
		}
	}
	motion := []passport.Purpose{passport.Motion}
	clear("event", until, owner, motion, "tenant_id", "id", "subject_id", "binding_id", "day", "state", "watch_ms", "object", "bytes", "key_id")
	clear("seen", until, "alarm_seen.account_id", motion, "tenant_id", "account_id", "event_id", "subject_id", "binding_id", "day")
	clear("camera", "camera removed", "alarm_camera.subject_id", []passport.Purpose{passport.Live, passport.Motion}, "tenant_id", "binding_id", "subject_id", "watched")
	for name, typ := range map[string]bus.Type{"opened": Opened, "changed": Changed, "closed": Closed} {
		out = append(out, passport.Passport{
			ID: passport.ID("alarm.told_" + name), Where: "bus:" + string(typ), Category: passport.Technical, Purposes: motion,
			Until: "heard", Erasure: passport.Keep, Owner: "none",
		})
	}
	return out
}
