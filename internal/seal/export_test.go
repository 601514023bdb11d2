package seal

import (
	"context"
	"database/sql"
)

// Material shows tests the unwrapped and wrapped bytes of live keys, to hunt for them afterwards.
func (k *Keeper) Material(ctx context.Context, s Selection) (raw, wrapped [][]byte, err error) {
	where, args := s.where()
	err = k.read(ctx, func(ctx context.Context, q querier) error {
		var rows []row
		err := list(ctx, q, func(scan func(...any) error) error {
			var r row
			err := r.scan(scan)
			rows = append(rows, r)
			return err
		}, "SELECT "+keyColumns+" FROM key k JOIN slot s ON s.n = k.slot WHERE "+where, args...)
		if err != nil {
			return err
		}
		for i := range rows {
			key, err := k.open1(ctx, q, &rows[i])
			if err != nil {
				return err
			}
			raw = append(raw, key.key[:])
			wrapped = append(wrapped, rows[i].wrapped)
		}
		return nil
	})
	return raw, wrapped, err
}

// Cached counts the unwrapped keys in memory.
func (k *Keeper) Cached() int {
	k.memory.Lock()
	defer k.memory.Unlock()
	return len(k.memory.keys.byID)
}

// Execute runs SQL on the file, to do harm.
func (k *Keeper) Execute(query string, args ...any) error {
	_, err := k.db.Exec(query, args...)
	return err
}

// Query1 reads one number.
func (k *Keeper) Query1(query string, args ...any) (n int64, err error) {
	err = k.db.QueryRow(query, args...).Scan(&n)
	return n, err
}

// Shred is shredFile.
var Shred = shredFile

// ParseEpoch shows the parser of epoch files to the fuzzer.
func ParseEpoch(b []byte, n uint32) error {
	_, err := parseEpoch(b, n)
	return err
}

// EpochSize is the size of an epoch file.
const EpochSize = epochSize

// StopTurnAfter begins a turn and leaves it when n slots are behind it.
func (k *Keeper) StopTurnAfter(ctx context.Context, n int64) error {
	_, next, err := k.beginTurn(ctx)
	if err != nil {
		return err
	}
	return k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.Exec("CREATE TEMP TABLE behind AS SELECT n, wrapped FROM slot WHERE n > ?", n); err != nil {
			return err
		}
		if _, _, err := k.rewrap(ctx, tx, 0, next); err != nil {
			return err
		}
		_, err := tx.Exec("UPDATE slot SET wrapped = b.wrapped FROM behind b WHERE b.n = slot.n; DROP TABLE behind")
		return err
	})
}
