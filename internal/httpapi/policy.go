package httpapi

import (
	"context"
	"encoding/json"
	"net/http"

	"candor/internal/problem"
	"candor/internal/promise"
)

// Policy is the published text of what the program obeys.
type Policy interface {
	Version() (version, hash string)
	Purposes(ctx context.Context, lang string) ([]Purpose, error)
	// Consent is the question that is asked before data is used for a purpose.
	Consent(ctx context.Context, purpose, lang string) (ConsentText, error)
	Text(ctx context.Context, lang string) (PolicyText, error)
	// Promises is the board: every promise with its control, its checks and its state, as JSON.
	Promises(ctx context.Context) (json.RawMessage, error)
}

// Purpose is one reason for using data.
type Purpose struct {
	ID       string `json:"id"`
	Basis    string `json:"basis"`
	Text     string `json:"text"`
	Hash     string `json:"hash"`
	Optional bool   `json:"optional" doc:"Rests on consent: nothing else depends on it"`
}

// ConsentText is a question with the hash that is kept with its answer.
type ConsentText struct {
	Text string `json:"text"`
	Hash string `json:"hash"`
}

// PolicyText is the policy for people.
type PolicyText struct {
	Version  string `json:"version"`
	Hash     string `json:"hash"`
	Language string `json:"language"`
	Markdown string `json:"markdown"`
	HTML     string `json:"html,omitempty"`
}

type languageInput struct {
	Lang string `query:"lang" enum:"en,zh-Hans" doc:"Otherwise by Accept-Language"`
}

func (l languageInput) pick(ctx context.Context) string {
	if l.Lang != "" {
		return l.Lang
	}
	return of(ctx).lang
}

func (a *API) policy() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/purposes", ID: "listPurposes", Summary: "What data is used for", Auth: Public, Tag: "policy"},
		func(ctx context.Context, q *languageInput) (*struct {
			Body []Purpose `nullable:"false"`
		}, error) {
			all, err := a.deps.Policy.Purposes(ctx, q.pick(ctx))
			return &struct {
				Body []Purpose `nullable:"false"`
			}{orEmpty(all)}, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/policy", ID: "getPolicy", Summary: "The privacy policy", Auth: Public, Tag: "policy"},
		func(ctx context.Context, q *languageInput) (*struct {
			ETag string `header:"ETag"`
			Body PolicyText
		}, error) {
			//promise:P324
			if promise.Cut("P324") && of(ctx).caller.Account.IsZero() {
				return nil, problem.New(http.StatusUnauthorized, "session.needed")
			}
			t, err := a.deps.Policy.Text(ctx, q.pick(ctx))
			return &struct {
				ETag string `header:"ETag"`
				Body PolicyText
			}{etag(t), t}, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/promises", ID: "listPromises", Summary: "Every promise and how it is kept", Auth: Public, Tag: "policy"},
		func(ctx context.Context, _ *none) (*struct{ Body json.RawMessage }, error) {
			b, err := a.deps.Policy.Promises(ctx)
			return &struct{ Body json.RawMessage }{b}, err
		})
}
