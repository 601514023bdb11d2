package share

import (
	"errors"
	"slices"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

// New terms hold from the answer on, for what runs as for what comes; nobody else can change them.
func TestChangedTermsHoldAtOnce(t *testing.T) {
	promise.Proves(t, "P123")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := begin(t, db)
		anna := person()
		_, door := r.place(anna)
		ben, s := r.member(anna, Wanted{Scope: Scope{Binding: door}, Terms: can(permit.LiveView), Label: "Ben", Email: "ben@house.example"})
		who := permit.Actor{Account: ben}
		live := r.lease(who, permit.CameraWatch, door)
		change := func(by id.Account, label string, to Terms) (Given, error) {
			return r.Change(ctx, r.permit(by, permit.ShareChange), id.DefaultTenant, by, s, label, to)
		}
		for by, to := range map[id.Account]Terms{ben: can(permit.LiveView), person(): can(permit.LiveView)} {
			if _, err := change(by, "x", to); code(err) != "not_found" {
				t.Errorf("somebody else changes it: %v", err)
			}
		}
		past := can(permit.LiveView)
		past.Until = clock.At(start.Add(-time.Hour))
		for want, to := range map[string]Terms{"share.abilities": {}, "share.until": past} {
			if _, err := change(anna, "Ben", to); code(err) != want {
				t.Errorf("%+v: %v, want %s", to, err, want)
			}
		}
		if live.State() == permit.Ended {
			t.Error("what was refused ended a lease")
		}

		to := can(permit.Playback)
		to.From, to.Until = clock.At(start.Add(-time.Hour)), clock.At(start.Add(time.Hour))
		g, err := change(anna, "Benjamin", to)
		if err != nil || g.Label != "Benjamin" || g.Email != "ben@house.example" || g.Member != ben || !slices.Equal(g.Abilities, to.Abilities) {
			t.Fatalf("%+v, %v", g, err)
		}
		if live.State() != permit.Ended {
			t.Error("a lease goes on under the old terms")
		}
		if _, err := r.ask(who, permit.CameraWatch, door); code(err) != "share.not_included" {
			t.Errorf("what was taken out: %v", err)
		}
		grant, err := r.ask(who, permit.FootageRead, door)
		if err != nil || grant.From != to.From {
			t.Errorf("what was put in: %v, %v", grant.From, err)
		}
		given, err := r.Given(ctx, r.permit(anna, permit.ShareRead), id.DefaultTenant, anna)
		if err != nil || len(given) != 1 || given[0].Label != "Benjamin" || given[0].Until != to.Until {
			t.Errorf("the list says %+v, %v", given, err)
		}

		r.clock.Set(to.Until.Time())
		if _, err := change(anna, "Ben", can(permit.LiveView)); code(err) != "share.fixed" {
			t.Errorf("a share that is over comes back: %v", err)
		}
	})
}

// An invite says what it was changed to; a link stays as it was made.
func TestAnInviteIsChangedAndALinkIsNot(t *testing.T) {
	r := begin(t, sqltest.SQLite(t))
	anna := person()
	_, door := r.place(anna)
	g, token := r.invite(anna, Wanted{Scope: Scope{Binding: door}, Terms: can(permit.LiveView, permit.Playback)})
	may := r.permit(anna, permit.ShareChange)
	if _, err := r.Change(ctx, may, id.DefaultTenant, anna, g.ID, "Ben", can(permit.LiveView)); err != nil {
		t.Fatal(err)
	}
	if l, err := r.Letter(ctx, id.DefaultTenant, token); err != nil || !slices.Equal(l.Abilities, []permit.Ability{permit.LiveView}) {
		t.Errorf("the letter says %v, %v", l.Abilities, err)
	}
	ben := person()
	if _, err := r.Accept(ctx, id.DefaultTenant, token, ben, ""); err != nil {
		t.Fatal(err)
	}
	if _, err := r.ask(permit.Actor{Account: ben}, permit.FootageRead, door); code(err) != "share.not_included" {
		t.Errorf("what the invite once said: %v", err)
	}
	link, _ := r.link(anna, Wanted{Scope: Scope{Binding: door}, Terms: can(permit.LiveView)})
	if _, err := r.Change(ctx, may, id.DefaultTenant, anna, link.ID, "", can(permit.Playback)); code(err) != "share.fixed" {
		t.Errorf("a link is changed: %v", err)
	}
}

// A link that is no more, for whatever reason, is over and not a riddle: for who holds it and for
// who has opened it. After a month even that is forgotten.
func TestADeletedLinkIsOver(t *testing.T) {
	promise.Proves(t, "P128")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		for name, deleted := range map[string]func(r rig, owner id.Account, b id.Binding, s id.Share) error{
			"forgotten": func(r rig, owner id.Account, _ id.Binding, s id.Share) error {
				may := r.permit(owner, permit.ShareChange)
				return errors.Join(r.End(ctx, may, id.DefaultTenant, owner, s), r.End(ctx, may, id.DefaultTenant, owner, s))
			},
			"its camera deleted": func(r rig, owner id.Account, b id.Binding, _ id.Share) error {
				_, err := Holder{r.Room}.Erase(ctx, rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(owner), Binding: b})
				return err
			},
			"its owner's account closed": func(r rig, owner id.Account, _ id.Binding, _ id.Share) error {
				_, err := Holder{r.Room}.Erase(ctx, rights.Whose{Tenant: id.DefaultTenant, Subject: id.SubjectOf(owner)})
				return err
			},
		} {
			r := begin(t, db)
			anna := person()
			_, door := r.place(anna)
			link, opens := r.link(anna, Wanted{Scope: Scope{Binding: door}, Terms: can(permit.LiveView)})
			_, own, err := r.Enter(ctx, id.DefaultTenant, opens)
			if err != nil {
				t.Fatal(err)
			}
			if err := deleted(r, anna, door, link.ID); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			comes := func(want string) {
				t.Helper()
				if _, _, err := r.Enter(ctx, id.DefaultTenant, opens); code(err) != want {
					t.Errorf("%s: who holds it hears %v, want %s", name, err, want)
				}
				if _, err := r.Visitor(ctx, id.DefaultTenant, link.ID, own); code(err) != want {
					t.Errorf("%s: who opened it hears %v, want %s", name, err, want)
				}
			}
			comes("link.over")
			_, other := token()
			if was, err := r.buried(ctx, id.DefaultTenant, other); was || err != nil {
				t.Errorf("a token nobody made is over: %v", err)
			}
			r.clock.Advance(keepOver + time.Second)
			if _, err := r.Expire(ctx); err != nil {
				t.Fatal(err)
			}
			comes("not_found")
		}
	})
}
