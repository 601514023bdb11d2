package report

import (
	"strings"

	"candor/internal/passport"
)

// Passports lists the columns of the reports.
func Passports() []passport.Passport {
	why := []passport.Purpose{passport.Reports}
	all := []passport.Passport{{
		ID: statePassport, Where: "report_state.state", Category: passport.DeviceData, Purposes: why, Sealed: true,
		Until: "a week is over, diagnostics is withdrawn, or the camera or account is removed", Erasure: passport.Shred, Owner: "report_state.subject_id",
	}}
	for c := range strings.FieldsSeq("tenant_id id binding_id subject_id day") {
		all = append(all, passport.Passport{
			ID: passport.ID("report.state." + c), Where: "report_state." + c, Category: passport.Technical, Purposes: why,
			Until: "a week is over, diagnostics is withdrawn, or the camera or account is removed", Erasure: passport.Delete, Owner: "report_state.subject_id",
		})
	}
	return all
}
