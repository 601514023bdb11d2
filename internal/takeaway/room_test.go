package takeaway_test

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/rights"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
	"candor/internal/takeaway"
	source "candor/policy"
)

func (w *world) whose() rights.Whose { return rights.Whose{Tenant: id.DefaultTenant, Subject: w.zoe} }

// unpack reads a zip by the standard library, which compares the sums.
func unpack(t *testing.T, b []byte) map[string][]byte {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if out[f.Name], err = io.ReadAll(r); err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
	}
	return out
}

func TestACopyHoldsEverything(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		w.shelf.put("cam/b.mp4", 300_000, start.Add(-time.Hour), time.Time{})
		w.shelf.put("cam/a.mp4", 100_001, start.Add(-2*time.Hour), start.Add(5*24*time.Hour))
		w.shelf.put("cam/old.mp4", 10, start.Add(-7*24*time.Hour), start.Add(time.Minute))
		e := w.ask()
		if e.State != takeaway.Ready || e.Whole.Time() != start.Add(5*24*time.Hour) || e.Expires.Time() != start.AddDate(0, 0, 7) {
			t.Fatalf("%+v", e)
		}
		whole, c := w.read(e.ID)
		files := unpack(t, whole)
		if string(files["README.txt"]) != "Your copy (en)\n" || len(files["shelf/cam/b.mp4"]) != 300_000 || len(files["shelf/cam/a.mp4"]) != 100_001 {
			t.Errorf("files %v", len(files))
		}
		if n := bytes.Count(files["shelf/shelf.jsonl"], []byte("\n")); n != 3 || !bytes.Contains(files["takeaway/takeaway.jsonl"], []byte(e.ID.String())) {
			t.Errorf("lines: %s %s", files["shelf/shelf.jsonl"], files["takeaway/takeaway.jsonl"])
		}
		var m struct {
			Person id.Subject
			Rooms  []struct {
				Room  string
				Lines int64
				Held  map[string]int64
			}
			Entries []struct {
				Path   string
				Bytes  int64
				SHA256 string
			}
			LeftOut []struct{ Path, Because string } `json:"left_out"`
		}
		if err := json.Unmarshal(files["manifest.json"], &m); err != nil {
			t.Fatal(err)
		}
		if len(m.Entries) != len(files)-1 || m.Person != w.zoe || len(m.LeftOut) != 1 || m.LeftOut[0].Path != "shelf/cam/old.mp4" {
			t.Errorf("manifest %s", files["manifest.json"])
		}
		for _, e := range m.Entries {
			sum := sha256.Sum256(files[e.Path])
			if int64(len(files[e.Path])) != e.Bytes || hex.EncodeToString(sum[:]) != e.SHA256 {
				t.Errorf("%s: the manifest says %d %s", e.Path, e.Bytes, e.SHA256)
			}
		}
		for _, r := range m.Rooms {
			held := int64(0)
			for _, n := range r.Held {
				held += n
			}
			if held != r.Lines {
				t.Errorf("%s has %d lines and counts %d", r.Room, r.Lines, held)
			}
		}
		// Films come oldest first, and another opening gives the same.
		if bytes.Index(whole, []byte("cam/a.mp4")) > bytes.Index(whole, []byte("cam/b.mp4")) {
			t.Error("the newer film is first")
		}
		again, c2 := w.read(e.ID)
		if !bytes.Equal(again, whole) || c.ETag() != c2.ETag() || len(c.ETag()) < 10 {
			t.Error("another opening gives another file")
		}
		// Any range is that of the whole, also from the odd byte at which a download broke off.
		rng := rand.New(rand.NewPCG(3, 4))
		for range 200 {
			off := rng.Int64N(c.Size())
			if _, err := c.Seek(off, io.SeekStart); err != nil {
				t.Fatal(err)
			}
			part := make([]byte, 1+rng.Int64N(min(c.Size()-off, 70_000)))
			if _, err := io.ReadFull(c, part); err != nil || !bytes.Equal(part, whole[off:off+int64(len(part))]) {
				t.Fatalf("from %d: %v", off, err)
			}
		}
		// Nothing lies about in clear, and nothing of the films at all.
		w.quiet("a canary 4711", "cam/a.mp4", e.Token)
		file := filepath.Join(t.TempDir(), "copy.zip")
		if err := os.WriteFile(file, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, command := range [][]string{{"unzip", "-tqq", file}, {"python3", "-m", "zipfile", "-t", file}} {
			if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil && !errors.Is(err, exec.ErrNotFound) {
				t.Errorf("%s: %v\n%s", command[0], err, out)
			}
		}
	})
}

// quiet looks for what must not lie on the disk.
func (w *world) quiet(secrets ...string) {
	w.t.Helper()
	err := filepath.WalkDir(w.dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		for _, s := range secrets {
			if bytes.Contains(b, []byte(s)) {
				w.t.Errorf("%s holds %q", path, s)
			}
		}
		return err
	})
	if err != nil {
		w.t.Error(err)
	}
}

func TestNobodyElseOpensIt(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	e := w.ask()
	ben := id.Make[id.Subject]()
	if _, err := w.room.Open(ctx, w.lease(ctx, ben, permit.Person(id.Account(ben), id.Make[id.Session]())), e.ID); !problem.Is(err, "not_found") {
		t.Errorf("another person: %v", err)
	}
	other := w.issuer.Lease(ctx, grant(w.zoe, permit.FootageRead, permit.System("rights")))
	if _, err := w.room.Open(ctx, other, e.ID); !errors.Is(err, permit.ErrOther) {
		t.Errorf("another action: %v", err)
	}
	for name, f := range map[string]func() error{
		"begin by reading": func() error { _, err := w.room.Begin(ctx, w.permit(w.zoe, permit.PrivacyRead), "en"); return err },
		"begin by nobody":  func() error { _, err := w.room.Begin(ctx, permit.Permit{}, "en"); return err },
		"list by nobody":   func() error { _, err := w.room.List(ctx, permit.Permit{}); return err },
		"another's ending": func() error { _, err := w.room.End(ctx, w.permit(ben, permit.PrivacyRead), e.ID); return err },
		"an unknown ending": func() error {
			_, err := w.room.End(ctx, w.permit(w.zoe, permit.PrivacyRead), id.Make[id.Export]())
			return err
		},
	} {
		if err := f(); err == nil {
			t.Errorf("%s: allowed", name)
		}
	}
	if all, err := w.room.List(ctx, w.permit(ben, permit.PrivacyRead)); err != nil || len(all) != 0 {
		t.Errorf("another lists %v, %v", all, err)
	}
	if _, s, which, err := w.room.Link(ctx, e.Token); err != nil || s != w.zoe || which != e.ID {
		t.Errorf("the link: %v %v %v", s, which, err)
	}
	for _, bad := range []string{"", "x", e.Token[:21], e.Token + "A", strings.Repeat("A", 22), e.ID.String(), "../" + e.Token} {
		if _, _, _, err := w.room.Link(ctx, bad); !problem.Is(err, "not_found") {
			t.Errorf("link %q: %v", bad, err)
		}
	}
}

func TestOneAtATimeAndThreeADay(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		begin := func() error { _, err := w.room.Begin(ctx, w.permit(w.zoe, permit.PrivacyExport), "en"); return err }
		w.shelf.put("a.mp4", 10, start, time.Time{})
		w.shelf.wait = make(chan struct{})
		first, err := w.room.Begin(ctx, w.permit(w.zoe, permit.PrivacyExport), "en")
		if err != nil {
			t.Fatal(err)
		}
		if err := begin(); !problem.Is(err, "export.running") {
			t.Errorf("a second while one is made: %v", err)
		}
		if _, _, _, err := w.room.Link(ctx, first.Token); !problem.Is(err, "export.not_ready") {
			t.Errorf("a link to what is not made: %v", err)
		}
		close(w.shelf.wait)
		last := w.settled(first.ID)
		for i := range 2 {
			if err := begin(); !problem.Is(err, "export.ready") {
				t.Errorf("another beside one that is there: %v", err)
			}
			if _, err := w.room.End(ctx, w.permit(w.zoe, permit.PrivacyRead), last.ID); err != nil {
				t.Fatal(err)
			}
			if last = w.ask(); last.State != takeaway.Ready {
				t.Fatalf("copy %d: %+v", i, last)
			}
		}
		if _, err := w.room.End(ctx, w.permit(w.zoe, permit.PrivacyRead), last.ID); err != nil {
			t.Fatal(err)
		}
		if err := begin(); !problem.Is(err, "export.too_many") {
			t.Errorf("a fourth: %v", err)
		}
		w.clock.Advance(24*time.Hour + time.Second)
		if err := begin(); err != nil {
			t.Errorf("the next day: %v", err)
		}
	})
}

func TestACopyEnds(t *testing.T) {
	for name, c := range map[string]struct {
		end func(w *world, e takeaway.Export) error
		why takeaway.Why
	}{
		"deleted": {func(w *world, e takeaway.Export) error {
			_, err := w.room.End(ctx, w.permit(w.zoe, permit.PrivacyRead), e.ID)
			return err
		}, takeaway.Deleted},
		"expired": {func(w *world, e takeaway.Export) error {
			w.clock.Advance(7 * 24 * time.Hour)
			return w.room.Sweep(ctx)
		}, takeaway.Expired},
		"a consent taken back": {func(w *world, e takeaway.Export) error {
			whose := w.whose()
			whose.Purpose = "recording"
			_, err := takeaway.Holder{Of: w.room}.Erase(ctx, whose)
			return err
		}, takeaway.Changed},
		"a camera deleted": {func(w *world, e takeaway.Export) error {
			whose := w.whose()
			whose.Binding = id.Make[id.Binding]()
			return takeaway.Holder{Of: w.room}.Void(ctx, whose)
		}, takeaway.Changed},
	} {
		t.Run(name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				w := newWorld(t, db)
				e := w.ask()
				_, open := w.read(e.ID)
				if err := c.end(w, e); err != nil {
					t.Fatal(err)
				}
				if got := w.look(e.ID); got.State != takeaway.Ended || got.Why != c.why || got.EndedAt == 0 {
					t.Errorf("%+v", got)
				}
				if _, _, _, err := w.room.Link(ctx, e.Token); !problem.Is(err, "export.ended") {
					t.Errorf("its link: %v", err)
				}
				if _, err := w.room.Open(ctx, w.lease(ctx, w.zoe, permit.System("rights")), e.ID); !problem.Is(err, "export.ended") {
					t.Errorf("opening it: %v", err)
				}
				if objects(w) != 0 {
					t.Error("its object is left")
				}
				if n, err := open.ReadAt(make([]byte, 200), 0); err == nil {
					t.Errorf("a download goes on: %d bytes", n)
				}
				w.clock.Advance(31 * 24 * time.Hour)
				if err := w.room.Sweep(ctx); err != nil {
					t.Fatal(err)
				}
				if all, _ := w.room.List(ctx, w.permit(w.zoe, permit.PrivacyRead)); len(all) != 0 {
					t.Errorf("after a month: %+v", all)
				}
			})
		})
	}
}

func objects(w *world) (n int) {
	for range w.store.List(ctx, "") {
		n++
	}
	drafts, _ := w.store.Drafts()
	return n + len(drafts)
}

func TestLeavingTakesCopiesAlong(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w, h := newWorld(t, db), takeaway.Holder{}
		h.Of = w.room
		e := w.ask()
		if found := scan(t, h, w.whose()); found != 2 {
			t.Errorf("the scan finds %d", found)
		}
		held, err := h.Count(ctx, w.permit(w.zoe, permit.PrivacyRead), w.whose())
		if err != nil || len(held) != 1 || held[0].Count != 1 || held[0].Bytes == 0 {
			t.Errorf("held %+v, %v", held, err)
		}
		if _, err := h.Erase(ctx, w.whose()); err != nil {
			t.Fatal(err)
		}
		if found := scan(t, h, w.whose()); found != 0 || objects(w) != 0 {
			t.Errorf("left %d, %d objects", found, objects(w))
		}
		if _, _, _, err := w.room.Link(ctx, e.Token); !problem.Is(err, "not_found") {
			t.Errorf("the link of who left: %v", err)
		}
	})
}

func scan(t *testing.T, h takeaway.Holder, whose rights.Whose) (found int64) {
	t.Helper()
	all, err := h.Scan(ctx, whose)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range all {
		found += f.Found
	}
	return found
}

// TestWhatIsTakenBackWhileACopyIsMade ends it.
func TestWhatIsTakenBackWhileACopyIsMade(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	w.shelf.put("a.mp4", 10, start, time.Time{})
	w.shelf.wait = make(chan struct{})
	e, err := w.room.Begin(ctx, w.permit(w.zoe, permit.PrivacyExport), "en")
	if err != nil {
		t.Fatal(err)
	}
	w.until("it is being made", func() bool { return w.look(e.ID).Total > 0 })
	w.revoke()
	if got := w.settled(e.ID); got.State != takeaway.Ended || got.Why != takeaway.Changed {
		t.Errorf("%+v", got)
	}
	if objects(w) != 0 {
		t.Error("a part of it is left")
	}
}

// TestAnInterruptedCopyIsMadeAnew at the next start.
func TestAnInterruptedCopyIsMadeAnew(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	w.shelf.put("a.mp4", 10, start, time.Time{})
	w.shelf.wait = make(chan struct{})
	e, err := w.room.Begin(ctx, w.permit(w.zoe, permit.PrivacyExport), "en")
	if err != nil {
		t.Fatal(err)
	}
	w.until("it is being made", func() bool { return w.look(e.ID).Total > 0 })
	if err := w.room.Close(); err != nil {
		t.Fatal(err)
	}
	close(w.shelf.wait)
	w.open()
	if got := w.settled(e.ID); got.State != takeaway.Ready {
		t.Fatalf("%+v", got)
	}
	whole, _ := w.read(e.ID)
	if files := unpack(t, whole); len(files["shelf/a.mp4"]) != 10 {
		t.Errorf("%d files", len(files))
	}
}

// TestAFilmThatWentBreaksTheDownloadOff: nothing torn is served as whole.
func TestAFilmThatWentBreaksTheDownloadOff(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	w.shelf.put("a.mp4", 100_000, start.Add(-2*time.Hour), start.Add(3*24*time.Hour))
	w.shelf.put("b.mp4", 100_000, start.Add(-time.Hour), time.Time{})
	e := w.ask()
	whole, c := w.read(e.ID)
	behind := int64(bytes.Index(whole, []byte("shelf/b.mp4")))
	if err := c.Complete(0, c.Size()); err != nil {
		t.Errorf("complete: %v", err)
	}
	w.shelf.take("a.mp4")
	fresh, err := w.room.Open(ctx, w.lease(ctx, w.zoe, permit.System("rights")), e.ID)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, fresh)
	if !problem.Is(err, "footage.gone") || fresh.Err() == nil || n >= fresh.Size() {
		t.Errorf("%d of %d bytes, %v", n, fresh.Size(), err)
	}
	// Whoever had the first film goes on behind it.
	if _, err := fresh.Seek(behind, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if rest, err := io.ReadAll(fresh); err != nil || !bytes.Equal(rest, whole[behind:]) {
		t.Errorf("behind it: %d bytes, %v", len(rest), err)
	}
	w.clock.Advance(3*24*time.Hour + time.Minute)
	if err := c.Complete(0, c.Size()); !problem.Is(err, "export.parts_gone") {
		t.Errorf("past its time: %v", err)
	}
	if err := c.Complete(behind, c.Size()); err != nil {
		t.Errorf("behind it, past its time: %v", err)
	}
}

// TestALargeCopyTakesNoRoom: films are summed up and read in part, and a few kilobytes lie on the disk.
func TestALargeCopyTakesNoRoom(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	for i := range 4 {
		w.shelf.put(fmt.Sprintf("%d.mp4", i), 5<<20, start.Add(time.Duration(i)*time.Hour), time.Time{})
	}
	e := w.ask()
	if e.Size < 20<<20 {
		t.Fatalf("%+v", e)
	}
	var lies int64
	for o := range w.store.List(ctx, "") {
		lies += o.Size
	}
	if lies == 0 || lies > 100<<10 {
		t.Errorf("%d bytes lie on the disk for a copy of %d", lies, e.Size)
	}
	var some []*takeaway.Copy
	for range 4 {
		_, c := w.read(e.ID)
		some = append(some, c)
	}
	if _, err := w.room.Open(ctx, w.lease(ctx, w.zoe, permit.System("rights")), e.ID); !problem.Is(err, "export.busy") {
		t.Errorf("a fifth download at once: %v", err)
	}
	_ = some[0].Close()
	w.read(e.ID)
}

func TestATouchedObjectDoesNotOpen(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	w.shelf.lines = 5000
	e := w.ask()
	var file string
	for o := range w.store.List(ctx, "") {
		file = filepath.Join(w.dir, "exports", "kept", filepath.FromSlash(o.Name))
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"changed": append(bytes.Clone(b[:100]), append([]byte{b[100] ^ 1}, b[101:]...)...), "cut off": b[:len(b)-30], "empty": {}} {
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := w.room.Open(context.Background(), w.lease(ctx, w.zoe, permit.System("rights")), e.ID)
		if err == nil {
			_, err = io.Copy(io.Discard, c)
		}
		if err == nil {
			t.Errorf("%s: it opens", name)
		}
	}
}

func TestPassportsFitThePolicy(t *testing.T) {
	pol, err := policy.Load(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range takeaway.Passports() {
		if err := pol.Judge(p); err != nil {
			t.Error(err)
		}
	}
}
