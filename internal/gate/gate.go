package gate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/sqldb"
	"candor/internal/translog"
)

// permitFor is how long a permit opens things. What takes longer needs a lease.
const permitFor = 30 * time.Second

// People knows accounts and sessions.
type People interface {
	// Open reports whether the account exists and is not being closed.
	Open(ctx context.Context, t id.Tenant, a id.Account) (bool, error)
	// SignedIn reports whether the session is one of that account and has not ended.
	SignedIn(ctx context.Context, t id.Tenant, a id.Account, s id.Session) (bool, error)
}

// Relations knows whose camera it is.
type Relations interface {
	// Owner is the account the binding ties the device to; zero when there is none (any more).
	Owner(ctx context.Context, t id.Tenant, b id.Binding) (id.Account, error)
}

// Share is a right that an owner gave somebody and that holds now.
type Share struct {
	ID       id.Share
	From, To clock.Millis // the stretch of footage it reaches; 0: open on that side
	Until    clock.Millis // when it ends or pauses by itself: its expiry, or the end of today's hours; 0: never
}

// Shares knows who was let in by an owner.
type Shares interface {
	// Find is the share by which a member (Actor.Account) or a visitor (Actor.Link) may use the ability
	// with the owner's camera at that moment. A zero share with related set says that the camera may be
	// known to the actor, but not used like that (now). What is over is a problem of its own (link.over).
	Find(ctx context.Context, t id.Tenant, actor permit.Actor, owner id.Account, b id.Binding, a permit.Ability, at time.Time) (s Share, related bool, err error)
}

// Consent is a decision that is in force.
type Consent struct {
	Record   id.Consent
	TextHash string // what was read before saying yes
}

// Consents knows what people agreed to.
type Consents interface {
	// Given is the newest decision about that purpose and camera, and false unless it says yes.
	Given(ctx context.Context, t id.Tenant, s id.Subject, b id.Binding, p passport.Purpose) (Consent, bool, error)
}

// Policy is what the gate reads from the policy.
type Policy interface {
	Hash() string
	// Basis is the legal basis of a purpose, and false for a purpose the policy does not have.
	Basis(p passport.Purpose) (passport.Basis, bool)
	// Touches reports whether the purpose may touch that category.
	Touches(p passport.Purpose, c passport.Category) bool
	// Asked reports whether the text with that hash asks for consent to that purpose.
	Asked(p passport.Purpose, textHash string) bool
}

// Policies knows under which policy each person stands.
type Policies interface {
	Of(ctx context.Context, t id.Tenant, s id.Subject) (Policy, error)
}

// Records takes access records; Append returns when the record is durable.
type Records interface {
	Append(ctx context.Context, a translog.Access) error
}

// Request asks for a decision.
type Request struct {
	Tenant  id.Tenant
	Actor   permit.Actor
	Action  permit.Action
	Account id.Account // whose data; zero where a camera is named: its owner's
	Binding id.Binding // which camera, zero for none or all
	Client  string     // kind of client, for the access record ("Chrome on Android")
}

// Gate decides. Fill the exported fields, then Start.
type Gate struct {
	Issuer    *permit.Issuer
	Clock     clock.Clock
	Log       *slog.Logger
	DB        *sqldb.DB
	Bus       *bus.Bus
	Policy    Policy   // of the house: of a purpose that it does not have nothing happens for anybody
	Policies  Policies // of each person; nil: everybody stands under that of the house
	People    People
	Relations Relations
	Shares    Shares // nil: nobody is let in
	Consents  Consents
	Records   Records
	// Over reports whether the service has ended: then nothing happens any more but what people may ask for. Nil: never.
	Over func() bool

	mu       sync.Mutex
	leases   map[*entry]struct{}
	recorded map[recordKey]time.Time
	running  bool // between Start and Close
	paused   bool
	heard    time.Time // when the last heartbeat was heard
	seen     int64     // number of the last revocation acted upon

	catching sync.Mutex // one reader of revocations at a time; taken before mu
	subs     []*bus.Subscription
	cancel   context.CancelFunc
	loops    sync.WaitGroup
}

// Permit decides a request. The permit opens things for half a minute.
func (g *Gate) Permit(ctx context.Context, r Request) (permit.Permit, error) {
	r, err := g.address(ctx, r)
	if err != nil {
		return permit.Permit{}, err
	}
	grant, ru, err := g.decide(ctx, r)
	if err != nil {
		return permit.Permit{}, err
	}
	if err := g.record(ctx, r, ru, grant); err != nil {
		return permit.Permit{}, err
	}
	ends := grant.Expires // of the share; zero: never
	if grant.Expires = g.Clock.Now().Add(permitFor); !ends.IsZero() && ends.Before(grant.Expires) {
		grant.Expires = ends
	}
	return g.Issuer.Permit(grant), nil
}

// address finds whose data a request is about, where it names a camera only.
func (g *Gate) address(ctx context.Context, r Request) (Request, error) {
	if !r.Account.IsZero() || r.Binding.IsZero() || r.Tenant.IsZero() {
		return r, nil
	}
	owner, err := g.Relations.Owner(ctx, r.Tenant, r.Binding)
	if err != nil {
		return r, unsure(err)
	}
	r.Account = owner // zero when there is no such camera: decide answers that
	return r, nil
}

// decide is the whole decision. Every way out but the last is a refusal.
func (g *Gate) decide(ctx context.Context, r Request) (permit.Grant, rule, error) {
	ru, known := rules[r.Action]
	if !known || r.Tenant.IsZero() || r.Account.IsZero() || r.Binding.IsZero() && ru.camera == oneCamera || !r.Binding.IsZero() && ru.camera == noCamera {
		return permit.Grant{}, rule{}, problem.NotFound()
	}
	share, err := g.related(ctx, r, ru)
	if err != nil {
		return permit.Grant{}, rule{}, err
	}
	if g.ended(ru.purpose) {
		return permit.Grant{}, rule{}, problem.Gone("house.over")
	}
	grant := permit.Grant{
		Tenant: r.Tenant, Actor: r.Actor, Action: r.Action, Subject: id.SubjectOf(r.Account), Binding: r.Binding,
		Purpose: ru.purpose, Categories: ru.categories, Share: share.ID, From: share.From, To: share.To,
	}
	if share.Until != 0 {
		grant.Expires = share.Until.Time()
	}
	if err := g.grounds(ctx, &grant); err != nil {
		return permit.Grant{}, rule{}, err
	}
	//promise:P010
	if promise.Cut("P010") {
		grant.Categories = everything
	}
	return grant, ru, nil
}

// ended reports whether the purpose has ended with the service. Signing in, seeing, copying and deleting go on.
func (g *Gate) ended(p passport.Purpose) bool {
	return g.Over != nil && g.Over() && p != passport.Rights && p != passport.Account && p != passport.Security
}

// grounds finds out whether the policy that the person stands under, and where needed a consent, allow
// the purpose.
//
// promise:P241,P243,P245
func (g *Gate) grounds(ctx context.Context, grant *permit.Grant) error {
	basis, ok := g.Policy.Basis(grant.Purpose)
	if !ok && promise.Cut("P241") {
		return nil
	}
	if !ok {
		return unsure(fmt.Errorf("policy has no purpose %q", grant.Purpose))
	}
	if err := touches(g.Policy, grant); err != nil {
		return unsure(err)
	}
	holds, err := g.holds(ctx, grant, basis)
	if err != nil {
		return err
	}
	if grant.Basis, ok = holds.Basis(grant.Purpose); !ok || touches(holds, grant) != nil {
		return problem.Forbidden("policy.not_agreed").With("purpose", string(grant.Purpose))
	}
	grant.Policy = holds.Hash()
	switch grant.Basis {
	case passport.Contract, passport.Obligation:
		return nil
	case passport.Consent:
		if promise.Cut("P245") {
			return nil
		}
		asked := grant.Purpose // each purpose stands on its own
		if promise.Cut("P243") {
			asked = passport.Recording
		}
		given, yes, err := g.Consents.Given(ctx, grant.Tenant, grant.Subject, grant.Binding, asked)
		switch {
		case err != nil:
			return unsure(err)
		case !yes || given.Record.IsZero() || !holds.Asked(asked, given.TextHash):
			return problem.Forbidden("consent.needed").With("purpose", string(grant.Purpose))
		}
		grant.Consent = given.Record
		return nil
	}
	return unsure(fmt.Errorf("no rule for legal basis %q", grant.Basis))
}

// holds is the policy that the person stands under. What the law obliges us to do rests on nobody's
// agreement: it follows the policy of the house.
func (g *Gate) holds(ctx context.Context, grant *permit.Grant, basis passport.Basis) (Policy, error) {
	if g.Policies == nil || basis == passport.Obligation {
		return g.Policy, nil
	}
	holds, err := g.Policies.Of(ctx, grant.Tenant, grant.Subject)
	if err != nil {
		return nil, unsure(err)
	}
	return holds, nil
}

func touches(p Policy, grant *permit.Grant) error {
	for _, c := range grant.Categories {
		if !p.Touches(grant.Purpose, c) {
			return fmt.Errorf("policy does not let %q touch %q", grant.Purpose, c)
		}
	}
	return nil
}

func unsure(cause error) error { return problem.Unavailable("gate.unsure").Because(cause) }

// checkRules refuses to start under a policy that does not know what the rules need.
func (g *Gate) checkRules() error {
	var errs []error
	for action, ru := range rules {
		if _, ok := g.Policy.Basis(ru.purpose); !ok {
			errs = append(errs, fmt.Errorf("%s: policy has no purpose %q", action, ru.purpose))
		}
		for _, c := range ru.categories {
			if !g.Policy.Touches(ru.purpose, c) {
				errs = append(errs, fmt.Errorf("%s: policy does not let %q touch %q", action, ru.purpose, c))
			}
		}
	}
	return errors.Join(errs...)
}
