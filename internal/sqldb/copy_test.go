package sqldb_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor/internal/id"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

// A copy is taken beside a database in use, and is that database again wherever it is put.
func TestACopyIsTheDatabaseAgain(t *testing.T) {
	for name, address := range map[string]func(string) string{
		"sqlite":   func(file string) string { return filepath.Join(t.TempDir(), file) },
		"postgres": func(string) string { return sqltest.PostgresURL(t) },
	} {
		t.Run(name, func(t *testing.T) {
			ctx, at, to := t.Context(), address("a.db"), address("b.db")
			file := filepath.Join(t.TempDir(), sqldb.DialectOf(at).Dump())
			db, err := sqldb.Open(ctx, at)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close()
			want := id.New[struct{}]()
			if _, err := db.Write.NewRaw("INSERT INTO sqldb_installation VALUES (1, ?, ?)", want, int64(7)).Exec(ctx); err != nil {
				t.Fatal(err)
			}
			if err := sqldb.Copy(ctx, at, file); err != nil {
				t.Fatal(err)
			}
			if err := sqldb.Copy(ctx, at, file); err == nil && name == "sqlite" {
				t.Error("a copy was written over another")
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the copy: %v, %v", info, err)
			}
			if err := sqldb.Restore(ctx, file, to); err != nil {
				t.Fatal(err)
			}
			if err := sqldb.Restore(ctx, file, to); err == nil {
				t.Error("a database was restored over another")
			}
			was, err := sqldb.Identify(ctx, at)
			if err != nil || len(was.Installation) != 32 || was.Version == 0 {
				t.Fatalf("the original: %+v, %v", was, err)
			}
			if is, err := sqldb.Identify(ctx, to); err != nil || is != was {
				t.Errorf("the copy is %+v, %v; want %+v", is, err, was)
			}
		})
	}
}

func TestIdentifyMakesNothing(t *testing.T) {
	file := filepath.Join(t.TempDir(), "none.db")
	if i, err := sqldb.Identify(t.Context(), file); err == nil {
		t.Errorf("a database that is not there is %+v", i)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("looking made a file")
	}
	if i, err := sqldb.Identify(t.Context(), sqltest.PostgresURL(t)); err != nil || i.Installation != "" {
		t.Errorf("an empty database is %+v, %v", i, err)
	}
}

// The programs of PostgreSQL get the password through the environment, and complain in words.
func TestAMissingToolIsNamedAndNoPasswordShown(t *testing.T) {
	const address = "postgres://candor:canary@127.0.0.1:1/candor?sslmode=disable"
	file := filepath.Join(t.TempDir(), "x")
	if err := sqldb.Copy(t.Context(), address, file); err == nil || strings.Contains(err.Error(), "canary") {
		t.Errorf("nobody listens there: %v", err)
	}
	t.Setenv("PATH", t.TempDir())
	err := sqldb.Copy(t.Context(), address, file)
	if err == nil || !strings.Contains(err.Error(), "pg_dump is not on this machine") || strings.Contains(err.Error(), "canary") {
		t.Errorf("without pg_dump: %v", err)
	}
}
