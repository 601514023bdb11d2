package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"candor/internal/clock"
	"candor/internal/config"
	"candor/internal/decode"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/version"
	"candor/words"
)

// ErrUnwell is what Doctor returns when something must be mended.
var ErrUnwell = errors.New("something needs mending")

// Doctor looks at the machine and the installation, and says what to do, a line each. It works
// beside a running server.
func Doctor(ctx context.Context, c *config.Loaded, out io.Writer) error {
	d := &doctor{out: out, config: c.Config}
	fmt.Fprintln(out, version.String())
	for setting, from := range c.From {
		fmt.Fprintf(out, "      %-28s from %s\n", setting, from)
	}
	for _, check := range []func(context.Context){d.folder, d.disk, d.policy, d.data, d.pictures, d.address} {
		check(ctx)
	}
	if d.bad > 0 {
		return ErrUnwell
	}
	return nil
}

type doctor struct {
	out    io.Writer
	config config.Config
	bad    int
}

func (d *doctor) fine(format string, a ...any) { fmt.Fprintf(d.out, "ok    "+format+"\n", a...) }
func (d *doctor) note(format string, a ...any) { fmt.Fprintf(d.out, "note  "+format+"\n", a...) }

func (d *doctor) wrong(what string, err error) {
	d.bad++
	if p, ok := problem.Of(err); ok {
		fmt.Fprintf(d.out, "WRONG %s: %s\n", what, words.Sentence("en", "problem."+p.Code, p.Args))
		return
	}
	fmt.Fprintf(d.out, "WRONG %s: %v\n", what, err)
}

func (d *doctor) folder(context.Context) {
	info, err := os.Stat(d.config.DataDir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		d.note("data folder %s: not there yet, the first start makes it", d.config.DataDir)
	case err != nil:
		d.wrong("data folder", err)
	case info.Mode().Perm()&0o077 != 0:
		d.wrong("data folder", fmt.Errorf("others may read %s; chmod 700 it", d.config.DataDir))
	default:
		probe := filepath.Join(d.config.DataDir, ".doctor")
		if err := os.WriteFile(probe, nil, 0o600); err != nil {
			d.wrong("data folder", problem.Unavailable("data.unusable").With("folder", d.config.DataDir).Because(err))
			return
		}
		_ = os.Remove(probe)
		d.fine("data folder %s", d.config.DataDir)
	}
}

func (d *doctor) disk(context.Context) {
	var s syscall.Statfs_t
	if syscall.Statfs(d.config.DataDir, &s) != nil {
		return
	}
	free := float64(s.Bavail) * float64(s.Bsize) / (1 << 30)
	if free < 1 {
		d.wrong("disk", fmt.Errorf("%.1f GiB free; recording stops when it is full", free))
		return
	}
	d.fine("disk: %.1f GiB free", free)
}

func (d *doctor) policy(context.Context) {
	p, err := policy.Built()
	if err != nil {
		d.wrong("policy", err)
		return
	}
	d.fine("policy version %d, hash %.12s…", p.Version, p.Hash())
}

func (d *doctor) data(ctx context.Context) {
	if _, err := os.Stat(filepath.Join(d.config.DataDir, keysFolder)); err != nil {
		d.note("no installation yet")
		return
	}
	db, keys, err := vault(ctx, d.config, clock.Wall, quiet())
	if err != nil {
		d.wrong("database and keys", err)
		return
	}
	defer db.Close()
	defer keys.Close()
	d.fine("database (%s) and keys belong together, key epoch %d", db.Dialect, keys.Epoch())
}

func (d *doctor) pictures(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	p := &decode.Pool{Path: d.config.Decode.Path}
	defer p.Close()
	switch s := p.Describe(ctx); {
	case s.Engine == "":
		d.note("no stills: %s. Live view and recording work; `apt install libopenh264-7` or ffmpeg brings pictures.", s.Reason)
	default:
		d.fine("pictures by %s; %s", s.Engine, s.Confinement)
	}
}

func (d *doctor) address(context.Context) {
	l, err := net.Listen("tcp", d.config.HTTP.Listen)
	if err != nil {
		d.note("%s is taken: by a running candor, or choose another with --http.listen", d.config.HTTP.Listen)
	} else {
		_ = l.Close()
		d.fine("address %s is free", d.config.HTTP.Listen)
	}
	if d.config.HTTP.TLS == "off" {
		d.note("no TLS: on this machine that is enough; from other devices the microphone, push and installing the app are missing (guide/tls.md)")
	}
}
