package seal

import (
	"context"
	"database/sql"

	"candor/internal/clock"
	"candor/internal/id"
)

// Tombstone is what stays of a goodbye: random identifiers, a reason and a time.
type Tombstone struct {
	ID     id.Key
	Scope  Scope
	Reason string
	Keys   int
	At     clock.Millis
}

// Tombstones lists the goodbyes to people and cameras, oldest first. After a restore from a backup
// they say what of it must go again.
func (k *Keeper) Tombstones(ctx context.Context) ([]Tombstone, error) {
	var out []Tombstone
	err := k.list(ctx, func(scan func(...any) error) error {
		var t Tombstone
		err := t.scan(scan)
		out = append(out, t)
		return err
	}, "SELECT "+tombstoneColumns+" FROM tombstone t WHERE kind IN (1, 2) ORDER BY at_ms, id")
	return out, err
}

const tombstoneColumns = "t.id, t.tenant, t.subject, t.binding, t.reason, t.keys, t.at_ms"

func (t *Tombstone) scan(scan func(...any) error) error {
	return scan(&t.ID, &t.Scope.Tenant, &t.Scope.Subject, &t.Scope.Binding, &t.Reason, &t.Keys, &t.At)
}

// Prune takes away the tombstones of buckets and exports older than a moment: no medium holds
// their keys any more. Those of people and cameras stay.
func (k *Keeper) Prune(ctx context.Context, before clock.Millis) error {
	return k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM tombstone WHERE kind IN (3, 4) AND at_ms < ?", int64(before))
		return err
	})
}
