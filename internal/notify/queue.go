package notify

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/seal"
)

// message is what waits to be handed over, as sealed.
type message struct {
	Kind     Kind         `json:"kind"`
	Event    id.Row       `json:"event"`
	At       clock.Millis `json:"at"`
	Count    int          `json:"count"`
	Since    clock.Millis `json:"since"`
	Camera   string       `json:"camera"`
	Pictures bool         `json:"pictures"`
	Stop     string       `json:"stop"`
}

// useful is how long a message is worth handing over.
func (m message) useful() time.Duration {
	if m.Kind == Motion {
		return 4 * time.Hour
	}
	return 24 * time.Hour
}

type queueKey struct {
	listener
	channel Channel
	device  id.Row
}

// say tells the app at once, and queues what goes elsewhere. What the app is told is kept for its
// list of messages, whatever becomes of the other ways.
//
// promise:P100
func (r *Room) say(ctx context.Context, who listener, c Channel, m message) error {
	switch c {
	case App:
		if promise.Cut("P100") {
			return nil
		}
		r.Tell(who.account, Notice{who.binding, m.Event, m.Kind, m.Count, m.At})
		return r.write(ctx, who, entryOf(App, m, told, ""))
	case Push:
		devices, err := r.devices(ctx, who.tenant, who.account, " AND state = ?", live)
		if err != nil {
			return err
		}
		for _, d := range devices {
			if err := r.queue(ctx, queueKey{who, Push, d.ID}, m); err != nil {
				return err
			}
		}
	case ByMail:
		return r.queue(ctx, queueKey{who, ByMail, id.Row{}}, m)
	}
	return nil
}

// queue puts a message in the place of the one that may wait there. When that is tried next does
// not change: a push service that is busy is not asked more often because more happens.
func (r *Room) queue(ctx context.Context, k queueKey, m message) error {
	plain, err := json.Marshal(m)
	if err != nil {
		return err
	}
	row := newRow()
	sealed, err := r.seal(ctx, k.tenant, k.account, messagePassport, row, plain)
	if err != nil {
		return err
	}
	_, err = r.DB.Write.NewRaw(`INSERT INTO notify_outbox (tenant_id, account_id, binding_id, kind, channel, device_id, row_id, message, tries, due_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, ?)
		ON CONFLICT (tenant_id, account_id, binding_id, kind, channel, device_id) DO UPDATE SET row_id = excluded.row_id, message = excluded.message`,
		k.tenant, k.account, k.binding, string(k.kind), string(k.channel), k.device[:], row, sealed, int64(r.now())).Exec(ctx)
	nudge(r.queued)
	return err
}

type queueRow struct {
	Tenant  id.Tenant  `bun:"tenant_id"`
	Account id.Account `bun:"account_id"`
	Binding id.Binding `bun:"binding_id"`
	Kind    string     `bun:"kind"`
	Channel string     `bun:"channel"`
	Device  id.Row     `bun:"device_id"`
	Row     id.Row     `bun:"row_id"`
	Message []byte     `bun:"message"`
	Tries   int        `bun:"tries"`
	Due     int64      `bun:"due_ms"`
}

func (q queueRow) key() queueKey {
	return queueKey{listener{q.Tenant, q.Account, q.Binding, Kind(q.Kind)}, Channel(q.Channel), q.Device}
}

const (
	mostFlying  = 32
	idle        = time.Minute
	firstAgain  = 5 * time.Second
	longestWait = 15 * time.Minute
)

// again is how long to wait after so many tries.
func again(tries int, asked time.Duration) time.Duration {
	wait := longestWait
	if tries < 10 {
		wait = min(firstAgain<<tries, longestWait)
	}
	return max(wait, asked)
}

// deliver has what is due handed over, and returns how long nothing will be. A moment further away
// than anything we wait for was written by a clock that has been set back since: it is due.
func (r *Room) deliver(ctx context.Context) time.Duration {
	now := r.now()
	var rows []queueRow
	err := r.DB.Read.NewRaw(`SELECT tenant_id, account_id, binding_id, kind, channel, device_id, row_id, message, tries, due_ms FROM notify_outbox
		WHERE due_ms <= ? OR due_ms > ? ORDER BY due_ms LIMIT ?`, int64(now), int64(now)+longestDue, 4*mostFlying).Scan(ctx, &rows)
	if err != nil {
		if ctx.Err() == nil {
			r.Log.Error("the outbox cannot be read", "err", err)
		}
		return firstAgain
	}
	for _, q := range rows {
		r.mu.Lock()
		full := len(r.flying) >= mostFlying
		if free := !full && !r.flying[q.key()]; free {
			r.flying[q.key()] = true
			r.loops.Go(func() {
				r.hand(ctx, q)
				r.mu.Lock()
				delete(r.flying, q.key())
				r.mu.Unlock()
				nudge(r.queued)
			})
		}
		r.mu.Unlock()
	}
	var next *int64
	if err := r.DB.Read.NewRaw("SELECT min(due_ms) FROM notify_outbox WHERE due_ms > ?", int64(now)).Scan(ctx, &next); err != nil || next == nil {
		return idle
	}
	return min(idle, max(time.Duration(*next-int64(now))*time.Millisecond, time.Millisecond))
}

const longestDue = int64(2 * time.Hour / time.Millisecond)

// hand asks once more whether the message may go, and hands it over.
func (r *Room) hand(ctx context.Context, q queueRow) {
	m, result, after, err := r.attempt(ctx, q)
	if ctx.Err() != nil {
		return // it stays for the next run
	}
	if err != nil {
		r.Log.Warn("a message is not handed over", "transport", q.Channel, "state", string(result), "tries", q.Tries+1, "err", err)
	}
	if result == deferred {
		wait := again(q.Tries, after)
		if _, err := r.DB.Write.NewRaw("UPDATE notify_outbox SET tries = tries + 1, due_ms = ? WHERE tenant_id = ? AND account_id = ? AND binding_id = ? AND kind = ? AND channel = ? AND device_id = ?",
			int64(r.now())+int64(wait/time.Millisecond), q.Tenant, q.Account, q.Binding, q.Kind, q.Channel, q.Device[:]).Exec(ctx); err != nil {
			r.Log.Error("the outbox cannot be written", "err", err)
		}
		return
	}
	// A newer message that took its place meanwhile stays.
	if _, err := r.DB.Write.NewRaw("DELETE FROM notify_outbox WHERE tenant_id = ? AND account_id = ? AND binding_id = ? AND kind = ? AND channel = ? AND device_id = ? AND row_id = ?",
		q.Tenant, q.Account, q.Binding, q.Kind, q.Channel, q.Device[:], q.Row).Exec(ctx); err != nil {
		r.Log.Error("the outbox cannot be written", "err", err)
		return
	}
	if m.Kind == "" { // nobody may know what it was
		return
	}
	if err := r.write(ctx, q.key().listener, entryOf(Channel(q.Channel), m.message, result, m.device)); err != nil {
		r.Log.Error("the log of messages cannot be written", "err", err)
	}
}

// opened is a message with what the log says of where it went.
type opened struct {
	message
	device string
}

// attempt makes one try. A refusal of the gate withholds the message, doubt defers it.
func (r *Room) attempt(ctx context.Context, q queueRow) (m opened, result Result, after time.Duration, err error) {
	own, err := r.Gate.Own(ctx, q.Tenant, q.Account)
	if err != nil {
		return m, doubt(err), 0, err
	}
	plain, err := r.Keeper.OpenAll(ctx, own, []seal.Sealed{{Place: place(q.Tenant, q.Account, messagePassport, q.Row), Value: q.Message}})
	if err == nil {
		err = json.Unmarshal(plain[0], &m.message)
	}
	if err != nil {
		return m, failed, 0, err
	}
	if _, err := r.Gate.Told(ctx, q.Tenant, q.Account, q.Binding); err != nil {
		return m, doubt(err), 0, err
	}
	if age := time.Duration(r.now()-m.At) * time.Millisecond; age > m.useful() || q.Tries > 200 {
		return m, expired, 0, nil
	}
	if r.paused(q.Tenant, q.Account, q.Binding) {
		return m, withheld, 0, nil
	}
	if Channel(q.Channel) == ByMail {
		result, err = r.byMail(ctx, own, q, m.message)
		return m, result, 0, err
	}
	return r.byPush(ctx, own, q, m)
}

// doubt tells a refusal from not knowing.
func doubt(err error) Result {
	if p, ok := problem.Of(err); ok && p.Status < 500 {
		return withheld
	}
	return deferred
}

func (r *Room) byMail(ctx context.Context, own permit.Permit, q queueRow, m message) (Result, error) {
	if r.Mail == nil {
		return failed, fmt.Errorf("mail is not set up")
	}
	who, err := r.People.Who(ctx, own, q.Tenant, q.Account)
	if err != nil {
		return doubt(err), err
	}
	to, err := r.People.Address(ctx, q.Tenant, q.Account)
	if err != nil {
		return doubt(err), err
	}
	letter := r.mail(who, q.Binding, m)
	letter.Tenant, letter.Account, letter.To = q.Tenant, q.Account, to
	switch err := r.Mail.Carry(ctx, letter); {
	case problem.Is(err, "mail.refused"):
		return failed, err
	case err != nil:
		return deferred, err
	}
	return handed, nil
}
