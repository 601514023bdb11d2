package rights

import (
	"context"
	"io"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
)

// Whose says about whose data, and which part of it, a holder is asked.
type Whose struct {
	Tenant  id.Tenant
	Subject id.Subject
	Binding id.Binding       // zero: everything the person has
	Purpose passport.Purpose // "": for each purpose; else only what serves that one and no other
	Before  clock.Millis     // 0: whenever; else only what began before: an old goodbye spares what came after it
}

// Held is one line of the inventory: what is held, how much and for how long. It has no values.
type Held struct {
	Room     string            `json:"room"`
	Category passport.Category `json:"category"`
	Kind     string            `json:"kind"` // what the things are: "segment", "session"; a key of the catalogue
	Count    int64             `json:"count"`
	Bytes    int64             `json:"bytes"`
	Oldest   clock.Millis      `json:"oldest"` // 0 if nobody knows
	Until    clock.Millis      `json:"until"`  // when the oldest goes at the latest; 0 if an event ends it
	Ends     string            `json:"ends"`   // that event: "account closed", "camera removed"
	Purpose  passport.Purpose  `json:"purpose"`
	Basis    passport.Basis    `json:"basis"`
}

// Swept is what an erasure took away.
type Swept struct {
	Objects int64 `json:"objects"`
	Rows    int64 `json:"rows"`
	Bytes   int64 `json:"bytes"`
}

// Add adds another room's share.
func (s *Swept) Add(o Swept) { s.Objects += o.Objects; s.Rows += o.Rows; s.Bytes += o.Bytes }

// Finding is one line of the scan after an erasure: where it looked, at how many things, and how
// many of them still were the person's. Found is 0, or the erasure is not over.
type Finding struct {
	Where  string `json:"where"` // "footage_segment", "blob:footage": a place, never a value
	Looked int64  `json:"looked"`
	Found  int64  `json:"found"`
}

// Holder is a room that holds things about people. Each room makes one from its passports.
//
// Erase and Scan are asked after the keys are destroyed: they work without opening anything. Erase
// is idempotent, since a goodbye that was interrupted is said again. Erase with a Binding or a
// Purpose takes away only what belongs to them. A slow holder delays the receipt, never the
// destruction.
type Holder interface {
	Room() string
	Count(ctx context.Context, p permit.Permit, w Whose) ([]Held, error)
	// Export writes what is held, opened, as one JSON object a line.
	Export(ctx context.Context, p permit.Permit, w Whose, to io.Writer) error
	Erase(ctx context.Context, w Whose) (Swept, error)
	Scan(ctx context.Context, w Whose) ([]Finding, error)
}

// Withdrawer is a Holder that keeps consents. Where a restored backup is from before a withdrawal, it is told of it.
type Withdrawer interface {
	// Withdraw makes what was agreed to before w.Before withdrawn, for the camera and purpose.
	Withdraw(ctx context.Context, w Whose) error
}

// Leaver is a Holder that knows what was let go of: a camera released, an account closing, a consent
// withdrawn. The goodbye follows; where the program stopped in between, the next start says it. A
// withdrawal may be listed for good, what is over is passed by.
type Leaver interface {
	Leaving(ctx context.Context) ([]Whose, error)
}
