package alarm_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"candor/internal/alarm"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
	"candor/internal/seal"
)

func (w *world) whose(p passport.Purpose) rights.Whose {
	return rights.Whose{Tenant: w.cam.Tenant, Subject: w.cam.Subject, Binding: w.cam.Binding, Purpose: p}
}

// left is what a scan finds.
func (w *world) left(of rights.Whose) (found int64) {
	w.t.Helper()
	findings, err := w.room.Holder().Scan(context.Background(), of)
	w.must(err)
	for _, f := range findings {
		found += f.Found
	}
	return found
}

func TestInventoryAndExportAgree(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		cams, _ := w.filled()
		all := w.grant(w.cam, w.owner, permit.PrivacyExport)
		all.Binding = id.Binding{}
		p := w.issuer.Permit(all)
		w.must(w.room.Set(ctx, w.issuer.Permit(w.grant(w.cam, w.owner, permit.CameraChange)), alarm.Setting{On: true, Sensitivity: 2}))
		events := w.every(alarm.Query{}, w.may(cams[:]...))
		_, err := w.room.MarkSeen(ctx, w.owner, w.may(cams[:]...), []id.Sighting{events[0].ID, events[1].ID, events[2].ID}, true)
		w.must(err)
		of := rights.Whose{Tenant: w.cam.Tenant, Subject: w.cam.Subject}
		held, err := w.room.Holder().Count(ctx, p, of)
		w.must(err)
		count := map[string]int64{}
		for _, h := range held {
			count[h.Kind] = h.Count
			if h.Kind == "event" && (h.Oldest != noon-noon%day || h.Until != h.Oldest+8*day || h.Category != passport.Event || h.Bytes == 0) {
				t.Errorf("held: %+v", h)
			}
		}
		if count["event"] != 12 || count["motion_setting"] != 1 || count["event_seen"] != 3 {
			t.Errorf("counted: %v", count)
		}
		var out bytes.Buffer
		w.must(w.room.Holder().Export(ctx, p, of, &out))
		lines := map[string]int64{}
		for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
			var l struct {
				Kind, Start, Picture string
			}
			w.must(json.Unmarshal([]byte(line), &l))
			lines[l.Kind]++
			if l.Kind == "event" && (l.Start == "" || l.Picture == "") {
				t.Errorf("exported without its moment or picture: %s", line)
			}
		}
		for kind, n := range count {
			if lines[kind] != n {
				t.Errorf("%s: counted %d, exported %d", kind, n, lines[kind])
			}
		}
		if err := w.room.Holder().Export(ctx, permit.Permit{}, of, &out); err == nil {
			t.Error("an export without a permit")
		}
	})
}

func TestWithdrawingDestroysEvents(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.must(w.room.Set(ctx, w.issuer.Permit(w.grant(w.cam, w.owner, permit.CameraChange)), alarm.Usual))
		watch, lease := w.watch(w.cam)
		w.event(watch, noon, noon+second)
		e := w.list(alarm.Query{}).Events[0].ID
		_, err := w.room.MarkSeen(ctx, w.owner, w.may(), []id.Sighting{e}, true)
		w.must(err)
		w.must(watch.Begin(report(noon + minute))) // one is going on
		neighbour := w.camera()
		there, _ := w.watch(neighbour)
		w.event(there, noon, noon+second)

		w.clock.Advance(time.Minute)
		lease.End(permit.ErrEnded)
		if err := watch.Begin(report(noon + 2*minute)); err == nil {
			t.Error("an event after the withdrawal")
		}
		_, err = w.keeper.Destroy(ctx, seal.Buckets(w.cam.Tenant, w.cam.Subject, w.cam.Binding, passport.Event), seal.Withdrawn)
		w.must(err)
		if page := w.list(alarm.Query{}); len(page.Events) > 0 {
			t.Errorf("opens after the keys are gone: %+v", page.Events)
		}
		of := w.whose(passport.Motion)
		of.Before = clock.At(w.clock.Now()) + 1
		w.clock.Advance(time.Second)
		again, _ := w.watch(w.cam) // agreed again at once
		w.event(again, noon+5*minute, noon+5*minute+second)
		if n := w.left(of); n == 0 {
			t.Fatal("the scan does not see what is there")
		}
		swept, err := w.room.Holder().Erase(ctx, of)
		w.must(err)
		if swept.Rows != 3 || swept.Bytes == 0 { // two events and a mark
			t.Errorf("swept: %+v", swept)
		}
		if n := w.left(of); n != 0 {
			findings, _ := w.room.Holder().Scan(ctx, of)
			t.Errorf("left behind: %+v", findings)
		}
		if got := w.list(alarm.Query{}).Events; len(got) != 1 || got[0].Start != noon+5*minute {
			t.Errorf("what came after: %+v", got)
		}
		if got := w.list(alarm.Query{}, w.may(neighbour)...).Events; len(got) != 1 {
			t.Errorf("another camera's events: %+v", got)
		}
		if s, err := w.room.Holder().Erase(ctx, w.whose(passport.Recording)); err != nil || s != (rights.Swept{}) {
			t.Errorf("withdrawing recording took events: %+v, %v", s, err)
		}
		if swept, err := w.room.Holder().Erase(ctx, of); err != nil || swept != (rights.Swept{}) {
			t.Errorf("erasing again: %+v, %v", swept, err)
		}
	})
}

func TestAGoodbyeTakesAllOfACameraAndOfAPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		cams, _ := w.filled()
		w.must(w.room.Set(ctx, w.issuer.Permit(w.grant(w.cam, w.owner, permit.CameraChange)), alarm.Usual))
		member := id.Make[id.Account]()
		events := w.every(alarm.Query{}, w.may(cams[:]...))
		for _, viewer := range []id.Account{w.owner, member} {
			_, err := w.room.MarkSeen(ctx, viewer, w.may(cams[:]...), []id.Sighting{events[0].ID, events[1].ID}, true)
			w.must(err)
		}
		leaving := rights.Whose{Tenant: w.cam.Tenant, Subject: id.SubjectOf(member)} // a member closes their account
		if swept, err := w.room.Holder().Erase(ctx, leaving); err != nil || swept.Rows != 2 || w.left(leaving) != 0 {
			t.Errorf("the member's: %+v, %v", swept, err)
		}
		if got := w.list(alarm.Query{}, w.may(cams[:]...)...).Events; len(got) != 12 || !got[0].Seen {
			t.Errorf("the owner's events after the member left: %d", len(got))
		}
		w.must(w.room.Close())
		if swept, err := w.room.Holder().Erase(ctx, w.whose("")); err != nil || swept.Rows != 8 || w.left(w.whose("")) != 0 {
			t.Errorf("the camera's: %+v, %v, %d left", swept, err, w.left(w.whose("")))
		}
		person := rights.Whose{Tenant: w.cam.Tenant, Subject: w.cam.Subject}
		if _, err := w.room.Holder().Erase(ctx, person); err != nil || w.left(person) != 0 {
			t.Errorf("the person's: %v, %d left", err, w.left(person))
		}
		if files := w.files(); len(files) > 0 {
			t.Errorf("files left: %v", files)
		}
	})
}

func TestErasingTakesStrayFiles(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		watch, _ := w.watch(w.cam)
		w.event(watch, noon, noon+second)
		_, err := w.db.Write.Exec("DELETE FROM alarm_event") // a database restored from an older copy
		w.must(err)
		if n := w.left(w.whose("")); n != 1 {
			t.Errorf("the scan finds %d", n)
		}
		swept, err := w.room.Holder().Erase(context.Background(), w.whose(""))
		if err != nil || swept.Objects != 1 || len(w.files()) != 0 {
			t.Errorf("swept %+v, %v", swept, err)
		}
	})
}

func TestEventsGoWhenTheirTimeIsOver(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		cams, want := w.filled() // four days, the clock stands on the fifth
		w.days = 3
		w.must(w.room.Sweep(ctx))
		got := w.every(alarm.Query{}, w.may(cams[:]...))
		if len(got) != 9 || got[8].Start != want[8] {
			t.Errorf("%d events left, from %d", len(got), got[len(got)-1].Start-noon)
		}
		days, err := w.keeper.Days(ctx, w.cam.Binding, passport.Event, seal.Continuous)
		if err != nil || days[0] != clock.DayOf(noon.Time())+1 {
			t.Errorf("keys of %v, %v", days, err)
		}
		if n := len(w.files()); n != 9 {
			t.Errorf("%d pictures left", n)
		}
		w.days = 0 // no limit
		w.clock.Advance(100 * 24 * time.Hour)
		w.must(w.room.Sweep(ctx))
		if n := len(w.every(alarm.Query{}, w.may(cams[:]...))); n != 9 {
			t.Errorf("%d events left without a limit", n)
		}
	})
}
