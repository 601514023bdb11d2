package seal

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"candor/internal/id"
	"candor/internal/passport"
)

// A goodbye is proven in four ways that do not trust one another: probes sealed before it do not
// open after it, the key rows are gone and the tombstone stands, no slot holds a key without a
// row, and the wrapped bytes that were are nowhere in the file.

// probePlace is where a probe belongs: it is about nobody's data.
func (s Scope) probePlace(name id.Key) Place {
	return Place{Tenant: s.Tenant, Subject: s.Subject, Binding: s.Binding, Passport: "seal.probe", Category: passport.Technical, Row: id.Row(name)}
}

// Probe seals nothing (an empty value) under up to limit of the selected keys, the topmost first.
func (k *Keeper) Probe(ctx context.Context, s Selection, limit int) ([]Value, error) {
	if err := s.check(); err != nil {
		return nil, err
	}
	where, args := s.where()
	var probes []Value
	err := k.read(ctx, func(ctx context.Context, q querier) error {
		var rows []row
		err := list(ctx, q, func(scan func(...any) error) error {
			var r row
			err := r.scan(scan)
			rows = append(rows, r)
			return err
		}, "SELECT "+keyColumns+" FROM key k JOIN slot s ON s.n = k.slot WHERE "+where+" ORDER BY k.kind = 3, k.kind, k.slot LIMIT ?", append(args, limit)...)
		if err != nil {
			return err
		}
		for i := range rows {
			v, err := k.probe(ctx, q, &rows[i])
			if err != nil {
				return err
			}
			probes = append(probes, v)
		}
		return nil
	})
	return probes, err
}

func (k *Keeper) probe(ctx context.Context, q querier, r *row) (Value, error) {
	key, err := k.open1(ctx, q, r)
	if err != nil {
		return nil, err
	}
	defer key.key.zero()
	return key.seal(key.scope.probePlace(key.id), nil)
}

// Opens tries a probe. It needs no permit, because there is nothing in it.
func (k *Keeper) Opens(ctx context.Context, probe Value) (bool, error) {
	name, ok := probe.Key()
	if !ok {
		return false, nil
	}
	err := k.read(ctx, func(ctx context.Context, q querier) error {
		o, err := k.opener(ctx, q, name)
		if err != nil {
			return err
		}
		defer o.key.zero()
		return o.unseal(o.scope.probePlace(name), probe)
	})
	if errors.Is(err, ErrClosed) {
		return false, nil
	}
	return err == nil, err
}

// Orphans counts slots that hold key material without a key row: always 0.
func (k *Keeper) Orphans(ctx context.Context) (slots, orphans int64, err error) {
	err = k.read(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, `SELECT count(*), coalesce(sum(k.id IS NULL AND s.wrapped <> zeroblob(64)), 0)
			FROM slot s LEFT JOIN key k ON k.slot = s.n`).Scan(&slots, &orphans)
	})
	return slots, orphans, err
}

// Residue looks for the wrapped bytes of destroyed keys in keys.db and its journal, byte for byte.
// found is 0, or something is wrong. looked is how many it looked for: a Destruction of another
// start of the program knows none.
func (k *Keeper) Residue(ctx context.Context, d Destruction) (looked, found int, err error) {
	looked = len(d.needles)
	h := newHunt(d.needles)
	k.mu.RLock()
	defer k.mu.RUnlock()
	if err := h.read(ctx, io.NewSectionReader(k.raw, 0, 1<<62)); err != nil {
		return looked, 0, fmt.Errorf("read keys.db: %w", err)
	}
	journal, err := os.Open(filepath.Join(k.dir, fileName+"-journal"))
	if err == nil {
		err = errors.Join(h.read(ctx, journal), journal.Close())
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return looked, len(h.found), err
}

// hunt looks for many byte strings in one pass. It compares from the nonce on, since the epoch's
// four bytes before it are everywhere.
type hunt struct {
	by    map[uint64][]byte
	first [1 << 16]bool
	found map[uint64]bool
}

const (
	huntSkip = 4
	huntLen  = wrappedSize - huntSkip
)

func newHunt(needles [][]byte) *hunt {
	h := &hunt{by: map[uint64][]byte{}, found: map[uint64]bool{}}
	for _, n := range needles {
		tail := n[huntSkip:]
		h.by[binary.BigEndian.Uint64(tail)] = tail
		h.first[binary.BigEndian.Uint16(tail)] = true
	}
	return h
}

func (h *hunt) read(ctx context.Context, r io.Reader) error {
	buf := make([]byte, 1<<20)
	kept := 0
	for ctx.Err() == nil {
		n, err := io.ReadFull(r, buf[kept:])
		b := buf[:kept+n]
		for i := 0; i+huntLen <= len(b); i++ {
			if !h.first[binary.BigEndian.Uint16(b[i:])] {
				continue
			}
			key := binary.BigEndian.Uint64(b[i:])
			if needle, ok := h.by[key]; ok && bytes.Equal(b[i:i+huntLen], needle) {
				h.found[key] = true
			}
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return nil
		}
		if err != nil {
			return err
		}
		kept = copy(buf, b[len(b)-huntLen+1:])
	}
	return ctx.Err()
}

// Ready reports whether the keys can be read: the health check asks.
func (k *Keeper) Ready(ctx context.Context) error {
	return k.read(ctx, func(ctx context.Context, q querier) error {
		key, err := k.directoryKey(ctx, q)
		if err == nil {
			key.zero()
		}
		return err
	})
}
