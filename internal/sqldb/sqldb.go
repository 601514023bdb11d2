// Package sqldb opens the one SQL database, on SQLite or PostgreSQL, and brings it to this
// build's version. Rooms own their tables: a room writes its migrations here and reads nobody
// else's tables; no foreign key crosses rooms.
//
// Write is one connection on SQLite (WAL, synchronous=FULL), so writers queue in the program
// and never meet "database is locked". Read is a pool. On PostgreSQL both are the same pool.
//
// Migrations are migrations/NNNN_room_what.{sqlite,postgres}.sql, one ordered list for both
// dialects. Moments are int64 milliseconds UTC, identifiers 16 bytes (BLOB or bytea).
package sqldb

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path"
	"sort"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/uptrace/bun"
	"github.com/uptrace/bun/dialect/pgdialect"
	"github.com/uptrace/bun/dialect/sqlitedialect"
	_ "modernc.org/sqlite" // driver "sqlite"

	"candor/internal/problem"
)

// Dialect is the engine behind a DB.
type Dialect string

// The engines.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

// DB is the open database.
type DB struct {
	Dialect Dialect
	Write   *bun.DB
	Read    *bun.DB
}

//go:embed migrations/*.sql
var migrations embed.FS

// Open opens the database at address and migrates it. The address is a file path for SQLite or
// a postgres:// URL.
func Open(ctx context.Context, address string) (*DB, error) {
	db, err := connect(address)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func connect(address string) (*DB, error) {
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		pool, err := sql.Open("pgx", address)
		if err != nil {
			return nil, fmt.Errorf("open PostgreSQL: %w", err)
		}
		pool.SetMaxOpenConns(16)
		b := bun.NewDB(pool, pgdialect.New())
		return &DB{Dialect: Postgres, Write: b, Read: b}, nil
	}
	if err := private(address); err != nil {
		return nil, err
	}
	write, err := sql.Open("sqlite", sqliteDSN(address, "_txlock=immediate"))
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	write.SetMaxOpenConns(1)
	read, err := sql.Open("sqlite", sqliteDSN(address, "_pragma=query_only(1)"))
	if err != nil {
		return nil, fmt.Errorf("open SQLite: %w", err)
	}
	read.SetMaxOpenConns(4)
	read.SetConnMaxIdleTime(time.Minute)
	return &DB{Dialect: SQLite, Write: bun.NewDB(write, sqlitedialect.New()), Read: bun.NewDB(read, sqlitedialect.New())}, nil
}

// private begins a file that only its owner can read. SQLite gives its log the mode of its file.
func private(file string) error {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil // and is not touched: closing it would drop the locks of whoever has it open
	}
	if err != nil {
		return fmt.Errorf("open SQLite: %w", err)
	}
	return f.Close()
}

func sqliteDSN(file string, more ...string) string {
	pragmas := append([]string{
		"_pragma=journal_mode(WAL)", "_pragma=synchronous(FULL)", "_pragma=secure_delete(1)",
		"_pragma=busy_timeout(10000)", "_pragma=foreign_keys(1)",
	}, more...)
	return (&url.URL{Scheme: "file", Opaque: url.PathEscape(file)}).String() + "?" + strings.Join(pragmas, "&")
}

// Close closes both sides. On SQLite it first empties the write-ahead log into the file.
func (db *DB) Close() error {
	if db.Dialect == Postgres {
		return db.Write.Close()
	}
	_, err := db.Write.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	return errors.Join(err, db.Read.Close(), db.Write.Close())
}

// Tx runs f in one transaction. An error of f, or a panic in it, undoes everything.
func (db *DB) Tx(ctx context.Context, f func(ctx context.Context, tx bun.Tx) error) error {
	return db.Write.RunInTx(ctx, nil, f)
}

// Scrub empties the write-ahead log of SQLite, so that what was deleted is in no file any more.
// PostgreSQL has its own ways (VACUUM, archive rules): there it does nothing.
func (db *DB) Scrub(ctx context.Context) error {
	if db.Dialect == Postgres {
		return nil
	}
	var busy, log, done int
	err := db.Write.NewRaw("PRAGMA wal_checkpoint(TRUNCATE)").Scan(ctx, &busy, &log, &done)
	if err == nil && busy != 0 {
		err = errors.New("write-ahead log still in use")
	}
	return err
}

func (db *DB) migrate(ctx context.Context) error {
	dialect := goose.DialectSQLite3
	if db.Dialect == Postgres {
		dialect = goose.DialectPostgres
	}
	files, err := Migrations(db.Dialect)
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(dialect, db.Write.DB, files, goose.WithTableName("sqldb_version"))
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	have, err := p.GetDBVersion(ctx)
	if err != nil {
		return fmt.Errorf("read the database's version: %w", err)
	}
	if newest := p.ListSources(); len(newest) > 0 && have > newest[len(newest)-1].Version {
		known := newest[len(newest)-1].Version
		return problem.Unavailable("database.newer").
			With("have", strconv.FormatInt(have, 10)).With("know", strconv.FormatInt(known, 10)).
			Becausef("database is at version %d, this build knows up to %d", have, known)
	}
	if _, err := p.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// Migrations is the ordered list for one dialect, under the names goose expects.
func Migrations(d Dialect) (fs.FS, error) {
	all, err := migrations.ReadDir("migrations")
	if err != nil {
		return nil, err
	}
	out := renamed{}
	for _, e := range all {
		name, ok := strings.CutSuffix(e.Name(), "."+string(d)+".sql")
		if ok {
			out[name+".sql"] = path.Join("migrations", e.Name())
		}
	}
	return out, nil
}

// renamed shows embedded files under other names: 0001_a_b.sqlite.sql as 0001_a_b.sql.
type renamed map[string]string

func (r renamed) Open(name string) (fs.File, error) {
	if real, ok := r[name]; ok {
		return migrations.Open(real)
	}
	return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
}

func (r renamed) Glob(pattern string) ([]string, error) {
	var names []string
	for n := range r {
		if ok, err := path.Match(pattern, n); err != nil {
			return nil, err
		} else if ok {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names, nil
}
