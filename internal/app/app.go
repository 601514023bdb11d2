// Package app puts the rooms together. It is the only package that knows everybody: one
// function per subsystem, called in the order in which they need each other, and closed in the
// opposite one. It decides nothing that a room could decide.
package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"candor/internal/account"
	"candor/internal/alarm"
	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/config"
	"candor/internal/consent"
	"candor/internal/decode"
	"candor/internal/democam"
	"candor/internal/device"
	"candor/internal/egress"
	"candor/internal/footage"
	"candor/internal/front"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/live/mse"
	"candor/internal/live/still"
	"candor/internal/live/whep"
	"candor/internal/logging"
	"candor/internal/media"
	"candor/internal/metrics"
	"candor/internal/notice"
	"candor/internal/notify"
	"candor/internal/notify/mail"
	"candor/internal/policy"
	"candor/internal/privlog"
	"candor/internal/report"
	"candor/internal/retention"
	"candor/internal/rights"
	"candor/internal/seal"
	shares "candor/internal/share"
	"candor/internal/sqldb"
	"candor/internal/station"
	"candor/internal/takeaway"
	"candor/internal/translog"
	"candor/internal/watch"
)

// Options say what to run.
type Options struct {
	Config config.Config
	Out    io.Writer // what the person who started it reads
	Err    io.Writer // the log
	Demo   *Demo     // nil: no demo camera

	Clock clock.Clock                 // nil: the machine's
	Ready func(url, setupCode string) // told when the doors are open; may be nil
}

// Demo says what the demo camera shows. Empty names mean the clips inside the program.
type Demo struct{ Main, Sub string }

// house is everything that runs. Each field is filled by the wiring function of its subsystem.
type house struct {
	config config.Config
	demo   *Demo
	out    io.Writer
	log    *slog.Logger
	clock  clock.Clock
	tenant id.Tenant

	policy  *policy.Policy  // that is obeyed
	history *policy.History // with the versions that are not in effect
	db      *sqldb.DB
	keys    *seal.Keeper
	bus     *bus.Bus
	outbox  *bus.Outbox
	metrics *metrics.Registry

	gate     *gate.Gate
	records  *translog.Log
	people   *account.Room
	versions *consent.Versions
	consent  *consent.Room
	devices  *device.Room
	shares   *shares.Room

	hub     *media.Hub
	egress  *egress.Room
	puller  *ingest.Supervisor
	camera  *democam.Server
	footage *footage.Room
	alarms  *alarm.Room
	looks   looks
	station *station.Station
	decoder *decode.Pool
	stills  *still.Maker
	whep    *whep.Server
	mse     *mse.Server

	mail      *mail.Room
	office    *rights.Office
	takeaway  *takeaway.Room
	reports   *report.Room
	retention *retention.Loop
	notify    *notify.Room
	notices   *notice.Room
	proofs    *privlog.Log
	code      setupCode
	api       *httpapi.API
	front     *front.Front
	served    http.Handler // what the front door hands requests to
	watch     watch.Watch
	news      news
	gauges    gauges

	closers []func() error // called last to first
}

// Serve runs the house until ctx ends or a door fails, then closes it in order.
func Serve(ctx context.Context, o Options) (err error) {
	h, flush := build(o)
	defer flush()
	defer func() { err = errors.Join(err, h.close()) }()
	if err := h.start(ctx); err != nil {
		return err
	}
	if o.Ready != nil {
		o.Ready(strings.TrimSuffix(h.front.URLs()[0], "/"), h.code.get())
	}
	select {
	case <-ctx.Done():
		h.log.Info("stopping")
		return nil
	case err := <-h.front.Failed():
		return err
	}
}

// build makes a house in which nothing runs yet.
func build(o Options) (h *house, flush func()) {
	log, flush := logging.New(o.Err, logging.Options{Level: o.Config.Log.Level.Slog(), Format: string(o.Config.Log.Format)})
	h = &house{config: o.Config, demo: o.Demo, out: o.Out, log: log, clock: o.Clock, tenant: id.DefaultTenant}
	if h.clock == nil {
		h.clock = clock.Wall
	}
	return h, flush
}

// start has every subsystem begin, in the order in which they need each other. What has begun
// ends with close, also after an error.
func (h *house) start(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		h.ground, h.openLog, h.rooms, h.pictures, h.post, h.messages, h.goodbyes, h.doors, h.measure, h.open, h.watchOver, h.greet,
	} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// room is the logger of a room.
func (h *house) room(name string) *slog.Logger { return logging.Room(h.log, name) }

// closing has f called when the house closes, before what was opened earlier.
func (h *house) closing(what string, f func() error) {
	h.closers = append(h.closers, func() error {
		if err := f(); err != nil {
			return fmt.Errorf("close %s: %w", what, err)
		}
		return nil
	})
}

func (h *house) close() error {
	var errs []error
	for _, f := range slices.Backward(h.closers) {
		errs = append(errs, f())
	}
	return errors.Join(errs...)
}
