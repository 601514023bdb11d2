package app

import (
	"net/http"
	"testing"
	"time"

	"candor/internal/config"
	"candor/internal/sqldb/sqltest"
)

// TestTheSameHouseOnPostgres goes the main way on the other engine.
func TestTheSameHouseOnPostgres(t *testing.T) {
	t.Parallel()
	address := sqltest.PostgresURL(t)
	w := fresh(t, func(c *config.Config) { c.Database = config.Secret(address) })
	p := w.visitor(t)
	who := identity{"Nele Nuss", "nele@house.example", "a brown gondola 80"}
	p.setUp(t, who, "given")
	got := p.recorded(p.camera, 2*time.Second)
	a := p.do("GET", moviePath(p.camera, got), nil)
	if a.status != http.StatusOK {
		t.Fatalf("the movie: %d %s", a.status, a.body)
	}
	if n, complaints := probe(t, a.body); n == 0 || complaints != "" {
		t.Errorf("%d pictures; %s", n, complaints)
	}
	kept(t, p.decide(p.camera, "withdrawn"))
	p.refused("GET", moviePath(p.camera, got), nil, http.StatusForbidden, "consent.needed")
	var r receipt
	p.call("DELETE", "/account", map[string]any{"password": who.password}, &r)
	if r.KeysDestroyed == 0 || r.DoneAt == nil {
		t.Errorf("the receipt: %+v", r)
	}
	var rows int
	for _, table := range []string{"account_account", "device_camera", "footage_segment", "consent_record", "translog_access"} {
		if err := w.db.Read.NewRaw("SELECT count(*) FROM "+table).Scan(t.Context(), &rows); err != nil || rows != 0 {
			t.Errorf("%d rows are left in %s, %v", rows, table, err)
		}
	}
}
