package door

import (
	"context"

	"candor/internal/clock"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/notice"
	"candor/internal/permit"
)

// Notices shows what people must be told.
type Notices struct{ Room *notice.Room }

var _ httpapi.Notices = Notices{}

// Mine are those that concern a person.
func (x Notices) Mine(ctx context.Context, p permit.Permit, lang string) ([]httpapi.Notice, error) {
	g, err := granted(p)
	if err != nil {
		return nil, err
	}
	return said(lang)(x.Room.Of(ctx, id.Account(g.Subject)))
}

// Open are those that everybody may read.
func (x Notices) Open(ctx context.Context, lang string) ([]httpapi.Notice, error) {
	return said(lang)(x.Room.Open(ctx))
}

// Seen keeps that a person read one.
func (x Notices) Seen(ctx context.Context, p permit.Permit, which id.Row) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	return x.Room.Seen(ctx, id.Account(g.Subject), which)
}

// said puts notices into a language.
func said(lang string) func([]notice.Notice, error) ([]httpapi.Notice, error) {
	return func(all []notice.Notice, err error) ([]httpapi.Notice, error) {
		if err != nil {
			return nil, err
		}
		out := make([]httpapi.Notice, 0, len(all))
		for _, n := range all {
			one := httpapi.Notice{ID: n.ID.String(), Kind: string(n.Kind), Declared: httpapi.Moment(n.Declared), Seen: n.Seen}
			if n.Ends != 0 {
				one.From = dateOf(n.Ends)
			}
			if n.Erases != 0 {
				one.Erases = dateOf(n.Erases)
			}
			for _, p := range n.Said(lang) {
				one.Parts = append(one.Parts, httpapi.NoticePart(p))
			}
			out = append(out, one)
		}
		return out, nil
	}
}

func dateOf(m clock.Millis) string { return m.Time().UTC().Format("2006-01-02") }
