package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Identity says which installation's rows a database holds, and of which version.
type Identity struct {
	Installation string // 32 hexadecimal digits; "" where none has begun
	Version      int64  // of the newest migration
}

// Dump is the name of the file that Copy writes: a database file of SQLite, an archive of pg_dump.
func (d Dialect) Dump() string {
	if d == Postgres {
		return "candor.dump"
	}
	return "candor.db"
}

// DialectOf tells the engine by the address.
func DialectOf(address string) Dialect {
	if strings.HasPrefix(address, "postgres://") || strings.HasPrefix(address, "postgresql://") {
		return Postgres
	}
	return SQLite
}

// Identify reads whose rows lie at an address. Unlike Open it changes nothing, so it also reads copies
// and databases of other versions. A file that is not there is an error.
func Identify(ctx context.Context, address string) (Identity, error) {
	db, err := look(address)
	if err != nil {
		return Identity{}, err
	}
	i, err := identify(ctx, db, DialectOf(address))
	return i, errors.Join(err, db.Close())
}

func identify(ctx context.Context, db *sql.DB, d Dialect) (i Identity, err error) {
	tables, number := "SELECT count(*) FROM sqlite_schema WHERE name = 'sqldb_installation'", "SELECT lower(hex(id)) FROM sqldb_installation"
	if d == Postgres {
		tables, number = "SELECT count(*) FROM pg_tables WHERE schemaname = ANY (current_schemas(false)) AND tablename = 'sqldb_installation'",
			"SELECT encode(id, 'hex') FROM sqldb_installation"
	}
	var begun int
	if err := db.QueryRowContext(ctx, tables).Scan(&begun); err != nil || begun == 0 {
		return i, wrap("read the database", err)
	}
	err = db.QueryRowContext(ctx, number).Scan(&i.Installation)
	if errors.Is(err, sql.ErrNoRows) {
		return i, nil
	}
	if err == nil {
		err = db.QueryRowContext(ctx, "SELECT max(version_id) FROM sqldb_version").Scan(&i.Version)
	}
	return i, wrap("read the database's identity", err)
}

// look opens a connection that cannot write.
func look(address string) (*sql.DB, error) {
	if DialectOf(address) == Postgres {
		db, err := sql.Open("pgx", address)
		return db, wrap("open PostgreSQL", err)
	}
	if _, err := os.Stat(address); err != nil {
		return nil, wrap("open SQLite", err)
	}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Opaque: url.PathEscape(address)}).String()+"?mode=ro&_pragma=busy_timeout(10000)")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return db, wrap("open SQLite", err)
}

// Copy writes a copy of the database, as of one moment, to a file that does not exist yet. It works
// beside whoever uses the database; on SQLite the write-ahead log grows meanwhile. The file is on the
// disk when Copy returns. PostgreSQL needs the program pg_dump.
func Copy(ctx context.Context, address, file string) error {
	if DialectOf(address) == Postgres {
		if err := tool(ctx, address, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--file="+file); err != nil {
			return err
		}
		return settle(file)
	}
	if err := private(file); err != nil { // VACUUM INTO takes an empty file, and keeps its mode
		return err
	}
	db, err := look(address)
	if err != nil {
		return err
	}
	_, err = db.ExecContext(ctx, "VACUUM INTO ?", file)
	if err := errors.Join(wrap("copy the database", err), db.Close()); err != nil {
		return err
	}
	return settle(file)
}

// Restore brings back what Copy wrote, into a file that is not there or a PostgreSQL database that has
// no installation in it.
func Restore(ctx context.Context, file, address string) error {
	if DialectOf(address) == Postgres {
		return tool(ctx, address, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", file)
	}
	from, err := os.Open(file)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(address, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return wrap("put the database back", err)
	}
	_, err = to.ReadFrom(from)
	return wrap("put the database back", errors.Join(err, to.Sync(), to.Close()))
}

// settle has a file on the disk and for its owner alone.
func settle(file string) error {
	f, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Chmod(0o600), f.Sync(), f.Close())
}

// tool runs one of PostgreSQL's programs. The password goes through the environment: everybody on the
// machine can read a command line.
func tool(ctx context.Context, address, name string, args ...string) error {
	at, err := url.Parse(address)
	if err != nil {
		return errors.New("the database's address is not one; write postgres://user:password@host/name") // its text has the password
	}
	if _, err := exec.LookPath(name); err != nil {
		return fmt.Errorf("%s is not on this machine and copies PostgreSQL; install the client programs of the server's version (Debian: postgresql-client)", name)
	}
	env := os.Environ()
	if password, ok := at.User.Password(); ok {
		env = append(env, "PGPASSWORD="+password)
		at.User = url.User(at.User.Username())
	}
	cmd := exec.CommandContext(ctx, name, append([]string{"--dbname=" + at.String(), "--no-password"}, args...)...)
	cmd.Env = env
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(name), err, strings.TrimSpace(said.String()))
	}
	return nil
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
