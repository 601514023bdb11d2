package seal_test

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
	"candor/internal/seal"
)

// Some tests need a process to kill, or one with a file system of its own: the test binary
// started again, told by the environment which part to play.
const part = "CANDOR_SEAL_PART"

func TestMain(m *testing.M) {
	play, ok := map[string]func(dir string) error{"forgetter": forgetter, "full": fullDisk}[os.Getenv(part)]
	if !ok {
		os.Exit(m.Run())
	}
	if err := play(os.Args[len(os.Args)-1]); err != nil {
		fmt.Println("failed:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func child(t *testing.T, play, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(os.Args[0], dir)
	cmd.Env = append(os.Environ(), part+"="+play)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// forgetter makes and destroys keys until it is killed. It says what it has made, with the
// wrapped bytes, before it destroys them, and what is destroyed once Destroy has returned.
func forgetter(dir string) error {
	k, err := seal.Open(ctx, seal.Options{Dir: dir, Clock: clock.Wall})
	if err != nil {
		return err
	}
	for i := range 10000 {
		door := camera(person())
		for day := range 1 + rand.IntN(30) {
			if _, err := k.Ensure(ctx, footage(door, clock0(day))); err != nil {
				return err
			}
		}
		_, wrapped, err := k.Material(ctx, all(door))
		if err != nil {
			return err
		}
		fmt.Printf("made %s %s %x\n", door.Subject, door.Binding, bytes.Join(wrapped, nil))
		if _, err := k.Destroy(ctx, all(door), seal.Removed); err != nil {
			return err
		}
		fmt.Printf("gone %s\n", door.Binding)
		if i%4 == 3 {
			if err := k.TurnEpoch(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

func TestKilledAtAnyPointNoKeyIsHalf(t *testing.T) {
	b := newBench(t)
	stays := camera(person())
	at := place(stays)
	v := b.seal(stays, at, "stays")
	there, gone := 0, 0
	for range 15 {
		if err := b.Close(); err != nil {
			t.Fatal(err)
		}
		said := killed(t, b.dir, time.Duration(rand.IntN(60000))*time.Microsecond)
		b.open(false)
		if _, orphans, err := b.Orphans(ctx); err != nil || orphans != 0 {
			t.Fatalf("%d orphans, %v", orphans, err)
		}
		for _, s := range said {
			if dead := s.check(t, b); dead {
				gone++
			} else {
				there++
			}
		}
		if plain, err := b.Open(ctx, b.permit(at), at, v); err != nil || string(plain) != "stays" {
			t.Fatalf("what nobody destroyed: %q, %v", plain, err)
		}
	}
	t.Logf("after 15 kills: %d wholly there, %d wholly gone", there, gone)
}

// said is what the child told of one camera.
type said struct {
	scope   seal.Scope
	wrapped [][]byte
	gone    bool // Destroy had returned
}

// killed lets the child run for a while after its first word, kills it and returns what it said.
func killed(t *testing.T, dir string, after time.Duration) map[string]*said {
	t.Helper()
	cmd := child(t, "forgetter", dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	all := map[string]*said{}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		w := strings.Fields(lines.Text())
		switch {
		case len(w) == 4 && w[0] == "made":
			if len(all) == 0 {
				time.AfterFunc(after, func() { _ = cmd.Process.Kill() })
			}
			all[w[2]] = newSaid(t, w)
		case len(w) == 2 && w[0] == "gone":
			all[w[1]].gone = true
		default:
			t.Errorf("the child said %q", lines.Text())
		}
	}
	_ = cmd.Wait()
	if len(all) == 0 {
		t.Fatal("the child said nothing")
	}
	return all
}

func newSaid(t *testing.T, w []string) *said {
	t.Helper()
	subject, err1 := id.Parse[struct{}](w[1])
	binding, err2 := id.Parse[struct{}](w[2])
	b, err3 := hex.DecodeString(w[3])
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	s := &said{scope: seal.OfBinding(id.DefaultTenant, id.Subject(subject), id.Binding(binding))}
	for ; len(b) > 0; b = b[64:] {
		s.wrapped = append(s.wrapped, b[:64])
	}
	return s
}

// check holds that the camera's keys are all there and unwrap, or all gone with a tombstone.
func (s *said) check(t *testing.T, b *bench) (dead bool) {
	t.Helper()
	dead, err := b.Tombstoned(ctx, s.scope)
	if err != nil {
		t.Fatal(err)
	}
	raw, _, err := b.Material(ctx, all(s.scope))
	if err != nil {
		t.Fatalf("a key does not unwrap: %v", err)
	}
	switch {
	case dead && len(raw) == 0:
		hunt(t, b, s.wrapped)
	case dead:
		t.Errorf("tombstone, and %d keys", len(raw))
	case s.gone:
		t.Error("Destroy had returned, and there is no tombstone")
	case len(raw) != len(s.wrapped):
		t.Errorf("no tombstone, and %d of %d keys", len(raw), len(s.wrapped))
	}
	return dead
}

func TestAFullDiskCanStillErase(t *testing.T) {
	cmd := child(t, "full", t.TempDir())
	cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNS
	if os.Geteuid() != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || bytes.Contains(out, []byte("mount: operation not permitted")) {
		t.Log("NOT CHECKED HERE: this machine lets the test make no small file system")
		return
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Logf("%s", out)
}

// fullDisk erases on a file system of 8 MB without a free byte.
func fullDisk(dir string) error {
	if err := syscall.Mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=8m"); err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	var said strings.Builder
	k, err := seal.Open(ctx, seal.Options{Dir: dir, Fresh: true, Clock: clock.Wall, Log: slog.New(slog.NewTextHandler(&said, nil))})
	if err != nil {
		return err
	}
	for _, c := range []struct {
		reserve int64
		inParts bool
	}{{2 << 20, false}, {64 << 10, true}} {
		if err := os.Truncate(filepath.Join(dir, "keys.reserve"), c.reserve); err != nil {
			return err
		}
		said.Reset()
		if err := fullDiskErases(k, dir); err != nil {
			return fmt.Errorf("with a reserve of %d: %w", c.reserve, err)
		}
		if inParts := strings.Contains(said.String(), "a few at a time"); inParts != c.inParts {
			return fmt.Errorf("with a reserve of %d: in parts: %v\n%s", c.reserve, inParts, &said)
		}
	}
	return k.Close()
}

func fullDiskErases(k *seal.Keeper, dir string) error {
	door := camera(person())
	for day := range 400 {
		if _, err := k.Ensure(ctx, footage(door, clock0(day))); err != nil {
			return err
		}
	}
	if err := fill(filepath.Join(dir, "footage")); err != nil {
		return err
	}
	if _, err := k.Ensure(ctx, camera(person())); !problem.Is(err, "keys.full") {
		return fmt.Errorf("a key was made on a full disk: %v", err)
	}
	d, err := k.Destroy(ctx, all(seal.OfSubject(door.Tenant, door.Subject)), seal.Closed)
	if err != nil {
		return err
	}
	left, err := k.Count(ctx, seal.Everything(door.Tenant, door.Subject))
	if err != nil {
		return err
	}
	looked, found, err := k.Residue(ctx, d)
	if err != nil {
		return err
	}
	fmt.Printf("destroyed %d, left %d; of %d looked for, found %d\n", d.Keys, left, looked, found)
	if d.Keys != 402 || left != 0 || looked != 402 || found != 0 {
		return errors.New("not everything was destroyed")
	}
	return os.Remove(filepath.Join(dir, "footage"))
}

// fill writes until there is no room for another byte.
func fill(name string) error {
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	defer f.Close()
	for _, size := range []int{1 << 20, 4096, 1} {
		for b := make([]byte, size); err == nil; {
			_, err = f.Write(b)
		}
		if !errors.Is(err, syscall.ENOSPC) {
			return err
		}
		err = nil
	}
	return nil
}
