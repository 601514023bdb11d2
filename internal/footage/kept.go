package footage

import (
	"context"
	"fmt"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/footage/segment"
	"candor/internal/id"
	"candor/internal/media"
)

// Kept is what a camera's footage amounts to, as the index tells it without opening anything.
type Kept struct {
	Oldest, Newest clock.Millis // of the footage there is; 0: none
	Bytes          int64
	Gaps           int   // breaks between two stretches that began after the moment asked for
	Missing        int64 // milliseconds in them
}

// a break shorter than this is the reconnecting of a camera, and no news
const shortest = 2_000

// Kept sums up the main streams of some cameras of one tenant, with the breaks since a moment. It
// reads the index alone, so the last minute of a recording that runs may be missing from it.
func (r *Room) Kept(ctx context.Context, t id.Tenant, cameras []id.Binding, since clock.Millis) (map[id.Binding]Kept, error) {
	out := map[id.Binding]Kept{}
	if len(cameras) == 0 {
		return out, nil
	}
	code, err := segment.ProfileCode(media.Main)
	if err != nil {
		return nil, err
	}
	var all []struct {
		Binding id.Binding   `bun:"binding_id"`
		Oldest  clock.Millis `bun:"oldest"`
		Newest  clock.Millis `bun:"newest"`
		Bytes   int64        `bun:"bytes"`
	}
	err = r.DB.Read.NewRaw("SELECT binding_id, min(start_ms) AS oldest, max(start_ms + duration_ms) AS newest, CAST(sum(bytes) AS BIGINT) AS bytes "+
		"FROM footage_segment WHERE tenant_id = ? AND binding_id IN (?) AND profile = ? GROUP BY binding_id", t, bun.List(cameras), code).Scan(ctx, &all)
	if err != nil {
		return nil, fmt.Errorf("sum up footage: %w", err)
	}
	for _, k := range all {
		out[k.Binding] = Kept{Oldest: k.Oldest, Newest: k.Newest, Bytes: k.Bytes}
	}
	var broken []struct {
		Binding id.Binding `bun:"binding_id"`
		Gaps    int        `bun:"gaps"`
		Missing int64      `bun:"missing"`
	}
	err = r.DB.Read.NewRaw("SELECT binding_id, count(*) AS gaps, CAST(sum(gap) AS BIGINT) AS missing FROM ("+
		"SELECT binding_id, start_ms - lag(start_ms + duration_ms) OVER (PARTITION BY binding_id ORDER BY start_ms) AS gap "+
		"FROM footage_segment WHERE tenant_id = ? AND binding_id IN (?) AND profile = ? AND start_ms >= ?) AS breaks WHERE gap > ? GROUP BY binding_id",
		t, bun.List(cameras), code, since, shortest).Scan(ctx, &broken)
	if err != nil {
		return nil, fmt.Errorf("look for gaps in footage: %w", err)
	}
	for _, b := range broken {
		k := out[b.Binding]
		k.Gaps, k.Missing = b.Gaps, b.Missing
		out[b.Binding] = k
	}
	return out, nil
}
