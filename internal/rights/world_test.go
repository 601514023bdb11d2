package rights_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

var (
	ctx   = context.Background()
	start = time.Date(2030, 5, 4, 10, 0, 0, 0, time.UTC)
)

// world is an installation with one room, the shelf.
type world struct {
	t      *testing.T
	dir    string // of the keys
	db     *sqldb.DB
	clock  *clock.Virtual
	issuer *permit.Issuer
	keys   *seal.Keeper
	shelf  *shelf
	office *rights.Office

	mu     sync.Mutex
	events []string
}

func newWorld(t *testing.T, db *sqldb.DB) *world {
	t.Helper()
	c := clock.NewVirtual(start)
	w := &world{t: t, dir: folder(t), db: db, clock: c, issuer: permit.NewIssuer(c)}
	keys, err := seal.Open(ctx, seal.Options{Dir: w.dir, Fresh: true, Clock: c})
	if err != nil {
		t.Fatal(err)
	}
	w.keys = keys
	if _, err := db.Write.Exec("CREATE TABLE shelf (subject_id " + blob(db) + ", binding_id " + blob(db) + ", row_id " + blob(db) + ", made_ms bigint, sealed " + blob(db) + ")"); err != nil {
		t.Fatal(err)
	}
	w.shelf = &shelf{world: w}
	w.begin()
	t.Cleanup(func() { _ = w.office.Close(); _ = w.keys.Close() })
	return w
}

// folder is in memory where the machine has such a place.
func folder(t *testing.T) string {
	dir, err := os.MkdirTemp("/dev/shm", "candor-rights-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func blob(db *sqldb.DB) string {
	if db.Dialect == sqldb.Postgres {
		return "bytea"
	}
	return "BLOB"
}

// begin opens an office, as a start of the program does.
func (w *world) begin() {
	w.t.Helper()
	w.office = w.newOffice()
	if err := w.office.Start(ctx); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) newOffice() *rights.Office {
	return &rights.Office{
		DB: w.db, Keys: watched{w.keys, w}, Clock: w.clock, Log: slog.New(slog.DiscardHandler), Holders: []rights.Holder{w.shelf},
		Revoke:     func(context.Context, rights.Whose) error { w.saw("revoke"); return nil },
		Rests:      rests,
		BackupDays: 30, ReceiptDays: 30, Patience: 5 * time.Second,
	}
}

func rests(p passport.Purpose) []passport.Category {
	if p == passport.Recording {
		return []passport.Category{passport.Footage}
	}
	return nil
}

func (w *world) saw(event string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.events = append(w.events, event)
}

func (w *world) seen() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.events)
}

// watched tells the world when keys are destroyed.
type watched struct {
	*seal.Keeper
	w *world
}

func (k watched) Destroy(ctx context.Context, s seal.Selection, reason string) (seal.Destruction, error) {
	d, err := k.Keeper.Destroy(ctx, s, reason)
	k.w.saw("destroy")
	return d, err
}

// thing is one sealed value on the shelf.
type thing struct {
	place seal.Place
	value seal.Value
}

func person() seal.Scope { return seal.OfSubject(id.DefaultTenant, id.Subject(id.New[struct{}]())) }

func camera(s seal.Scope) seal.Scope {
	return seal.OfBinding(s.Tenant, s.Subject, id.Binding(id.New[struct{}]()))
}

func footage(c seal.Scope) seal.Scope {
	return c.In(seal.Bucket{Day: clock.DayOf(start), Category: passport.Footage, Class: seal.Continuous})
}

// put seals text under a scope and puts it on the shelf.
func (w *world) put(s seal.Scope, text string) thing {
	w.t.Helper()
	p := seal.Place{Tenant: s.Tenant, Subject: s.Subject, Binding: s.Binding, Passport: "shelf.thing", Category: passport.Identity, Row: id.Row(id.New[struct{}]())}
	if s.Bucket.Category != "" {
		p.Category = s.Bucket.Category
	}
	v, err := w.keys.Seal(ctx, s, p, []byte(text))
	if err != nil {
		w.t.Fatal(err)
	}
	_, err = w.db.Write.NewRaw("INSERT INTO shelf VALUES (?, ?, ?, ?, ?)", p.Subject, p.Binding, p.Row, int64(clock.At(w.clock.Now())), []byte(v)).Exec(ctx)
	if err != nil {
		w.t.Fatal(err)
	}
	return thing{p, v}
}

func (w *world) permit(a permit.Action, s seal.Scope, c ...passport.Category) permit.Permit {
	return w.issuer.Permit(permit.Grant{Tenant: s.Tenant, Subject: s.Subject, Binding: s.Binding, Action: a, Categories: c, Expires: w.clock.Now().Add(time.Minute)})
}

// opens reports what a thing opens to, "" if it does not.
func (w *world) opens(t thing) string {
	w.t.Helper()
	p := w.permit(permit.AccountRead, seal.OfBinding(t.place.Tenant, t.place.Subject, t.place.Binding), t.place.Category)
	plain, err := w.keys.Open(ctx, p, t.place, t.value)
	if err != nil && !errors.Is(err, seal.ErrClosed) {
		w.t.Fatal(err)
	}
	return string(plain)
}

// rows counts what lies on the shelf of a person or camera.
func (w *world) rows(s seal.Scope) (n int64) {
	w.t.Helper()
	if err := w.db.Read.NewRaw("SELECT count(*) FROM shelf WHERE subject_id = ? AND (binding_id = ? OR ?)", s.Subject, s.Binding, s.Binding.IsZero()).Scan(ctx, &n); err != nil {
		w.t.Fatal(err)
	}
	return n
}

func (w *world) eventually(what string, f func() bool) {
	w.t.Helper()
	for range 1000 {
		if f() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatalf("never came: %s", what)
}

// shelf is the room.
type shelf struct {
	world *world
	mu    sync.Mutex
	fails int           // so many times Erase fails
	gate  chan struct{} // Erase waits for it, if it is there
	lies  int           // so many times Erase does nothing and says it did
}

func (s *shelf) Room() string { return "shelf" }

func (s *shelf) where(w rights.Whose) (string, []any) {
	q, args := "subject_id = ?", []any{w.Subject}
	if !w.Binding.IsZero() {
		q, args = q+" AND binding_id = ?", append(args, w.Binding)
	}
	if w.Before != 0 {
		q, args = q+" AND made_ms < ?", append(args, int64(w.Before))
	}
	return q, args
}

func (s *shelf) Count(ctx context.Context, _ permit.Permit, w rights.Whose) ([]rights.Held, error) {
	q, args := s.where(w)
	var n, bytes, oldest int64
	err := s.world.db.Read.NewRaw("SELECT count(*), coalesce(sum(length(sealed)), 0), coalesce(min(made_ms), 0) FROM shelf WHERE "+q, args...).Scan(ctx, &n, &bytes, &oldest)
	half := rights.Held{Room: "shelf", Category: passport.Identity, Kind: "thing", Count: n, Bytes: bytes, Oldest: clock.Millis(oldest), Ends: "account closed"}
	return []rights.Held{half, {Room: "shelf", Category: passport.Identity, Kind: "thing", Count: 1, Oldest: clock.Millis(oldest) - 5, Ends: "account closed"}}, err
}

func (s *shelf) Export(context.Context, permit.Permit, rights.Whose, io.Writer) error { return nil }

func (s *shelf) Erase(ctx context.Context, w rights.Whose) (rights.Swept, error) {
	s.mu.Lock()
	gate, lie := s.gate, s.lies > 0
	if lie {
		s.lies--
	}
	if s.fails > 0 {
		s.fails--
		s.mu.Unlock()
		return rights.Swept{}, errors.New("the shelf is stuck")
	}
	s.mu.Unlock()
	if gate != nil {
		select {
		case <-gate:
		case <-ctx.Done():
			return rights.Swept{}, ctx.Err()
		}
	}
	s.world.saw("erase")
	if lie {
		return rights.Swept{}, nil
	}
	q, args := s.where(w)
	if w.Purpose != "" {
		return s.erase(ctx, q+" AND binding_id IS NOT NULL AND made_ms >= 0", args)
	}
	return s.erase(ctx, q, args)
}

func (s *shelf) erase(ctx context.Context, q string, args []any) (rights.Swept, error) {
	res, err := s.world.db.Write.NewRaw("DELETE FROM shelf WHERE "+q, args...).Exec(ctx)
	if err != nil {
		return rights.Swept{}, err
	}
	n, err := res.RowsAffected()
	return rights.Swept{Rows: n}, err
}

func (s *shelf) Scan(ctx context.Context, w rights.Whose) ([]rights.Finding, error) {
	s.world.saw("scan")
	q, args := s.where(w)
	var n int64
	err := s.world.db.Read.NewRaw("SELECT count(*) FROM shelf WHERE "+q, args...).Scan(ctx, &n)
	return []rights.Finding{{Where: "shelf", Looked: 1, Found: n}}, err
}

func names(steps []rights.Step) string {
	var out []string
	for _, s := range steps {
		out = append(out, s.Name)
	}
	return fmt.Sprint(out)
}
