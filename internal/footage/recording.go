package footage

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"candor/internal/clock"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
)

// ringUnits is the window a slow disk has: about fifteen seconds of 25 pictures and 50 sounds.
const ringUnits = 1200

// Recording is one profile of one camera being recorded.
type Recording struct {
	cam     Camera
	profile media.Profile
	room    *Room
	tape    *tape
	viewer  *media.Viewer
	cancel  context.CancelCauseFunc
	done    chan struct{}
	reason  atomic.Pointer[Reason] // why Stop was called
	poke    atomic.Pointer[context.CancelFunc]
}

// errStopped is the cause with which Stop ends the loop.
var errStopped = errors.New("recording stopped")

// Record begins to record a stream, at its next key picture. It goes on, through interruptions of
// the stream and troubles of the disk, until the lease ends, Stop is called or the stream is
// closed. The lease must be one to record that camera.
func (r *Room) Record(lease *permit.Lease, c Camera, p media.Profile, s *media.Stream) (*Recording, error) {
	g := lease.Grant()
	if g.Tenant != c.Tenant || g.Subject != c.Subject || g.Binding != c.Binding || g.Purpose != passport.Recording || g.Action != permit.CameraRecord {
		return nil, problem.Forbidden("footage.lease").Because(permit.ErrOther)
	}
	ctx, cancel := context.WithCancelCause(lease.Context())
	rec := &Recording{
		cam: c, profile: p, room: r, cancel: cancel, done: make(chan struct{}),
		tape:   newTape(r, c, p, lease, s.Description),
		viewer: s.Join(media.JoinOptions{Size: ringUnits}),
	}
	r.mu.Lock()
	r.recordings[rec] = struct{}{}
	r.mu.Unlock()
	go rec.run(ctx)
	return rec, nil
}

// Stop ends the recording: what has come is written, the segment is closed, and the timeline says
// why nothing follows. It returns when all that is done.
func (rec *Recording) Stop(reason Reason) {
	rec.reason.CompareAndSwap(nil, &reason)
	rec.cancel(errStopped)
	<-rec.done
}

// Done closes when the recording has ended, whatever ended it.
func (rec *Recording) Done() <-chan struct{} { return rec.done }

// Status tells whether footage is being written now, and if not, why.
func (rec *Recording) Status() (recording bool, reason Reason) {
	select {
	case <-rec.done:
	default:
		if t, _ := rec.tape.look(); t != nil {
			return true, ""
		}
	}
	rec.tape.cam.mu.Lock()
	defer rec.tape.cam.mu.Unlock()
	if rec.tape.cam.now == "" {
		return false, NotYet
	}
	return false, rec.tape.cam.now
}

func (rec *Recording) run(ctx context.Context) {
	defer func() {
		rec.viewer.Close()
		rec.cancel(nil)
		rec.room.mu.Lock()
		delete(rec.room.recordings, rec)
		rec.room.mu.Unlock()
		close(rec.done)
	}()
	reason := rec.loop(ctx)
	t := rec.tape
	if t.lease.State() == permit.Ended {
		t.abandon()
		t.note(RecordingOff)
		return
	}
	t.close(0, reason)
	if lease := t.leaseContext(); lease != nil {
		if err := rec.room.writeHours(context.WithoutCancel(lease), t.cam, lease); err != nil {
			rec.room.Log.Warn("the end of a recording could not be noted", "err", err)
		}
	}
}

// recent is how far the acknowledged edge may lie behind the written one without anybody waiting, in ms.
const recent = 1500

// acknowledged has the recording sync what it has written, waits a moment for that and returns
// the open segment.
func (rec *Recording) acknowledged(ctx context.Context) *tail {
	t := rec.tape
	now, changed := t.look()
	if now == nil || now.row.Duration-now.durable <= recent {
		return now
	}
	t.wantSync.Store(true)
	if wake := rec.poke.Load(); wake != nil {
		(*wake)()
	}
	patience := time.NewTimer(400 * time.Millisecond)
	defer patience.Stop()
	for before := now.durable; now != nil && now.durable == before; {
		select {
		case <-changed:
			now, changed = t.look()
		case <-patience.C:
			return now
		case <-ctx.Done():
			return now
		}
	}
	return now
}

// loop records until something ends it, and returns why nothing follows.
func (rec *Recording) loop(ctx context.Context) Reason {
	if rec.tape.edge == 0 {
		rec.tape.edge = clock.At(rec.room.Clock.Now())
	}
	p := progress{last: time.Now()}
	for {
		if over, reason := rec.second(ctx, &p); over {
			return reason
		}
		rec.tape.tick(time.Since(p.last))
	}
}

// progress is what the loop remembers from second to second.
type progress struct {
	begun   bool
	last    time.Time // when the newest unit came
	dropped uint64
}

// second records for about a second, or until somebody pokes it.
func (rec *Recording) second(ctx context.Context, p *progress) (over bool, reason Reason) {
	wait, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	rec.poke.Store(&cancel)
	for {
		u, err := rec.viewer.Next(wait)
		switch {
		case ctx.Err() != nil:
			if why := rec.reason.Load(); why != nil {
				return true, *why
			}
			return true, RecordingOff
		case wait.Err() != nil:
			return false, ""
		case err != nil:
			return true, Offline
		}
		rec.lost(u, p)
		p.begun, p.last = true, time.Now()
		rec.tape.take(u)
	}
}

// lost ends the segment where units are missing because writing did not keep up.
func (rec *Recording) lost(u *media.Unit, p *progress) {
	dropped := rec.viewer.Dropped()
	if dropped == p.dropped {
		return
	}
	if p.begun {
		rec.room.Metrics.Lost.Add(int64(dropped - p.dropped))
		if rec.tape.open != nil && u.Key {
			rec.tape.close(0, DiskSlow)
		}
	}
	p.dropped = dropped
}
