package httpapi

import (
	"context"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Alarms is what was noticed in front of cameras.
type Alarms interface {
	// Cameras are those whose events somebody may ask for; the gate decides about each.
	Cameras(ctx context.Context, viewer id.Account) ([]id.Binding, error)
	// List lists what the permits reach, newest first. An empty next is the end.
	List(ctx context.Context, viewer id.Account, may []permit.Permit, q Sought) (events []CameraEvent, next string, err error)
	MarkSeen(ctx context.Context, viewer id.Account, may []permit.Permit, events []id.Sighting, seen bool) error
	// Between lists a camera's events that touch a stretch of time, oldest first.
	Between(ctx context.Context, p permit.Permit, b id.Binding, from, to clock.Millis) ([]CameraEvent, error)
	Get(ctx context.Context, p permit.Permit, b id.Binding, e id.Sighting) (CameraEvent, error)
	Picture(ctx context.Context, l *permit.Lease, b id.Binding, e id.Sighting) (Picture, error)
	Motion(ctx context.Context, p permit.Permit, b id.Binding) (Motion, error)
	ChangeMotion(ctx context.Context, p permit.Permit, b id.Binding, c MotionChange) (Motion, error)
}

// CameraEvent is one event as somebody who may see it does.
type CameraEvent struct {
	ID       id.Sighting `json:"id" doc:"Random: it does not tell when"`
	Camera   id.Binding  `json:"camera_id"`
	Kind     string      `json:"kind" doc:"motion; others will come"`
	State    string      `json:"state" enum:"open,over,cut_off" doc:"cut_off: it ended with the program or the watching, not because it was quiet"`
	Start    Moment      `json:"start"`
	End      Moment      `json:"end" doc:"While it is open: when it was last noticed"`
	Score    int         `json:"score" minimum:"0" maximum:"100"`
	Area     *EventArea  `json:"area,omitempty"`
	More     int         `json:"more" doc:"Further events of the hour that were counted into this one"`
	Seen     bool        `json:"seen" doc:"By you"`
	Picture  bool        `json:"picture"`
	Recorded bool        `json:"recorded" doc:"Footage was being kept"`
	PlayFrom Moment      `json:"play_from,omitzero" doc:"Five seconds before; absent if nothing was recorded"`
}

// EventArea is where in the picture, in hundredths from the top left.
type EventArea struct {
	Left   int `json:"left"`
	Top    int `json:"top"`
	Right  int `json:"right"`
	Bottom int `json:"bottom"`
}

// Sought narrows a list of events. Zero fields do not.
type Sought struct {
	Cameras  []id.Binding
	Kind     string
	Seen     *bool
	From, To clock.Millis
	Cursor   string
	Limit    int
}

// Motion is how a camera is looked at for movement.
type Motion struct {
	On          bool   `json:"on" doc:"The switch; nothing is looked at without consent"`
	Consent     string `json:"consent" enum:"given,refused,withdrawn,none"`
	Actual      bool   `json:"actual" doc:"The camera is being looked at now"`
	Sensitivity int    `json:"sensitivity" minimum:"1" maximum:"5"`
	LeftOut     string `json:"left_out" doc:"What is not looked at: 16 × 9 cells row by row from the top left as 144 bits in 36 hexadecimal digits; empty: nothing"`
}

// MotionChange holds what changes; nil stays.
type MotionChange struct {
	On          *bool   `json:"on,omitempty"`
	Sensitivity *int    `json:"sensitivity,omitempty" minimum:"1" maximum:"5"`
	LeftOut     *string `json:"left_out,omitempty" maxLength:"36"`
}

// CameraMotion says of a camera in a list whether it is looked at for movement.
type CameraMotion struct {
	Mode    string `json:"mode" enum:"on,paused,off"`
	Consent string `json:"consent" enum:"given,refused,withdrawn,none"`
	Actual  bool   `json:"actual" doc:"The camera is being looked at now"`
}

const (
	longestEvents = 35 * 24 * time.Hour // that one request may ask for of a timeline
	mostSeen      = 500                 // events that one request may mark
)

type eventPath struct {
	cameraPath
	Event string `path:"event" doc:"The event"`
}

func (p eventPath) event() (id.Sighting, error) {
	e, ok := parse[id.Sighting](p.Event)
	if !ok {
		return e, errNotFound()
	}
	return e, nil
}

type eventsQuery struct {
	Camera []string  `query:"camera" maxItems:"100" doc:"Only of these cameras, with commas between"`
	Kind   string    `query:"kind" maxLength:"32"`
	Seen   string    `query:"seen" enum:"true,false"`
	From   time.Time `query:"from" doc:"That began then or later"`
	To     time.Time `query:"to" doc:"That began before"`
	Cursor string    `query:"cursor" maxLength:"64" doc:"next_cursor of the page before"`
	Limit  int       `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

func (q eventsQuery) sought() (Sought, error) {
	out := Sought{Kind: q.Kind, Cursor: q.Cursor, Limit: q.Limit}
	for _, s := range q.Camera {
		b, ok := parse[id.Binding](s)
		if !ok {
			return out, badQuery("camera")
		}
		out.Cameras = append(out.Cameras, b)
	}
	if q.Seen != "" {
		out.Seen = new(q.Seen == "true")
	}
	for name, at := range map[string]time.Time{"from": q.From, "to": q.To} {
		if !at.IsZero() && (at.Unix() <= 0 || at.Year() > 9999) {
			return out, badQuery(name)
		}
	}
	if !q.From.IsZero() {
		out.From = clock.At(q.From)
	}
	if !q.To.IsZero() {
		out.To = clock.At(q.To)
	}
	return out, nil
}

// address is the address of the next page.
func (q eventsQuery) address(base, next string) string {
	v := url.Values{"cursor": {next}, "limit": {strconv.Itoa(q.Limit)}}
	for name, s := range map[string]string{"kind": q.Kind, "seen": q.Seen} {
		if s != "" {
			v.Set(name, s)
		}
	}
	for name, at := range map[string]time.Time{"from": q.From, "to": q.To} {
		if !at.IsZero() {
			v.Set(name, at.UTC().Format(momentFormat))
		}
	}
	for _, c := range q.Camera {
		v.Add("camera", c)
	}
	return base + "/api/v1/events/history?" + v.Encode()
}

// may asks the gate about the events of each camera that somebody has to do with, and leaves out those
// that it refuses. Not knowing is a failure: a list must not look shorter than it is.
func (a *API) may(ctx context.Context, in *inside, only []id.Binding) ([]permit.Permit, error) {
	all, err := a.deps.Alarms.Cameras(ctx, in.caller.Account)
	if err != nil {
		return nil, err
	}
	var out []permit.Permit
	for _, b := range all {
		if len(only) > 0 && !slices.Contains(only, b) {
			continue
		}
		p, err := a.deps.Gate.Permit(ctx, Request{
			Tenant: in.caller.Tenant, Actor: permit.Person(in.caller.Account, in.caller.Session), Action: permit.EventList, Binding: b, Client: in.client,
		})
		why, ok := problem.Of(err)
		switch {
		case err == nil:
			out = append(out, p)
		case !ok || why.Status >= http.StatusInternalServerError || why.Status == http.StatusUnauthorized:
			return nil, err
		}
	}
	return out, nil
}

func (a *API) alarms() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/events/history", ID: "listEvents", Summary: "What was noticed in front of your cameras, newest first", Auth: Session, Action: permit.CameraList, Tag: "events"},
		func(ctx context.Context, q *eventsQuery) (*struct {
			Link string `header:"Link"`
			Body struct {
				Events     []CameraEvent `json:"events" nullable:"false"`
				NextCursor string        `json:"next_cursor,omitempty" doc:"There may be more, even after a short page"`
			}
		}, error) {
			in := of(ctx)
			sought, err := q.sought()
			if err != nil {
				return nil, err
			}
			may, err := a.may(ctx, in, sought.Cameras)
			if err != nil {
				return nil, err
			}
			events, next, err := a.deps.Alarms.List(ctx, in.caller.Account, may, sought)
			if err != nil {
				return nil, err
			}
			out := &struct {
				Link string `header:"Link"`
				Body struct {
					Events     []CameraEvent `json:"events" nullable:"false"`
					NextCursor string        `json:"next_cursor,omitempty" doc:"There may be more, even after a short page"`
				}
			}{}
			out.Body.Events, out.Body.NextCursor = orEmpty(events), next
			if next != "" {
				out.Link = "<" + q.address(in.visit.BasePath, next) + `>; rel="next"`
			}
			return out, nil
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/events/seen", ID: "markEventsSeen", Summary: "Say that you have seen events, or take it back", Auth: Session, Action: permit.CameraList, Tag: "events"},
		func(ctx context.Context, mark *struct {
			Body struct {
				Events []string `json:"events" minItems:"1" maxItems:"500" nullable:"false" doc:"Others than yours are passed by"`
				Seen   bool     `json:"seen"`
			}
		}) (*struct{}, error) {
			in := of(ctx)
			events := make([]id.Sighting, 0, min(len(mark.Body.Events), mostSeen))
			for i, s := range mark.Body.Events {
				e, ok := parse[id.Sighting](s)
				if !ok {
					p := problem.Invalid("request.invalid")
					p.Fields = []problem.Field{{Pointer: "/events/" + strconv.Itoa(i), Code: "field.invalid"}}
					return nil, p
				}
				events = append(events, e)
			}
			may, err := a.may(ctx, in, nil)
			if err != nil {
				return nil, err
			}
			if err := a.deps.Alarms.MarkSeen(ctx, in.caller.Account, may, events, mark.Body.Seen); err != nil {
				return nil, err
			}
			a.events.Publish(Event{Type: "event.seen", Account: in.caller.Account, Data: map[string]any{"event_ids": events, "seen": mark.Body.Seen}})
			return nil, nil
		}, http.StatusNoContent)

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/events", ID: "listCameraEvents", Summary: "A camera's events within a stretch of time, oldest first", Auth: Session, Action: permit.EventList, Tag: "events"},
		func(ctx context.Context, q *struct {
			cameraPath
			From time.Time `query:"from" required:"true"`
			To   time.Time `query:"to" required:"true"`
		}) (*struct {
			Body struct {
				Events []CameraEvent `json:"events" nullable:"false"`
			}
		}, error) {
			in := of(ctx)
			from, to := clock.At(q.From), clock.At(q.To)
			if err := checkRange(Moment(from), Moment(to), longestEvents); err != nil {
				return nil, err
			}
			events, err := a.deps.Alarms.Between(ctx, in.permit, in.binding, from, to)
			out := &struct {
				Body struct {
					Events []CameraEvent `json:"events" nullable:"false"`
				}
			}{}
			out.Body.Events = orEmpty(events)
			return out, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/events/{event}", ID: "getEvent", Summary: "One event", Auth: Session, Action: permit.EventRead, Tag: "events"},
		func(ctx context.Context, q *eventPath) (*struct{ Body CameraEvent }, error) {
			in := of(ctx)
			e, err := q.event()
			if err != nil {
				return nil, err
			}
			got, err := a.deps.Alarms.Get(ctx, in.permit, in.binding, e)
			return &struct{ Body CameraEvent }{got}, err
		})

	a.raw(Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/events/{event}/picture.jpg", ID: "getEventPicture", Summary: "The picture of an event's most telling moment", Auth: Session, Action: permit.EventRead, Hold: While, Tag: "events"},
		func(op *huma.Operation) {
			answers(op, http.StatusOK, "A picture; Candor-Captured-At says when it was taken", "image/jpeg")
		},
		func(w http.ResponseWriter, r *http.Request) {
			in := of(r.Context())
			e, err := eventPath{Event: r.PathValue("event")}.event()
			if err != nil {
				a.fail(w, r, err)
				return
			}
			p, err := a.deps.Alarms.Picture(in.lease.Context(), in.lease, in.binding, e)
			a.picture(w, r, p, err)
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}/motion", ID: "getMotion", Summary: "How a camera is looked at for movement", Auth: Session, Action: permit.CameraChange, Tag: "events"},
		func(ctx context.Context, _ *cameraPath) (*struct{ Body Motion }, error) {
			in := of(ctx)
			m, err := a.deps.Alarms.Motion(ctx, in.permit, in.binding)
			return &struct{ Body Motion }{m}, err
		})

	operation(a, Route{Method: http.MethodPatch, Path: "/api/v1/cameras/{id}/motion", ID: "changeMotion", Summary: "Change how a camera is looked at for movement", Auth: Session, Action: permit.CameraChange, Tag: "events"},
		func(ctx context.Context, c *struct {
			cameraPath
			Body MotionChange
		}) (*struct{ Body Motion }, error) {
			in := of(ctx)
			m, err := a.deps.Alarms.ChangeMotion(ctx, in.permit, in.binding, c.Body)
			return &struct{ Body Motion }{m}, err
		})
}
