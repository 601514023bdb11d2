package app

import (
	"context"
	"time"

	"candor/internal/alarm"
	"candor/internal/app/door"
	"candor/internal/blob"
	"candor/internal/bus"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
)

const eventsDir = "events"

// openAlarms opens the room of events.
func (h *house) openAlarms(ctx context.Context) error {
	store, err := blob.OpenDisk(h.path(eventsDir))
	if err != nil {
		return err
	}
	store.Coarse = true // when a picture was written tells when somebody was there
	h.alarms = &alarm.Room{
		DB: h.db, Keys: h.keys, Store: store, Bus: h.bus, Clock: h.clock, Log: h.room("alarm"),
		Days:     h.eventDays,
		Recorded: func(b id.Binding) bool { return h.station.Recording(b) },
	}
	for typ, kind := range map[bus.Type]string{alarm.Opened: "event.opened", alarm.Changed: "event.changed", alarm.Closed: "event.closed"} {
		heard, err := h.bus.Subscribe(h.tenant, typ, func(e bus.Envelope) { h.tellEvent(kind, e) })
		if err != nil {
			return err
		}
		h.closing("news of events", heard.Close)
	}
	if err := h.alarms.Open(ctx); err != nil {
		return err
	}
	h.closing("alarm", h.alarms.Close)
	return nil
}

// eventDays is how long a camera's events stay: as long as its footage, and never longer than the policy
// allows that its owner stands under.
func (h *house) eventDays(ctx context.Context, c alarm.Camera) (int, error) {
	r, err := h.devices.Ref(ctx, c.Tenant, c.Binding)
	if err != nil {
		return 0, err
	}
	return h.atMost(ctx, c.Tenant, c.Binding, passport.Event, r.Retention.Days)
}

// tellEvent tells the browsers of whoever may see a camera's events that there is one, or more of it. Each
// asks for the rest through the gate.
func (h *house) tellEvent(kind string, e bus.Envelope) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	ref, ok, err := h.alarms.Find(ctx, e.Tenant, id.Sighting(e.Resource))
	if err != nil {
		h.log.Warn("browsers are not told of an event", "err", err)
	}
	events := h.news.events.Load()
	if !ok || events == nil {
		return
	}
	for _, a := range append([]id.Account{id.Account(ref.Subject)}, h.letIn(ctx, ref)...) {
		events.Publish(httpapi.Event{Type: kind, Account: a, Data: map[string]string{"event_id": ref.ID.String(), "camera_id": ref.Binding.String()}})
	}
}

// letIn are the members who may know of the camera's events now. Who cannot be looked up is not told.
func (h *house) letIn(ctx context.Context, e alarm.Ref) []id.Account {
	owner := id.Account(e.Subject)
	members, err := h.shares.Members(ctx, e.Tenant, owner, e.Binding)
	if err != nil {
		h.log.Warn("members are not told of an event", "err", err)
	}
	var out []id.Account
	for _, m := range members {
		s, _, err := h.shares.Find(ctx, e.Tenant, permit.Actor{Account: m}, owner, e.Binding, permit.Alarms, h.clock.Now())
		if err == nil && !s.ID.IsZero() {
			out = append(out, m)
		}
	}
	return out
}

// alarmDoor fits the room to the HTTP door.
func (h *house) alarmDoor() door.Alarms {
	return door.Alarms{Room: h.alarms, Devices: h.devices, Shares: h.shares, Consent: h.consent, Station: h.station, Tenant: h.tenant, Apply: h.looks.apply, Tell: h.news.tell}
}
