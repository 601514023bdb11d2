package seal

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
)

// Reasons of destruction, kept in tombstones.
const (
	Withdrawn = "withdrawn" // consent to a purpose was withdrawn; ":" and the purpose follow
	Removed   = "removed"   // a camera was removed
	Closed    = "closed"    // an account was closed
	Expired   = "expired"   // retention was over
)

// Destruction tells what Destroy did.
type Destruction struct {
	Keys int       // destroyed now; 0 when it had been done before
	At   time.Time // when nothing of it opened any more

	needles [][]byte // the wrapped bytes that were, for Residue
}

// Zero lets go of the wrapped bytes, after which Residue has nothing to look for. Until then they
// are in memory only, and worth nothing once the epoch has turned.
func (d *Destruction) Zero() {
	for _, n := range d.needles {
		clear(n)
	}
	d.needles = nil
}

// Destroy destroys the selected keys: it zeroes their bytes in place, takes their rows away and
// writes the tombstone, all in one transaction that is on the disk when Destroy returns. No key
// of them is unwrapped anywhere in this process then. A caller that goes away does not stop it,
// and a full disk does not either: it then works in the space of a reserve file, in the end key by
// key from the top of the tree.
//
// Saying the same goodbye twice is no error.
func (k *Keeper) Destroy(ctx context.Context, s Selection, reason string) (Destruction, error) {
	if err := s.check(); err != nil {
		return Destruction{}, err
	}
	ctx = context.WithoutCancel(ctx)
	k.mu.Lock()
	defer k.mu.Unlock()
	d := Destruction{}
	once := func(limit int) (more bool, err error) {
		var part []doomed
		err = k.transact(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			part, err = k.destroy(ctx, tx, s, reason, limit)
			return err
		})
		k.forget()
		if err != nil {
			return false, err
		}
		for _, key := range part {
			d.needles = append(d.needles, key.wrapped)
		}
		d.Keys += len(part)
		return limit > 0 && len(part) == limit, nil
	}
	_, err := once(0)
	if isFull(err) {
		k.dropReserve()
		_, err = once(0)
	}
	if isFull(err) {
		k.log.Warn("the disk is full: keys are destroyed a few at a time", slog.Any("err", err))
	}
	for limit := 64; isFull(err) && limit > 0; limit /= 8 {
		more := true
		for err = nil; more && err == nil; {
			more, err = once(limit)
		}
	}
	if err != nil {
		return d, k.trouble("destroy keys", err)
	}
	d.At = k.now()
	k.keepReserve()
	return d, nil
}

// finish destroys what an interrupted goodbye left beneath its tombstone. Only one that a full disk
// forced to go key by key leaves anything.
func (k *Keeper) finish(ctx context.Context) error {
	var rest []Tombstone
	err := k.list(ctx, func(scan func(...any) error) error {
		var t Tombstone
		err := t.scan(scan)
		rest = append(rest, t)
		return err
	}, "SELECT "+tombstoneColumns+` FROM tombstone t WHERE kind IN (1, 2) AND EXISTS (SELECT 1 FROM key k
		WHERE k.tenant = t.tenant AND k.subject = t.subject AND (t.kind = 1 OR k.binding = t.binding))`)
	for _, t := range rest {
		if err == nil {
			_, err = k.Destroy(ctx, Camera(t.Scope.Tenant, t.Scope.Subject, t.Scope.Binding), t.Reason)
		}
	}
	return err
}

// doomed is a key about to be destroyed.
type doomed struct {
	row
	slot int64
}

// destroy destroys up to limit keys of a selection (0 for all), those at the top first.
func (k *Keeper) destroy(ctx context.Context, tx *sql.Tx, s Selection, reason string, limit int) ([]doomed, error) {
	if limit <= 0 {
		limit = -1
	}
	where, args := s.where()
	var keys []doomed
	err := list(ctx, tx, func(scan func(...any) error) error {
		var d doomed
		err := d.scan(func(into ...any) error { return scan(append(into, &d.slot)...) })
		keys = append(keys, d)
		return err
	}, "SELECT "+keyColumns+", k.slot FROM key k JOIN slot s ON s.n = k.slot WHERE "+where+" ORDER BY k.kind = 3, k.kind, k.slot LIMIT ?",
		append(args, limit)...)
	if err != nil {
		return nil, err
	}
	nothing := make([]byte, wrappedSize)
	for _, d := range keys {
		if err := setSlot(ctx, tx, d.slot, nothing); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, "DELETE FROM key WHERE id = ?", d.id[:]); err != nil {
			return nil, err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO slot_free (n) VALUES (?)", d.slot); err != nil {
			return nil, err
		}
	}
	return keys, k.bury(ctx, tx, s, reason, keys)
}

// bury writes the tombstones. A goodbye to a person, camera or export leaves one, which stands
// for all beneath it and replaces what stood there; one to buckets leaves one for each.
func (k *Keeper) bury(ctx context.Context, tx *sql.Tx, s Selection, reason string, keys []doomed) error {
	top, whole := s.top()
	if !whole {
		for _, d := range keys {
			if err := k.tombstone(ctx, tx, d.id, d.kind, d.scope, reason, 1); err != nil {
				return err
			}
		}
		return nil
	}
	if top.kind() == kindSubject {
		if err := dropAccount(ctx, tx, s.Tenant, id.Account(s.Subject)); err != nil {
			return err
		}
	}
	var name id.Key
	var before int
	err := tx.QueryRowContext(ctx, `SELECT id, keys FROM tombstone WHERE tenant = ? AND subject = ? AND binding = ? AND export = ? AND kind = ?`,
		top.Tenant[:], top.Subject[:], top.Binding[:], top.Export[:], int(top.kind())).Scan(&name, &before)
	if err == nil {
		_, err = tx.ExecContext(ctx, "UPDATE tombstone SET keys = ? WHERE id = ?", before+len(keys), name[:])
		return err
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	beneath, args := "tenant = ? AND subject = ?", []any{top.Tenant[:], top.Subject[:]}
	switch top.kind() {
	case kindBinding:
		beneath, args = beneath+" AND binding = ?", append(args, top.Binding[:])
	case kindExport:
		beneath, args = beneath+" AND export = ?", append(args, top.Export[:])
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM tombstone WHERE "+beneath, args...); err != nil {
		return err
	}
	name = newKeyID()
	if len(keys) > 0 {
		name = keys[0].id
	}
	return k.tombstone(ctx, tx, name, top.kind(), top, reason, len(keys))
}

func (k *Keeper) tombstone(ctx context.Context, tx *sql.Tx, name id.Key, kind kind, s Scope, reason string, keys int) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO tombstone (id, kind, tenant, subject, binding, export, category, class, day, reason, keys, at_ms)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, name[:], int(kind), s.Tenant[:], s.Subject[:], s.Binding[:], s.Export[:],
		string(s.Bucket.Category), string(s.Bucket.Class), int64(s.Bucket.Day), reason, keys, int64(clock.At(k.now())))
	return err
}
