package seal

import (
	"context"
	"fmt"
	"strings"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
)

// Selection says which keys of one person are meant. Make one with Everything, Camera, Buckets or
// Export; the zero Selection selects nothing and is refused.
type Selection struct {
	Tenant     id.Tenant
	Subject    id.Subject
	Binding    id.Binding
	Categories []passport.Category
	Class      Class     // "" for each
	Until      clock.Day // buckets of that day and before; 0 for each
	Export     id.Row
	MadeBy     clock.Millis // keys made then or before; 0 for each
}

// Everything selects all keys of a person.
func Everything(t id.Tenant, s id.Subject) Selection { return Selection{Tenant: t, Subject: s} }

// Camera selects a camera's key and all beneath it.
func Camera(t id.Tenant, s id.Subject, b id.Binding) Selection {
	return Selection{Tenant: t, Subject: s, Binding: b}
}

// Buckets selects the buckets of some categories of a camera, or of all the person's cameras if b
// is zero. Narrow it with Class and Until.
func Buckets(t id.Tenant, s id.Subject, b id.Binding, of ...passport.Category) Selection {
	return Selection{Tenant: t, Subject: s, Binding: b, Categories: of}
}

// Export selects the key of one export.
func Export(t id.Tenant, s id.Subject, e id.Row) Selection {
	return Selection{Tenant: t, Subject: s, Export: e}
}

// top is the scope that a goodbye to the selection closes for good, if it closes one.
func (s Selection) top() (Scope, bool) {
	if len(s.Categories) > 0 {
		return Scope{}, false
	}
	return Scope{Tenant: s.Tenant, Subject: s.Subject, Binding: s.Binding, Export: s.Export}, true
}

func (s Selection) check() error {
	narrowed := s.Class != "" || s.Until != 0 || s.MadeBy != 0
	switch {
	case s.Tenant.IsZero() || s.Subject.IsZero():
		return fmt.Errorf("%w: selection of nobody", ErrScope)
	case len(s.Categories) == 0 && narrowed, !s.Export.IsZero() && (!s.Binding.IsZero() || len(s.Categories) > 0):
		return fmt.Errorf("%w: selection contradicts itself", ErrScope)
	}
	return nil
}

// where is the selection as a condition on table key, named k.
func (s Selection) where() (string, []any) {
	cond := []string{"k.tenant = ?", "k.subject = ?"}
	args := []any{s.Tenant[:], s.Subject[:]}
	add := func(c string, a ...any) { cond = append(cond, c); args = append(args, a...) }
	if !s.Binding.IsZero() {
		add("k.binding = ?", s.Binding[:])
	}
	if !s.Export.IsZero() {
		add("k.export = ?", s.Export[:])
	}
	if len(s.Categories) > 0 {
		add("k.kind = ?", int(kindBucket))
		marks := make([]string, len(s.Categories))
		for i, c := range s.Categories {
			marks[i] = "?"
			args = append(args, string(c))
		}
		cond = append(cond, "k.category IN ("+strings.Join(marks, ", ")+")")
	}
	if s.Class != "" {
		add("k.class = ?", string(s.Class))
	}
	if s.Until != 0 {
		add("k.day <= ?", int64(s.Until))
	}
	if s.MadeBy != 0 {
		add("k.created_ms <= ?", int64(s.MadeBy))
	}
	return strings.Join(cond, " AND "), args
}

// Count is how many live keys a selection has.
func (k *Keeper) Count(ctx context.Context, s Selection) (n int, err error) {
	if err := s.check(); err != nil {
		return 0, err
	}
	where, args := s.where()
	err = k.read(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, "SELECT count(*) FROM key k WHERE "+where, args...).Scan(&n)
	})
	return n, err
}

// Days lists the buckets of one camera, category and class that have a live key, oldest first.
func (k *Keeper) Days(ctx context.Context, b id.Binding, c passport.Category, class Class) ([]clock.Day, error) {
	var days []clock.Day
	err := k.list(ctx, func(scan func(...any) error) error {
		var d clock.Day
		err := scan(&d)
		days = append(days, d)
		return err
	}, "SELECT day FROM key WHERE binding = ? AND category = ? AND class = ? AND kind = ? ORDER BY day",
		b[:], string(c), string(class), int(kindBucket))
	return days, err
}

// Oldest is the oldest live bucket of one category and class, over everybody.
type Oldest struct {
	Category passport.Category
	Class    Class
	Day      clock.Day
	Keys     int
}

// Oldest tells for each category and class how old its oldest live bucket key is: the retention
// check compares that with the limit.
func (k *Keeper) Oldest(ctx context.Context) ([]Oldest, error) {
	var out []Oldest
	err := k.list(ctx, func(scan func(...any) error) error {
		var o Oldest
		err := scan(&o.Category, &o.Class, &o.Day, &o.Keys)
		out = append(out, o)
		return err
	}, "SELECT category, class, min(day), count(*) FROM key WHERE kind = ? GROUP BY category, class ORDER BY category, class", int(kindBucket))
	return out, err
}

// Expire destroys the buckets of one category and class, over everybody, of that day and before.
// It is retention's last word: rooms let go of their buckets in time, and this is for when they
// did not.
func (k *Keeper) Expire(ctx context.Context, c passport.Category, class Class, until clock.Day) (Destruction, error) {
	var of []Selection
	err := k.list(ctx, func(scan func(...any) error) error {
		s := Selection{Categories: []passport.Category{c}, Class: class, Until: until}
		err := scan(&s.Tenant, &s.Subject, &s.Binding)
		of = append(of, s)
		return err
	}, "SELECT DISTINCT tenant, subject, binding FROM key WHERE kind = ? AND category = ? AND class = ? AND day <= ?",
		int(kindBucket), string(c), string(class), int64(until))
	var sum Destruction
	for _, s := range of {
		if err != nil {
			break
		}
		var d Destruction
		d, err = k.Destroy(ctx, s, Expired)
		sum.Keys, sum.At = sum.Keys+d.Keys, d.At
	}
	return sum, err
}

// list reads rows outside of a transaction.
func (k *Keeper) list(ctx context.Context, each func(scan func(...any) error) error, query string, args ...any) error {
	return k.read(ctx, func(ctx context.Context, q querier) error {
		return list(ctx, q, each, query, args...)
	})
}

func list(ctx context.Context, q querier, each func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}
