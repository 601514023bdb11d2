package httpapi

import (
	"context"
	"net/http"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Notices are what the operator has to tell people.
type Notices interface {
	// Mine are those that concern a person, the newest first.
	Mine(ctx context.Context, p permit.Permit, lang string) ([]Notice, error)
	// Open are those that everybody may read.
	Open(ctx context.Context, lang string) ([]Notice, error)
	// Seen keeps that a person read one.
	Seen(ctx context.Context, p permit.Permit, which id.Row) error
}

// Notice is one thing that people must be told.
type Notice struct {
	ID       string       `json:"id"`
	Kind     string       `json:"kind" enum:"incident,closing,controller"`
	Declared Moment       `json:"declared_at"`
	From     string       `json:"from,omitempty" format:"date" doc:"The first day without service, or of somebody else's decisions"`
	Erases   string       `json:"erases,omitempty" format:"date" doc:"The day on which accounts are closed"`
	Parts    []NoticePart `json:"parts" nullable:"false" doc:"In the order in which they are read"`
	Seen     bool         `json:"seen" doc:"You read it"`
}

// NoticePart is one of the things that a notice of its kind has to say.
type NoticePart struct {
	Name string `json:"name" doc:"facts, effect, measures, advice, remedies; what, copies; owner, uses, choices"`
	Text string `json:"text" doc:"In your language, by the operator"`
}

type noticesBody struct {
	Body []Notice `nullable:"false"`
}

func (a *API) notices() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/notices", ID: "listNotices", Summary: "What the operator has to tell you", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, _ *none) (*noticesBody, error) {
			in := of(ctx)
			all, err := a.deps.Notices.Mine(ctx, in.permit, in.lang)
			return &noticesBody{orEmpty(all)}, err
		})

	operation(a, Route{Method: http.MethodPut, Path: "/api/v1/notices/{notice}/seen", ID: "markNoticeSeen", Summary: "You read a notice", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, d *struct {
			Notice string `path:"notice" maxLength:"64"`
			Body   struct {
				Seen bool `json:"seen" doc:"Only true: what was read stays read"`
			}
		}) (*struct{}, error) {
			which, err := id.Read[id.Row](d.Notice)
			if err != nil {
				return nil, problem.NotFound()
			}
			if !d.Body.Seen {
				return nil, problem.Invalid("request.invalid")
			}
			return nil, a.deps.Notices.Seen(ctx, of(ctx).permit, which)
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/notices/open", ID: "listOpenNotices", Summary: "What everybody should know", Auth: Public, Tag: "policy"},
		func(ctx context.Context, _ *none) (*noticesBody, error) {
			all, err := a.deps.Notices.Open(ctx, of(ctx).lang)
			return &noticesBody{orEmpty(all)}, err
		})
}
