package device

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"time"
	_ "time/tzdata" // a bare machine may know no time zones

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
)

// Site is a place with a time zone.
type Site struct {
	ID       id.Site
	Name     string
	TimeZone string // IANA name
}

func zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, problem.Invalid("time_zone.unknown")
	}
	l, err := time.LoadLocation(name)
	if err != nil {
		return nil, problem.Invalid("time_zone.unknown").Because(err)
	}
	return l, nil
}

// AddSite adds a place. Problems: site.name, time_zone.unknown, site.too_many.
func (r *Room) AddSite(ctx context.Context, t id.Tenant, a id.Account, name, timeZone string) (Site, error) {
	s := Site{ID: id.Make[id.Site](), TimeZone: timeZone}
	sealed, err := r.sealSite(ctx, t, a, &s, name)
	if err != nil {
		return Site{}, err
	}
	r.adding.Lock()
	defer r.adding.Unlock()
	var have int
	if err := r.DB.Write.NewRaw("SELECT count(*) FROM device_site WHERE tenant_id = ? AND account_id = ?", t, a).Scan(ctx, &have); err != nil {
		return Site{}, fmt.Errorf("add site: %w", err)
	}
	if have >= MaxSites {
		return Site{}, problem.Conflict("site.too_many").With("limit", strconv.Itoa(MaxSites))
	}
	_, err = r.DB.Write.NewRaw("INSERT INTO device_site (tenant_id, id, account_id, name, time_zone, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
		t, s.ID, a, sealed[0], sealed[1], int64(clock.At(r.Clock.Now()))).Exec(ctx)
	if err != nil {
		return Site{}, fmt.Errorf("add site: %w", err)
	}
	return s, nil
}

// ChangeSite renames a place or moves it to another time zone.
func (r *Room) ChangeSite(ctx context.Context, t id.Tenant, a id.Account, site id.Site, name, timeZone string) (Site, error) {
	s := Site{ID: site, TimeZone: timeZone}
	sealed, err := r.sealSite(ctx, t, a, &s, name)
	if err != nil {
		return Site{}, err
	}
	res, err := r.DB.Write.NewRaw("UPDATE device_site SET name = ?, time_zone = ? WHERE tenant_id = ? AND account_id = ? AND id = ?", sealed[0], sealed[1], t, a, site).Exec(ctx)
	if err != nil {
		return Site{}, fmt.Errorf("change site: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n != 1 {
		return Site{}, errors.Join(err, problem.NotFound())
	}
	return s, nil
}

func (r *Room) sealSite(ctx context.Context, t id.Tenant, a id.Account, s *Site, name string) (sealed [2][]byte, err error) {
	if s.Name, err = checkName(name, "site.name"); err != nil {
		return sealed, err
	}
	if _, err = zone(s.TimeZone); err != nil {
		return sealed, err
	}
	scope := seal.OfSubject(t, id.SubjectOf(a))
	if sealed[0], err = r.Keeper.Seal(ctx, scope, sitePlace(t, a, s.ID, siteNamePassport), []byte(s.Name)); err != nil {
		return sealed, err
	}
	sealed[1], err = r.Keeper.Seal(ctx, scope, sitePlace(t, a, s.ID, siteZonePassport), []byte(s.TimeZone))
	return sealed, err
}

// Sites opens a person's places, oldest first.
func (r *Room) Sites(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) ([]Site, error) {
	var rows []struct {
		ID   id.Site `bun:"id"`
		Name []byte  `bun:"name"`
		Zone []byte  `bun:"time_zone"`
	}
	err := r.DB.Read.NewRaw("SELECT id, name, time_zone FROM device_site WHERE tenant_id = ? AND account_id = ? ORDER BY created_ms, id", t, a).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list sites: %w", err)
	}
	sealed := make([]seal.Sealed, 0, 2*len(rows))
	for _, w := range rows {
		sealed = append(sealed, seal.Sealed{Place: sitePlace(t, a, w.ID, siteNamePassport), Value: w.Name},
			seal.Sealed{Place: sitePlace(t, a, w.ID, siteZonePassport), Value: w.Zone})
	}
	plain, err := r.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, fmt.Errorf("open sites: %w", err)
	}
	out := make([]Site, len(rows))
	for i, w := range rows {
		out[i] = Site{w.ID, string(plain[2*i]), string(plain[2*i+1])}
	}
	return out, nil
}

// OwnsSite reports whether a place is that account's, without opening anything.
func (r *Room) OwnsSite(ctx context.Context, t id.Tenant, a id.Account, s id.Site) (own bool, err error) {
	err = r.DB.Read.NewRaw("SELECT EXISTS (SELECT 1 FROM device_site WHERE tenant_id = ? AND account_id = ? AND id = ?)", t, a, s).Scan(ctx, &own)
	return own, err
}

// Zone opens the time zone of a place, and nothing else of it.
func (r *Room) Zone(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, s id.Site) (*time.Location, error) {
	var sealed []byte
	err := r.DB.Read.NewRaw("SELECT time_zone FROM device_site WHERE tenant_id = ? AND account_id = ? AND id = ?", t, a, s).Scan(ctx, &sealed)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, problem.NotFound()
	}
	if err != nil {
		return nil, fmt.Errorf("find time zone: %w", err)
	}
	plain, err := r.Keeper.OpenAll(ctx, p, []seal.Sealed{{Place: sitePlace(t, a, s, siteZonePassport), Value: sealed}})
	if err != nil {
		return nil, fmt.Errorf("open time zone: %w", err)
	}
	return zone(string(plain[0]))
}

// ZoneOf is the time zone in which the days of a camera are cut, under a permit about that camera.
func (r *Room) ZoneOf(ctx context.Context, p permit.Permit, t id.Tenant, b id.Binding) (*time.Location, error) {
	ref, err := r.Ref(ctx, t, b)
	if err != nil {
		return nil, err
	}
	return r.Zone(ctx, p, t, ref.Account, ref.Site)
}

// siteFor finds the site asked for among the person's own; the zero one is their first.
func (r *Room) siteFor(ctx context.Context, db bun.IDB, t id.Tenant, a id.Account, want id.Site) (id.Site, error) {
	var own []id.Site
	err := db.NewRaw("SELECT id FROM device_site WHERE tenant_id = ? AND account_id = ? ORDER BY created_ms, id", t, a).Scan(ctx, &own)
	if err != nil {
		return id.Site{}, fmt.Errorf("find site: %w", err)
	}
	for _, s := range own {
		if want.IsZero() || s == want {
			return s, nil
		}
	}
	return id.Site{}, problem.Invalid("site.unknown")
}
