package gate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/promise"
)

// model says in a few lines what the gate should answer. It shares no code with it.
type model struct {
	owner    map[int]int     // camera → person
	recorded map[[2]int]bool // person, camera → said yes
	in       map[int]bool    // person is signed in
	closed   map[int]bool
	shares   map[[2]int]given // guest, camera
}

// given is what one person was given of another's camera.
type given struct {
	id      id.Share
	ability permit.Ability
}

// lets says whether a guest may use an action of a camera that its owner shared with them.
func (m model) lets(guest, camera int, action permit.Action) bool {
	owner := m.owner[camera]
	s, ok := m.shares[[2]int{guest, camera}]
	if !ok || owner < 0 || owner == guest || m.closed[owner] || m.closed[guest] || !m.in[guest] {
		return false
	}
	switch action {
	case permit.CameraWatch:
		return s.ability == permit.LiveView
	case permit.FootageRead:
		return s.ability == permit.Playback && m.recorded[[2]int{owner, camera}]
	}
	return false
}

func (m model) may(person, camera int, action permit.Action, system bool) bool {
	owns := m.owner[camera] == person
	if !system && !owns {
		return m.lets(person, camera, action)
	}
	switch {
	case m.closed[person] || !system && !m.in[person]:
		return false
	case action == permit.CameraWatch && !system:
		return owns
	case action == permit.CameraPull && system:
		return owns
	case action == permit.FootageRead && !system, action == permit.CameraRecord && system:
		return owns && m.recorded[[2]int{person, camera}]
	}
	return false
}

type held struct {
	person, camera int
	action         permit.Action
	system         bool
	lease          *permit.Lease
}

// Random histories of consenting, withdrawing, binding, removing, signing out and closing: after every
// step the gate answers as the model does, and exactly the leases the model allows are open.
func TestGateAgreesWithTheModel(t *testing.T) {
	promise.Proves(t, "P019", "P245", "P278")
	g, w := started(t, sqlite(t))
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) { history(t, g, w, rand.New(rand.NewPCG(seed, 7))) })
	}
}

func history(t *testing.T, g *Gate, w *world, rnd *rand.Rand) {
	const people, cameras = 3, 3
	m := model{map[int]int{}, map[[2]int]bool{}, map[int]bool{}, map[int]bool{}, map[[2]int]given{}}
	var accounts [people]id.Account
	var sessions [people]id.Session
	var bindings [cameras]id.Binding
	for i := range people {
		accounts[i], sessions[i] = w.person()
		m.in[i] = true
	}
	for i := range cameras {
		bindings[i] = id.Make[id.Binding]()
		m.owner[i] = -1
	}
	revoke := func(r Right) {
		r.Tenant = id.DefaultTenant
		if err := g.Revoke(context.Background(), r); err != nil {
			t.Fatal(err)
		}
	}
	actions := []permit.Action{permit.CameraWatch, permit.CameraPull, permit.FootageRead, permit.CameraRecord}
	systems := map[permit.Action]string{permit.CameraPull: Ingest, permit.CameraRecord: Recorder, permit.CameraWatch: Recorder, permit.FootageRead: Ingest}
	var leases []held
	for step := range 120 {
		p, c := rnd.IntN(people), rnd.IntN(cameras)
		var what string
		switch n := rnd.IntN(130); {
		case n < 30:
			what = "consent"
			w.consent(t, accounts[p], bindings[c])
			m.recorded[[2]int{p, c}] = true
		case n < 45:
			what = "withdraw"
			w.withdraw(accounts[p], bindings[c])
			revoke(Right{Subject: id.SubjectOf(accounts[p]), Binding: bindings[c], Purpose: passport.Recording})
			delete(m.recorded, [2]int{p, c})
		case n < 75:
			what = "bind"
			if m.owner[c] == -1 {
				w.do(func() { w.owners[bindings[c]] = accounts[p] })
				m.owner[c] = p
			}
		case n < 85:
			what = "remove"
			if owner := m.owner[c]; owner >= 0 {
				w.do(func() { delete(w.owners, bindings[c]) })
				for guest := range people { // what was shared of it is over with it
					w.do(func() { delete(w.shares, shared{accounts[guest], id.Share{}, bindings[c]}) })
					delete(m.shares, [2]int{guest, c})
				}
				revoke(Right{Subject: id.SubjectOf(accounts[owner]), Binding: bindings[c]})
				m.owner[c] = -1
			}
		case n < 92:
			what = "sign out"
			w.do(func() { delete(w.sessions, sessions[p]) })
			revoke(Right{Session: sessions[p]})
			m.in[p] = false
		case n < 98:
			what = "sign in"
			if m.in[p] {
				break
			}
			sessions[p] = id.Make[id.Session]()
			w.do(func() { w.sessions[sessions[p]] = accounts[p] })
			m.in[p] = true
		case n >= 115: // share, or change what was shared: the old share ends first
			what = "share"
			if m.owner[c] < 0 || m.owner[c] == p {
				break
			}
			key := shared{accounts[p], id.Share{}, bindings[c]}
			if old, ok := m.shares[[2]int{p, c}]; ok {
				w.do(func() { delete(w.shares, key) })
				revoke(Right{Share: old.id})
			}
			s := given{id.Make[id.Share](), []permit.Ability{permit.LiveView, permit.Playback, permit.Alarms}[rnd.IntN(3)]}
			w.share(accounts[p], bindings[c], Share{ID: s.id}, s.ability)
			m.shares[[2]int{p, c}] = s
		case n >= 100:
			what = "take a share back"
			s, ok := m.shares[[2]int{p, c}]
			if !ok {
				break
			}
			w.do(func() { delete(w.shares, shared{accounts[p], id.Share{}, bindings[c]}) })
			revoke(Right{Share: s.id})
			delete(m.shares, [2]int{p, c})
		default:
			what = "close"
			if step > 60 {
				w.do(func() { w.open[accounts[p]] = false })
				revoke(Right{Subject: id.SubjectOf(accounts[p])})
				revoke(Right{Actor: accounts[p]})
				m.closed[p] = true
			}
		}
		kept := leases[:0]
		for _, h := range leases {
			open, may := h.lease.State() == permit.Open, m.may(h.person, h.camera, h.action, h.system)
			if open != may {
				t.Fatalf("step %d, %s: lease of %s is open %v, model says %v", step, what, h.action, open, may)
			}
			if open {
				kept = append(kept, h)
			}
		}
		leases = kept
		for range 6 {
			h := held{person: rnd.IntN(people), camera: rnd.IntN(cameras), action: actions[rnd.IntN(len(actions))], system: rnd.IntN(2) == 0}
			actor := permit.Person(accounts[h.person], sessions[h.person])
			if h.system {
				actor = permit.System(systems[h.action])
			}
			r := Request{Tenant: id.DefaultTenant, Actor: actor, Action: h.action, Binding: bindings[h.camera]}
			if h.system {
				r.Account = accounts[h.person]
			}
			want := m.may(h.person, h.camera, h.action, h.system)
			if pm, err := g.Permit(context.Background(), r); (err == nil) != want || (pm != permit.Permit{}) != want {
				t.Fatalf("step %d, %s: permit for %s by system %v: %v, model says %v", step, what, h.action, h.system, err, want)
			}
			lease, err := g.Lease(context.Background(), r)
			if (err == nil) != want {
				t.Fatalf("step %d, %s: lease for %s by system %v: %v, model says %v", step, what, h.action, h.system, err, want)
			}
			if h.lease = lease; lease != nil {
				leases = append(leases, h)
			}
		}
	}
	for _, h := range leases {
		h.lease.End(nil)
	}
}
