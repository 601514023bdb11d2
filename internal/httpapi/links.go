package httpapi

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
)

// LinkView is what the page of a link may tell: nothing of the camera or the place unless its owner
// wanted that.
type LinkView struct {
	ID       id.Share `json:"id"`
	Kind     string   `json:"kind" enum:"clip,live"`
	Until    Moment   `json:"until"`
	Export   bool     `json:"export" doc:"The clip can be saved as a file"`
	Seconds  float64  `json:"seconds,omitempty" doc:"Length of the clip"`
	Name     string   `json:"name,omitempty"`
	At       Moment   `json:"at,omitzero" doc:"Where the clip begins"`
	TimeZone string   `json:"time_zone,omitempty"`
	Phase    string   `json:"phase,omitempty" doc:"Of a live link's camera"`
	Streams  []Stream `json:"streams" nullable:"false"`
}

const linkPath = "/api/v1/link/{link}"

func (a *API) links() {
	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/links/{token}/open", ID: "openLink", Summary: "Open a link in this browser", Auth: Bearer, Tag: "links"},
		func(ctx context.Context, path *tokenPath) (*struct {
			SetCookie http.Cookie `header:"Set-Cookie"`
			Body      LinkView
		}, error) {
			if err := a.guess(ctx); err != nil {
				return nil, err
			}
			v, own, until, err := a.deps.Shares.Enter(ctx, a.deps.Tenant, path.Token)
			if err != nil {
				return nil, err
			}
			v.Streams = orEmpty(v.Streams)
			return &struct {
				SetCookie http.Cookie `header:"Set-Cookie"`
				Body      LinkView
			}{a.linkCookie(ctx, v.ID, own, until), v}, nil
		})

	operation(a, Route{Method: http.MethodGet, Path: linkPath, ID: "getLink", Summary: "What a link shows", Auth: Link, Tag: "links"},
		func(ctx context.Context, _ *linkedPath) (*struct{ Body LinkView }, error) {
			v, err := a.deps.Shares.Look(ctx, a.deps.Tenant, of(ctx).visitor.Link)
			v.Streams = orEmpty(v.Streams)
			return &struct{ Body LinkView }{v}, err
		})

	a.raw(Route{Method: http.MethodGet, Path: linkPath + "/still.jpg", ID: "getLinkStill", Summary: "The newest picture", Auth: Link, Action: permit.CameraStill, Hold: While, Tag: "links"}, documentPicture, a.still)
	a.raw(Route{Method: http.MethodPost, Path: linkPath + "/whep", ID: "watchLinkWHEP", Summary: "Watch by WebRTC (WHEP)", Auth: Link, Action: permit.CameraWatch, Hold: Beyond, Tag: "links"}, documentWHEP, a.whep)
	operation(a, Route{Method: http.MethodDelete, Path: linkPath + "/whep/{viewing}", ID: "endLinkWHEP", Summary: "End a WebRTC viewing", Auth: Link, Tag: "links"},
		func(ctx context.Context, path *struct {
			linkedPath
			Viewing string `path:"viewing"`
		}) (*none, error) {
			return a.endViewing(ctx, path.Viewing)
		}, http.StatusNoContent)
	a.raw(Route{Method: http.MethodGet, Path: linkPath + "/mse", ID: "watchLinkMSE", Summary: "Watch by Media Source Extensions over a WebSocket", Auth: Link, Action: permit.CameraWatch, Hold: While, Tag: "links"}, documentMSE, a.mse)
	a.raw(Route{Method: http.MethodGet, Path: linkPath + "/clip.mp4", ID: "getLinkClip", Summary: "The clip as MP4, by byte ranges", Auth: Link, Action: permit.FootageRead, Export: permit.FootageExport, Hold: While, Tag: "links"},
		func(op *huma.Operation) {
			query(op, "download", "1 to save it as a file", text("0", "1"), false)
			answers(op, http.StatusOK, "The whole", "video/mp4")
			answers(op, http.StatusPartialContent, "The bytes asked for", "video/mp4")
		}, a.clip)
}

type linkedPath struct {
	Link string `path:"link" doc:"The link, as opening it told"`
}

// linkCookie carries a visitor's token: the session of a visit, on the paths of that link alone.
func (a *API) linkCookie(ctx context.Context, link id.Share, own string, until time.Time) http.Cookie {
	v := of(ctx).visit
	return http.Cookie{
		Name: sessionCookie, Value: own, Path: v.BasePath + "/api/v1/link/" + link.String(), HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: v.Secure,
		MaxAge: max(int(until.Sub(a.deps.Clock.Now())/time.Second), 1),
	}
}

const visitsTried = 4 // cookies of one request that are looked at

// visiting finds the visitor that one of the request's cookies belongs to.
func (a *API) visiting(r *http.Request, in *inside) error {
	link, ok := parse[id.Share](r.PathValue("link"))
	if !ok {
		return errNotFound()
	}
	var over error
	for i, c := range r.CookiesNamed(sessionCookie) {
		if i == visitsTried {
			break
		}
		v, err := a.deps.Shares.Visitor(r.Context(), a.deps.Tenant, link, c.Value)
		switch {
		case err == nil && v.Link == link && !v.Binding.IsZero():
			in.visitor, in.binding, in.caller = v, v.Binding, Caller{Tenant: a.deps.Tenant}
			return nil
		case err != nil && !problem.Is(err, "not_found"):
			over = err
		}
	}
	if over != nil {
		return over
	}
	return errNotFound()
}

// clip serves the footage of a link. Its name says nothing of the camera, the place or the moment.
func (a *API) clip(w http.ResponseWriter, r *http.Request) {
	in := of(r.Context())
	g := in.lease.Grant()
	if g.From == 0 || g.To == 0 {
		a.fail(w, r, errNotFound())
		return
	}
	m, err := a.deps.Footage.Movie(in.lease.Context(), in.lease, in.binding, media.Main, g.From, g.To)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.serveMovie(w, r, m, "clip.mp4")
}
