package alarm_test

import (
	"bytes"
	"context"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"candor/internal/alarm"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

func TestAnEventIsKeptAndTold(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		watch, _ := w.watch(w.cam)
		w.must(watch.Begin(report(noon)))
		better := report(noon)
		better.At, better.Shown, better.Score, better.Picture = noon+3*second, noon+3*second, 80, []byte("a better picture")
		w.must(watch.Update(better))
		page := w.list(alarm.Query{})
		if len(page.Events) != 1 || page.Events[0].State != alarm.Open || page.Events[0].End != noon+3*second {
			t.Fatalf("while it goes on: %+v", page.Events)
		}
		w.must(watch.End(noon + 5*second))
		e := w.list(alarm.Query{}).Events[0]
		if e.State != alarm.Over || e.Start != noon || e.End != noon+5*second || e.Score != 80 || e.Kind != alarm.Motion || !e.Recorded || e.Seen {
			t.Errorf("event: %+v", e)
		}
		picture, at, err := w.room.Picture(ctx, w.may()[0], w.cam.Binding, e.ID)
		if err != nil || string(picture) != "a better picture" || at != noon+3*second {
			t.Errorf("picture: %q of %d, %v", picture, at, err)
		}
		name := " " + e.ID.String()
		if got := strings.Join(w.news(), ","); got != "alarm.event.opened"+name+",alarm.event.changed"+name+",alarm.event.closed"+name {
			t.Errorf("told: %s", got)
		}
		ref, ok, err := w.room.Find(ctx, w.cam.Tenant, e.ID)
		if !ok || err != nil || ref.Binding != w.cam.Binding || ref.Subject != w.cam.Subject || !ref.Picture || ref.State != alarm.Over {
			t.Errorf("found without a permit: %+v, %v, %v", ref, ok, err)
		}
		if n := len(w.files()); n != 1 {
			t.Errorf("%d pictures on the disk, the older one should be gone", n)
		}
	})
}

// files are the pictures on the disk.
func (w *world) files() (found []string) {
	w.t.Helper()
	w.must(filepath.WalkDir(filepath.Join(w.dir, "events"), func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			found = append(found, path)
		}
		return err
	}))
	return found
}

// Neither the rows nor the files tell when somebody was there.
func TestTheMomentIsNotInClear(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		watch, _ := w.watch(w.cam)
		w.clock.Advance(3 * time.Hour)
		w.event(watch, noon+3*hour, noon+3*hour+5*second)
		e := w.list(alarm.Query{}).Events[0]
		if e.ID[6]>>4 == 7 {
			t.Error("the event's id is ordered by time")
		}
		rows, err := w.db.Read.QueryContext(context.Background(), "SELECT day, state, watch_ms, bytes FROM alarm_event")
		w.must(err)
		defer rows.Close()
		for rows.Next() {
			var d, state, since, size int64
			w.must(rows.Scan(&d, &state, &since, &size))
			if clock.Day(d) != clock.DayOf(noon.Time()) || clock.Millis(since) != noon {
				t.Errorf("in clear: day %d, since %d", d, since)
			}
		}
		w.must(rows.Err())
		for _, name := range w.files() {
			if info, err := os.Stat(name); err != nil || !info.ModTime().Equal(clock.DayOf(info.ModTime()).Start()) {
				t.Errorf("the file system tells when the picture was written: %v, %v", info.ModTime(), err)
			}
			b, err := os.ReadFile(name)
			if err != nil || bytes.Contains(b, []byte("picture of")) {
				t.Errorf("a picture in clear, %v", err)
			}
		}
	})
}

func TestNothingOpensWithoutAFittingPermit(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		watch, _ := w.watch(w.cam)
		w.event(watch, noon, noon+second)
		e := w.list(alarm.Query{}).Events[0].ID
		other, stranger := w.camera(), w.camera()
		stranger.Subject = id.Make[id.Subject]()
		moved := w.grant(w.cam, w.owner, permit.EventRead)
		moved.Subject = stranger.Subject
		narrow := w.grant(w.cam, w.owner, permit.EventRead)
		narrow.Categories = nil
		later := w.grant(w.cam, w.owner, permit.EventRead)
		later.From = noon + hour
		for what, p := range map[string]permit.Permit{
			"none": {}, "another camera": w.may(other)[0], "another person": w.issuer.Permit(w.grant(stranger, w.owner, permit.EventRead)),
			"the camera under another person": w.issuer.Permit(moved), "no category": w.issuer.Permit(narrow), "a window that begins later": w.issuer.Permit(later),
		} {
			if got, err := w.room.Read(ctx, p, w.cam.Binding, e); err == nil {
				t.Errorf("%s: reads %+v", what, got)
			}
			if got, _, err := w.room.Picture(ctx, p, w.cam.Binding, e); err == nil {
				t.Errorf("%s: shows %q", what, got)
			}
			if page, err := w.room.List(ctx, w.owner, []permit.Permit{p}, alarm.Query{}); len(page.Events) > 0 {
				t.Errorf("%s: lists %+v, %v", what, page, err)
			}
			if got, err := w.room.Between(ctx, p, w.cam.Binding, noon, noon+hour); len(got) > 0 {
				t.Errorf("%s: shows %+v, %v", what, got, err)
			}
			if got, _ := w.room.MarkSeen(ctx, w.owner, []permit.Permit{p}, []id.Sighting{e}, true); len(got) > 0 {
				t.Errorf("%s: marks %+v", what, got)
			}
		}
		if _, err := w.room.Read(ctx, w.may()[0], other.Binding, e); !problem.Is(err, "not_found") {
			t.Errorf("an event under another camera's name: %v", err)
		}
		if w.list(alarm.Query{}).Events[0].Seen {
			t.Error("somebody without a permit has marked the event")
		}
	})
}

func TestAFloodIsCountedIntoTheLast(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		watch, lease := w.watch(w.cam)
		for i := range clock.Millis(20) {
			w.event(watch, noon+i*minute, noon+i*minute+second)
		}
		got := w.list(alarm.Query{}).Events
		if len(got) != 5 || got[0].More != 15 || got[0].Start != noon+4*minute || got[0].End != noon+19*minute+second || got[1].More != 0 {
			t.Fatalf("kept: %+v", got)
		}
		// Starting anew within the hour makes no room for more.
		w.clock.Advance(20 * time.Minute)
		lease.End(nil)
		watch.Close()
		again, _ := w.watch(w.cam)
		w.event(again, noon+21*minute, noon+21*minute+second)
		w.event(again, noon+22*minute, noon+22*minute+second)
		if got := w.list(alarm.Query{}).Events; len(got) > 6 {
			t.Errorf("%d events after starting anew", len(got))
		}
		w.event(again, noon+hour, noon+hour+second)
		if got := w.list(alarm.Query{}).Events; got[0].Start != noon+hour || got[0].More != 0 {
			t.Errorf("the next hour begins with %+v", got[0])
		}
	})
}

func TestAnEventThatWasGoingOnAtACrashIsEnded(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		watch, _ := w.watch(w.cam)
		w.must(watch.Begin(report(noon)))
		on := report(noon)
		on.At = noon + 4*second
		w.must(watch.Update(on))
		w.news()
		w.open() // the program starts again; nobody closed anything
		e := w.list(alarm.Query{}).Events[0]
		if e.State != alarm.CutOff || e.End != noon+4*second {
			t.Errorf("after the crash: %+v", e)
		}
		if got := w.news(); len(got) != 1 || !strings.HasPrefix(got[0], "alarm.event.closed "+e.ID.String()) {
			t.Errorf("told: %v", got)
		}
		if jpeg, _, err := w.room.Picture(context.Background(), w.may()[0], w.cam.Binding, e.ID); err != nil || len(jpeg) == 0 {
			t.Errorf("its picture: %v", err)
		}
	})
}

func TestClosingEndsWhatGoesOn(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		watch, lease := w.watch(w.cam)
		w.must(watch.Begin(report(noon)))
		watch.Close()
		if e := w.list(alarm.Query{}).Events[0]; e.State != alarm.CutOff {
			t.Errorf("after closing: %+v", e)
		}
		if err := watch.Begin(report(noon + minute)); err == nil {
			t.Error("a closed watch takes events")
		}
		lease.End(nil)
		if _, err := w.room.Watch(lease, w.cam); err == nil {
			t.Error("a watch under a lease that has ended")
		}
		other := w.issuer.Lease(context.Background(), w.grant(w.cam, id.Account{}, permit.CameraRecord))
		defer other.End(nil)
		if _, err := w.room.Watch(other, w.cam); !problem.Is(err, "alarm.lease") {
			t.Errorf("a watch under a lease to record: %v", err)
		}
	})
}

func TestSettings(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		change := w.issuer.Permit(w.grant(w.cam, w.owner, permit.CameraChange))
		if s, err := w.room.Setting(ctx, change); err != nil || s != alarm.Usual {
			t.Errorf("what is usual: %+v, %v", s, err)
		}
		out, err := alarm.ParseMask("800000000000000000000000000000000001")
		if err != nil || !out.Left(0, 0) || !out.Left(alarm.Columns-1, alarm.Rows-1) || out.Left(1, 0) {
			t.Fatalf("mask %v, %v", out, err)
		}
		want := alarm.Setting{On: false, Sensitivity: 5, Out: out}
		w.must(w.room.Set(ctx, change, want))
		if s, err := w.room.Setting(ctx, w.may()[0]); err != nil || s != want {
			t.Errorf("set: %+v, %v", s, err)
		}
		if on, err := w.room.On(ctx, w.cam.Tenant, w.cam.Binding); on || err != nil {
			t.Errorf("on: %v, %v", on, err)
		}
		all, err := alarm.ParseMask(strings.Repeat("f", 36))
		w.must(err)
		for code, s := range map[string]alarm.Setting{"alarm.sensitivity": {Sensitivity: 6}, "alarm.mask_all": {Sensitivity: 3, Out: all}} {
			if err := w.room.Set(ctx, change, s); !problem.Is(err, code) {
				t.Errorf("%s: %v", code, err)
			}
		}
		if err := w.room.Set(ctx, w.may()[0], want); err == nil {
			t.Error("a permit to read changes a setting")
		}
	})
}

func FuzzParseMask(f *testing.F) {
	f.Add("800000000000000000000000000000000001")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if m, err := alarm.ParseMask(s); err == nil && s != "" && !strings.EqualFold(m.String(), s) {
			t.Errorf("%q became %q", s, m)
		}
	})
}
