package seal

import (
	"context"
	"database/sql"

	"candor/internal/clock"
	"candor/internal/id"
)

// Tombstone is what stays of a goodbye: random identifiers, a reason and a time.
type Tombstone struct {
	ID     id.Key // the same whenever it is asked for
	Scope  Scope  // a person or a camera
	Bucket bool   // only buckets of the camera were destroyed, for the reason given
	Reason string
	Keys   int
	At     clock.Millis
}

// Tombstones lists the goodbyes to people and cameras, and the withdrawals (one for all buckets
// that went together), oldest first. After a restore from a backup they say what of it must go
// again.
func (k *Keeper) Tombstones(ctx context.Context) ([]Tombstone, error) {
	var out []Tombstone
	err := k.list(ctx, func(scan func(...any) error) error {
		var t Tombstone
		err := t.scan(scan)
		out = append(out, t)
		return err
	}, "SELECT "+tombstoneColumns+` FROM tombstone t WHERE kind IN (1, 2)
		UNION ALL SELECT min(id), 1, tenant, subject, binding, reason, sum(keys), at_ms FROM tombstone
		WHERE kind = 3 AND substr(reason, 1, ?) = ? GROUP BY tenant, subject, binding, reason, at_ms ORDER BY 8, 1`, len(Withdrawn), Withdrawn)
	return out, err
}

const tombstoneColumns = "t.id, 0, t.tenant, t.subject, t.binding, t.reason, t.keys, t.at_ms"

func (t *Tombstone) scan(scan func(...any) error) error {
	return scan(&t.ID, &t.Bucket, &t.Scope.Tenant, &t.Scope.Subject, &t.Scope.Binding, &t.Reason, &t.Keys, &t.At)
}

// Prune takes away the tombstones of buckets and exports older than a moment: no medium holds
// their keys any more. Those of people and cameras stay.
func (k *Keeper) Prune(ctx context.Context, before clock.Millis) error {
	return k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM tombstone WHERE kind IN (3, 4) AND at_ms < ?", int64(before))
		return err
	})
}
