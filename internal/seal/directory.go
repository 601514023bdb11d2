package seal

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"errors"
	"strings"

	"golang.org/x/text/unicode/norm"

	"candor/internal/id"
)

// The sign-in directory leads from an e-mail address to an account without keeping the address:
// an entry is HMAC-SHA-256(tenant, address) ‖ tenant ‖ account, under a random key of keys.db.

const entrySize = sha256.Size + 16 + 16

func entry(mac []byte, t id.Tenant, a id.Account) []byte {
	return bytes.Join([][]byte{mac, t[:], a[:]}, nil)
}

func (k *Keeper) directoryKey(ctx context.Context, q querier) (*secret, error) {
	s, err := k.byScope(ctx, q, Scope{}, kindDirectory)
	if err != nil {
		return nil, err
	}
	defer s.key.zero()
	return derive("directory", s.id[:], s.key[:])
}

// mac is the address as the directory knows it. Case and Unicode form do not matter.
func (k *Keeper) mac(ctx context.Context, q querier, t id.Tenant, email string) ([]byte, error) {
	key, err := k.directoryKey(ctx, q)
	if err != nil {
		return nil, err
	}
	defer key.zero()
	h := hmac.New(sha256.New, key[:])
	h.Write(frame(t[:], []byte(strings.ToLower(norm.NFKC.String(strings.TrimSpace(email))))))
	return h.Sum(nil), nil
}

// Account finds the account of an e-mail address.
func (k *Keeper) Account(ctx context.Context, t id.Tenant, email string) (a id.Account, ok bool, err error) {
	err = k.read(ctx, func(ctx context.Context, q querier) error {
		mac, err := k.mac(ctx, q, t, email)
		if err != nil {
			return err
		}
		a, _, ok, err = lookUp(ctx, q, t, mac)
		return err
	})
	return a, ok, err
}

func lookUp(ctx context.Context, q querier, t id.Tenant, mac []byte) (a id.Account, n int64, ok bool, err error) {
	err = list(ctx, q, func(scan func(...any) error) error {
		var b []byte
		var at int64
		if err := scan(&at, &b); err != nil {
			return err
		}
		if hmac.Equal(b[:sha256.Size+16], entry(mac, t, id.Account{})[:sha256.Size+16]) {
			a, n, ok = id.Account(b[sha256.Size+16:]), at, true
		}
		return nil
	}, "SELECT n, entry FROM directory WHERE mac = ?", mac[:4])
	return a, n, ok, err
}

// PutAccount enters an account under its e-mail address, in place of the address it had before.
// An address that another account of the tenant has is ErrTaken; an account that was closed ErrGone.
func (k *Keeper) PutAccount(ctx context.Context, t id.Tenant, email string, a id.Account) error {
	return k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		if gone, err := tombstoned(ctx, tx, OfSubject(t, id.SubjectOf(a))); err != nil || gone {
			return errors.Join(err, goneIf(gone))
		}
		mac, err := k.mac(ctx, tx, t, email)
		if err != nil {
			return err
		}
		have, _, ok, err := lookUp(ctx, tx, t, mac)
		switch {
		case err != nil:
			return err
		case ok && have == a:
			return nil
		case ok:
			return ErrTaken
		}
		if err := dropAccount(ctx, tx, t, a); err != nil {
			return err
		}
		return putEntry(ctx, tx, entry(mac, t, a), mac[:4], a[12:])
	})
}

func goneIf(gone bool) error {
	if gone {
		return ErrGone
	}
	return nil
}

// DropAccount takes an account's address out of the directory. Destroying all keys of a person
// does it too.
func (k *Keeper) DropAccount(ctx context.Context, t id.Tenant, a id.Account) error {
	return k.write(context.WithoutCancel(ctx), func(ctx context.Context, tx *sql.Tx) error {
		return dropAccount(ctx, tx, t, a)
	})
}

func dropAccount(ctx context.Context, tx *sql.Tx, t id.Tenant, a id.Account) error {
	var drop []int64
	err := list(ctx, tx, func(scan func(...any) error) error {
		var n int64
		var b []byte
		err := scan(&n, &b)
		if err == nil && bytes.Equal(b[sha256.Size:], entry(nil, t, a)) {
			drop = append(drop, n)
		}
		return err
	}, "SELECT n, entry FROM directory WHERE account = ?", a[12:])
	if err != nil {
		return err
	}
	for _, n := range drop {
		_, err := tx.ExecContext(ctx, "UPDATE directory SET entry = zeroblob(64), mac = zeroblob(4), account = zeroblob(4) WHERE n = ?", n)
		if err != nil {
			return err
		}
	}
	return nil
}

// putEntry writes an entry into a place that is free, or a new one at the end.
func putEntry(ctx context.Context, tx *sql.Tx, entry, mac, account []byte) error {
	var n int64
	err := tx.QueryRowContext(ctx, "SELECT n FROM directory WHERE account = zeroblob(4) AND entry = zeroblob(64) LIMIT 1").Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		_, err = tx.ExecContext(ctx, "INSERT INTO directory (entry, mac, account) VALUES (?, ?, ?)", entry, mac, account)
		return err
	}
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "UPDATE directory SET entry = ?, mac = ?, account = ? WHERE n = ?", entry, mac, account, n)
	return err
}
