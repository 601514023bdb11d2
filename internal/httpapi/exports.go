package httpapi

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/id"
	"candor/internal/permit"
)

// Exports makes copies of everything that is held about a person, and gives them away.
type Exports interface {
	// Begin asks for a copy, once the password is right.
	Begin(ctx context.Context, p permit.Permit, a id.Account, password, lang string) (Export, error)
	List(ctx context.Context, p permit.Permit) ([]Export, error)
	// End ends a copy: its key is destroyed when it returns.
	End(ctx context.Context, p permit.Permit, which id.Export) (Export, error)
	// Open opens a copy for as long as the lease of its person lasts.
	Open(ctx context.Context, l *permit.Lease, which id.Export) (Copy, error)
	// Link opens a copy for whoever has its link, under a lease of its own.
	Link(ctx context.Context, token, client string) (*permit.Lease, Copy, error)
}

// Copy is a zip file that can be read from anywhere.
type Copy interface {
	io.ReadSeekCloser
	ETag() string // quoted
	Size() int64
	// Complete says why a read of [from, to) would be broken off.
	Complete(from, to int64) error
	// Err is what broke a read off.
	Err() error
}

// Export is a copy of everything, in the making, ready, or over.
type Export struct {
	ID        id.Export `json:"id"`
	State     string    `json:"state" enum:"preparing,ready,ended"`
	Why       string    `json:"ended_because,omitempty" enum:"deleted,expired,changed,failed"`
	CreatedAt Moment    `json:"created_at"`
	ReadyAt   Moment    `json:"ready_at,omitzero"`
	EndedAt   Moment    `json:"ended_at,omitzero" doc:"Since then its key is destroyed"`
	ExpiresAt Moment    `json:"expires_at"`
	Whole     Moment    `json:"complete_until,omitzero" doc:"From then on the oldest footage in it reaches the end of its time, and a download from the beginning is refused"`
	Size      int64     `json:"size" doc:"Of the zip file, in bytes; 0 while it is made"`
	Done      int64     `json:"done" doc:"Bytes looked at so far"`
	Total     int64     `json:"total" doc:"About how many there are"`
	Link      string    `json:"link,omitempty" doc:"Opens the copy without signing in, below the service's address; told once"`
}

// exportPath names a copy in a path.
type exportPath struct {
	Export string `path:"export"`
}

func (p exportPath) id() (id.Export, error) {
	which, ok := parse[id.Export](p.Export)
	if !ok {
		return which, errNotFound()
	}
	return which, nil
}

func (a *API) exports() {
	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/privacy/exports", ID: "beginExport", Summary: "Ask for a copy of everything about you", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, b *struct {
			Body struct {
				Password string `json:"password" maxLength:"4096"`
			}
		}) (*struct{ Body Export }, error) {
			in := of(ctx)
			e, err := a.deps.Exports.Begin(ctx, in.permit, in.caller.Account, b.Body.Password, in.lang)
			return &struct{ Body Export }{e}, err
		}, http.StatusAccepted)

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/privacy/exports", ID: "listExports", Summary: "Your copies of the last month", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, _ *none) (*struct {
			Body []Export `nullable:"false"`
		}, error) {
			all, err := a.deps.Exports.List(ctx, of(ctx).permit)
			return &struct {
				Body []Export `nullable:"false"`
			}{orEmpty(all)}, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/privacy/exports/{export}", ID: "getExport", Summary: "How far a copy has come", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, p *exportPath) (*struct{ Body Export }, error) {
			which, err := p.id()
			if err != nil {
				return nil, err
			}
			all, err := a.deps.Exports.List(ctx, of(ctx).permit)
			if err != nil {
				return nil, err
			}
			for _, e := range all {
				if e.ID == which {
					return &struct{ Body Export }{e}, nil
				}
			}
			return nil, errNotFound()
		})

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/privacy/exports/{export}", ID: "endExport", Summary: "End a copy; its key is destroyed", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, p *exportPath) (*struct{ Body Export }, error) {
			which, err := p.id()
			if err != nil {
				return nil, err
			}
			e, err := a.deps.Exports.End(context.WithoutCancel(ctx), of(ctx).permit, which)
			return &struct{ Body Export }{e}, err
		}, http.StatusOK)

	a.raw(Route{Method: http.MethodGet, Path: "/api/v1/exports/{file}", ID: "downloadExport", Summary: "A copy as a zip file: <link>.zip, or <id>.zip for who is signed in", Auth: Bearer, Tag: "privacy"},
		func(op *huma.Operation) {
			answers(op, http.StatusOK, "The whole", "application/zip")
			answers(op, http.StatusPartialContent, "The bytes asked for", "application/zip")
		}, a.download)
}

// download serves a copy. Its name says nothing of the person.
func (a *API) download(w http.ResponseWriter, r *http.Request) {
	lease, c, err := a.openCopy(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	defer lease.End(permit.ErrEnded)
	defer c.Close()
	if strings.Contains(r.Header.Get("Range"), ",") {
		r.Header.Del("Range") // each part would open films of its own
	}
	if err := c.Complete(firstByte(r.Header.Get("Range")), c.Size()); err != nil {
		a.fail(w, r, err)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/zip")
	h.Set("ETag", c.ETag())
	h.Set("Cache-Control", "private, no-store")
	h.Set("Content-Disposition", `attachment; filename="candor-copy.zip"`)
	out := a.leased(w, r, lease)
	defer out.finish()
	http.ServeContent(out, r, "", time.Time{}, c)
	if c.Err() != nil { // nobody takes a part for the whole
		a.deps.Log.WarnContext(r.Context(), "a download is broken off", "err", c.Err())
		panic(http.ErrAbortHandler)
	}
}

// openCopy finds out whose copy it is: by its link, or by its id for who is signed in.
func (a *API) openCopy(r *http.Request) (*permit.Lease, Copy, error) {
	ctx, in := r.Context(), of(r.Context())
	name, ok := strings.CutSuffix(r.PathValue("file"), ".zip")
	if !ok {
		return nil, nil, errNotFound()
	}
	which, signedIn := parse[id.Export](name)
	if !signedIn {
		if err := a.throttle.try("export "+in.visit.Client.String(), 60, 0.5e9); err != nil {
			return nil, nil, err
		}
		return a.deps.Exports.Link(ctx, name, in.client)
	}
	if err := a.authenticate(r, in); err != nil {
		return nil, nil, err
	}
	account := in.caller.Account
	if err := a.viewings.reserve(account, a.limits.Viewings); err != nil {
		return nil, nil, err
	}
	lease, err := a.deps.Gate.Lease(ctx, Request{
		Tenant: in.caller.Tenant, Actor: permit.Person(account, in.caller.Session), Action: permit.PrivacyExport, Account: account, Client: in.client,
	})
	if err != nil {
		a.viewings.release(account)
		return nil, nil, err
	}
	lease.OnEnd(func() { a.viewings.release(account) })
	c, err := a.deps.Exports.Open(lease.Context(), lease, which)
	if err != nil {
		lease.End(permit.ErrEnded)
		return nil, nil, err
	}
	return lease, c, nil
}

// firstByte is where a range begins; what is no range begins at the beginning.
func firstByte(header string) int64 {
	from, _, ok := strings.Cut(strings.TrimPrefix(header, "bytes="), "-")
	n, err := strconv.ParseInt(strings.TrimSpace(from), 10, 64)
	if !ok || err != nil || n < 0 {
		return 0
	}
	return n
}
