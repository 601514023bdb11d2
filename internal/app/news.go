package app

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"candor/internal/app/door"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/permit"
	"candor/internal/station"
)

// news tells browsers that something about a camera changed: its id, no more. The browser asks
// for the rest through the gate.
type news struct {
	events  atomic.Pointer[httpapi.Events]
	members func(a id.Account, b id.Binding) []id.Account // whom a camera is shared with

	mu     sync.Mutex
	owners map[id.Device]owner
}

type owner struct {
	account id.Account
	binding id.Binding
}

// tell tells the browsers of a camera's owner, and of everybody it is shared with.
func (n *news) tell(kind string, a id.Account, b id.Binding) {
	n.only(kind, a, b)
	if n.events.Load() == nil || n.members == nil || b.IsZero() {
		return
	}
	for _, m := range n.members(a, b) {
		n.only(kind, m, b)
	}
}

// only tells the browsers of one account.
func (n *news) only(kind string, a id.Account, b id.Binding) {
	if events := n.events.Load(); events != nil {
		events.Publish(httpapi.Event{Type: kind, Account: a, Data: map[string]string{"camera_id": b.String()}})
	}
}

// camera tells that a camera's connection changed.
func (n *news) camera(d id.Device) {
	n.mu.Lock()
	o, ok := n.owners[d]
	n.mu.Unlock()
	if ok {
		n.tell("camera.state", o.account, o.binding)
	}
}

// know remembers whose device it is.
func (n *news) know(d id.Device, a id.Account, b id.Binding) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.owners == nil {
		n.owners = map[id.Device]owner{}
	}
	n.owners[d] = owner{a, b}
}

// knowing remembers whose device it is of every camera that is connected to.
type knowing struct {
	door.Bindings
	news *news
}

func (k knowing) Spec(ctx context.Context, p permit.Permit, r station.Ref) (ingest.Spec, error) {
	k.news.know(r.Device, r.Account, r.Binding)
	return k.Bindings.Spec(ctx, p, r)
}

// forget forgets an account's devices.
func (n *news) forget(a id.Account) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for d, o := range n.owners {
		if o.account == a {
			delete(n.owners, d)
		}
	}
}

// gone is told that an account is closed. When it was the last, set-up begins anew.
func (h *house) gone(a id.Account) {
	h.news.forget(a)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := h.beginSetup(ctx); err != nil {
		h.log.Warn("no set-up code", "err", err)
	}
}
