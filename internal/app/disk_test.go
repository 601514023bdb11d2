package app

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// apart is a command line that runs in a namespace of its own, also for who is not root.
func apart(kind string, script string, args ...string) (string, []string) {
	flags := "-" + kind
	if os.Geteuid() != 0 {
		flags = "-Ur" + kind
	}
	return "unshare", append([]string{flags, "sh", "-c", script, "sh"}, args...)
}

// ballast fills a folder's disk until so many bytes are free.
func ballast(t *testing.T, dir string, free int64) {
	t.Helper()
	f, err := os.OpenFile(filepath.Join(dir, "ballast"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b := make([]byte, 64<<10)
	for {
		var s syscall.Statfs_t
		if err := syscall.Statfs(dir, &s); err != nil {
			t.Fatal(err)
		}
		if int64(s.Bavail)*s.Bsize <= free {
			return
		}
		if _, err := f.Write(b); errors.Is(err, syscall.ENOSPC) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

func used(t *testing.T, dir string) (sum int64) {
	t.Helper()
	for _, b := range contents(t, dir) {
		sum += int64(len(b))
	}
	return sum
}

// TestAFullDisk records onto a small disk of its own, fills it, makes room, fills it again to the
// last byte and says goodbye.
func TestAFullDisk(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	name, args := apart("m", `mount -t tmpfs -o size=120m,mode=700 tmpfs "$1" && shift && exec "$@"`,
		top, binary(t, "candor"), "demo", "--data", filepath.Join(top, "data"), "--listen", "127.0.0.1:0",
		"--webrtc.udp_port", "0", "--webrtc.tcp_port", "0")
	house := runCommand(t, commandOf(t, name, args...))
	seen := fmt.Sprintf("/proc/%d/root%s", house.cmd.Process.Pid, top) // the disk as the house sees it
	p := house.visitor(t)
	who := identity{"Dora Distel", "dora@house.example", "an orange tandem 76"}
	p.setUp(t, who, "given")
	p.recorded(p.camera, time.Second)
	v := p.watch(p.camera, "sub")
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the house says: %s", house.errs)
		}
	})
	flows := func(when string) {
		t.Helper()
		for got := 0; got < 3; {
			kind, b, err := v.Read(t.Context())
			if err != nil {
				t.Fatalf("%s: live view broke: %v", when, err)
			}
			if kind == websocket.MessageBinary && len(b) > 0 {
				got++
			}
		}
	}
	full := func() bool {
		gaps := p.timeline(p.camera).Gaps
		for _, g := range gaps {
			if g.Reason == "disk_full" && g.Sentence != "" {
				return true
			}
		}
		return false
	}

	ballast(t, seen, 40<<20) // less than what recording leaves alone
	eventually(t, "the timeline says that the disk is full", full)
	c := p.see(p.camera)
	if c.State.Phase != "live" || c.Recording.Actual || !strings.Contains(c.Recording.Sentence, "full") {
		t.Errorf("the camera is %+v, %+v", c.State, c.Recording)
	}
	before := p.timeline(p.camera).Newest
	flows("full")

	if err := os.Remove(filepath.Join(seen, "ballast")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "recording goes on", func() bool {
		return p.see(p.camera).Recording.Actual && p.timeline(p.camera).Newest.After(before.Add(time.Second))
	})
	flows("room again")

	ballast(t, seen, 0)
	eventually(t, "the disk is full again", func() bool {
		l := p.timeline(p.camera)
		return len(l.Gaps) > 0 && l.Gaps[len(l.Gaps)-1].To.Sub(l.Newest) > 2*time.Second
	})
	flows("full to the last byte")
	if used(t, filepath.Join(seen, "data", footageDir)) == 0 {
		t.Fatal("no footage to erase")
	}
	var r receipt
	p.call("DELETE", "/account", map[string]any{"password": who.password}, &r)
	if r.KeysDestroyed == 0 || r.UnopenableAt.IsZero() || r.UnopenableAt.Sub(r.RequestedAt) > time.Second {
		t.Errorf("keys wait for room on the disk: %+v", r)
	}
	if a := p.do("GET", "/cameras", nil); a.status != http.StatusUnauthorized {
		t.Errorf("after closing the account: %d %s", a.status, a.body)
	}
	eventually(t, "the footage is swept", func() bool { return used(t, filepath.Join(seen, "data", footageDir)) == 0 })
	eventually(t, "the receipt is complete", func() bool {
		var now receipt
		time.Sleep(time.Second) // receipts are not to be guessed: nobody may ask often
		p.call("GET", "/receipts/"+r.Token, nil, &now)
		if now.DoneAt != nil {
			kept(t, &now)
		}
		return now.DoneAt != nil
	})
	house.stop(t)
}
