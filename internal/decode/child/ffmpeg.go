package child

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"regexp"
)

// ffmpeg is the second choice: a process for each picture.
type ffmpeg struct{ path, label string }

var ffmpegVersion = regexp.MustCompile(`^ffmpeg version (\S{1,40})`)

func newFFmpeg() (engine, error) {
	path, err := exec.LookPath("ffmpeg")
	if err != nil {
		return nil, err
	}
	out, err := exec.Command(path, "-hide_banner", "-version").Output()
	if err != nil {
		return nil, fmt.Errorf("ffmpeg: %w", err)
	}
	m := ffmpegVersion.FindSubmatch(out)
	if m == nil {
		return nil, errors.New("ffmpeg tells no version")
	}
	return ffmpeg{path, fmt.Sprintf("ffmpeg %s, a process a picture", m[1])}, nil
}

func (f ffmpeg) name() string { return f.label }

func (f ffmpeg) open(dimensions) (sequence, error) {
	return nil, errors.New("ffmpeg: a process a picture knows no sequences")
}

func (f ffmpeg) decode(annexB [][]byte, size dimensions) (*frame, error) {
	from := "tv"
	if size.colour.full {
		from = "pc"
	}
	cmd := exec.Command(f.path, "-nostdin", "-hide_banner", "-loglevel", "error", "-threads", "1",
		"-protocol_whitelist", "pipe", "-f", "h264", "-i", "pipe:0", "-frames:v", "1",
		"-vf", "scale=in_range="+from+":out_range="+from+",format=yuv420p", "-f", "rawvideo", "pipe:1")
	cmd.Stdin = bytes.NewReader(annexB[0])
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cw, ch := (size.width+1)/2, (size.height+1)/2
	luma, chroma := size.width*size.height, cw*ch
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("ffmpeg: %w: %s", err, bytes.TrimSpace(errs.Bytes()))
	}
	b := out.Bytes()
	if len(b) != luma+2*chroma {
		return nil, fmt.Errorf("ffmpeg: %d bytes of picture, want %d", len(b), luma+2*chroma)
	}
	return &frame{
		width: size.width, height: size.height,
		plane:  [3][]byte{b[:luma], b[luma : luma+chroma], b[luma+chroma:]},
		stride: [3]int{size.width, cw, cw},
	}, nil
}
