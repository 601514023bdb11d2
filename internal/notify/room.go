package notify

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/notify/webpush"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Keeper seals and opens values; *seal.Keeper is one.
type Keeper interface {
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	Open(ctx context.Context, p permit.Permit, at seal.Place, v seal.Value) ([]byte, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
}

// Gate decides, at every send and for each person anew.
type Gate interface {
	// Told allows that an account is told of a camera's happenings now. The permit opens the camera's name.
	Told(ctx context.Context, t id.Tenant, who id.Account, b id.Binding) (permit.Permit, error)
	// Own opens what this room keeps for an account.
	Own(ctx context.Context, t id.Tenant, who id.Account) (permit.Permit, error)
	// Push allows that messages of an account go by a push service: it rests on their consent.
	Push(ctx context.Context, t id.Tenant, who id.Account) (permit.Permit, error)
	// Picture allows that pictures of a camera go along with messages: it rests on its owner's consent.
	Picture(ctx context.Context, t id.Tenant, b id.Binding) error
}

// Cameras knows what cameras are called.
type Cameras interface {
	Name(ctx context.Context, p permit.Permit, t id.Tenant, b id.Binding) (string, error)
}

// Person is who is told.
type Person struct {
	Language string
	Zone     *time.Location
}

// People knows how to speak to them, and where to write to. For the latter the gate is asked anew.
type People interface {
	Who(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) (Person, error)
	Address(ctx context.Context, t id.Tenant, a id.Account) (string, error)
}

// Pictures has the pictures of events. It asks the gate itself whether who fetches one may see it.
type Pictures interface {
	Picture(ctx context.Context, t id.Tenant, who permit.Actor, b id.Binding, event id.Row) ([]byte, error)
}

// Mail is one mail of plain text.
type Mail struct {
	Tenant            id.Tenant
	Account           id.Account
	To, Subject, Text string
	Stop              string // the address that ends such mails (RFC 8058)
}

// Mailer hands mail to the operator's server, now.
type Mailer interface {
	Carry(ctx context.Context, m Mail) error
}

// Room tells people. Fill the exported fields, then Start.
type Room struct {
	DB      *sqldb.DB
	Keeper  Keeper
	Gate    Gate
	Cameras Cameras
	People  People
	Clock   clock.Clock
	Uptime  func() time.Duration // since some moment, on a clock that nobody sets
	Log     *slog.Logger
	Words   func(lang, key string, args map[string]string) string
	Tell    func(to id.Account, n Notice) // the app's own channel

	Push     *webpush.Sender // nil: not to be had
	Mail     Mailer          // nil: not to be had
	Base     func() string   // the app's address, for mails; ends with a slash
	Pictures Pictures        // nil: there are none

	mu      sync.Mutex
	heard   map[camera]*bundle
	series  map[listener]*series
	pauses  map[pauseKey]time.Duration // ends, by Uptime
	flying  map[queueKey]bool          // messages that are being handed over
	tests   map[[16]byte]trial
	pausing sync.Mutex // one change of pauses at a time; taken before mu
	writing sync.Mutex // one entry of the log at a time gets the next number
	minute  time.Duration

	wake, queued chan struct{}
	cancel       context.CancelFunc
	loops        sync.WaitGroup
}

// Start reads what lasts longer than a run of the program, and begins to tell.
func (r *Room) Start(ctx context.Context) error {
	r.init()
	if err := r.loadPauses(ctx); err != nil {
		return err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.cancel = cancel
	r.loops.Go(func() { r.loop(run, r.wake, r.decide) })
	r.loops.Go(func() { r.loop(run, r.queued, r.deliver) })
	return nil
}

func (r *Room) init() {
	r.heard, r.series, r.pauses = map[camera]*bundle{}, map[listener]*series{}, map[pauseKey]time.Duration{}
	r.flying, r.tests = map[queueKey]bool{}, map[[16]byte]trial{}
	r.wake, r.queued = make(chan struct{}, 1), make(chan struct{}, 1)
}

// Close stops telling and waits. What is queued goes out after the next Start.
func (r *Room) Close() error {
	r.cancel()
	r.loops.Wait()
	return nil
}

// loop calls f when woken and when f's own time has come.
func (r *Room) loop(ctx context.Context, wake <-chan struct{}, f func(context.Context) time.Duration) {
	for ctx.Err() == nil {
		wait := f(ctx)
		pause, stop := context.WithCancel(ctx)
		due := make(chan struct{})
		go func() {
			defer close(due)
			_ = r.Clock.Sleep(pause, wait)
		}()
		select {
		case <-wake:
		case <-due:
		}
		stop()
		<-due
	}
}

func nudge(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func (r *Room) now() clock.Millis { return clock.At(r.Clock.Now()) }

// The passports of what this room seals. Their ids are part of the seals.
const (
	choicePassport  passport.ID = "notify.choice"
	spanPassport    passport.ID = "notify.span"
	devicePassport  passport.ID = "notify.subscription"
	aboutPassport   passport.ID = "notify.device_about"
	messagePassport passport.ID = "notify.message"
	entryPassport   passport.ID = "notify.entry"
)

var categories = map[passport.ID]passport.Category{
	choicePassport: passport.Setting, spanPassport: passport.Setting, devicePassport: passport.Setting, aboutPassport: passport.Setting,
	messagePassport: passport.Event, entryPassport: passport.Event,
}

func place(t id.Tenant, a id.Account, p passport.ID, row id.Row) seal.Place {
	return seal.Place{Tenant: t, Subject: id.SubjectOf(a), Passport: p, Category: categories[p], Row: row}
}

func (r *Room) seal(ctx context.Context, t id.Tenant, a id.Account, p passport.ID, row id.Row, plain []byte) ([]byte, error) {
	v, err := r.Keeper.Seal(ctx, seal.OfSubject(t, id.SubjectOf(a)), place(t, a, p, row), plain)
	return v, err
}

// newRow names a row of which the name must not tell when it was made.
func newRow() (row id.Row) {
	_, _ = rand.Read(row[:])
	return row
}
