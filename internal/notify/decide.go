package notify

import (
	"context"
	"slices"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
	"candor/internal/promise"
)

// Notice is what the app is told: ids and counts, no names.
type Notice struct {
	Binding id.Binding
	Event   id.Row
	Kind    Kind
	Count   int
	At      clock.Millis
}

// Kinds of notices about the devices themselves.
const (
	DeviceGone    Kind = "device_gone"
	DeviceReached Kind = "device_reached" // a test arrived
)

// cooldown is how long a channel stays quiet after a message about a camera; what happens meanwhile
// is counted and told when it is over.
var cooldown = map[Channel]time.Duration{App: 5 * time.Second, Push: time.Minute, ByMail: 15 * time.Minute}

const (
	quiet     = 30 * time.Minute // after so long without anything a series is over
	tickEvery = time.Minute
)

type listener struct {
	tenant  id.Tenant
	account id.Account
	binding id.Binding
	kind    Kind // as chosen
}

// series is what one person is told about one camera under one tag.
type series struct {
	count  int
	since  clock.Millis
	last   time.Duration // when it grew, by Uptime
	latest Happening
	paces  map[Channel]*pace
}

type pace struct {
	next  time.Duration // from when on the channel may speak, by Uptime
	dirty bool          // something came meanwhile
}

// decide looks at what was heard and at what is due, and returns how long nothing will be.
func (r *Room) decide(ctx context.Context) time.Duration {
	r.mu.Lock()
	heard := r.heard
	r.heard = map[camera]*bundle{}
	r.mu.Unlock()
	for key, b := range heard {
		rows, err := r.listeners(ctx, key)
		if err != nil {
			r.Log.Error("nobody could be told", "binding", key.binding.String(), "err", err)
			continue
		}
		for _, row := range r.withOwner(rows, b.latest) {
			r.consider(ctx, b.latest, b.count, row)
		}
	}
	r.catchUp(ctx)
	if up := r.Uptime(); up-r.minute >= tickEvery || r.minute == 0 {
		r.minute = up
		r.tick(ctx)
		r.forget(up)
		r.prune(ctx)
	}
	return r.rest()
}

// withOwner leaves gaps to the owner alone, who is told in the app even without having chosen it.
func (r *Room) withOwner(rows []ruleRow, h Happening) []ruleRow {
	if h.Kind.chosen() != Gap {
		return rows
	}
	rows = slices.DeleteFunc(rows, func(w ruleRow) bool { return w.Account != h.Owner })
	if len(rows) == 0 && !h.Owner.IsZero() {
		rows = []ruleRow{{Account: h.Owner, Binding: h.Binding, Kind: string(Gap)}}
	}
	return rows
}

// consider tells one person of n more happenings (none: of those that waited), if they may be told
// and want to be now.
//
// promise:P078
func (r *Room) consider(ctx context.Context, h Happening, n int, row ruleRow) {
	who := listener{h.Tenant, row.Account, h.Binding, h.Kind.chosen()}
	if promise.Cut("P078") {
		return
	}
	told, err := r.Gate.Told(ctx, h.Tenant, row.Account, h.Binding)
	if err != nil {
		r.hush(who, err)
		return
	}
	own, err := r.Gate.Own(ctx, h.Tenant, row.Account)
	if err != nil {
		r.hush(who, err)
		return
	}
	rule, stop := Rule{Kind: Gap, Channels: []Channel{App}}, ""
	if row.Choice != nil {
		rules, stops, err := r.openRules(ctx, own, h.Tenant, []ruleRow{row})
		if err != nil {
			r.hush(who, err)
			return
		}
		rule, stop = rules[0], stops[0]
	}
	person, err := r.People.Who(ctx, own, h.Tenant, row.Account)
	if err != nil {
		r.hush(who, err)
		return
	}
	if !within(rule.Hours, person.local(h.At)) || r.paused(h.Tenant, row.Account, h.Binding) {
		r.hush(who, nil)
		return
	}
	now, count, since := r.grow(who, h, n, rule)
	if len(now) == 0 {
		return
	}
	name, err := r.Cameras.Name(ctx, told, h.Tenant, h.Binding)
	if err != nil {
		r.hush(who, err)
		return
	}
	m := message{Kind: h.Kind, Event: h.Event, At: h.At, Count: count, Since: since, Camera: name, Pictures: rule.Pictures, Stop: stop}
	for _, c := range now {
		if err := r.say(ctx, who, c, m); err != nil {
			r.Log.Error("a message is lost", "binding", h.Binding.String(), "transport", string(c), "err", err)
		}
	}
}

// hush lets go of what a person would have been told.
func (r *Room) hush(who listener, why error) {
	r.mu.Lock()
	delete(r.series, who)
	r.mu.Unlock()
	if p, ok := problem.Of(why); why != nil && (!ok || p.Status >= 500) {
		r.Log.Warn("somebody is not told", "binding", who.binding.String(), "err", why)
	}
}

// grow counts, and says which channels speak now.
func (r *Room) grow(who listener, h Happening, n int, rule Rule) (now []Channel, count int, since clock.Millis) {
	r.mu.Lock()
	defer r.mu.Unlock()
	up := r.Uptime()
	s := r.series[who]
	if s == nil || up-s.last >= quiet && n > 0 || h.Kind.chosen() == Gap {
		s = &series{since: h.At, paces: map[Channel]*pace{}}
		r.series[who] = s
	}
	if n > 0 {
		s.count += n
		s.last, s.latest = up, h
	}
	for _, c := range rule.Channels {
		if c == ByMail && rule.MailOff {
			continue
		}
		p := s.paces[c]
		if p == nil {
			p = &pace{}
			s.paces[c] = p
		}
		p.dirty = p.dirty || n > 0
		if p.dirty && up >= p.next {
			p.dirty, p.next = false, up+cooldown[c]
			now = append(now, c)
		}
	}
	return now, s.count, s.since
}

// catchUp tells what waited for the end of a cooldown.
func (r *Room) catchUp(ctx context.Context) {
	up := r.Uptime()
	type due struct {
		who listener
		h   Happening
	}
	var all []due
	r.mu.Lock()
	for who, s := range r.series {
		for _, p := range s.paces {
			if p.dirty && up >= p.next {
				all = append(all, due{who, s.latest})
				break
			}
		}
	}
	r.mu.Unlock()
	for _, d := range all {
		rows, err := r.listeners(ctx, camera{d.who.tenant, d.who.binding, d.who.kind})
		if err != nil {
			r.Log.Error("nobody could be told", "binding", d.who.binding.String(), "err", err)
			continue
		}
		i := slices.IndexFunc(rows, func(w ruleRow) bool { return w.Account == d.who.account })
		if i < 0 {
			r.hush(d.who, nil)
			continue
		}
		r.consider(ctx, d.h, 0, rows[i])
	}
}

// forget lets go of series that are over.
func (r *Room) forget(up time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for who, s := range r.series {
		if up-s.last >= quiet {
			delete(r.series, who)
		}
	}
	for token, t := range r.tests {
		if up-t.made >= testFor {
			delete(r.tests, token)
		}
	}
}

// rest is how long nothing is due.
func (r *Room) rest() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.heard) > 0 {
		return 0
	}
	up, wait := r.Uptime(), tickEvery
	for _, s := range r.series {
		for _, p := range s.paces {
			if p.dirty {
				wait = min(wait, max(p.next-up, time.Millisecond))
			}
		}
	}
	return wait
}
