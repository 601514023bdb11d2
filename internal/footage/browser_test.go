package footage_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/footage"
	"candor/internal/footage/footagetest"
	"candor/internal/media"
	"candor/internal/permit"
)

// page plays every movie: metadata, a seek to the middle, a second of playing; then it reports.
const page = `<!doctype html><video id=v muted></video><script>
const on = (e) => new Promise((ok, no) => { v.addEventListener(e, ok, {once: true}); v.addEventListener('error', () => no(v.error.message), {once: true}); setTimeout(() => no('no ' + e + ' in 20 s'), 20000) });
(async () => {
	const out = {};
	for (const name of %s) {
		const r = out[name] = {};
		try {
			const meta = on('loadeddata'); v.src = '/movie/' + name; await meta;
			r.duration = v.duration; r.width = v.videoWidth;
			const seeked = on('seeked'); v.currentTime = v.duration / 2; await seeked;
			const at = v.currentTime; await v.play();
			const until = performance.now() + 15000;
			while (v.currentTime < at + 1 && !v.error && performance.now() < until) await new Promise(ok => setTimeout(ok, 50));
			v.pause();
			r.played = v.currentTime - at; r.frames = v.getVideoPlaybackQuality().totalVideoFrames; r.sound = v.webkitAudioDecodedByteCount;
			if (v.error) r.error = v.error.message;
			const end = on('seeked'); v.currentTime = v.duration - 0.2; await end;
		} catch (e) { r.error = String(e) }
	}
	fetch('/result', {method: 'POST', body: JSON.stringify(out)});
})()</script>`

// shown is what the browser says of one movie.
type shown struct {
	Duration, Played     float64
	Width, Frames, Sound int
	Error                string
}

func TestMoviesPlayInABrowser(t *testing.T) {
	w := newWorld(t, sqlite(t))
	lease := w.lease(permit.CameraRecord)
	type stretch struct{ from, to clock.Millis }
	movies := map[string]stretch{}
	at := noon
	record := func(name string, feed func(write func(*media.Unit, *media.Description), at clock.Millis)) {
		w.clock.Set(at.Time())
		rec, err := w.room.Record(lease, w.cam, media.Main, w.stream)
		w.must(err)
		w.stream.Interrupt()
		feed(func(u *media.Unit, d *media.Description) {
			w.stream.Describe(d)
			if w.stream.Write(u) {
				w.sent++
			}
			if w.sent%400 == 0 {
				w.recorded()
			}
		}, at)
		w.recorded()
		w.clock.Set((at + 20_000).Time())
		rec.Stop(footage.RecordingOff)
		movies[name] = stretch{at + 2_300, at + 17_700}
		at += 60_000
	}
	clip := func(name string) func(func(*media.Unit, *media.Description), clock.Millis) {
		c := footagetest.Open(t, name)
		return func(write func(*media.Unit, *media.Description), at clock.Millis) {
			for _, u := range c.Play(int64(at-noon)*90, at, 20*media.TickRate) {
				write(u, c.Description)
			}
		}
	}
	record("opus", clip("people.mp4"))
	record("reordered", clip("one-by-one-person-detection.mp4"))
	record("aac", clip("car-detection.mp4"))
	record("changed", func(write func(*media.Unit, *media.Description), at clock.Millis) {
		for i, name := range []string{"people.mp4", "people.sub.mp4"} {
			c := footagetest.Open(t, name)
			begin := at + clock.Millis(i)*10_000
			for _, u := range c.Play(int64(begin-noon)*90, begin, 10*media.TickRate) {
				if u.Track.Video() {
					write(u, &media.Description{Tracks: []*media.Track{u.Track}})
				}
			}
		}
	})
	record("ulaw", func(write func(*media.Unit, *media.Description), at clock.Millis) {
		c := footagetest.Open(t, "people.sub.mp4")
		sound := &media.Track{ID: 1, Codec: media.PCMU, Profile: "ulaw", SampleRate: 8000, Channels: 1}
		d := &media.Description{Tracks: []*media.Track{c.Description.Video(), sound}}
		for _, u := range c.Play(int64(at-noon)*90, at, 20*media.TickRate) {
			write(u, d)
			for i := range int64(5) {
				write(&media.Unit{Track: sound, DTS: u.DTS + i*1800, PTS: u.DTS + i*1800, Key: true, Wall: u.Wall, Data: bytes.Repeat([]byte{0xd5}, 160)}, d)
			}
		}
	})
	names := make([]string, 0, len(movies))
	for name := range movies {
		names = append(names, name)
	}
	list, err := json.Marshal(names)
	w.must(err)
	result := make(chan map[string]shown, 1)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(rw http.ResponseWriter, _ *http.Request) {
		rw.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(rw, page, list)
	})
	mux.HandleFunc("GET /movie/{name}", func(rw http.ResponseWriter, r *http.Request) {
		of := movies[r.PathValue("name")]
		m, err := w.room.Movie(r.Context(), w.lease(permit.FootageRead), w.cam, media.Main, of.from, of.to)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		defer m.Close()
		rw.Header().Set("Content-Type", m.ContentType())
		rw.Header().Set("ETag", m.ETag())
		http.ServeContent(rw, r, "", time.Time{}, m)
	})
	mux.HandleFunc("POST /result", func(rw http.ResponseWriter, r *http.Request) {
		var got map[string]shown
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		result <- got
	})
	server := httptest.NewServer(mux)
	defer server.Close()
	got := browse(t, server.URL, result)
	for name, of := range movies {
		m := got[name]
		want := float64(of.to-of.from) / 1000
		if m.Error != "" || m.Played < 0.9 || m.Frames == 0 || m.Width == 0 || math.Abs(m.Duration-want) > 0.3 {
			t.Errorf("%s: %+v, want %.1f s to play", name, m, want)
		}
		if sounds := name == "opus" || name == "aac" || name == "ulaw"; sounds && m.Sound == 0 {
			t.Errorf("%s: no sound was decoded", name)
		}
	}
}

// browse opens a page in a headless browser and waits for its report.
func browse(t *testing.T, url string, result <-chan map[string]shown) map[string]shown {
	t.Helper()
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("a browser for tests: %v (make deps installs it)", err)
	}
	ctx, stop := context.WithTimeout(context.Background(), 2*time.Minute)
	defer stop()
	var log bytes.Buffer
	cmd := exec.CommandContext(ctx, path, "--headless=new", "--no-sandbox", "--disable-gpu", "--mute-audio", "--no-first-run",
		"--autoplay-policy=no-user-gesture-required", "--user-data-dir="+t.TempDir(), url)
	cmd.Stderr = &log
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { stop(); _ = cmd.Wait() }()
	select {
	case got := <-result:
		return got
	case <-ctx.Done():
		t.Fatalf("the browser did not report\n%s", log.String())
		return nil
	}
}
