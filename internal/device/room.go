package device

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// What happens to cameras; the resource is the binding.
const (
	Added   bus.Type = "device.camera.added"
	Changed bus.Type = "device.camera.changed"
	Removed bus.Type = "device.camera.removed"
)

// Sealer seals and opens values; *seal.Keeper is one.
type Sealer interface {
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
}

// Room keeps sites and cameras. Fill the fields and use it.
type Room struct {
	DB           *sqldb.DB
	Keeper       Sealer
	Outbox       *bus.Outbox
	Clock        clock.Clock
	DefaultDays  int   // of footage, for a new camera
	DefaultBytes int64 // of footage, for a new camera; 0 is no limit
	MaxDays      int

	adding sync.Mutex // one new camera or site at a time, so that limits hold
}

var _ gate.Relations = (*Room)(nil)

// Owner answers the gate: whose camera it is. A camera being removed is nobody's.
//
// promise:P026
func (r *Room) Owner(ctx context.Context, t id.Tenant, b id.Binding) (owner id.Account, err error) {
	err = r.DB.Read.NewRaw("SELECT account_id FROM device_camera WHERE tenant_id = ? AND id = ? AND (state = 'bound' OR ?)", t, b, promise.Cut("P026")).Scan(ctx, &owner)
	if errors.Is(err, sql.ErrNoRows) {
		return id.Account{}, nil
	}
	return owner, err
}

// Where is whose camera it is and where it stands; zero when there is no such camera.
func (r *Room) Where(ctx context.Context, t id.Tenant, b id.Binding) (owner id.Account, site id.Site, err error) {
	err = r.DB.Read.NewRaw("SELECT account_id, site_id FROM device_camera WHERE tenant_id = ? AND id = ? AND state = 'bound'", t, b).Scan(ctx, &owner, &site)
	if errors.Is(err, sql.ErrNoRows) {
		err = nil
	}
	return owner, site, err
}

type row struct {
	Tenant      id.Tenant  `bun:"tenant_id"`
	ID          id.Binding `bun:"id"`
	Device      id.Device  `bun:"device_id"`
	Account     id.Account `bun:"account_id"`
	Site        id.Site    `bun:"site_id"`
	Name        []byte     `bun:"name"`
	Address     []byte     `bun:"address"`
	Credentials []byte     `bun:"credentials"`
	Demo        int        `bun:"demo"`
	Recording   string     `bun:"recording"`
	Days        int        `bun:"retention_days"`
	Bytes       int64      `bun:"retention_bytes"`
	Created     int64      `bun:"created_ms"`
}

const (
	refColumns = "tenant_id, id, device_id, account_id, site_id, demo, recording, retention_days, retention_bytes, created_ms"
	allColumns = refColumns + ", name, address, credentials"
)

func (w row) ref() Ref {
	return Ref{
		Tenant: w.Tenant, Account: w.Account, Binding: w.ID, Device: w.Device, Site: w.Site, Demo: w.Demo != 0, Recording: Mode(w.Recording),
		Retention: Retention{w.Days, w.Bytes}, CreatedAt: clock.Millis(w.Created),
	}
}

// All lists every bound camera of the installation, without opening anything: what to connect to
// at start-up.
func (r *Room) All(ctx context.Context) ([]Ref, error) {
	return r.refs(ctx, "SELECT "+refColumns+" FROM device_camera WHERE state = 'bound' ORDER BY created_ms, id")
}

// Of lists a person's bound cameras, without opening anything.
func (r *Room) Of(ctx context.Context, t id.Tenant, a id.Account) ([]Ref, error) {
	return r.refs(ctx, "SELECT "+refColumns+" FROM device_camera WHERE tenant_id = ? AND account_id = ? AND state = 'bound' ORDER BY created_ms, id", t, a)
}

// Ref finds one bound camera, without opening anything; otherwise not_found.
func (r *Room) Ref(ctx context.Context, t id.Tenant, b id.Binding) (Ref, error) {
	all, err := r.refs(ctx, "SELECT "+refColumns+" FROM device_camera WHERE tenant_id = ? AND id = ? AND state = 'bound'", t, b)
	if err == nil && len(all) != 1 {
		err = problem.NotFound()
	}
	if err != nil {
		return Ref{}, err
	}
	return all[0], nil
}

func (r *Room) refs(ctx context.Context, query string, args ...any) ([]Ref, error) {
	var rows []row
	if err := r.DB.Read.NewRaw(query, args...).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list cameras: %w", err)
	}
	refs := make([]Ref, len(rows))
	for i, w := range rows {
		refs[i] = w.ref()
	}
	return refs, nil
}

// may reports whether the permit was given for that action on that camera now; otherwise the
// camera is not there.
func (r *Room) may(p permit.Permit, t id.Tenant, a id.Account, b id.Binding, actions ...permit.Action) error {
	g, _ := p.Grant()
	if !slices.Contains(actions, g.Action) {
		return problem.NotFound().Because(permit.ErrOther)
	}
	if err := p.Opens(t, id.SubjectOf(a), b, passport.DeviceData, r.Clock.Now()); err != nil {
		return problem.NotFound().Because(err)
	}
	return nil
}
