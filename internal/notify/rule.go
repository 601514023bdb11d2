package notify

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/seal"
)

// Channel is a way to tell somebody.
type Channel string

// The channels.
const (
	App    Channel = "app"
	Push   Channel = "push"
	ByMail Channel = "mail"
)

var channels = []Channel{App, Push, ByMail}

// Rule is what one person chose for one camera and kind. Without channels nothing is told.
type Rule struct {
	Binding  id.Binding
	Kind     Kind
	Channels []Channel
	Pictures bool
	Hours    []Hours // none: always
	MailOff  bool    // mails were ended by the link in one of them
}

// Hours is a stretch of the day on some days of the week, in the person's own time zone. One that
// ends at or before its beginning ends on the next day.
type Hours struct {
	Days     []int `json:"days"` // 1 is Monday, 7 is Sunday
	From, To int   // minutes since midnight, up to 1440
}

const (
	dayMinutes = 24 * 60
	mostHours  = 14
	mostRules  = 512 // of one person
	stopSize   = 16
)

// choice is the sealed part of a rule.
type choice struct {
	Channels []Channel `json:"channels"`
	Pictures bool      `json:"pictures"`
	Hours    []Hours   `json:"hours"`
	Stop     string    `json:"stop"` // what ends its mails
}

func (r Rule) check() error {
	if !r.Kind.known() {
		return problem.Invalid("alert.kind")
	}
	for _, c := range r.Channels {
		if !slices.Contains(channels, c) {
			return problem.Invalid("alert.channel")
		}
	}
	if len(r.Hours) > mostHours {
		return problem.Invalid("alert.hours")
	}
	for _, h := range r.Hours {
		bad := len(h.Days) == 0 || len(h.Days) > 7 || h.From < 0 || h.From >= dayMinutes || h.To < 0 || h.To > dayMinutes
		for _, d := range h.Days {
			bad = bad || d < 1 || d > 7
		}
		if bad {
			return problem.Invalid("alert.hours")
		}
	}
	return nil
}

// within reports whether a moment lies within any of the hours.
func within(hours []Hours, at time.Time) bool {
	if len(hours) == 0 {
		return true
	}
	today := (int(at.Weekday())+6)%7 + 1
	yesterday := (today+5)%7 + 1
	minute := at.Hour()*60 + at.Minute()
	for _, h := range hours {
		switch {
		case h.From < h.To:
			if slices.Contains(h.Days, today) && minute >= h.From && minute < h.To {
				return true
			}
		case slices.Contains(h.Days, today) && minute >= h.From, slices.Contains(h.Days, yesterday) && minute < h.To:
			return true
		}
	}
	return false
}

// Choose keeps a person's choice. The caller has asked the gate whether they may choose for the
// camera. Problems: alert.kind, alert.channel, alert.hours, alert.too_many.
func (r *Room) Choose(ctx context.Context, t id.Tenant, a id.Account, c Rule) error {
	if err := c.check(); err != nil {
		return err
	}
	var n int
	if err := r.DB.Read.NewRaw("SELECT count(*) FROM notify_rule WHERE tenant_id = ? AND account_id = ?", t, a).Scan(ctx, &n); err != nil {
		return fmt.Errorf("count rules: %w", err)
	}
	if n >= mostRules {
		return problem.Conflict("alert.too_many")
	}
	stop := make([]byte, stopSize)
	_, _ = rand.Read(stop)
	row := newRow()
	plain, err := json.Marshal(choice{c.Channels, c.Pictures, c.Hours, base64.RawURLEncoding.EncodeToString(stop)})
	if err != nil {
		return err
	}
	sealed, err := r.seal(ctx, t, a, choicePassport, row, plain)
	if err != nil {
		return fmt.Errorf("keep rule: %w", err)
	}
	sum := sha256.Sum256(stop)
	if _, err := r.DB.Write.NewRaw(`INSERT INTO notify_rule (tenant_id, account_id, binding_id, kind, row_id, choice, stop_hash, mail_off) VALUES (?, ?, ?, ?, ?, ?, ?, 0)
		ON CONFLICT (tenant_id, account_id, binding_id, kind) DO UPDATE SET row_id = excluded.row_id, choice = excluded.choice, stop_hash = excluded.stop_hash, mail_off = 0`,
		t, a, c.Binding, string(c.Kind), row, sealed, sum[:]).Exec(ctx); err != nil {
		return fmt.Errorf("keep rule: %w", err)
	}
	return nil
}

type ruleRow struct {
	Account id.Account `bun:"account_id"`
	Binding id.Binding `bun:"binding_id"`
	Kind    string     `bun:"kind"`
	Row     id.Row     `bun:"row_id"`
	Choice  []byte     `bun:"choice"`
	MailOff int64      `bun:"mail_off"`
}

const ruleColumns = "account_id, binding_id, kind, row_id, choice, mail_off"

// listeners are the rules about a camera and kind, still sealed.
func (r *Room) listeners(ctx context.Context, c camera) (rows []ruleRow, err error) {
	err = r.DB.Read.NewRaw("SELECT "+ruleColumns+" FROM notify_rule WHERE tenant_id = ? AND binding_id = ? AND kind = ? ORDER BY account_id",
		c.tenant, c.binding, string(c.kind.chosen())).Scan(ctx, &rows)
	return rows, err
}

func (r *Room) openRules(ctx context.Context, p permit.Permit, t id.Tenant, rows []ruleRow) ([]Rule, []string, error) {
	sealed := make([]seal.Sealed, len(rows))
	for i, w := range rows {
		sealed[i] = seal.Sealed{Place: place(t, w.Account, choicePassport, w.Row), Value: w.Choice}
	}
	plain, err := r.Keeper.OpenAll(ctx, p, sealed)
	if err != nil {
		return nil, nil, fmt.Errorf("open rules: %w", err)
	}
	out, stops := make([]Rule, len(rows)), make([]string, len(rows))
	for i, w := range rows {
		var c choice
		if err := json.Unmarshal(plain[i], &c); err != nil {
			return nil, nil, fmt.Errorf("read rule: %w", err)
		}
		out[i] = Rule{Binding: w.Binding, Kind: Kind(w.Kind), Channels: c.Channels, Pictures: c.Pictures, Hours: c.Hours, MailOff: w.MailOff != 0}
		stops[i] = c.Stop
	}
	return out, stops, nil
}

// Rules are a person's own.
func (r *Room) Rules(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) ([]Rule, error) {
	var rows []ruleRow
	if err := r.DB.Read.NewRaw("SELECT "+ruleColumns+" FROM notify_rule WHERE tenant_id = ? AND account_id = ? ORDER BY binding_id, kind", t, a).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list rules: %w", err)
	}
	out, _, err := r.openRules(ctx, p, t, rows)
	return out, err
}

// StopMail ends the mails of the rule whose link somebody holds. Saying it twice is no error; what
// no rule has is not_found.
func (r *Room) StopMail(ctx context.Context, t id.Tenant, token string) error {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != stopSize {
		return problem.NotFound()
	}
	sum := sha256.Sum256(raw)
	res, err := r.DB.Write.NewRaw("UPDATE notify_rule SET mail_off = 1 WHERE tenant_id = ? AND stop_hash = ?", t, sum[:]).Exec(ctx)
	if err != nil {
		return fmt.Errorf("end mails: %w", err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		if err != nil {
			return err
		}
		return problem.NotFound()
	}
	return nil
}

// local is a moment where the person is.
func (p Person) local(at clock.Millis) time.Time {
	if p.Zone == nil {
		return at.Time()
	}
	return at.Time().In(p.Zone)
}
