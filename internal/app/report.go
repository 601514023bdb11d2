package app

import (
	"context"

	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/report"
)

// openReports wires what is kept of connections, where an owner agreed.
func (h *house) openReports(ctx context.Context) {
	h.reports = &report.Room{DB: h.db, Keys: h.keys, Gate: h.gate, Clock: h.clock, Log: h.room("report")}
	h.reports.Start(ctx)
	h.closing("reports", h.reports.Close)
}

// connection is told every change of a camera's connection. Attempts in between say nothing.
func (h *house) connection(d id.Device, s ingest.State) {
	h.news.camera(d)
	o, ok := h.news.whose(d)
	if !ok || s.Phase != ingest.Live && s.Code == "" {
		return
	}
	h.reports.Tell(report.Camera{Tenant: h.tenant, Account: o.account, Binding: o.binding}, s.Phase == ingest.Live, s.Code)
}

// whose is the account and binding of a device.
func (n *news) whose(d id.Device) (owner, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	o, ok := n.owners[d]
	return o, ok
}

// agreed is told that something was decided about a camera: its next state is news.
func (h *house) agreed(b id.Binding, a id.Account) {
	h.reports.Forget(b)
	if ref, ok, err := h.bindings().Find(context.Background(), b); err == nil && ok {
		h.connection(ref.Device, h.puller.State(ref.Device))
	}
	h.news.tell("camera.recording", a, b)
}
