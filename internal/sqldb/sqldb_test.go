package sqldb_test

import (
	"context"
	"path/filepath"
	"testing"

	"candor/internal/id"
	"candor/internal/problem"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

func TestIdentifiersAndMomentsRoundTrip(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		ctx := context.Background()
		want := id.New[struct{}]()
		if _, err := db.Write.NewRaw("INSERT INTO sqldb_installation VALUES (1, ?, ?)", want, int64(7)).Exec(ctx); err != nil {
			t.Fatal(err)
		}
		var got id.ID[struct{}]
		if err := db.Read.NewRaw("SELECT id FROM sqldb_installation").Scan(ctx, &got); err != nil || got != want {
			t.Fatalf("got %v, %v; want %v", got, err, want)
		}
	})
}

func TestNewerDatabaseIsRefused(t *testing.T) {
	ctx := context.Background()
	file := filepath.Join(t.TempDir(), "candor.db")
	db, err := sqldb.Open(ctx, file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Write.Exec("INSERT INTO sqldb_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := sqldb.Open(ctx, file); !problem.Is(err, "database.newer") {
		t.Fatalf("opening a newer database: %v, want problem database.newer", err)
	}
}
