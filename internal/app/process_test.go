package app

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is the real binary, running apart.
type process struct {
	*world
	cmd  *exec.Cmd
	up   time.Duration // from the start to the printed address
	errs *journal
	out  sync.WaitGroup
}

var (
	addressLine = regexp.MustCompile(`http://localhost:\d+`)
	codeLine    = regexp.MustCompile(`\b[A-Z0-9]{4}(?:-[A-Z0-9]{4}){2}\b`)
)

// command is the binary with nothing of this environment's settings.
func command(t testing.TB, args ...string) *exec.Cmd {
	t.Helper()
	return commandOf(t, binary(t, "candor"), args...)
}

func commandOf(t testing.TB, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "CANDOR_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// run starts the binary and returns when it says where to look.
func run(t testing.TB, args ...string) *process {
	t.Helper()
	return runCommand(t, command(t, args...))
}

func runCommand(t testing.TB, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{world: &world{}, cmd: cmd, errs: &journal{}}
	p.cmd.Stderr = p.errs
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	greeted := make(chan struct{})
	p.out.Go(func() {
		said := false
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if a := addressLine.FindString(lines.Text()); a != "" && p.base == "" {
				p.base, p.up = a, time.Since(began)
			}
			if c := codeLine.FindString(lines.Text()); c != "" {
				p.code = c
			}
			if strings.Contains(lines.Text(), "  Data  ") && !said {
				said = true
				close(greeted)
			}
		}
	})
	select {
	case <-greeted:
	case <-time.After(30 * time.Second):
		t.Fatalf("candor did not say where to look: %s", p.errs)
	}
	return p
}

// kill ends it as a power cut of the process would: at once, without a word.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	p.out.Wait()
	_ = p.cmd.Wait()
}

// stop ends it as an operator would, and wants that to go well.
func (p *process) stop(t testing.TB) {
	t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	p.out.Wait()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("candor ended with %v: %s", err, p.errs)
	}
}

// say runs a command to its end.
func say(t testing.TB, args ...string) (out, errs string, exit int) {
	t.Helper()
	var o, e bytes.Buffer
	cmd := command(t, args...)
	cmd.Stdout, cmd.Stderr = &o, io.Writer(&e)
	err := cmd.Run()
	var ended *exec.ExitError
	if err != nil && !errors.As(err, &ended) {
		t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}
