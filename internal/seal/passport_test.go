package seal_test

import (
	"database/sql"
	"path/filepath"
	"testing"

	"candor/internal/seal"
)

func TestEveryColumnHasAPassport(t *testing.T) {
	b := newBench(t)
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(b.dir, "keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT 'keys.db/' || t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c WHERE t.type = 'table'")
	if err != nil {
		t.Fatal(err)
	}
	live := map[string]bool{}
	for rows.Next() {
		var where string
		if err := rows.Scan(&where); err != nil {
			t.Fatal(err)
		}
		live[where] = true
	}
	if err := rows.Err(); err != nil || len(live) == 0 {
		t.Fatal(len(live), err)
	}
	for _, p := range seal.Passports() {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		if !live[p.Where] {
			t.Errorf("passport %s for %s, which is not there", p.ID, p.Where)
		}
		delete(live, p.Where)
	}
	for where := range live {
		t.Error("no passport for ", where)
	}
}
