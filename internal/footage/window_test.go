package footage_test

import (
	"context"
	"testing"

	"candor/internal/clock"
	"candor/internal/footage"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
)

// A grant with a window reaches nothing outside of it: not by timeline, days, picture or movie, and
// not by the group of pictures that the window's edge cuts in two.
func TestAWindowHidesWhatLiesOutside(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.record()
	w.play(90)
	ctx := context.Background()
	g := w.grant(permit.FootageRead)
	g.From, g.To = noon+31_700, noon+60_300
	p, lease := w.issuer.Permit(g), w.issuer.Lease(ctx, g)
	t.Cleanup(func() { lease.End(nil) })

	tl, err := w.room.Timeline(ctx, p, w.cam, media.Main, noon, noon+90_000)
	w.must(err)
	w.covers(tl, noon, noon+90_000)
	if len(tl.Ranges) != 1 || tl.Ranges[0] != (footage.Range{From: g.From, To: g.To}) || tl.Oldest != g.From || tl.Newest != g.To {
		t.Errorf("timeline within a window: %+v", tl)
	}
	for _, gap := range tl.Gaps {
		if gap.Reason != footage.NotShared {
			t.Errorf("gap outside the window: %+v", gap)
		}
	}
	whole := w.timeline(noon, noon+90_000)
	if tl.Bytes <= 0 || tl.Bytes > whole.Bytes/2 {
		t.Errorf("%d bytes of %d", tl.Bytes, whole.Bytes)
	}
	out, err := w.room.Timeline(ctx, p, w.cam, media.Main, noon, noon+31_000)
	if err != nil || len(out.Ranges) != 0 || out.Oldest != 0 || out.Newest != 0 || out.Bytes != 0 {
		t.Errorf("timeline before the window: %+v, %v", out, err)
	}
	days, err := w.room.Days(ctx, p, w.cam, media.Main, noon-1, noon+90_000, noon.Time().Location())
	if err != nil || len(days) != 1 || days[0].Millis != int64(g.To-g.From) {
		t.Errorf("days: %+v, %v", days, err)
	}
	for _, at := range []clock.Millis{noon, g.From - 1_000, g.From - 1, g.To, g.To + 1_000} {
		if _, u, err := w.room.KeyUnit(ctx, p, w.cam, media.Main, at); !problem.Is(err, "footage.none") {
			t.Errorf("picture at %d outside the window: %v, %v", at-noon, u, err)
		}
	}
	for at := g.From; at < g.To; at += 1_700 {
		_, u, err := w.room.KeyUnit(ctx, p, w.cam, media.Main, at)
		if err == nil && (u.Wall < g.From || u.Wall >= g.To) {
			t.Errorf("picture at %d is of %d", at-noon, u.Wall-noon)
		}
		if err != nil && !problem.Is(err, "footage.none") {
			t.Errorf("picture at %d: %v", at-noon, err)
		}
	}
	for _, c := range [][2]clock.Millis{{noon, noon + 90_000}, {noon, g.From + 9_000}, {g.From, g.To}, {g.From - 1_000, g.To + 1_000}} {
		m, err := w.room.Movie(ctx, lease, w.cam, media.Main, c[0], c[1])
		w.must(err)
		if m.Start() < g.From || m.End() > min(g.To, c[1])+100 {
			t.Errorf("movie of %d to %d shows %d to %d", c[0]-noon, c[1]-noon, m.Start()-noon, m.End()-noon)
		}
		b := make([]byte, m.Size())
		if _, err := m.ReadAt(b, 0); err != nil {
			t.Fatal(err)
		}
		if n, most := pictures(t, b), int(m.End()-g.From)/100+2; n == 0 || n > most {
			t.Errorf("movie of %d to %d holds %d pictures, at most %d are inside", c[0]-noon, c[1]-noon, n, most)
		}
		w.must(m.Close())
	}
	for _, c := range [][2]clock.Millis{{noon, g.From}, {g.To, noon + 90_000}} {
		if _, err := w.room.Movie(ctx, lease, w.cam, media.Main, c[0], c[1]); !problem.Is(err, "footage.none") {
			t.Errorf("movie of %d to %d outside the window: %v", c[0]-noon, c[1]-noon, err)
		}
	}
}
