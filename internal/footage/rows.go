package footage

import (
	"context"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/footage/segment"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/seal"
)

// segmentRow is one row of footage_segment.
type segmentRow struct {
	bun.BaseModel `bun:"table:footage_segment"`

	Tenant   id.Tenant    `bun:"tenant_id,pk"`
	Binding  id.Binding   `bun:"binding_id,pk"`
	Profile  int64        `bun:"profile,pk"`
	Start    clock.Millis `bun:"start_ms,pk"`
	ID       id.Segment   `bun:"id,pk"`
	Subject  id.Subject   `bun:"subject_id"`
	Duration int64        `bun:"duration_ms"`
	Bytes    int64        `bun:"bytes"`
	Key      id.Key       `bun:"key_id"`
	Wrapped  []byte       `bun:"wrapped"`
	Closed   int64        `bun:"closed"`
	Summed   int64        `bun:"summed"`
}

func (s *segmentRow) end() clock.Millis { return s.Start + clock.Millis(s.Duration) }

// object is the segment's name in the store.
func (s *segmentRow) object() string {
	return objectName(s.Tenant, s.Subject, s.Binding, s.Start, s.ID)
}

func objectName(t id.Tenant, s id.Subject, b id.Binding, start clock.Millis, seg id.Segment) string {
	return prefixOf(t, s, b) + "/" + start.Time().Format("20060102") + "/" + seg.Hex()
}

// prefixOf is where a person's objects lie, or those of one camera of theirs.
func prefixOf(t id.Tenant, s id.Subject, b id.Binding) string {
	if b.IsZero() {
		return t.Hex() + "/" + s.Hex()
	}
	return t.Hex() + "/" + s.Hex() + "/" + b.Hex()
}

// hourRow is one row of footage_hour.
type hourRow struct {
	bun.BaseModel `bun:"table:footage_hour"`

	Tenant  id.Tenant  `bun:"tenant_id,pk"`
	Binding id.Binding `bun:"binding_id,pk"`
	Hour    int64      `bun:"hour,pk"`
	ID      id.Row     `bun:"id,pk"`
	Subject id.Subject `bun:"subject_id"`
	Summary seal.Value `bun:"summary"`
}

// cameraRow is one row of footage_camera.
type cameraRow struct {
	bun.BaseModel `bun:"table:footage_camera"`

	Tenant  id.Tenant    `bun:"tenant_id,pk"`
	Binding id.Binding   `bun:"binding_id,pk"`
	Subject id.Subject   `bun:"subject_id"`
	First   clock.Millis `bun:"first_ms"`
	Expired clock.Millis `bun:"expired_ms"`
}

// garbageRow is one row of footage_garbage.
type garbageRow struct {
	bun.BaseModel `bun:"table:footage_garbage"`

	Tenant  id.Tenant  `bun:"tenant_id,pk"`
	ID      id.Segment `bun:"id,pk"`
	Subject id.Subject `bun:"subject_id"`
	Object  string     `bun:"object"`
}

// insertSegment writes the rows of a closed segment. Written twice it is there once.
func insertSegment(ctx context.Context, tx bun.Tx, s *segmentRow, hours []sealedHour) error {
	if _, err := tx.NewInsert().Model(s).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return err
	}
	cam := &cameraRow{Tenant: s.Tenant, Binding: s.Binding, Subject: s.Subject, First: s.Start}
	if _, err := tx.NewInsert().Model(cam).On("CONFLICT DO NOTHING").Exec(ctx); err != nil {
		return err
	}
	return putHours(ctx, tx, hours)
}

func putHours(ctx context.Context, tx bun.IDB, hours []sealedHour) error {
	for i := range hours {
		_, err := tx.NewInsert().Model(&hours[i].hourRow).
			On("CONFLICT (tenant_id, binding_id, hour, id) DO UPDATE").Set("summary = EXCLUDED.summary").Exec(ctx)
		if err != nil {
			return err
		}
	}
	return nil
}

// longest is more than any segment lasts: how far before a moment a segment that covers it begins.
const longest = clock.Millis(maxOpenTicks/ticksPerMilli + 60_000)

// segments are the rows that touch a range, in order. loose asks only for those no summary has.
func (r *Room) segments(ctx context.Context, c Camera, p media.Profile, from, to clock.Millis, loose bool) ([]*segmentRow, error) {
	code, err := segment.ProfileCode(p)
	if err != nil {
		return nil, err
	}
	var rows []*segmentRow
	q := r.DB.Read.NewSelect().Model(&rows).
		Where("tenant_id = ? AND binding_id = ? AND profile = ?", c.Tenant, c.Binding, code).
		Where("start_ms >= ? AND start_ms < ?", from-longest, to).
		Where("start_ms + duration_ms > ?", from).
		Where("subject_id = ?", c.Subject).Order("start_ms", "id")
	if loose {
		q = q.Where("summed = 0")
	}
	return rows, q.Scan(ctx)
}
