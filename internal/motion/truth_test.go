package motion

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/decode"
	"candor/internal/id"
	"candor/internal/live/livetest"
	"candor/internal/media"
	"candor/internal/permit"
)

var built string // the folder of the binary, once a test wanted it

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "motion")
	if err != nil {
		return "", err
	}
	built = dir
	path := filepath.Join(dir, "candor-decode")
	out, err := exec.Command("go", "build", "-o", path, "candor/cmd/candor-decode").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return path, os.Chmod(dir, 0o755)
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

func pool(t *testing.T) *decode.Pool {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	p := &decode.Pool{Path: path, Timeout: 20 * time.Second} // slow machines are not hangs
	t.Cleanup(p.Close)
	return p
}

// event is one from the truth or from a detector, in seconds.
type event struct{ From, To float64 }

func (e event) String() string { return fmt.Sprintf("%.1f–%.1f", e.From, e.To) }

// truth is when somebody is in the room of people.mp4.
func truth(t *testing.T) (events []event, tolerance float64) {
	t.Helper()
	b, err := os.ReadFile(livetest.File("people.truth.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f struct {
		Events    [][2]float64
		Tolerance float64
	}
	if err := json.Unmarshal(b, &f); err != nil {
		t.Fatal(err)
	}
	for _, e := range f.Events {
		events = append(events, event{e[0], e[1]})
	}
	return events, f.Tolerance
}

func same(t *testing.T, name string, got, want []event, tolerance float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d events, want %d: %v", name, len(got), len(want), got)
		return
	}
	for i, e := range got {
		if math.Abs(e.From-want[i].From) > tolerance || math.Abs(e.To-want[i].To) > tolerance {
			t.Errorf("%s: event %d is %v, want %v ± %v", name, i+1, e, want[i], tolerance)
		}
	}
}

// sink collects events, in seconds since the wall clock's time zero.
type sink struct {
	mu     sync.Mutex
	zero   clock.Millis
	events []event
	why    []Why
	begun  []Moment
	open   bool
}

func (s *sink) seconds(at clock.Millis) float64 { return float64(at-s.zero) / 1000 }

func (s *sink) Begin(m Moment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events, s.begun, s.open = append(s.events, event{s.seconds(m.At), math.Inf(1)}), append(s.begun, m), true
}

func (s *sink) Update(Moment) {}

func (s *sink) End(at clock.Millis, why Why) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events[len(s.events)-1].To, s.why, s.open = s.seconds(at), append(s.why, why), false
}

// zero is when the clips begin.
const zero = clock.Millis(1_700_000_000_000)

// watch plays a clip to a watcher, as fast as it looks, and returns when it saw the end.
func watch(t *testing.T, p Decoder, c *livetest.Clip) (*sink, Stats) {
	t.Helper()
	s := livetest.Stream(media.Main)
	lease := permit.NewIssuer(clock.Wall).Lease(context.Background(), permit.Grant{Actor: permit.System("motion"), Binding: id.Binding{15: 1}})
	k := &sink{zero: zero}
	w := &Watcher{Decoder: p, Sink: k, Streams: func() []*media.Stream { return []*media.Stream{s} }}
	s.Describe(c.Desc)
	done := make(chan struct{})
	feed(s, w, c, func() {
		go func() {
			defer close(done)
			w.Run(lease)
		}()
	})
	lease.End(nil)
	<-done
	s.Close()
	return k, w.Stats()
}

// feed writes a clip into a stream, no faster than the watcher takes it.
func feed(s *media.Stream, w *Watcher, c *livetest.Clip, begin func()) {
	for i, u := range c.Units {
		v := *u
		v.Wall = zero + clock.Millis(ticks(u.DTS).Milliseconds())
		s.Write(&v)
		if i == 0 {
			begin()
			for s.Watching() == 0 {
				time.Sleep(time.Millisecond)
			}
		}
		for w.at.Load() < int64(u.DTS) {
			time.Sleep(100 * time.Microsecond)
		}
	}
}

// variants are what the room's clip is made into: name, filter and options of the encoder.
var variants = []struct{ name, filter, encoder string }{
	{"mirrored, a key picture every second", "hflip", "-g 10"},
	{"at 0.7 of its brightness", "lutyuv=y=val*0.7", "-g 20"},
	{"at 1.4 of its brightness", "lutyuv=y=val*1.4", "-g 20"},
	{"noisy, a key picture every 4 s", "noise=alls=20:allf=t", "-g 40"},
	{"a key picture every 10 s", "null", "-g 100"},
	{"mirrored, dark and noisy, a key picture every 10 s", "hflip,lutyuv=y=16+(val-16)*0.2,noise=alls=10:allf=t", "-g 100"},
}

// varied makes the variants, small to stay cheap.
func varied(t *testing.T) []string {
	t.Helper()
	args := []string{"-v", "error", "-i", livetest.File("people.sub.mp4"), "-filter_complex"}
	split, graph := fmt.Sprintf("[0:v]scale=256:144,split=%d", len(variants)), ""
	for i, v := range variants {
		split += fmt.Sprintf("[i%d]", i)
		graph += fmt.Sprintf(";[i%d]%s[o%d]", i, v.filter, i)
	}
	args = append(args, split+graph)
	var files []string
	for i, v := range variants {
		files = append(files, filepath.Join(t.TempDir(), fmt.Sprint(i, ".mp4")))
		args = append(args, "-map", fmt.Sprintf("[o%d]", i), "-c:v", "libx264", "-preset", "ultrafast", "-crf", "28", "-sc_threshold", "0", "-pix_fmt", "yuv420p")
		args = append(args, strings.Fields(v.encoder)...)
		args = append(args, files[i])
	}
	if out, err := exec.Command("ffmpeg", args...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return files
}

func TestSixEventsAndNoneElse(t *testing.T) {
	want, tolerance := truth(t)
	p := pool(t)
	look := func(t *testing.T, c *livetest.Clip, keys bool) {
		t.Helper()
		k, s := watch(t, p, c.Without(false))
		same(t, t.Name(), k.events, want, tolerance)
		if s.Failed > 0 || s.Skipped > 0 || s.Keys != keys || s.Looked < 69 {
			t.Errorf("it did %+v", s)
		}
		for i, m := range k.begun {
			if len(m.Units) == 0 || !m.Units[0].Key || m.Share <= 0 || m.Box.Right <= m.Box.Left {
				t.Errorf("event %d begins with %d units, %+v", i, len(m.Units), m)
			}
		}
	}
	for name, keys := range map[string]bool{"people.mp4": true, "people.sub.mp4": true, "one-by-one-person-detection.mp4": true} {
		t.Run(name, func(t *testing.T) { look(t, livetest.Load(t, name), keys) })
	}
	for i, file := range varied(t) {
		v := variants[i]
		t.Run(v.name, func(t *testing.T) {
			look(t, livetest.Read(t, file), v.encoder == "-g 10" || v.encoder == "-g 20")
		})
	}
}

func TestCars(t *testing.T) {
	p := pool(t)
	for name, keys := range map[string]bool{"cars.mp4": false, "car-detection.mp4": false} {
		t.Run(name, func(t *testing.T) {
			k, s := watch(t, p, livetest.Load(t, name))
			same(t, name, k.events, []event{{4.3, 9.5}, {14.3, 19.5}, {25.3, 28.5}}, 1.5)
			if s.Keys != keys || s.Failed > 0 {
				t.Errorf("it did %+v", s)
			}
		})
	}
}
