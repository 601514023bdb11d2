package share

import (
	"math/rand/v2"
	"slices"
	"testing"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/promise"
	"candor/internal/sqldb/sqltest"
)

// What an owner reads in the list is what the gate decides by, after every step of a random history.
func TestTheListIsWhatTheGateDecidesBy(t *testing.T) {
	promise.Proves(t, "P130")
	r := begin(t, sqltest.SQLite(t))
	rnd := rand.New(rand.NewPCG(11, 5))
	anna := person()
	site, door := r.place(anna)
	yard := r.camera(anna, site)
	members := []id.Account{person(), person()}
	abilities := []permit.Ability{permit.LiveView, permit.Playback, permit.Export}
	for step := range 40 {
		given, err := r.Given(ctx, r.permit(anna, permit.ShareRead), id.DefaultTenant, anna)
		if err != nil {
			t.Fatal(err)
		}
		switch n := rnd.IntN(10); {
		case n < 6:
			scope := []Scope{{Site: site}, {Binding: door}, {Binding: yard}}[rnd.IntN(3)]
			terms := can(abilities[rnd.IntN(3)])
			_, token := r.invite(anna, Wanted{Scope: scope, Terms: terms})
			if rnd.IntN(4) > 0 {
				_, _ = r.Accept(ctx, id.DefaultTenant, token, members[rnd.IntN(2)], "") // or it is had already
			}
		case len(given) > 0:
			g := given[rnd.IntN(len(given))]
			if g.State != Ended {
				if err := r.End(ctx, r.permit(anna, permit.ShareChange), id.DefaultTenant, anna, g.ID); err != nil {
					t.Fatal(err)
				}
			}
		}
		if given, err = r.Given(ctx, r.permit(anna, permit.ShareRead), id.DefaultTenant, anna); err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			for _, b := range []id.Binding{door, yard} {
				for _, a := range abilities {
					listed := slices.ContainsFunc(given, func(g Given) bool {
						return g.State == Open && g.Member == m && (g.Binding == b || g.Site == site) && slices.Contains(g.Abilities, a)
					})
					if _, err := r.ask(permit.Actor{Account: m}, actions[a], b); (err == nil) != listed {
						t.Fatalf("step %d: the list says %v, the gate %v", step, listed, err)
					}
				}
			}
		}
	}
}
