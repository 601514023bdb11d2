package app

import (
	"context"

	"github.com/uptrace/bun"

	"candor/internal/egress"
	"candor/internal/id"
	"candor/internal/privlog"
)

// logFolder holds the privacy log and its key. It is in no backup: a log that was set back would be another one.
const logFolder = "log"

// openLog opens the privacy log, which takes leaves from now on.
func (h *house) openLog(ctx context.Context) error {
	h.proofs = &privlog.Log{DB: h.db, Dir: h.path(logFolder), Tenant: h.tenant, Clock: h.clock, Log: h.room("privlog"), Client: egress.Nobody()}
	if err := h.proofs.Start(ctx); err != nil {
		return err
	}
	h.closing("privacy log", h.proofs.Close)
	return nil
}

// commit enters what is stated as a leaf of that kind. A command beside a running server enters none: what it does leaves nothing
// that a person would prove.
func (h *house) commit(kind string) func(context.Context, bun.IDB, any) (id.Row, []byte, error) {
	if h.proofs == nil {
		return nil
	}
	return func(ctx context.Context, tx bun.IDB, statement any) (id.Row, []byte, error) {
		commitment, opening, err := privlog.Statement(statement)
		if err != nil {
			return id.Row{}, nil, err
		}
		leaf, err := h.proofs.Enter(ctx, tx, kind, commitment)
		return leaf, opening, err
	}
}
