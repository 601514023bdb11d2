package rights

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"candor/internal/sqldb"
)

// Rows are those of one table that a goodbye takes. Where is written in the source and never comes
// from outside.
type Rows struct {
	Table string
	Where string
	Args  []any
}

// EraseRows takes rows away, all or none. The steps of before come first, in the same transaction.
func EraseRows(ctx context.Context, db *sqldb.DB, of []Rows, before ...func(context.Context, bun.Tx) error) (swept Swept, err error) {
	err = db.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		swept = Swept{}
		for _, do := range before {
			if err := do(ctx, tx); err != nil {
				return err
			}
		}
		for _, r := range of {
			res, err := tx.NewRaw("DELETE FROM "+r.Table+" WHERE "+r.Where, r.Args...).Exec(ctx)
			if err != nil {
				return fmt.Errorf("%s: %w", r.Table, err)
			}
			n, err := res.RowsAffected()
			if err != nil {
				return err
			}
			swept.Rows += n
		}
		return nil
	})
	if err != nil {
		return Swept{}, fmt.Errorf("erase rows: %w", err)
	}
	return swept, nil
}

// ScanRows looks for rows that EraseRows should have taken, and tells at how many it looked.
func ScanRows(ctx context.Context, db *sqldb.DB, of []Rows) ([]Finding, error) {
	var out []Finding
	for _, r := range of {
		f := Finding{Where: r.Table}
		err := db.Read.NewRaw("SELECT count(*), coalesce(sum(CASE WHEN "+r.Where+" THEN 1 ELSE 0 END), 0) FROM "+r.Table, r.Args...).Scan(ctx, &f.Looked, &f.Found)
		if err != nil {
			return nil, fmt.Errorf("scan %s: %w", r.Table, err)
		}
		out = append(out, f)
	}
	return out, nil
}
