package seal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite"
	lib "modernc.org/sqlite/lib"

	"candor/internal/clock"
	"candor/internal/problem"
)

const fileName = "keys.db"

// Options say where the keys are.
type Options struct {
	Dir   string
	Fresh bool // no data exists yet: keys may be made. Otherwise missing keys are a problem.
	Clock clock.Clock
	Log   *slog.Logger
}

// Keeper keeps the keys. All its methods may be called at the same time.
type Keeper struct {
	dir   string
	clock clock.Clock
	log   *slog.Logger
	db    *sql.DB
	raw   *os.File // keys.db beside SQLite: for its change counter and for the byte-for-byte check

	// mu is held shared while something opens and alone while something is made or destroyed: when
	// Destroy returns, nobody in this process is still working with what it destroyed.
	mu      sync.RWMutex
	turning sync.Mutex // one turn of the epoch at a time; taken before mu
	counter uint32     // keys.db's change counter as of what is cached below

	memory struct {
		sync.Mutex
		epoch  uint32 // new keys are wrapped under this one
		epochs map[uint32]*secret
		keys   *cache
	}
}

// Open opens the keys in o.Dir. It never makes new ones where data exists: a missing file is
// problem keys.missing, an unreadable one keys.damaged, one of a later build keys.newer.
func Open(ctx context.Context, o Options) (*Keeper, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	k := &Keeper{dir: o.Dir, clock: o.Clock, log: o.Log}
	k.memory.epochs = map[uint32]*secret{}
	k.memory.keys = newCache(cached)
	if err := k.open(ctx, o.Fresh); err != nil {
		return nil, errors.Join(err, k.Close())
	}
	return k, nil
}

func (k *Keeper) open(ctx context.Context, fresh bool) error {
	file := filepath.Join(k.dir, fileName)
	if fresh {
		if err := os.MkdirAll(k.dir, 0o700); err != nil {
			return fmt.Errorf("make the key folder: %w", err)
		}
	} else if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return missing(fileName, err)
	}
	f, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return fmt.Errorf("open %s: %w", fileName, err)
	}
	k.raw = f
	if k.db, err = sql.Open("sqlite", dsn(file)); err != nil {
		return fmt.Errorf("open %s: %w", fileName, err)
	}
	k.db.SetMaxOpenConns(1)
	if err := k.ready(ctx, fresh); err != nil {
		return err
	}
	if err := k.load(ctx, k.db); err != nil {
		return err
	}
	if err := k.begin(ctx, fresh); err != nil {
		return err
	}
	if err := k.finish(ctx); err != nil {
		return err
	}
	if err := k.tidyEpochs(ctx); err != nil {
		return err
	}
	k.keepReserve()
	return nil
}

func dsn(file string) string {
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(file)}).String() +
		"?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(DELETE)&_pragma=secure_delete(1)" +
		"&_pragma=synchronous(EXTRA)&_pragma=temp_store(MEMORY)&_pragma=cell_size_check(1)&_pragma=trusted_schema(0)"
}

// ready sees to it that the file has this build's layout.
func (k *Keeper) ready(ctx context.Context, fresh bool) error {
	var version, app, tables int
	err := k.db.QueryRowContext(ctx, `SELECT (SELECT user_version FROM pragma_user_version),
		(SELECT application_id FROM pragma_application_id), (SELECT count(*) FROM sqlite_schema)`).Scan(&version, &app, &tables)
	switch {
	case err != nil:
		return k.trouble("read keys.db", err)
	case version == 0 && tables == 0 && fresh:
		return k.create(ctx)
	case version == 0 && tables == 0:
		return missing(fileName, errors.New("the file is empty"))
	case app != applicationID:
		return damaged(fileName, fmt.Errorf("application id %#x", app))
	case version > schemaVersion:
		return problem.Unavailable("keys.newer").Becausef("keys.db has layout %d, this build knows %d", version, schemaVersion)
	}
	var verdict string
	if err := k.db.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&verdict); err != nil {
		return k.trouble("check keys.db", err)
	}
	if verdict != "ok" {
		return damaged(fileName, errors.New(verdict))
	}
	return nil
}

// create begins keys.db with its first epoch. An epoch file of a first start that was
// interrupted guards nothing yet, so it is replaced.
func (k *Keeper) create(ctx context.Context) error {
	old, err := epochFiles(k.dir)
	if err != nil {
		return err
	}
	for _, n := range old {
		if err := shredFile(filepath.Join(k.dir, epochName(n))); err != nil {
			return err
		}
	}
	key, err := writeEpoch(k.dir, 1)
	if err != nil {
		return err
	}
	key.zero()
	return k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, schema+fmt.Sprintf("PRAGMA application_id = %d; PRAGMA user_version = %d;", applicationID, schemaVersion))
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, "INSERT INTO state (one, epoch, created_ms) VALUES (1, 1, ?)", clock.At(k.clock.Now()))
		return err
	})
}

// begin makes or checks the directory's key, which also proves that epoch key and file belong together.
func (k *Keeper) begin(ctx context.Context, fresh bool) error {
	key, err := k.directoryKey(ctx, k.db)
	if err == nil {
		key.zero()
		return nil
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if !fresh {
		return damaged(fileName, errors.New("the directory's key is not there"))
	}
	return k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		fresh, err := k.insert(ctx, tx, Scope{}, kindDirectory, nil)
		if err == nil {
			fresh.key.zero()
		}
		return err
	})
}

// Close zeroes what is unwrapped and closes the file.
func (k *Keeper) Close() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.forget()
	var err error
	if k.db != nil {
		err = k.db.Close()
	}
	if k.raw != nil { // last: closing any descriptor of a file drops SQLite's locks on it
		err = errors.Join(err, k.raw.Close())
	}
	return err
}

// forget zeroes every unwrapped key.
func (k *Keeper) forget() {
	k.memory.Lock()
	defer k.memory.Unlock()
	k.memory.keys.empty()
	for n, key := range k.memory.epochs {
		key.zero()
		delete(k.memory.epochs, n)
	}
}

// querier is a transaction, or the file outside of one.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// read runs f while nothing changes. Another process (candor user reset) may have changed the file:
// then what is cached is forgotten first.
func (k *Keeper) read(ctx context.Context, f func(ctx context.Context, q querier) error) error {
	k.mu.RLock()
	defer k.mu.RUnlock()
	if err := k.notice(ctx, k.db); err != nil {
		return err
	}
	return k.trouble("read keys.db", f(ctx, k.db))
}

// write runs f in one transaction that is on the disk when write returns without an error.
func (k *Keeper) write(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.trouble("write keys.db", k.transact(ctx, f))
}

func (k *Keeper) transact(ctx context.Context, f func(ctx context.Context, tx *sql.Tx) error) error {
	if err := ctx.Err(); err != nil { // an ended lease makes no keys
		return err
	}
	tx, err := k.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	err = k.notice(ctx, tx)
	if err == nil {
		err = f(ctx, tx)
	}
	if err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	if err := tx.Commit(); err != nil {
		return errors.Join(err, ignoreDone(tx.Rollback()))
	}
	k.counter = k.changes()
	return nil
}

func ignoreDone(err error) error {
	if errors.Is(err, sql.ErrTxDone) {
		return nil
	}
	return err
}

// changes is SQLite's file change counter: every commit of any process moves it.
func (k *Keeper) changes() uint32 {
	var b [4]byte
	_, _ = k.raw.ReadAt(b[:], 24)
	return binary.BigEndian.Uint32(b[:])
}

// notice forgets what is cached if somebody else has changed the file.
func (k *Keeper) notice(ctx context.Context, q querier) error {
	now := k.changes()
	k.memory.Lock()
	same := now == k.counter || now == 0
	k.memory.Unlock()
	if same {
		return nil
	}
	return k.load(ctx, q)
}

// load reads the state and forgets the rest.
func (k *Keeper) load(ctx context.Context, q querier) error {
	k.forget()
	now := k.changes()
	var epoch, next uint32
	err := q.QueryRowContext(ctx, "SELECT epoch, next FROM state WHERE one = 1").Scan(&epoch, &next)
	if err != nil {
		return k.trouble("read keys.db", err)
	}
	k.memory.Lock()
	defer k.memory.Unlock()
	k.counter = now
	k.memory.epoch = max(epoch, next)
	return nil
}

// epochKey is a copy of the epoch key n, whose file is read once. The copy is the caller's to zero.
func (k *Keeper) epochKey(n uint32) (*secret, error) {
	k.memory.Lock()
	defer k.memory.Unlock()
	if key, ok := k.memory.epochs[n]; ok {
		return key.clone(), nil
	}
	key, err := readEpoch(k.dir, n)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, missing(epochName(n), err)
	case errors.Is(err, errEpoch):
		return nil, damaged(epochName(n), err)
	case err != nil:
		return nil, fmt.Errorf("read epoch key: %w", err)
	}
	k.memory.epochs[n] = key
	return key.clone(), nil
}

func (k *Keeper) now() time.Time { return k.clock.Now() }

func missing(file string, cause error) error {
	return problem.Unavailable("keys.missing").With("file", file).Because(cause)
}

func damaged(file string, cause error) error {
	return problem.Unavailable("keys.damaged").With("file", file).Because(cause)
}

// trouble gives an engine's error the code that says what to do about it.
func (k *Keeper) trouble(doing string, err error) error {
	var e *sqlite.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	err = fmt.Errorf("%s: %w", doing, err)
	switch e.Code() & 0xff {
	case lib.SQLITE_CORRUPT, lib.SQLITE_NOTADB:
		return damaged(fileName, err)
	case lib.SQLITE_FULL:
		return problem.Unavailable("keys.full").Because(err)
	case lib.SQLITE_READONLY:
		return problem.Unavailable("keys.read_only").Because(err)
	}
	return err
}

func isFull(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code() & 0xff {
	case lib.SQLITE_FULL, lib.SQLITE_IOERR, lib.SQLITE_CANTOPEN:
		return true
	}
	return false
}
