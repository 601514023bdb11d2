package station_test

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/station"
)

// world is a house with one camera whose owner may change their mind.
type world struct {
	t       *testing.T
	station *station.Station
	issuer  *permit.Issuer
	ref     station.Ref

	mu       sync.Mutex
	bound    bool
	record   bool
	consent  bool
	pullable bool
	pulls    int // leases asked for to connect
	pulling  *permit.Lease
	rec      *recording
	notes    []station.Reason
	motion   bool // consent
	watched  bool // the switch
	looks    int
	look     looking
}

type recording struct {
	lease *permit.Lease
	why   station.Reason
	once  sync.Once
	done  chan struct{}
}

func (r *recording) Done() <-chan struct{} { return r.done }

func (r *recording) Stop(why station.Reason) {
	r.once.Do(func() { r.why = why; close(r.done) })
}

func (w *world) All(context.Context) ([]station.Ref, error) { return []station.Ref{w.ref}, nil }

func (w *world) Find(context.Context, id.Binding) (station.Ref, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.ref
	r.Record, r.Motion = w.record, w.watched
	return r, w.bound, nil
}

func (w *world) Spec(_ context.Context, p permit.Permit, r station.Ref) (ingest.Spec, error) {
	if _, ok := p.Grant(); !ok {
		return ingest.Spec{}, permit.ErrNone
	}
	return ingest.Spec{Binding: r.Binding, Device: r.Device}, nil
}

func (w *world) Pull(context.Context, station.Ref) (*permit.Lease, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pulls++
	if !w.pullable {
		return nil, errors.New("refused")
	}
	return w.lease(), nil
}

func (w *world) lease() *permit.Lease {
	return w.issuer.Lease(context.Background(), permit.Grant{Tenant: id.DefaultTenant, Binding: w.ref.Binding})
}

// gate and recorder have methods of the same name; these types tell them apart.
type gate struct{ *world }

func (g gate) Record(context.Context, station.Ref) (*permit.Lease, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.consent {
		return nil, problem.Forbidden("consent.needed")
	}
	return g.lease(), nil
}

func (g gate) Motion(context.Context, station.Ref) (*permit.Lease, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.motion {
		return nil, problem.Forbidden("consent.needed")
	}
	return g.lease(), nil
}

type looker struct{ *world }

func (l looker) Look(lease *permit.Lease, _ station.Ref) (station.Looking, error) {
	run := looking{&recording{lease: lease, done: make(chan struct{})}}
	lease.OnEnd(run.Stop)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.looks++
	l.look = run
	return run, nil
}

type looking struct{ *recording }

func (l looking) Stop() { l.recording.Stop("") }

type recorder struct{ *world }

func (r recorder) Record(l *permit.Lease, _ station.Ref, _ *media.Stream) (station.Recording, error) {
	rec := &recording{lease: l, done: make(chan struct{})}
	l.OnEnd(func() { rec.Stop("") })
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rec = rec
	return rec, nil
}

func (r recorder) Note(_ context.Context, _ station.Ref, why station.Reason) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.notes = append(r.notes, why)
	return nil
}

func (w *world) Start(l *permit.Lease, _ ingest.Spec) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pulling = l
}

func (w *world) Stop(id.Device)               {}
func (w *world) State(id.Device) ingest.State { return ingest.State{} }

func begin(t *testing.T, change func(w *world)) *world {
	t.Helper()
	w := &world{t: t, issuer: permit.NewIssuer(clock.Wall), bound: true, record: true, consent: true, pullable: true}
	w.ref = station.Ref{Tenant: id.DefaultTenant, Account: id.Make[id.Account](), Binding: id.Make[id.Binding](), Device: id.Make[id.Device]()}
	change(w)
	w.station = &station.Station{
		Cameras: w, Gate: gate{w}, Puller: w, Recorder: recorder{w}, Looker: looker{w}, Hub: media.NewHub(), Log: slog.New(slog.DiscardHandler),
	}
	if err := w.station.Start(context.Background()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.station.Close)
	return w
}

// eventually waits for what a goroutine is about to do.
func (w *world) eventually(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
		w.mu.Lock()
		ok := is()
		w.mu.Unlock()
		if ok {
			return
		}
	}
	w.t.Fatalf("never happened: %s", what)
}

func (w *world) set(f func()) {
	w.mu.Lock()
	f()
	w.mu.Unlock()
	w.station.Poke(w.ref.Binding)
}

func nothing(*world) {}

func TestConsentDecidesWhetherFootageIsKept(t *testing.T) {
	w := begin(t, func(w *world) { w.consent = false })
	w.eventually("the reason is noted", func() bool { return len(w.notes) == 1 && w.notes[0] == station.Off })
	w.eventually("the camera is connected all the same", func() bool { return w.pulling != nil })
	if w.station.Recording(w.ref.Binding) {
		t.Fatal("recording without consent")
	}
	w.set(func() { w.consent = true })
	w.eventually("recording", func() bool { return w.rec != nil })
	w.eventually("and said so", func() bool { return w.station.Recording(w.ref.Binding) })

	w.mu.Lock()
	w.consent = false
	lease := w.rec.lease
	w.mu.Unlock()
	lease.End(nil) // as the gate does when the consent is withdrawn
	w.eventually("the reason is noted again", func() bool { return len(w.notes) == 2 && w.notes[1] == station.Off })
	if w.station.Recording(w.ref.Binding) {
		t.Fatal("still recording after the lease ended")
	}
}

func TestPauseHasHappenedWhenSettleReturns(t *testing.T) {
	w := begin(t, nothing)
	w.eventually("recording", func() bool { return w.rec != nil })
	w.mu.Lock()
	w.record = false
	rec := w.rec
	w.mu.Unlock()
	w.station.Settle(context.Background(), w.ref.Binding)
	if w.station.Recording(w.ref.Binding) || rec.why != station.PausedNow || rec.lease.State() != permit.Ended {
		t.Fatalf("recording %v, stopped because %q, lease %v", w.station.Recording(w.ref.Binding), rec.why, rec.lease.State())
	}
}

func TestARecorderThatGaveUpIsStartedAgain(t *testing.T) {
	w := begin(t, nothing)
	w.eventually("recording", func() bool { return w.rec != nil })
	w.mu.Lock()
	first := w.rec
	w.mu.Unlock()
	first.Stop("")
	w.eventually("another recording", func() bool { return w.rec != first })
	if first.lease.State() != permit.Ended {
		t.Fatal("the first recording's lease is still open")
	}
}

func TestACameraThatIsGoneIsLetGo(t *testing.T) {
	w := begin(t, nothing)
	w.eventually("connected and recorded", func() bool { return w.pulling != nil && w.rec != nil })
	w.set(func() { w.bound = false })
	w.eventually("both leases have ended", func() bool {
		return w.pulling.State() == permit.Ended && w.rec.lease.State() == permit.Ended
	})
	w.eventually("nobody looks after it", func() bool { n, _ := w.station.Count(); return n == 0 })
}

func TestReconnectTakesANewLease(t *testing.T) {
	w := begin(t, nothing)
	w.eventually("connected", func() bool { return w.pulling != nil })
	w.mu.Lock()
	first := w.pulling
	w.mu.Unlock()
	w.station.Reconnect(w.ref.Binding)
	w.eventually("connected anew", func() bool { return w.pulling != first && first.State() == permit.Ended })
}

func TestARefusedCameraIsNotAskedForInALoop(t *testing.T) {
	w := begin(t, func(w *world) { w.pullable = false })
	w.eventually("asked once", func() bool { return w.pulls > 0 })
	time.Sleep(100 * time.Millisecond)
	w.mu.Lock()
	asked := w.pulls
	w.mu.Unlock()
	if asked > 2 {
		t.Fatalf("the gate was asked %d times within 100 ms", asked)
	}
}

// A closed account's camera is still there for a moment, and may not be connected to or recorded.
func TestARecordedCameraThatIsRefusedIsNotAskedForInALoop(t *testing.T) {
	w := begin(t, nothing)
	w.eventually("connected and recorded", func() bool { return w.pulling != nil && w.rec != nil })
	w.mu.Lock()
	w.pullable, w.pulls = false, 0
	pull, rec := w.pulling, w.rec
	w.mu.Unlock()
	rec.lease.End(nil)
	pull.End(nil)
	w.eventually("asked again", func() bool { return w.pulls > 0 })
	time.Sleep(100 * time.Millisecond)
	w.mu.Lock()
	asked := w.pulls
	w.mu.Unlock()
	if asked > 4 {
		t.Fatalf("the gate was asked %d times within 100 ms", asked)
	}
	if w.station.Recording(w.ref.Binding) {
		t.Error("it is said to be recorded")
	}
}

func TestCloseEndsEverything(t *testing.T) {
	w := begin(t, nothing)
	w.eventually("connected and recorded", func() bool { return w.pulling != nil && w.rec != nil })
	w.station.Close()
	if w.pulling.State() != permit.Ended || w.rec.lease.State() != permit.Ended || w.rec.why != station.Stopping {
		t.Fatalf("after Close: pull %v, record %v, because %q", w.pulling.State(), w.rec.lease.State(), w.rec.why)
	}
}

func TestConsentDecidesWhetherACameraIsLookedAt(t *testing.T) {
	w := begin(t, func(w *world) { w.watched = true })
	w.eventually("a recording", func() bool { return w.rec != nil })
	w.station.Settle(context.Background(), w.ref.Binding)
	if w.station.Watching(w.ref.Binding) {
		t.Fatal("a camera is looked at though nobody agreed")
	}
	rec := w.rec
	w.set(func() { w.motion = true })
	w.eventually("it is looked at", func() bool { return w.looks == 1 })
	w.eventually("it says so", func() bool { return w.station.Watching(w.ref.Binding) })

	w.set(func() { w.motion = false })
	w.look.lease.End(errors.New("withdrawn"))
	w.station.Settle(context.Background(), w.ref.Binding)
	w.eventually("it is not looked at", func() bool { return !w.station.Watching(w.ref.Binding) })

	w.set(func() { w.motion = true })
	w.eventually("agreed again", func() bool { return w.looks == 2 })
	w.set(func() { w.watched = false })
	w.eventually("switched off", func() bool { return !w.station.Watching(w.ref.Binding) })
	select {
	case <-w.look.Done():
	default:
		t.Error("what is switched off goes on")
	}
	if w.rec != rec {
		t.Error("the recording was touched")
	}
	w.set(func() { w.bound = false })
}
