package footage_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/footage"
	"candor/internal/footage/footagetest"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

// noon is when the worlds begin: far from midnight, on an hour.
const noon = clock.Millis(1_763_812_800_000)

// world is a room with everything real around it, on a clock that stands still.
type world struct {
	t      testing.TB
	db     *sqldb.DB
	dir    string
	keeper *seal.Keeper
	store  blob.Store
	clock  *clock.Virtual
	issuer *permit.Issuer
	room   *footage.Room
	cam    footage.Camera
	stream *media.Stream
	clip   *footagetest.Clip
	sent   int64 // units the stream took
	ticks  int64 // of the clip, played so far
	policy footage.Policy
}

func newWorld(t testing.TB, db *sqldb.DB) *world {
	t.Helper()
	w := &world{
		t: t, db: db, dir: t.TempDir(), clock: clock.NewVirtual(noon.Time()),
		cam: footage.Camera{Tenant: id.DefaultTenant, Subject: id.Make[id.Subject](), Binding: id.Make[id.Binding](), Device: id.Make[id.Device]()},
	}
	w.issuer = permit.NewIssuer(w.clock)
	var err error
	w.keeper, err = seal.Open(context.Background(), seal.Options{Dir: filepath.Join(w.dir, "keys"), Fresh: true, Clock: w.clock})
	w.must(err)
	t.Cleanup(func() { _ = w.keeper.Close() })
	w.store, err = blob.OpenDisk(filepath.Join(w.dir, "footage"))
	w.must(err)
	w.clip = footagetest.Open(t, "people.sub.mp4")
	w.stream = media.NewHub().Open(media.Key{Device: w.cam.Device, Profile: media.Main})
	w.stream.Describe(w.clip.Description)
	w.open()
	t.Cleanup(func() { _ = w.room.Close() })
	return w
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// open starts the room, as the program does at its start.
func (w *world) open() {
	w.t.Helper()
	w.room = &footage.Room{
		DB: w.db, Keys: w.keeper, Store: w.store, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Reserve: 1,
		Policy: func(context.Context, footage.Camera) (footage.Policy, error) { return w.policy, nil },
	}
	w.must(w.room.Open(context.Background()))
	w.sent = 0
}

func (w *world) grant(action permit.Action) permit.Grant {
	return permit.Grant{
		Tenant: w.cam.Tenant, Subject: w.cam.Subject, Binding: w.cam.Binding, Actor: permit.System("test"), Action: action,
		Purpose: passport.Recording, Categories: []passport.Category{passport.Footage}, Expires: w.clock.Now().Add(time.Hour),
	}
}

func (w *world) lease(action permit.Action) *permit.Lease {
	l := w.issuer.Lease(context.Background(), w.grant(action))
	w.t.Cleanup(func() { l.End(nil) })
	return l
}

func (w *world) permit() permit.Permit { return w.issuer.Permit(w.grant(permit.FootageRead)) }

func (w *world) record() (*footage.Recording, *permit.Lease) {
	w.t.Helper()
	lease := w.lease(permit.CameraRecord)
	rec, err := w.room.Record(lease, w.cam, media.Main, w.stream)
	w.must(err)
	return rec, lease
}

// play sends so many seconds of the clip and waits until they are recorded. The clock moves along.
func (w *world) play(seconds int64) {
	w.t.Helper()
	from := w.ticks
	w.ticks += seconds * media.TickRate
	for _, u := range w.clip.Play(0, clock.At(w.clock.Now())-clock.Millis(from/90), w.ticks) {
		if u.DTS < from {
			continue
		}
		if w.stream.Write(u) {
			w.sent++
		}
		if w.sent%400 == 0 {
			w.recorded()
		}
	}
	w.recorded()
	w.clock.Advance(time.Duration(seconds) * time.Second)
}

// recorded waits until every unit sent has been recorded.
func (w *world) recorded() {
	w.t.Helper()
	w.until("units recorded", func() bool { return w.room.Metrics.Units.Load() >= w.sent })
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !ok(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("waited 30 s for: %s (%d of %d units)", what, w.room.Metrics.Units.Load(), w.sent)
		}
	}
}

// pass lets time go by in which the camera sends nothing.
func (w *world) pass(d time.Duration) {
	w.clock.Advance(d)
	w.stream.Interrupt()
	w.ticks = (w.ticks/w.clip.Ticks + 1) * w.clip.Ticks // next comes a key picture
}

func (w *world) timeline(from, to clock.Millis) *footage.Timeline {
	w.t.Helper()
	tl, err := w.room.Timeline(context.Background(), w.permit(), w.cam, media.Main, from, to)
	w.must(err)
	return tl
}

// covers fails unless ranges and gaps follow each other without a hole.
func (w *world) covers(tl *footage.Timeline, from, to clock.Millis) {
	w.t.Helper()
	var edges [][2]clock.Millis
	for _, r := range tl.Ranges {
		edges = append(edges, [2]clock.Millis{r.From, r.To})
	}
	for _, g := range tl.Gaps {
		edges = append(edges, [2]clock.Millis{g.From, g.To})
	}
	slices.SortFunc(edges, func(a, b [2]clock.Millis) int { return int(a[0] - b[0]) })
	at := from
	for _, e := range edges {
		if e[0] != at || e[1] <= e[0] {
			w.t.Fatalf("hole or overlap at %d: %+v", at-from, tl)
		}
		at = e[1]
	}
	if at != to {
		w.t.Fatalf("timeline ends at %d: %+v", at-from, tl)
	}
}

func near(a, b, by clock.Millis) bool { return a-b <= by && b-a <= by }

// movie reads a whole movie.
func (w *world) movie(from, to clock.Millis) (*footage.Movie, []byte) {
	w.t.Helper()
	m, err := w.room.Movie(context.Background(), w.lease(permit.FootageRead), w.cam, media.Main, from, to)
	w.must(err)
	w.t.Cleanup(func() { _ = m.Close() })
	b, err := io.ReadAll(m)
	w.must(err)
	if int64(len(b)) != m.Size() {
		w.t.Fatalf("movie of %d bytes gave %d", m.Size(), len(b))
	}
	return m, b
}

// pictures decodes a movie with a foreign player, which must not complain, and counts the pictures.
func pictures(t *testing.T, b []byte) int {
	t.Helper()
	file := filepath.Join(t.TempDir(), "movie.mp4")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	cmd := exec.Command("ffmpeg", "-v", "error", "-xerror", "-i", file, "-map", "0:v", "-fps_mode", "passthrough", "-f", "framecrc", "-")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil || stderr.Len() > 0 {
		t.Fatalf("ffmpeg: %v\n%s", err, stderr.String())
	}
	n := 0
	for _, line := range strings.Split(string(out), "\n") {
		if line != "" && line[0] != '#' {
			n++
		}
	}
	return n
}

func each(t *testing.T, f func(t *testing.T, w *world)) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) { f(t, newWorld(t, db)) })
}

func sqlite(t *testing.T) *sqldb.DB { return sqltest.SQLite(t) }

// keys is how many live keys the camera has.
func (w *world) keys() int {
	w.t.Helper()
	n, err := w.keeper.Count(context.Background(), seal.Everything(w.cam.Tenant, w.cam.Subject))
	w.must(err)
	return n
}

func benchWorld(b *testing.B) *world { return newWorld(b, sqltest.SQLite(b)) }
