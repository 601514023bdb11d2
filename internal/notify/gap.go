package notify

import (
	"context"
	"fmt"
	"time"

	"candor/internal/id"
)

// Watched is how a camera's recording is at the moment.
type Watched struct {
	Tenant  id.Tenant
	Owner   id.Account
	Binding id.Binding
	Should  bool // its owner wants it recorded and agreed to it
	Writing bool // footage is being written
}

// GapAfter is how long a camera may be without footage before its owner is told.
const GapAfter = 2 * time.Minute

// Gaps watches that what should be recorded is. Fill the fields and have Look called every few seconds.
type Gaps struct {
	Room *Room

	silent map[id.Binding]time.Duration // since when nothing is written, by Uptime
}

// Look compares how the cameras are with what their owners were told: once when there has been no
// footage for two minutes, and once when there is again. What was told outlives a restart.
func (g *Gaps) Look(ctx context.Context, all []Watched) error {
	if g.silent == nil {
		g.silent = map[id.Binding]time.Duration{}
	}
	told, err := g.told(ctx)
	if err != nil {
		return err
	}
	up := g.Room.Uptime()
	here := map[id.Binding]bool{}
	for _, w := range all {
		here[w.Binding] = true
		switch {
		case !w.Should:
			delete(g.silent, w.Binding)
			if told[w.Binding] {
				err = g.note(ctx, w, false)
			}
		case w.Writing:
			delete(g.silent, w.Binding)
			if told[w.Binding] {
				if err = g.note(ctx, w, false); err == nil {
					g.hear(w, GapOver)
				}
			}
		default:
			since, known := g.silent[w.Binding]
			if !known {
				g.silent[w.Binding] = up
			} else if up-since >= GapAfter && !told[w.Binding] {
				if err = g.note(ctx, w, true); err == nil {
					g.hear(w, Gap)
				}
			}
		}
		if err != nil {
			return err
		}
	}
	for b := range g.silent {
		if !here[b] {
			delete(g.silent, b)
		}
	}
	return nil
}

func (g *Gaps) hear(w Watched, k Kind) {
	g.Room.Hear(Happening{Tenant: w.Tenant, Owner: w.Owner, Binding: w.Binding, Kind: k, At: g.Room.now()})
}

func (g *Gaps) told(ctx context.Context) (map[id.Binding]bool, error) {
	var rows []id.Binding
	if err := g.Room.DB.Read.NewRaw("SELECT binding_id FROM notify_gap").Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read gaps: %w", err)
	}
	out := make(map[id.Binding]bool, len(rows))
	for _, b := range rows {
		out[b] = true
	}
	return out, nil
}

func (g *Gaps) note(ctx context.Context, w Watched, gap bool) error {
	query, args := "DELETE FROM notify_gap WHERE tenant_id = ? AND binding_id = ?", []any{w.Tenant, w.Binding}
	if gap {
		query, args = "INSERT INTO notify_gap (tenant_id, binding_id, account_id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING", append(args, w.Owner)
	}
	if _, err := g.Room.DB.Write.NewRaw(query, args...).Exec(ctx); err != nil {
		return fmt.Errorf("note a gap: %w", err)
	}
	return nil
}
