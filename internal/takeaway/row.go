package takeaway

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
)

// State is where a copy stands.
type State string

// The states. Only a ready copy can be downloaded; an ended one has no key any more.
const (
	Preparing State = "preparing"
	Ready     State = "ready"
	Ended     State = "ended"
)

// Why a copy ended.
type Why string

// The reasons; each is a key of the catalogue ("copy.ended." + why).
const (
	Deleted Why = "deleted" // its person ended it
	Expired Why = "expired" // its days were over
	Changed Why = "changed" // a consent was taken back or a camera deleted
	Failed  Why = "failed"  // it could not be made
)

// Export is a copy as its person sees it.
type Export struct {
	ID       id.Export
	Subject  id.Subject
	State    State
	Why      Why
	Created  clock.Millis
	ReadyAt  clock.Millis
	EndedAt  clock.Millis
	Expires  clock.Millis
	Whole    clock.Millis // until when no part of it reaches the end of its time; 0: as long as it lives
	Size     int64
	Done     int64 // bytes looked at so far, of about Total
	Total    int64
	Token    string // of the link; only in Begin's answer
	Language string
}

// row is one row of takeaway_export.
type row struct {
	bun.BaseModel `bun:"table:takeaway_export"`

	Tenant   id.Tenant    `bun:"tenant_id"`
	ID       id.Export    `bun:"id,pk"`
	Subject  id.Subject   `bun:"subject_id"`
	TokenSum []byte       `bun:"token_sha256"`
	State    State        `bun:"state"`
	Why      Why          `bun:"why"`
	Language string       `bun:"language"`
	Created  clock.Millis `bun:"created_ms"`
	ReadyAt  clock.Millis `bun:"ready_ms"`
	EndedAt  clock.Millis `bun:"ended_ms"`
	Expires  clock.Millis `bun:"expires_ms"`
	Whole    clock.Millis `bun:"whole_ms"`
	Size     int64        `bun:"size"`
	Total    int64        `bun:"total"`
	Key      id.Key       `bun:"key_id"`
	Wrapped  []byte       `bun:"wrapped"`
	Frozen   int64        `bun:"frozen"`   // length of the frozen object's plain text
	Index    int64        `bun:"index_at"` // where the index begins in it
}

func (r *row) export() Export {
	e := Export{
		ID: r.ID, Subject: r.Subject, State: r.State, Why: r.Why, Created: r.Created, ReadyAt: r.ReadyAt, EndedAt: r.EndedAt, Expires: r.Expires,
		Whole: r.Whole, Size: r.Size, Total: r.Total, Language: r.Language,
	}
	if r.State == Ready {
		e.Done = r.Total
	}
	return e
}

// object is its frozen part's name in the store.
func (r *row) object() string { return r.Tenant.Hex() + "/" + r.Subject.Hex() + "/" + r.ID.Hex() }

// aad is what the object's key is bound to.
func (r *row) aad() []byte { return append([]byte("candor.export.1"), r.ID[:]...) }

// find reads rows. Where tells which.
func (r *Room) find(ctx context.Context, db bun.IDB, where string, args ...any) ([]*row, error) {
	var rows []*row
	err := db.NewSelect().Model(&rows).Where(where, args...).Order("created_ms DESC", "id DESC").Scan(ctx)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, fmt.Errorf("read copies: %w", err)
	}
	return rows, nil
}
