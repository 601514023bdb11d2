package consent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Answer is what a person said to a version of the policy.
type Answer string

// The answers. Declined changes nothing: the person stays under the version they agreed to, and is
// not asked about this one again unless they want to.
const (
	Agreed   Answer = "agreed"
	Declined Answer = "declined"
)

// Answered is an answer as kept.
type Answered struct {
	ID         id.Consent
	PolicyHash string
	Answer     Answer
	How        string
	Account    id.Account
	At         clock.Millis
}

// Versions keeps who agreed to which version of the policy, and says what holds for whom. Fill the
// fields and use it.
type Versions struct {
	DB      *sqldb.DB
	Keeper  Sealer
	History *policy.History
	Clock   clock.Clock

	writing sync.Mutex
}

var _ gate.Policies = (*Versions)(nil)

// Reply is a person's answer to a version.
type Reply struct {
	Tenant     id.Tenant
	Subject    id.Subject
	PolicyHash string
	Answer     Answer
	How        string
	Actor      permit.Actor
}

const versionPassport passport.ID = "consent.version_details"

func versionPlace(t id.Tenant, s id.Subject, record id.Consent) seal.Place {
	return seal.Place{Tenant: t, Subject: s, Passport: versionPassport, Category: passport.ConsentLog, Row: id.RowOf(record)}
}

// Reply keeps an answer. It has to be about the version in effect or one that is to come: nobody is
// put back under an older one. Problems: policy.unknown_version, policy.not_newest, policy.answer.
func (v *Versions) Reply(ctx context.Context, r Reply) error {
	if r.Answer != Agreed && r.Answer != Declined {
		return problem.Invalid("policy.answer")
	}
	about, known := v.History.ByHash(r.PolicyHash)
	if !known {
		return problem.Conflict("policy.unknown_version")
	}
	if about.Version < v.History.InEffect(v.Clock.Now()).Version {
		return problem.Conflict("policy.not_newest")
	}
	made := id.Make[id.Consent]()
	plain, err := json.Marshal(versionDetails{At: clock.At(v.Clock.Now()), How: r.How, Account: r.Actor.Account, Session: r.Actor.Session})
	if err != nil {
		return err
	}
	sealed, err := v.Keeper.Seal(ctx, seal.OfSubject(r.Tenant, r.Subject), versionPlace(r.Tenant, r.Subject, made), plain)
	if err != nil {
		return fmt.Errorf("keep the answer to a policy: %w", err)
	}
	v.writing.Lock()
	defer v.writing.Unlock()
	err = v.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		rows, err := answers(ctx, tx, r.Tenant, r.Subject)
		if err != nil {
			return err
		}
		if slices.ContainsFunc(rows, func(w versionRow) bool {
			return w.PolicyHash == r.PolicyHash && (Answer(w.Answer) == r.Answer || Answer(w.Answer) == Agreed)
		}) {
			return nil // said before; and what was agreed to stays agreed to
		}
		_, err = tx.NewRaw(`INSERT INTO consent_version (tenant_id, subject_id, n, record_id, policy_hash, answer, details)
			SELECT ?, ?, coalesce(max(n), 0) + 1, ?, ?, ?, ? FROM consent_version WHERE tenant_id = ? AND subject_id = ?`,
			r.Tenant, r.Subject, made, r.PolicyHash, string(r.Answer), []byte(sealed), r.Tenant, r.Subject).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("keep the answer to a policy: %w", err)
	}
	return nil
}

type versionDetails struct {
	At      clock.Millis `json:"at"`
	How     string       `json:"how"`
	Account id.Account   `json:"account"`
	Session id.Session   `json:"session"`
}

type versionRow struct {
	ID         id.Consent `bun:"record_id"`
	PolicyHash string     `bun:"policy_hash"`
	Answer     string     `bun:"answer"`
	Details    []byte     `bun:"details"`
}

// answers are a person's, the newest first.
func answers(ctx context.Context, db bun.IDB, t id.Tenant, s id.Subject) (rows []versionRow, err error) {
	err = db.NewRaw("SELECT record_id, policy_hash, answer, details FROM consent_version WHERE tenant_id = ? AND subject_id = ? ORDER BY n DESC", t, s).Scan(ctx, &rows)
	return rows, err
}

// Standing is what holds for a person now, and whether they declined the version that waits for them.
func (v *Versions) Standing(ctx context.Context, t id.Tenant, s id.Subject) (st *policy.Standing, declined bool, err error) {
	rows, err := answers(ctx, v.DB.Read, t, s)
	if err != nil {
		return nil, false, fmt.Errorf("read what was agreed to: %w", err)
	}
	var agreed []string
	for _, w := range rows {
		if Answer(w.Answer) == Agreed {
			agreed = append(agreed, w.PolicyHash)
		}
	}
	st = v.History.Standing(agreed, v.Clock.Now())
	if st.Waiting != nil {
		hash := st.Waiting.To.Hash()
		declined = slices.ContainsFunc(rows, func(w versionRow) bool { return w.PolicyHash == hash && Answer(w.Answer) == Declined })
	}
	return st, declined, nil
}

// Of answers the gate.
func (v *Versions) Of(ctx context.Context, t id.Tenant, s id.Subject) (gate.Policy, error) {
	st, _, err := v.Standing(ctx, t, s)
	if err != nil {
		return nil, err
	}
	return gate.UnderStanding(st), nil
}

// Answers lists what a person said to which version, the newest first.
func (v *Versions) Answers(ctx context.Context, p permit.Permit, t id.Tenant, s id.Subject) ([]Answered, error) {
	rows, err := answers(ctx, v.DB.Read, t, s)
	if err != nil {
		return nil, fmt.Errorf("list answers to the policy: %w", err)
	}
	sealed := make([]seal.Sealed, len(rows))
	for i, w := range rows {
		sealed[i] = seal.Sealed{Place: versionPlace(t, s, w.ID), Value: seal.Value(w.Details)}
	}
	plain, err := v.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, fmt.Errorf("list answers to the policy: %w", err)
	}
	out := make([]Answered, len(rows))
	for i, w := range rows {
		var d versionDetails
		if err := json.Unmarshal(plain[i], &d); err != nil {
			return nil, fmt.Errorf("read an answer to the policy: %w", err)
		}
		out[i] = Answered{ID: w.ID, PolicyHash: w.PolicyHash, Answer: Answer(w.Answer), How: d.How, Account: d.Account, At: d.At}
	}
	return out, nil
}

// Strangers are versions that somebody agreed to and that the source does not hold (any more).
func (v *Versions) Strangers(ctx context.Context) (hashes []string, err error) {
	var all []string
	if err := v.DB.Read.NewRaw("SELECT DISTINCT policy_hash FROM consent_version WHERE answer = ? ORDER BY policy_hash", string(Agreed)).Scan(ctx, &all); err != nil {
		return nil, fmt.Errorf("read what was agreed to: %w", err)
	}
	for _, hash := range all {
		if _, known := v.History.ByHash(hash); !known {
			hashes = append(hashes, hash)
		}
	}
	return hashes, nil
}
