package device

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

// List opens a person's cameras, oldest first.
func (r *Room) List(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) ([]Camera, error) {
	var rows []row
	err := r.DB.Read.NewRaw("SELECT "+allColumns+" FROM device_camera WHERE tenant_id = ? AND account_id = ? AND state = 'bound' ORDER BY created_ms, id", t, a).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("list cameras: %w", err)
	}
	return r.open(ctx, p, rows)
}

// Get opens one camera.
func (r *Room) Get(ctx context.Context, p permit.Permit, t id.Tenant, b id.Binding) (Camera, error) {
	w, err := r.one(ctx, r.DB.Read, t, b)
	if err != nil {
		return Camera{}, err
	}
	all, err := r.open(ctx, p, []row{w})
	if err != nil {
		return Camera{}, err
	}
	return all[0], nil
}

func (r *Room) one(ctx context.Context, db bun.IDB, t id.Tenant, b id.Binding) (row, error) {
	var rows []row
	if err := db.NewRaw("SELECT "+allColumns+" FROM device_camera WHERE tenant_id = ? AND id = ? AND state = 'bound'", t, b).Scan(ctx, &rows); err != nil {
		return row{}, fmt.Errorf("find camera: %w", err)
	}
	if len(rows) != 1 {
		return row{}, problem.NotFound()
	}
	return rows[0], nil
}

// open opens names and addresses. Whom a camera was shared with gets its name alone: under a permit
// that rests on a share the address stays sealed.
//
// promise:P125
func (r *Room) open(ctx context.Context, p permit.Permit, rows []row) ([]Camera, error) {
	if g, _ := p.Grant(); !g.Share.IsZero() && !promise.Cut("P125") {
		return r.names(ctx, p, rows)
	}
	sealed := make([]seal.Sealed, 0, 2*len(rows))
	for _, w := range rows {
		sealed = append(sealed,
			seal.Sealed{Place: place(w.Tenant, w.Account, w.ID, namePassport), Value: w.Name},
			seal.Sealed{Place: place(w.Tenant, w.Account, w.ID, addressPassport), Value: w.Address})
	}
	plain, err := r.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, fmt.Errorf("open cameras: %w", err)
	}
	out := make([]Camera, len(rows))
	for i, w := range rows {
		var at address
		if err := json.Unmarshal(plain[2*i+1], &at); err != nil {
			return nil, fmt.Errorf("read camera address: %w", err)
		}
		out[i] = Camera{Ref: w.ref(), Name: string(plain[2*i]), Main: shown(at.Main), Sub: shown(at.Sub)}
	}
	return out, nil
}

// names opens cameras without their addresses.
func (r *Room) names(ctx context.Context, p permit.Permit, rows []row) ([]Camera, error) {
	sealed := make([]seal.Sealed, len(rows))
	for i, w := range rows {
		sealed[i] = seal.Sealed{Place: place(w.Tenant, w.Account, w.ID, namePassport), Value: w.Name}
	}
	plain, err := r.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, fmt.Errorf("open cameras: %w", err)
	}
	out := make([]Camera, len(rows))
	for i, w := range rows {
		out[i] = Camera{Ref: w.ref(), Name: string(plain[i])}
	}
	return out, nil
}

// Spec opens what connecting to a camera takes. Only a permit to pull opens credentials.
func (r *Room) Spec(ctx context.Context, p permit.Permit, t id.Tenant, b id.Binding) (Spec, error) {
	w, err := r.one(ctx, r.DB.Read, t, b)
	if err != nil {
		return Spec{}, err
	}
	plain, err := r.Keeper.OpenAll(ctx, p, []seal.Sealed{
		{Place: place(t, w.Account, b, addressPassport), Value: w.Address},
		{Place: place(t, w.Account, b, credentialsPassport), Value: w.Credentials},
	})
	if err != nil {
		return Spec{}, fmt.Errorf("open camera: %w", err)
	}
	defer clear(plain[1])
	s := Spec{Tenant: t, Binding: b, Device: w.Device}
	var at address
	if err := json.Unmarshal(plain[0], &at); err != nil {
		return Spec{}, fmt.Errorf("read camera address: %w", err)
	}
	if err := json.Unmarshal(plain[1], &s.Credentials); err != nil {
		return Spec{}, fmt.Errorf("read camera credentials: %w", err)
	}
	s.Main, s.Sub = at.Main, at.Sub
	return s, nil
}
