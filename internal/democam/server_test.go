package democam

import (
	"context"
	"encoding/json"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"candor/internal/media"
)

const clips = "../../clips/"

func start(t *testing.T, s *Server) *Server {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

type probed struct {
	Streams []struct {
		CodecName  string `json:"codec_name"`
		CodecType  string `json:"codec_type"`
		Width      int    `json:"width"`
		BFrames    int    `json:"has_b_frames"`
		SampleRate string `json:"sample_rate"`
	} `json:"streams"`
	Packets []struct {
		CodecType string `json:"codec_type"`
		PTS       string `json:"pts_time"`
		Flags     string `json:"flags"`
	} `json:"packets"`
}

// ffprobe reads a stream for some seconds as a foreign player does.
func ffprobe(t *testing.T, url string, args ...string) probed {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	args = append([]string{"-v", "error", "-of", "json", "-show_streams", "-rtsp_transport", "tcp"}, append(args, url)...)
	cmd := exec.CommandContext(ctx, "ffprobe", args...)
	out, err := cmd.Output()
	if err != nil {
		var exit *exec.ExitError
		if e, ok := err.(*exec.ExitError); ok {
			exit = e
			t.Fatalf("ffprobe %v: %v: %s", args, err, exit.Stderr)
		}
		t.Fatalf("ffprobe: %v", err)
	}
	var p probed
	if err := json.Unmarshal(out, &p); err != nil {
		t.Fatal(err)
	}
	return p
}

func TestForeignReaderSeesTheClip(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		clip, audio string
		reorders    bool
	}{
		{"people.mp4", "opus", false},
		{"one-by-one-person-detection.mp4", "", true},
		{"car-detection.mp4", "aac", false},
	} {
		t.Run(c.clip, func(t *testing.T) {
			t.Parallel()
			s := start(t, &Server{Main: clips + c.clip})
			p := ffprobe(t, s.URL(media.Main), "-show_packets", "-read_intervals", "%+3")
			if len(p.Streams) == 0 || p.Streams[0].CodecName != "h264" || p.Streams[0].Width != 768 {
				t.Fatalf("streams %+v, want H.264 768 wide first", p.Streams)
			}
			if (p.Streams[0].BFrames > 0) != c.reorders {
				t.Errorf("has_b_frames %d, want reordering %v", p.Streams[0].BFrames, c.reorders)
			}
			audio := ""
			if len(p.Streams) > 1 {
				audio = p.Streams[1].CodecName
			}
			if audio != c.audio {
				t.Errorf("sound %q, want %q", audio, c.audio)
			}
			if len(p.Packets) == 0 {
				t.Error("no packet came")
			}
		})
	}
}

// The clip of 30 s is entered just before its end: time stamps go on over the seam.
func TestLoopIsSeamless(t *testing.T) {
	t.Parallel()
	s := start(t, &Server{Main: clips + "cars.mp4", Offset: 29500 * time.Millisecond})
	p := ffprobe(t, s.URL(media.Main), "-show_packets", "-read_intervals", "%+3")
	last, n := map[string]float64{}, 0
	for _, pkt := range p.Packets {
		at, err := strconv.ParseFloat(pkt.PTS, 64)
		if err != nil {
			continue
		}
		if before, ok := last[pkt.CodecType]; ok {
			if step := at - before; step <= 0 || step > 0.15 {
				t.Errorf("%s steps by %.3f s at %.3f", pkt.CodecType, step, at)
			}
			n++
		}
		last[pkt.CodecType] = at
	}
	if n < 40 || len(last) != 2 {
		t.Errorf("%d steps of %d kinds seen, want dozens of 2", n, len(last))
	}
}

func TestDigestIsAsked(t *testing.T) {
	t.Parallel()
	s := start(t, &Server{Main: clips + "people.mp4", Username: "demo", Password: "right"})
	good := "rtsp://demo:right@" + s.Address() + "/main"
	if p := ffprobe(t, good, "-read_intervals", "%+1"); len(p.Streams) == 0 {
		t.Error("the right password shows nothing")
	}
	bad := "rtsp://demo:wrong@" + s.Address() + "/main"
	if out, err := exec.CommandContext(t.Context(), "ffprobe", "-v", "error", "-rtsp_transport", "tcp", bad).CombinedOutput(); err == nil {
		t.Errorf("the wrong password was let in: %s", out)
	}
}

func TestClipThatIsNone(t *testing.T) {
	for _, name := range []string{clips + "README.md", clips + "absent.mp4"} {
		s := &Server{Main: name}
		if err := s.Start(); err == nil {
			s.Close()
			t.Errorf("%s plays", name)
		}
	}
}
