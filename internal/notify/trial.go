package notify

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"candor/internal/id"
	"candor/internal/notify/webpush"
	"candor/internal/permit"
	"candor/internal/problem"
)

// trial is a test message on its way to a browser.
type trial struct {
	tenant  id.Tenant
	account id.Account
	made    time.Duration
}

const (
	testFor   = 10 * time.Minute
	mostTests = 256
)

// Try sends a test message to a device, and reports what its push service says of it at once. When
// it arrives, the app there says so (Arrived). Problems: push.off, not_found, push.busy (the service
// cannot be reached now), push.refused, push.gone.
func (r *Room) Try(ctx context.Context, own permit.Permit, t id.Tenant, a id.Account, d id.Row) error {
	if r.Push == nil {
		return noPush()
	}
	rows, err := r.devices(ctx, t, a, " AND id = ?", d)
	if err != nil {
		return err
	}
	if len(rows) == 0 {
		return problem.NotFound()
	}
	may, err := r.Gate.Push(ctx, t, a)
	if err != nil {
		return err
	}
	sub, known, err := r.reach(ctx, may, t, a, rows[0])
	if err != nil {
		return err
	}
	who, err := r.People.Who(ctx, own, t, a)
	if err != nil {
		return err
	}
	var token [16]byte
	_, _ = rand.Read(token[:])
	r.mu.Lock()
	full := len(r.tests) >= mostTests
	if !full {
		r.tests[token] = trial{t, a, r.Uptime()}
	}
	r.mu.Unlock()
	if full {
		return problem.Unavailable("push.busy")
	}
	payload, err := json.Marshal(map[string]any{
		"web_push": 8030, "mutable": true,
		"notification": map[string]any{
			"title": "Candor", "body": r.Words(who.Language, "notice.test", nil), "lang": who.Language, "tag": "test", "navigate": known.Base + "notifications",
			"data": map[string]any{"kind": "test", "open": "notifications", "test": base64.RawURLEncoding.EncodeToString(token[:])},
		},
	})
	if err != nil {
		return err
	}
	answer := r.Push.Send(ctx, sub, webpush.Message{Payload: payload, Topic: "test", TTL: time.Minute, Urgent: true})
	switch answer.Outcome {
	case webpush.Handed:
		return nil
	case webpush.Gone:
		if err := r.lost(ctx, t, a, d); err != nil {
			return err
		}
		return problem.Conflict("push.gone").Because(answer.Err)
	case webpush.Refused:
		return problem.Conflict("push.refused").Because(answer.Err)
	}
	return problem.Unavailable("push.busy").Because(answer.Err)
}

// Arrived is told by the app that a test message is there. Only the person it was sent to can say so.
func (r *Room) Arrived(t id.Tenant, a id.Account, token string) error {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 16 {
		return problem.NotFound()
	}
	r.mu.Lock()
	one, ok := r.tests[[16]byte(raw)]
	ok = ok && one.tenant == t && one.account == a
	if ok {
		delete(r.tests, [16]byte(raw))
	}
	r.mu.Unlock()
	if !ok {
		return problem.NotFound()
	}
	r.Tell(a, Notice{Kind: DeviceReached})
	return nil
}
