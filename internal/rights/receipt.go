package rights

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
)

// What a goodbye is said to.
type What string

// The goodbyes.
const (
	Recording What = "recording" // the purpose recording, of one camera or of all
	Purpose   What = "purpose"   // another purpose that rested on consent
	Camera    What = "camera"
	Account   What = "account"
)

// The steps, in order. Each is a key of the catalogue: "receipt.step." + name.
const (
	StepAsked     = "asked"
	StepRevoked   = "revoked"        // every lease has ended
	StepDestroyed = "keys_destroyed" // the system cannot open it any more
	StepSwept     = "swept"          // rows, objects and caches are gone
	StepScrubbed  = "scrubbed"       // SQLite's write-ahead log is emptied; PostgreSQL's is not in our reach
	StepTurned    = "epoch_turned"   // older copies of the key file open nothing
	StepScanned   = "scanned"        // what should be gone was looked for
	StepDone      = "done"
)

// Step is one step that has been taken.
type Step struct {
	Name string    `json:"name"`
	At   time.Time `json:"at"`
}

// Receipt says what a goodbye did. It has no personal data: whoever has it learns that something
// was erased and when, and not whose or what it was.
//
// Two moments are told apart. From UnopenableAt on the system could not open it any more.
// UnrecoverableBy is the day from which no medium that is kept, a backup of the keys included,
// holds what would be needed to open it. Until then that rests on a procedure, not on this scan.
type Receipt struct {
	ID                  id.Receipt `json:"id"`
	Token               string     `json:"token,omitempty"` // only in the first answer; afterwards nobody knows it but the person
	What                What       `json:"what"`
	RequestedAt         time.Time  `json:"requested_at"`
	UnopenableAt        *time.Time `json:"unopenable_at"`
	DoneAt              *time.Time `json:"done_at"`
	Steps               []Step     `json:"steps"`
	LookedFor           []Finding  `json:"looked_for"`
	KeysDestroyed       int        `json:"keys_destroyed"`
	Swept               Swept      `json:"swept"`
	UnrecoverableByDays int        `json:"unrecoverable_by_days"`
	UnrecoverableBy     *time.Time `json:"unrecoverable_by"`
	ExpiresAt           time.Time  `json:"expires_at"` // until then the link leads here
	// Notes are keys of the catalogue ("receipt.note." + note): what the figures mean and do not mean.
	Notes []string `json:"notes"`
	// Leaf and Opening are of the privacy log: what the person needs to prove what is stated here. They are in no Statement.
	Leaf    id.Row `json:"leaf,omitzero"`
	Opening []byte `json:"opening,omitempty"`
}

// Statement is the receipt as the privacy log commits to it: without what opens it.
func (r Receipt) Statement() Receipt {
	r.Token, r.Leaf, r.Opening = "", id.Row{}, nil
	return r
}

// Done reports whether the goodbye is over.
func (r Receipt) Done() bool { return r.DoneAt != nil }

// The notes of a receipt.
const (
	NoteUnopenable    = "unopenable"    // the keys are destroyed: the system opens nothing of it
	NoteUnrecoverable = "unrecoverable" // until when copies of the key file may exist, and that this is a procedure
	NoteCopies        = "copies"        // what was downloaded or shown elsewhere is beyond reach
	NoteSweeping      = "sweeping"      // the sweep goes on; the receipt completes itself
	NoteResumed       = "resumed"       // the program was restarted meanwhile: the keys' bytes could not be looked for
)

// newToken is 128 random bits, and what is stored of them.
func newToken() (token string, sum []byte) {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, hash(token)
}

func hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// Receipt finds a receipt by its link. A link that leads nowhere, or not any more, is not found.
func (o *Office) Receipt(ctx context.Context, token string) (Receipt, error) {
	if b, err := base64.RawURLEncoding.Strict().DecodeString(token); len(token) != 22 || err != nil || len(b) != 16 { // it skips line breaks
		return Receipt{}, problem.NotFound()
	}
	o.mu.Lock()
	for _, g := range o.going { // a full disk may have kept it from the database
		if string(g.tokenSum) == string(hash(token)) {
			defer o.mu.Unlock()
			return g.now().receipt, nil
		}
	}
	o.mu.Unlock()
	var body string
	err := o.DB.Read.NewRaw("SELECT receipt FROM rights_goodbye WHERE token_sha256 = ? AND expires_ms > ?",
		hash(token), int64(clock.At(o.Clock.Now()))).Scan(ctx, &body)
	if errors.Is(err, sql.ErrNoRows) {
		return Receipt{}, problem.NotFound()
	}
	if err != nil {
		return Receipt{}, fmt.Errorf("read receipt: %w", err)
	}
	var r Receipt
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		return Receipt{}, fmt.Errorf("read receipt: %w", err)
	}
	return r, nil
}

// dropReceipts takes away those whose time is over.
func (o *Office) dropReceipts(ctx context.Context) error {
	_, err := o.DB.Write.NewRaw("DELETE FROM rights_goodbye WHERE step = ? AND expires_ms <= ?", StepDone, int64(clock.At(o.Clock.Now()))).Exec(ctx)
	return err
}
