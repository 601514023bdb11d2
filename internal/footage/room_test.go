package footage_test

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/footage"
	"candor/internal/footage/footagetest"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

func TestRecordedFootageIsShownAndPlays(t *testing.T) {
	promise.Proves(t, "P064")
	each(t, func(t *testing.T, w *world) {
		rec, _ := w.record()
		w.play(150)
		if on, _ := rec.Status(); !on {
			t.Error("a running recording says that it is not")
		}
		tl := w.timeline(noon-60_000, noon+300_000)
		w.covers(tl, noon-60_000, noon+300_000)
		if len(tl.Ranges) != 1 || !near(tl.Ranges[0].From, noon, 0) || tl.Ranges[0].To < noon+100_000 || tl.Ranges[0].To > noon+150_500 {
			t.Fatalf("timeline while recording: %+v", tl)
		}
		for _, g := range tl.Gaps {
			if g.Reason != footage.NotYet {
				t.Errorf("gap while recording: %+v", g)
			}
		}
		open, before := w.movie(noon+40_000, noon+110_000)
		if n := pictures(t, before); n < 698 || n > 703 {
			t.Errorf("70 s at 10 pictures a second show %d", n)
		}
		rec.Stop(footage.RecordingOff)
		closed, after := w.movie(noon+40_000, noon+110_000)
		if open.ETag() != closed.ETag() || !bytes.Equal(before, after) {
			t.Error("the same cut is another file once its segment is closed")
		}
		tl = w.timeline(noon, noon+150_000)
		if len(tl.Ranges) != 1 || !near(tl.Ranges[0].To, noon+150_000, 200) {
			t.Errorf("timeline afterwards: %+v", tl)
		}
		if on, why := rec.Status(); on || why != footage.RecordingOff {
			t.Errorf("status afterwards: %v %s", on, why)
		}
		var longest, rows int64
		w.must(w.db.Read.NewRaw("SELECT max(duration_ms), count(*) FROM footage_segment").Scan(context.Background(), &longest, &rows))
		if longest > 60_000 || rows < 3 {
			t.Errorf("%d segments, the longest of %d ms", rows, longest)
		}
	})
}

func TestMovieServesAnyByteRange(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.record()
	w.play(90)
	m, all := w.movie(noon+5_300, noon+80_700)
	if m.ContentType() != "video/mp4" || m.ETag() == "" || !near(m.Start(), noon+5_300, 110) || !near(m.End(), noon+80_700, 110) {
		t.Errorf("movie says %s %s %d %d", m.ContentType(), m.ETag(), m.Start()-noon, m.End()-noon)
	}
	for range 300 {
		off := rand.Int64N(m.Size())
		b := make([]byte, 1+rand.IntN(200_000))
		n, err := m.ReadAt(b, off)
		if want := min(len(b), int(m.Size()-off)); n != want || (err != nil && err != io.EOF) || !bytes.Equal(b[:n], all[off:off+int64(n)]) {
			t.Fatalf("range at %d of %d: %d bytes, %v", off, len(b), n, err)
		}
	}
	if end, err := m.Seek(0, io.SeekEnd); err != nil || end != m.Size() {
		t.Errorf("seek to the end: %d, %v", end, err)
	}
	if n, err := m.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("read at the end: %d, %v", n, err)
	}
}

func TestKeyUnitIsThePictureBefore(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.record()
	w.play(70)
	for _, at := range []clock.Millis{noon, noon + 3_456, noon + 61_000, noon + 69_000} {
		track, u, err := w.room.KeyUnit(context.Background(), w.permit(), w.cam, media.Main, at)
		w.must(err)
		if !u.Key || u.Wall > at || at-u.Wall > 5_000 || track.Width != 384 || !bytes.Equal(track.SPS, w.clip.Description.Video().SPS) {
			t.Errorf("at %d: key picture of %d, %dx%d", at-noon, u.Wall-noon, track.Width, track.Height)
		}
	}
	if _, _, err := w.room.KeyUnit(context.Background(), w.permit(), w.cam, media.Main, noon-60_000); !problem.Is(err, "footage.none") {
		t.Errorf("before anything was recorded: %v", err)
	}
}

func TestNobodyElseSeesAnything(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.record()
	w.play(20)
	ctx := context.Background()
	g := w.grant(permit.FootageRead)
	g.Subject = id.Make[id.Subject]()
	other := w.issuer.Permit(g)
	theirs := w.cam
	theirs.Subject = g.Subject
	for name, p := range map[string]permit.Permit{"another person's": other, "no": {}} {
		if _, err := w.room.Timeline(ctx, p, w.cam, media.Main, noon, noon+20_000); !isNotFound(err) {
			t.Errorf("timeline with %s permit: %v", name, err)
		}
		if _, _, err := w.room.KeyUnit(ctx, p, w.cam, media.Main, noon+5_000); !isNotFound(err) {
			t.Errorf("picture with %s permit: %v", name, err)
		}
	}
	if _, err := w.room.Movie(ctx, w.issuer.Lease(ctx, g), w.cam, media.Main, noon, noon+20_000); !isNotFound(err) {
		t.Errorf("movie with another person's lease: %v", err)
	}
	tl, err := w.room.Timeline(ctx, other, theirs, media.Main, noon, noon+20_000)
	if err != nil || len(tl.Ranges) != 0 || tl.Oldest != 0 && tl.Bytes != 0 {
		t.Errorf("the other person asks for this camera as theirs: %+v, %v", tl, err)
	}
	if _, err := w.room.Movie(ctx, w.issuer.Lease(ctx, g), theirs, media.Main, noon, noon+20_000); !problem.Is(err, "footage.none") {
		t.Errorf("movie of this camera as theirs: %v", err)
	}
	if _, err := w.room.Record(w.issuer.Lease(ctx, g), w.cam, media.Main, w.stream); err == nil {
		t.Error("another person's lease records this camera")
	}
}

func isNotFound(err error) bool {
	p, ok := problem.Of(err)
	return ok && p.Status == http.StatusNotFound
}

func TestRecordingEndsWithItsLease(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rec, lease := w.record()
		w.play(30)
		lease.End(permit.ErrEnded)
		select {
		case <-rec.Done():
		case <-time.After(30 * time.Second):
			t.Fatal("the recording goes on without its lease")
		}
		bytes, keys := w.room.Metrics.Bytes.Load(), w.keys()
		for _, u := range w.clip.Play(w.ticks, noon+30_000, 20*media.TickRate) {
			w.stream.Write(u)
		}
		w.must(w.room.Note(context.Background(), w.cam, footage.Offline))
		if now := w.room.Metrics.Bytes.Load(); now != bytes {
			t.Errorf("%d bytes were written after the lease ended", now-bytes)
		}
		if n := w.keys(); n != keys {
			t.Errorf("%d keys became %d after the lease ended", keys, n)
		}
		tl := w.timeline(noon, noon+30_000)
		if len(tl.Ranges) != 1 || tl.Ranges[0].To < noon+28_000 {
			t.Errorf("what was recorded before: %+v", tl)
		}
		if n := len(tl.Gaps); n > 0 && tl.Gaps[n-1].Reason != footage.RecordingOff {
			t.Errorf("why it ends: %+v", tl.Gaps)
		}
	})
}

func TestMovieEndsWithItsLease(t *testing.T) {
	w := newWorld(t, sqlite(t))
	rec, _ := w.record()
	w.play(30)
	rec.Stop(footage.RecordingOff)
	lease := w.lease(permit.FootageRead)
	m, err := w.room.Movie(context.Background(), lease, w.cam, media.Main, noon, noon+30_000)
	w.must(err)
	if _, err := m.ReadAt(make([]byte, 1000), m.Size()/2); err != nil {
		t.Fatal(err)
	}
	lease.Pause()
	read := make(chan error, 1)
	go func() { _, err := m.ReadAt(make([]byte, 1000), m.Size()/3); read <- err }()
	select {
	case err := <-read:
		t.Fatalf("a paused lease lets through: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	lease.Resume()
	w.must(<-read)
	lease.End(nil)
	if n, err := m.ReadAt(make([]byte, 1000), m.Size()/2); n != 0 || err == nil {
		t.Errorf("%d bytes after the lease ended: %v", n, err)
	}
}

func TestGapsSayWhy(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		at := func() clock.Millis { return clock.At(w.clock.Now()) }
		rec, _ := w.record()
		w.play(20)
		rec.Stop(footage.RecordingOff)
		off := at()
		w.pass(30 * time.Second)
		rec, lease := w.record()
		w.play(20)
		offline := at()
		w.must(w.room.Note(context.Background(), w.cam, footage.Offline))
		w.pass(40 * time.Second)
		w.play(20)
		paused := at()
		lease.Pause()
		_ = w.stream.Write(w.clip.Play(w.ticks, paused, media.TickRate)[0])
		w.until("the recording to pause", func() bool { on, _ := rec.Status(); return !on })
		w.pass(15 * time.Second)
		lease.Resume()
		w.play(20)
		w.must(w.room.Close())
		down := at()
		w.pass(50 * time.Second)
		w.open()
		w.record()
		w.play(20)
		end := at()
		tl := w.timeline(noon-1000, end+5000)
		w.covers(tl, noon-1000, end+5000)
		want := []footage.Gap{{noon - 1000, noon, footage.NotYet}, {off, off + 30_000, footage.RecordingOff}, {offline, offline + 40_000, footage.Offline},
			{paused, paused + 15_000, footage.Waiting}, {down, down + 50_000, footage.Restart}, {end, end + 5000, footage.NotYet}}
		if len(tl.Gaps) != len(want) {
			t.Fatalf("gaps: %+v", tl.Gaps)
		}
		for i, g := range tl.Gaps {
			if g.Reason != want[i].Reason || !near(g.From, want[i].From, 2_000) || !near(g.To, want[i].To, 500) {
				t.Errorf("gap %d is %s from %d to %d, want %s from %d to %d", i, g.Reason, g.From-noon, g.To-noon, want[i].Reason, want[i].From-noon, want[i].To-noon)
			}
		}
	})
}

func TestChangedParametersBeginASegment(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.record()
	w.play(10)
	second := footagetest.Open(t, "people.mp4")
	w.stream.Describe(second.Description)
	for _, u := range second.Play(w.ticks, noon+10_000, 10*media.TickRate) {
		if w.stream.Write(u) {
			w.sent++
		}
	}
	w.recorded()
	tl := w.timeline(noon, noon+20_000)
	if len(tl.Ranges) == 0 || tl.Ranges[0].From != noon {
		t.Fatalf("timeline: %+v", tl)
	}
	_, b := w.movie(noon, noon+19_000)
	if n := pictures(t, b); n < 180 || n > 191 {
		t.Errorf("19 s over a change of parameters show %d pictures", n)
	}
}

func TestDaysAreCutByTheSitesZone(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.clock.Set(time.Date(2026, 3, 1, 15, 59, 30, 0, time.UTC)) // 30 s before midnight in Shanghai
	w.record()
	w.play(60)
	zone := time.FixedZone("CST", 8*3600)
	now := clock.At(w.clock.Now())
	days, err := w.room.Days(context.Background(), w.permit(), w.cam, media.Main, now-3_600_000, now, zone)
	w.must(err)
	if len(days) != 2 || days[0].Date.Day() != 1 || days[1].Date.Day() != 2 || days[0].Millis != 30_000 || days[1].Millis < 10_000 {
		t.Errorf("days: %+v", days)
	}
}
