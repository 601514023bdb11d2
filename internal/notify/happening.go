package notify

import (
	"candor/internal/clock"
	"candor/internal/id"
)

// Kind is what people may choose to be told of.
type Kind string

// The kinds. Gap and GapOver are chosen together.
const (
	Motion  Kind = "motion"
	Gap     Kind = "gap"      // a camera that should be recorded is not
	GapOver Kind = "gap_over" // and is again
)

// chosen is the kind under which a kind is chosen.
func (k Kind) chosen() Kind {
	if k == GapOver {
		return Gap
	}
	return k
}

func (k Kind) known() bool { return k == Motion || k == Gap }

// Happening is something that happened in front of a camera or to it. It holds ids only.
type Happening struct {
	Tenant  id.Tenant
	Owner   id.Account
	Binding id.Binding
	Event   id.Row // whose moment and picture it is; zero: none
	Kind    Kind
	At      clock.Millis
}

type camera struct {
	tenant  id.Tenant
	binding id.Binding
	kind    Kind
}

// bundle is what a camera did since it was looked at last.
type bundle struct {
	count  int
	latest Happening
}

const mostHeard = 10_000 // cameras with something not yet looked at

// Hear takes a happening and never waits.
func (r *Room) Hear(h Happening) {
	r.mu.Lock()
	key := camera{h.Tenant, h.Binding, h.Kind}
	b := r.heard[key]
	if b == nil && len(r.heard) < mostHeard {
		b = &bundle{}
		r.heard[key] = b
	}
	if b != nil {
		b.count++
		b.latest = h
	}
	r.mu.Unlock()
	nudge(r.wake)
}
