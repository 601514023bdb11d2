package seal

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"

	"candor/internal/problem"
)

// turnBatch is how many keys one transaction of a turn re-wraps: others get in between.
const turnBatch = 1000

// Epoch is the number of the epoch that new keys are wrapped under.
func (k *Keeper) Epoch() uint32 {
	k.memory.Lock()
	defer k.memory.Unlock()
	return k.memory.epoch
}

// TurnEpoch wraps every key that is left under a new epoch key and destroys the old one. After it
// no older copy of keys.db can be read, whatever it contains: this is what makes a destroyed key
// unrecoverable from copies. Interrupted at any point, it goes on at the next Open.
func (k *Keeper) TurnEpoch(ctx context.Context) error {
	k.turning.Lock()
	defer k.turning.Unlock()
	old, next, err := k.beginTurn(ctx)
	if err != nil {
		return err
	}
	return k.turn(ctx, old, next)
}

// beginTurn makes the next epoch key and says in keys.db that new keys are wrapped under it. A turn
// that was interrupted is taken up instead.
func (k *Keeper) beginTurn(ctx context.Context) (old, next uint32, err error) {
	err = k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT epoch, next FROM state WHERE one = 1").Scan(&old, &next); err != nil || next != 0 {
			return err
		}
		next = old + 1
		if err := shredFile(filepath.Join(k.dir, epochName(next))); err != nil {
			return err
		}
		key, err := writeEpoch(k.dir, next)
		if err != nil {
			return err
		}
		key.zero()
		_, err = tx.ExecContext(ctx, "UPDATE state SET next = ? WHERE one = 1", next)
		return err
	})
	if err == nil {
		k.memory.Lock()
		k.memory.epoch = next
		k.memory.Unlock()
	}
	return old, next, err
}

func (k *Keeper) turn(ctx context.Context, old, next uint32) error {
	for slot, more := int64(0), true; more; {
		err := k.write(ctx, func(ctx context.Context, tx *sql.Tx) (err error) {
			if now, err := nextEpoch(ctx, tx); err != nil || now != next {
				more = false // another process has finished this turn
				return err
			}
			slot, more, err = k.rewrap(ctx, tx, slot, next)
			return err
		})
		if err != nil {
			return err
		}
	}
	err := k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if now, err := nextEpoch(ctx, tx); err != nil || now != next {
			return err
		}
		var left int
		err := tx.QueryRowContext(ctx, "SELECT count(*) FROM slot WHERE wrapped <> zeroblob(64) AND substr(wrapped, 1, 4) <> ?",
			binary.BigEndian.AppendUint32(nil, next)).Scan(&left)
		if err != nil {
			return err
		}
		if left != 0 { // never destroy an epoch key that something needs
			return fmt.Errorf("turn the epoch: %d keys are not wrapped under %d", left, next)
		}
		_, err = tx.ExecContext(ctx, "UPDATE state SET epoch = ?, next = 0 WHERE next = ?", next, next)
		return err
	})
	if err != nil {
		return err
	}
	k.memory.Lock()
	if key, ok := k.memory.epochs[old]; ok {
		key.zero()
		delete(k.memory.epochs, old)
	}
	k.memory.Unlock()
	return shredFile(filepath.Join(k.dir, epochName(old)))
}

func nextEpoch(ctx context.Context, q querier) (next uint32, err error) {
	err = q.QueryRowContext(ctx, "SELECT next FROM state WHERE one = 1").Scan(&next)
	return next, err
}

// rewrap wraps the keys of the next batch of slots under epoch next.
func (k *Keeper) rewrap(ctx context.Context, tx *sql.Tx, after int64, next uint32) (last int64, more bool, err error) {
	var batch []doomed
	err = list(ctx, tx, func(scan func(...any) error) error {
		var d doomed
		err := d.scan(func(into ...any) error { return scan(append(into, &d.slot)...) })
		batch = append(batch, d)
		return err
	}, "SELECT "+keyColumns+", k.slot FROM slot s JOIN key k ON k.slot = s.n WHERE s.n > ? ORDER BY s.n LIMIT ?", after, turnBatch)
	if err != nil {
		return after, false, err
	}
	epochKey, err := k.epochKey(next)
	if err != nil {
		return after, false, err
	}
	defer epochKey.zero()
	for i := range batch {
		d := &batch[i]
		after = d.slot
		if epochOf(d.wrapped) == next {
			continue
		}
		if err := k.rewrap1(ctx, tx, d, next, epochKey); err != nil {
			return after, false, err
		}
	}
	return after, len(batch) == turnBatch, nil
}

func (k *Keeper) rewrap1(ctx context.Context, tx *sql.Tx, d *doomed, next uint32, epochKey *secret) error {
	key, err := k.open1(ctx, tx, &d.row)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // what it belongs to was destroyed; it goes too
	}
	if err != nil {
		return err
	}
	defer key.key.zero()
	parent, err := k.parentKey(ctx, tx, d.scope)
	if err != nil {
		return err
	}
	if parent != nil {
		defer parent.zero()
	}
	wrapped, err := wrap(key.key, next, epochKey, parent, d.id, d.scope.aad(d.kind, d.id, next))
	if err != nil {
		return err
	}
	return setSlot(ctx, tx, d.slot, wrapped)
}

// tidyEpochs finishes an interrupted turn and destroys epoch keys that nothing is wrapped under:
// of a turn that did not begin, or of one that ended just before its last step.
func (k *Keeper) tidyEpochs(ctx context.Context) error {
	var epoch, next uint32
	err := k.db.QueryRowContext(ctx, "SELECT epoch, next FROM state WHERE one = 1").Scan(&epoch, &next)
	if err != nil {
		return k.trouble("read keys.db", err)
	}
	key, err := k.epochKey(epoch) // says clearly if it is missing or damaged
	if err != nil {
		return err
	}
	key.zero()
	if next != 0 {
		if err := k.turn(ctx, epoch, next); err != nil {
			if _, ok := problem.Of(err); ok {
				return err
			}
			k.log.Warn("epoch is not turned yet", slog.Any("err", err)) // both epochs' keys open
		}
	}
	// Within a write transaction nobody else is about to begin a turn.
	return k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if err := tx.QueryRowContext(ctx, "SELECT epoch, next FROM state WHERE one = 1").Scan(&epoch, &next); err != nil {
			return err
		}
		files, err := epochFiles(k.dir)
		if err != nil {
			return err
		}
		for _, n := range files {
			if n == epoch || n == next {
				continue
			}
			if err := shredFile(filepath.Join(k.dir, epochName(n))); err != nil {
				return err
			}
		}
		return nil
	})
}
