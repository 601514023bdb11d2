package rights

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Keys is what rights needs of the keeper of keys.
type Keys interface {
	Destroy(ctx context.Context, s seal.Selection, reason string) (seal.Destruction, error)
	Probe(ctx context.Context, s seal.Selection, limit int) ([]seal.Value, error)
	Opens(ctx context.Context, probe seal.Value) (bool, error)
	Residue(ctx context.Context, d seal.Destruction) (looked, found int, err error)
	Orphans(ctx context.Context) (slots, orphans int64, err error)
	Count(ctx context.Context, s seal.Selection) (int, error)
	Tombstoned(ctx context.Context, s seal.Scope) (bool, error)
	Tombstones(ctx context.Context) ([]seal.Tombstone, error)
	TurnEpoch(ctx context.Context) error
	Prune(ctx context.Context, before clock.Millis) error
}

var _ Keys = (*seal.Keeper)(nil)

// Office says goodbyes and takes inventory. Exported fields are inputs; Start begins, Close stops
// and waits.
type Office struct {
	DB    *sqldb.DB
	Keys  Keys
	Clock clock.Clock
	Log   *slog.Logger

	// Revoke takes the right away: a counter in SQL, then the bus, then every lease of this node.
	// Even when it fails or is slow, leases of this node have ended first. Whose.Purpose is set for
	// a withdrawal, Whose.Binding also for a camera.
	Revoke func(ctx context.Context, w Whose) error
	// Holders are all rooms that hold things about people.
	Holders []Holder
	// Hunt looks for a goodbye's leftovers in the raw files, if the installation wants that; may be nil.
	Hunt func(ctx context.Context, w Whose) ([]Finding, error)
	// MakeRoom gives back space on the disk that was held for goodbyes, and reports whether there was
	// any. It is asked when a sweep fails, since deleting rows needs room too; may be nil.
	MakeRoom func() bool
	// Rests are the categories whose buckets rest on a purpose alone: they go when it is withdrawn.
	Rests func(p passport.Purpose) []passport.Category
	// Asked reports whether a purpose rests on consent and so can be withdrawn, also where no bucket
	// rests on it; nil means those that Rests knows.
	Asked func(p passport.Purpose) bool

	// Commit enters a finished receipt into the privacy log, in the transaction that writes it, and gives back what proves it; may be nil.
	Commit func(ctx context.Context, tx bun.IDB, statement any) (leaf id.Row, opening []byte, err error)

	BackupDays  int           // after so many days no medium holds a copy of the keys
	ReceiptDays int           // so long a receipt can be opened by its link
	Patience    time.Duration // how long an answer waits for the sweep; 0 means 3 s

	mu    sync.Mutex
	going map[id.Receipt]*goodbye
	work  sync.WaitGroup
	stop  context.CancelFunc
	ctx   context.Context
}

// Withdraw takes back a purpose for one camera, or for all the person has if b is zero: what rests on
// it stops, and what was kept under it is destroyed. The permit is that of permit.ConsentChange.
func (o *Office) Withdraw(ctx context.Context, p permit.Permit, b id.Binding, purpose passport.Purpose) (Receipt, error) {
	w, err := o.whose(p, permit.ConsentChange, b)
	if err != nil {
		return Receipt{}, err
	}
	if purpose == "" || len(o.Rests(purpose)) == 0 && (o.Asked == nil || !o.Asked(purpose)) {
		return Receipt{}, problem.Invalid("rights.purpose").With("purpose", string(purpose))
	}
	w.Purpose = purpose
	return o.say(ctx, took(purpose), w)
}

// took is what a withdrawal is said to.
func took(p passport.Purpose) What {
	if p == passport.Recording {
		return Recording
	}
	return Purpose
}

// RemoveCamera lets go of a camera and of everything it left. The permit is that of permit.CameraErase.
func (o *Office) RemoveCamera(ctx context.Context, p permit.Permit, b id.Binding) (Receipt, error) {
	w, err := o.whose(p, permit.CameraErase, b)
	if err != nil {
		return Receipt{}, err
	}
	if b.IsZero() {
		return Receipt{}, problem.NotFound()
	}
	return o.say(ctx, Camera, w)
}

// CloseAccount lets go of a person and of everything about them. It is final. The permit is that of
// permit.AccountErase.
func (o *Office) CloseAccount(ctx context.Context, p permit.Permit) (Receipt, error) {
	w, err := o.whose(p, permit.AccountErase, id.Binding{})
	if err != nil {
		return Receipt{}, err
	}
	return o.say(ctx, Account, w)
}

// whose reads from the permit whose goodbye it is. Anything that does not fit is refused.
func (o *Office) whose(p permit.Permit, a permit.Action, b id.Binding) (Whose, error) {
	g, ok := p.Grant()
	switch {
	case !ok:
		return Whose{}, permit.ErrNone
	case !o.Clock.Now().Before(g.Expires):
		return Whose{}, permit.ErrExpired
	case g.Action != a || g.Subject.IsZero() || !g.Binding.IsZero() && g.Binding != b:
		return Whose{}, permit.ErrOther
	}
	return Whose{Tenant: g.Tenant, Subject: g.Subject, Binding: b}, nil
}

func (o *Office) patience() time.Duration {
	if o.Patience > 0 {
		return o.Patience
	}
	return 3 * time.Second
}
