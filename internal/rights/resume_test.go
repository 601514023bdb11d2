package rights_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
	"candor/internal/rights"
	"candor/internal/rights/canary"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

func TestInterruptedGoodbyeGoesOn(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		door := camera(person())
		old := w.put(footage(door), "before")
		w.shelf.gate = make(chan struct{}) // never opens: the sweep is interrupted
		w.office.Patience = time.Millisecond
		r, err := w.office.Withdraw(ctx, w.permit(permit.ConsentChange, door), door.Binding, passport.Recording)
		if err != nil || r.Done() {
			t.Fatalf("%+v, %v", r, err)
		}
		if err := w.office.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.office.CloseAccount(ctx, w.permit(permit.AccountErase, person())); !problem.Is(err, "rights.closed") {
			t.Errorf("a closed office: %v", err)
		}
		// The person agrees again before the next start's sweep has come to it.
		w.clock.Advance(time.Second)
		later := w.put(footage(door), "after")
		w.shelf.gate = nil
		erased := len(w.seen())
		w.begin()
		w.eventually("the receipt is complete", func() bool {
			got, err := w.office.Receipt(ctx, r.Token)
			return err == nil && got.Done() && got.Swept.Rows == 1 && slices.Contains(got.Notes, rights.NoteResumed)
		})
		if n := len(w.seen()) - erased; n != 2 {
			t.Errorf("saw %v: want one sweep and one scan", w.seen()[erased:])
		}
		if w.opens(old) != "" || w.opens(later) != "after" || w.rows(door) != 1 {
			t.Errorf("old opens to %q, later to %q, %d rows", w.opens(old), w.opens(later), w.rows(door))
		}
	})
}

func TestKeysOfAnInterruptedGoodbyeGoBeforeTheStart(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	ada := person()
	mine := w.put(ada, "ada")
	w.office.Keys = &brokenKeys{Keys: w.office.Keys, left: 1 << 30}
	if _, err := w.office.CloseAccount(ctx, w.permit(permit.AccountErase, ada)); err == nil {
		t.Fatal("no keys were destroyed and it says they were")
	}
	if err := w.office.Close(); err != nil {
		t.Fatal(err)
	}
	if w.opens(mine) != "ada" {
		t.Fatal("the keys are gone already")
	}
	w.begin()
	if got := w.opens(mine); got != "" {
		t.Errorf("the start is over and %q opens", got)
	}
	w.eventually("the sweep", func() bool { return w.rows(ada) == 0 })
}

// leaving is a shelf that has let go of things.
type leaving struct {
	*shelf
	left []rights.Whose
}

func (l leaving) Leaving(context.Context) ([]rights.Whose, error) { return l.left, nil }

func TestGoodbyesThatWereNeverBegunAreSaidAtTheStart(t *testing.T) {
	w := newWorld(t, sqltest.SQLite(t))
	ada, bob, eve := person(), person(), person()
	door, gate, hall, left := camera(bob), camera(bob), camera(eve), camera(eve)
	closed, kept := w.put(ada, "ada"), w.put(bob, "bob")
	withdrawn, agreed := w.put(footage(door), "door"), w.put(footage(gate), "gate")
	stays, removed := w.put(hall, "hall"), w.put(left, "left")
	if err := w.office.Close(); err != nil {
		t.Fatal(err)
	}
	of := func(s seal.Scope) rights.Whose {
		return rights.Whose{Tenant: s.Tenant, Subject: s.Subject, Binding: s.Binding}
	}
	taken := of(door)
	taken.Purpose = passport.Recording
	nothing := of(hall)
	nothing.Purpose = passport.Recording
	w.office = w.newOffice()
	w.office.Holders = []rights.Holder{leaving{w.shelf, []rights.Whose{of(ada), taken, nothing, of(left)}}}
	if err := w.office.Start(ctx); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		thing thing
		want  string
	}{"closed": {closed, ""}, "withdrawn": {withdrawn, ""}, "removed": {removed, ""}, "kept": {kept, "bob"}, "agreed": {agreed, "gate"}, "stays": {stays, "hall"}} {
		if got := w.opens(c.thing); got != c.want {
			t.Errorf("the start is over and what is %s opens to %q", name, got)
		}
	}
	w.eventually("the sweeps", func() bool {
		all, _, _ := w.office.Pending()
		return all == 0 && w.rows(ada) == 0 && w.rows(left) == 0 && w.rows(door) == 0 && w.rows(gate) == 1 && w.rows(hall) == 1
	})
}

// A backup of the data, made before the goodbye, is restored. keys.db is in no backup.
func TestRestoredBackupStaysForgotten(t *testing.T) {
	promise.Proves(t, "P271")
	db := sqltest.SQLite(t)
	w := newWorld(t, db)
	ada, bob := person(), person()
	mine, bobs := w.put(ada, "ada's own words"), w.put(bob, "bob's own words")
	backup := filepath.Join(t.TempDir(), "backup.db")
	if _, err := db.Write.Exec("VACUUM INTO ?", backup); err != nil {
		t.Fatal(err)
	}
	if r, err := w.office.CloseAccount(ctx, w.permit(permit.AccountErase, ada)); err != nil || !r.Done() {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := w.office.Close(); err != nil {
		t.Fatal(err)
	}
	restored, err := sqldb.Open(ctx, backup)
	if err != nil {
		t.Fatal(err)
	}
	defer restored.Close()
	w.db = restored
	if w.rows(ada) != 1 {
		t.Fatal("the backup has nothing of what was erased: the test shows nothing")
	}
	if w.opens(mine) != "" {
		t.Error("what the backup brought back opens")
	}
	w.begin()
	if w.rows(ada) != 0 || w.rows(bob) != 1 || w.opens(bobs) != "bob's own words" {
		t.Errorf("after the start: %d rows of ada, %d of bob", w.rows(ada), w.rows(bob))
	}
	erased := len(w.seen())
	if err := w.office.Close(); err != nil {
		t.Fatal(err)
	}
	w.begin()
	if len(w.seen()) != erased {
		t.Error("the next start sweeps it once more")
	}
}

// Somebody kept copies of the key file and of the data from before the goodbye.
func TestNoOldCopyBringsItBack(t *testing.T) {
	promise.Proves(t, "P274")
	w := newWorld(t, sqltest.SQLite(t))
	ada := person()
	mine := w.put(ada, "ada's own words")
	copied, err := os.ReadFile(filepath.Join(w.dir, "keys.db"))
	if err != nil {
		t.Fatal(err)
	}
	if r, err := w.office.CloseAccount(ctx, w.permit(permit.AccountErase, ada)); err != nil || !r.Done() {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := w.office.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.keys.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(w.dir, "keys.db"), copied, 0o600); err != nil {
		t.Fatal(err)
	}
	if w.keys, err = seal.Open(ctx, seal.Options{Dir: w.dir, Clock: w.clock}); err == nil {
		t.Errorf("the old key file opens, and the value to %q", w.opens(mine))
		return
	}
	if !problem.Is(err, "keys.missing") {
		t.Errorf("the old key file: %v", err)
	}
	if w.keys, err = seal.Open(ctx, seal.Options{Dir: t.TempDir(), Fresh: true, Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
}

func TestNoWordOfItIsInAnyFile(t *testing.T) {
	db := sqltest.SQLite(t)
	w := newWorld(t, db)
	ada := person()
	door := camera(ada)
	w.put(ada, "Ada Canary Quill")
	w.put(door, "The Canary Door")
	folders := []string{w.dir}
	var file string
	if err := db.Read.NewRaw("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(ctx, &file); err != nil {
		t.Fatal(err)
	}
	folders = append(folders, filepath.Dir(file))
	needles := []string{"Ada Canary Quill", "The Canary Door", string(ada.Subject[:]), string(door.Binding[:])}
	if r, err := w.office.CloseAccount(ctx, w.permit(permit.AccountErase, ada)); err != nil || !r.Done() {
		t.Fatalf("%+v, %v", r, err)
	}
	if err := w.office.Close(); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for _, dir := range folders {
		hits, err := canary.Hunt(dir, needles)
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range hits {
			if h.File == "keys.db" && h.Needle == string(ada.Subject[:]) {
				continue // the tombstone: a random number that leads to nobody any more
			}
			t.Errorf("found %s", h)
		}
	}
}

// Nothing could be written down of the goodbye: the disk was full, and then the process was killed.
// The tombstones in keys.db are enough for the sweep.
func TestUnwrittenGoodbyeIsSweptByItsTombstone(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		w := newWorld(t, db)
		door, yard := camera(person()), camera(person())
		w.put(footage(door), "withdrawn")
		name := w.put(yard, "removed")
		w.clock.Advance(time.Second)
		s := seal.Buckets(door.Tenant, door.Subject, door.Binding, passport.Footage)
		for _, goodbye := range []struct {
			of  seal.Selection
			why string
		}{{s, seal.Withdrawn + ":recording"}, {seal.Camera(yard.Tenant, yard.Subject, yard.Binding), seal.Removed}} {
			if _, err := w.keys.Destroy(ctx, goodbye.of, goodbye.why); err != nil {
				t.Fatal(err)
			}
		}
		w.clock.Advance(time.Second)
		later := w.put(footage(door), "after agreeing again")
		if err := w.office.Close(); err != nil {
			t.Fatal(err)
		}
		w.begin()
		if w.rows(door) != 1 || w.opens(later) == "" || w.rows(yard) != 0 || w.opens(name) != "" {
			t.Errorf("%d rows of the door, %d of the yard; the later one opens to %q", w.rows(door), w.rows(yard), w.opens(later))
		}
	})
}

func FuzzReceiptLink(f *testing.F) {
	w := &rights.Office{}
	for _, s := range []string{"", "AAAAAAAAAAAAAAAAAAAAA", "AAAAAAAAAAAAAAAAAAAAAAA", "é", "AAAAAAAAAAAAAAAAAAAAA\n", "000000000000000000000A\n"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if len(token) == 22 {
			return // well-formed ones reach the database
		}
		if _, err := w.Receipt(ctx, token); !problem.Is(err, "not_found") {
			t.Errorf("%q: %v", token, err)
		}
	})
}
