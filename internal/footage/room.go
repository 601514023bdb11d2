package footage

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Camera is whose footage is meant.
type Camera struct {
	Tenant  id.Tenant
	Subject id.Subject
	Binding id.Binding
	Device  id.Device
}

func (c Camera) scope(day clock.Day) seal.Scope {
	return seal.OfBinding(c.Tenant, c.Subject, c.Binding).In(
		seal.Bucket{Day: day, Category: passport.Footage, Class: seal.Continuous})
}

func (c Camera) place(p passport.ID, row id.Row) seal.Place {
	return seal.Place{Tenant: c.Tenant, Subject: c.Subject, Binding: c.Binding, Passport: p, Category: passport.Footage, Row: row}
}

// Keys is what the room needs of package seal.
type Keys interface {
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
	NewObject(ctx context.Context, s seal.Scope, aad []byte) (*seal.ObjectKey, []byte, id.Key, error)
	OpenObject(ctx context.Context, p permit.Permit, at seal.Place, key id.Key, wrapped, aad []byte) (*seal.ObjectKey, error)
	Destroy(ctx context.Context, s seal.Selection, reason string) (seal.Destruction, error)
	Days(ctx context.Context, b id.Binding, c passport.Category, class seal.Class) ([]clock.Day, error)
}

var _ Keys = (*seal.Keeper)(nil)

// Policy is how long one camera's footage stays. A limit of 0 does not limit.
type Policy struct {
	Days  int
	Bytes int64
}

// DefaultPolicy holds for a camera that nobody has set one for.
var DefaultPolicy = Policy{Days: 30}

// Room is the footage of one installation. The exported fields are set before Open.
type Room struct {
	DB    *sqldb.DB
	Keys  Keys
	Store blob.Store
	Clock clock.Clock
	Log   *slog.Logger
	// Policy is asked at each Sweep. nil means DefaultPolicy for every camera.
	Policy func(ctx context.Context, c Camera) (Policy, error)
	// Reserve is how much room on the disk recording leaves alone, so that erasing, keys and SQL
	// go on working. 0 means 64 MiB.
	Reserve int64

	Metrics Metrics

	ctx    context.Context
	cancel context.CancelFunc
	done   sync.WaitGroup

	mu         sync.Mutex
	cameras    map[id.Binding]*camera
	recordings map[*Recording]struct{}
	unsettled  map[id.Segment]*closed // closed on disk, not yet in SQL
	space      struct {
		at   time.Time
		free int64
		err  error
	}
}

const defaultReserve = 64 << 20

// Open recovers what a crash left and makes the room ready.
func (r *Room) Open(ctx context.Context) error {
	if r.DB == nil || r.Keys == nil || r.Store == nil || r.Clock == nil {
		return errors.New("footage: room needs DB, Keys, Store and Clock")
	}
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	if r.Reserve == 0 {
		r.Reserve = defaultReserve
	}
	r.cameras = map[id.Binding]*camera{}
	r.recordings = map[*Recording]struct{}{}
	r.unsettled = map[id.Segment]*closed{}
	r.ctx, r.cancel = context.WithCancel(context.WithoutCancel(ctx))
	if err := r.recover(ctx); err != nil {
		r.cancel()
		return fmt.Errorf("recover footage: %w", err)
	}
	r.done.Go(r.settleLoop)
	return nil
}

// Close ends every recording in order and waits for it.
func (r *Room) Close() error {
	for _, rec := range r.active(func(*Recording) bool { return true }) {
		rec.Stop(Restart)
	}
	for _, rec := range r.active(func(*Recording) bool { return true }) {
		<-rec.done
	}
	r.cancel()
	r.done.Wait()
	return r.settle(context.Background())
}

// active are the recordings that run now and are asked for.
func (r *Room) active(which func(*Recording) bool) []*Recording {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*Recording
	for rec := range r.recordings {
		if which(rec) {
			out = append(out, rec)
		}
	}
	return out
}

func (r *Room) of(c Camera, profile media.Profile) func(*Recording) bool {
	return func(rec *Recording) bool { return rec.cam == c && rec.profile == profile }
}

// free is the room on the disk, looked up at most once a second.
func (r *Room) free() (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.space.at) > time.Second {
		r.space.free, r.space.err = r.Store.Free()
		r.space.at = time.Now()
	}
	return r.space.free, r.space.err
}

// settleLoop brings segments whose row could not be written into SQL once that works again.
func (r *Room) settleLoop() {
	for r.Clock.Sleep(r.ctx, time.Second) == nil {
		if err := r.settle(r.ctx); err != nil {
			r.Log.Warn("footage waits for the database", "err", err)
		}
	}
}

// settle writes the rows of segments that wait for it.
func (r *Room) settle(ctx context.Context) error {
	r.mu.Lock()
	waiting := make([]*closed, 0, len(r.unsettled))
	for _, c := range r.unsettled {
		waiting = append(waiting, c)
	}
	r.mu.Unlock()
	for _, c := range waiting {
		if err := r.commit(ctx, c, nil); err != nil {
			return err
		}
	}
	return nil
}
