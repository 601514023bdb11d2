package alarm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"

	"candor/internal/blob"
	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// What is told on the bus; the resource is the event.
const (
	Opened  bus.Type = "alarm.event.opened"
	Changed bus.Type = "alarm.event.changed"
	Closed  bus.Type = "alarm.event.closed"
)

// Camera is whose events are meant.
type Camera struct {
	Tenant  id.Tenant
	Subject id.Subject // the owner
	Binding id.Binding
}

func (c Camera) scope(day clock.Day) seal.Scope {
	return seal.OfBinding(c.Tenant, c.Subject, c.Binding).In(
		seal.Bucket{Day: day, Category: passport.Event, Class: seal.Continuous})
}

// Keys is what the room needs of package seal.
type Keys interface {
	Ensure(ctx context.Context, s seal.Scope) (id.Key, error)
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
	NewObject(ctx context.Context, s seal.Scope, aad []byte) (*seal.ObjectKey, []byte, id.Key, error)
	OpenObject(ctx context.Context, p permit.Permit, at seal.Place, key id.Key, wrapped, aad []byte) (*seal.ObjectKey, error)
	Destroy(ctx context.Context, s seal.Selection, reason string) (seal.Destruction, error)
	Days(ctx context.Context, b id.Binding, c passport.Category, class seal.Class) ([]clock.Day, error)
}

var _ Keys = (*seal.Keeper)(nil)

// Teller is the bus.
type Teller interface {
	Say(typ bus.Type, t id.Tenant, resource id.Row) bus.Envelope
	Publish(e bus.Envelope) error
}

var _ Teller = (*bus.Bus)(nil)

const (
	// wholePerHour is how many events of one camera and hour are kept whole.
	wholePerHour = 100
	// usualDays is how long events stay where nobody has said.
	usualDays = 30
)

// Room is the events of one installation. The exported fields are set before Open.
type Room struct {
	DB    *sqldb.DB
	Keys  Keys
	Store blob.Store
	Bus   Teller
	Clock clock.Clock
	Log   *slog.Logger
	// Days is how long a camera's events stay, asked at each Sweep. nil means 30 for every camera.
	Days func(ctx context.Context, c Camera) (int, error)
	// Recorded tells whether footage of a camera is being kept now; nil: of none.
	Recorded func(b id.Binding) bool
	// Whole is how many events of one camera and hour are kept whole; 0 means 100.
	Whole int

	// writing is held shared by whoever writes an object and its row, and alone by whoever takes
	// away objects that no row speaks of.
	writing sync.RWMutex

	mu      sync.Mutex
	watches map[*Watch]struct{}
}

// Open ends what a crash left open and makes the room ready.
func (r *Room) Open(ctx context.Context) error {
	if r.DB == nil || r.Keys == nil || r.Store == nil || r.Clock == nil || r.Bus == nil {
		return errors.New("alarm: room needs DB, Keys, Store, Bus and Clock")
	}
	if r.Log == nil {
		r.Log = slog.New(slog.DiscardHandler)
	}
	if r.Whole == 0 {
		r.Whole = wholePerHour
	}
	r.watches = map[*Watch]struct{}{}
	if err := r.cutOff(ctx, Camera{}); err != nil {
		return fmt.Errorf("end the events that were going on: %w", err)
	}
	return nil
}

// Close ends every watch.
func (r *Room) Close() error {
	for _, w := range r.active(func(*Watch) bool { return true }) {
		w.Close()
	}
	return nil
}

// active are the watches that are going on and asked for.
func (r *Room) active(which func(*Watch) bool) []*Watch {
	r.mu.Lock()
	defer r.mu.Unlock()
	var out []*Watch
	for w := range r.watches {
		if which(w) {
			out = append(out, w)
		}
	}
	return out
}

func (r *Room) tell(typ bus.Type, t id.Tenant, e id.Sighting) {
	if err := r.Bus.Publish(r.Bus.Say(typ, t, id.RowOf(e))); err != nil {
		r.Log.Warn("an event is not told", "err", err)
	}
}

// days is how long a camera's events stay.
func (r *Room) days(ctx context.Context, c Camera) (int, error) {
	if r.Days == nil {
		return usualDays, nil
	}
	n, err := r.Days(ctx, c)
	if why, ok := problem.Of(err); ok && why.Status == http.StatusNotFound {
		return usualDays, nil // the camera is gone, and so must its events be one day
	}
	return n, err
}
