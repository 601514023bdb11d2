package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"candor/internal/clock"
	"candor/internal/config"
	"candor/internal/decode"
	"candor/internal/egress"
	"candor/internal/id"
	"candor/internal/notice"
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
	for _, setting := range slices.Sorted(maps.Keys(c.From)) {
		fmt.Fprintf(out, "      %-28s from %s\n", setting, c.From[setting])
	}
	for _, check := range []func(context.Context){d.folder, d.disk, d.policy, d.data, d.pictures, d.mail, d.addresses, d.clock} {
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
	_, p, err := obeyed(d.config, time.Now())
	if err != nil {
		d.wrong("policy", err)
		return
	}
	if err := fits(d.config, p); err != nil {
		d.wrong("settings", err)
	}
	d.fine("policy version %d, hash %.12s…", p.Version, p.Hash())
	if late := unreviewed(p.Assessed, time.Now()); late > 0 {
		d.wrong("policy", fmt.Errorf("nobody looked at it since %s, and once a year is promised: assess it anew and write the day to assessed in policy.yaml", p.Assessed))
	}
}

func (d *doctor) data(ctx context.Context) {
	if !exists(d.config.DataDir, keysFolder) && !exists(d.config.DataDir, databaseFile) {
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
	d.fine("database (%s) and keys open, key epoch %d", db.Dialect, keys.Epoch())
	late, err := (&notice.Room{DB: db, Clock: clock.Wall, Tenant: id.DefaultTenant}).Overdue(ctx)
	switch {
	case err != nil:
		d.wrong("incidents", err)
	case late > 0:
		d.wrong("incidents", fmt.Errorf("%d should be with the authority for longer than 72 hours; `candor notice list` names them", late))
	}
}

func exists(dir, name string) bool {
	_, err := os.Stat(filepath.Join(dir, name))
	return err == nil
}

func (d *doctor) pictures(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	p := &decode.Pool{Path: d.config.Decode.Path}
	defer p.Close()
	switch s := p.Describe(ctx); {
	case s.Engine == "":
		d.note("no stills and no motion: %s. Live view and recording work; `apt install libopenh264-7` or ffmpeg brings pictures.", s.Reason)
	case s.KeysOnly:
		d.fine("pictures by %s; %s", s.Engine, s.Confinement)
		d.note("motion is looked for in key pictures only, which some cameras send every 10 s; `apt install libopenh264-7` brings one picture a second")
	default:
		d.fine("pictures and motion by %s; %s", s.Engine, s.Confinement)
	}
}

// mail signs in at the mail server and leaves again; no letter is sent.
func (d *doctor) mail(ctx context.Context) {
	c := d.config.SMTP
	if c.Host == "" {
		how := "set smtp.host (guide/mail.md)"
		if d.config.Mail.Outbox {
			how = "mail.outbox shows it to this machine"
		}
		d.note("no mail is sent, so nobody can sign up or reset a password by mail; %s", how)
		return
	}
	server, err := mailServer(c)
	var p *policy.Policy
	if err == nil {
		_, p, err = obeyed(d.config, time.Now())
	}
	if err == nil {
		err = server.Check(ctx, mailDial(egress.New(egress.Options{Register: p}), c.Host))
	}
	if err != nil {
		d.wrong("mail", fmt.Errorf("%s:%d cannot be used: %w", c.Host, c.Port, err))
		return
	}
	d.fine("mail: %s:%d takes us as %s", c.Host, c.Port, c.From)
}

func (d *doctor) addresses(context.Context) {
	h, w := d.config.HTTP, d.config.WebRTC
	d.address("http.listen", "tcp", h.Listen)
	if h.TLS == config.TLSACME || h.TLS == config.TLSLocalCA {
		d.address("http.tls_listen", "tcp", h.TLSListen)
	}
	if w.TCPPort != 0 {
		d.address("webrtc.tcp_port", "tcp", fmt.Sprintf(":%d", w.TCPPort))
	}
	if w.UDPPort != 0 {
		d.address("webrtc.udp_port", "udp", fmt.Sprintf(":%d", w.UDPPort))
	}
	if d.config.Metrics.Listen != "" {
		d.address("metrics.listen", "tcp", d.config.Metrics.Listen)
	}
	if h.TLS == config.TLSOff {
		d.note("no TLS: on this machine that is enough; from other devices the microphone, push and installing the app are missing (guide/address-and-tls.md)")
	}
}

// address sees whether a port can be had.
func (d *doctor) address(setting, network, at string) {
	var door io.Closer
	var err error
	if network == "udp" {
		door, err = net.ListenPacket(network, at)
	} else {
		door, err = net.Listen(network, at)
	}
	switch {
	case err == nil:
		_ = door.Close()
		d.fine("%s: %s is free", setting, at)
	case errors.Is(err, syscall.EADDRINUSE):
		d.note("%s: %s is taken, by a running candor or by something else; then choose another", setting, at)
	case errors.Is(err, syscall.EACCES):
		d.wrong(setting, fmt.Errorf("%s needs more rights: let a proxy listen there, or give the program CAP_NET_BIND_SERVICE", at))
	default:
		d.wrong(setting, err)
	}
}

// clock asks the kernel whether something keeps its clock right: footage carries its time.
func (d *doctor) clock(context.Context) {
	var t unix.Timex
	state, err := unix.Adjtimex(&t)
	if err != nil {
		return
	}
	if state == unix.TIME_ERROR {
		d.note("clock: nothing keeps it right (`timedatectl set-ntp true`); footage carries this machine's time")
		return
	}
	d.fine("clock is kept right")
}
