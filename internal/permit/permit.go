// Package permit is the gate's answer in a form that cannot be forged inside the program.
//
// A Permit has no exported fields and only an Issuer makes one; app makes the one Issuer and
// hands it to gate (a dependency test names both). seal opens nothing without a Permit whose
// tenant, subject, category and time fit: no permit, no plaintext. A Lease is a permit that
// lasts, for streams and background work: it owns a context and one atomic state that every
// write of media reads, without a lock and without a call.
//
// The package knows nothing of HTTP, SQL or codecs.
package permit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/promise"
)

// Actor is who asks: a person in a session, a visitor with a link, or a part of the system doing
// background work. It is one of the three and no two of them.
type Actor struct {
	Account id.Account // zero for a visitor and for the system
	Session id.Session
	Link    id.Share // the link a visitor without an account holds
	System  string   // "recorder", "retention", "rights": empty for a person
}

// Person is the actor behind a signed-in session.
func Person(a id.Account, s id.Session) Actor { return Actor{Account: a, Session: s} }

// Visitor is the actor who holds a link and has no account.
func Visitor(link id.Share) Actor { return Actor{Link: link} }

// System is the actor of background work.
func System(name string) Actor { return Actor{System: name} }

// Action is what the actor wants to do, noun first: "camera.watch".
type Action string

// The actions of this build.
const (
	AccountRead   Action = "account.read"
	AccountChange Action = "account.change"
	AccountErase  Action = "account.erase"
	AccountSignIn Action = "account.sign_in" // system: compare a password with its verifier
	AccountMail   Action = "account.mail"    // system: read where to write to, and a letter that waits
	CameraList    Action = "camera.list"
	CameraAdd     Action = "camera.add"
	CameraRead    Action = "camera.read"
	CameraChange  Action = "camera.change"
	CameraErase   Action = "camera.erase"
	CameraPull    Action = "camera.pull"    // system: connect to the camera
	CameraWatch   Action = "camera.watch"   // live picture and sound
	CameraStill   Action = "camera.still"   // one picture
	CameraRecord  Action = "camera.record"  // system: keep footage
	CameraReport  Action = "camera.report"  // system: write down how the connection is
	CameraReports Action = "camera.reports" // read these reports
	CameraMotion  Action = "camera.motion"  // system: look for movement and keep events
	FootageRead   Action = "footage.read"   // timeline, playback, cut
	FootageExport Action = "footage.export" // footage as a file
	FootageErase  Action = "footage.erase"
	EventList     Action = "event.list"     // when something moved
	EventRead     Action = "event.read"     // one event and its picture
	AlertRead     Action = "alert.read"     // one's own rules, devices, pauses and what was sent
	AlertChange   Action = "alert.change"   // the same
	AlertChoose   Action = "alert.choose"   // to be told of a camera
	AlertSend     Action = "alert.send"     // system: what is kept for who is told
	AlertName     Action = "alert.name"     // system: what a camera is called, for a message about it
	AlertPicture  Action = "alert.picture"  // system: a picture may go along
	PushSend      Action = "push.send"      // system: by the push service of somebody's browser
	PrivacyRead   Action = "privacy.read"   // inventory, access records, consents
	PrivacyExport Action = "privacy.export" // everything that is held, as a copy
	ConsentChange Action = "consent.change"
	ShareRead     Action = "share.read"   // whom one let in, and what was shared with one
	ShareChange   Action = "share.change" // invite, make a link, take back, leave
	ShareWeigh    Action = "share.weigh"  // system: read what a share says, to decide or to tell the invited person
)

// Ability is what a share lets its holder do. An owner has them all.
type Ability string

// The abilities. Every share of a camera includes See: that it is there, its name, and how it is.
const (
	See      Ability = "see"
	LiveView Ability = "live"     // pictures and sound as they are now
	Playback Ability = "playback" // footage, within the share's window
	Talk     Ability = "talk"     // speak through the camera
	Alarms   Ability = "alarms"   // events and being told of them
	Export   Ability = "export"   // footage as a file
)

// Grant is what a permit permits. The gate fills it; everybody else may only read it.
type Grant struct {
	Tenant     id.Tenant
	Actor      Actor
	Action     Action
	Subject    id.Subject // the person whose data may open
	Binding    id.Binding // zero when no camera is concerned
	Purpose    passport.Purpose
	Categories []passport.Category // what may open
	Basis      passport.Basis
	Consent    id.Consent   // the record that allows it, when Basis is consent
	Share      id.Share     // the share it rests on; zero for the owner and the system
	From, To   clock.Millis // the stretch of footage it reaches; 0: open on that side
	Policy     string       // hash of the policy version that allows it
	Expires    time.Time
}

// Window is the part of a stretch of footage that the grant reaches, and false when that is none.
func (g Grant) Window(from, to clock.Millis) (clock.Millis, clock.Millis, bool) {
	from = max(from, g.From)
	if g.To != 0 {
		to = min(to, g.To)
	}
	return from, to, from < to
}

// Permit lets one actor open one subject's values of some categories for one purpose, for a
// short time. The zero Permit opens nothing.
type Permit struct{ grant *Grant }

// Refusals, for errors.Is.
var (
	ErrNone    = errors.New("no permit")
	ErrExpired = errors.New("permit expired")
	ErrOther   = errors.New("permit is for something else")
	ErrEnded   = errors.New("lease ended")
)

// Grant is a copy of what the permit permits, and false for the zero Permit.
func (p Permit) Grant() (Grant, bool) {
	if p.grant == nil {
		return Grant{}, false
	}
	g := *p.grant
	g.Categories = slices.Clone(g.Categories)
	return g, true
}

// Opens reports why p does not open a value of that tenant, subject, binding and category at
// that time; nil means that it does. A permit about one camera opens only values of that camera
// and values of no camera; a permit about no camera opens those of each of the subject's.
//
// promise:P242
func (p Permit) Opens(t id.Tenant, s id.Subject, b id.Binding, c passport.Category, at time.Time) error {
	switch {
	case p.grant == nil:
		return ErrNone
	case !at.Before(p.grant.Expires):
		return ErrExpired
	case p.grant.Tenant != t || p.grant.Subject != s || s.IsZero():
		return fmt.Errorf("%w: another person's data", ErrOther)
	case !b.IsZero() && !p.grant.Binding.IsZero() && b != p.grant.Binding:
		return fmt.Errorf("%w: another camera", ErrOther)
	case !slices.Contains(p.grant.Categories, c) && !promise.Cut("P242"):
		return fmt.Errorf("%w: %s does not open %s", ErrOther, p.grant.Action, c)
	}
	return nil
}

// Issuer makes permits. There is one in the program.
type Issuer struct{ clock clock.Clock }

// NewIssuer is called once, by app.
func NewIssuer(c clock.Clock) *Issuer { return &Issuer{clock: c} }

// Permit makes the permit of a grant.
func (i *Issuer) Permit(g Grant) Permit {
	g.Categories = slices.Clone(g.Categories)
	return Permit{grant: &g}
}

// Lease makes a lasting permit whose context descends from parent. Its Expires is moved along
// while it is open: a lease ends by being ended, not by age.
func (i *Issuer) Lease(parent context.Context, g Grant) *Lease {
	g.Categories = slices.Clone(g.Categories)
	ctx, cancel := context.WithCancelCause(parent)
	return &Lease{grant: &g, ctx: ctx, cancel: cancel, clock: i.clock}
}

// leasedPermit is how long a permit taken from an open lease opens things.
const leasedPermit = time.Minute

// State of a lease.
type State int32

// The states. A paused lease delivers nothing and may open again; an ended one never does.
const (
	Open State = iota
	Paused
	Ended
)

// Lease is a permit that lasts.
type Lease struct {
	grant  *Grant
	clock  clock.Clock
	ctx    context.Context
	cancel context.CancelCauseFunc
	state  atomic.Int32

	mu    sync.Mutex
	onEnd []func()
}

// State is one atomic load: read it at every write.
func (l *Lease) State() State { return State(l.state.Load()) }

// Context ends when the lease does; context.Cause tells why.
func (l *Lease) Context() context.Context { return l.ctx }

// Grant is a copy of what the lease permits.
func (l *Lease) Grant() Grant {
	g, _ := Permit{grant: l.grant}.Grant()
	return g
}

// Permit is a short permit for what the lease permits, or the zero Permit unless it is open.
func (l *Lease) Permit() Permit {
	if l.State() != Open || l.ctx.Err() != nil {
		return Permit{}
	}
	g := *l.grant
	g.Expires = l.clock.Now().Add(leasedPermit)
	return Permit{grant: &g}
}

// OnEnd has f called once when the lease ends, or at once if it has ended. Use it to zero keys.
func (l *Lease) OnEnd(f func()) {
	l.mu.Lock()
	if l.State() != Ended {
		l.onEnd = append(l.onEnd, f)
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	f()
}

// Pause stops delivery until Resume; the gate calls it when it hears no heartbeat.
func (l *Lease) Pause() { l.state.CompareAndSwap(int32(Open), int32(Paused)) }

// Resume opens a paused lease again.
func (l *Lease) Resume() { l.state.CompareAndSwap(int32(Paused), int32(Open)) }

// End ends the lease for good. The first cause stays.
func (l *Lease) End(cause error) {
	if cause == nil {
		cause = ErrEnded
	}
	l.mu.Lock()
	if l.State() == Ended {
		l.mu.Unlock()
		return
	}
	l.state.Store(int32(Ended))
	end := l.onEnd
	l.onEnd = nil
	l.mu.Unlock()
	l.cancel(cause)
	for _, f := range end {
		f()
	}
}
