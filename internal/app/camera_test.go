package app

import (
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"candor/internal/democam"
	"candor/internal/media"
)

// noisy is a clip of so many bytes a second that buffers on the way fill up.
var noisy = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "candor-clip-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "noisy.mp4")
	cmd := exec.Command("ffmpeg", "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=1280x720:r=15", "-vf", "noise=alls=80:allf=t", "-t", "4", "-pix_fmt", "yuv420p",
		"-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "baseline", "-b:v", "10M", "-minrate", "10M", "-maxrate", "10M", "-bufsize", "2M", "-g", "15", file)
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func noisyClip(t *testing.T) string {
	t.Helper()
	b, err := noisy()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "noisy.mp4")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// clip is one of the module's own.
func clip(name string) string { return filepath.Join("..", "..", "clips", name) }

// device starts a camera that the test has in its hands.
func startDevice(t *testing.T, s *democam.Server) *democam.Server {
	t.Helper()
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// addRecorded adds a camera of ours that is recorded.
func (p *person) addRecorded(cam *democam.Server, name string) string {
	p.t.Helper()
	c := p.add(map[string]any{"name": name, "address": cam.URL(media.Main), "username": cam.Username, "password": cam.Password, "recording": "given"})
	return c.ID
}
