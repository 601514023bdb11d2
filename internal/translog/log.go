package translog

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Keep is how long an access stays on record at the longest. Only its day is known in clear, so
// Prune takes it up to a day earlier.
const Keep = 365 * 24 * time.Hour

// Sealer seals and opens values; *seal.Keeper is one.
type Sealer interface {
	Seal(ctx context.Context, s seal.Scope, p seal.Place, plain []byte) (seal.Value, error)
	OpenAll(ctx context.Context, p permit.Permit, values []seal.Sealed) ([][]byte, error)
}

// Log is the access log.
type Log struct {
	DB     *sqldb.DB
	Keeper Sealer
	Clock  clock.Clock
}

var zeroHash = make([]byte, sha256.Size) // what the first entry has before it

// Append writes an access and returns when it is durable.
func (l *Log) Append(ctx context.Context, a Access) error {
	if a.Tenant.IsZero() || a.Subject.IsZero() || a.Action == "" || (a.Actor == permit.Actor{}) {
		return errors.New("access without a subject, an action or an actor")
	}
	if a.At.IsZero() {
		a.At = l.Clock.Now()
	}
	plain, commitment, err := detailsOf(a).encode()
	if err != nil {
		return err
	}
	defer clear(plain)
	err = l.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		seq, prev, err := next(ctx, tx, a.Tenant, a.Subject)
		if err != nil {
			return err
		}
		sealed, err := l.Keeper.Seal(ctx, seal.OfSubject(a.Tenant, a.Subject), place(a.Tenant, a.Subject, seq), plain)
		if err != nil {
			return err
		}
		r := row{Seq: seq, Day: int64(clock.DayOf(a.At)), Prev: prev, Commitment: commitment}
		r.Hash = r.hash(a.Tenant, a.Subject)
		if _, err := tx.NewRaw("INSERT INTO translog_access (tenant_id, subject_id, seq, day, prev, commitment, hash, details) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			a.Tenant, a.Subject, r.Seq, r.Day, r.Prev, r.Commitment, r.Hash, []byte(sealed)).Exec(ctx); err != nil {
			return err
		}
		_, err = tx.NewRaw("UPDATE translog_head SET hash = ? WHERE tenant_id = ? AND subject_id = ?", r.Hash, a.Tenant, a.Subject).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("record access: %w", err)
	}
	return nil
}

// next takes the next number of a chain and locks its head until the transaction ends.
func next(ctx context.Context, tx bun.Tx, t id.Tenant, s id.Subject) (seq int64, prev []byte, err error) {
	_, err = tx.NewRaw("INSERT INTO translog_head (tenant_id, subject_id, seq, hash, first_seq) VALUES (?, ?, 0, ?, 1) ON CONFLICT DO NOTHING", t, s, zeroHash).Exec(ctx)
	if err != nil {
		return 0, nil, err
	}
	err = tx.NewRaw("UPDATE translog_head SET seq = seq + 1 WHERE tenant_id = ? AND subject_id = ? RETURNING seq, hash", t, s).Scan(ctx, &seq, &prev)
	return seq, prev, err
}

// List is a page of a subject's accesses, newest first. Cursor is 0 for the first page, then what
// the last page returned; 0 means that there is no more.
func (l *Log) List(ctx context.Context, p permit.Permit, t id.Tenant, s id.Subject, cursor int64, limit int) (page []Entry, next int64, err error) {
	if limit <= 0 || limit > 500 {
		limit = 100
	}
	var rows []row
	q := l.DB.Read.NewRaw("SELECT seq, day, prev, commitment, hash, details FROM translog_access WHERE tenant_id = ? AND subject_id = ? AND (? = 0 OR seq < ?) ORDER BY seq DESC LIMIT ?",
		t, s, cursor, cursor, limit+1)
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, 0, fmt.Errorf("list accesses: %w", err)
	}
	if len(rows) > limit {
		rows = rows[:limit]
		next = rows[limit-1].Seq
	}
	opened, err := l.open(ctx, p, t, s, rows)
	if err != nil {
		return nil, 0, fmt.Errorf("list accesses: %w", err)
	}
	for i, r := range rows {
		page = append(page, Entry{r.Seq, opened[i].access(t, s)})
	}
	return page, next, nil
}

// most is how many entries one question about a camera looks through.
const most = 5000

// About is a page of the accesses to one camera, newest first. It opens entries until the page is full
// or it has looked through many; next is 0 when there is no more.
func (l *Log) About(ctx context.Context, p permit.Permit, t id.Tenant, s id.Subject, b id.Binding, cursor int64, limit int) (page []Entry, next int64, err error) {
	if limit <= 0 || limit > 500 {
		limit = 100
	}
	for looked := 0; looked < most; {
		some, more, err := l.List(ctx, p, t, s, cursor, 500)
		if err != nil {
			return nil, 0, err
		}
		for _, e := range some {
			if e.Binding != b {
				continue
			}
			if len(page) == limit {
				return page, page[limit-1].Seq, nil
			}
			page = append(page, e)
		}
		looked += len(some)
		if cursor = more; more == 0 {
			return page, 0, nil
		}
	}
	return page, cursor, nil
}

func (l *Log) open(ctx context.Context, p permit.Permit, t id.Tenant, s id.Subject, rows []row) ([]details, error) {
	if len(rows) == 0 {
		return nil, nil
	}
	sealed := make([]seal.Sealed, len(rows))
	for i, r := range rows {
		sealed[i] = seal.Sealed{Place: place(t, s, r.Seq), Value: seal.Value(r.Details)}
	}
	plain, err := l.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, err
	}
	out := make([]details, len(rows))
	for i := range rows {
		if out[i], err = decode(plain[i], rows[i].Commitment); err != nil {
			return nil, fmt.Errorf("entry %d: %w", rows[i].Seq, err)
		}
	}
	return out, nil
}

// Verdict is what a look along a chain found.
type Verdict struct {
	First, Last int64 // numbers of the entries looked at; 0 when there are none
	BrokenAt    int64 // number of the first entry that is missing or wrong; 0 when the chain holds
	Why         string
}

// Verify goes along a subject's chain from the oldest entry still kept to the head and opens
// every entry's details.
func (l *Log) Verify(ctx context.Context, p permit.Permit, t id.Tenant, s id.Subject) (Verdict, error) {
	var v Verdict
	var head struct {
		Seq   int64  `bun:"seq"`
		Hash  []byte `bun:"hash"`
		First int64  `bun:"first_seq"`
	}
	err := l.DB.Read.NewRaw("SELECT seq, hash, first_seq FROM translog_head WHERE tenant_id = ? AND subject_id = ?", t, s).Scan(ctx, &head)
	if errors.Is(err, sql.ErrNoRows) {
		return l.headless(ctx, t, s)
	}
	if err != nil {
		return v, fmt.Errorf("verify accesses: %w", err)
	}
	want, prev := head.First, zeroHash
	for want <= head.Seq {
		var rows []row
		err := l.DB.Read.NewRaw("SELECT seq, day, prev, commitment, hash, details FROM translog_access WHERE tenant_id = ? AND subject_id = ? AND seq >= ? AND seq <= ? ORDER BY seq LIMIT 500",
			t, s, want, head.Seq).Scan(ctx, &rows)
		if err != nil {
			return v, fmt.Errorf("verify accesses: %w", err)
		}
		if len(rows) == 0 {
			v.BrokenAt, v.Why = want, "missing"
			return v, nil
		}
		for _, r := range rows {
			known := want > head.First || want == 1 // what came before a pruned beginning is not known any more
			switch {
			case r.Seq != want:
				v.BrokenAt, v.Why = want, "missing"
			case known && !bytes.Equal(r.Prev, prev):
				v.BrokenAt, v.Why = want, "follows another entry"
			case !bytes.Equal(r.hash(t, s), r.Hash):
				v.BrokenAt, v.Why = want, "changed"
			}
			if v.BrokenAt == 0 {
				if _, err := l.open(ctx, p, t, s, []row{r}); err != nil {
					if errors.Is(err, permit.ErrNone) || errors.Is(err, permit.ErrOther) || errors.Is(err, permit.ErrExpired) {
						return v, fmt.Errorf("verify accesses: %w", err)
					}
					v.BrokenAt, v.Why = want, "details do not open"
				}
			}
			if v.BrokenAt != 0 {
				return v, nil
			}
			if v.First == 0 {
				v.First = want
			}
			v.Last, prev, want = want, r.Hash, want+1
		}
	}
	if v.Last != 0 && !bytes.Equal(prev, head.Hash) {
		v.BrokenAt, v.Why = head.Seq, "head says another"
	}
	return v, nil
}

// headless: a chain without a head is empty, or its head was taken away.
func (l *Log) headless(ctx context.Context, t id.Tenant, s id.Subject) (Verdict, error) {
	var n int64
	err := l.DB.Read.NewRaw("SELECT count(*) FROM translog_access WHERE tenant_id = ? AND subject_id = ?", t, s).Scan(ctx, &n)
	if err != nil || n == 0 {
		return Verdict{}, err
	}
	return Verdict{BrokenAt: 1, Why: "head missing"}, nil
}

// Prune drops what is older than Keep, and says how many entries that were.
func (l *Log) Prune(ctx context.Context) (int64, error) {
	before := int64(clock.DayOf(l.Clock.Now().Add(-Keep).Add(24 * time.Hour)))
	var n int64
	err := l.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		// A chain loses its oldest entries only: up to the newest one that is too old.
		res, err := tx.NewRaw(`DELETE FROM translog_access WHERE day < ? AND NOT EXISTS (SELECT 1 FROM translog_access AS o
			WHERE o.tenant_id = translog_access.tenant_id AND o.subject_id = translog_access.subject_id AND o.seq < translog_access.seq AND o.day >= ?)`, before, before).Exec(ctx)
		if err != nil {
			return err
		}
		if n, err = res.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = tx.NewRaw(`UPDATE translog_head SET first_seq = coalesce((SELECT min(seq) FROM translog_access AS a
			WHERE a.tenant_id = translog_head.tenant_id AND a.subject_id = translog_head.subject_id), seq + 1)`).Exec(ctx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("prune accesses: %w", err)
	}
	return n, nil
}
