package rtsp

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"candor/internal/clock"
	"candor/internal/media"
	"candor/internal/problem"
)

// Phase says where a source stands.
type Phase string

// The phases.
const (
	Connecting Phase = "connecting"
	Live       Phase = "live"
	Waiting    Phase = "waiting" // until NextTry
	Stopped    Phase = "stopped"
)

// State is what a source says of itself.
type State struct {
	Phase   Phase
	Since   clock.Millis      // when the phase began
	Away    clock.Millis      // since when it has not been live, over all attempts; 0 while it is
	Code    string            // problem code of what is wrong, empty when nothing is
	Args    map[string]string // for the code's sentence; nobody changes it
	NextTry clock.Millis      // when Waiting
	Unused  []string          // sound codecs the camera offers and we do not carry
}

// Back-off between attempts. A wrong password waits longer: cameras lock accounts.
const (
	firstWait    = 500 * time.Millisecond
	longestWait  = 30 * time.Second
	passwordWait = 5 * time.Minute
	steadyAfter  = 10 * time.Second // of being live, failures are forgotten
)

// Source keeps one profile of one camera connected. Fill the exported fields and Run it.
type Source struct {
	Address Address
	Dialer  Dialer
	Stream  *media.Stream
	Clock   clock.Clock
	Log     *slog.Logger
	Open    func() bool // whether units may be delivered at this moment; nil means always
	OnState func(State) // told every change, one at a time

	patience patience // zero means the usual

	telling sync.Mutex // one change at a time, in order; taken before mu
	mu      sync.Mutex
	state   State
}

// State is what the source last said of itself.
func (s *Source) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

func (s *Source) say(change func(*State)) {
	s.telling.Lock()
	defer s.telling.Unlock()
	s.mu.Lock()
	before := s.state
	change(&s.state)
	if s.state.Phase != before.Phase {
		s.state.Since = clock.At(s.Clock.Now())
	}
	switch {
	case s.state.Phase == Live:
		s.state.Away = 0
	case before.Away == 0:
		s.state.Away = s.state.Since
	}
	after := s.state
	s.mu.Unlock()
	if s.OnState != nil && (after.Phase != before.Phase || after.Code != before.Code || after.NextTry != before.NextTry) {
		s.OnState(after)
	}
}

// Run pulls until the context ends, which is the only thing that ends it. Viewers of the stream
// stay through every interruption; closing the stream is the caller's.
func (s *Source) Run(ctx context.Context) {
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	if s.Open == nil {
		s.Open = func() bool { return true }
	}
	if s.patience == (patience{}) {
		s.patience = usual
	}
	in := newIntake(s.Stream, s.Clock, s.Log, func() bool { return ctx.Err() == nil && s.Open() })
	wait := firstWait
	for ctx.Err() == nil {
		began := time.Now()
		err := s.once(ctx, in)
		s.Stream.Interrupt()
		if ctx.Err() != nil {
			break
		}
		if last := in.lastKey(); last > began.Sub(in.begin)+steadyAfter {
			wait = firstWait
		}
		pause := jitter(wait)
		if problem.Is(err, CodePassword) {
			pause = jitter(passwordWait)
		}
		s.waitFor(pause, err)
		if s.Clock.Sleep(ctx, pause) != nil {
			break
		}
		wait = min(2*wait, longestWait)
	}
	s.say(func(st *State) { *st = State{Phase: Stopped, Since: st.Since, Away: st.Away} })
}

// once is one connection from beginning to end.
func (s *Source) once(ctx context.Context, in *intake) error {
	s.say(func(st *State) { st.Phase, st.NextTry = Connecting, 0 }) // the last failure stays visible
	t, err := s.Address.target()
	if err != nil {
		return err
	}
	run := session{target: t, dialer: s.Dialer, log: s.Log, in: in, patience: s.patience}
	run.described = func(o offer) {
		s.say(func(st *State) { st.Unused = o.unused })
	}
	run.late = func(no bool) {
		s.say(func(st *State) {
			st.Code, st.Args = "", nil
			if no {
				st.Code = CodeNoKey
			}
		})
	}
	in.onFirstKey(func() { s.say(func(st *State) { st.Phase, st.Code, st.Args = Live, "", nil }) })
	return run.run(ctx)
}

func (s *Source) waitFor(pause time.Duration, err error) {
	p, ok := problem.Of(err)
	if !ok {
		p = problem.Unavailable(CodeHungUp).Because(err)
	}
	s.Log.Info("camera is away", "code", p.Code, "err", p.Cause, "next", clock.At(s.Clock.Now().Add(pause)).Time())
	next := clock.At(s.Clock.Now().Add(pause))
	s.say(func(st *State) { st.Phase, st.Code, st.Args, st.NextTry = Waiting, p.Code, p.Args, next })
}

// jitter spreads attempts by a fifth either way, so that cameras behind one switch that comes
// back are not all asked at once.
func jitter(d time.Duration) time.Duration {
	return d - d/5 + rand.N(2*d/5)
}
