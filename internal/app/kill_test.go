package app

import (
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// probe has ffprobe decode an MP4, counts its pictures and says what it complained about.
func probe(t testing.TB, mp4 []byte) (pictures int, complaints string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "cut.mp4")
	if err := os.WriteFile(file, mp4, 0o600); err != nil {
		t.Fatal(err)
	}
	var errs strings.Builder
	cmd := exec.Command("ffprobe", "-v", "error", "-count_frames", "-select_streams", "v", "-show_entries", "stream=nb_read_frames", "-of", "csv=p=0", file)
	cmd.Stderr = &errs
	out, err := cmd.Output()
	n, bad := strconv.Atoi(strings.Trim(string(out), ",\n"))
	if err != nil || bad != nil {
		t.Fatalf("ffprobe: %v: %s %s", err, out, &errs)
	}
	return n, errs.String()
}

// missing reports how much of a stretch is in none of the ranges.
func missing(s span, in []span) time.Duration {
	at, lost := s.From, time.Duration(0)
	for _, r := range in {
		if r.To.Before(at) {
			continue
		}
		if r.From.After(s.To) {
			break
		}
		lost += max(0, r.From.Sub(at))
		at = r.To
	}
	return lost + max(0, s.To.Sub(at))
}

// TestKilledAtAnyMoment kills the binary while it records. What it had called recorded is there
// after the next start, what came later is lost for a second at most, and the time between has its
// reason.
func TestKilledAtAnyMoment(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	args := []string{"demo", "--data", dir, "--listen", "127.0.0.1:0", "--webrtc.udp_port", "0", "--webrtc.tcp_port", "0"}
	run1 := run(t, args...)
	p := run1.visitor(t)
	p.setUp(t, identity{"Kim Kiefer", "kim@house.example", "a yellow scooter 74"}, "given")
	now := run1
	var known []span
	var losses, starts []time.Duration
	for round := range 5 {
		began := time.Now()
		eventually(t, "something new is recorded", func() bool {
			l := p.timeline(p.camera)
			known = l.Ranges
			return l.Newest.After(began.Add(500 * time.Millisecond))
		})
		time.Sleep(rand.N(1500 * time.Millisecond))
		killed := time.Now()
		now.kill()
		now = run(t, args...)
		p.world = now.world
		starts = append(starts, now.up)
		if now.code != "" {
			t.Fatalf("round %d: set-up is asked for again", round)
		}
		l := p.timeline(p.camera)
		for _, k := range known {
			if m := missing(k, l.Ranges); m > 0 {
				t.Errorf("round %d: %v that was called recorded is gone: had %v, have %v", round, m, k, l.Ranges)
			}
		}
		end := time.Time{}
		for _, r := range l.Ranges {
			if r.From.Before(killed) {
				end = r.To
			}
		}
		losses = append(losses, killed.Sub(end))
		found := false
		for _, g := range l.Gaps {
			if !g.To.Before(killed) && !g.From.After(killed) {
				found = true
				if g.Reason != "restart" || g.Sentence == "" {
					t.Errorf("round %d: the time between is called %q: %q", round, g.Reason, g.Sentence)
				}
			}
		}
		if !found {
			t.Errorf("round %d: no gap at %v in %v", round, killed, l.Gaps)
		}
	}
	l := p.timeline(p.camera)
	a := p.do("GET", moviePath(p.camera, span{l.Ranges[0].From, l.Ranges[len(l.Ranges)-1].To}), nil)
	if a.status != http.StatusOK {
		t.Fatalf("the movie of it all: %d %s", a.status, a.body)
	}
	total := time.Duration(0)
	for _, r := range l.Ranges {
		total += r.long()
	}
	if n, complaints := probe(t, a.body); float64(n) < total.Seconds()*5 || complaints != "" {
		t.Errorf("%d pictures in %v; %s", n, total, complaints)
	}
	now.stop(t)
	t.Logf("lost at the end: %v; started again within: %v; %d ranges, %v in all", losses, starts, len(l.Ranges), total)
	for round, lost := range losses {
		if lost > 1500*time.Millisecond { // a chunk of a second, a picture, and the way through the machine
			t.Errorf("round %d: %v were lost", round, lost)
		}
	}
	for round, took := range starts {
		if took > 5*time.Second {
			t.Errorf("round %d: the start took %v", round, took)
		}
	}
}
