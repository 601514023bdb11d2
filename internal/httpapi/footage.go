package httpapi

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Footage is what was kept.
type Footage interface {
	Timeline(ctx context.Context, p permit.Permit, b id.Binding, profile media.Profile, from, to clock.Millis) (Timeline, error)
	// Days lists the days with footage, in the site's zone.
	Days(ctx context.Context, p permit.Permit, b id.Binding) ([]Day, error)
	// Movie makes an MP4 of a range without rewriting anything. It is read and closed under the lease.
	Movie(ctx context.Context, l *permit.Lease, b id.Binding, profile media.Profile, from, to clock.Millis) (Movie, error)
	// Frame is the key picture at or before a moment.
	Frame(ctx context.Context, l *permit.Lease, b id.Binding, at clock.Millis, width int) (Picture, error)
}

// Movie is an MP4 that can be read from anywhere.
type Movie interface {
	io.ReadSeekCloser
	ETag() string // quoted
}

// Timeline is what there is between two moments.
type Timeline struct {
	From   Moment  `json:"from"`
	To     Moment  `json:"to"`
	Ranges []Range `json:"ranges" nullable:"false"`
	Gaps   []Gap   `json:"gaps" nullable:"false"`
	Oldest Moment  `json:"oldest,omitzero"`
	Newest Moment  `json:"newest,omitzero"`
	Bytes  int64   `json:"bytes" doc:"Of this camera in all"`
}

// Range is recorded time.
type Range struct {
	From Moment `json:"from"`
	To   Moment `json:"to"`
}

// Gap is time without footage, and why.
type Gap struct {
	From     Moment `json:"from"`
	To       Moment `json:"to"`
	Reason   string `json:"reason"`
	Sentence string `json:"sentence"`
}

// Day is a day with footage.
type Day struct {
	Day     string  `json:"day" format:"date" doc:"In the zone of the camera's place"`
	Seconds float64 `json:"seconds"`
}

// longest is the longest range that one request may ask for.
const (
	longestTimeline = 400 * 24 * time.Hour
	longestMovie    = 24 * time.Hour
)

// mostRanges is how many byte ranges one request may ask for; more are answered with the whole.
const mostRanges = 16

type timelineInput struct {
	cameraPath
	From    time.Time `query:"from" required:"true"`
	To      time.Time `query:"to" required:"true"`
	Profile string    `query:"profile" enum:"main,sub" default:"main"`
}

func checkRange(from, to Moment, longest time.Duration) error {
	switch d := time.Duration(to-from) * time.Millisecond; {
	case from < 0 || to <= from || to-from > 1<<50:
		return problem.Invalid("footage.range")
	case d > longest:
		return problem.Invalid("footage.range_too_long")
	}
	return nil
}

func (a *API) footage() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/timeline", ID: "getTimeline", Summary: "What was recorded, and why not", Auth: Session, Action: permit.FootageRead, Tag: "footage"},
		func(ctx context.Context, q *timelineInput) (*struct{ Body Timeline }, error) {
			in := of(ctx)
			from, to := clock.At(q.From), clock.At(q.To)
			if err := checkRange(Moment(from), Moment(to), longestTimeline); err != nil {
				return nil, err
			}
			t, err := a.deps.Footage.Timeline(ctx, in.permit, in.binding, media.Profile(q.Profile), from, to)
			if err != nil {
				return nil, err
			}
			t.Ranges, t.Gaps = orEmpty(t.Ranges), orEmpty(t.Gaps)
			for i, g := range t.Gaps {
				s := a.sentence(in, "footage.gap."+g.Reason, nil)
				if s == "" {
					s = a.sentence(in, "footage.gap.unknown", nil)
				}
				t.Gaps[i].Sentence = s
			}
			return &struct{ Body Timeline }{t}, nil
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/days", ID: "listDays", Summary: "Days with footage", Auth: Session, Action: permit.FootageRead, Tag: "footage"},
		func(ctx context.Context, _ *cameraPath) (*struct {
			Body struct {
				Days []Day `json:"days" nullable:"false"`
			}
		}, error) {
			in := of(ctx)
			days, err := a.deps.Footage.Days(ctx, in.permit, in.binding)
			out := &struct {
				Body struct {
					Days []Day `json:"days" nullable:"false"`
				}
			}{}
			out.Body.Days = orEmpty(days)
			return out, err
		})

	a.raw(Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/footage.mp4", ID: "getFootage", Summary: "A range as MP4, by byte ranges", Auth: Session, Action: permit.FootageRead, Export: permit.FootageExport, Hold: While, Tag: "footage"},
		func(op *huma.Operation) {
			query(op, "from", "Start", moment(), true)
			query(op, "to", "End", moment(), true)
			query(op, "profile", "Which stream", text("main", "sub"), false)
			query(op, "download", "1 to save it as a file", text("0", "1"), false)
			answers(op, http.StatusOK, "The whole", "video/mp4")
			answers(op, http.StatusPartialContent, "The bytes asked for", "video/mp4")
		}, a.movie)

	a.raw(Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/frame.jpg", ID: "getFrame", Summary: "The key picture at or before a moment", Auth: Session, Action: permit.FootageRead, Hold: While, Tag: "footage"},
		func(op *huma.Operation) {
			query(op, "at", "The moment", moment(), true)
			documentPicture(op)
		},
		func(w http.ResponseWriter, r *http.Request) {
			in := of(r.Context())
			at, err := momentOf(r, "at")
			wide, werr := width(r)
			if err == nil {
				err = werr
			}
			if err != nil {
				a.fail(w, r, err)
				return
			}
			p, err := a.deps.Footage.Frame(in.lease.Context(), in.lease, in.binding, at.Millis(), wide)
			a.picture(w, r, p, err)
		})
}

func momentOf(r *http.Request, name string) (Moment, error) {
	var m Moment
	if err := m.UnmarshalText([]byte(r.URL.Query().Get(name))); err != nil {
		return 0, badQuery(name)
	}
	return m, nil
}

// movie serves a range of footage. The file name says nothing of the camera or the person.
func (a *API) movie(w http.ResponseWriter, r *http.Request) {
	in := of(r.Context())
	m, from, err := a.openMovie(r, in)
	if err != nil {
		a.fail(w, r, err)
		return
	}
	a.serveMovie(w, r, m, "footage-"+from.Millis().Time().Format("20060102T150405Z")+".mp4")
}

// serveMovie serves a movie by byte ranges, under that name where it is wanted as a file.
func (a *API) serveMovie(w http.ResponseWriter, r *http.Request, m Movie, name string) {
	defer m.Close()
	h := w.Header()
	h.Set("Content-Type", "video/mp4")
	h.Set("ETag", m.ETag())
	h.Set("Cache-Control", "private, no-store")
	if r.URL.Query().Get("download") == "1" {
		h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	}
	if strings.Count(r.Header.Get("Range"), ",") >= mostRanges {
		r.Header.Del("Range") // each range costs a chunk to be opened
	}
	out := a.leased(w, r, of(r.Context()).lease)
	defer out.finish()
	http.ServeContent(out, r, "", time.Time{}, m)
}

func (a *API) openMovie(r *http.Request, in *inside) (Movie, Moment, error) {
	from, err := momentOf(r, "from")
	if err != nil {
		return nil, 0, err
	}
	to, err := momentOf(r, "to")
	if err != nil {
		return nil, 0, err
	}
	if err := checkRange(from, to, longestMovie); err != nil {
		return nil, 0, err
	}
	profile := media.Main
	switch p := r.URL.Query().Get("profile"); p {
	case "", string(media.Main):
	case string(media.Sub):
		profile = media.Sub
	default:
		return nil, 0, badQuery("profile")
	}
	m, err := a.deps.Footage.Movie(in.lease.Context(), in.lease, in.binding, profile, from.Millis(), to.Millis())
	return m, from, err
}
