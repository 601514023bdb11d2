package share

import (
	"context"
	"fmt"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/promise"
)

// keepOver is how long a link that was deleted is still said to be over: as long as one can last.
const keepOver = longestLink + 24*time.Hour

// bury keeps, of the links that a condition on share_share names and that are about to be deleted,
// nothing but the hashes of their tokens, the visitors' among them, so that whoever comes with one
// is told that it is over. A hash of a random token is about nobody.
//
// promise:P128
func bury(ctx context.Context, tx bun.Tx, now clock.Millis, where string, args ...any) error {
	if promise.Cut("P128") {
		return nil
	}
	until := int64(now) + keepOver.Milliseconds()
	for _, q := range []string{
		"INSERT INTO share_over (tenant_id, token_hash, until_ms) SELECT tenant_id, token_hash, ? FROM share_share WHERE kind = 'link' AND " + where,
		"INSERT INTO share_over (tenant_id, token_hash, until_ms) SELECT tenant_id, token_hash, ? FROM share_visit WHERE share_id IN (SELECT id FROM share_share WHERE kind = 'link' AND " + where + ")",
	} {
		if _, err := tx.NewRaw(q, append([]any{until}, args...)...).Exec(ctx); err != nil {
			return fmt.Errorf("remember that links are over: %w", err)
		}
	}
	return nil
}

// buried reports whether a token was that of a link which was deleted.
func (r *Room) buried(ctx context.Context, t id.Tenant, hash []byte) (bool, error) {
	var n int
	err := r.DB.Read.NewRaw("SELECT count(*) FROM share_over WHERE tenant_id = ? AND token_hash = ?", t, hash).Scan(ctx, &n)
	if err != nil {
		return false, fmt.Errorf("find link: %w", err)
	}
	return n > 0, nil
}
