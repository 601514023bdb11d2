package app

import (
	"context"

	"candor/internal/account"
	"candor/internal/consent"
	"candor/internal/device"
	"candor/internal/gate"
	"candor/internal/permit"
	"candor/internal/privlog"
	"candor/internal/translog"
)

// rooms wires who somebody is, what they have, what they agreed to, and the gate that asks all
// of them. The one Issuer of permits is made here and handed to the gate.
func (h *house) rooms(ctx context.Context) error {
	h.records = &translog.Log{DB: h.db, Keeper: h.keys, Clock: h.clock}
	h.gate = &gate.Gate{
		Issuer: permit.NewIssuer(h.clock), Clock: h.clock, Log: h.room("gate"), DB: h.db, Bus: h.bus, Policy: gate.Under(h.policy), Records: h.records,
	}
	h.people = &account.Room{
		DB: h.db, Keeper: h.keys, Gate: h.gate, Outbox: h.outbox, Clock: h.clock, Log: h.room("account"), Languages: h.policy.Languages,
	}
	h.people.Init()
	h.versions = &consent.Versions{DB: h.db, Keeper: h.keys, History: h.history, Clock: h.clock}
	if err := allHere(ctx, h.versions); err != nil {
		return err
	}
	h.consent = &consent.Room{DB: h.db, Keeper: h.keys, Outbox: h.outbox, Policy: h.policy, Versions: h.versions, Clock: h.clock, Commit: h.commit(privlog.Consent)}
	h.devices = &device.Room{
		DB: h.db, Keeper: h.keys, Outbox: h.outbox, Clock: h.clock, DefaultDays: h.config.Recording.Days, DefaultBytes: int64(h.config.Recording.Bytes), MaxDays: h.maxDays(),
	}
	h.gate.People, h.gate.Relations, h.gate.Consents, h.gate.Policies = h.people, h.devices, h.consent, h.versions
	h.sharing()
	if err := h.gate.Start(ctx); err != nil {
		return err
	}
	h.closing("gate", h.gate.Close)
	return nil
}
