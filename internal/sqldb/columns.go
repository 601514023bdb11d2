package sqldb

import (
	"context"
	"database/sql"
	"fmt"
)

// Columns lists table.column of a database as it is now.
func Columns(ctx context.Context, db *sql.DB, dialect Dialect) (all []string, err error) {
	query := `SELECT t.name || '.' || c.name FROM sqlite_schema t, pragma_table_xinfo(t.name) c WHERE t.type IN ('table', 'view') AND t.name NOT LIKE 'sqlite\_%' ESCAPE '\'`
	if dialect == Postgres {
		query = `SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema NOT IN ('pg_catalog', 'information_schema')`
	}
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list columns: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var place string
		if err := rows.Scan(&place); err != nil {
			return nil, fmt.Errorf("list columns: %w", err)
		}
		all = append(all, place)
	}
	return all, rows.Err()
}
