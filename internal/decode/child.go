package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"

	"candor/internal/decode/wire"
)

// child is one running candor-decode. One goroutine at a time talks to it.
type child struct {
	cmd      *exec.Cmd
	in       io.WriteCloser
	out      io.Reader
	errs     *tail
	buf      []byte
	answered int
	engine   string // known after the first greeting

	mu   sync.Mutex
	gone bool // waited for: its process id may be somebody else's
}

// start runs a child with an empty environment: it inherits no secret.
func start(path, engine string) (*child, error) {
	var args []string
	if engine != "" {
		args = append(args, "--engine="+engine)
	}
	if _, err := os.Stat(path); err != nil {
		return nil, err
	}
	build := func() (*child, error) {
		c := &child{cmd: exec.Command(path, args...), errs: &tail{}}
		c.cmd.Dir = "/"
		c.cmd.Stderr = c.errs
		// The allocator overwrites what is freed: nothing of one camera's picture is left
		// lying about when another camera's is decoded.
		c.cmd.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin", "LANG=C", "MALLOC_PERTURB_=165", "GOMAXPROCS=2", "GOTRACEBACK=none"}
		var err error
		if c.in, err = c.cmd.StdinPipe(); err != nil {
			return nil, err
		}
		if c.out, err = c.cmd.StdoutPipe(); err != nil {
			return nil, err
		}
		return c, nil
	}
	var errs []error
	for _, attr := range attributes() {
		c, err := build()
		if err != nil {
			return nil, err
		}
		c.cmd.SysProcAttr = attr
		if err = c.cmd.Start(); err == nil {
			return c, nil
		}
		errs = append(errs, err)
	}
	return nil, errors.Join(errs...)
}

// ask sends one request and waits for its answer. After an error the child is of no use.
func (c *child) ask(q wire.Request, timeout time.Duration) (wire.Answer, error) {
	late := time.AfterFunc(timeout, c.kill)
	a, err := c.exchange(q)
	if !late.Stop() {
		return wire.Answer{}, fmt.Errorf("no answer within %v", timeout)
	}
	c.answered++
	return a, err
}

func (c *child) exchange(q wire.Request) (wire.Answer, error) {
	var err error
	if c.buf, err = wire.Write(c.in, c.buf, q.Append); err != nil {
		return wire.Answer{}, err
	}
	body, err := wire.Read(c.out, nil, wire.MaxAnswer)
	if err != nil {
		return wire.Answer{}, err
	}
	return wire.ParseAnswer(body)
}

func (c *child) kill() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.gone {
		killAll(c.cmd.Process)
	}
}

// close kills the child, waits for it and tells its last words.
func (c *child) close() error {
	c.in.Close()
	c.kill()
	c.mu.Lock()
	err := c.cmd.Wait()
	c.gone = true
	c.mu.Unlock()
	if words := c.errs.String(); words != "" {
		return fmt.Errorf("%v: %s", err, words)
	}
	return err
}

// tail keeps the beginning of what a child says on stderr: a crash begins with its reason.
type tail struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if room := 512 - t.b.Len(); room > 0 {
		t.b.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, bytes.TrimSpace(t.b.Bytes())))
}
