package consent

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/uptrace/bun"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Made tells that somebody decided; the resource is the camera, or the person where it is about none.
const Made bus.Type = "consent.record.made"

// Sealer seals and opens values; *seal.Keeper is one.
type Sealer interface {
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
}

// Policy is what this room reads from the policy; *policy.Policy is one.
type Policy interface {
	Hash() string
	// ConsentHash reports whether hash is that of a text that asks for consent to the purpose, and its language.
	ConsentHash(p passport.Purpose, hash string) (lang string, ok bool)
	// ConsentText is a text that asks for it, empty for a purpose that does not rest on consent.
	ConsentText(p passport.Purpose, lang string) (text, hash string)
}

// Room keeps the records. Fill the fields and use it.
type Room struct {
	DB     *sqldb.DB
	Keeper Sealer
	Outbox *bus.Outbox
	Policy Policy // of the house
	Clock  clock.Clock
	// Versions knows under which version each person stands; nil: all under that of the house.
	Versions *Versions

	writing sync.Mutex // one record at a time gets the next number; a second node's loser meets the primary key
	// Commit enters a record into the privacy log, in the transaction that writes it, and gives back what proves it; may be nil.
	Commit func(ctx context.Context, tx bun.IDB, statement any) (leaf id.Row, opening []byte, err error)
}

var _ gate.Consents = (*Room)(nil)

// Under is the policy that a person stands under, whose questions they are asked.
func (r *Room) Under(ctx context.Context, t id.Tenant, s id.Subject) (Policy, error) {
	if r.Versions == nil {
		return r.Policy, nil
	}
	st, _, err := r.Versions.Standing(ctx, t, s)
	return st, err
}

// Record keeps a decision and returns its record's id. Saying again what holds already makes no
// new record, except that a consent under a new text or policy does.
//
// Problems: consent.unknown_purpose, consent.text_changed (show the new text and ask again),
// consent.not_given (nothing to withdraw), consent.state, policy.not_agreed (the purpose is new in a
// version that the person has not agreed to).
func (r *Room) Record(ctx context.Context, d Decision) (id.Consent, error) {
	if d.Tenant.IsZero() || d.Subject.IsZero() || d.Actor == (permit.Actor{}) {
		return id.Consent{}, errors.New("consent: a decision needs a person and who said it")
	}
	under, err := r.Under(ctx, d.Tenant, d.Subject)
	if err != nil {
		return id.Consent{}, err
	}
	if text, _ := under.ConsentText(d.Purpose, ""); text == "" {
		if text, _ := r.Policy.ConsentText(d.Purpose, ""); text != "" {
			return id.Consent{}, problem.Forbidden("policy.not_agreed").With("purpose", string(d.Purpose))
		}
		return id.Consent{}, problem.Invalid("consent.unknown_purpose")
	}
	lang, known := under.ConsentHash(d.Purpose, d.TextHash)
	switch d.State {
	case Given:
		if !known {
			return id.Consent{}, problem.Conflict("consent.text_changed")
		}
	case Refused, Withdrawn: // no is no, whatever the text on the screen was
		if !known {
			d.TextHash = ""
		}
	default:
		return id.Consent{}, problem.Invalid("consent.state")
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	made, record := id.Make[id.Consent](), id.Consent{}
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		held, err := newest(ctx, tx, d.Tenant, d.Subject, d.Binding, d.Purpose)
		if err != nil {
			return err
		}
		later, err := single(ctx, tx, d.Tenant, d.Subject, d.Binding, d.Purpose, held.N)
		if err != nil {
			return err
		}
		given, alone := State(held.State) == Given || slices.Contains(later, Given), len(later) == 0
		if d.State == Refused && given { // no to what was agreed takes it back
			d.State = Withdrawn
		}
		switch {
		case alone && State(held.State) == d.State && (d.State == Withdrawn || held.TextHash == d.TextHash && held.PolicyHash == under.Hash()):
			record = held.ID
			return nil
		case d.State == Withdrawn && !given:
			return problem.Conflict("consent.not_given")
		}
		record = made
		return r.insert(ctx, tx, d, made, lang, under.Hash())
	})
	if err != nil {
		return id.Consent{}, fmt.Errorf("record consent: %w", err)
	}
	return record, nil
}

func (r *Room) insert(ctx context.Context, tx bun.Tx, d Decision, made id.Consent, lang, policyHash string) error {
	kept := details{At: clock.At(r.Clock.Now()), Language: lang, How: d.How, Account: d.Actor.Account, Session: d.Actor.Session}
	var leaf []byte
	if r.Commit != nil {
		stated := Record{
			ID: made, Binding: d.Binding, Purpose: d.Purpose, State: d.State, TextHash: d.TextHash, PolicyHash: policyHash, Language: lang, How: d.How, Account: kept.Account, At: kept.At,
		}
		at, opening, err := r.Commit(ctx, tx, stated.Standard(d.Subject))
		if err != nil {
			return err
		}
		leaf, kept.Opening = at[:], opening
	}
	plain, err := json.Marshal(kept)
	if err != nil {
		return err
	}
	sealed, err := r.Keeper.Seal(ctx, seal.OfSubject(d.Tenant, d.Subject), place(d.Tenant, d.Subject, made), plain)
	if err != nil {
		return err
	}
	if _, err := tx.NewRaw(`INSERT INTO consent_record (tenant_id, subject_id, n, record_id, purpose, binding_id, state, text_hash, policy_hash, details, leaf_id)
		SELECT ?, ?, coalesce(max(n), 0) + 1, ?, ?, ?, ?, ?, ?, ?, ? FROM consent_record WHERE tenant_id = ? AND subject_id = ?`,
		d.Tenant, d.Subject, made, string(d.Purpose), d.Binding[:], string(d.State), d.TextHash, policyHash, []byte(sealed), leaf, d.Tenant, d.Subject).Exec(ctx); err != nil {
		return err
	}
	about := id.RowOf(d.Subject)
	if !d.Binding.IsZero() {
		about = id.RowOf(d.Binding)
	}
	return r.Outbox.Add(ctx, tx, r.Outbox.Bus.Say(Made, d.Tenant, about))
}

// newest is the record that holds: the newest about the camera or about all of them, and a row of
// state none where there is none.
func newest(ctx context.Context, db bun.IDB, t id.Tenant, s id.Subject, b id.Binding, p passport.Purpose) (row, error) {
	var found row
	all := id.Binding{}
	err := db.NewRaw("SELECT "+columns+" FROM consent_record WHERE tenant_id = ? AND subject_id = ? AND purpose = ? AND binding_id IN (?, ?) ORDER BY n DESC LIMIT 1",
		t, s, string(p), b[:], all[:]).Scan(ctx, &found)
	if errors.Is(err, sql.ErrNoRows) {
		return row{State: string(None)}, nil
	}
	return found, err
}

// single is what holds about each camera that was decided about by itself after record n, which is
// about all of them; for one camera there is nothing to add.
func single(ctx context.Context, db bun.IDB, t id.Tenant, s id.Subject, b id.Binding, p passport.Purpose, n int64) ([]State, error) {
	if !b.IsZero() {
		return nil, nil
	}
	var states []State
	err := db.NewRaw(`SELECT state FROM consent_record AS c WHERE tenant_id = ? AND subject_id = ? AND purpose = ? AND n > ? AND NOT EXISTS (
		SELECT 1 FROM consent_record AS later WHERE later.tenant_id = c.tenant_id AND later.subject_id = c.subject_id AND
			later.purpose = c.purpose AND later.binding_id = c.binding_id AND later.n > c.n)`,
		t, s, string(p), n).Scan(ctx, &states)
	return states, err
}

// Any reports whether there is something to take back: the camera's consent, or, for the zero binding,
// that of any camera.
func (r *Room) Any(ctx context.Context, t id.Tenant, s id.Subject, b id.Binding, p passport.Purpose) (bool, error) {
	held, err := newest(ctx, r.DB.Read, t, s, b, p)
	if err != nil {
		return false, err
	}
	later, err := single(ctx, r.DB.Read, t, s, b, p, held.N)
	return State(held.State) == Given || slices.Contains(later, Given), err
}

// State is what holds about a purpose and a camera, or, for the zero binding, about all.
func (r *Room) State(ctx context.Context, t id.Tenant, s id.Subject, b id.Binding, p passport.Purpose) (State, error) {
	held, err := newest(ctx, r.DB.Read, t, s, b, p)
	return State(held.State), err
}

// Given answers the gate.
//
// promise:P278
func (r *Room) Given(ctx context.Context, t id.Tenant, s id.Subject, b id.Binding, p passport.Purpose) (gate.Consent, bool, error) {
	held, err := newest(ctx, r.DB.Read, t, s, b, p)
	if err != nil {
		return gate.Consent{}, false, err
	}
	if State(held.State) != Given && !(promise.Cut("P278") && State(held.State) == Withdrawn) {
		return gate.Consent{}, false, nil
	}
	return gate.Consent{Record: held.ID, TextHash: held.TextHash}, true, nil
}

// Current lists the newest record of each purpose and camera, newest first. Of the one about a camera
// and the one about all, the newer holds for that camera.
func (r *Room) Current(ctx context.Context, p permit.Permit, t id.Tenant, s id.Subject) ([]Record, error) {
	all, err := r.History(ctx, p, t, s)
	seen, current := map[string]bool{}, all[:0]
	for _, rec := range all {
		key := string(rec.Purpose) + rec.Binding.Hex()
		if !seen[key] {
			seen[key], current = true, append(current, rec)
		}
	}
	return current, err
}

// History lists every decision of a person, newest first.
func (r *Room) History(ctx context.Context, p permit.Permit, t id.Tenant, s id.Subject) ([]Record, error) {
	var rows []row
	err := r.DB.Read.NewRaw("SELECT "+columns+" FROM consent_record WHERE tenant_id = ? AND subject_id = ? ORDER BY n DESC", t, s).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	sealed := make([]seal.Sealed, len(rows))
	for i, w := range rows {
		sealed[i] = seal.Sealed{Place: place(t, s, w.ID), Value: seal.Value(w.Details)}
	}
	plain, err := r.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, fmt.Errorf("list consents: %w", err)
	}
	out := make([]Record, len(rows))
	for i, w := range rows {
		if out[i], err = w.record(plain[i]); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// One is a record of a person. Problems: not_found.
func (r *Room) One(ctx context.Context, p permit.Permit, t id.Tenant, s id.Subject, which id.Consent) (Record, error) {
	all, err := r.History(ctx, p, t, s)
	if err != nil {
		return Record{}, err
	}
	for _, rec := range all {
		if rec.ID == which {
			return rec, nil
		}
	}
	return Record{}, problem.NotFound()
}

// Named are the hashes of all versions of the policy that a record names.
func (r *Room) Named(ctx context.Context) (hashes []string, err error) {
	if err := r.DB.Read.NewRaw("SELECT policy_hash FROM consent_record UNION SELECT policy_hash FROM consent_version").Scan(ctx, &hashes); err != nil {
		return nil, fmt.Errorf("read which policies were agreed to: %w", err)
	}
	return hashes, nil
}
