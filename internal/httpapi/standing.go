package httpapi

import (
	"context"
	"net/http"

	"candor/internal/permit"
)

// Standing is which version of the policy holds for a person, and what waits for their answer.
type Standing struct {
	Under   PolicyVersion  `json:"under" doc:"What holds for you: a later version changes nothing material until you agree to it"`
	Waiting *PolicyStep    `json:"waiting,omitempty" doc:"A version that is in effect and that you have not agreed to"`
	Coming  *PolicyStep    `json:"coming,omitempty" doc:"A version that is published and takes effect later"`
	Answers []PolicyAnswer `json:"answers" nullable:"false" doc:"What you said to which version, the newest first"`
}

// PolicyStep is a version that follows, and what is material in it.
type PolicyStep struct {
	To        PolicyVersion  `json:"to"`
	Changes   []PolicyChange `json:"changes" nullable:"false"`
	Suspended []string       `json:"suspended" nullable:"false" doc:"Names of purposes that are off, or only as wide as they were, until you agree"`
	Declined  bool           `json:"declined" doc:"You read it and said not now"`
}

// PolicyChange is one material change.
type PolicyChange struct {
	Name  string `json:"name" doc:"Permanent, as candor policy diff gives it"`
	Class string `json:"class" enum:"processing,controller,recipients,rights,contact,risk"`
	About string `json:"about" doc:"What it is about, in your language; empty for the installation as a whole"`
	Was   string `json:"was,omitempty"`
	Is    string `json:"is,omitempty"`
	Cut   bool   `json:"cut" doc:"Takes something from you"`
}

// PolicyAnswer is what a person said to a version.
type PolicyAnswer struct {
	PolicyHash string `json:"policy_hash"`
	Answer     string `json:"answer" enum:"agreed,declined"`
	At         Moment `json:"at"`
}

type answerInput struct {
	Body struct {
		PolicyHash string `json:"policy_hash" pattern:"^[0-9a-f]{64}$" doc:"Of the version that was read"`
		Answer     string `json:"answer" enum:"agreed,declined"`
	}
}

func (a *API) standing() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/policy/standing", ID: "getStanding", Summary: "Which version of the policy holds for you", Auth: Session, Action: permit.PrivacyRead, Tag: "policy"},
		func(ctx context.Context, _ *none) (*struct{ Body Standing }, error) {
			in := of(ctx)
			return standing(a.deps.Policy.Standing(ctx, in.permit, in.caller.Account, in.lang))
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/policy/answers", ID: "answerPolicy", Summary: "Agree to a version of the policy, or decline it", Auth: Session, Action: permit.ConsentChange, Tag: "policy"},
		func(ctx context.Context, d *answerInput) (*struct{ Body Standing }, error) {
			in := of(ctx)
			if err := a.deps.Policy.Answer(ctx, in.permit, in.caller.Account, d.Body.PolicyHash, d.Body.Answer); err != nil {
				return nil, err
			}
			return standing(a.deps.Policy.Standing(ctx, in.permit, in.caller.Account, in.lang))
		})
}

func standing(s Standing, err error) (*struct{ Body Standing }, error) {
	s.Answers = orEmpty(s.Answers)
	return &struct{ Body Standing }{s}, err
}
