package httpapi

import (
	"context"
	"encoding/json"
	"net/http"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/promise"
)

// Policy is the published text of what the program obeys.
type Policy interface {
	Version() (version, hash string)
	// Purposes are those of the version that the caller stands under, or of the one in effect for nobody.
	Purposes(ctx context.Context, c Caller, lang string) ([]Purpose, error)
	// Consent is the question that somebody new is asked before data is used for a purpose.
	Consent(ctx context.Context, purpose, lang string) (ConsentText, error)
	// Text is the version with the hash, or the one in effect where there is none.
	Text(ctx context.Context, lang, hash string) (PolicyText, error)
	// Promises is the board: every promise with its control, its checks and its state, as JSON.
	Promises(ctx context.Context) (json.RawMessage, error)
	// Standing is which version holds for a person; Answer keeps what they say to another.
	Standing(ctx context.Context, p permit.Permit, a id.Account, lang string) (Standing, error)
	Answer(ctx context.Context, p permit.Permit, a id.Account, policyHash, answer string) error
}

// Purpose is one reason for using data.
type Purpose struct {
	ID       string `json:"id"`
	Basis    string `json:"basis"`
	Text     string `json:"text"`
	Hash     string `json:"hash"`
	Optional bool   `json:"optional" doc:"Rests on consent: nothing else depends on it"`
	// NotAgreed is a purpose of a version that the caller has not agreed to.
	NotAgreed bool `json:"not_agreed,omitempty" doc:"New or wider in a version of the policy that you have not agreed to: it is off"`
}

// ConsentText is a question with the hash that is kept with its answer.
type ConsentText struct {
	Text string `json:"text"`
	Hash string `json:"hash"`
}

// PolicyText is the policy for people.
type PolicyText struct {
	PolicyVersion
	Language string          `json:"language"`
	Markdown string          `json:"markdown"`
	HTML     string          `json:"html,omitempty"`
	Versions []PolicyVersion `json:"versions" nullable:"false" doc:"Every version there is, the newest first; the newest may not be in effect yet"`
}

// PolicyVersion is when a version of the policy governed.
type PolicyVersion struct {
	Version   string `json:"version"`
	Hash      string `json:"hash" doc:"SHA-256 of the source in its canonical form, as consent records name it"`
	Published string `json:"published" format:"date"`
	Effective string `json:"effective" format:"date"`
	Until     string `json:"until,omitempty" format:"date" doc:"The last day on which it was the newest in effect"`
}

type policyInput struct {
	Lang string `query:"lang" enum:"en,zh-Hans" doc:"Otherwise by Accept-Language"`
	Hash string `query:"hash" pattern:"^[0-9a-f]{64}$" doc:"An older version; otherwise the one in effect"`
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
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/purposes", ID: "listPurposes", Summary: "What data is used for", Auth: Public, Knows: true, Tag: "policy"},
		func(ctx context.Context, q *languageInput) (*struct {
			Body []Purpose `nullable:"false"`
		}, error) {
			all, err := a.deps.Policy.Purposes(ctx, of(ctx).caller, q.pick(ctx))
			return &struct {
				Body []Purpose `nullable:"false"`
			}{orEmpty(all)}, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/policy", ID: "getPolicy", Summary: "The privacy policy", Auth: Public, Tag: "policy"},
		func(ctx context.Context, q *policyInput) (*struct {
			ETag string `header:"ETag"`
			Body PolicyText
		}, error) {
			//promise:P324
			if promise.Cut("P324") && of(ctx).caller.Account.IsZero() {
				return nil, problem.New(http.StatusUnauthorized, "session.needed")
			}
			//promise:P325
			if promise.Cut("P325") {
				q.Hash = ""
			}
			t, err := a.deps.Policy.Text(ctx, languageInput{q.Lang}.pick(ctx), q.Hash)
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
