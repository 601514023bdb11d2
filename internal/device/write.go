package device

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/uptrace/bun"

	"candor/internal/bus"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
)

// Add binds a camera to its owner. Problems: camera.name, camera.address, camera.credentials,
// camera.retention, camera.too_many, site.unknown.
func (r *Room) Add(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, n New) (Camera, error) {
	if err := r.may(p, t, a, id.Binding{}, permit.CameraAdd); err != nil {
		return Camera{}, err
	}
	name, err := checkName(n.Name, "camera.name")
	if err != nil {
		return Camera{}, err
	}
	at, c, err := readAddresses(n.Main, n.Sub)
	if err != nil {
		return Camera{}, err
	}
	if n.Credentials == (Credentials{}) && c != nil {
		n.Credentials = *c
	}
	if err := n.Credentials.check(); err != nil {
		return Camera{}, err
	}
	if n.Retention == (Retention{}) {
		n.Retention = Retention{Days: r.DefaultDays, Bytes: r.DefaultBytes}
	}
	if err := r.checkRetention(n.Retention); err != nil {
		return Camera{}, err
	}
	r.adding.Lock()
	defer r.adding.Unlock()
	if n.Site, err = r.siteFor(ctx, r.DB.Read, t, a, n.Site); err != nil {
		return Camera{}, err
	}
	ref := Ref{
		Tenant: t, Account: a, Binding: id.Make[id.Binding](), Device: id.Make[id.Device](), Site: n.Site, Demo: n.Demo, Recording: On,
		Retention: n.Retention, CreatedAt: clock.At(r.Clock.Now()),
	}
	if err := r.insert(ctx, ref, name, at, n.Credentials); err != nil {
		return Camera{}, fmt.Errorf("add camera: %w", err)
	}
	return Camera{ref, name, shown(at.Main), shown(at.Sub)}, nil
}

// readAddresses reads both addresses. Credentials may stand in either.
func readAddresses(main, sub string) (at address, c *Credentials, err error) {
	if at.Main, c, err = ParseAddress(main); err != nil || sub == "" {
		return at, c, err
	}
	sub, c2, err := ParseAddress(sub)
	if at.Sub = sub; c == nil {
		c = c2
	}
	return at, c, err
}

func (r *Room) seal(ctx context.Context, ref Ref, p passport.ID, plain []byte) ([]byte, error) {
	return r.Keeper.Seal(ctx, seal.OfBinding(ref.Tenant, ref.Subject(), ref.Binding), place(ref.Tenant, ref.Account, ref.Binding, p), plain)
}

func (r *Room) sealJSON(ctx context.Context, ref Ref, p passport.ID, v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return r.seal(ctx, ref, p, plain)
}

func (r *Room) insert(ctx context.Context, ref Ref, name string, at address, c Credentials) error {
	return r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var have int
		if err := tx.NewRaw("SELECT count(*) FROM device_camera WHERE tenant_id = ? AND account_id = ? AND state = 'bound'", ref.Tenant, ref.Account).Scan(ctx, &have); err != nil {
			return err
		}
		if have >= MaxCameras {
			return problem.Conflict("camera.too_many").With("limit", strconv.Itoa(MaxCameras))
		}
		sealedName, err1 := r.seal(ctx, ref, namePassport, []byte(name))
		sealedAddress, err2 := r.sealJSON(ctx, ref, addressPassport, at)
		sealedCredentials, err3 := r.sealJSON(ctx, ref, credentialsPassport, c)
		if err := errors.Join(err1, err2, err3); err != nil {
			return err
		}
		if _, err := tx.NewRaw(`INSERT INTO device_camera (tenant_id, id, device_id, account_id, site_id, state, name, address, credentials, demo, recording, retention_days, retention_bytes, created_ms)
			VALUES (?, ?, ?, ?, ?, 'bound', ?, ?, ?, ?, ?, ?, ?, ?)`, ref.Tenant, ref.Binding, ref.Device, ref.Account, ref.Site, sealedName, sealedAddress, sealedCredentials,
			bit(ref.Demo), string(ref.Recording), ref.Retention.Days, ref.Retention.Bytes, int64(ref.CreatedAt)).Exec(ctx); err != nil {
			return err
		}
		return r.tell(ctx, tx, Added, ref.Tenant, ref.Binding)
	})
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (r *Room) tell(ctx context.Context, tx bun.Tx, typ bus.Type, t id.Tenant, b id.Binding) error {
	return r.Outbox.Add(ctx, tx, r.Outbox.Bus.Say(typ, t, id.RowOf(b)))
}

// Change changes a camera. Problems are those of Add, and camera.recording.
func (r *Room) Change(ctx context.Context, p permit.Permit, t id.Tenant, b id.Binding, c Change) (Camera, error) {
	var now Camera
	err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewRaw("UPDATE device_camera SET state = state WHERE tenant_id = ? AND id = ?", t, b).Exec(ctx); err != nil { // one change at a time
			return err
		}
		w, err := r.one(ctx, tx, t, b)
		if err != nil {
			return err
		}
		if err := r.may(p, t, w.Account, b, permit.CameraChange); err != nil {
			return err
		}
		if err := r.apply(ctx, tx, p, &w, c); err != nil {
			return err
		}
		if _, err := tx.NewRaw(`UPDATE device_camera SET site_id = ?, name = ?, address = ?, credentials = ?, recording = ?, retention_days = ?, retention_bytes = ?
			WHERE tenant_id = ? AND id = ?`, w.Site, w.Name, w.Address, w.Credentials, w.Recording, w.Days, w.Bytes, t, b).Exec(ctx); err != nil {
			return err
		}
		all, err := r.open(ctx, p, []row{w})
		if err != nil {
			return err
		}
		now = all[0]
		return r.tell(ctx, tx, Changed, t, b)
	})
	if err != nil {
		return Camera{}, fmt.Errorf("change camera: %w", err)
	}
	return now, nil
}

// apply writes a change into the row.
func (r *Room) apply(ctx context.Context, tx bun.Tx, p permit.Permit, w *row, c Change) error {
	if c.Name != nil {
		name, err := checkName(*c.Name, "camera.name")
		if err != nil {
			return err
		}
		if w.Name, err = r.seal(ctx, w.ref(), namePassport, []byte(name)); err != nil {
			return err
		}
	}
	if c.Site != nil {
		site, err := r.siteFor(ctx, tx, w.Tenant, w.Account, *c.Site)
		if err != nil {
			return err
		}
		w.Site = site
	}
	if c.Recording != nil {
		if *c.Recording != On && *c.Recording != Paused {
			return problem.Invalid("camera.recording")
		}
		w.Recording = string(*c.Recording)
	}
	if c.Retention != nil {
		if err := r.checkRetention(*c.Retention); err != nil {
			return err
		}
		w.Days, w.Bytes = c.Retention.Days, c.Retention.Bytes
	}
	return r.applyAddress(ctx, p, w, c)
}

func (r *Room) applyAddress(ctx context.Context, p permit.Permit, w *row, c Change) error {
	if c.Main != nil || c.Sub != nil {
		plain, err := r.Keeper.OpenAll(ctx, p, []seal.Sealed{{Place: place(w.Tenant, w.Account, w.ID, addressPassport), Value: w.Address}})
		if err != nil {
			return err
		}
		var old address
		if err := json.Unmarshal(plain[0], &old); err != nil {
			return fmt.Errorf("read camera address: %w", err)
		}
		at, given, err := readAddresses(typed(c.Main, old.Main), typed(c.Sub, old.Sub))
		if err != nil {
			return err
		}
		if c.Credentials == nil {
			c.Credentials = given
		}
		if c.Credentials == nil && !at.within(old) {
			c.Credentials = &Credentials{}
		}
		if w.Address, err = r.sealJSON(ctx, w.ref(), addressPassport, at); err != nil {
			return err
		}
	}
	if c.Credentials == nil {
		return nil
	}
	if err := c.Credentials.check(); err != nil {
		return err
	}
	sealed, err := r.sealJSON(ctx, w.ref(), credentialsPassport, *c.Credentials)
	w.Credentials = sealed
	return err
}

// typed is the new address, or the old one where nothing was typed or what was typed is only what was shown.
func typed(now *string, old string) string {
	if now == nil || *now == shown(old) {
		return old
	}
	return *now
}

// Release makes the camera nobody's: from now on nothing is permitted about it. The caller then
// revokes the right and says the goodbye. Releasing what is released is no error.
func (r *Room) Release(ctx context.Context, t id.Tenant, b id.Binding) error {
	err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		var was string
		err := tx.NewRaw("UPDATE device_camera SET state = 'leaving' WHERE tenant_id = ? AND id = ? AND state = 'bound' RETURNING state", t, b).Scan(ctx, &was)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		return r.tell(ctx, tx, Removed, t, b)
	})
	if err != nil {
		return fmt.Errorf("release camera: %w", err)
	}
	return nil
}
