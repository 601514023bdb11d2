package takeaway_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/takeaway"
)

var (
	ctx   = context.Background()
	start = time.Date(2031, 5, 6, 15, 10, 9, 0, time.UTC)
)

// world is a house with two rooms: one with lines, one with lines and films.
type world struct {
	t      testing.TB
	db     *sqldb.DB
	dir    string
	clock  *clock.Virtual
	keys   *seal.Keeper
	issuer *permit.Issuer
	store  *blob.Disk
	room   *takeaway.Room
	shelf  *shelf
	zoe    id.Subject

	mu     sync.Mutex
	leases []*permit.Lease
}

func newWorld(t testing.TB, db *sqldb.DB) *world {
	t.Helper()
	w := &world{t: t, db: db, dir: t.TempDir(), clock: clock.NewVirtual(start), zoe: id.Make[id.Subject]()}
	w.issuer = permit.NewIssuer(w.clock)
	var err error
	if w.keys, err = seal.Open(ctx, seal.Options{Dir: filepath.Join(w.dir, "keys"), Fresh: true, Clock: w.clock}); err != nil {
		t.Fatal(err)
	}
	if w.store, err = blob.OpenDisk(filepath.Join(w.dir, "exports")); err != nil {
		t.Fatal(err)
	}
	w.shelf = &shelf{clock: w.clock, of: w.zoe, lines: 3}
	w.open()
	t.Cleanup(func() { _ = w.room.Close(); _ = w.keys.Close() })
	return w
}

func (w *world) open() {
	w.t.Helper()
	w.room = &takeaway.Room{
		DB: w.db, Keys: w.keys, Store: w.store, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Policy: "policy hash",
		Holders: func() []rights.Holder { return []rights.Holder{takeaway.Holder{Of: w.room}, w.shelf} },
		Lease: func(ctx context.Context, t id.Tenant, s id.Subject) (*permit.Lease, error) {
			return w.lease(ctx, s, permit.System("rights")), nil
		},
		Readme: func(lang string, made clock.Millis) string { return "Your copy (" + lang + ")\n" },
	}
	if err := w.room.Start(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func grant(s id.Subject, a permit.Action, actor permit.Actor) permit.Grant {
	return permit.Grant{
		Tenant: id.DefaultTenant, Actor: actor, Action: a, Subject: s, Purpose: passport.Rights,
		Categories: []passport.Category{passport.Identity, passport.Footage, passport.AccessLog},
	}
}

func (w *world) lease(ctx context.Context, s id.Subject, actor permit.Actor) *permit.Lease {
	l := w.issuer.Lease(ctx, grant(s, permit.PrivacyExport, actor))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.leases = append(w.leases, l)
	return l
}

// revoke ends every lease there is.
func (w *world) revoke() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.leases {
		l.End(permit.ErrEnded)
	}
	w.leases = nil
}

func (w *world) permit(s id.Subject, a permit.Action) permit.Permit {
	g := grant(s, a, permit.Person(id.Account(s), id.Make[id.Session]()))
	g.Expires = w.clock.Now().Add(time.Minute)
	return w.issuer.Permit(g)
}

// ask begins a copy and waits until it is made, or over.
func (w *world) ask() takeaway.Export {
	w.t.Helper()
	e, err := w.room.Begin(ctx, w.permit(w.zoe, permit.PrivacyExport), "en")
	if err != nil {
		w.t.Fatal(err)
	}
	if e.State != takeaway.Preparing || e.Token == "" {
		w.t.Fatalf("begun: %+v", e)
	}
	done := w.settled(e.ID)
	done.Token = e.Token
	return done
}

// settled waits until a copy is not in the making any more.
func (w *world) settled(which id.Export) (found takeaway.Export) {
	w.t.Helper()
	w.until("the copy is made", func() bool {
		found = w.look(which)
		return found.State != takeaway.Preparing
	})
	return found
}

func (w *world) look(which id.Export) takeaway.Export {
	w.t.Helper()
	all, err := w.room.List(ctx, w.permit(w.zoe, permit.PrivacyRead))
	if err != nil {
		w.t.Fatal(err)
	}
	for _, one := range all {
		if one.ID == which {
			return one
		}
	}
	w.t.Fatalf("copy %s is not listed", which)
	return takeaway.Export{}
}

func (w *world) until(what string, ok func() bool) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	w.t.Fatalf("never came: %s", what)
}

// read downloads a copy whole.
func (w *world) read(which id.Export) ([]byte, *takeaway.Copy) {
	w.t.Helper()
	c, err := w.room.Open(ctx, w.lease(ctx, w.zoe, permit.Person(id.Account(w.zoe), id.Make[id.Session]())), which)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = c.Close() })
	b, err := io.ReadAll(c)
	if err != nil || int64(len(b)) != c.Size() {
		w.t.Fatalf("read %d of %d bytes: %v", len(b), c.Size(), err)
	}
	return b, c
}

// shelf is a room with films.
type shelf struct {
	clock clock.Clock
	of    id.Subject
	lines int

	mu    sync.Mutex
	films []rights.File
	sizes map[string]int64
	gone  map[string]bool
	wait  chan struct{} // films wait for it, if it is there
}

func (s *shelf) put(path string, size int64, from time.Time, until time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := rights.File{Path: path, From: clock.At(from), To: clock.At(from) + 1}
	if !until.IsZero() {
		f.Until = clock.At(until)
	}
	s.films = append(s.films, f)
	if s.sizes == nil {
		s.sizes, s.gone = map[string]int64{}, map[string]bool{}
	}
	s.sizes[path] = size
}

func (s *shelf) take(path string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gone[path] = true
}

func (*shelf) Room() string { return "shelf" }

func (s *shelf) Count(_ context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	if w.Subject != s.of {
		return nil, nil
	}
	held := rights.Held{Room: "shelf", Kind: "thing", Count: int64(s.lines), Bytes: 1000}
	return []rights.Held{held}, nil
}

func (s *shelf) Export(_ context.Context, p permit.Permit, w rights.Whose, to io.Writer) error {
	if err := p.Opens(w.Tenant, w.Subject, w.Binding, passport.Identity, s.clock.Now()); err != nil {
		return err
	}
	for i := range s.lines {
		if err := json.NewEncoder(to).Encode(map[string]any{"kind": "thing", "n": i, "secret": "a canary 4711"}); err != nil {
			return err
		}
	}
	return nil
}

func (*shelf) Erase(context.Context, rights.Whose) (rights.Swept, error) { return rights.Swept{}, nil }
func (*shelf) Scan(context.Context, rights.Whose) ([]rights.Finding, error) {
	return nil, nil
}

func (s *shelf) Files(context.Context, permit.Permit, rights.Whose) ([]rights.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]rights.File(nil), s.films...), nil
}

func (s *shelf) Open(ctx context.Context, l *permit.Lease, w rights.Whose, f rights.File) (rights.Content, error) {
	if err := l.Permit().Opens(w.Tenant, w.Subject, w.Binding, passport.Footage, s.clock.Now()); err != nil {
		return nil, err
	}
	s.mu.Lock()
	wait, size, gone := s.wait, s.sizes[f.Path], s.gone[f.Path]
	s.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	if gone {
		return nil, problem.Gone("footage.gone")
	}
	return &film{s, f.Path, size}, nil
}

// film has bytes that follow from its name.
type film struct {
	of   *shelf
	path string
	size int64
}

func (f *film) ReadAt(b []byte, off int64) (int, error) {
	f.of.mu.Lock()
	gone := f.of.gone[f.path]
	f.of.mu.Unlock()
	if gone {
		return 0, problem.Gone("footage.gone")
	}
	n := int(min(int64(len(b)), f.size-off))
	seed := sha256.Sum256([]byte(f.path))
	for i := range n {
		at := off + int64(i)
		b[i] = seed[at%32] ^ byte(at) ^ byte(at>>8)
	}
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}
func (f *film) Close() error { return nil }
func (f *film) Size() int64  { return f.size }
func (f *film) ETag() string { return fmt.Sprintf("%q", hex.EncodeToString([]byte(f.path))) }
