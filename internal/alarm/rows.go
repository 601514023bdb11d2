package alarm

import (
	"context"
	"database/sql"
	"errors"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/seal"
)

// row is one row of alarm_event.
type row struct {
	bun.BaseModel `bun:"table:alarm_event,alias:e"`

	Tenant  id.Tenant    `bun:"tenant_id,pk"`
	ID      id.Sighting  `bun:"id,pk"`
	Subject id.Subject   `bun:"subject_id"`
	Binding id.Binding   `bun:"binding_id"`
	Day     clock.Day    `bun:"day"`
	State   State        `bun:"state"`
	Watch   clock.Millis `bun:"watch_ms"`
	Details seal.Value   `bun:"details"`
	Object  id.Row       `bun:"object"`
	Bytes   int64        `bun:"bytes"`
	Key     id.Key       `bun:"key_id"`
	Wrapped []byte       `bun:"wrapped"`

	Seen bool `bun:"seen,scanonly"`
}

func (w *row) camera() Camera { return Camera{w.Tenant, w.Subject, w.Binding} }

// object is the picture's name in the store.
func (w *row) object() string { return dayOf(w.camera(), w.Day) + "/" + w.Object.Hex() }

// prefixOf is where a person's objects lie, or those of one camera of theirs.
func prefixOf(t id.Tenant, s id.Subject, b id.Binding) string {
	if b.IsZero() {
		return t.Hex() + "/" + s.Hex()
	}
	return t.Hex() + "/" + s.Hex() + "/" + b.Hex()
}

func dayOf(c Camera, d clock.Day) string {
	return prefixOf(c.Tenant, c.Subject, c.Binding) + "/" + d.Start().Format("20060102")
}

// put writes a row, new or changed.
func (r *Room) put(ctx context.Context, w *row) error {
	_, err := r.DB.Write.NewInsert().Model(w).On("CONFLICT (tenant_id, id) DO UPDATE").
		Set("state = EXCLUDED.state, details = EXCLUDED.details, object = EXCLUDED.object, bytes = EXCLUDED.bytes, key_id = EXCLUDED.key_id, wrapped = EXCLUDED.wrapped").Exec(ctx)
	return err
}

// get is one row.
func (r *Room) get(ctx context.Context, t id.Tenant, e id.Sighting) (*row, bool, error) {
	w := new(row)
	err := r.DB.Read.NewSelect().Model(w).Where("tenant_id = ? AND id = ?", t, e).Scan(ctx)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	return w, err == nil, err
}

// cutOff ends what is going on though nobody watches: of one camera, or of all before any watch began.
func (r *Room) cutOff(ctx context.Context, c Camera) error {
	var left []struct {
		Tenant id.Tenant   `bun:"tenant_id"`
		ID     id.Sighting `bun:"id"`
	}
	q := r.DB.Write.NewUpdate().Table("alarm_event").Set("state = ?", CutOff).Where("state = ?", Open)
	if c != (Camera{}) {
		q = q.Where("tenant_id = ? AND binding_id = ?", c.Tenant, c.Binding)
	}
	if err := q.Returning("tenant_id, id").Scan(ctx, &left); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	for _, e := range left {
		r.tell(Closed, e.Tenant, e.ID)
	}
	return nil
}
