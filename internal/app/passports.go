package app

import (
	"slices"

	"candor/internal/account"
	"candor/internal/alarm"
	"candor/internal/bus"
	"candor/internal/consent"
	"candor/internal/device"
	"candor/internal/footage"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/ingest"
	"candor/internal/logging"
	"candor/internal/metrics"
	"candor/internal/notice"
	"candor/internal/notify"
	"candor/internal/notify/mail"
	"candor/internal/passport"
	"candor/internal/privlog"
	"candor/internal/report"
	"candor/internal/rights"
	"candor/internal/seal"
	shares "candor/internal/share"
	"candor/internal/takeaway"
	"candor/internal/translog"
)

// Passports are those of every room. What is stored, sent, logged or counted and not among them
// fails a test or does not start.
//
// promise:P296
func Passports() []passport.Passport {
	return slices.Concat(
		installation(),
		alarm.Passports(),
		account.Passports(), bus.Passports(), consent.Passports(), device.Passports(), footage.Passports(), gate.Passports(),
		httpapi.Passports(), ingest.Passports(), logging.Passports(), mail.Passports(), metrics.Passports(), notice.Passports(), notify.Passports(), privlog.Passports(), rights.Passports(), seal.Passports(), shares.Passports(), report.Passports(), takeaway.Passports(), translog.Passports(),
		counted(),
	)
}

// installation is what sqldb itself keeps.
func installation() []passport.Passport {
	var out []passport.Passport
	for _, column := range []string{
		"sqldb_installation.one", "sqldb_installation.id", "sqldb_installation.created_ms",
		"sqldb_version.id", "sqldb_version.version_id", "sqldb_version.is_applied", "sqldb_version.tstamp",
	} {
		out = append(out, passport.Passport{
			ID: passport.ID(column), Where: column, Category: passport.Technical, Purposes: []passport.Purpose{passport.Security},
			Until: "installation ends", Erasure: passport.Keep, Owner: "none",
		})
	}
	return out
}
