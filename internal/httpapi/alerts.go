package httpapi

import (
	"context"
	"fmt"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"candor/internal/id"
	"candor/internal/permit"
)

// Alerts is being told of what happens. Permits about a camera say that the caller may be told of it;
// what is chosen is the caller's own all the same.
type Alerts interface {
	Settings(ctx context.Context, p permit.Permit, a id.Account, s id.Session) (AlertSettings, error)
	Choose(ctx context.Context, p permit.Permit, a id.Account, b id.Binding, c AlertChoice) (AlertRule, error)
	Pause(ctx context.Context, p permit.Permit, a id.Account, b id.Binding, length string) (AlertPause, error)
	Resume(ctx context.Context, p permit.Permit, a id.Account, b id.Binding) error
	Subscribe(ctx context.Context, p permit.Permit, a id.Account, s id.Session, d NewPushDevice) (PushDevice, error)
	Unsubscribe(ctx context.Context, p permit.Permit, a id.Account, device id.Row) error
	// Try sends a test message; Arrived is how the app there says that it came.
	Try(ctx context.Context, p permit.Permit, a id.Account, device id.Row) error
	Arrived(ctx context.Context, p permit.Permit, a id.Account, token string) error
	// Sent is a page of what the person was sent, newest first, from before the given number (0: from the newest).
	Sent(ctx context.Context, p permit.Permit, a id.Account, before int64, limit int) (sent []SentMessage, next int64, err error)
	// Picture is that of a ticket, which opens it once.
	Picture(ctx context.Context, p permit.Permit, a id.Account, ticket string) ([]byte, error)
	// StopMail ends the mails whose link somebody holds.
	StopMail(ctx context.Context, token string) error
}

// AlertSettings is how a person is told.
type AlertSettings struct {
	PushKey     string       `json:"push_key" doc:"What a page subscribes with; empty where there are no push messages"`
	PushConsent string       `json:"push_consent" enum:"none,given,refused,withdrawn"`
	Mail        bool         `json:"mail" doc:"This installation can send mail"`
	Rules       []AlertRule  `json:"rules" nullable:"false"`
	Pauses      []AlertPause `json:"pauses" nullable:"false"`
	Devices     []PushDevice `json:"devices" nullable:"false"`
}

// AlertChoice is what somebody wants to be told of a camera, and how.
type AlertChoice struct {
	Kind     string       `json:"kind" enum:"motion,gap" doc:"motion: something moved. gap: it should be recorded and is not; for its owner"`
	App      bool         `json:"app" doc:"In the app, while it is open"`
	Push     bool         `json:"push" doc:"By the push service of each of your devices"`
	Mail     bool         `json:"mail"`
	Pictures bool         `json:"pictures" doc:"With a picture, if the camera's owner agreed to that"`
	Hours    []AlertHours `json:"hours,omitempty" maxItems:"14" doc:"In your time zone; none: always"`
}

// AlertHours is a stretch of the day on some days of the week.
type AlertHours struct {
	Days []int  `json:"days" minItems:"1" maxItems:"7" doc:"1 is Monday, 7 is Sunday"`
	From string `json:"from" pattern:"^([01][0-9]|2[0-3]):[0-5][0-9]$"`
	To   string `json:"to" pattern:"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$" doc:"At or before from: on the next day"`
}

// AlertRule is a choice that holds.
type AlertRule struct {
	Camera id.Binding `json:"camera_id"`
	AlertChoice
	MailStopped bool `json:"mail_stopped" doc:"Mails were ended by the link in one of them; choosing again begins them anew"`
}

// AlertPause is a pause that is not over.
type AlertPause struct {
	Camera *id.Binding `json:"camera_id,omitempty" doc:"Absent: all cameras"`
	Until  Moment      `json:"until"`
}

// NewPushDevice is what a browser subscribed with.
type NewPushDevice struct {
	Endpoint string `json:"endpoint" maxLength:"2048"`
	P256dh   string `json:"p256dh" maxLength:"128"`
	Auth     string `json:"auth" maxLength:"64"`

	Agent string `json:"-"`
	Base  string `json:"-"` // the app's address as the browser knows it
}

// PushDevice is a browser that takes messages while the app is closed.
type PushDevice struct {
	ID      id.Row `json:"id"`
	Agent   string `json:"agent"`
	AddedAt Moment `json:"added_at"`
	Gone    bool   `json:"gone" doc:"Its push service no longer knows it: it stopped receiving"`
	Current bool   `json:"current" doc:"It is the browser that asks"`
}

// SentMessage is one line of what a person was sent.
type SentMessage struct {
	Number  int64       `json:"number"`
	At      Moment      `json:"at"`
	Kind    string      `json:"kind"`
	Camera  *id.Binding `json:"camera_id,omitempty"`
	Name    string      `json:"camera" doc:"What the camera was called"`
	Channel string      `json:"channel" enum:"app,push,mail"`
	Device  string      `json:"device,omitempty"`
	Result  string      `json:"result" enum:"told,handed,withheld,gone,failed,expired"`
	Count   int         `json:"count"`
	Moment  Moment      `json:"moment" doc:"Of what it was about"`
}

type pauseInput struct {
	Body struct {
		For string `json:"for" enum:"half_hour,two_hours,morning" doc:"morning: until 07:00 in your time zone"`
	}
}

type pauseOutput struct{ Body AlertPause }

type devicePath struct {
	Device string `path:"device"`
}

func (p devicePath) parse() (id.Row, error) {
	d, ok := parse[id.Row](p.Device)
	if !ok {
		return d, errNotFound()
	}
	return d, nil
}

func (a *API) alerts() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/alerts", ID: "getAlerts", Summary: "How you are told of what happens", Auth: Session, Action: permit.AlertRead, Tag: "alerts"},
		func(ctx context.Context, _ *none) (*struct{ Body AlertSettings }, error) {
			in := of(ctx)
			s, err := a.deps.Alerts.Settings(ctx, in.permit, in.caller.Account, in.caller.Session)
			s.Rules, s.Pauses, s.Devices = orEmpty(s.Rules), orEmpty(s.Pauses), orEmpty(s.Devices)
			return &struct{ Body AlertSettings }{s}, err
		})

	operation(a, Route{Method: http.MethodPut, Path: "/api/v1/cameras/{id}/alerts", ID: "chooseAlerts", Summary: "Choose to be told of a camera", Auth: Session, Action: permit.AlertChoose, Tag: "alerts"},
		func(ctx context.Context, c *struct {
			cameraPath
			Body AlertChoice
		}) (*struct{ Body AlertRule }, error) {
			in := of(ctx)
			r, err := a.deps.Alerts.Choose(ctx, in.permit, in.caller.Account, in.binding, c.Body)
			return &struct{ Body AlertRule }{r}, err
		})

	operation(a, Route{Method: http.MethodPut, Path: "/api/v1/cameras/{id}/alerts/pause", ID: "pauseCameraAlerts", Summary: "Be left alone by a camera for a while", Auth: Session, Action: permit.AlertChoose, Tag: "alerts"},
		func(ctx context.Context, p *struct {
			cameraPath
			pauseInput
		}) (*pauseOutput, error) {
			in := of(ctx)
			out, err := a.deps.Alerts.Pause(ctx, in.permit, in.caller.Account, in.binding, p.Body.For)
			return &pauseOutput{out}, err
		})

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/cameras/{id}/alerts/pause", ID: "resumeCameraAlerts", Summary: "End a camera's pause", Auth: Session, Action: permit.AlertChoose, Tag: "alerts"},
		func(ctx context.Context, _ *cameraPath) (*none, error) {
			in := of(ctx)
			return &none{}, a.deps.Alerts.Resume(ctx, in.permit, in.caller.Account, in.binding)
		}, http.StatusNoContent)

	operation(a, Route{Method: http.MethodPut, Path: "/api/v1/alerts/pause", ID: "pauseAlerts", Summary: "Be left alone by all cameras for a while", Auth: Session, Action: permit.AlertChange, Tag: "alerts"},
		func(ctx context.Context, p *pauseInput) (*pauseOutput, error) {
			in := of(ctx)
			out, err := a.deps.Alerts.Pause(ctx, in.permit, in.caller.Account, id.Binding{}, p.Body.For)
			return &pauseOutput{out}, err
		})

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/alerts/pause", ID: "resumeAlerts", Summary: "End the pause of all cameras", Auth: Session, Action: permit.AlertChange, Tag: "alerts"},
		func(ctx context.Context, _ *none) (*none, error) {
			in := of(ctx)
			return &none{}, a.deps.Alerts.Resume(ctx, in.permit, in.caller.Account, id.Binding{})
		}, http.StatusNoContent)

	a.pushDevices()
	a.sentMessages()
}

func (a *API) pushDevices() {
	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/alerts/devices", ID: "addPushDevice", Summary: "Have messages sent to this browser, or renew that", Auth: Session, Action: permit.AlertChange, Tag: "alerts"},
		func(ctx context.Context, d *struct{ Body NewPushDevice }) (*struct{ Body PushDevice }, error) {
			in := of(ctx)
			d.Body.Agent, d.Body.Base = in.client, in.visit.Origin()+in.visit.BasePath+"/"
			out, err := a.deps.Alerts.Subscribe(ctx, in.permit, in.caller.Account, in.caller.Session, d.Body)
			return &struct{ Body PushDevice }{out}, err
		})

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/alerts/devices/{device}", ID: "removePushDevice", Summary: "Have no more messages sent to a browser", Auth: Session, Action: permit.AlertChange, Tag: "alerts"},
		func(ctx context.Context, path *devicePath) (*none, error) {
			in := of(ctx)
			d, err := path.parse()
			if err != nil {
				return nil, err
			}
			return &none{}, a.deps.Alerts.Unsubscribe(ctx, in.permit, in.caller.Account, d)
		}, http.StatusNoContent)

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/alerts/devices/{device}/test", ID: "tryPushDevice", Summary: "Send a test message", Auth: Session, Action: permit.AlertChange, Tag: "alerts"},
		func(ctx context.Context, path *devicePath) (*none, error) {
			in := of(ctx)
			d, err := path.parse()
			if err != nil {
				return nil, err
			}
			if err := a.throttle.try("push test "+in.caller.Account.String(), 10, 10e9); err != nil {
				return nil, err
			}
			return &none{}, a.deps.Alerts.Try(ctx, in.permit, in.caller.Account, d)
		}, http.StatusNoContent)

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/alerts/arrivals", ID: "reportArrival", Summary: "Say that a test message arrived", Auth: Session, Action: permit.AlertChange, Tag: "alerts"},
		func(ctx context.Context, t *struct {
			Body struct {
				Test string `json:"test" maxLength:"64" doc:"From the message's data"`
			}
		}) (*none, error) {
			in := of(ctx)
			return &none{}, a.deps.Alerts.Arrived(ctx, in.permit, in.caller.Account, t.Body.Test)
		}, http.StatusNoContent)
}

func (a *API) sentMessages() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/alerts/messages", ID: "listMessages", Summary: "What you were sent", Auth: Session, Action: permit.AlertRead, Tag: "alerts"},
		func(ctx context.Context, q *page) (*struct {
			Body struct {
				Messages   []SentMessage `json:"messages" nullable:"false"`
				NextCursor string        `json:"next_cursor,omitempty"`
			}
		}, error) {
			in := of(ctx)
			var before int64
			if q.Cursor != "" {
				n, err := strconv.ParseInt(q.Cursor, 36, 64)
				if err != nil || n < 1 {
					return nil, badQuery("cursor")
				}
				before = n
			}
			all, next, err := a.deps.Alerts.Sent(ctx, in.permit, in.caller.Account, before, q.Limit)
			if err != nil {
				return nil, err
			}
			out := &struct {
				Body struct {
					Messages   []SentMessage `json:"messages" nullable:"false"`
					NextCursor string        `json:"next_cursor,omitempty"`
				}
			}{}
			out.Body.Messages = orEmpty(all)
			if next > 0 {
				out.Body.NextCursor = strconv.FormatInt(next, 36)
			}
			return out, nil
		})

	a.raw(Route{Method: http.MethodGet, Path: "/api/v1/tickets/{ticket}", ID: "getTicket", Summary: "The picture of a message, once", Auth: Session, Action: permit.AlertRead, Tag: "alerts"},
		func(op *huma.Operation) { answers(op, http.StatusOK, "A picture", "image/jpeg") },
		func(w http.ResponseWriter, r *http.Request) {
			in := of(r.Context())
			picture, err := a.deps.Alerts.Picture(r.Context(), in.permit, in.caller.Account, r.PathValue("ticket"))
			if err != nil {
				a.fail(w, r, err)
				return
			}
			w.Header().Set("Content-Type", "image/jpeg")
			w.Header().Set("Content-Length", fmt.Sprint(len(picture)))
			_, _ = w.Write(picture)
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/unsubscribe/{token}", ID: "stopMail", Summary: "End the mails of a link, without signing in (RFC 8058)", Auth: Bearer, Tag: "alerts"},
		func(ctx context.Context, path *struct {
			Token string `path:"token"`
		}) (*none, error) {
			if err := a.throttle.try("unsubscribe "+of(ctx).visit.Client.String(), 60, 0.5e9); err != nil {
				return nil, err
			}
			return &none{}, a.deps.Alerts.StopMail(ctx, path.Token)
		}, http.StatusNoContent)
}
