package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/config"
	"candor/internal/id"
	"candor/internal/metrics"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/version"
)

// The places in the data folder.
const (
	databaseFile = "candor.db"
	keysFolder   = "keys"
	footageDir   = "footage"
	tlsFolder    = "tls"
	lockFile     = "lock"
	codeFile     = "setup-code"
	spareFile    = "reserve"
)

func (h *house) path(name string) string { return filepath.Join(h.config.DataDir, name) }

// ground opens what everything stands on: the folder, the policy, the database, the keys, the bus.
func (h *house) ground(ctx context.Context) error {
	if err := noDumps(); err != nil {
		h.log.Warn("a crash may leave memory on the disk", "err", err)
	}
	release, err := lock(h.config.DataDir)
	if err != nil {
		return err
	}
	h.closing("data folder", release)
	if err := h.governed(); err != nil {
		return err
	}
	h.metrics = metrics.New(version.Version, Passports())
	h.gauges = newGauges(h.metrics)
	if h.db, h.keys, err = vault(ctx, h.config, h.clock, h.room("seal")); err != nil {
		return err
	}
	h.closing("database", h.db.Close)
	h.closing("keys", h.keys.Close)
	if h.bus, err = bus.Start(h.clock, h.room("bus"), Passports()); err != nil {
		return err
	}
	h.closing("bus", h.bus.Close)
	h.outbox = &bus.Outbox{DB: h.db, Bus: h.bus, Clock: h.clock, Log: h.room("bus")}
	h.outbox.Start()
	h.closing("outbox", h.outbox.Close)
	return nil
}

// noDumps keeps keys and pictures that are in memory from being written to the disk by a crash. A
// limit of one byte is too small for a file, and the one limit that also keeps Linux from handing
// the memory to a program that collects crashes; zero does not.
func noDumps() error {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_CORE, &l); err != nil {
		return fmt.Errorf("read the limit of core dumps: %w", err)
	}
	l.Cur = min(1, l.Max)
	if err := syscall.Setrlimit(syscall.RLIMIT_CORE, &l); err != nil {
		return fmt.Errorf("limit core dumps: %w", err)
	}
	return nil
}

// lock makes sure that one program at a time uses a data folder.
func lock(dir string) (release func() error, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, problem.Unavailable("data.unusable").With("folder", dir).Because(err)
	}
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, problem.Unavailable("data.unusable").With("folder", dir).Because(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(problem.Conflict("data.in_use").With("folder", dir).Because(err), f.Close())
	}
	return f.Close, nil
}

// vault opens the database and the keys that belong to it. Keys are made only for a database
// that has never held anything.
func vault(ctx context.Context, c config.Config, now clock.Clock, log *slog.Logger) (*sqldb.DB, *seal.Keeper, error) {
	address := c.Database.Reveal()
	if address == "" {
		address = filepath.Join(c.DataDir, databaseFile)
	}
	db, err := sqldb.Open(ctx, address)
	if err != nil {
		return nil, nil, err
	}
	fresh, err := blank(ctx, db)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	keys, err := seal.Open(ctx, seal.Options{Dir: filepath.Join(c.DataDir, keysFolder), Fresh: fresh, Clock: now, Log: log})
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	if fresh {
		_, err = db.Write.NewRaw("INSERT INTO sqldb_installation (one, id, created_ms) VALUES (1, ?, ?)", id.New[struct{}](), int64(clock.At(now.Now()))).Exec(ctx)
		if err != nil {
			return nil, nil, errors.Join(fmt.Errorf("begin the installation: %w", err), keys.Close(), db.Close())
		}
	}
	return db, keys, nil
}

func blank(ctx context.Context, db *sqldb.DB) (bool, error) {
	var one int
	err := db.Read.NewRaw("SELECT one FROM sqldb_installation").Scan(ctx, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return true, nil
	}
	return false, err
}
