package httpapi

import (
	"context"
	"net/http"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Cameras is an owner's cameras and where they stand. The rooms fill everything but sentences.
type Cameras interface {
	Sites(ctx context.Context, p permit.Permit, a id.Account) ([]Site, error)
	List(ctx context.Context, p permit.Permit, a id.Account) ([]Camera, error)
	// Health says how each of them is doing, cheaply: nothing of their footage is opened.
	Health(ctx context.Context, p permit.Permit, a id.Account) ([]CameraHealth, error)
	Get(ctx context.Context, p permit.Permit, b id.Binding) (Camera, error)
	// Check connects to a camera that is not added yet and tells what it streams.
	Check(ctx context.Context, p permit.Permit, a Address) (Checked, error)
	Add(ctx context.Context, p permit.Permit, a id.Account, n NewCamera) (Camera, error)
	Change(ctx context.Context, p permit.Permit, b id.Binding, c CameraChange) (Camera, error)
	// Remove says goodbye to a camera and all of its footage. A password is compared if given.
	Remove(ctx context.Context, p permit.Permit, b id.Binding, password string) (Receipt, error)
}

// Site is a place with a time zone.
type Site struct {
	ID       id.Site `json:"id"`
	Name     string  `json:"name"`
	TimeZone string  `json:"time_zone"`
}

// Camera is a camera as its owner sees it.
type Camera struct {
	ID        id.Binding      `json:"id"`
	Name      string          `json:"name"`
	Site      id.Site         `json:"site_id"`
	State     CameraState     `json:"state"`
	Recording CameraRecording `json:"recording"`
	Motion    CameraMotion    `json:"motion"`
	Streams   []Stream        `json:"streams" nullable:"false"`
	Retention Retention       `json:"retention"`
	Demo      bool            `json:"demo"`
	CreatedAt Moment          `json:"created_at"`
	Relation  string          `json:"relation" enum:"owner,member"`
	Abilities []string        `json:"abilities" nullable:"false" doc:"What you may do with it; an owner may do everything"`
	TimeZone  string          `json:"time_zone,omitempty" doc:"Of the place the camera stands at"`
}

// CameraState says how the connection to the camera is.
type CameraState struct {
	Phase    string            `json:"phase" enum:"connecting,live,waiting,stopped"`
	Since    Moment            `json:"since,omitzero"`
	Away     Moment            `json:"away_since,omitzero" doc:"Since when it has not been live, over all attempts"`
	Code     string            `json:"code,omitempty" doc:"The problem that keeps it from being live"`
	Args     map[string]string `json:"-"`
	Sentence string            `json:"sentence"`
	NextTry  Moment            `json:"next_try,omitzero"`
}

// CameraRecording says whether footage is kept, and why not.
type CameraRecording struct {
	Mode     string `json:"mode" enum:"on,paused,off"`
	Consent  string `json:"consent" enum:"given,refused,withdrawn,none"`
	Actual   bool   `json:"actual" doc:"Footage is being written now"`
	Trouble  string `json:"-"` // the reason of the gap that grows meanwhile
	Sentence string `json:"sentence"`
}

// Stream describes one stream of a camera, for choosing how to show it.
type Stream struct {
	Profile string  `json:"profile" enum:"main,sub"`
	Codec   string  `json:"codec"`
	RFC6381 string  `json:"rfc6381" doc:"Codec string for the browser"`
	Width   int     `json:"width"`
	Height  int     `json:"height"`
	FPS     float64 `json:"fps"`
	Reorder bool    `json:"reorder" doc:"Has B-frames; WebRTC cannot show it"`
	Audio   *Audio  `json:"audio"`
}

// Audio describes the sound of a stream.
type Audio struct {
	Codec      string `json:"codec"`
	RFC6381    string `json:"rfc6381"`
	SampleRate int    `json:"sample_rate"`
	Channels   int    `json:"channels"`
}

// Retention is how much footage is kept; the oldest goes when either is reached.
type Retention struct {
	Days  int   `json:"days" minimum:"1" maximum:"3650"`
	Bytes int64 `json:"bytes" minimum:"0" doc:"0: no limit by size"`
}

// Address is where a camera streams.
type Address struct {
	Address    string `json:"address" minLength:"1" maxLength:"2048" doc:"rtsp:// or rtsps://"`
	Username   string `json:"username,omitempty" maxLength:"256"`
	Password   string `json:"password,omitempty" maxLength:"256"`
	SubAddress string `json:"sub_address,omitempty" maxLength:"2048"`
}

// Checked is what a camera answered.
type Checked struct {
	Streams  []Stream  `json:"streams" nullable:"false"`
	Warnings []Warning `json:"warnings" nullable:"false"`
}

// Warning is something that works, but not as well as it could.
type Warning struct {
	Code     string            `json:"code"`
	Args     map[string]string `json:"-"`
	Sentence string            `json:"sentence"`
}

// NewCamera is a camera to add: an address, or the demo camera.
type NewCamera struct {
	Name          string `json:"name,omitempty" maxLength:"200"`
	Address       string `json:"address,omitempty" maxLength:"2048"`
	Username      string `json:"username,omitempty" maxLength:"256"`
	Password      string `json:"password,omitempty" maxLength:"256"`
	SubAddress    string `json:"sub_address,omitempty" maxLength:"2048"`
	Recording     string `json:"recording,omitempty" enum:"given,refused"`
	RecordingText string `json:"recording_text_hash,omitempty" maxLength:"128"`
	Demo          bool   `json:"demo,omitempty"`
	Language      string `json:"-"` // of the text that was read
}

// CameraChange holds what changes; nil stays.
type CameraChange struct {
	Name          *string    `json:"name,omitempty" minLength:"1" maxLength:"200"`
	RecordingMode *string    `json:"recording_mode,omitempty" enum:"on,paused"`
	Retention     *Retention `json:"retention,omitempty"`
	Address       *string    `json:"address,omitempty" maxLength:"2048"`
	Username      *string    `json:"username,omitempty" maxLength:"256"`
	Password      *string    `json:"password,omitempty" maxLength:"256"`
	SubAddress    *string    `json:"sub_address,omitempty" maxLength:"2048" doc:"Empty removes it"`
}

type cameraOutput struct {
	ETag string `header:"ETag"`
	Body Camera
}

type cameraPath struct {
	ID string `path:"id" doc:"The camera"`
}

func (a *API) camera(ctx context.Context, c Camera, err error) (*cameraOutput, error) {
	if err != nil {
		return nil, err
	}
	tag := etag([]any{c.Name, c.Site, c.Recording.Mode, c.Retention})
	return &cameraOutput{ETag: tag, Body: a.speakCamera(of(ctx), c)}, nil
}

func (a *API) cameras() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/sites", ID: "listSites", Summary: "Your places", Auth: Session, Action: permit.CameraList, Tag: "cameras"},
		func(ctx context.Context, _ *none) (*struct {
			Body []Site `nullable:"false"`
		}, error) {
			in := of(ctx)
			all, err := a.deps.Cameras.Sites(ctx, in.permit, in.caller.Account)
			return &struct {
				Body []Site `nullable:"false"`
			}{orEmpty(all)}, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/cameras", ID: "listCameras", Summary: "Your cameras", Auth: Session, Action: permit.CameraList, Tag: "cameras"},
		func(ctx context.Context, _ *none) (*struct {
			Body struct {
				Cameras []Camera `json:"cameras" nullable:"false"`
			}
		}, error) {
			in := of(ctx)
			all, err := a.deps.Cameras.List(ctx, in.permit, in.caller.Account)
			if err != nil {
				return nil, err
			}
			out := &struct {
				Body struct {
					Cameras []Camera `json:"cameras" nullable:"false"`
				}
			}{}
			out.Body.Cameras = make([]Camera, len(all))
			for i, c := range all {
				out.Body.Cameras[i] = a.speakCamera(in, c)
			}
			return out, nil
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/cameras/check", ID: "checkCamera", Summary: "Try an address without adding it", Auth: Session, Action: permit.CameraAdd, Tag: "cameras"},
		func(ctx context.Context, try *struct{ Body Address }) (*struct{ Body Checked }, error) {
			in := of(ctx)
			got, err := a.deps.Cameras.Check(ctx, in.permit, try.Body)
			if err != nil {
				return nil, err
			}
			got.Streams, got.Warnings = orEmpty(got.Streams), orEmpty(got.Warnings)
			for i, w := range got.Warnings {
				got.Warnings[i].Sentence = a.sentence(in, "problem."+w.Code, w.Args)
			}
			return &struct{ Body Checked }{got}, nil
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/cameras", ID: "addCamera", Summary: "Add a camera", Auth: Session, Action: permit.CameraAdd, Replay: true, Tag: "cameras"},
		func(ctx context.Context, add *struct{ Body NewCamera }) (*struct {
			Location string `header:"Location"`
			Body     Camera
		}, error) {
			in := of(ctx)
			if add.Body.Address == "" && !add.Body.Demo {
				p := problem.Invalid("request.invalid")
				p.Fields = []problem.Field{{Pointer: "/address", Code: "field.missing"}}
				return nil, p
			}
			add.Body.Language = in.lang
			c, err := a.deps.Cameras.Add(ctx, in.permit, in.caller.Account, add.Body)
			if err != nil {
				return nil, err
			}
			return &struct {
				Location string `header:"Location"`
				Body     Camera
			}{in.visit.BasePath + "/api/v1/cameras/" + c.ID.String(), a.speakCamera(in, c)}, nil
		}, http.StatusCreated)

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/cameras/{id}", ID: "getCamera", Summary: "One camera", Auth: Session, Action: permit.CameraRead, Tag: "cameras"},
		func(ctx context.Context, _ *cameraPath) (*cameraOutput, error) {
			in := of(ctx)
			c, err := a.deps.Cameras.Get(ctx, in.permit, in.binding)
			return a.camera(ctx, c, err)
		})

	operation(a, Route{Method: http.MethodPatch, Path: "/api/v1/cameras/{id}", ID: "changeCamera", Summary: "Change a camera", Auth: Session, Action: permit.CameraChange, Tag: "cameras"},
		func(ctx context.Context, change *struct {
			cameraPath
			IfMatch string `header:"If-Match"`
			Body    CameraChange
		}) (*cameraOutput, error) {
			in := of(ctx)
			if change.IfMatch != "" {
				c, err := a.deps.Cameras.Get(ctx, in.permit, in.binding)
				now, err := a.camera(ctx, c, err)
				if err != nil {
					return nil, err
				}
				if err := matches(change.IfMatch, now.ETag); err != nil {
					return nil, err
				}
			}
			c, err := a.deps.Cameras.Change(ctx, in.permit, in.binding, change.Body)
			return a.camera(ctx, c, err)
		})

	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/cameras/{id}", ID: "removeCamera", Summary: "Delete a camera and all of its footage", Auth: Session, Action: permit.CameraErase, Tag: "cameras"},
		func(ctx context.Context, confirm *struct {
			cameraPath
			Body *struct {
				Password string `json:"password,omitempty" maxLength:"1024"`
			}
		}) (*receiptOutput, error) {
			in := of(ctx)
			password := ""
			if confirm.Body != nil {
				password = confirm.Body.Password
			}
			receipt, err := a.deps.Cameras.Remove(context.WithoutCancel(ctx), in.permit, in.binding, password)
			if err != nil {
				return nil, err
			}
			a.replays.forget(in.caller.Account)
			return &receiptOutput{Status: receipt.status(), Body: receipt}, nil
		}, http.StatusOK)
}

// speakCamera fills the sentences of a camera in the reader's language.
func (a *API) speakCamera(in *inside, c Camera) Camera {
	c.Streams, c.Abilities = orEmpty(c.Streams), orEmpty(c.Abilities)
	if c.State.Code != "" {
		c.State.Sentence = a.sentence(in, "problem."+c.State.Code, c.State.Args)
	} else {
		c.State.Sentence = a.sentence(in, "camera.phase."+c.State.Phase, nil)
	}
	c.Recording.Sentence = a.sentence(in, c.Recording.why(c.State.Phase), nil)
	return c
}

// why names the sentence about recording.
func (r CameraRecording) why(phase string) string {
	const said = "camera.recording."
	switch {
	case r.Consent != "given":
		return said + r.Consent
	case r.Mode != "on":
		return said + r.Mode
	case r.Actual:
		return said + "on"
	case phase != "live":
		return said + "offline"
	case r.Trouble != "":
		return "footage.gap." + r.Trouble
	}
	return said + "starting"
}

func orEmpty[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}
