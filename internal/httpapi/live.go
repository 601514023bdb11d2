package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Live is the picture now. Whatever is given works under the lease and ends with it.
type Live interface {
	// Still is the newest picture, at most width pixels wide (0: as it is).
	Still(ctx context.Context, l *permit.Lease, b id.Binding, width int) (Picture, error)
	// Offer answers a WHEP offer. The viewing ends with the lease; when the browser goes, Live
	// ends the lease.
	Offer(ctx context.Context, l *permit.Lease, b id.Binding, offer string, w Watch) (answer string, v id.Viewing, err error)
	// Socket upgrades the request to a WebSocket and serves MSE until the browser or the lease is
	// gone. An error that is not ErrAnswered came before the upgrade and is still to be answered.
	Socket(ctx context.Context, l *permit.Lease, b id.Binding, rw http.ResponseWriter, r *http.Request, w Watch) error
}

// ErrAnswered marks an error that came when the request had been answered.
var ErrAnswered = errors.New("answered already")

// Watch is what a viewer asks for.
type Watch struct {
	Quality string // "auto", "main" or "sub"
	Audio   bool
}

// Picture is one JPEG.
type Picture struct {
	JPEG          []byte
	At            clock.Millis // when it was taken
	Width, Height int
}

var qualities = []string{"auto", "main", "sub"}

func watch(r *http.Request) (Watch, error) {
	q := r.URL.Query()
	w := Watch{Quality: q.Get("quality"), Audio: q.Get("audio") == "1" || q.Get("audio") == "true"}
	if w.Quality == "" {
		w.Quality = "auto"
	}
	if !slices.Contains(qualities, w.Quality) {
		return w, badQuery("quality")
	}
	return w, nil
}

func badQuery(name string) error {
	p := problem.Invalid("request.invalid")
	p.Fields = []problem.Field{{Pointer: "?" + name, Code: "field.invalid"}}
	return p
}

func width(r *http.Request) (int, error) {
	s := r.URL.Query().Get("w")
	if s == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 16 || n > 8192 {
		return 0, badQuery("w")
	}
	return n, nil
}

func documentWatch(op *huma.Operation) {
	query(op, "quality", "auto changes to main at its next key picture", text("auto", "main", "sub"), false)
	query(op, "audio", "1 for sound", text("0", "1"), false)
}

func documentPicture(op *huma.Operation) {
	query(op, "w", "Width in pixels, at most", &huma.Schema{Type: huma.TypeInteger, Minimum: new(16.0), Maximum: new(8192.0)}, false)
	answers(op, http.StatusOK, "A picture; Candor-Captured-At says when it was taken", "image/jpeg")
}

func (a *API) live() {
	a.raw(Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/still.jpg", ID: "getStill", Summary: "The newest picture", Auth: Session, Action: permit.CameraStill, Hold: While, Tag: "live"},
		documentPicture, a.still)

	a.raw(Route{Method: http.MethodPost, Path: "/api/v1/cameras/{id}/whep", ID: "watchWHEP", Summary: "Watch by WebRTC (WHEP)", Auth: Session, Action: permit.CameraWatch, Hold: Beyond, Tag: "live"},
		documentWHEP, a.whep)

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/whep/{viewing}", ID: "endWHEP", Summary: "End a WebRTC viewing", Auth: Session, Tag: "live"},
		func(ctx context.Context, path *struct {
			Viewing string `path:"viewing"`
		}) (*none, error) {
			return a.endViewing(ctx, path.Viewing)
		}, http.StatusNoContent)

	a.raw(Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/mse", ID: "watchMSE", Summary: "Watch by Media Source Extensions over a WebSocket", Auth: Session, Action: permit.CameraWatch, Hold: While, Tag: "live"},
		documentMSE, a.mse)
}

func documentWHEP(op *huma.Operation) {
	documentWatch(op)
	sdp := map[string]*huma.MediaType{"application/sdp": {Schema: &huma.Schema{Type: huma.TypeString}}}
	op.RequestBody = &huma.RequestBody{Required: true, Description: "SDP offer", Content: sdp}
	op.Responses["201"] = &huma.Response{Description: "SDP answer; DELETE Location to end", Content: sdp,
		Headers: map[string]*huma.Param{"Location": {Schema: &huma.Schema{Type: huma.TypeString}}}}
}

func documentMSE(op *huma.Operation) {
	documentWatch(op)
	op.Responses["101"] = &huma.Response{Description: "WebSocket: JSON text messages and fragmented MP4 in binary ones"}
}

// endViewing ends a viewing of one's own.
func (a *API) endViewing(ctx context.Context, name string) (*none, error) {
	v, ok := parse[id.Viewing](name)
	if !ok {
		return nil, problem.NotFound()
	}
	lease, ok := a.viewings.find(v, of(ctx).holder())
	if !ok {
		return nil, problem.NotFound()
	}
	lease.End(permit.ErrEnded)
	return &none{}, nil
}

// still answers with the newest picture.
func (a *API) still(w http.ResponseWriter, r *http.Request) {
	in := of(r.Context())
	wide, err := width(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	p, err := a.deps.Live.Still(in.lease.Context(), in.lease, in.binding, wide)
	a.picture(w, r, p, err)
}

// picture answers with one JPEG.
func (a *API) picture(w http.ResponseWriter, r *http.Request, p Picture, err error) {
	if err != nil {
		a.fail(w, r, err)
		return
	}
	at, _ := Moment(p.At).MarshalText()
	h := w.Header()
	h.Set("Content-Type", "image/jpeg")
	h.Set("Content-Length", strconv.Itoa(len(p.JPEG)))
	h.Set("Cache-Control", "private, no-store")
	h.Set("Candor-Captured-At", string(at))
	out := a.leased(w, r, of(r.Context()).lease)
	defer out.finish()
	_, _ = out.Write(p.JPEG)
}

// whep answers an offer. The lease outlives the response: it is found again by its viewing.
func (a *API) whep(w http.ResponseWriter, r *http.Request) {
	in := of(r.Context())
	answer, viewing, err := a.offer(r, in)
	if err != nil {
		in.lease.End(permit.ErrEnded)
		a.fail(w, r, err)
		return
	}
	a.viewings.keep(viewing, in.holder(), in.lease)
	select {
	case <-a.drain:
		in.lease.End(permit.ErrEnded)
	default:
	}
	h := w.Header()
	h.Set("Content-Type", "application/sdp")
	at := "/api/v1/whep/"
	if !in.visitor.Link.IsZero() {
		at = "/api/v1/link/" + in.visitor.Link.String() + "/whep/"
	}
	h.Set("Location", in.visit.BasePath+at+viewing.String())
	w.WriteHeader(http.StatusCreated)
	_, _ = io.WriteString(w, answer)
}

func (a *API) offer(r *http.Request, in *inside) (string, id.Viewing, error) {
	options, err := watch(r)
	if err != nil {
		return "", id.Viewing{}, err
	}
	if ct := r.Header.Get("Content-Type"); ct != "application/sdp" {
		return "", id.Viewing{}, problem.New(http.StatusUnsupportedMediaType, "request.media_type").With("want", "application/sdp")
	}
	offer, err := io.ReadAll(r.Body)
	if err != nil {
		return "", id.Viewing{}, err
	}
	return a.deps.Live.Offer(in.lease.Context(), in.lease, in.binding, string(offer), options)
}

// mse upgrades to a WebSocket. admit has compared the origin already, proxies weighed.
func (a *API) mse(w http.ResponseWriter, r *http.Request) {
	in := of(r.Context())
	options, err := watch(r)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	if r.Header.Get("Upgrade") == "" {
		a.fail(w, r, problem.New(http.StatusUpgradeRequired, "request.upgrade"))
		return
	}
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{})
	ctx, cancel := context.WithCancel(in.lease.Context())
	defer cancel()
	go func() {
		select {
		case <-a.drain:
			in.lease.End(permit.ErrEnded)
		case <-ctx.Done():
		}
	}()
	err = a.deps.Live.Socket(ctx, in.lease, in.binding, w, r, options)
	switch {
	case err == nil:
	case !errors.Is(err, ErrAnswered):
		a.fail(w, r, err)
	case !errors.Is(err, context.Canceled) && !errors.Is(err, permit.ErrEnded):
		a.deps.Log.InfoContext(ctx, "viewing ended", "request", in.request, "transport", "mse", "err", err)
	}
}
