package translog

import (
	"bytes"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/seal"
)

// Access is one access to a subject's data: what Append takes.
type Access struct {
	Tenant  id.Tenant
	Subject id.Subject // whose data
	Actor   permit.Actor
	Action  permit.Action
	Binding id.Binding // which camera, zero for none
	Purpose passport.Purpose
	Client  string // kind of client, as in "Chrome on Android"
	Policy  string // hash of the policy that allowed it; "" in entries of before
	Share   id.Share
	Consent id.Consent // the record it rested on, zero where it rests on no consent
	At      time.Time
}

// Entry is one access as listed.
type Entry struct {
	Seq int64
	Access
}

// version of details: 0 knew neither policy nor share nor consent. A field that is added is left out
// of an entry that has none, so that old entries still are what was committed to.
const version = 1

// details is the sealed part of an entry. Key is what its commitment is made with.
type details struct {
	V       int          `json:"v,omitzero"`
	Key     []byte       `json:"key"`
	At      clock.Millis `json:"at"`
	Account id.Account   `json:"account"`
	Session id.Session   `json:"session"`
	Link    id.Share     `json:"link,omitzero"`
	System  string       `json:"system,omitempty"`
	Action  string       `json:"action"`
	Binding id.Binding   `json:"binding"`
	Purpose string       `json:"purpose"`
	Client  string       `json:"client,omitempty"`
	Policy  string       `json:"policy,omitempty"`
	Share   id.Share     `json:"share,omitzero"`
	Consent id.Consent   `json:"consent,omitzero"`
}

func detailsOf(a Access) details {
	key := make([]byte, sha256.Size)
	_, _ = rand.Read(key)
	return details{
		V: version, Key: key, At: clock.At(a.At), Account: a.Actor.Account, Session: a.Actor.Session, Link: a.Actor.Link, System: a.Actor.System,
		Action: string(a.Action), Binding: a.Binding, Purpose: string(a.Purpose), Client: a.Client,
		Policy: a.Policy, Share: a.Share, Consent: a.Consent,
	}
}

// encode writes the sealed form and the commitment to it.
func (d details) encode() (plain, commitment []byte, err error) {
	if plain, err = json.Marshal(d); err != nil {
		return nil, nil, err
	}
	return plain, d.commit(plain), nil
}

func (d details) commit(plain []byte) []byte {
	mac := hmac.New(sha256.New, d.Key)
	mac.Write(plain)
	return mac.Sum(nil)
}

var errDetails = errors.New("details are not those committed to")

// decode reads the sealed form and compares it with the commitment.
func decode(plain, commitment []byte) (details, error) {
	dec := json.NewDecoder(bytes.NewReader(plain))
	dec.DisallowUnknownFields()
	var d details
	if err := dec.Decode(&d); err != nil {
		return details{}, fmt.Errorf("read access details: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return details{}, errors.New("read access details: something follows them")
	}
	if d.V < 0 || d.V > version {
		return details{}, fmt.Errorf("read access details: they are of version %d, this build knows %d", d.V, version)
	}
	if len(d.Key) != sha256.Size || !hmac.Equal(d.commit(plain), commitment) {
		return details{}, errDetails
	}
	return d, nil
}

func (d details) access(t id.Tenant, s id.Subject) Access {
	return Access{
		Tenant: t, Subject: s, Actor: permit.Actor{Account: d.Account, Session: d.Session, Link: d.Link, System: d.System}, Action: permit.Action(d.Action),
		Binding: d.Binding, Purpose: passport.Purpose(d.Purpose), Client: d.Client, Policy: d.Policy, Share: d.Share, Consent: d.Consent, At: d.At.Time(),
	}
}

// row is an entry as SQL has it.
type row struct {
	Seq        int64  `bun:"seq"`
	Day        int64  `bun:"day"`
	Prev       []byte `bun:"prev"`
	Commitment []byte `bun:"commitment"`
	Hash       []byte `bun:"hash"`
	Details    []byte `bun:"details"`
}

// leaf is the canonical form of an entry without its details: what the hash is of, and what a log
// outside of this database would take. It says nothing about what was done.
func (r row) leaf(t id.Tenant, s id.Subject) []byte {
	b := append([]byte("candor.access.1"), t[:]...)
	b = append(b, s[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(r.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(r.Day))
	b = append(b, r.Prev...)
	return append(b, r.Commitment...)
}

func (r row) hash(t id.Tenant, s id.Subject) []byte {
	sum := sha256.Sum256(r.leaf(t, s))
	return sum[:]
}

const detailsPassport passport.ID = "translog.details"

// place binds details to their number in their subject's chain: no random id, whose bits
// would tell the moment.
func place(t id.Tenant, s id.Subject, seq int64) seal.Place {
	h := sha256.Sum256(binary.BigEndian.AppendUint64([]byte("candor.access.row.1"), uint64(seq)))
	return seal.Place{Tenant: t, Subject: s, Passport: detailsPassport, Category: passport.AccessLog, Row: id.Row(h[:16])}
}
