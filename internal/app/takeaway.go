package app

import (
	"context"

	"candor/internal/app/door"
	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/rights"
	"candor/internal/takeaway"
	"candor/words"
)

const exportsDir = "exports"

// openTakeaway makes the room that gives people copies of everything. It begins to work once the
// office has said the goodbyes it owed.
func (h *house) openTakeaway() error {
	store, err := blob.OpenDisk(h.path(exportsDir))
	if err != nil {
		return err
	}
	h.takeaway = &takeaway.Room{
		DB: h.db, Keys: h.keys, Store: store, Clock: h.clock, Log: h.room("takeaway"), Policy: h.policy.Hash(),
		Holders: func() []rights.Holder { return h.office.Holders },
		Lease: func(ctx context.Context, t id.Tenant, s id.Subject) (*permit.Lease, error) {
			return h.gate.Lease(ctx, gate.Request{Tenant: t, Actor: permit.System(gate.Rights), Action: permit.PrivacyExport, Account: id.Account(s)})
		},
		Readme: func(lang string, made clock.Millis) string {
			return words.Sentence(lang, "copy.readme", map[string]string{"made": made.Time().Format("2006-01-02 15:04 UTC"), "version": h.policy.Hash()})
		},
		Tell: h.tellExport,
	}
	return nil
}

// startTakeaway begins to make copies.
func (h *house) startTakeaway(ctx context.Context) error {
	if err := h.takeaway.Start(ctx); err != nil {
		return err
	}
	h.closing("copies", h.takeaway.Close)
	return nil
}

// tellExport tells a person's browsers how far a copy has come.
func (h *house) tellExport(e takeaway.Export) {
	events := h.news.events.Load()
	if events == nil {
		return
	}
	said := door.Export(e)
	events.Publish(httpapi.Event{Type: "privacy.export", Account: id.Account(e.Subject), Data: map[string]any{
		"export_id": said.ID, "state": said.State, "done": said.Done, "total": said.Total,
	}})
}

// exports fits the room to the door.
func (h *house) exports() door.Exports {
	return door.Exports{Room: h.takeaway, People: h.people, Gate: h.gate, Log: h.records}
}
