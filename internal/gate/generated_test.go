package gate

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/promise"
)

// drawn is a policy put together by chance.
type drawn struct {
	hash    string
	basis   map[passport.Purpose]passport.Basis
	touches map[passport.Purpose]map[passport.Category]bool
	texts   map[passport.Purpose]string // the one text it asks with
}

func (d drawn) Hash() string { return d.hash }

func (d drawn) Basis(p passport.Purpose) (passport.Basis, bool) {
	b, ok := d.basis[p]
	return b, ok
}

func (d drawn) Touches(p passport.Purpose, c passport.Category) bool { return d.touches[p][c] }

func (d drawn) Asked(p passport.Purpose, text string) bool { return text != "" && d.texts[p] == text }

// errand is what the model knows of an action. It is written down here a second time, so that nobody
// widens the rules unseen.
type errand struct {
	purpose passport.Purpose
	opens   []passport.Category
	system  string         // the part of the system that may; "": none
	owner   bool           // the owner may
	ability permit.Ability // who was given it may; "": nobody
}

var errands = map[permit.Action]errand{
	permit.CameraWatch:   {passport.Live, []passport.Category{passport.LiveMedia}, "", true, permit.LiveView},
	permit.CameraRead:    {passport.Live, []passport.Category{passport.DeviceData}, "", true, permit.See},
	permit.CameraChange:  {passport.Live, []passport.Category{passport.DeviceData}, "", true, ""},
	permit.CameraRecord:  {passport.Recording, []passport.Category{passport.Footage}, Recorder, false, ""},
	permit.FootageRead:   {passport.Recording, []passport.Category{passport.Footage, passport.Picture, passport.DeviceData}, "", true, permit.Playback},
	permit.FootageExport: {passport.Recording, []passport.Category{passport.Footage, passport.DeviceData}, "", true, permit.Export},
	permit.EventRead:     {passport.Motion, []passport.Category{passport.Event}, "", true, permit.Alarms},
	permit.CameraMotion:  {passport.Motion, []passport.Category{passport.LiveMedia, passport.Event, passport.DeviceData}, Motion, false, ""},
	permit.AlertPicture:  {passport.Pictures, []passport.Category{passport.Event, passport.Picture}, Notify, false, ""},
}

const unknownBasis passport.Basis = "eu-gdpr:A6-1-f"

// drawPolicy leaves a purpose out, takes a category from it, gives it a basis that nobody provided
// for, or changes the text, each now and then: most of what is drawn holds together.
func drawPolicy(rnd *rand.Rand, hash string) drawn {
	d := drawn{hash, map[passport.Purpose]passport.Basis{}, map[passport.Purpose]map[passport.Category]bool{}, map[passport.Purpose]string{}}
	for _, e := range errands {
		if d.touches[e.purpose] == nil {
			d.touches[e.purpose] = map[passport.Category]bool{}
		}
		for _, c := range e.opens {
			d.touches[e.purpose][c] = true
		}
	}
	for _, p := range slices.Sorted(maps.Keys(d.touches)) { // in order: a seed draws the same again
		touched := d.touches[p]
		d.texts[p] = fmt.Sprint(p, " text ", rnd.IntN(2))
		switch n := rnd.IntN(20); {
		case n == 0:
			continue // not listed
		case n == 1:
			d.basis[p] = unknownBasis
		case n < 5:
			d.basis[p] = passport.Contract
		case n < 8:
			d.basis[p] = passport.Obligation
		default:
			d.basis[p] = passport.Consent
		}
		for _, c := range slices.Sorted(maps.Keys(touched)) {
			if rnd.IntN(20) == 0 {
				delete(touched, c)
			}
		}
	}
	return d
}

func (d drawn) lets(e errand) bool {
	for _, c := range e.opens {
		if !d.touches[e.purpose][c] {
			return false
		}
	}
	return slices.Contains([]passport.Basis{passport.Consent, passport.Contract, passport.Obligation}, d.basis[e.purpose])
}

type personally map[id.Subject]drawn

func (p personally) Of(_ context.Context, _ id.Tenant, s id.Subject) (Policy, error) {
	return p[s], nil
}

// village is a world by chance, and the gate that decides in it.
type village struct {
	*world
	house    drawn
	own      personally
	people   []id.Account
	sessions []id.Session
	cameras  []id.Binding
	links    []id.Share
	clock    *clock.Virtual
}

func drawVillage(t *testing.T, rnd *rand.Rand) (*Gate, village) {
	t.Helper()
	v := village{world: newWorld(), house: drawPolicy(rnd, "house"), own: personally{}, clock: clock.NewVirtual(time.UnixMilli(1_800_000_000_000))}
	for n := range 3 {
		a, s := v.person()
		v.people, v.sessions = append(v.people, a), append(v.sessions, s)
		v.own[id.SubjectOf(a)] = drawPolicy(rnd, fmt.Sprint("of person ", n))
		for range rnd.IntN(3) {
			v.cameras = append(v.cameras, v.camera(a))
		}
	}
	v.cameras = append(v.cameras, v.camera(v.people[0]), id.Make[id.Binding]()) // the last is nobody's
	for _, b := range v.cameras {
		for _, a := range v.people {
			for _, p := range slices.Sorted(maps.Keys(v.house.touches)) {
				if rnd.IntN(3) > 0 {
					text := fmt.Sprint(p, " text ", rnd.IntN(2))
					v.consents[agreed{id.SubjectOf(a), b, p}] = Consent{id.Make[id.Consent](), text}
				}
			}
		}
		for _, guest := range []id.Account{v.people[rnd.IntN(3)], {}} {
			s := Share{From: clock.Millis(rnd.IntN(1000)), To: clock.Millis(1000 + rnd.IntN(1000))}
			if rnd.IntN(2) == 0 {
				s.Until = clock.At(v.clock.Now().Add(time.Duration(rnd.IntN(90)) * time.Second))
			}
			abilities := []permit.Ability{permit.LiveView, permit.Playback, permit.Alarms, permit.Export}
			got := v.share(guest, b, s, abilities[:rnd.IntN(5)]...)
			if guest.IsZero() {
				v.links = append(v.links, got)
			}
		}
	}
	if rnd.IntN(3) == 0 {
		v.open[v.people[rnd.IntN(3)]] = false
	}
	if rnd.IntN(3) == 0 {
		delete(v.world.sessions, v.sessions[rnd.IntN(3)])
	}
	g := node(t, v.world, nil, nil, v.clock)
	g.Policy, g.Policies = v.house, v.own
	return g, v
}

// expect is the model: the grant that somebody gets, and false for a refusal.
func (v village) expect(r Request) (permit.Grant, bool) {
	owner, bound := v.owners[r.Binding]
	e := errands[r.Action]
	want := permit.Grant{
		Tenant: r.Tenant, Actor: r.Actor, Action: r.Action, Subject: id.SubjectOf(owner), Binding: r.Binding,
		Purpose: e.purpose, Categories: e.opens, Expires: v.clock.Now().Add(30 * time.Second),
	}
	if !bound || !v.open[owner] || !r.Account.IsZero() && r.Account != owner {
		return permit.Grant{}, false
	}
	a := r.Actor
	if !a.Account.IsZero() && (!v.open[a.Account] || v.world.sessions[a.Session] != a.Account) {
		return permit.Grant{}, false
	}
	switch {
	case a.System != "":
		if a.System != e.system {
			return permit.Grant{}, false
		}
	case a.Account == owner:
		if !e.owner {
			return permit.Grant{}, false
		}
	default:
		s, given := v.shares[shared{a.Account, a.Link, r.Binding}][e.ability]
		if !given || s.Until != 0 && !v.clock.Now().Before(s.Until.Time()) {
			return permit.Grant{}, false
		}
		want.Share, want.From, want.To = s.ID, s.From, s.To
		if s.Until != 0 && s.Until.Time().Before(want.Expires) {
			want.Expires = s.Until.Time()
		}
	}
	stands := v.own[want.Subject]
	if v.house.basis[e.purpose] == passport.Obligation {
		stands = v.house // what the law asks rests on nobody's agreement
	}
	if _, listed := v.house.basis[e.purpose]; !listed || !v.house.touchesAll(e) || !stands.lets(e) {
		return permit.Grant{}, false
	}
	want.Policy, want.Basis = stands.hash, stands.basis[e.purpose]
	if want.Basis == passport.Consent {
		c, yes := v.consents[agreed{want.Subject, r.Binding, e.purpose}]
		if !yes || c.TextHash != stands.texts[e.purpose] {
			return permit.Grant{}, false
		}
		want.Consent = c.Record
	}
	return want, true
}

func (d drawn) touchesAll(e errand) bool {
	return !slices.ContainsFunc(e.opens, func(c passport.Category) bool { return !d.touches[e.purpose][c] })
}

// Under policies, among people, cameras and shares drawn by chance, the gate grants what the model
// grants to the last field (the consent and the version of the policy that allow it among them), and
// nothing else.
func TestGateGrantsWhatTheModelDoesUnderDrawnPolicies(t *testing.T) {
	promise.Proves(t, "P019", "P241", "P243", "P245")
	granted, refused := map[passport.Basis]int{}, 0
	shared := 0
	for seed := range uint64(150) {
		rnd := rand.New(rand.NewPCG(seed, 27))
		g, v := drawVillage(t, rnd)
		for range 3 {
			for _, r := range v.everyRequest() {
				want, may := v.expect(r)
				p, err := g.Permit(context.Background(), r)
				got, ok := p.Grant()
				switch {
				case (err == nil) != may:
					t.Fatalf("seed %d: %s by %+v: %v, the model says %v", seed, r.Action, r.Actor, err, may)
				case !may && (p != permit.Permit{} || code(err) == "ok"):
					t.Fatalf("seed %d: %s by %+v: refused, and yet a permit", seed, r.Action, r.Actor)
				case !may:
					refused++
				case !ok || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want):
					t.Fatalf("seed %d: granted\n%+v\nthe model says\n%+v", seed, got, want)
				default:
					granted[got.Basis]++
					if !got.Share.IsZero() {
						shared++
					}
				}
			}
			v.clock.Advance(time.Duration(rnd.IntN(60)) * time.Second)
		}
	}
	t.Logf("granted %v, of these %d by a share; refused %d", granted, shared, refused)
	if granted[passport.Consent] == 0 || granted[passport.Contract] == 0 || granted[passport.Obligation] == 0 || shared == 0 || refused == 0 || len(granted) != 3 {
		t.Error("the histories leave a way unvisited")
	}
}

// everyRequest is every action with every camera by everybody, also in a session of somebody else, and
// also with the camera passed off as that of each person.
func (v village) everyRequest() []Request {
	actors := []permit.Actor{permit.System(Recorder), permit.System(Motion), permit.System(Notify), permit.Visitor(id.Make[id.Share]())}
	for i, a := range v.people {
		actors = append(actors, permit.Person(a, v.sessions[i]), permit.Person(a, v.sessions[(i+1)%len(v.people)]))
	}
	for _, l := range v.links {
		actors = append(actors, permit.Visitor(l))
	}
	var all []Request
	for action := range errands {
		for _, b := range v.cameras {
			for _, a := range actors {
				for _, whose := range append(v.people, id.Account{}) {
					all = append(all, Request{Tenant: id.DefaultTenant, Actor: a, Action: action, Account: whose, Binding: b})
				}
			}
		}
	}
	return all
}
