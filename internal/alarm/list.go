package alarm

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/uptrace/bun"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Query says which events are wanted. Zero fields do not narrow.
type Query struct {
	Bindings []id.Binding
	Kind     Kind
	Seen     *bool        // by whoever asks
	From, To clock.Millis // that began within
	After    string       // Page.Next of the page before
	Limit    int
}

// Page is events, newest first. Next is empty at the end. A page may be shorter than asked for, and
// even empty, and still have a Next: what narrows was not found among the many that were looked at.
type Page struct {
	Events []Event
	Next   string
}

const (
	// looked bounds how many events one page opens.
	looked = 5000
	// MostOnPage is the longest page.
	MostOnPage = 200
)

// mark is where a page ends: the next begins with what came before it.
type mark struct {
	start clock.Millis
	id    id.Sighting
}

// newest is before every event.
var newest = mark{start: 1 << 50}

func (m mark) String() string {
	return base64.RawURLEncoding.EncodeToString(append(binary.BigEndian.AppendUint64(nil, uint64(m.start)), m.id[:]...))
}

func parseMark(s string) (mark, error) {
	if s == "" {
		return newest, nil
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) != 24 {
		return mark{}, problem.Invalid("alarm.cursor")
	}
	m := mark{start: clock.Millis(binary.BigEndian.Uint64(b)), id: id.Sighting(b[8:])}
	if m.start <= 0 || m.start > newest.start {
		return mark{}, problem.Invalid("alarm.cursor")
	}
	return m, nil
}

// before reports whether an event comes after the mark in a list that begins with the newest.
func (m mark) before(e Event) bool {
	return cmp.Or(cmp.Compare(e.Start, m.start), id.Compare(e.ID, m.id)) < 0
}

// List lists the events that the permits reach, each of one camera and opened under its own permit.
func (r *Room) List(ctx context.Context, viewer id.Account, may []permit.Permit, q Query) (Page, error) {
	from, err := parseMark(q.After)
	if err != nil {
		return Page{}, err
	}
	if q.To != 0 && q.To < from.start {
		from = mark{start: q.To}
	}
	reach, err := reachOf(may)
	if len(q.Bindings) > 0 {
		reach = slices.DeleteFunc(reach, func(a reached) bool { return !slices.Contains(q.Bindings, a.grant.Binding) })
	}
	if err != nil || len(reach) == 0 {
		return Page{}, err
	}
	if q.Limit <= 0 || q.Limit > MostOnPage {
		q.Limit = MostOnPage
	}
	l := lister{room: r, viewer: viewer, reach: reach, query: q, mark: from}
	return l.page(ctx)
}

// reached is one permit and what it is about.
type reached struct {
	permit permit.Permit
	grant  permit.Grant
}

func reachOf(may []permit.Permit) ([]reached, error) {
	out := make([]reached, 0, len(may))
	for _, p := range may {
		g, ok := p.Grant()
		if !ok || g.Subject.IsZero() || g.Binding.IsZero() || len(out) > 0 && out[0].grant.Tenant != g.Tenant {
			return nil, permit.ErrNone
		}
		out = append(out, reached{p, g})
	}
	return out, nil
}

// lister makes one page, day by day from the newest.
type lister struct {
	room   *Room
	viewer id.Account
	reach  []reached
	query  Query
	mark   mark
	opened int
}

func (l *lister) page(ctx context.Context) (Page, error) {
	next, err := l.days(ctx)
	if err != nil {
		return Page{}, err
	}
	var out Page
	for day := clock.DayOf(l.mark.start.Time()); ; day-- {
		if day, err = next(ctx, day); err != nil || day == none {
			return out, err
		}
		found, err := l.day(ctx, day)
		if err != nil {
			return Page{}, err
		}
		out.Events = append(out.Events, found...)
		if len(out.Events) > l.query.Limit {
			out.Events = out.Events[:l.query.Limit]
			last := out.Events[l.query.Limit-1]
			out.Next = mark{last.Start, last.ID}.String()
			return out, nil
		}
		if l.opened >= looked {
			out.Next = mark{start: clock.At(day.Start())}.String()
			return out, nil
		}
	}
}

// none is the day that no event is of.
const none clock.Day = -1 << 30

// narrow adds what the permits reach and what the query says in clear.
func (l *lister) narrow(q *bun.SelectQuery) *bun.SelectQuery {
	q = q.Where("tenant_id = ? AND binding_id IN (?)", l.reach[0].grant.Tenant, bun.In(l.cameras()))
	if l.query.From != 0 {
		q = q.Where("day >= ?", clock.DayOf(l.query.From.Time()))
	}
	return q
}

func (l *lister) cameras() [][]byte {
	out := make([][]byte, len(l.reach))
	for i, a := range l.reach {
		out[i] = a.grant.Binding[:]
	}
	return out
}

// days gives, for a day, the newest day up to it that may have what is wanted.
func (l *lister) days(ctx context.Context) (func(context.Context, clock.Day) (clock.Day, error), error) {
	if l.query.Seen != nil {
		return l.countedDays(ctx)
	}
	return func(ctx context.Context, upTo clock.Day) (clock.Day, error) {
		best := none
		for _, b := range l.cameras() { // each a step down an index
			var day sql.Null[clock.Day]
			q := l.room.DB.Read.NewSelect().Table("alarm_event").ColumnExpr("max(day)").Where("tenant_id = ? AND binding_id = ?", l.reach[0].grant.Tenant, b).
				Where("day <= ?", upTo)
			if err := q.Scan(ctx, &day); err != nil {
				return none, err
			}
			if day.Valid {
				best = max(best, day.V)
			}
		}
		if l.query.From != 0 && best < clock.DayOf(l.query.From.Time()) {
			return none, nil
		}
		return best, nil
	}, nil
}

// countedDays are the days on which some event is, or is not, seen, found by counting: that reads an
// index and no event.
func (l *lister) countedDays(ctx context.Context) (func(context.Context, clock.Day) (clock.Day, error), error) {
	type line struct {
		Day clock.Day `bun:"day"`
		N   int64     `bun:"n"`
	}
	counts := func(q *bun.SelectQuery) (map[clock.Day]int64, error) {
		var lines []line
		err := l.narrow(q).Column("day").ColumnExpr("count(*) AS n").Group("day").Scan(ctx, &lines)
		out := map[clock.Day]int64{}
		for _, c := range lines {
			out[c.Day] = c.N
		}
		return out, err
	}
	seen, err := counts(l.room.DB.Read.NewSelect().Table("alarm_seen").Where("account_id = ?", l.viewer))
	if err != nil {
		return nil, err
	}
	wanted := seen
	if !*l.query.Seen {
		if wanted, err = counts(l.room.DB.Read.NewSelect().Table("alarm_event")); err != nil {
			return nil, err
		}
		for day, n := range seen {
			if wanted[day] -= n; wanted[day] <= 0 {
				delete(wanted, day)
			}
		}
	}
	return func(_ context.Context, upTo clock.Day) (clock.Day, error) {
		best := none
		for day := range wanted {
			if day <= upTo && day > best {
				best = day
			}
		}
		return best, nil
	}, nil
}

// listed is what a list needs of a row; reading all of it would take twice as long.
const listed = "e.id, e.subject_id, e.binding_id, e.state, e.details, e.bytes"

// day is what is wanted of one day, newest first.
func (l *lister) day(ctx context.Context, day clock.Day) ([]Event, error) {
	var rows []*row
	q := l.narrow(l.room.DB.Read.NewSelect().Model(&rows)).ColumnExpr(listed).ColumnExpr(seenColumn, l.viewer[:]).Where("day = ?", day)
	if err := q.Scan(ctx); err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, err
	}
	for _, w := range rows {
		w.Tenant, w.Day = l.reach[0].grant.Tenant, day
	}
	if l.query.Seen != nil {
		rows = slices.DeleteFunc(rows, func(w *row) bool { return w.Seen != *l.query.Seen })
	}
	l.opened += len(rows)
	var out []Event
	for _, a := range l.reach {
		var mine []*row
		for i, w := range rows {
			if w != nil && reaches(a.grant, w) {
				mine, rows[i] = append(mine, w), nil
			}
		}
		got, err := l.room.open(ctx, a.permit, mine)
		if err != nil {
			return nil, err
		}
		out = append(out, got...)
	}
	out = slices.DeleteFunc(out, func(e Event) bool {
		return !l.mark.before(e) || e.Start < l.query.From || l.query.Kind != "" && e.Kind != l.query.Kind
	})
	slices.SortFunc(out, func(a, b Event) int { return -cmp.Or(cmp.Compare(a.Start, b.Start), id.Compare(a.ID, b.ID)) })
	return out, nil
}
