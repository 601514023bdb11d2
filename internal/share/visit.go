package share

import (
	"context"
	"fmt"
	"net/http"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Visit is a link as a visitor comes to it.
type Visit struct {
	ID        id.Share
	Owner     id.Account
	Binding   id.Binding
	Abilities []permit.Ability
	Until     clock.Millis
}

// View is what a link's page may tell.
type View struct {
	Visit
	From, To clock.Millis
	Place    string // empty unless the owner ticked it
	Named    bool
}

// Enter exchanges a link's token for one of the browser's own. Problems: not_found, link.over,
// link.too_many_visitors.
func (r *Room) Enter(ctx context.Context, t id.Tenant, with string) (View, string, error) {
	hash, ok := hashed(with)
	if !ok {
		return View{}, "", problem.NotFound()
	}
	w, err := r.link(ctx, "s.token_hash = ?", t, hash)
	if err != nil {
		return View{}, "", r.orOver(ctx, t, hash, err)
	}
	v, err := r.view(ctx, t, w)
	if err != nil {
		return View{}, "", err
	}
	r.making.Lock()
	defer r.making.Unlock()
	var have int
	if err := r.DB.Write.NewRaw("SELECT count(*) FROM share_visit WHERE tenant_id = ? AND share_id = ?", t, w.ID).Scan(ctx, &have); err != nil {
		return View{}, "", fmt.Errorf("count visits: %w", err)
	}
	if have >= maxVisits {
		return View{}, "", problem.New(http.StatusTooManyRequests, "link.too_many_visitors").With("retry_after", "3600")
	}
	own, kept := token()
	if _, err := r.DB.Write.NewRaw("INSERT INTO share_visit (tenant_id, token_hash, share_id) VALUES (?, ?, ?)", t, kept, w.ID).Exec(ctx); err != nil {
		return View{}, "", fmt.Errorf("open link: %w", err)
	}
	return v, own, nil
}

// Visitor finds the link that a browser's own token belongs to. Problems: not_found, link.over.
func (r *Room) Visitor(ctx context.Context, t id.Tenant, s id.Share, own string) (Visit, error) {
	hash, ok := hashed(own)
	if !ok {
		return Visit{}, problem.NotFound()
	}
	w, err := r.link(ctx, "s.id = ? AND s.id IN (SELECT share_id FROM share_visit WHERE token_hash = ?)", t, s, hash)
	if err != nil {
		return Visit{}, r.orOver(ctx, t, hash, err)
	}
	return w.visit(), nil
}

// orOver says of a link that is not there whether it once was.
func (r *Room) orOver(ctx context.Context, t id.Tenant, hash []byte, err error) error {
	if p, ok := problem.Of(err); !ok || p.Status != http.StatusNotFound {
		return err
	}
	if was, look := r.buried(ctx, t, hash); look != nil {
		return look
	} else if was {
		return linkOver()
	}
	return err
}

// Look is what the page of a visited link may tell.
func (r *Room) Look(ctx context.Context, t id.Tenant, s id.Share) (View, error) {
	w, err := r.link(ctx, "s.id = ?", t, s)
	if err != nil {
		return View{}, err
	}
	return r.view(ctx, t, w)
}

func (w row) visit() Visit {
	return Visit{ID: w.ID, Owner: w.Owner, Binding: w.Binding, Abilities: split(w.Abilities), Until: clock.Millis(w.Until)}
}

// link finds a link that is not over.
func (r *Room) link(ctx context.Context, where string, t id.Tenant, args ...any) (row, error) {
	var rows []row
	if err := r.DB.Read.NewRaw("SELECT "+columns+joinMember+"WHERE s.kind = 'link' AND "+where+" AND s.tenant_id = ?", append(args, t)...).Scan(ctx, &rows); err != nil {
		return row{}, fmt.Errorf("find link: %w", err)
	}
	if len(rows) != 1 {
		return row{}, problem.NotFound()
	}
	if rows[0].over(r.now()) {
		return row{}, linkOver()
	}
	of, _, err := r.Places.Where(ctx, t, rows[0].Binding)
	if err == nil && of != rows[0].Owner {
		err = linkOver()
	}
	return rows[0], err
}

func (r *Room) view(ctx context.Context, t id.Tenant, w row) (View, error) {
	g, err := r.one(ctx, t, w)
	if err != nil {
		if refused(err) { // the owner is leaving
			err = linkOver()
		}
		return View{}, err
	}
	v := View{Visit: w.visit(), From: g.From, To: g.To, Named: g.Named}
	if g.Named {
		v.Place = g.Place
	}
	return v, nil
}
