package rights_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

// everyStep are those of a goodbye with that database.
func everyStep(db *sqldb.DB) string {
	if db.Dialect == sqldb.Postgres {
		return "[asked revoked keys_destroyed swept epoch_turned scanned done]"
	}
	return "[asked revoked keys_destroyed swept scrubbed epoch_turned scanned done]"
}

func TestClosingAnAccount(t *testing.T) {
	promise.Proves(t, "P276")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		ada, bob := person(), person()
		door := camera(ada)
		things := []thing{w.put(ada, "ada"), w.put(door, "the door"), w.put(footage(door), "a picture")}
		bobs := w.put(bob, "bob")

		r, err := w.office.CloseAccount(ctx, w.permit(permit.AccountErase, ada))
		if err != nil {
			t.Fatal(err)
		}
		if got := names(r.Steps); got != everyStep(db) || !r.Done() || r.What != rights.Account {
			t.Errorf("%s with steps %s", r.What, got)
		}
		if r.KeysDestroyed != 3 || r.Swept.Rows != 3 || r.UnrecoverableByDays != 30 || !r.UnrecoverableBy.Equal(start.AddDate(0, 0, 30)) {
			t.Errorf("receipt %+v", r)
		}
		if got := fmt.Sprint(w.seen()); got != "[revoke destroy erase scan]" {
			t.Errorf("order %s", got)
		}
		want := []rights.Finding{{Where: "keys.db/bytes", Looked: 3}, {Where: "keys.db/key", Looked: 3}, {Where: "keys.db/slot", Looked: 5},
			{Where: "keys.db/tombstone", Looked: 1}, {Where: "opening", Looked: 3}, {Where: "shelf", Looked: 1}}
		if !slices.Equal(r.LookedFor, want) {
			t.Errorf("looked for %+v", r.LookedFor)
		}
		for _, thing := range things {
			if got := w.opens(thing); got != "" {
				t.Errorf("%q still opens", got)
			}
		}
		if w.rows(ada) != 0 || w.rows(bob) != 1 || w.opens(bobs) != "bob" {
			t.Errorf("rows of ada %d, of bob %d; bob's opens to %q", w.rows(ada), w.rows(bob), w.opens(bobs))
		}
	})
}

func TestReceiptIsABearersAndAboutNobody(t *testing.T) {
	promise.Proves(t, "P286")
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		door := camera(person())
		w.put(door, "the door")
		r, err := w.office.RemoveCamera(ctx, w.permit(permit.CameraErase, door), door.Binding)
		if err != nil || !r.Done() || r.What != rights.Camera {
			t.Fatalf("%+v, %v", r, err)
		}
		again, err := w.office.Receipt(ctx, r.Token)
		if err != nil || again.ID != r.ID || names(again.Steps) != everyStep(db) || again.Token != "" {
			t.Errorf("by its link: %+v, %v", again, err)
		}
		body, err := json.Marshal(again)
		if err != nil {
			t.Fatal(err)
		}
		for name, secret := range map[string]string{"person": door.Subject.String(), "camera": door.Binding.String(), "tenant": door.Tenant.String(), "token": r.Token} {
			if strings.Contains(string(body), secret) {
				t.Errorf("the receipt names the %s: %s", name, body)
			}
		}
		var left, tokens int
		err = db.Read.NewRaw("SELECT count(*) FROM rights_goodbye WHERE subject_id IS NOT NULL OR binding_id IS NOT NULL OR probes IS NOT NULL OR purpose <> ''").Scan(ctx, &left)
		if err != nil || left != 0 {
			t.Errorf("%d goodbyes still say whose they were, %v", left, err)
		}
		err = db.Read.NewRaw("SELECT count(*) FROM rights_goodbye WHERE token_sha256 = ?", []byte(r.Token)).Scan(ctx, &tokens)
		if err != nil || tokens != 0 {
			t.Errorf("the token is stored, %v", err)
		}
		for _, link := range []string{"", "x", r.Token + "A", strings.ToUpper(r.Token), "AAAAAAAAAAAAAAAAAAAAAA"} {
			if got, err := w.office.Receipt(ctx, link); !problem.Is(err, "not_found") || !got.RequestedAt.IsZero() {
				t.Errorf("link %q leads to %+v, %v", link, got, err)
			}
		}
		w.clock.Advance(30*24*time.Hour + time.Second)
		if _, err := w.office.Receipt(ctx, r.Token); !problem.Is(err, "not_found") {
			t.Errorf("after 30 days: %v", err)
		}
		w.eventually("the receipt goes", func() bool {
			w.clock.Advance(time.Hour)
			var n int
			err := db.Read.NewRaw("SELECT count(*) FROM rights_goodbye").Scan(ctx, &n)
			return err == nil && n == 0
		})
	})
}

func TestWithdrawingSparesTheCamera(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		door := camera(person())
		name, picture := w.put(door, "the door"), w.put(footage(door), "a picture")
		r, err := w.office.Withdraw(ctx, w.permit(permit.ConsentChange, door), door.Binding, passport.Recording)
		if err != nil || !r.Done() || r.KeysDestroyed != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		if w.opens(name) != "the door" || w.opens(picture) != "" {
			t.Errorf("name opens to %q, footage to %q", w.opens(name), w.opens(picture))
		}
		w.clock.Advance(time.Millisecond)
		if later := w.put(footage(door), "after agreeing again"); w.opens(later) == "" || w.opens(picture) != "" {
			t.Error("a later consent does not begin anew")
		}
	})
}

func TestWithdrawingForAllReachesEachCamera(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		zoe, other := person(), camera(person())
		door, yard := camera(zoe), camera(zoe)
		name, gone, gone2, stays := w.put(door, "the door"), w.put(footage(door), "a picture"), w.put(footage(yard), "another"), w.put(footage(other), "a neighbour's")
		r, err := w.office.Withdraw(ctx, w.permit(permit.ConsentChange, zoe), id.Binding{}, passport.Recording)
		if err != nil || !r.Done() || r.KeysDestroyed != 2 || r.What != rights.Recording {
			t.Fatalf("%+v, %v", r, err)
		}
		if w.opens(gone) != "" || w.opens(gone2) != "" || w.opens(name) == "" || w.opens(stays) == "" {
			t.Error("the wrong keys went")
		}
		// Its tombstones are marked: another start sweeps nothing of what came after.
		w.clock.Advance(time.Millisecond)
		later := w.put(footage(door), "after agreeing again")
		if err := w.office.Close(); err != nil {
			t.Fatal(err)
		}
		before := len(w.seen())
		w.begin()
		if w.opens(later) == "" || len(w.seen()) != before {
			t.Errorf("the next start did %v", w.seen()[before:])
		}
	})
}

func TestWithdrawingWhatNoKeyRestsOn(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	door := camera(person())
	name := w.put(door, "the door")
	w.office.Asked = func(p passport.Purpose) bool { return p == "push" }
	r, err := w.office.Withdraw(ctx, w.permit(permit.ConsentChange, door), door.Binding, "push")
	if err != nil || !r.Done() || r.KeysDestroyed != 0 || r.UnopenableAt == nil || r.What != rights.Purpose {
		t.Fatalf("%+v, %v", r, err)
	}
	if w.opens(name) == "" {
		t.Error("the camera's own key went")
	}
}

func TestGoodbyesNeedTheirPermit(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	ada := person()
	door, yard := camera(ada), camera(ada)
	kept := w.put(footage(door), "a picture")
	expired := w.permit(permit.AccountErase, ada)
	w.clock.Advance(2 * time.Minute)
	for name, f := range map[string]func() error{
		"no permit":      func() error { _, err := w.office.CloseAccount(ctx, permit.Permit{}); return err },
		"expired":        func() error { _, err := w.office.CloseAccount(ctx, expired); return err },
		"another action": func() error { _, err := w.office.CloseAccount(ctx, w.permit(permit.CameraErase, ada)); return err },
		"another camera": func() error {
			_, err := w.office.RemoveCamera(ctx, w.permit(permit.CameraErase, yard), door.Binding)
			return err
		},
		"a camera's permit for the account": func() error { _, err := w.office.CloseAccount(ctx, w.permit(permit.AccountErase, door)); return err },
		"no camera": func() error {
			_, err := w.office.RemoveCamera(ctx, w.permit(permit.CameraErase, ada), id.Binding{})
			return err
		},
		"a purpose without consent": func() error {
			_, err := w.office.Withdraw(ctx, w.permit(permit.ConsentChange, door), door.Binding, passport.Live)
			return err
		},
		"inventory with another permit": func() error { _, err := w.office.Inventory(ctx, w.permit(permit.AccountRead, ada)); return err },
	} {
		if err := f(); err == nil {
			t.Errorf("%s: allowed", name)
		}
	}
	if len(w.seen()) != 0 || w.opens(kept) != "a picture" {
		t.Errorf("something happened all the same: %v", w.seen())
	}
}

func TestNothingHoldsUpTheKeys(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	door := camera(person())
	picture := w.put(footage(door), "a picture")
	hang := make(chan struct{})
	w.office.Revoke = func(context.Context, rights.Whose) error { <-hang; return nil }
	w.shelf.gate = hang
	w.office.Patience = time.Millisecond
	tx, err := w.db.Write.BeginTx(ctx, nil) // nobody can write to the database either
	if err != nil {
		t.Fatal(err)
	}
	r, err := w.office.RemoveCamera(ctx, w.permit(permit.CameraErase, door), door.Binding)
	if err != nil || r.Done() || r.UnopenableAt == nil || !slices.Contains(r.Notes, rights.NoteSweeping) {
		t.Fatalf("%+v, %v", r, err)
	}
	if got := w.opens(picture); got != "" {
		t.Errorf("%q opens", got)
	}
	if got, err := w.office.Receipt(ctx, r.Token); err != nil || got.Done() {
		t.Errorf("the receipt meanwhile: %+v, %v", got, err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	close(hang)
	w.eventually("the receipt is complete", func() bool {
		got, err := w.office.Receipt(ctx, r.Token)
		return err == nil && got.Done() && slices.Contains(got.Notes, rights.NoteUnrecoverable) && !slices.Contains(got.Notes, rights.NoteSweeping)
	})
}

func TestWhatCannotBeSweptIsUnreadableAndReported(t *testing.T) {
	promise.Proves(t, "P283")
	w := newWorld(t, sqltest.SQLite(t))
	door := camera(person())
	picture := w.put(footage(door), "a picture")
	w.shelf.fails = 3
	w.office.Patience = time.Millisecond
	r, err := w.office.RemoveCamera(ctx, w.permit(permit.CameraErase, door), door.Binding)
	if err != nil {
		t.Fatal(err)
	}
	if w.rows(door) != 1 || w.opens(picture) != "" {
		t.Errorf("%d rows are left and open to %q", w.rows(door), w.opens(picture))
	}
	w.eventually("somebody is told", func() bool {
		w.clock.Advance(time.Second)
		all, stuck, oldest := w.office.Pending()
		return all == 1 && stuck == 1 && oldest.Equal(start)
	})
	w.eventually("the sweep succeeds", func() bool {
		w.clock.Advance(time.Minute)
		got, err := w.office.Receipt(ctx, r.Token)
		return err == nil && got.Done()
	})
	w.eventually("nothing is pending", func() bool { all, _, _ := w.office.Pending(); return all == 0 })
	if w.rows(door) != 0 {
		t.Errorf("%d rows are left", w.rows(door))
	}
}

func TestScanThatFindsSomethingSweepsAgain(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	ada := person()
	w.put(ada, "ada")
	w.shelf.lies = 1
	w.office.Patience = time.Millisecond
	r, err := w.office.CloseAccount(ctx, w.permit(permit.AccountErase, ada))
	if err != nil {
		t.Fatal(err)
	}
	w.eventually("the second sweep", func() bool {
		w.clock.Advance(time.Second)
		got, err := w.office.Receipt(ctx, r.Token)
		return err == nil && got.Done() && got.Swept.Rows == 1
	})
}

func TestKeysThatCannotBeDestroyedAreTriedAgain(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	ada := person()
	mine := w.put(ada, "ada")
	broken := &brokenKeys{Keys: w.office.Keys, left: 2}
	w.office.Keys = broken
	if _, err := w.office.CloseAccount(ctx, w.permit(permit.AccountErase, ada)); !problem.Is(err, "rights.keys") {
		t.Fatalf("said %v", err)
	}
	if len(w.seen()) == 0 || w.seen()[0] != "revoke" || slices.Contains(w.seen(), "erase") {
		t.Errorf("saw %v: want leases ended and nothing swept", w.seen())
	}
	w.eventually("the keys go", func() bool { w.clock.Advance(time.Second); return w.opens(mine) == "" && w.rows(ada) == 0 })
}

type brokenKeys struct {
	rights.Keys
	left int
}

func (b *brokenKeys) Destroy(ctx context.Context, s seal.Selection, why string) (seal.Destruction, error) {
	if b.left--; b.left >= 0 {
		return seal.Destruction{}, errors.New("the disk is gone")
	}
	return b.Keys.Destroy(ctx, s, why)
}

func TestInventoryMergesRooms(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	ada, bob := person(), person()
	w.put(ada, "ada")
	w.put(ada, "more")
	w.put(bob, "bob")
	held, err := w.office.Inventory(ctx, w.permit(permit.PrivacyRead, ada))
	if err != nil || len(held) != 1 || held[0].Count != 3 || held[0].Bytes == 0 || held[0].Oldest != clock.At(start)-5 {
		t.Errorf("held %+v, %v", held, err)
	}
}
