// Package held answers for the access log when a person asks what is held about them, takes it
// along, or leaves. It is apart from translog so that the log itself, which the gate writes to,
// knows nothing of rights.
//
// Access records are evidence for the person they are about. They stay when one purpose is
// withdrawn or one camera goes, and go when the account does, or after translog.Keep.
package held

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
	"candor/internal/translog"
)

// Holder is the access log as rights sees it.
type Holder struct{ Log *translog.Log }

var _ rights.Holder = Holder{}

// Room is the room's name.
func (Holder) Room() string { return "translog" }

// Count tells how many accesses are on record.
func (h Holder) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	var sum struct {
		N, Bytes, Oldest int64
	}
	if spared(w) {
		return nil, nil
	}
	err := h.Log.DB.Read.NewRaw("SELECT count(*) AS n, coalesce(sum(length(details)), 0) AS bytes, coalesce(min(day), 0) AS oldest FROM translog_access WHERE tenant_id = ? AND subject_id = ?",
		w.Tenant, w.Subject).Scan(ctx, &sum)
	if err != nil || sum.N == 0 {
		return nil, err
	}
	oldest := clock.Day(sum.Oldest).Start()
	return []rights.Held{{
		Room: h.Room(), Category: passport.AccessLog, Kind: "access", Count: sum.N, Bytes: sum.Bytes, Oldest: clock.At(oldest),
		Until: clock.At(oldest.Add(translog.Keep)), Ends: "account closed", Purpose: passport.Rights, Basis: passport.Obligation,
	}}, nil
}

type exported struct {
	Kind    string     `json:"kind"`
	Seq     int64      `json:"seq"`
	At      string     `json:"at"`
	Account id.Account `json:"account"`
	System  string     `json:"system,omitempty"`
	Action  string     `json:"action"`
	Camera  id.Binding `json:"camera"`
	Purpose string     `json:"purpose"`
	Client  string     `json:"client,omitempty"`
	Policy  string     `json:"policy,omitempty"`
	Share   id.Share   `json:"share,omitzero"`
	Consent id.Consent `json:"consent,omitzero"`
}

// Export writes every access, newest first.
func (h Holder) Export(ctx context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if spared(w) {
		return nil
	}
	out := json.NewEncoder(to)
	for cursor := int64(0); ; {
		page, next, err := h.Log.List(ctx, p, w.Tenant, w.Subject, cursor, 500)
		if err != nil {
			return err
		}
		for _, e := range page {
			if err := out.Encode(exported{
				Kind: "access", Seq: e.Seq, At: e.At.Format("2006-01-02T15:04:05.000Z"), Account: e.Actor.Account, System: e.Actor.System,
				Action: string(e.Action), Camera: e.Binding, Purpose: string(e.Purpose), Client: e.Client,
				Policy: e.Policy, Share: e.Share, Consent: e.Consent,
			}); err != nil {
				return err
			}
		}
		if cursor = next; next == 0 {
			return nil
		}
	}
}

// Erase takes the whole chain away when its subject leaves.
func (h Holder) Erase(ctx context.Context, w rights.Whose) (swept rights.Swept, err error) {
	if spared(w) {
		return swept, nil
	}
	err = h.Log.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		swept = rights.Swept{}
		if err := tx.NewRaw("SELECT coalesce(sum(length(details)), 0) FROM translog_access WHERE tenant_id = ? AND subject_id = ?", w.Tenant, w.Subject).Scan(ctx, &swept.Bytes); err != nil {
			return err
		}
		for _, table := range tables {
			res, err := tx.NewRaw("DELETE FROM ? WHERE tenant_id = ? AND subject_id = ?", bun.Ident(table), w.Tenant, w.Subject).Exec(ctx)
			if err != nil {
				return err
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
		return rights.Swept{}, fmt.Errorf("erase accesses: %w", err)
	}
	return swept, nil
}

// Scan looks for what Erase should have taken.
func (h Holder) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	if spared(w) {
		return nil, nil
	}
	var found []rights.Finding
	for _, table := range tables {
		f := rights.Finding{Where: table}
		err := h.Log.DB.Read.NewRaw("SELECT count(*), coalesce(sum(CASE WHEN tenant_id = ? AND subject_id = ? THEN 1 ELSE 0 END), 0) FROM ?", w.Tenant, w.Subject, bun.Ident(table)).
			Scan(ctx, &f.Looked, &f.Found)
		if err != nil {
			return nil, fmt.Errorf("scan accesses: %w", err)
		}
		found = append(found, f)
	}
	return found, nil
}

var tables = []string{"translog_access", "translog_head"}

// spared: what concerns one camera or one purpose leaves the access log as it is.
func spared(w rights.Whose) bool { return !w.Binding.IsZero() || w.Purpose != "" }
