package seal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"candor/internal/id"
)

// Ensure returns the key of a scope and makes it, and its parents, if it is not there. Where a
// goodbye was said it answers ErrGone. Hand it the context of the lease the work rests on: once
// that lease has ended nothing is made.
func (k *Keeper) Ensure(ctx context.Context, s Scope) (id.Key, error) {
	found, err := k.ensure(ctx, s)
	if err != nil {
		return id.Key{}, err
	}
	found.key.zero()
	return found.id, nil
}

func (k *Keeper) ensure(ctx context.Context, s Scope) (*stored, error) {
	if s.kind() == kindNone {
		return nil, fmt.Errorf("%w: incomplete", ErrScope)
	}
	var found *stored
	err := k.read(ctx, func(ctx context.Context, q querier) (err error) {
		found, err = k.byScope(ctx, q, s, s.kind())
		return err
	})
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return found, err
	}
	err = k.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
		found, err = k.make(ctx, tx, s)
		return err
	})
	return found, err
}

// make finds or makes the key of a scope, parents first.
func (k *Keeper) make(ctx context.Context, tx *sql.Tx, s Scope) (*stored, error) {
	found, err := k.byScope(ctx, tx, s, s.kind())
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return found, err
	}
	if gone, err := tombstoned(ctx, tx, s); err != nil {
		return nil, err
	} else if gone {
		return nil, ErrGone
	}
	var parent *secret
	if up, ok := s.parent(); ok {
		above, err := k.make(ctx, tx, up)
		if err != nil {
			return nil, err
		}
		defer above.key.zero()
		parent = above.key
	}
	return k.insert(ctx, tx, s, s.kind(), parent)
}

// Tombstoned reports whether a goodbye was said to the scope or to what it belongs to. Of a
// bucket it reports only that of its camera or person: a bucket may be begun anew.
func (k *Keeper) Tombstoned(ctx context.Context, s Scope) (gone bool, err error) {
	if s.kind() == kindNone {
		return false, ErrScope
	}
	err = k.read(ctx, func(ctx context.Context, q querier) error {
		gone, err = tombstoned(ctx, q, s)
		return err
	})
	return gone, err
}

func tombstoned(ctx context.Context, q querier, s Scope) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, `SELECT count(*) FROM tombstone WHERE tenant = ? AND subject = ? AND (
		kind = ? OR (kind = ? AND binding = ?) OR (kind = ? AND export = ?))`,
		s.Tenant[:], s.Subject[:], int(kindSubject), int(kindBinding), s.Binding[:], int(kindExport), s.Export[:]).Scan(&n)
	return n > 0, err
}
