package rights_test

import (
	"testing"

	"candor/internal/rights"
	"candor/internal/sqldb/sqltest"
)

func TestEveryColumnHasAPassport(t *testing.T) {
	db := sqltest.SQLite(t)
	var columns []string
	err := db.Read.NewRaw(`SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_info(t.name) c
		WHERE t.type = 'table' AND t.name LIKE 'rights_%'`).Scan(ctx, &columns)
	if err != nil || len(columns) == 0 {
		t.Fatal(columns, err)
	}
	live := map[string]bool{}
	for _, c := range columns {
		live[c] = true
	}
	for _, p := range rights.Passports() {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		if !live[p.Where] {
			t.Errorf("passport %s for %s, which is not there", p.ID, p.Where)
		}
		delete(live, p.Where)
	}
	for c := range live {
		t.Errorf("no passport for %s", c)
	}
}
