package share

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Sealer seals and opens values; *seal.Keeper is one.
type Sealer interface {
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
}

// Gate is asked before terms open, and told when a share ends; *gate.Gate is one.
type Gate interface {
	Permit(ctx context.Context, r gate.Request) (permit.Permit, error)
	Revoke(ctx context.Context, r gate.Right) error
}

// Places knows sites and the cameras at them.
type Places interface {
	// Where is whose camera it is and the site it stands at; zero when there is no such camera.
	Where(ctx context.Context, t id.Tenant, b id.Binding) (owner id.Account, site id.Site, err error)
	// At lists the cameras of an owner that stand at a site.
	At(ctx context.Context, t id.Tenant, owner id.Account, s id.Site) ([]id.Binding, error)
	// Owns reports whether the site is that account's.
	Owns(ctx context.Context, t id.Tenant, owner id.Account, s id.Site) (bool, error)
	// Zone is the time zone of a site.
	Zone(ctx context.Context, p permit.Permit, t id.Tenant, owner id.Account, s id.Site) (*time.Location, error)
}

// Room keeps shares. Fill the fields and use it.
type Room struct {
	DB     *sqldb.DB
	Keeper Sealer
	Gate   Gate
	Places Places
	Clock  clock.Clock

	making sync.Mutex   // one new share at a time, so that limits hold
	latest atomic.Int64 // the latest moment seen: what is over stays over
}

var _ gate.Shares = (*Room)(nil)

// now is the latest moment the room has seen, so that a clock set back reopens nothing.
func (r *Room) now() clock.Millis {
	now := int64(clock.At(r.Clock.Now()))
	for {
		seen := r.latest.Load()
		if now <= seen {
			return clock.Millis(seen)
		}
		if r.latest.CompareAndSwap(seen, now) {
			return clock.Millis(now)
		}
	}
}

type row struct {
	ID        id.Share   `bun:"id"`
	Owner     id.Account `bun:"account_id"`
	Kind      string     `bun:"kind"`
	State     string     `bun:"state"`
	Site      id.Site    `bun:"site_id"`
	Binding   id.Binding `bun:"binding_id"`
	Abilities string     `bun:"abilities"`
	Terms     []byte     `bun:"terms"`
	About     []byte     `bun:"about"`
	Addressed []byte     `bun:"addressed"`
	AcceptBy  int64      `bun:"accept_ms"`
	Until     int64      `bun:"until_ms"`
	Created   int64      `bun:"created_ms"`
	Ended     int64      `bun:"ended_ms"`
	Member    id.Account `bun:"member_id"`
	Accepted  *int64     `bun:"accepted_ms"`
}

const columns = `s.id, s.account_id, s.kind, s.state, s.site_id, s.binding_id, s.abilities, s.terms, s.about, s.addressed, s.accept_ms, s.until_ms, s.created_ms, s.ended_ms,
	m.account_id AS member_id, m.accepted_ms`

const joinMember = " FROM share_share AS s LEFT JOIN share_member AS m ON m.tenant_id = s.tenant_id AND m.share_id = s.id "

// over reports whether a share has run out, whatever its state says.
func (w row) over(now clock.Millis) bool {
	return State(w.State) == Ended || w.Until != 0 && clock.Millis(w.Until) <= now || State(w.State) == Invited && clock.Millis(w.AcceptBy) <= now
}

func (w row) scope() Scope { return Scope{w.Site, w.Binding} }

// terms is the sealed part of what a share allows.
type terms struct {
	Hours Hours        `json:"hours,omitempty"`
	From  clock.Millis `json:"from,omitempty"`
	To    clock.Millis `json:"to,omitempty"`
}

// The passports of what this room seals. Their ids are part of the seals.
const (
	termsPassport passport.ID = "share.terms"
	aboutPassport passport.ID = "share.about"
	toldPassport  passport.ID = "share.told"
)

// place is where a value about an owner's share belongs. What is about one camera goes with its key.
func place(t id.Tenant, owner id.Account, b id.Binding, share id.Share, p passport.ID) seal.Place {
	c := passport.Contact
	if p == termsPassport {
		c = passport.Setting
	}
	return seal.Place{Tenant: t, Subject: id.SubjectOf(owner), Binding: b, Passport: p, Category: c, Row: id.RowOf(share)}
}

func toldPlace(t id.Tenant, member id.Account, share id.Share) seal.Place {
	return seal.Place{Tenant: t, Subject: id.SubjectOf(member), Passport: toldPassport, Category: passport.Contact, Row: id.RowOf(share)}
}

func (r *Room) sealJSON(ctx context.Context, at seal.Place, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	scope := seal.OfSubject(at.Tenant, at.Subject)
	if !at.Binding.IsZero() {
		scope = seal.OfBinding(at.Tenant, at.Subject, at.Binding)
	}
	return r.Keeper.Seal(ctx, scope, at, plain)
}

// open opens terms, or what else is sealed of shares, into the values given, in the order of rows.
func open[T any](ctx context.Context, r *Room, p permit.Permit, places []seal.Sealed) ([]T, error) {
	plain, err := r.Keeper.OpenAll(ctx, p, places)
	if err != nil {
		return nil, fmt.Errorf("open shares: %w", err)
	}
	out := make([]T, len(plain))
	for i, b := range plain {
		if err := json.Unmarshal(b, &out[i]); err != nil {
			return nil, fmt.Errorf("read share: %w", err)
		}
	}
	return out, nil
}

func (w row) sealedTerms(t id.Tenant) seal.Sealed {
	return seal.Sealed{Place: place(t, w.Owner, w.Binding, w.ID, termsPassport), Value: w.Terms}
}

func (w row) sealedAbout(t id.Tenant) seal.Sealed {
	return seal.Sealed{Place: place(t, w.Owner, w.Binding, w.ID, aboutPassport), Value: w.About}
}

// weigh is the permit that opens what an owner's shares say, for deciding and for telling the
// invited person.
func (r *Room) weigh(ctx context.Context, t id.Tenant, owner id.Account) (permit.Permit, error) {
	return r.Gate.Permit(ctx, gate.Request{Tenant: t, Actor: permit.System(gate.Sharing), Action: permit.ShareWeigh, Account: owner})
}

// may reports whether the permit was given for that action on one's own shares.
func (r *Room) may(p permit.Permit, t id.Tenant, a id.Account, action permit.Action) error {
	g, _ := p.Grant()
	if g.Action != action || g.Actor.Account != a {
		return problem.NotFound().Because(permit.ErrOther)
	}
	if err := p.Opens(t, id.SubjectOf(a), id.Binding{}, passport.Contact, r.Clock.Now()); err != nil {
		return problem.NotFound().Because(err)
	}
	return nil
}

// token makes a token and its hash.
func token() (text string, hash []byte) {
	var b [16]byte
	_, _ = rand.Read(b[:])
	text = base64.RawURLEncoding.EncodeToString(b[:])
	h, _ := hashed(text)
	return text, h
}

// hashed is what is kept of a token, and false for what cannot be one.
func hashed(text string) ([]byte, bool) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != 16 {
		return nil, false
	}
	h := sha256.Sum256(append([]byte("candor.share.token.1"), b...))
	return h[:], true
}

// addressed ties an e-mail address to an invite's token: who has only the database cannot try addresses.
func addressed(token, email string) []byte {
	mac := hmac.New(sha256.New, []byte("candor.share.addressed.1"+token))
	mac.Write([]byte(strings.ToLower(strings.TrimSpace(email))))
	return mac.Sum(nil)
}
