package rights

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/promise"
	"candor/internal/seal"
)

// save writes a goodbye as it stands now. A goodbye that is over is written without whose it was.
func (o *Office) save(ctx context.Context, g *goodbye) error {
	g.saving.Lock()
	defer g.saving.Unlock()
	s := g.now()
	receipt, err := json.Marshal(s.receipt)
	if err != nil {
		return err
	}
	probes, err := json.Marshal(s.probes)
	if err != nil {
		return err
	}
	step := s.receipt.Steps[len(s.receipt.Steps)-1].Name
	w := s.whose
	//promise:P286
	if s.receipt.Done() && !promise.Cut("P286") {
		step, w, probes = StepDone, Whose{Tenant: w.Tenant}, nil
	}
	err = o.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if step == StepDone && o.Commit != nil && s.receipt.Leaf.IsZero() {
			if s.receipt.Leaf, s.receipt.Opening, err = o.Commit(ctx, tx, s.receipt.Statement()); err != nil {
				return err
			}
			if receipt, err = json.Marshal(s.receipt); err != nil {
				return err
			}
		}
		_, err := tx.NewRaw(`INSERT INTO rights_goodbye
		(tenant_id, id, token_sha256, what, subject_id, binding_id, purpose, step, tries, requested_ms, expires_ms, probes, receipt)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (id) DO UPDATE SET subject_id = excluded.subject_id, binding_id = excluded.binding_id, purpose = excluded.purpose,
			step = excluded.step, tries = excluded.tries, probes = excluded.probes, receipt = excluded.receipt`,
			w.Tenant, g.id, g.tokenSum, string(g.what), w.Subject, w.Binding, string(w.Purpose), step, s.tries,
			int64(clock.At(s.receipt.RequestedAt)), int64(clock.At(s.receipt.ExpiresAt)), probes, string(receipt)).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("write goodbye: %w", err)
	}
	g.change(func(now *state) { now.receipt.Leaf, now.receipt.Opening = s.receipt.Leaf, s.receipt.Opening })
	return nil
}

// written is a goodbye as SQL has it.
type written struct {
	bun.BaseModel `bun:"table:rights_goodbye"`
	Tenant        id.Tenant        `bun:"tenant_id"`
	ID            id.Receipt       `bun:"id"`
	TokenSum      []byte           `bun:"token_sha256"`
	What          What             `bun:"what"`
	Subject       id.Subject       `bun:"subject_id"`
	Binding       id.Binding       `bun:"binding_id"`
	Purpose       passport.Purpose `bun:"purpose"`
	Tries         int              `bun:"tries"`
	Probes        []byte           `bun:"probes"`
	Receipt       string           `bun:"receipt"`
}

// unfinished reads the goodbyes that an earlier run of the program did not end.
func (o *Office) unfinished(ctx context.Context) ([]*goodbye, error) {
	var rows []written
	err := o.DB.Read.NewRaw("SELECT tenant_id, id, token_sha256, what, subject_id, binding_id, purpose, tries, probes, receipt FROM rights_goodbye WHERE step <> ? ORDER BY id",
		StepDone).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("read goodbyes: %w", err)
	}
	var out []*goodbye
	for _, r := range rows {
		g := &goodbye{id: r.ID, what: r.What, tokenSum: r.TokenSum, ended: make(chan struct{})}
		g.whose = Whose{Tenant: r.Tenant, Subject: r.Subject, Binding: r.Binding, Purpose: r.Purpose}
		g.tries = r.Tries
		if err := json.Unmarshal([]byte(r.Receipt), &g.receipt); err != nil {
			return nil, fmt.Errorf("read goodbye %s: %w", r.ID, err)
		}
		var probes []seal.Value
		if len(r.Probes) > 0 {
			if err := json.Unmarshal(r.Probes, &probes); err != nil {
				return nil, fmt.Errorf("read goodbye %s: %w", r.ID, err)
			}
		}
		g.probes = probes
		if at := g.receipt.UnopenableAt; at != nil && r.Purpose != "" {
			g.whose.Before = spare(*at)
		}
		g.receipt.Notes = append(g.receipt.Notes, NoteResumed)
		out = append(out, g)
	}
	return out, nil
}

// told is whose goodbye a tombstone tells of, and false if it tells of none that sweeps.
func told(t seal.Tombstone) (Whose, bool) {
	w := Whose{Tenant: t.Scope.Tenant, Subject: t.Scope.Subject, Binding: t.Scope.Binding}
	if !t.Bucket {
		return w, true
	}
	purpose, ok := strings.CutPrefix(t.Reason, seal.Withdrawn+":")
	w.Purpose, w.Before = passport.Purpose(purpose), spare(t.At.Time())
	return w, ok
}

// tells reports whether the sweep of w is the sweep that a tombstone asks for.
func tells(t seal.Tombstone, w Whose) bool {
	of, ok := told(t)
	if w.Before != 0 && of.Before > w.Before {
		return false // a later withdrawal
	}
	of.Before, w.Before = 0, 0
	if w.Purpose != "" && w.Binding.IsZero() { // for all cameras: each has a tombstone of its own
		of.Binding = id.Binding{}
	}
	return ok && of == w
}

// markReplayed remembers that this database has been told of a goodbye's tombstone.
func (o *Office) markReplayed(ctx context.Context, w Whose, at time.Time) error {
	stones, err := o.Keys.Tombstones(ctx)
	if err != nil {
		return err
	}
	for _, t := range stones {
		if tells(t, w) {
			if err := o.mark(ctx, t, at); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *Office) mark(ctx context.Context, t seal.Tombstone, at time.Time) error {
	_, err := o.DB.Write.NewRaw("INSERT INTO rights_replayed (tenant_id, tombstone_id, at_ms) VALUES (?, ?, ?) ON CONFLICT (tombstone_id) DO NOTHING",
		t.Scope.Tenant, t.ID, int64(clock.At(at))).Exec(ctx)
	if err != nil {
		return fmt.Errorf("mark tombstone: %w", err)
	}
	return nil
}
