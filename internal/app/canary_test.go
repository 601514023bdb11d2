package app

import (
	"bytes"
	"database/sql"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"candor/internal/democam"
	"candor/internal/media"
	"candor/internal/promise"
	"candor/internal/rights/canary"
)

// snapshot copies the data folder as it is, by another process: closing a file that this one has
// open elsewhere would drop SQLite's locks on it.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "copy")
	_ = exec.Command("cp", "-a", dir, to).Run() // files come and go meanwhile
	if _, err := os.Stat(filepath.Join(to, databaseFile)); err != nil {
		t.Fatal(err)
	}
	return to
}

func hunt(t *testing.T, when, dir string, needles []string) {
	t.Helper()
	hits, err := canary.Hunt(dir, needles)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range hits {
		t.Errorf("%s: %s", when, h)
	}
}

// pixels takes a piece out of the newest key picture of each stream.
func (w *world) pixels(t *testing.T) (out []string) {
	t.Helper()
	all, err := w.bindings().All(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, ref := range all {
		if s, ok := w.hub.Stream(media.Key{Device: ref.Device, Profile: media.Main}); ok {
			if key, _ := s.Last(); key != nil && len(key.Data) > 400 {
				out = append(out, string(key.Data[200:248]))
			}
		}
	}
	return out
}

// TestCanaries plants words that occur nowhere by chance, uses everything, and hunts them in every
// file of the data folder, in the log and on the metrics page: while the house runs, after the
// goodbyes, and after it has closed. Recorded pictures are hunted by their own bytes.
func TestCanaries(t *testing.T) {
	promise.Proves(t, "P290", "P227")
	t.Parallel()
	w := fresh(t)
	p := w.visitor(t)
	who := identity{"Canary Otterson", "canary.otter@quill.example", "a long walk by the river 42"}
	p.setUp(t, who, "given")
	cam := startDevice(t, &democam.Server{Main: clip("one-by-one-person-detection.mp4"), Username: "quokkauser", Password: "wombatsecret"})
	words := []string{
		who.email, who.name, "Otterson", "otter@quill", who.password, "quokkauser", "wombatsecret", "Narwhal nursery", "Pangolin porch", "marmotkey", "Ottersdaughter",
		"wrong capybara guess", "unknown.ferret@quill.example", "badger-host", "axolotlpass", "Lemurbrowser",
	}
	added := p.add(map[string]any{
		"name": "Narwhal nursery", "address": cam.URL(media.Main) + "?key=marmotkey", "username": cam.Username, "password": cam.Password, "recording": "given",
	})
	words = append(words, strings.TrimPrefix(cam.Address(), "127.0.0.1")+"/main") // host:port alone is in a log that may say so

	// Use everything, right and wrong.
	p.live(added.ID)
	p.live(p.camera)
	var pixels []string
	for _, camera := range []string{p.camera, added.ID} {
		v := p.watch(camera, "main")
		for range 5 {
			if _, _, err := v.Read(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		eventually(t, "a still", func() bool { return p.do("GET", "/cameras/"+camera+"/still.jpg", nil).status == http.StatusOK })
		got := p.recorded(camera, 2*time.Second)
		pixels = append(pixels, w.pixels(t)...)
		if movie := p.do("GET", moviePath(camera, got), nil); movie.status != http.StatusOK || !strings.HasPrefix(movie.header.Get("Content-Disposition"), `attachment; filename="footage-2`) {
			t.Errorf("the movie: %d %v", movie.status, movie.header)
		}
		if frame := p.do("GET", "/cameras/"+camera+"/frame.jpg?at="+url.QueryEscape(got.From.Add(time.Second).Format(time.RFC3339Nano)), nil); frame.status != http.StatusOK {
			t.Errorf("a frame: %d %s", frame.status, frame.body)
		}
		v.CloseNow()
	}
	phone := p.whep(p.camera)
	eventually(t, "WebRTC", func() bool { n, _ := phone.seen(); return n > 10 })
	p.call("PATCH", "/cameras/"+added.ID, map[string]any{"name": "Pangolin porch"}, nil)
	p.call("PATCH", "/account", map[string]any{"name": "Canary Ottersdaughter", "time_zone": "Pacific/Chatham"}, nil)
	p.refused("POST", "/cameras/check", map[string]any{"address": "rtsp://badger-host.invalid/main", "username": "quokkauser", "password": "axolotlpass"}, http.StatusUnprocessableEntity, "camera.unreachable")
	p.refused("POST", "/cameras/check", map[string]any{"address": cam.URL(media.Main), "username": "quokkauser", "password": "axolotlpass"}, http.StatusUnprocessableEntity, "camera.wrong_password")
	guest := w.visitor(t)
	for _, wrong := range []map[string]any{{"email": who.email, "password": "wrong capybara guess"}, {"email": "unknown.ferret@quill.example", "password": who.password}} {
		if a := guest.do("POST", "/session", wrong, "User-Agent", "Lemurbrowser/7 (Narwhal nursery)"); a.status != http.StatusUnauthorized {
			t.Errorf("a wrong sign-in: %d %s", a.status, a.body)
		}
	}
	if a := guest.do("POST", "/session", map[string]any{"email": who.email, "password": who.password}, "User-Agent", "Lemurbrowser/7 (Narwhal nursery)"); a.status != http.StatusCreated {
		t.Errorf("signing in: %d %s", a.status, a.body)
	}
	for _, list := range []string{"/sessions", "/consents", "/privacy/held", "/privacy/access", "/cameras/" + added.ID + "/days"} {
		p.call("GET", list, nil, nil)
	}
	if len(pixels) < 2 {
		t.Fatal("no pictures to hunt")
	}
	hunted := append(words, pixels...)
	during := snapshot(t, w.dir)
	hunt(t, "while it runs", during, hunted)
	if hits, err := canary.Hunt(during, []string{"sqldb_installation"}); err != nil || len(hits) == 0 {
		t.Errorf("the hunt does not find what is there: %v %v", hits, err)
	}
	before := wrapped(t, during)
	if len(before) < 4 {
		t.Fatalf("only %d keys", len(before))
	}

	var r receipt
	p.call("DELETE", "/cameras/"+added.ID, map[string]any{"password": who.password}, &r)
	kept(t, &r)
	p.call("DELETE", "/account", map[string]any{"password": who.password}, &r)
	kept(t, &r)
	for _, page := range []string{p.page("/metrics"), p.page("/api/openapi.json"), w.said.String()} {
		for _, n := range words {
			if i := strings.Index(strings.ToLower(page), strings.ToLower(n)); i >= 0 {
				t.Errorf("%q is said: …%s…", n, page[max(0, i-100):min(len(page), i+100)])
			}
		}
	}
	// The keys of what is gone are nowhere, not even wrapped.
	if _, orphans, err := w.keys.Orphans(t.Context()); err != nil || orphans != 0 {
		t.Errorf("%d keys belong to nobody, %v", orphans, err)
	}
	after := snapshot(t, w.dir)
	hunt(t, "after the goodbyes", after, hunted)
	for file, b := range contents(t, after) {
		for _, key := range before {
			if bytes.Contains(b, key) {
				t.Errorf("a destroyed key is still in %s", file)
			}
		}
	}
	if files := objects(t, after); len(files) > 0 {
		t.Errorf("objects are left: %q", files)
	}
	// Nothing opens, and set-up begins anew.
	fresh := w.visitor(t)
	var state struct{ Needed bool }
	if fresh.call("GET", "/setup", nil, &state); !state.Needed {
		t.Error("the last account is gone, and set-up is not needed")
	}
}

// wrapped is the material of every key in a copy of keys.db, without what all have in common.
func wrapped(t *testing.T, dir string) (out [][]byte) {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(dir, keysFolder, "*.db"))
	if len(files) != 1 {
		t.Fatalf("key files: %q", files)
	}
	db, err := sql.Open("sqlite", "file:"+files[0]+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT s.wrapped FROM slot s JOIN key k ON k.slot = s.n")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var b []byte
		if err := rows.Scan(&b); err != nil {
			t.Fatal(err)
		}
		out = append(out, b[4:])
	}
	return out
}

func contents(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	out := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		out[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// objects are the files of footage.
func objects(t *testing.T, dir string) (out []string) {
	t.Helper()
	for path := range contents(t, filepath.Join(dir, footageDir)) {
		out = append(out, path)
	}
	return out
}
