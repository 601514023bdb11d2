package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"candor/internal/democam"
	"candor/internal/media"
)

// cameraVerb has this program be a camera: in a process of its own, so that what a server costs
// and what a camera costs are told apart.
const cameraVerb = "camera"

// playCamera plays clips until standard input ends. It prints when it began and its addresses.
func playCamera(args []string) int {
	s := &democam.Server{Log: slog.New(slog.DiscardHandler), Main: args[0]}
	if len(args) > 1 {
		s.Sub = args[1]
	}
	if err := s.Start(); err != nil {
		fmt.Fprintln(os.Stderr, "camera:", err)
		return 1
	}
	began := time.Now()
	defer s.Close()
	fmt.Printf("%d %s %s\n", began.UnixMicro(), s.URL(media.Main), s.URL(media.Sub))
	_, _ = os.Stdin.Read(make([]byte, 1))
	return 0
}

// camera is a running one.
type camera struct {
	cmd       *exec.Cmd
	began     time.Time // when picture 0 was due
	main, sub string
}

func startCamera(ctx context.Context, clips ...string) (*camera, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &camera{cmd: exec.CommandContext(ctx, self, append([]string{cameraVerb}, clips...)...)}
	c.cmd.Stderr = os.Stderr
	if _, err := c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	parts := strings.Fields(line)
	if err != nil || len(parts) < 2 {
		c.stop()
		return nil, fmt.Errorf("the camera did not start: %q %w", line, err)
	}
	us, err := strconv.ParseInt(parts[0], 10, 64)
	c.began, c.main = time.UnixMicro(us), parts[1]
	if len(parts) > 2 {
		c.sub = parts[2]
	}
	return c, err
}

func (c *camera) stop() {
	_ = c.cmd.Process.Kill()
	_ = c.cmd.Wait()
}

// What the clips of the bench are like. A round is a whole number of groups of pictures, and
// shorter than the counter runs.
const (
	fps         = 15
	roundSecs   = 40
	counterBits = 10
	// The counter's blocks are the 1/columns of the width and 1/lines of the height.
	columns, lines = 40, 20
)

// clip makes a clip of a street with a given distance of key pictures and height, with the number
// of each picture burnt into its upper left corner: a row of black and white blocks, lowest bit first.
func makeClip(ctx context.Context, dir string, height, gop, kbit int) (string, error) {
	file := filepath.Join(dir, fmt.Sprintf("h%d-gop%d.mp4", height, gop))
	if _, err := os.Stat(file); err == nil {
		return file, nil
	}
	w, bw, bh := height*16/9, height*16/9/columns, height/lines
	draw := []string{
		fmt.Sprintf("fps=%d,scale=%d:%d:flags=bilinear", fps, w, height),
		fmt.Sprintf("drawbox=x=0:y=0:w=%d:h=%d:color=black:t=fill", bw*(counterBits+1), bh),
	}
	for bit := range counterBits {
		draw = append(draw, fmt.Sprintf("drawbox=x=%d:y=0:w=%d:h=%d:color=white:t=fill:enable='gt(mod(floor(n/%d)\\,2)\\,0)'", bw*bit, bw, bh, 1<<bit))
	}
	say("making a %dp clip with a key picture every %d s", height, gop)
	cmd := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-y", "-ss", "5", "-i", "clips/people.mp4", "-vf", strings.Join(draw, ","),
		"-frames:v", strconv.Itoa(fps*roundSecs), "-an", "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-pix_fmt", "yuv420p",
		"-bf", "0", "-refs", "1", "-g", strconv.Itoa(fps*gop), "-keyint_min", strconv.Itoa(fps*gop), "-sc_threshold", "0",
		"-x264-params", "slices=1:sliced-threads=0:open-gop=0", "-b:v", fmt.Sprintf("%dk", kbit), "-maxrate", fmt.Sprintf("%dk", kbit), "-bufsize", fmt.Sprintf("%dk", kbit),
		"-movflags", "+faststart", file)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("ffmpeg: %w: %s", err, out)
	}
	return file, nil
}
