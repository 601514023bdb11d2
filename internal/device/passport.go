package device

import (
	"candor/internal/bus"
	"candor/internal/passport"
)

// Passports lists the columns of sites and cameras and what is told of them on the bus.
func Passports() []passport.Passport {
	show := []passport.Purpose{passport.Live, passport.Recording}
	sealed := func(p passport.ID, where string, c passport.Category, purposes []passport.Purpose, until, owner string) passport.Passport {
		return passport.Passport{ID: p, Where: where, Category: c, Purposes: purposes, Sealed: true, Until: until, Erasure: passport.Shred, Owner: owner}
	}
	all := []passport.Passport{
		sealed(namePassport, "device_camera.name", passport.DeviceData, show, "camera removed", "device_camera.account_id"),
		sealed(addressPassport, "device_camera.address", passport.DeviceData, []passport.Purpose{passport.Live}, "camera removed", "device_camera.account_id"),
		sealed(credentialsPassport, "device_camera.credentials", passport.Credential, []passport.Purpose{passport.Live}, "camera removed", "device_camera.account_id"),
		sealed(siteNamePassport, "device_site.name", passport.DeviceData, show, "account closed", "device_site.account_id"),
		sealed(siteZonePassport, "device_site.time_zone", passport.DeviceData, show, "account closed", "device_site.account_id"),
	}
	plain := func(table, until string, columns ...string) {
		for _, c := range columns {
			all = append(all, passport.Passport{
				ID: passport.ID("device." + table + "_" + c), Where: "device_" + table + "." + c, Category: passport.Technical, Purposes: show,
				Until: until, Erasure: passport.Delete, Owner: "device_" + table + ".account_id",
			})
		}
	}
	plain("camera", "camera removed", "tenant_id", "id", "device_id", "account_id", "site_id", "state", "demo", "recording", "retention_days", "retention_bytes", "created_ms")
	plain("site", "account closed", "tenant_id", "id", "account_id", "created_ms")
	for name, typ := range map[string]bus.Type{"added": Added, "changed": Changed, "removed": Removed} {
		all = append(all, passport.Passport{
			ID: passport.ID("device.told_" + name), Where: "bus:" + string(typ), Category: passport.Technical, Purposes: show, Until: "heard", Erasure: passport.Keep, Owner: "none",
		})
	}
	return all
}
