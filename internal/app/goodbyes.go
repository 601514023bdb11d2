package app

import (
	"context"
	"errors"
	"time"

	"candor/internal/account"
	"candor/internal/consent"
	"candor/internal/device"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/notice"
	"candor/internal/notify"
	"candor/internal/notify/mail"
	"candor/internal/passport"
	"candor/internal/privlog"
	"candor/internal/report"
	"candor/internal/retention"
	"candor/internal/rights"
	shares "candor/internal/share"
	"candor/internal/takeaway"
	"candor/internal/translog/held"
)

// goodbyes wires what people may ask for, and the loop that lets go of what is due.
func (h *house) goodbyes(ctx context.Context) error {
	spare := spare{file: h.path(spareFile), log: h.room("rights")}
	spare.keep()
	h.openNotices()
	if err := h.openTakeaway(); err != nil {
		return err
	}
	h.office = &rights.Office{
		DB: h.db, Keys: h.keys, Clock: h.clock, Log: h.room("rights"),
		Revoke: func(ctx context.Context, w rights.Whose) error {
			err := h.gate.Revoke(ctx, gate.Right{Tenant: w.Tenant, Subject: w.Subject, Binding: w.Binding, Purpose: w.Purpose})
			if w.Binding.IsZero() && w.Purpose == "" { // whoever leaves uses nothing of others any more
				err = errors.Join(err, h.gate.Revoke(ctx, gate.Right{Tenant: w.Tenant, Actor: id.Account(w.Subject)}))
			}
			return errors.Join(err, takeaway.Holder{Of: h.takeaway}.Void(ctx, w))
		},
		Holders: []rights.Holder{
			h.footage.Holder(),
			h.alarms.Holder(),
			device.Holder{Of: h.devices}, consent.Holder{Of: h.consent}, held.Holder{Log: h.records}, shares.Holder{Of: h.shares}, mail.Holder{Of: h.mail}, account.Holder{Of: h.people},
			notify.Holder{Of: h.notify},
			takeaway.Holder{Of: h.takeaway}, report.Holder{Of: h.reports}, notice.Holder{Of: h.notices},
		},
		Rests: func(p passport.Purpose) []passport.Category {
			switch p {
			case passport.Recording:
				return []passport.Category{passport.Footage}
			case passport.Motion:
				return []passport.Category{passport.Event}
			case passport.Reports:
				return []passport.Category{passport.DeviceData}
			}
			return nil
		},
		Asked:      func(p passport.Purpose) bool { found, ok := h.policy.Purpose(p); return ok && found.Optional() },
		MakeRoom:   spare.give,
		Commit:     h.commit(privlog.Erasure),
		BackupDays: h.policy.BackupDays, ReceiptDays: h.policy.ReceiptDays,
	}
	if err := h.office.Start(ctx); err != nil {
		return err
	}
	h.closing("goodbyes", h.office.Close)
	if err := h.startTakeaway(ctx); err != nil {
		return err
	}
	if err := h.startNotices(ctx); err != nil {
		return err
	}
	h.retention = &retention.Loop{
		Clock: h.clock, Log: h.room("retention"), Keys: h.keys,
		Sweepers: []retention.Sweeper{
			{Room: "footage", Sweep: func(ctx context.Context) error { _, err := h.footage.Sweep(ctx); return err }},
			{Room: "alarm", Sweep: h.alarms.Sweep},
			{Room: "account", Sweep: func(ctx context.Context) error { _, err := h.people.Expire(ctx); return err }},
			{Room: "takeaway", Sweep: h.takeaway.Sweep},
			{Room: "report", Every: time.Hour, Sweep: h.reports.Sweep},
			{Room: "rights", Sweep: func(context.Context) error { spare.keep(); return nil }},
			h.overdue(),
			h.telling(),
			{Room: "translog", Every: time.Hour, Sweep: func(ctx context.Context) error { _, err := h.records.Prune(ctx); return err }},
		},
		Limit: func(c passport.Category) (int, bool) {
			l, ok := h.policy.Lifetime(c)
			return l.Days, ok && l.Days > 0
		},
		OnAges: h.gauges.ages,
	}
	if err := h.retention.Start(ctx); err != nil {
		return err
	}
	h.closing("retention", h.retention.Close)
	if err := h.station.Start(ctx); err != nil {
		return err
	}
	h.closing("station", func() error { h.station.Close(); return nil })
	return nil
}
