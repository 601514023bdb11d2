package consent

import (
	"encoding/json"
	"fmt"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/seal"
)

// State is what was decided.
type State string

// The states. None is the answer where no record is.
const (
	None      State = "none"
	Given     State = "given"
	Refused   State = "refused"
	Withdrawn State = "withdrawn"
)

// Decision is what a person decides.
type Decision struct {
	Tenant   id.Tenant
	Subject  id.Subject
	Binding  id.Binding // zero: about all cameras, or about the account itself
	Purpose  passport.Purpose
	State    State
	TextHash string       // of the text that was on the screen
	How      string       // where and with what it was said: "camera page", "set-up"
	Actor    permit.Actor // who said it
}

// Record is a decision as kept.
type Record struct {
	ID         id.Consent
	Number     int64
	Binding    id.Binding
	Purpose    passport.Purpose
	State      State
	TextHash   string
	PolicyHash string
	Language   string
	How        string
	Account    id.Account // who decided
	At         clock.Millis
	Leaf       id.Row // in the privacy log; zero: the record is older than the log
	Opening    []byte // of that leaf
}

// details is the sealed part.
type details struct {
	At       clock.Millis `json:"at"`
	Language string       `json:"language"`
	How      string       `json:"how"`
	Account  id.Account   `json:"account"`
	Session  id.Session   `json:"session"`
	Opening  []byte       `json:"opening,omitempty"` // of the leaf in the privacy log
}

const detailsPassport passport.ID = "consent.details"

func place(t id.Tenant, s id.Subject, record id.Consent) seal.Place {
	return seal.Place{Tenant: t, Subject: s, Passport: detailsPassport, Category: passport.ConsentLog, Row: id.RowOf(record)}
}

type row struct {
	N          int64      `bun:"n"`
	ID         id.Consent `bun:"record_id"`
	Purpose    string     `bun:"purpose"`
	Binding    id.Binding `bun:"binding_id"`
	State      string     `bun:"state"`
	TextHash   string     `bun:"text_hash"`
	PolicyHash string     `bun:"policy_hash"`
	Details    []byte     `bun:"details"`
	Leaf       []byte     `bun:"leaf_id"`
}

const columns = "n, record_id, purpose, binding_id, state, text_hash, policy_hash, details, leaf_id"

func (r row) record(plain []byte) (Record, error) {
	var d details
	if err := json.Unmarshal(plain, &d); err != nil {
		return Record{}, fmt.Errorf("read consent details: %w", err)
	}
	var leaf id.Row
	copy(leaf[:], r.Leaf)
	return Record{
		Leaf: leaf, Opening: d.Opening,
		ID: r.ID, Number: r.N, Binding: r.Binding, Purpose: passport.Purpose(r.Purpose), State: State(r.State), TextHash: r.TextHash,
		PolicyHash: r.PolicyHash, Language: d.Language, How: d.How, Account: d.Account, At: d.At,
	}, nil
}

// Standard is the record under the names of ISO/IEC TS 27560:2023, with states as DPV names them.
// It is what exports and receipts carry.
type Standard struct {
	SchemaVersion    string        `json:"schema_version"`
	RecordID         id.Consent    `json:"record_id"`
	PIIPrincipal     id.Subject    `json:"pii_principal_id"`
	PrivacyNotice    string        `json:"privacy_notice"` // hash of the text
	Policy           string        `json:"policy"`         // hash of the version in force
	Language         string        `json:"language"`
	Purposes         []string      `json:"purposes"`
	LawfulBasis      string        `json:"lawful_basis"`
	Resource         id.Binding    `json:"resource"`
	CollectionMethod string        `json:"collection_method"`
	WithdrawalMethod string        `json:"withdrawal_method"`
	Event            StandardEvent `json:"event"`
}

// StandardEvent is the decision itself.
type StandardEvent struct {
	Time  string     `json:"event_time"`
	Type  string     `json:"event_type"`
	State string     `json:"event_state"`
	By    id.Account `json:"entity_id"`
}

// Standard writes the record under the standard's names.
func (r Record) Standard(s id.Subject) Standard {
	return Standard{
		SchemaVersion: "ISO/IEC TS 27560:2023", RecordID: r.ID, PIIPrincipal: s, PrivacyNotice: r.TextHash, Policy: r.PolicyHash, Language: r.Language,
		Purposes: []string{string(r.Purpose)}, LawfulBasis: string(passport.Consent), Resource: r.Binding, CollectionMethod: r.How,
		WithdrawalMethod: "the same switch", Event: StandardEvent{
			Time: r.At.Time().Format("2006-01-02T15:04:05.000Z"), Type: "explicit", By: r.Account,
			State: map[State]string{Given: "dpv:ConsentGiven", Refused: "dpv:ConsentRefused", Withdrawn: "dpv:ConsentWithdrawn"}[r.State],
		},
	}
}
