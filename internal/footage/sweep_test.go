package footage_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/footage"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

// tape records so many seconds at that moment.
func (w *world) tape(at time.Time, seconds int64) {
	w.t.Helper()
	if at.After(w.clock.Now()) {
		w.pass(at.Sub(w.clock.Now()))
	}
	rec, lease := w.record()
	w.play(seconds)
	rec.Stop(footage.RecordingOff)
	lease.End(nil)
}

func (w *world) objects() (n int, bytes int64) {
	w.t.Helper()
	for info, err := range w.store.List(context.Background(), "") {
		w.must(err)
		n++
		bytes += info.Size
	}
	return n, bytes
}

func TestSweepByDays(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		promise.Proves(t, "P282")
		w.policy = footage.Policy{Days: 3}
		day := 24 * time.Hour
		for i := range 6 {
			w.tape(noon.Time().Add(time.Duration(i)*day), 20)
		}
		start := func(i int) clock.Millis { return noon + clock.Millis(i)*24*3_600_000 }
		w.clock.Set(noon.Time().Add(6*day + time.Hour)) // noon + 6 d 1 h: 3 days back is day 3, 13:00
		swept, err := w.room.Sweep(context.Background())
		w.must(err)
		if swept.Objects != 4 || swept.Keys != 3 || swept.Bytes == 0 {
			t.Errorf("swept %+v, want days 0 to 3: 4 objects, and the keys of the 3 whole days", swept)
		}
		days, err := w.keeper.Days(context.Background(), w.cam.Binding, passport.Footage, seal.Continuous)
		w.must(err)
		if len(days) != 3 || days[0] != clock.DayOf(start(3).Time()) {
			t.Errorf("live keys of days %v", days)
		}
		if n, _ := w.objects(); n != 2 {
			t.Errorf("%d objects are left, want days 4 and 5", n)
		}
		tl := w.timeline(start(0), start(6))
		w.covers(tl, start(0), start(6))
		if len(tl.Ranges) != 2 || tl.Ranges[0].From != start(4) || tl.Oldest != start(4) {
			t.Errorf("timeline: %+v", tl)
		}
		if g := tl.Gaps[0]; g.Reason != footage.Expired || g.From != start(0) || !near(g.To, start(3)+20_000, 300) {
			t.Errorf("what was let go: %+v", tl.Gaps)
		}
		if again, err := w.room.Sweep(context.Background()); err != nil || again != (footage.Swept{}) {
			t.Errorf("sweeping again: %+v, %v", again, err)
		}
		_, b := w.movie(start(4), start(4)+20_000)
		pictures(t, b)
	})
}

func TestSweepByBytes(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		for i := range 5 {
			w.tape(noon.Time().Add(time.Duration(i)*24*time.Hour), 20)
		}
		_, all := w.objects()
		w.policy = footage.Policy{Bytes: all/5*2 + all/10}
		swept, err := w.room.Sweep(context.Background())
		w.must(err)
		n, bytes := w.objects()
		if n != 2 || bytes > w.policy.Bytes || swept.Objects != 3 || swept.Keys != 3 {
			t.Errorf("%d objects of %d bytes are left of %d; swept %+v", n, bytes, all, swept)
		}
		tl := w.timeline(noon, clock.At(w.clock.Now()))
		if len(tl.Ranges) != 2 {
			t.Errorf("timeline: %+v", tl)
		}
	})
}

func TestWhatCannotBeDeletedCannotBeRead(t *testing.T) {
	promise.Proves(t, "P283")
	w, f := breakable(t)
	w.policy = footage.Policy{Days: 1}
	w.tape(noon.Time(), 20)
	_, err := w.db.Write.Exec("CREATE TABLE backup AS SELECT * FROM footage_segment")
	w.must(err)
	w.clock.Advance(72 * time.Hour)
	stuck := errors.New("the disk does not let go")
	f.remove.Store(&stuck)
	if _, err := w.room.Sweep(context.Background()); !errors.Is(err, stuck) {
		t.Fatalf("a deletion that fails goes unsaid: %v", err)
	}
	if n, _ := w.objects(); n != 1 {
		t.Fatal("the object is gone after all")
	}
	if n, err := w.keeper.Count(context.Background(), seal.Buckets(w.cam.Tenant, w.cam.Subject, w.cam.Binding, passport.Footage)); n != 0 || err != nil {
		t.Errorf("%d bucket keys live, %v", n, err)
	}
	if tl := w.timeline(noon, noon+20_000); len(tl.Ranges) != 0 {
		t.Errorf("it is still shown: %+v", tl)
	}
	_, err = w.db.Write.Exec("INSERT INTO footage_segment SELECT * FROM backup") // rows from a backup do not help
	w.must(err)
	if _, err := w.room.Movie(context.Background(), w.lease(permit.FootageRead), w.cam, media.Main, noon, noon+20_000); !problem.Is(err, "footage.none") {
		t.Errorf("the object that stayed still opens: %v", err)
	}
	if _, _, err := w.room.KeyUnit(context.Background(), w.permit(), w.cam, media.Main, noon+5_000); !problem.Is(err, "footage.none") {
		t.Errorf("a picture of the object that stayed: %v", err)
	}
	f.remove.Store(nil)
	_, err = w.room.Sweep(context.Background())
	w.must(err)
	if n, _ := w.objects(); n != 0 {
		t.Errorf("%d objects stay after the disk lets go", n)
	}
}

func TestSweepWhileRecordingAndReading(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.tape(noon.Time(), 20)
	w.clock.Set(noon.Time().Add(10 * 24 * time.Hour))
	w.policy = footage.Policy{Days: 9}
	w.pass(0)
	w.record()
	w.play(20)
	m, err := w.room.Movie(context.Background(), w.lease(permit.FootageRead), w.cam, media.Main, noon, noon+20_000)
	w.must(err)
	_, err = w.room.Sweep(context.Background())
	w.must(err)
	if n, err := m.ReadAt(make([]byte, 100_000), m.Size()-100_000); n > 0 && err == nil {
		t.Log("the movie's reader held the object open") // allowed: it had the file before
	}
	if tl := w.timeline(noon+10*24*3_600_000, clock.At(w.clock.Now())); len(tl.Ranges) != 1 {
		t.Errorf("what is being recorded: %+v", tl)
	}
}
