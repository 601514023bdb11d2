package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/seal"
)

// Result is what became of a message.
type Result string

// The results. A deferred message is tried again and has no line in the log yet.
const (
	told     Result = "told"     // shown in the app, if it was open
	handed   Result = "handed"   // the push service or mail server has it
	withheld Result = "withheld" // no longer allowed, or a pause had begun
	lapsed   Result = "gone"     // the browser is no longer there
	failed   Result = "failed"
	expired  Result = "expired" // could not be handed over while it was of use
	deferred Result = "deferred"
)

// Entry is one line of the log of messages.
type Entry struct {
	Number  int64        `json:"-"`
	Binding id.Binding   `json:"-"`
	At      clock.Millis `json:"at"`
	Kind    Kind         `json:"kind"`
	Camera  string       `json:"camera"`
	Channel Channel      `json:"channel"`
	Device  string       `json:"device,omitempty"` // kind of browser
	Result  Result       `json:"result"`
	Count   int          `json:"count"`
	Moment  clock.Millis `json:"moment"` // of what it was about
}

func entryOf(c Channel, m message, r Result, device string) Entry {
	return Entry{Kind: m.Kind, Camera: m.Camera, Channel: c, Device: device, Result: r, Count: m.Count, Moment: m.At}
}

// Keep is how long the log goes back.
const Keep = 30 * 24 * time.Hour

func (r *Room) write(ctx context.Context, who listener, e Entry) error {
	e.At = r.now()
	plain, err := json.Marshal(e)
	if err != nil {
		return err
	}
	row := newRow()
	sealed, err := r.seal(ctx, who.tenant, who.account, entryPassport, row, plain)
	if err != nil {
		return err
	}
	r.writing.Lock()
	defer r.writing.Unlock()
	_, err = r.DB.Write.NewRaw(`INSERT INTO notify_log (tenant_id, account_id, n, row_id, binding_id, day, entry)
		SELECT ?, ?, coalesce(max(n), 0) + 1, ?, ?, ?, ? FROM notify_log WHERE tenant_id = ? AND account_id = ?`,
		who.tenant, who.account, row, who.binding[:], int64(clock.DayOf(e.At.Time())), sealed, who.tenant, who.account).Exec(ctx)
	return err
}

type logRow struct {
	N       int64      `bun:"n"`
	Row     id.Row     `bun:"row_id"`
	Binding id.Binding `bun:"binding_id"`
	Entry   []byte     `bun:"entry"`
}

// Sent is a page of what a person was sent, newest first, from before a number (0: from the newest).
// Next is where the next page begins, 0 when there is none.
func (r *Room) Sent(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account, before int64, limit int) (page []Entry, next int64, err error) {
	var rows []logRow
	if err := r.DB.Read.NewRaw("SELECT n, row_id, binding_id, entry FROM notify_log WHERE tenant_id = ? AND account_id = ? AND (n < ? OR ? = 0) ORDER BY n DESC LIMIT ?",
		t, a, before, before, limit).Scan(ctx, &rows); err != nil {
		return nil, 0, fmt.Errorf("read the log of messages: %w", err)
	}
	sealed := make([]seal.Sealed, len(rows))
	for i, w := range rows {
		sealed[i] = seal.Sealed{Place: place(t, a, entryPassport, w.Row), Value: w.Entry}
	}
	plain, err := r.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, 0, fmt.Errorf("open the log of messages: %w", err)
	}
	page = make([]Entry, len(rows))
	for i, w := range rows {
		if err := json.Unmarshal(plain[i], &page[i]); err != nil {
			return nil, 0, fmt.Errorf("read the log of messages: %w", err)
		}
		page[i].Number, page[i].Binding = w.N, w.Binding
	}
	if len(rows) == limit && limit > 0 {
		next = rows[len(rows)-1].N
	}
	return page, next, nil
}

// prune lets go of what is past its time.
func (r *Room) prune(ctx context.Context) {
	now := r.Clock.Now()
	for _, q := range []struct {
		query string
		arg   int64
	}{
		{"DELETE FROM notify_log WHERE day < ?", int64(clock.DayOf(now.Add(-Keep))) + 1},
		{"DELETE FROM notify_ticket WHERE ends_ms < ?", int64(clock.At(now.Add(-ticketFor)))},
	} {
		if _, err := r.DB.Write.NewRaw(q.query, q.arg).Exec(ctx); err != nil && ctx.Err() == nil {
			r.Log.Warn("what is due stays for now", "err", err)
		}
	}
}
