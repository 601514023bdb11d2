package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// buildPeer builds go2rtc as tools/go.mod pins it.
func buildPeer(ctx context.Context, b *bench) (string, error) {
	file, err := filepath.Abs(filepath.Join(b.dir, "go2rtc"))
	if err != nil {
		return "", err
	}
	say("cpu: building go2rtc")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags", "-s -w", "-o", file, "github.com/AlexxIT/go2rtc")
	cmd.Dir, cmd.Env = "tools", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, out)
	}
	return file, nil
}

// peer is a running go2rtc.
type peer struct{ cmd *exec.Cmd }

// startPeer has go2rtc pull n streams. It pulls only for a consumer; "preload" gives each stream
// one that throws everything away, so nothing is sent, kept or parsed beyond RTP.
func startPeer(ctx context.Context, b *bench, binary string, n int, url string) (*peer, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	api := l.Addr().String()
	_ = l.Close()
	var c strings.Builder
	fmt.Fprintf(&c, "api: {listen: %q}\nrtsp: {listen: \"\"}\nwebrtc: {listen: \"\"}\nlog: {level: error}\n", api)
	if n > 0 {
		c.WriteString("streams:\n")
		for i := range n {
			fmt.Fprintf(&c, "  camera%d: %s\n", i, url)
		}
		c.WriteString("preload:\n")
		for i := range n {
			fmt.Fprintf(&c, "  camera%d: video\n", i)
		}
	}
	config := filepath.Join(b.dir, fmt.Sprintf("go2rtc-%d.yaml", n))
	if err := os.WriteFile(config, []byte(c.String()), 0o600); err != nil {
		return nil, err
	}
	p := &peer{exec.CommandContext(ctx, binary, "-config", config)}
	p.cmd.Stderr = os.Stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	for range 50 {
		if pause(ctx, 200*time.Millisecond) != nil {
			break
		}
		if producing(api) == n {
			return p, nil
		}
	}
	p.stop()
	return nil, fmt.Errorf("go2rtc does not pull %d streams", n)
}

// producing is how many streams go2rtc receives, -1 when it does not answer.
func producing(api string) int {
	res, err := http.Get("http://" + api + "/api/streams")
	if err != nil {
		return -1
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return -1
	}
	return strings.Count(string(body), `"receivers"`)
}

func (p *peer) stop() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}
