package footage_test

import (
	"context"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/footage"
	"candor/internal/id"
	"candor/internal/media"
)

// failing is a disk that can be made to misbehave, as a real one does.
type failing struct {
	blob.Store
	create, write, sync, remove atomic.Pointer[error]
	slow                        atomic.Int64 // nanoseconds each write takes
	torn                        atomic.Bool  // a failing write leaves half of it behind
	only                        string       // what the name of a failing draft contains
}

func with(err error) *error { return &err }

func failure(p *atomic.Pointer[error]) error {
	if e := p.Load(); e != nil {
		return *e
	}
	return nil
}

func (f *failing) Create(name string) (blob.Draft, error) {
	if err := failure(&f.create); err != nil {
		return nil, err
	}
	d, err := f.Store.Create(name)
	if err != nil || !strings.Contains(name, f.only) {
		return d, err
	}
	return &failingDraft{d, f}, nil
}

func (f *failing) Delete(name string) error {
	if err := failure(&f.remove); err != nil {
		return err
	}
	return f.Store.Delete(name)
}

type failingDraft struct {
	blob.Draft
	f *failing
}

func (d *failingDraft) Write(b []byte) (int, error) {
	time.Sleep(time.Duration(d.f.slow.Load()))
	if err := failure(&d.f.write); err != nil {
		n := 0
		if d.f.torn.Load() {
			n, _ = d.Draft.Write(b[:len(b)/2])
		}
		return n, err
	}
	return d.Draft.Write(b)
}

func (d *failingDraft) Sync() error {
	if err := failure(&d.f.sync); err != nil {
		return err
	}
	return d.Draft.Sync()
}

// breakable puts a disk that can fail under a new world.
func breakable(t *testing.T) (*world, *failing) {
	w := newWorld(t, sqlite(t))
	w.must(w.room.Close())
	f := &failing{Store: w.store}
	w.store = f
	w.open()
	return w, f
}

// send plays without waiting for anything to be recorded.
func (w *world) send(seconds int64) {
	from := w.ticks
	w.ticks += seconds * media.TickRate
	for _, u := range w.clip.Play(0, clock.At(w.clock.Now())-clock.Millis(from/90), w.ticks) {
		if u.DTS >= from {
			w.stream.Write(u)
		}
	}
	w.clock.Advance(time.Duration(seconds) * time.Second)
}

func reasons(tl *footage.Timeline) map[footage.Reason]clock.Millis {
	out := map[footage.Reason]clock.Millis{}
	for _, g := range tl.Gaps {
		out[g.Reason] += g.To - g.From
	}
	return out
}

func TestTroubledDiskCostsFootageOnly(t *testing.T) {
	for _, c := range []struct {
		name   string
		reason footage.Reason
		fail   func(f *failing)
		heal   func(f *failing)
	}{
		{"full", footage.DiskFull, func(f *failing) { f.write.Store(with(syscall.ENOSPC)) }, func(f *failing) { f.write.Store(nil) }},
		{"full in the middle of a write", footage.DiskFull,
			func(f *failing) { f.torn.Store(true); f.write.Store(with(syscall.ENOSPC)) }, func(f *failing) { f.write.Store(nil) }},
		{"read-only", footage.DiskReadOnly, func(f *failing) { f.write.Store(with(syscall.EROFS)); f.create.Store(with(syscall.EROFS)) },
			func(f *failing) { f.write.Store(nil); f.create.Store(nil) }},
		{"broken", footage.DiskError, func(f *failing) { f.write.Store(with(syscall.EIO)) }, func(f *failing) { f.write.Store(nil) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, f := breakable(t)
			rec, _ := w.record()
			w.play(20)
			good := w.timeline(noon, noon+20_000)
			_, before := w.movie(noon, noon+15_000)
			c.fail(f)
			w.send(20)
			w.until("the trouble to be noticed", func() bool { on, why := rec.Status(); return !on && why == c.reason })
			c.heal(f)
			time.Sleep(1100 * time.Millisecond) // it tries again after a second
			w.send(20)
			var tl *footage.Timeline
			w.until("recording to go on, and be acknowledged", func() bool {
				tl = w.timeline(noon, noon+60_000)
				on, _ := rec.Status()
				return on && len(tl.Ranges) > 1
			})
			w.covers(tl, noon, noon+60_000)
			if tl.Ranges[0].From != good.Ranges[0].From || tl.Ranges[0].To < good.Ranges[0].To {
				t.Errorf("acknowledged footage is gone: %+v before, %+v now", good, tl)
			}
			if r := reasons(tl); r[c.reason] < 10_000 || r[footage.Restart] > 0 || r[footage.Offline] > 0 {
				t.Errorf("gaps: %+v", tl.Gaps)
			}
			if _, after := w.movie(noon, noon+15_000); string(after) != string(before) {
				t.Error("a movie of acknowledged footage is another one now")
			}
			_, b := w.movie(noon, noon+60_000)
			pictures(t, b)
		})
	}
}

func TestFailedSyncIsNotAcknowledged(t *testing.T) {
	w, f := breakable(t)
	w.record()
	w.play(10)
	good := w.timeline(noon, noon+10_000)
	f.sync.Store(with(syscall.EIO))
	w.send(60)
	w.until("the trouble to be noticed", func() bool { return w.room.Metrics.Faults.Load() > 0 })
	tl := w.timeline(noon, noon+70_000)
	if len(tl.Ranges) != 1 || tl.Ranges[0] != good.Ranges[0] {
		t.Errorf("acknowledged %+v before the disk failed, %+v after", good.Ranges, tl.Ranges)
	}
}

func TestSlowDiskNeverStallsTheCamera(t *testing.T) {
	w, f := breakable(t)
	rec, _ := w.record()
	w.play(10)
	f.slow.Store(int64(400 * time.Millisecond))
	began := time.Now()
	w.send(200) // 2000 pictures, more than the window: a camera that waited would wait 80 s
	if took := time.Since(began); took > 40*time.Second {
		t.Errorf("the camera waited %v for the disk", took)
	}
	f.slow.Store(0)
	w.until("recording to catch up", func() bool { return w.room.Metrics.Lost.Load() > 0 && w.room.Metrics.Segments.Load() > 0 })
	w.send(10)
	w.until("recording to go on", func() bool { on, _ := rec.Status(); return on })
	rec.Stop(footage.RecordingOff)
	tl := w.timeline(noon, noon+220_000)
	w.covers(tl, noon, noon+220_000)
	if r := reasons(tl); r[footage.DiskSlow] == 0 || r[footage.Restart] > 0 {
		t.Errorf("gaps: %+v", tl.Gaps)
	}
	_, b := w.movie(noon, noon+220_000)
	pictures(t, b)
}

func TestReserveIsLeftToErasing(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.must(w.room.Close())
	w.open()
	w.room.Reserve = 1 << 62
	rec, _ := w.record()
	w.send(20)
	w.until("the full disk to be noticed", func() bool { return w.room.Metrics.Faults.Load() > 0 })
	if on, why := rec.Status(); on || why != footage.DiskFull {
		t.Errorf("status: %v %s", on, why)
	}
	if n := w.room.Metrics.Bytes.Load(); n != 0 {
		t.Errorf("%d bytes were written into the reserve", n)
	}
}

func TestOtherCamerasRecordOnWhileOneFails(t *testing.T) {
	w, f := breakable(t)
	f.only = w.cam.Binding.Hex()
	first, _ := w.record()
	w.play(5)
	f.write.Store(with(syscall.ENOSPC))
	w.send(10)
	w.until("the trouble to be noticed", func() bool { on, _ := first.Status(); return !on })
	w.cam.Binding, w.cam.Device = id.Make[id.Binding](), id.Make[id.Device]()
	w.stream = media.NewHub().Open(media.Key{Device: w.cam.Device, Profile: media.Main})
	w.stream.Describe(w.clip.Description)
	w.sent, w.ticks = w.room.Metrics.Units.Load(), 0
	w.record()
	w.play(20)
	at := noon + 15_000
	if tl := w.timeline(at, at+20_000); len(tl.Ranges) != 1 || tl.Ranges[0].From != at || tl.Ranges[0].To < at+18_000 {
		t.Errorf("the other camera: %+v", tl)
	}
}

func TestDatabaseThatIsAwayCostsNothing(t *testing.T) {
	w := newWorld(t, sqlite(t))
	rec, _ := w.record()
	w.play(20)
	ctx := context.Background()
	_, err := w.db.Write.Exec("ALTER TABLE footage_segment RENAME TO footage_away")
	w.must(err)
	rec.Stop(footage.RecordingOff)
	_, err = w.db.Write.Exec("ALTER TABLE footage_away RENAME TO footage_segment")
	w.must(err)
	if tl := w.timeline(noon, noon+20_000); len(tl.Ranges) != 1 || tl.Ranges[0].To < noon+19_500 {
		t.Errorf("not yet in the database: %+v", tl)
	}
	_, b := w.movie(noon, noon+20_000)
	if n := pictures(t, b); n < 195 {
		t.Errorf("not yet in the database: %d pictures", n)
	}
	w.clock.Advance(2 * time.Second)
	w.until("the row to be written", func() bool {
		n, err := w.db.Read.NewSelect().Table("footage_segment").Count(ctx)
		return err == nil && n > 0
	})
	w.must(w.room.Close())
	w.open()
	if tl := w.timeline(noon, noon+20_000); len(tl.Ranges) != 1 {
		t.Errorf("after the next start: %+v", tl)
	}
}
