package alarm_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"candor/internal/alarm"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// filled has three events on each of four days, on two cameras in turn, and lists them newest first.
func (w *world) filled() (cams [2]alarm.Camera, starts []clock.Millis) {
	w.t.Helper()
	cams = [2]alarm.Camera{w.cam, w.camera()}
	a, _ := w.watch(cams[0])
	b, _ := w.watch(cams[1])
	for d := range clock.Millis(4) {
		for i := range clock.Millis(3) {
			at := noon + d*day + i*hour
			w.event([]*alarm.Watch{a, b}[len(starts)%2], at, at+second)
			starts = append(starts, at)
		}
		w.clock.Advance(24 * time.Hour)
	}
	slices.Reverse(starts)
	return cams, starts
}

func starts(events []alarm.Event) (out []clock.Millis) {
	for _, e := range events {
		out = append(out, e.Start)
	}
	return out
}

// every follows the pages to their end.
func (w *world) every(q alarm.Query, may []permit.Permit) (out []alarm.Event) {
	w.t.Helper()
	for range 100 {
		page := w.list(q, may...)
		out = append(out, page.Events...)
		if q.After = page.Next; q.After == "" {
			return out
		}
	}
	w.t.Fatal("the list has no end")
	return nil
}

func TestPagesFollowEachOther(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cams, want := w.filled()
		may := w.may(cams[:]...)
		for _, limit := range []int{1, 3, 5, 12, 50} {
			if got := starts(w.every(alarm.Query{Limit: limit}, may)); !slices.Equal(got, want) {
				t.Errorf("%d a page: %v", limit, got)
			}
		}
		first := w.list(alarm.Query{Limit: 3}, may...)
		w.event(func() *alarm.Watch { x, _ := w.watch(cams[0]); return x }(), noon+6*day, noon+6*day+second)
		if got := w.list(alarm.Query{Limit: 3, After: first.Next}, may...); got.Events[0].Start != want[3] {
			t.Errorf("a newer event moved the next page: %v", starts(got.Events))
		}
		for _, bad := range []string{"x", "AAAA", "!!!!", fmt.Sprintf("%032d", 0)} {
			if _, err := w.room.List(context.Background(), w.owner, may, alarm.Query{After: bad}); !problem.Is(err, "alarm.cursor") {
				t.Errorf("cursor %q: %v", bad, err)
			}
		}
	})
}

func TestWhatNarrowsAList(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		cams, want := w.filled()
		may := w.may(cams[:]...)
		ctx := context.Background()
		yes, no := true, false
		first := w.every(alarm.Query{}, may)
		marked := []id.Sighting{first[2].ID, first[9].ID}
		refs, err := w.room.MarkSeen(ctx, w.owner, may, append(marked, id.Random[id.Sighting]()), true)
		if err != nil || len(refs) != 2 {
			t.Fatalf("marked: %v, %v", refs, err)
		}
		for what, c := range map[string]struct {
			query alarm.Query
			want  func(i int) bool
		}{
			"one camera":      {alarm.Query{Bindings: []id.Binding{cams[1].Binding}}, func(i int) bool { return i%2 == 0 }},
			"a kind":          {alarm.Query{Kind: alarm.Motion}, func(int) bool { return true }},
			"another kind":    {alarm.Query{Kind: "bell"}, func(int) bool { return false }},
			"seen":            {alarm.Query{Seen: &yes}, func(i int) bool { return i == 2 || i == 9 }},
			"not seen":        {alarm.Query{Seen: &no}, func(i int) bool { return i != 2 && i != 9 }},
			"from":            {alarm.Query{From: want[5]}, func(i int) bool { return i <= 5 }},
			"to":              {alarm.Query{To: want[5]}, func(i int) bool { return i > 5 }},
			"within a day":    {alarm.Query{From: want[5], To: want[4]}, func(i int) bool { return i == 5 }},
			"nobody's":        {alarm.Query{Bindings: []id.Binding{id.Make[id.Binding]()}}, func(int) bool { return false }},
			"before it all":   {alarm.Query{To: want[11]}, func(int) bool { return false }},
			"not seen, a day": {alarm.Query{Seen: &no, From: want[11], To: want[8] + 1}, func(i int) bool { return i >= 8 && i <= 11 && i != 9 }},
		} {
			var expect []clock.Millis
			for i, at := range want {
				if c.want(i) {
					expect = append(expect, at)
				}
			}
			c.query.Limit = 3
			if got := starts(w.every(c.query, may)); !slices.Equal(got, expect) {
				t.Errorf("%s: %v, want %v", what, got, expect)
			}
		}
	})
}

func TestSeenIsPerPerson(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		watch, _ := w.watch(w.cam)
		w.event(watch, noon, noon+second)
		e := w.list(alarm.Query{}).Events[0].ID
		member := id.Make[id.Account]()
		theirs := w.issuer.Permit(w.grant(w.cam, member, permit.EventRead))
		if _, err := w.room.MarkSeen(ctx, member, []permit.Permit{theirs}, []id.Sighting{e}, true); err != nil {
			t.Fatal(err)
		}
		if w.list(alarm.Query{}).Events[0].Seen {
			t.Error("what a member has seen, the owner has seen")
		}
		if got, err := w.room.Read(ctx, theirs, w.cam.Binding, e); err != nil || !got.Seen {
			t.Errorf("the member: %+v, %v", got, err)
		}
		if _, err := w.room.MarkSeen(ctx, member, []permit.Permit{theirs}, []id.Sighting{e}, false); err != nil {
			t.Fatal(err)
		}
		if got, err := w.room.Read(ctx, theirs, w.cam.Binding, e); err != nil || got.Seen {
			t.Errorf("the member, taken back: %+v, %v", got, err)
		}
	})
}

func TestATimelineShowsWhatTouchesIt(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		watch, _ := w.watch(w.cam)
		w.event(watch, noon, noon+10*second)
		w.event(watch, noon+minute, noon+minute+second)
		w.event(watch, noon+12*hour-second, noon+12*hour+5*second) // over midnight
		for _, c := range []struct {
			from, to clock.Millis
			n        int
		}{{noon, noon + day, 3}, {noon + 5*second, noon + 6*second, 1}, {noon + 11*second, noon + minute, 0}, {noon + 12*hour + second, noon + 13*hour, 1}, {noon - day, noon, 0}} {
			got, err := w.room.Between(context.Background(), w.may()[0], w.cam.Binding, c.from, c.to)
			if err != nil || len(got) != c.n {
				t.Errorf("from %d to %d: %+v, %v", c.from-noon, c.to-noon, got, err)
			}
		}
	})
}
