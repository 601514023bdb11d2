package consent

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/rights"
)

var _ rights.Withdrawer = Holder{}

// Withdraw writes once more that a consent was withdrawn, where a restored backup is from before that.
// What was agreed to after the withdrawal stays agreed to.
func (h Holder) Withdraw(ctx context.Context, w rights.Whose) error {
	r := h.Of
	r.writing.Lock()
	defer r.writing.Unlock()
	err := r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		held, err := newest(ctx, tx, w.Tenant, w.Subject, w.Binding, w.Purpose)
		if err != nil || State(held.State) != Given || made(held.ID) >= w.Before {
			return err
		}
		d := Decision{
			Tenant: w.Tenant, Subject: w.Subject, Binding: w.Binding, Purpose: w.Purpose, State: Withdrawn, How: "restored backup", Actor: permit.System(gate.Rights),
		}
		return r.insert(ctx, tx, d, id.Make[id.Consent](), "", held.PolicyHash)
	})
	if err != nil {
		return fmt.Errorf("withdraw once more: %w", err)
	}
	return nil
}

// made is the moment that a record's number carries.
func made(record id.Consent) clock.Millis {
	sec, nsec := uuid.UUID(record).Time().UnixTime()
	return clock.Millis(sec*1000 + nsec/1_000_000)
}
