package account

import (
	"context"
	"fmt"

	"candor/internal/sqldb"
)

// EndSessions ends every session of a database that came out of a backup: those that ended since would
// go on in it.
func EndSessions(ctx context.Context, db *sqldb.DB) error {
	if _, err := db.Write.NewRaw("DELETE FROM account_session").Exec(ctx); err != nil {
		return fmt.Errorf("end the sessions of a backup: %w", err)
	}
	return nil
}
