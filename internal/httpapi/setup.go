package httpapi

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"strings"
	"time"

	"candor/internal/problem"
)

// Setup is the first start: until the first account exists, who has the code may make it.
type Setup interface {
	// Needed reports whether no account exists yet.
	Needed(ctx context.Context) (bool, error)
	// Code is the code that was printed; "" refuses everybody.
	Code() string
	// DemoCamera reports whether there is a demo camera to add.
	DemoCamera() bool
	// Begin makes the first account, writes down what was agreed to and signs the browser in. If
	// somebody else was faster it is the problem setup.done.
	Begin(ctx context.Context, n Newcomer) (SignedIn, error)
}

// Newcomer is what the set-up page asks.
type Newcomer struct {
	Name, Email, Password, Language, TimeZone string
	Recording                                 Consented
	DemoCamera                                bool
	Client                                    Client
}

// Consented is an answer to a consent question, with the text that was read.
type Consented struct {
	State    string // "given" or "refused"
	TextHash string
	Language string
}

type setupState struct {
	Needed     bool       `json:"needed" doc:"No account exists yet"`
	DemoCamera bool       `json:"demo_camera" doc:"A demo camera can be added"`
	Language   string     `json:"language"`
	Secure     bool       `json:"secure" doc:"Browsers treat this page as a secure context"`
	Missing    []string   `json:"missing_without_tls" doc:"What browsers withhold from this page"`
	Texts      setupTexts `json:"texts"`
}

type setupTexts struct {
	Recording     ConsentText `json:"recording"`
	PolicyVersion string      `json:"policy_version"`
}

type setupInput struct {
	Body struct {
		Code          string `json:"code" maxLength:"64" doc:"The set-up code that was printed at the start"`
		Name          string `json:"name" minLength:"1" maxLength:"200"`
		Email         string `json:"email" minLength:"3" maxLength:"254"`
		Password      string `json:"password" maxLength:"1024"`
		Language      string `json:"language" enum:"en,zh-Hans"`
		TimeZone      string `json:"time_zone,omitempty" maxLength:"64" doc:"IANA name; UTC when left out"`
		Recording     string `json:"recording" enum:"given,refused" doc:"Nothing is ticked in advance"`
		RecordingText string `json:"recording_text_hash" maxLength:"128" doc:"Hash of the text that was read"`
		DemoCamera    bool   `json:"add_demo_camera,omitempty"`
	}
}

func (a *API) setup() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/setup", ID: "getSetup", Summary: "Whether set-up is needed, and what it shows", Auth: Public, Tag: "setup"},
		func(ctx context.Context, _ *none) (*struct{ Body setupState }, error) {
			in := of(ctx)
			needed, err := a.deps.Setup.Needed(ctx)
			if err != nil {
				return nil, err
			}
			recording, err := a.deps.Policy.Consent(ctx, "recording", in.lang)
			if err != nil {
				return nil, err
			}
			version, _ := a.deps.Policy.Version()
			return &struct{ Body setupState }{setupState{
				Needed: needed, DemoCamera: a.deps.Setup.DemoCamera(), Language: in.lang,
				Secure: in.visit.Trustworthy(), Missing: in.visit.Missing(),
				Texts: setupTexts{Recording: recording, PolicyVersion: version},
			}}, nil
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/setup", ID: "beginSetup", Summary: "Make the first account", Auth: Code, Tag: "setup"},
		func(ctx context.Context, in *setupInput) (*signedIn, error) {
			b := in.Body
			if needed, err := a.deps.Setup.Needed(ctx); err != nil {
				return nil, err
			} else if !needed {
				return nil, problem.Conflict("setup.done")
			}
			if err := a.throttle.try("setup "+place(ctx), 10, 3*time.Second); err != nil {
				return nil, err
			}
			if !sameCode(b.Code, a.deps.Setup.Code()) {
				return nil, problem.Forbidden("setup.wrong_code")
			}
			zone := b.TimeZone
			if zone == "" {
				zone = "UTC"
			}
			signed, err := a.deps.Setup.Begin(ctx, Newcomer{
				Name: b.Name, Email: b.Email, Password: b.Password, Language: b.Language, TimeZone: zone,
				Recording:  Consented{State: b.Recording, TextHash: b.RecordingText, Language: b.Language},
				DemoCamera: b.DemoCamera, Client: a.client(ctx),
			})
			if err != nil {
				return nil, err
			}
			a.throttle.forgive("setup " + place(ctx))
			return a.signedIn(ctx, signed), nil
		}, http.StatusCreated)
}

// sameCode compares in constant time, whatever case, spaces and dashes were typed.
func sameCode(typed, code string) bool {
	plain := func(s string) [32]byte {
		s = strings.ToUpper(strings.NewReplacer("-", "", " ", "", "\t", "").Replace(s))
		return sha256.Sum256([]byte(s))
	}
	t, c := plain(typed), plain(code)
	return subtle.ConstantTimeCompare(t[:], c[:]) == 1 && code != ""
}
