package notice

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/problem"
	"candor/internal/promise"
)

// How far telling a person is.
const (
	waiting     = "waiting"
	written     = "written"     // a mail server took the letter
	unreachable = "unreachable" // nobody took it, or there is no mail; the app shows it all the same
	seen        = "seen"        // read in the app
)

// patience is how long somebody is tried to be written to.
const patience = 72 * time.Hour

// witnessed is how many different days the program has to have seen before a closing erases anything.
const witnessed = 20

// Begin finds out whether the service has ended. It tells nobody: a start waits for no mail server.
func (r *Room) Begin(ctx context.Context) error {
	all, err := r.All(ctx)
	if err != nil {
		return err
	}
	for _, n := range all {
		if r.ended(n) {
			r.over.Store(true)
		}
	}
	return nil
}

// ended reports whether a notice is of an end that has come.
func (r *Room) ended(n Notice) bool { return n.Kind == Closing && !n.Ends.Time().After(r.Clock.Now()) }

// Tick tells whom it can, opens to everybody what some could not be told, and ends what is to end.
func (r *Room) Tick(ctx context.Context) error {
	all, err := r.All(ctx)
	if err != nil {
		return err
	}
	var errs []error
	over := false
	for _, n := range all {
		errs = append(errs, r.tell(ctx, n), r.open(ctx, n))
		if n.Kind != Closing {
			continue
		}
		errs = append(errs, r.witness(ctx, n))
		if r.ended(n) {
			over = true
			errs = append(errs, r.erase(ctx, n))
		}
	}
	r.over.Store(over)
	return errors.Join(errs...)
}

// tell writes to those of a notice who wait.
//
// promise:P308
func (r *Room) tell(ctx context.Context, n Notice) error {
	var rows []struct {
		Subject id.Subject `bun:"subject_id"`
	}
	if err := r.DB.Read.NewRaw("SELECT subject_id FROM notice_told WHERE tenant_id = ? AND notice_id = ? AND state = ? LIMIT 500", r.Tenant, n.ID, waiting).Scan(ctx, &rows); err != nil {
		return fmt.Errorf("who waits for a notice: %w", err)
	}
	if promise.Cut("P308") {
		return nil
	}
	failed, why := 0, error(nil)
	late := r.Clock.Now().Sub(n.Declared.Time()) > patience
	for _, one := range rows {
		state := written
		err := r.Write(ctx, id.Account(one.Subject), func(lang string) (string, string) { return r.letter(n, lang) })
		switch {
		case err == nil:
		case problem.Is(err, "mail.none"), problem.Is(err, "mail.refused"), late:
			state = unreachable
		case problem.Is(err, "not_found"):
			continue // who left is swept by rights
		default:
			failed, why = failed+1, err
			continue // the next minute tries again
		}
		if _, err := r.DB.Write.NewRaw("UPDATE notice_told SET state = ? WHERE tenant_id = ? AND notice_id = ? AND subject_id = ? AND state = ?", state, r.Tenant, n.ID, one.Subject, waiting).Exec(ctx); err != nil {
			return fmt.Errorf("keep who was told: %w", err)
		}
	}
	if failed > 0 {
		r.Log.WarnContext(ctx, "notices could not be written", "count", failed, "err", why)
	}
	return nil
}

// letter is a notice as mail.
func (r *Room) letter(n Notice, lang string) (subject, text string) {
	said, ok := n.Texts[lang]
	if !ok {
		lang, said = "en", n.Texts["en"]
	}
	var b strings.Builder
	args := map[string]string{"ends": day(n.Ends - 1), "erases": day(n.Erases), "from": day(n.Ends)}
	b.WriteString(r.Words(lang, "notice."+string(n.Kind)+".lead", args))
	for _, name := range parts[n.Kind] {
		b.WriteString("\n\n" + r.Words(lang, "notice.part."+name, nil) + "\n" + strings.TrimSpace(said[name]))
	}
	return r.Words(lang, "notice."+string(n.Kind)+".subject", args), b.String()
}

// open lets everybody read what somebody could not be told in person.
//
// promise:P309
func (r *Room) open(ctx context.Context, n Notice) error {
	if n.Public || promise.Cut("P309") {
		return nil
	}
	_, err := r.DB.Write.NewRaw(`UPDATE notice_notice SET public = ? WHERE tenant_id = ? AND id = ?
		AND EXISTS (SELECT 1 FROM notice_told t WHERE t.tenant_id = notice_notice.tenant_id AND t.notice_id = notice_notice.id AND t.state = ?)`, true, r.Tenant, n.ID, unreachable).Exec(ctx)
	if err != nil {
		return fmt.Errorf("open a notice to everybody: %w", err)
	}
	return nil
}

// witness counts the days that the program saw.
func (r *Room) witness(ctx context.Context, n Notice) error {
	today := int64(clock.DayOf(r.Clock.Now()))
	_, err := r.DB.Write.NewRaw("UPDATE notice_notice SET days = days + 1, last_day = ? WHERE tenant_id = ? AND id = ? AND last_day < ?", today, r.Tenant, n.ID, today).Exec(ctx)
	if err != nil {
		return fmt.Errorf("count the days of a notice: %w", err)
	}
	return nil
}

// erase closes every account once the day has come.
//
// promise:P333
func (r *Room) erase(ctx context.Context, n Notice) error {
	now := r.Clock.Now()
	if n.Erases.Time().After(now) || now.Sub(n.Declared.Time()) < closingDays*24*time.Hour || promise.Cut("P333") {
		return nil
	}
	var days int
	if err := r.DB.Read.NewRaw("SELECT days FROM notice_notice WHERE tenant_id = ? AND id = ?", r.Tenant, n.ID).Scan(ctx, &days); err != nil {
		return fmt.Errorf("read the days of a notice: %w", err)
	}
	if days < witnessed {
		r.Log.WarnContext(ctx, "the service is over, and too few days were seen to erase", "count", days)
		return nil
	}
	people, err := r.Everybody(ctx)
	if err != nil {
		return err
	}
	for _, a := range people {
		if err := r.Leave(ctx, a); err != nil {
			return fmt.Errorf("close an account at the end: %w", err)
		}
	}
	return nil
}
