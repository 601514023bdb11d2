package notify

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/notify/webpush"
	"candor/internal/permit"
	"candor/internal/promise"
)

// byPush encrypts a message for one browser and hands it to its push service.
func (r *Room) byPush(ctx context.Context, own permit.Permit, q queueRow, m opened) (opened, Result, time.Duration, error) {
	if r.Push == nil {
		return m, failed, 0, errors.New("push is not set up")
	}
	may, err := r.Gate.Push(ctx, q.Tenant, q.Account)
	if err != nil {
		return m, doubt(err), 0, err
	}
	rows, err := r.devices(ctx, q.Tenant, q.Account, " AND id = ?", q.Device)
	if err != nil {
		return m, deferred, 0, err
	}
	if len(rows) == 0 {
		return m, lapsed, 0, nil
	}
	sub, known, err := r.reach(ctx, may, q.Tenant, q.Account, rows[0])
	if err != nil {
		return m, failed, 0, err
	}
	m.device = known.Agent
	who, err := r.People.Who(ctx, own, q.Tenant, q.Account)
	if err != nil {
		return m, doubt(err), 0, err
	}
	ticket, err := r.ticket(ctx, q, m.message)
	if err != nil {
		return m, deferred, 0, err
	}
	payload, err := json.Marshal(r.declarative(who, known.Base, q.Binding, m.message, ticket))
	if err != nil {
		return m, failed, 0, err
	}
	a := r.Push.Send(ctx, sub, webpush.Message{
		Payload: payload, Topic: topic(q.key().listener), TTL: m.useful(), Urgent: m.Count <= 1,
	})
	switch a.Outcome {
	case webpush.Handed:
		return m, handed, 0, nil
	case webpush.Gone:
		return m, lapsed, 0, errors.Join(a.Err, r.lost(ctx, q.Tenant, q.Account, q.Device))
	case webpush.Refused:
		return m, failed, 0, a.Err
	}
	return m, deferred, a.After, a.Err
}

// ticket is what the message fetches its picture with: "" unless the person chose pictures, there is
// one, and the camera's owner agrees now.
//
// promise:P082
// promise:P081
func (r *Room) ticket(ctx context.Context, q queueRow, m message) (string, error) {
	if !m.Pictures && !promise.Cut("P082") || m.Event.IsZero() || r.Pictures == nil {
		return "", nil
	}
	if err := r.Gate.Picture(ctx, q.Tenant, q.Binding); err != nil && !promise.Cut("P081") {
		return "", nil // text alone says what happened
	}
	return r.issue(ctx, q.Tenant, q.Account, q.Binding, m.Event)
}

// topic has a newer message about a camera replace one that still waits at the push service. It
// tells that two messages belong together, and nothing else.
func topic(l listener) string {
	sum := sha256.Sum256([]byte("candor.topic.1" + l.account.Hex() + l.binding.Hex() + string(l.kind)))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

// declarative is a message in the form of declarative web push, which a browser can show without
// waking the app; one that wakes it finds in data what it needs.
func (r *Room) declarative(who Person, base string, b id.Binding, m message, ticket string) map[string]any {
	say := func(key string) string { return r.Words(who.Language, key, nil) }
	data := map[string]any{"camera": b, "kind": m.Kind, "count": m.Count, "open": link(b, m)}
	if ticket != "" {
		data["ticket"] = ticket
	}
	return map[string]any{
		"web_push": 8030, "mutable": true,
		"notification": map[string]any{
			"title": m.Camera, "body": r.sentence(who, m), "lang": who.Language, "tag": topic(listener{binding: b, kind: m.Kind.chosen()}),
			"navigate": base + link(b, m), "timestamp": int64(m.At), "silent": m.Count > 1, "renotify": false,
			"actions": []map[string]string{
				{"action": "pause", "title": say("notice.pause"), "navigate": base + "notifications?pause=" + b.String()},
			},
			"data": data,
		},
	}
}

// before is how much of what came before the moment is shown, too.
const before = clock.Millis(5000)

// link is the page that shows the moment, never Home.
func link(b id.Binding, m message) string {
	page := "cameras/" + b.String()
	if m.Kind != Motion {
		return page
	}
	return page + "?at=" + moment(m.At-before)
}

func moment(at clock.Millis) string { return at.Time().Format("2006-01-02T15:04:05.000Z") }

// sentence is the message in one line, in the person's language and time.
func (r *Room) sentence(who Person, m message) string {
	args := map[string]string{"camera": m.Camera, "time": who.local(m.At).Format("15:04")}
	key := map[Kind]string{Motion: "notice.motion", Gap: "notice.gap", GapOver: "notice.gapOver"}[m.Kind]
	if m.Kind == Motion && m.Count > 1 {
		key = "notice.motionMany"
		args["count"], args["since"] = fmt.Sprint(m.Count), who.local(m.Since).Format("15:04")
	}
	return r.Words(who.Language, key, args)
}

// mail is a message as a mail: text, a link to the moment, and a link that ends such mails.
func (r *Room) mail(who Person, b id.Binding, m message) Mail {
	base := r.Base()
	text := r.sentence(who, m)
	stop := base + "api/v1/unsubscribe/" + m.Stop
	return Mail{
		Subject: text, Stop: stop,
		Text: text + "\n\n" + r.Words(who.Language, "notice.mailOpen", nil) + "\n" + base + link(b, m) + "\n\n" +
			r.Words(who.Language, "notice.mailStop", map[string]string{"camera": m.Camera}) + "\n" + base + "unsubscribe/" + m.Stop + "\n",
	}
}
