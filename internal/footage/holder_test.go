package footage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/footage"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

func (w *world) whose() rights.Whose {
	return rights.Whose{Tenant: w.cam.Tenant, Subject: w.cam.Subject, Binding: w.cam.Binding, Purpose: passport.Recording}
}

// left is what a scan finds.
func (w *world) left(of rights.Whose) (found int64) {
	w.t.Helper()
	findings, err := w.room.Holder().Scan(context.Background(), of)
	w.must(err)
	if len(findings) < 5 {
		w.t.Errorf("the scan looked at %v only", findings)
	}
	for _, f := range findings {
		found += f.Found
	}
	return found
}

func TestInventoryAndExport(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		w.policy = footage.Policy{Days: 7}
		w.tape(noon.Time(), 20)
		held, err := w.room.Holder().Count(context.Background(), w.permit(), w.whose())
		w.must(err)
		_, bytes1 := w.objects()
		if len(held) != 1 || held[0].Count != 1 || held[0].Bytes != bytes1 || held[0].Oldest != noon || held[0].Until != noon+7*24*3_600_000 {
			t.Errorf("held: %+v", held)
		}
		var out bytes.Buffer
		w.must(w.room.Holder().Export(context.Background(), w.permit(), w.whose(), &out))
		var line struct{ Kind, Start, File string }
		w.must(json.Unmarshal(out.Bytes(), &line))
		library := w.room.Holder().(rights.Library)
		files, err := library.Files(context.Background(), w.permit(), w.whose())
		w.must(err)
		if len(files) != 1 || files[0].Path != line.File || files[0].From != noon || files[0].Until != noon+7*24*3_600_000 {
			t.Fatalf("files %+v, the line says %q", files, line.File)
		}
		file := w.film(files[0])
		if n := pictures(t, file); n < 198 || line.Kind != "segment" || line.Start != noon.Time().Format("2006-01-02T15:04:05.000Z") {
			t.Errorf("exported %s %s with %d pictures", line.Kind, line.Start, n)
		}
		// What is recorded later changes nothing of it; once its segment is gone there is no such film.
		w.tape(noon.Time().Add(10*time.Minute), 20)
		if again := w.film(files[0]); !bytes.Equal(again, file) {
			t.Error("the film has changed")
		}
		w.clock.Advance(7*24*time.Hour + time.Second)
		if _, err := w.room.Sweep(context.Background()); err != nil {
			t.Fatal(err)
		}
		if c, err := library.Open(context.Background(), w.lease(permit.FootageRead), w.whose(), files[0]); !problem.Is(err, "footage.gone") {
			t.Errorf("a film that went: %v, %v", c, err)
		}
		other := w.whose()
		other.Purpose = passport.Live
		if held, err := w.room.Holder().Count(context.Background(), w.permit(), other); len(held) != 0 || err != nil {
			t.Errorf("held for watching live: %+v, %v", held, err)
		}
		if err := w.room.Holder().Export(context.Background(), permit.Permit{}, w.whose(), &out); err == nil {
			t.Error("an export without a permit")
		}
	})
}

// film reads a whole film of the library.
func (w *world) film(f rights.File) []byte {
	w.t.Helper()
	c, err := w.room.Holder().(rights.Library).Open(context.Background(), w.lease(permit.FootageRead), w.whose(), f)
	w.must(err)
	defer c.Close()
	b := make([]byte, c.Size())
	if n, err := c.ReadAt(b, 0); n != len(b) {
		w.t.Fatalf("read %d of %d bytes: %v", n, len(b), err)
	}
	return b
}

func TestErasingLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		promise.Proves(t, "P069", "P076")
		ctx := context.Background()
		w.tape(noon.Time(), 70)
		rec, lease := w.record()
		w.pass(10 * time.Second)
		w.play(20)
		if n := w.left(w.whose()); n == 0 {
			t.Fatal("the scan does not see what is there")
		}
		// Withdrawal: leases end, keys go, then the sweep.
		lease.End(permit.ErrEnded)
		_, err := w.keeper.Destroy(ctx, seal.Buckets(w.cam.Tenant, w.cam.Subject, w.cam.Binding, passport.Footage), seal.Withdrawn)
		w.must(err)
		swept, err := w.room.Holder().Erase(ctx, w.whose())
		w.must(err)
		<-rec.Done()
		if swept.Objects != 3 || swept.Bytes == 0 || swept.Rows < 4 {
			t.Errorf("swept: %+v", swept)
		}
		if n := w.left(w.whose()); n != 0 {
			findings, _ := w.room.Holder().Scan(ctx, w.whose())
			t.Errorf("left behind: %+v", findings)
		}
		w.must(w.room.Note(ctx, w.cam, footage.RecordingOff))
		buckets := seal.Buckets(w.cam.Tenant, w.cam.Subject, w.cam.Binding, passport.Footage)
		if n, err := w.keeper.Count(ctx, buckets); n != 0 || err != nil {
			t.Errorf("%d bucket keys live after the withdrawal, %v", n, err)
		}
		if files := w.files(w.cam.Binding.Hex()); len(files) > 0 {
			t.Errorf("files with the camera in their name: %v", files)
		}
		tl := w.timeline(noon, clock.At(w.clock.Now()))
		if len(tl.Ranges) != 0 || tl.Oldest != 0 || tl.Newest != 0 || tl.Bytes != 0 {
			t.Errorf("timeline after erasing: %+v", tl)
		}
		again, err := w.room.Holder().Erase(ctx, w.whose())
		if err != nil || again != (rights.Swept{}) {
			t.Errorf("erasing again: %+v, %v", again, err)
		}
		w.must(w.room.Close()) // nothing in memory brings it back
		w.open()
		if n := w.left(w.whose()); n != 0 {
			t.Errorf("%d things are back after a restart", n)
		}
	})
}

// files are the names under the footage folder that contain a string.
func (w *world) files(part string) (found []string) {
	w.t.Helper()
	w.must(filepath.WalkDir(filepath.Join(w.dir, "footage"), func(path string, _ fs.DirEntry, err error) error {
		if strings.Contains(path, part) {
			found = append(found, path)
		}
		return err
	}))
	return found
}

func TestErasingSparesOthersAndWhatCameAfter(t *testing.T) {
	each(t, func(t *testing.T, w *world) {
		ctx := context.Background()
		w.tape(noon.Time(), 20)
		mine := w.cam
		goodbye := clock.At(w.clock.Now()) + 1
		w.tape(w.clock.Now().Add(60*time.Second), 20) // agreed again, a minute later
		second := clock.At(w.clock.Now()) - 20_000

		w.cam.Binding[0] ^= 1 // another camera of the same person
		w.tape(w.clock.Now().Add(time.Minute), 20)
		neighbour := w.cam
		w.cam = mine

		of := w.whose()
		of.Before = goodbye
		swept, err := w.room.Holder().Erase(ctx, of)
		w.must(err)
		if swept.Objects != 1 {
			t.Errorf("swept: %+v", swept)
		}
		if n := w.left(of); n != 0 {
			t.Errorf("%d things from before are left", n)
		}
		tl := w.timeline(noon, second+20_000)
		if len(tl.Ranges) != 1 || tl.Ranges[0].From != second {
			t.Errorf("what came after the goodbye: %+v", tl)
		}
		_, b := w.movie(second, second+20_000)
		pictures(t, b)
		w.cam = neighbour
		if n := w.left(w.whose()); n == 0 {
			t.Error("another camera was erased, too")
		}
		of.Before, of.Purpose = 0, passport.Live
		if swept, err := w.room.Holder().Erase(ctx, of); err != nil || swept != (rights.Swept{}) {
			t.Errorf("erasing what serves watching live took footage: %+v, %v", swept, err)
		}
	})
}

func TestErasingTakesStrayFiles(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.tape(noon.Time(), 20)
	_, err := w.db.Write.Exec("DELETE FROM footage_segment") // a database restored from an older copy
	w.must(err)
	of := w.whose()
	of.Binding = [16]byte{}
	if n := w.left(of); n == 0 {
		t.Fatal("the scan does not see an object without a row")
	}
	_, err = w.room.Holder().Erase(context.Background(), of)
	w.must(err)
	if n := w.left(of); n != 0 {
		t.Errorf("%d things left", n)
	}
	if n, _ := w.objects(); n != 0 {
		t.Errorf("%d objects left", n)
	}
}

func TestSealedOnDisk(t *testing.T) {
	w := newWorld(t, sqlite(t))
	w.tape(noon.Time(), 20)
	video := w.clip.Description.Video()
	markers := [][]byte{video.SPS, w.clip.Units[0].Data[8:72], []byte("recording_off"), []byte("h264"), []byte("avc1")}
	for _, dir := range []string{filepath.Join(w.dir, "footage")} {
		w.must(filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
			if err != nil || e.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			for _, m := range markers {
				if bytes.Contains(b, m) {
					t.Errorf("%q lies in clear in %s", m, filepath.Base(path))
				}
			}
			return err
		}))
	}
	var summaries [][]byte
	w.must(w.db.Read.NewRaw("SELECT summary FROM footage_hour").Scan(context.Background(), &summaries))
	if len(summaries) == 0 {
		t.Error("no hour was summed up")
	}
}

func TestEveryColumnHasAPassport(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		query := "SELECT m.name || '.' || c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name LIKE 'footage%' ORDER BY 1"
		if db.Dialect == sqldb.Postgres {
			query = "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_name LIKE 'footage%' ORDER BY 1"
		}
		var have []string
		if err := db.Read.NewRaw(query).Scan(context.Background(), &have); err != nil {
			t.Fatal(err)
		}
		var want []string
		seen := map[passport.ID]bool{}
		for _, p := range footage.Passports() {
			if err := p.Check(); err != nil {
				t.Error(err)
			}
			if seen[p.ID] {
				t.Errorf("passport %s twice", p.ID)
			}
			seen[p.ID] = true
			if !strings.HasPrefix(p.Where, "blob:") {
				want = append(want, p.Where)
			}
		}
		slices.Sort(want)
		slices.Sort(have)
		if !slices.Equal(have, want) {
			t.Errorf("columns %v\npassports %v", have, want)
		}
	})
}
