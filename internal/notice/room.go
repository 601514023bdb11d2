package notice

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/sqldb"
)

// Room keeps notices and tells people. Fill the exported fields; Tick does what is due.
type Room struct {
	DB     *sqldb.DB
	Clock  clock.Clock
	Log    *slog.Logger
	Tenant id.Tenant
	// Write writes to a person in their language. Problems that end the try: mail.none, mail.refused, not_found.
	Write func(ctx context.Context, a id.Account, words func(lang string) (subject, text string)) error
	// Words gives the app's own sentences around what the operator wrote.
	Words func(lang, key string, args map[string]string) string
	// Everybody is who has an account.
	Everybody func(ctx context.Context) ([]id.Account, error)
	// Leave closes an account as if its person had asked.
	Leave func(ctx context.Context, a id.Account) error

	over atomic.Bool
}

// Notice is one that was declared.
type Notice struct {
	ID        id.Row
	Kind      Kind
	Cause     string
	Declared  clock.Millis
	Known     clock.Millis // of an incident
	Ends      clock.Millis // of a closing; of a change of controller, when it is
	Erases    clock.Millis
	Reported  clock.Millis // to the authority; 0: not yet
	Reference string       // what the authority gave it
	Public    bool
	Texts     map[string]map[string]string
	Seen      bool // by the person who asks
}

// Due is when an incident has to be with the authority.
func (n Notice) Due() clock.Millis { return n.Known + clock.Millis(AuthorityWithin.Milliseconds()) }

type row struct {
	ID        id.Row `bun:"id"`
	Kind      string `bun:"kind"`
	Cause     string `bun:"cause"`
	Declared  int64  `bun:"declared_ms"`
	Known     int64  `bun:"known_ms"`
	Ends      int64  `bun:"ends_ms"`
	Erases    int64  `bun:"erases_ms"`
	Reported  int64  `bun:"reported_ms"`
	Reference string `bun:"reference"`
	Public    bool   `bun:"public"`
	Words     string `bun:"words"`
	Days      int64  `bun:"days"`
	Last      int64  `bun:"last_day"`
	State     string `bun:"state"`
}

const columns = "n.id, n.kind, n.cause, n.declared_ms, n.known_ms, n.ends_ms, n.erases_ms, n.reported_ms, n.reference, n.public, n.words, n.days, n.last_day"

func (r row) notice() (Notice, error) {
	n := Notice{
		ID: r.ID, Kind: Kind(r.Kind), Cause: r.Cause, Declared: clock.Millis(r.Declared), Known: clock.Millis(r.Known), Ends: clock.Millis(r.Ends),
		Erases: clock.Millis(r.Erases), Reported: clock.Millis(r.Reported), Reference: r.Reference, Public: r.Public, Seen: r.State == seen,
	}
	if err := json.Unmarshal([]byte(r.Words), &n.Texts); err != nil {
		return n, fmt.Errorf("words of a notice: %w", err)
	}
	return n, nil
}

// Declare keeps a draft that Read accepted, and whom it concerns. Telling them begins with the next Tick.
// Problems: notice.nobody, notice.closing.
//
// promise:P335
func (r *Room) Declare(ctx context.Context, d Draft, whom []id.Account) (Notice, error) {
	if d.Kind == Incident && len(whom) == 0 {
		return Notice{}, problem.Invalid("notice.nobody")
	}
	if d.Kind != Incident && !(d.Kind == Controller && promise.Cut("P335")) {
		var err error
		if whom, err = r.Everybody(ctx); err != nil {
			return Notice{}, err
		}
	}
	words, err := json.Marshal(d.Texts)
	if err != nil {
		return Notice{}, err
	}
	now := clock.At(r.Clock.Now())
	n := row{ID: id.Make[id.Row](), Kind: string(d.Kind), Cause: d.Cause, Declared: int64(now), Public: d.Kind != Incident, Words: string(words), Last: int64(clock.DayOf(now.Time()))}
	switch d.Kind {
	case Incident:
		n.Known = d.Known.UnixMilli()
	case Closing:
		n.Ends, n.Erases = d.Ends.AddDate(0, 0, 1).UnixMilli(), d.Erases.UnixMilli()
		n.Erases = max(n.Erases, n.Ends)
	case Controller:
		n.Ends = d.From.UnixMilli()
	}
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if d.Kind == Closing {
			var others int
			if err := tx.NewRaw("SELECT count(*) FROM notice_notice WHERE tenant_id = ? AND kind = ?", r.Tenant, string(Closing)).Scan(ctx, &others); err != nil {
				return err
			}
			if others > 0 {
				return problem.Conflict("notice.closing")
			}
		}
		if _, err := tx.NewRaw(`INSERT INTO notice_notice (tenant_id, id, kind, cause, declared_ms, known_ms, ends_ms, erases_ms, reported_ms, reference, public, words, days, last_day)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '', ?, ?, 1, ?)`,
			r.Tenant, n.ID, n.Kind, n.Cause, n.Declared, n.Known, n.Ends, n.Erases, n.Public, n.Words, n.Last).Exec(ctx); err != nil {
			return err
		}
		for _, a := range whom {
			if _, err := tx.NewRaw("INSERT INTO notice_told (tenant_id, notice_id, subject_id, state) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", r.Tenant, n.ID, id.SubjectOf(a), waiting).Exec(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Notice{}, fmt.Errorf("declare a notice: %w", err)
	}
	return n.notice()
}

// Of are the notices that concern a person, the newest first.
func (r *Room) Of(ctx context.Context, a id.Account) ([]Notice, error) {
	return r.list(ctx, "SELECT "+columns+", t.state FROM notice_notice n JOIN notice_told t ON t.tenant_id = n.tenant_id AND t.notice_id = n.id WHERE n.tenant_id = ? AND t.subject_id = ? ORDER BY n.id DESC", r.Tenant, id.SubjectOf(a))
}

// Open are those that everybody may read, the newest first.
func (r *Room) Open(ctx context.Context) ([]Notice, error) {
	return r.list(ctx, "SELECT "+columns+", '' AS state FROM notice_notice n WHERE n.tenant_id = ? AND n.public = ? ORDER BY n.id DESC LIMIT 50", r.Tenant, true)
}

// All are all of them, the newest first.
func (r *Room) All(ctx context.Context) ([]Notice, error) {
	return r.list(ctx, "SELECT "+columns+", '' AS state FROM notice_notice n WHERE n.tenant_id = ? ORDER BY n.id DESC", r.Tenant)
}

func (r *Room) list(ctx context.Context, query string, args ...any) ([]Notice, error) {
	var rows []row
	if err := r.DB.Read.NewRaw(query, args...).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("list notices: %w", err)
	}
	out := make([]Notice, 0, len(rows))
	for _, one := range rows {
		n, err := one.notice()
		if err != nil {
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

// Seen keeps that a person read a notice that concerns them.
func (r *Room) Seen(ctx context.Context, a id.Account, n id.Row) error {
	res, err := r.DB.Write.NewRaw("UPDATE notice_told SET state = ? WHERE tenant_id = ? AND notice_id = ? AND subject_id = ?", seen, r.Tenant, n, id.SubjectOf(a)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep that a notice was read: %w", err)
	}
	if some, err := res.RowsAffected(); err != nil || some == 0 {
		return errors.Join(err, problem.NotFound())
	}
	return nil
}

// Report keeps that the authority has it. Problems: not_found, notice.kind.
func (r *Room) Report(ctx context.Context, which id.Row, reference string) error {
	n, err := r.one(ctx, which)
	if err != nil {
		return err
	}
	if n.Kind != Incident {
		return problem.Conflict("notice.kind")
	}
	_, err = r.DB.Write.NewRaw("UPDATE notice_notice SET reported_ms = ?, reference = ? WHERE tenant_id = ? AND id = ?", int64(clock.At(r.Clock.Now())), reference, r.Tenant, which).Exec(ctx)
	return err
}

// Withdraw takes a closing back that has not begun. Problems: not_found, notice.kind, house.over.
func (r *Room) Withdraw(ctx context.Context, which id.Row) error {
	n, err := r.one(ctx, which)
	switch {
	case err != nil:
		return err
	case n.Kind != Closing:
		return problem.Conflict("notice.kind")
	case !n.Ends.Time().After(r.Clock.Now()):
		return problem.Conflict("house.over")
	}
	return r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		if _, err := tx.NewRaw("DELETE FROM notice_told WHERE tenant_id = ? AND notice_id = ?", r.Tenant, which).Exec(ctx); err != nil {
			return err
		}
		_, err := tx.NewRaw("DELETE FROM notice_notice WHERE tenant_id = ? AND id = ?", r.Tenant, which).Exec(ctx)
		return err
	})
}

func (r *Room) one(ctx context.Context, which id.Row) (Notice, error) {
	var one row
	err := r.DB.Read.NewRaw("SELECT "+columns+", '' AS state FROM notice_notice n WHERE n.tenant_id = ? AND n.id = ?", r.Tenant, which).Scan(ctx, &one)
	if errors.Is(err, sql.ErrNoRows) {
		return Notice{}, problem.NotFound()
	}
	if err != nil {
		return Notice{}, fmt.Errorf("read a notice: %w", err)
	}
	return one.notice()
}

// Overdue is how many incidents should be with the authority and are not.
//
// promise:P310
func (r *Room) Overdue(ctx context.Context) (n int, err error) {
	if promise.Cut("P310") {
		return 0, nil
	}
	before := r.Clock.Now().Add(-AuthorityWithin)
	err = r.DB.Read.NewRaw("SELECT count(*) FROM notice_notice WHERE tenant_id = ? AND kind = ? AND reported_ms = 0 AND known_ms <= ?", r.Tenant, string(Incident), before.UnixMilli()).Scan(ctx, &n)
	return n, err
}

// Told is how many people are in which state of being told.
func (r *Room) Told(ctx context.Context, which id.Row) (map[string]int, error) {
	var rows []struct {
		State string `bun:"state"`
		N     int    `bun:"n"`
	}
	if err := r.DB.Read.NewRaw("SELECT state, count(*) AS n FROM notice_told WHERE tenant_id = ? AND notice_id = ? GROUP BY state", r.Tenant, which).Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("count who was told: %w", err)
	}
	out := map[string]int{}
	for _, one := range rows {
		out[one.State] = one.N
	}
	return out, nil
}

// Over reports whether the service has ended. It answers from memory: Tick keeps it true.
func (r *Room) Over() bool { return r.over.Load() }

// day is what a moment is called in mail.
func day(m clock.Millis) string { return m.Time().UTC().Format(time.DateOnly) }

// Part is one thing that a notice says.
type Part struct{ Name, Text string }

// Said is what a notice says in a language, in the order in which it is read; in English where the language is
// not there any more.
func (n Notice) Said(lang string) (all []Part) {
	said, ok := n.Texts[lang]
	if !ok {
		said = n.Texts["en"]
	}
	for _, name := range parts[n.Kind] {
		all = append(all, Part{name, said[name]})
	}
	return all
}
