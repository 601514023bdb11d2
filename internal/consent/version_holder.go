package consent

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
)

// What a person said to versions of the policy, as rights sees it: part of the room's Holder.

const answersOf = " FROM consent_version WHERE tenant_id = ? AND subject_id = ?"

func (v *Versions) count(ctx context.Context, w rights.Whose) ([]rights.Held, error) {
	held := rights.Held{Room: "consent", Category: passport.ConsentLog, Kind: "policy_answer", Ends: "account closed", Purpose: passport.Rights, Basis: passport.Obligation}
	err := v.DB.Read.NewRaw("SELECT count(*), coalesce(sum(length(details)), 0)"+answersOf, w.Tenant, w.Subject).Scan(ctx, &held.Count, &held.Bytes)
	if err != nil || held.Count == 0 {
		return nil, err
	}
	return []rights.Held{held}, nil
}

func (v *Versions) export(ctx context.Context, p permit.Permit, w rights.Whose, to *json.Encoder) error {
	all, err := v.Answers(ctx, p, w.Tenant, w.Subject)
	if err != nil {
		return err
	}
	for _, a := range all {
		if err := to.Encode(struct {
			Kind   string       `json:"kind"`
			ID     id.Consent   `json:"record_id"`
			Policy string       `json:"policy"` // hash of the version
			Answer Answer       `json:"answer"`
			How    string       `json:"collection_method"`
			By     id.Account   `json:"entity_id"`
			At     clock.Millis `json:"at_ms"`
		}{"policy_answer", a.ID, a.PolicyHash, a.Answer, a.How, a.Account, a.At}); err != nil {
			return err
		}
	}
	return nil
}

func (v *Versions) erase(ctx context.Context, tx bun.Tx, w rights.Whose, swept *rights.Swept) error {
	var rows, bytes int64
	if err := tx.NewRaw("SELECT count(*), coalesce(sum(length(details)), 0)"+answersOf, w.Tenant, w.Subject).Scan(ctx, &rows, &bytes); err != nil {
		return err
	}
	swept.Rows += rows
	swept.Bytes += bytes
	_, err := tx.NewRaw("DELETE"+answersOf, w.Tenant, w.Subject).Exec(ctx)
	return err
}

func (v *Versions) scan(ctx context.Context, w rights.Whose) (rights.Finding, error) {
	f := rights.Finding{Where: "consent_version"}
	err := v.DB.Read.NewRaw("SELECT count(*), coalesce(sum(CASE WHEN tenant_id = ? AND subject_id = ? THEN 1 ELSE 0 END), 0) FROM consent_version", w.Tenant, w.Subject).
		Scan(ctx, &f.Looked, &f.Found)
	if err != nil {
		return f, fmt.Errorf("scan answers to the policy: %w", err)
	}
	return f, nil
}
