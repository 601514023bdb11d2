package takeaway

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"candor/internal/blob"
	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/rights"
	"candor/internal/seal"
	"candor/internal/sqldb"
)

// Keys is what the room needs of package seal; *seal.Keeper is one.
type Keys interface {
	NewObject(ctx context.Context, s seal.Scope, aad []byte) (*seal.ObjectKey, []byte, id.Key, error)
	OpenObject(ctx context.Context, p permit.Permit, at seal.Place, key id.Key, wrapped, aad []byte) (*seal.ObjectKey, error)
	Destroy(ctx context.Context, s seal.Selection, reason string) (seal.Destruction, error)
}

var _ Keys = (*seal.Keeper)(nil)

const (
	days    = 7 // a copy lives
	aDay    = 3 // copies a person can ask for
	atOnce  = 4 // downloads of one copy
	history = 30 * 24 * time.Hour
	day     = 24 * time.Hour
)

// Room makes and gives copies. The exported fields are set before Start.
type Room struct {
	DB    *sqldb.DB
	Keys  Keys
	Store blob.Store
	Clock clock.Clock
	Log   *slog.Logger

	// Holders are all rooms that hold things about people; a Library among them gives its files, too.
	Holders func() []rights.Holder
	// Lease is for making a copy: that of a part of the system, for permit.PrivacyExport.
	Lease func(ctx context.Context, t id.Tenant, s id.Subject) (*permit.Lease, error)
	// Policy is the hash of the policy in force, for the manifest.
	Policy string
	// Readme is the text that says what is where, in a language.
	Readme func(language string, made clock.Millis) string
	// Tell is told that a copy has come on; it must not wait. May be nil.
	Tell func(Export)

	beginning sync.Mutex // one at a time, so that nobody has two
	making    sync.Mutex // one copy at a time: it reads all there is
	mu        sync.Mutex
	jobs      map[id.Export]*job
	open      map[*Copy]id.Export // being downloaded
	work      sync.WaitGroup
	ctx       context.Context
	stop      context.CancelFunc
}

// job is a copy that is being made.
type job struct {
	done  atomic.Int64
	total atomic.Int64
	told  time.Time
}

// Start goes on with copies that an end of the program interrupted: from the beginning, since what
// was held may have changed.
func (r *Room) Start(ctx context.Context) error {
	r.ctx, r.stop = context.WithCancel(context.WithoutCancel(ctx))
	r.jobs, r.open = map[id.Export]*job{}, map[*Copy]id.Export{}
	drafts, err := r.Store.Drafts()
	if err != nil {
		return fmt.Errorf("list drafts of copies: %w", err)
	}
	for _, name := range drafts {
		if err := r.Store.Delete(name); err != nil {
			return fmt.Errorf("drop a draft of a copy: %w", err)
		}
	}
	open, err := r.find(ctx, r.DB.Read, "state = ?", Preparing)
	if err != nil {
		return err
	}
	for _, w := range open {
		r.begin(w)
	}
	return nil
}

// Close stops making copies and waits.
func (r *Room) Close() error {
	r.stop()
	r.work.Wait()
	return nil
}

// Begin asks for a copy of everything about the person the permit is about (permit.PrivacyExport). It
// is made behind it; the link in the answer is told once.
//
// Problems: export.running, export.ready (there is one already), export.too_many.
func (r *Room) Begin(ctx context.Context, p permit.Permit, language string) (Export, error) {
	g, err := r.permitted(p, permit.PrivacyExport)
	if err != nil {
		return Export{}, err
	}
	r.beginning.Lock()
	defer r.beginning.Unlock()
	now := clock.At(r.Clock.Now())
	token, sum := newToken()
	made := &row{
		Tenant: g.Tenant, ID: id.Make[id.Export](), Subject: g.Subject, TokenSum: sum, State: Preparing, Language: language, Created: now,
		Expires: clock.At(r.Clock.Now().AddDate(0, 0, days)),
	}
	err = r.DB.Tx(ctx, func(ctx context.Context, tx bun.Tx) error {
		all, err := r.find(ctx, tx, "tenant_id = ? AND subject_id = ?", g.Tenant, g.Subject)
		if err != nil {
			return err
		}
		if err := quota(all, now); err != nil {
			return err
		}
		_, err = tx.NewInsert().Model(made).Exec(ctx)
		return err
	})
	if err != nil {
		return Export{}, fmt.Errorf("begin a copy: %w", err)
	}
	r.begin(made)
	out := made.export()
	out.Token = token
	return out, nil
}

// quota says why a person cannot have another copy now.
func quota(all []*row, now clock.Millis) error {
	asked, oldest := 0, now
	for _, w := range all {
		switch {
		case w.State == Preparing:
			return problem.Conflict("export.running")
		case w.State == Ready && now < w.Expires:
			return problem.Conflict("export.ready")
		}
		if w.Created > now-clock.Millis(day.Milliseconds()) && w.Why != Failed {
			asked++
			oldest = min(oldest, w.Created)
		}
	}
	if asked >= aDay {
		wait := (int64(oldest)+day.Milliseconds()-int64(now))/1000 + 1
		return problem.New(http.StatusTooManyRequests, "export.too_many").With("retry_after", strconv.FormatInt(wait, 10)).With("limit", strconv.Itoa(aDay))
	}
	return nil
}

// permitted reads from the permit whose copies are meant.
func (r *Room) permitted(p permit.Permit, actions ...permit.Action) (permit.Grant, error) {
	g, ok := p.Grant()
	switch {
	case !ok:
		return g, permit.ErrNone
	case !r.Clock.Now().Before(g.Expires):
		return g, permit.ErrExpired
	case g.Subject.IsZero() || !g.Binding.IsZero():
		return g, permit.ErrOther
	}
	for _, a := range actions {
		if g.Action == a {
			return g, nil
		}
	}
	return g, permit.ErrOther
}

// List lists a person's copies of the last month, newest first. The permit is that of
// permit.PrivacyRead.
func (r *Room) List(ctx context.Context, p permit.Permit) ([]Export, error) {
	g, err := r.permitted(p, permit.PrivacyRead)
	if err != nil {
		return nil, err
	}
	all, err := r.find(ctx, r.DB.Read, "tenant_id = ? AND subject_id = ?", g.Tenant, g.Subject)
	out := make([]Export, 0, len(all))
	for _, w := range all {
		out = append(out, r.look(w))
	}
	return out, err
}

// look is a copy with how far it has come.
func (r *Room) look(w *row) Export {
	e := w.export()
	r.mu.Lock()
	j := r.jobs[w.ID]
	r.mu.Unlock()
	if j != nil && e.State == Preparing {
		e.Done, e.Total = j.done.Load(), max(j.total.Load(), j.done.Load())
	}
	return e
}

// End ends one of a person's copies: its key is destroyed when it returns. The permit is that of
// permit.PrivacyRead.
func (r *Room) End(ctx context.Context, p permit.Permit, which id.Export) (Export, error) {
	g, err := r.permitted(p, permit.PrivacyRead)
	if err != nil {
		return Export{}, err
	}
	all, err := r.find(ctx, r.DB.Read, "tenant_id = ? AND subject_id = ? AND id = ?", g.Tenant, g.Subject, which)
	if err != nil || len(all) == 0 {
		return Export{}, errors.Join(err, problem.NotFound())
	}
	if all[0].State != Ended {
		if err := r.end(ctx, all[0], Deleted); err != nil {
			return Export{}, err
		}
	}
	return all[0].export(), nil
}

// Link finds whose copy a link leads to. A link that never led anywhere is not found; one whose copy
// is over is gone.
func (r *Room) Link(ctx context.Context, token string) (id.Tenant, id.Subject, id.Export, error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) != 16 {
		return id.Tenant{}, id.Subject{}, id.Export{}, problem.NotFound()
	}
	all, err := r.find(ctx, r.DB.Read, "token_sha256 = ?", sumOf(token))
	if err == nil && len(all) == 0 {
		err = problem.NotFound()
	}
	if err == nil {
		err = r.alive(all[0])
	}
	if err != nil {
		return id.Tenant{}, id.Subject{}, id.Export{}, err
	}
	return all[0].Tenant, all[0].Subject, all[0].ID, nil
}

// alive says why a copy cannot be downloaded.
func (r *Room) alive(w *row) error {
	switch {
	case w.State == Preparing:
		return problem.Conflict("export.not_ready")
	case w.State == Ended:
		return problem.Gone("export.ended")
	case clock.At(r.Clock.Now()) >= w.Expires:
		return problem.Gone("export.ended")
	}
	return nil
}

// end ends a copy's downloads and destroys its key, then what it sealed.
func (r *Room) end(ctx context.Context, w *row, why Why) error {
	ctx = context.WithoutCancel(ctx)
	for _, c := range r.opened(w.ID) {
		c.lease.End(problem.Gone("export.ended"))
	}
	reason := seal.Expired
	if why != Expired {
		reason = seal.Removed
	}
	if _, err := r.Keys.Destroy(ctx, seal.Export(w.Tenant, w.Subject, id.RowOf(w.ID)), reason); err != nil {
		return fmt.Errorf("destroy the key of a copy: %w", err)
	}
	w.State, w.Why, w.EndedAt, w.Key, w.Wrapped = Ended, why, clock.At(r.Clock.Now()), id.Key{}, nil
	_, err := r.DB.Write.NewRaw("UPDATE takeaway_export SET state = ?, why = ?, ended_ms = ?, key_id = NULL, wrapped = NULL WHERE id = ? AND state <> ?",
		string(Ended), string(why), int64(w.EndedAt), w.ID, string(Ended)).Exec(ctx)
	if err := errors.Join(err, r.Store.Delete(w.object())); err != nil {
		return fmt.Errorf("end a copy: %w", err)
	}
	r.tell(w)
	return nil
}

// opened are the downloads of a copy.
func (r *Room) opened(which id.Export) (all []*Copy) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c, of := range r.open {
		if of == which {
			all = append(all, c)
		}
	}
	return all
}

func (r *Room) tell(w *row) {
	if r.Tell != nil {
		r.Tell(r.look(w))
	}
}

// Sweep ends the copies whose days are over, and forgets those that ended a month ago.
func (r *Room) Sweep(ctx context.Context) error {
	now := clock.At(r.Clock.Now())
	due, err := r.find(ctx, r.DB.Read, "state = ? AND expires_ms <= ?", Ready, int64(now))
	errs := []error{err}
	for _, w := range due {
		errs = append(errs, r.end(ctx, w, Expired))
	}
	_, err = r.DB.Write.NewRaw("DELETE FROM takeaway_export WHERE state = ? AND ended_ms <= ?", string(Ended), int64(now)-history.Milliseconds()).Exec(ctx)
	return errors.Join(append(errs, err)...)
}

func newToken() (token string, sum []byte) {
	b := make([]byte, 16)
	_, _ = rand.Read(b)
	token = base64.RawURLEncoding.EncodeToString(b)
	return token, sumOf(token)
}

func sumOf(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}
