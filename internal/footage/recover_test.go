package footage_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/footage"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// The child records under the parent's eyes until it is killed.
const childDir = "CANDOR_FOOTAGE_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		recordUntilKilled(dir)
		return
	}
	os.Exit(m.Run())
}

// camOf is the child's camera, which parent and child agree on.
func camOf() footage.Camera {
	return footage.Camera{Tenant: id.DefaultTenant, Subject: id.Subject{1, 2, 3}, Binding: id.Binding{4, 5, 6}, Device: id.Device{7, 8, 9}}
}

func childRoom(t testing.TB, dir string) (*world, func()) {
	w := &world{t: t, dir: dir, clock: clock.NewVirtual(noon.Time()), cam: camOf()}
	w.issuer = permit.NewIssuer(w.clock)
	fail := func(err error) {
		if err != nil && t != nil {
			t.Fatal(err)
		}
		if err != nil {
			panic(err)
		}
	}
	var err error
	_, missing := os.Stat(filepath.Join(dir, "keys", "keys.db"))
	w.keeper, err = seal.Open(context.Background(), seal.Options{Dir: filepath.Join(dir, "keys"), Fresh: missing != nil, Clock: w.clock})
	fail(err)
	w.store, err = blob.OpenDisk(filepath.Join(dir, "footage"))
	fail(err)
	w.db, err = sqldb.Open(context.Background(), filepath.Join(dir, "candor.db"))
	fail(err)
	w.room = &footage.Room{DB: w.db, Keys: w.keeper, Store: w.store, Clock: w.clock, Reserve: 1}
	fail(w.room.Open(context.Background()))
	return w, func() { _ = w.room.Close(); _ = w.db.Close(); _ = w.keeper.Close() }
}

// recordUntilKilled prints, for each unit that the recording has taken, its time.
func recordUntilKilled(dir string) {
	w, _ := childRoom(nil, dir)
	stream := media.NewHub().Open(media.Key{Device: w.cam.Device, Profile: media.Main})
	video := &media.Track{Codec: media.H264, SPS: []byte{0x67, 1, 2, 3}, PPS: []byte{0x68}, Width: 64, Height: 64, FPS: 25}
	stream.Describe(&media.Description{Tracks: []*media.Track{video}})
	lease := w.issuer.Lease(context.Background(), w.grant(permit.CameraRecord))
	if _, err := w.room.Record(lease, w.cam, media.Main, stream); err != nil {
		panic(err)
	}
	out := bufio.NewWriterSize(os.Stdout, 16)
	begin, _ := strconv.ParseInt(os.Getenv("CANDOR_FOOTAGE_BEGIN"), 10, 64)
	for i := int64(0); ; i++ {
		at := begin + i*40
		stream.Write(&media.Unit{Track: video, DTS: at * 90, PTS: at * 90, Key: i%25 == 0, Wall: noon + clock.Millis(at), Data: bytes.Repeat([]byte{byte(i)}, 600)})
		for w.room.Metrics.Units.Load() < i+1 {
			runtime.Gosched()
		}
		fmt.Fprintln(out, at)
		_ = out.Flush()
	}
}

func TestKilledAtAnyMomentLosesAtMostASecond(t *testing.T) {
	dir := t.TempDir()
	begin := int64(0)
	for round := range 10 {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), childDir+"="+dir, "CANDOR_FOOTAGE_BEGIN="+strconv.FormatInt(begin, 10))
		cmd.Stderr = os.Stderr
		pipe, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines, taken := bufio.NewScanner(pipe), int64(-1)
		kill := begin + rand.Int64N(50_000)
		for lines.Scan() {
			taken, _ = strconv.ParseInt(lines.Text(), 10, 64)
			if taken >= kill {
				break
			}
		}
		_ = cmd.Process.Kill()
		rest, _ := io.ReadAll(pipe)
		_ = cmd.Wait()
		for _, line := range bytes.Split(rest, []byte("\n")) {
			if at, err := strconv.ParseInt(string(line), 10, 64); err == nil && at > taken && at < taken+10_000 {
				taken = at
			}
		}
		if taken < 0 {
			t.Fatalf("round %d: the child recorded nothing", round)
		}
		w, done := childRoom(t, dir)
		w.clock.Set((noon + clock.Millis(taken+1000)).Time())
		from := noon + clock.Millis(begin)
		tl := w.timeline(from, noon+clock.Millis(taken+40))
		end := from
		for _, r := range tl.Ranges {
			if r.From > end+100 {
				t.Errorf("round %d: a hole at %d: %+v", round, end-from, tl)
			}
			end = r.To
		}
		if lost := noon + clock.Millis(taken+40) - end; lost > 1000+40 {
			t.Errorf("round %d: killed after %d ms, lost %d ms: %+v", round, taken-begin, lost, tl)
		}
		if taken-begin > 5000 {
			w.movieIsWhole(t, from, end)
		}
		done()
		begin = taken + 120_000 - taken%1000
	}
}

// movieIsWhole reads a movie of synthetic units to its end.
func (w *world) movieIsWhole(t *testing.T, from, to clock.Millis) {
	t.Helper()
	m, err := w.room.Movie(context.Background(), w.issuer.Lease(context.Background(), w.grant(permit.FootageRead)), w.cam, media.Main, from, to)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if b, err := io.ReadAll(m); err != nil || int64(len(b)) != m.Size() {
		t.Fatalf("movie of %d bytes read %d: %v", m.Size(), len(b), err)
	}
}

func TestDraftCutAtAnyByteIsRepaired(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.record()
	w.play(8)
	drafts, err := w.store.Drafts()
	w.must(err)
	if len(drafts) != 1 {
		t.Fatalf("drafts: %v", drafts)
	}
	o, err := w.store.Open(drafts[0])
	w.must(err)
	size, err := o.Size()
	w.must(err)
	whole := make([]byte, size)
	_, err = o.ReadAt(whole, 0)
	w.must(err)
	w.must(w.room.Close())
	var last clock.Millis
	for cut := int64(0); cut <= size; cut = cutAfter(cut, size) {
		_, err := w.db.Write.Exec("DELETE FROM footage_segment")
		w.must(err)
		_, err = w.db.Write.Exec("DELETE FROM footage_hour")
		w.must(err)
		w.must(w.store.Delete(drafts[0]))
		d, err := w.store.Create(drafts[0])
		w.must(err)
		_, err = d.Write(whole[:cut])
		w.must(err)
		_, err = d.Write(make([]byte, cut%50)) // zeros that a file system left behind
		w.must(err)
		w.must(d.Close())
		w.open()
		if left, _ := w.store.Drafts(); len(left) != 0 {
			t.Fatalf("cut at %d: drafts stay: %v", cut, left)
		}
		tl := w.timeline(noon, noon+8_000)
		w.covers(tl, noon, noon+8_000)
		end := noon
		if len(tl.Ranges) > 0 {
			end = tl.Ranges[0].To
			if n := tl.Gaps; len(n) > 0 && n[len(n)-1].Reason != footage.Restart {
				t.Fatalf("cut at %d: %+v", cut, tl)
			}
			_, b := w.movie(noon, noon+8_000)
			if len(b) == 0 {
				t.Fatal("empty movie")
			}
		}
		if end < last {
			t.Fatalf("cut at %d: footage ends at %d, with less of the file at %d", cut, end-noon, last-noon)
		}
		last = end
		w.must(w.room.Close())
	}
	if last < noon+6_500 {
		t.Errorf("the whole draft gave %d ms", last-noon)
	}
}

// cutAfter walks through a file in odd steps and ends with all of it.
func cutAfter(cut, size int64) int64 {
	if next := cut + 1 + size/97; next < size || cut == size {
		return next
	}
	return size
}

func TestRowsAreRebuiltFromSegmentsAlone(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		rec, _ := w.record()
		w.play(130)
		rec.Stop(footage.RecordingOff)
		before := w.timeline(noon, noon+130_000)
		m, all := w.movie(noon+1000, noon+129_000)
		w.must(w.room.Close())
		for _, table := range []string{"footage_segment", "footage_hour", "footage_camera"} {
			_, err := w.db.Write.Exec("DELETE FROM " + table)
			w.must(err)
		}
		w.open()
		if tl := w.timeline(noon, noon+130_000); len(tl.Ranges) != 0 {
			t.Fatalf("the rows are not gone: %+v", tl)
		}
		n, err := w.room.Rebuild(context.Background())
		w.must(err)
		if n < 3 {
			t.Errorf("%d rows rebuilt", n)
		}
		after := w.timeline(noon, noon+130_000)
		if len(after.Ranges) != 1 || after.Ranges[0] != before.Ranges[0] {
			t.Errorf("timeline %+v became %+v", before, after)
		}
		if m2, again := w.movie(noon+1000, noon+129_000); m2.ETag() != m.ETag() || !bytes.Equal(all, again) {
			t.Error("the movie is another one after rebuilding")
		}
		if n, err := w.room.Rebuild(context.Background()); n != 0 || err != nil {
			t.Errorf("rebuilding again made %d rows, %v", n, err)
		}
	})
}

func TestObjectThatIsNoSegmentIsLeftAlone(t *testing.T) {
	w := newWorld(t, sqlite(t))
	d, err := w.store.Create("0193/garbage")
	w.must(err)
	_, err = d.Write([]byte("no segment"))
	w.must(err)
	w.must(d.Commit())
	if n, err := w.room.Rebuild(context.Background()); n != 0 || err != nil {
		t.Errorf("rebuild: %d, %v", n, err)
	}
}
