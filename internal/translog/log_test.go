package translog_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/policy"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
	"candor/internal/translog"
	"candor/internal/translog/held"
	source "candor/policy"
)

type room struct {
	*translog.Log
	clock  *clock.Virtual
	keeper *seal.Keeper
	dir    string
	tenant id.Tenant
	zoe    id.Account
}

func open(t *testing.T, db *sqldb.DB) room {
	t.Helper()
	c := clock.NewVirtual(time.Date(2031, 5, 6, 15, 10, 9, 0, time.UTC))
	dir := t.TempDir()
	k, err := seal.Open(context.Background(), seal.Options{Dir: dir, Fresh: true, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = k.Close() })
	return room{&translog.Log{DB: db, Keeper: k, Clock: c}, c, k, dir, id.DefaultTenant, id.Make[id.Account]()}
}

func (r room) permit(a id.Account, c passport.Category) permit.Permit {
	return permit.NewIssuer(r.clock).Permit(permit.Grant{
		Tenant: r.tenant, Actor: permit.Person(a, id.Make[id.Session]()), Action: permit.PrivacyRead, Subject: id.SubjectOf(a),
		Purpose: passport.Rights, Categories: []passport.Category{c}, Expires: r.clock.Now().Add(time.Minute),
	})
}

func (r room) watch(t *testing.T, a id.Account, client string) {
	t.Helper()
	err := r.Append(context.Background(), translog.Access{
		Tenant: r.tenant, Subject: id.SubjectOf(a), Actor: permit.Person(a, id.Make[id.Session]()), Action: permit.CameraWatch,
		Binding: id.Make[id.Binding](), Purpose: passport.Live, Client: client,
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (r room) verify(t *testing.T, a id.Account) translog.Verdict {
	t.Helper()
	v, err := r.Verify(context.Background(), r.permit(a, passport.AccessLog), r.tenant, id.SubjectOf(a))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestAccessesAreListedNewestFirst(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		other := id.Make[id.Account]()
		for range 7 {
			r.clock.Advance(time.Minute)
			r.watch(t, r.zoe, "Chrome on Android")
			r.watch(t, other, "Firefox on Linux")
		}
		if err := r.Append(ctx, translog.Access{Tenant: r.tenant, Subject: id.SubjectOf(r.zoe), Actor: permit.System("support"), Action: permit.FootageRead, Purpose: passport.Recording}); err != nil {
			t.Fatal(err)
		}
		p := r.permit(r.zoe, passport.AccessLog)
		var all []translog.Entry
		for cursor := int64(0); ; {
			page, next, err := r.List(ctx, p, r.tenant, id.SubjectOf(r.zoe), cursor, 3)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, page...)
			if cursor = next; next == 0 {
				break
			}
		}
		if len(all) != 8 {
			t.Fatalf("%d entries, want 8", len(all))
		}
		for i, e := range all {
			if e.Seq != int64(8-i) || e.Subject != id.SubjectOf(r.zoe) {
				t.Errorf("entry %d: %+v", i, e)
			}
			if i > 0 && (e.Client != "Chrome on Android" || e.Action != permit.CameraWatch || e.Actor.Account != r.zoe) {
				t.Errorf("entry %d: %+v", i, e)
			}
		}
		if all[0].Actor.System != "support" || !all[1].At.Equal(r.clock.Now()) {
			t.Errorf("newest %+v, %+v", all[0], all[1])
		}
		for name, p := range map[string]permit.Permit{"none": {}, "another's": r.permit(other, passport.AccessLog), "for consents": r.permit(r.zoe, passport.ConsentLog)} {
			if page, _, err := r.List(ctx, p, r.tenant, id.SubjectOf(r.zoe), 0, 3); !errors.Is(err, seal.ErrClosed) || len(page) != 0 {
				t.Errorf("permit %s lists %v, %v", name, page, err)
			}
		}
		if v := r.verify(t, r.zoe); v.BrokenAt != 0 || v.First != 1 || v.Last != 8 {
			t.Errorf("verdict %+v", v)
		}
	})
}

func TestAccessesToOneCamera(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx, door := open(t, db), context.Background(), id.Make[id.Binding]()
		for range 5 {
			r.watch(t, r.zoe, "elsewhere")
			err := r.Append(ctx, translog.Access{
				Tenant: r.tenant, Subject: id.SubjectOf(r.zoe), Actor: permit.Person(r.zoe, id.Make[id.Session]()), Action: permit.FootageRead, Binding: door,
				Purpose: passport.Recording,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		var all []int64
		for cursor := int64(0); ; {
			page, next, err := r.About(ctx, r.permit(r.zoe, passport.AccessLog), r.tenant, id.SubjectOf(r.zoe), door, cursor, 2)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range page {
				if e.Binding != door {
					t.Errorf("another camera: %+v", e)
				}
				all = append(all, e.Seq)
			}
			if cursor = next; next == 0 {
				break
			}
		}
		if !slices.Equal(all, []int64{10, 8, 6, 4, 2}) {
			t.Errorf("listed %v", all)
		}
	})
}

func TestTamperingShows(t *testing.T) {
	for name, c := range map[string]struct {
		sql  string
		at   int64
		trig bool // needs the trigger out of the way, as who owns the database can
	}{
		"middle removed":                     {"DELETE FROM translog_access WHERE seq = 3", 3, false},
		"oldest removed":                     {"DELETE FROM translog_access WHERE seq = 1", 1, false},
		"newest removed":                     {"DELETE FROM translog_access WHERE seq = 5", 5, false},
		"head removed":                       {"DELETE FROM translog_head", 1, false},
		"day changed":                        {"UPDATE translog_access SET day = day - 1 WHERE seq = 2", 2, true},
		"details moved":                      {"UPDATE translog_access SET details = (SELECT details FROM translog_access AS o WHERE o.seq = 1) WHERE seq = 4", 4, true},
		"commitment changed and hashed anew": {"UPDATE translog_access SET commitment = prev WHERE seq = 4", 4, true},
	} {
		t.Run(name, func(t *testing.T) {
			sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
				r := open(t, db)
				for range 5 {
					r.watch(t, r.zoe, "")
				}
				if c.trig {
					if _, err := db.Write.Exec(c.sql); err == nil {
						t.Error("an access record could be changed")
					}
					drop := "DROP TRIGGER translog_access_fixed"
					if db.Dialect == sqldb.Postgres {
						drop += " ON translog_access"
					}
					if _, err := db.Write.Exec(drop); err != nil {
						t.Fatal(err)
					}
				}
				if _, err := db.Write.Exec(c.sql); err != nil {
					t.Fatal(err)
				}
				if v := r.verify(t, r.zoe); v.BrokenAt != c.at {
					t.Errorf("verdict %+v, want broken at %d", v, c.at)
				}
			})
		})
	}
}

func TestManyAtOnceMakeOneChain(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r := open(t, db)
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range 5 {
					r.watch(t, r.zoe, "")
				}
			})
		}
		wg.Wait()
		if v := r.verify(t, r.zoe); v.BrokenAt != 0 || v.Last != 40 {
			t.Errorf("verdict %+v", v)
		}
	})
}

func TestOldAccessesGo(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		for range 3 {
			r.watch(t, r.zoe, "")
		}
		r.clock.Advance(200 * 24 * time.Hour)
		r.watch(t, r.zoe, "")
		if n, err := r.Prune(ctx); n != 0 || err != nil {
			t.Fatalf("pruned %d, %v", n, err)
		}
		r.clock.Advance(165 * 24 * time.Hour)
		if n, err := r.Prune(ctx); n != 3 || err != nil {
			t.Fatalf("pruned %d, %v; want 3", n, err)
		}
		if v := r.verify(t, r.zoe); v.BrokenAt != 0 || v.First != 4 || v.Last != 4 {
			t.Errorf("verdict %+v", v)
		}
		r.clock.Advance(translog.Keep)
		if n, err := r.Prune(ctx); n != 1 || err != nil {
			t.Fatalf("pruned %d, %v; want 1", n, err)
		}
		r.watch(t, r.zoe, "")
		if v := r.verify(t, r.zoe); v.BrokenAt != 0 || v.First != 5 || v.Last != 5 {
			t.Errorf("verdict %+v", v)
		}
	})
}

// In the database there is neither what was done, nor when to the minute, nor from where; and once
// the subject's key is destroyed there is nothing that could be tied to a guess.
func TestDestroyedKeyUnlinks(t *testing.T) {
	r, ctx := open(t, sqltest.SQLite(t)), context.Background()
	r.watch(t, r.zoe, "Canary on Mars")
	var file string
	if err := r.DB.Read.NewRaw("SELECT file FROM pragma_database_list WHERE name = 'main'").Scan(ctx, &file); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, file + "-wal", filepath.Join(r.dir, "keys.db")} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, canary := range []string{"Canary on Mars", string(permit.CameraWatch), "2031-05-06"} {
			if bytes.Contains(b, []byte(canary)) {
				t.Errorf("%s holds %q", filepath.Base(name), canary)
			}
		}
	}
	if _, err := r.keeper.Destroy(ctx, seal.Selection{Tenant: r.tenant, Subject: id.SubjectOf(r.zoe)}, "test"); err != nil {
		t.Fatal(err)
	}
	if page, _, err := r.List(ctx, r.permit(r.zoe, passport.AccessLog), r.tenant, id.SubjectOf(r.zoe), 0, 10); !errors.Is(err, seal.ErrClosed) || len(page) != 0 {
		t.Errorf("listed %v, %v after the key was destroyed", page, err)
	}
	if err := r.Append(ctx, translog.Access{Tenant: r.tenant, Subject: id.SubjectOf(r.zoe), Actor: permit.System("x"), Action: permit.FootageRead}); !errors.Is(err, seal.ErrGone) {
		t.Errorf("Append after the key was destroyed: %v", err)
	}
	var commitment []byte
	if err := r.DB.Read.NewRaw("SELECT commitment FROM translog_access").Scan(ctx, &commitment); err != nil || len(commitment) != sha256.Size {
		t.Errorf("commitment %x, %v", commitment, err)
	}
}

func TestHolderAnswersForTheLog(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		r, ctx := open(t, db), context.Background()
		h, stays := held.Holder{Log: r.Log}, id.Make[id.Account]()
		for range 3 {
			r.watch(t, r.zoe, "Chrome on Android")
		}
		r.watch(t, stays, "")
		w := rights.Whose{Tenant: r.tenant, Subject: id.SubjectOf(r.zoe)}
		p := r.permit(r.zoe, passport.AccessLog)
		if got, err := h.Count(ctx, p, w); err != nil || len(got) != 1 || got[0].Count != 3 || got[0].Until == 0 {
			t.Errorf("Count %+v, %v", got, err)
		}
		var out bytes.Buffer
		if err := h.Export(ctx, p, w, &out); err != nil || bytes.Count(out.Bytes(), []byte("\n")) != 3 || !bytes.Contains(out.Bytes(), []byte("Chrome on Android")) {
			t.Errorf("Export %s, %v", out.String(), err)
		}
		narrow := w
		narrow.Binding = id.Make[id.Binding]()
		if s, err := h.Erase(ctx, narrow); err != nil || s.Rows != 0 {
			t.Errorf("removing a camera erased %+v, %v", s, err)
		}
		if s, err := h.Erase(ctx, w); err != nil || s.Rows != 4 || s.Bytes == 0 {
			t.Errorf("Erase %+v, %v", s, err)
		}
		if s, err := h.Erase(ctx, w); err != nil || s.Rows != 0 {
			t.Errorf("Erase again %+v, %v", s, err)
		}
		found, err := h.Scan(ctx, w)
		if err != nil || len(found) != 2 || found[0].Found != 0 || found[1].Found != 0 || found[0].Looked != 1 {
			t.Errorf("Scan %+v, %v", found, err)
		}
		if found, err := h.Scan(ctx, rights.Whose{Tenant: r.tenant, Subject: id.SubjectOf(stays)}); err != nil || found[0].Found != 1 {
			t.Errorf("Scan of who stays %+v, %v", found, err)
		}
	})
}

func TestPassportsFitThePolicy(t *testing.T) {
	pol, err := policy.Load(source.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range translog.Passports() {
		if err := pol.Judge(p); err != nil {
			t.Error(err)
		}
	}
}
