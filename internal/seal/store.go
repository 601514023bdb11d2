package seal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"candor/internal/clock"
	"candor/internal/id"
)

// stored is one key out of keys.db, unwrapped. Whoever gets one zeroes its key.
type stored struct {
	id    id.Key
	kind  kind
	scope Scope
	key   *secret
}

func (s *stored) clone() *stored {
	c := *s
	c.key = s.key.clone()
	return &c
}

const keyColumns = "k.id, k.kind, k.tenant, k.subject, k.binding, k.export, k.category, k.class, k.day, s.wrapped"

// row is one key as stored.
type row struct {
	stored
	wrapped []byte
}

func (r *row) scan(scan func(...any) error) error {
	s := &r.scope
	return scan(&r.id, &r.kind, &s.Tenant, &s.Subject, &s.Binding, &s.Export, &s.Bucket.Category, &s.Bucket.Class, &s.Bucket.Day, &r.wrapped)
}

// byScope finds and unwraps the key of a scope; sql.ErrNoRows if there is none.
func (k *Keeper) byScope(ctx context.Context, q querier, s Scope, kind kind) (*stored, error) {
	k.memory.Lock()
	if name, ok := k.memory.keys.scopes[s]; ok && kind != kindDirectory {
		found := k.memory.keys.byID[name].clone()
		k.memory.Unlock()
		return found, nil
	}
	k.memory.Unlock()
	var r row
	err := r.scan(q.QueryRowContext(ctx, "SELECT "+keyColumns+` FROM key k JOIN slot s ON s.n = k.slot
		WHERE k.tenant = ? AND k.subject = ? AND k.binding = ? AND k.export = ? AND k.category = ? AND k.class = ? AND k.day = ? AND k.kind = ?`,
		s.Tenant[:], s.Subject[:], s.Binding[:], s.Export[:], string(s.Bucket.Category), string(s.Bucket.Class), int64(s.Bucket.Day), int(kind)).Scan)
	if err != nil {
		return nil, err
	}
	return k.open1(ctx, q, &r)
}

// byID finds and unwraps a key; sql.ErrNoRows if there is none.
func (k *Keeper) byID(ctx context.Context, q querier, name id.Key) (*stored, error) {
	k.memory.Lock()
	if s, ok := k.memory.keys.byID[name]; ok {
		found := s.clone()
		k.memory.Unlock()
		return found, nil
	}
	k.memory.Unlock()
	var r row
	err := r.scan(q.QueryRowContext(ctx, "SELECT "+keyColumns+" FROM key k JOIN slot s ON s.n = k.slot WHERE k.id = ?", name[:]).Scan)
	if err != nil {
		return nil, err
	}
	return k.open1(ctx, q, &r)
}

// open1 unwraps a row, and its parents first. A key that is there but does not unwrap is damage.
func (k *Keeper) open1(ctx context.Context, q querier, r *row) (*stored, error) {
	parent, err := k.parentKey(ctx, q, r.scope)
	if errors.Is(err, sql.ErrNoRows) {
		if gone, err := tombstoned(ctx, q, r.scope); err != nil || gone {
			return nil, errors.Join(err, sql.ErrNoRows)
		}
		return nil, damaged(fileName, fmt.Errorf("key %s has lost its parent", r.id))
	}
	if err != nil {
		return nil, err
	}
	if parent != nil {
		defer parent.zero()
	}
	epoch := epochOf(r.wrapped)
	epochKey, err := k.epochKey(epoch)
	if err != nil {
		return nil, err
	}
	defer epochKey.zero()
	r.key, err = unwrap(r.wrapped, epochKey, parent, r.id, r.scope.aad(r.kind, r.id, epoch))
	if err != nil {
		return nil, damaged(fileName, fmt.Errorf("key %s: %w", r.id, err))
	}
	k.memory.Lock()
	k.memory.keys.put(&r.stored)
	k.memory.Unlock()
	return &r.stored, nil
}

// parentKey is the unwrapped parent of a scope, nil if it has none.
func (k *Keeper) parentKey(ctx context.Context, q querier, s Scope) (*secret, error) {
	up, ok := s.parent()
	if !ok {
		return nil, nil
	}
	parent, err := k.byScope(ctx, q, up, up.kind())
	if err != nil {
		return nil, err
	}
	return parent.key, nil
}

// insert makes the key of a scope under an unwrapped parent (nil for none).
func (k *Keeper) insert(ctx context.Context, tx *sql.Tx, s Scope, kind kind, parent *secret) (*stored, error) {
	made := &stored{id: newKeyID(), kind: kind, scope: s, key: newSecret()}
	k.memory.Lock()
	epoch := k.memory.epoch
	k.memory.Unlock()
	epochKey, err := k.epochKey(epoch)
	if err != nil {
		return nil, err
	}
	defer epochKey.zero()
	wrapped, err := wrap(made.key, epoch, epochKey, parent, made.id, s.aad(kind, made.id, epoch))
	if err != nil {
		return nil, err
	}
	n, err := takeSlot(ctx, tx, wrapped)
	if err != nil {
		return nil, err
	}
	_, err = tx.ExecContext(ctx, `INSERT INTO key (id, kind, tenant, subject, binding, export, category, class, day, slot, created_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, made.id[:], int(kind), s.Tenant[:], s.Subject[:], s.Binding[:], s.Export[:],
		string(s.Bucket.Category), string(s.Bucket.Class), int64(s.Bucket.Day), n, int64(clock.At(k.now())))
	if err != nil {
		return nil, err
	}
	return made, nil
}

// takeSlot writes key material into a free slot, or a new one at the end.
func takeSlot(ctx context.Context, tx *sql.Tx, wrapped []byte) (int64, error) {
	var n int64
	err := tx.QueryRowContext(ctx, "SELECT n FROM slot_free ORDER BY n LIMIT 1").Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		res, err := tx.ExecContext(ctx, "INSERT INTO slot (wrapped) VALUES (?)", wrapped)
		if err != nil {
			return 0, err
		}
		return res.LastInsertId()
	}
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM slot_free WHERE n = ?", n); err != nil {
		return 0, err
	}
	return n, setSlot(ctx, tx, n, wrapped)
}

// setSlot rewrites a slot in place: the size never changes, so SQLite overwrites the same bytes.
func setSlot(ctx context.Context, tx *sql.Tx, n int64, wrapped []byte) error {
	_, err := tx.ExecContext(ctx, "UPDATE slot SET wrapped = ? WHERE n = ?", wrapped, n)
	return err
}

func newKeyID() id.Key { return id.Key(id.New[struct{}]()) }
