package httpapi

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"

	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Privacy is what a person may see and decide about their own data.
type Privacy interface {
	Held(ctx context.Context, p permit.Permit, a id.Account) ([]Held, error)
	// Accesses is a page of who opened what (of one camera, or of all for zero), newest first, from before the
	// given number (0: from the newest).
	Accesses(ctx context.Context, p permit.Permit, a id.Account, b id.Binding, before int64, limit int) (accesses []Access, next int64, err error)
	Consents(ctx context.Context, p permit.Permit, a id.Account) (Consents, error)
	// Decide writes a decision about a camera, or about all (zero), down. Withdrawing also says goodbye, and gives a receipt.
	Decide(ctx context.Context, p permit.Permit, a id.Account, b id.Binding, purpose passport.Purpose, c Consented) (Consent, *Receipt, error)
	// Receipt opens a receipt by its link; an unknown one is not_found, one past its days receipt.gone.
	Receipt(ctx context.Context, token string) (Receipt, error)
	// Proof is the receipt as a file that can be checked without this server. Problems: not_found, log.pending.
	Proof(ctx context.Context, token string) (json.RawMessage, error)
	// ConsentReceipt is the same for a consent record of a person. Problems: not_found, log.pending, log.older.
	ConsentReceipt(ctx context.Context, p permit.Permit, which id.Consent) (json.RawMessage, error)
}

// Held is one kind of thing that is held.
type Held struct {
	Category string `json:"category"`
	Kind     string `json:"kind"`
	Count    int64  `json:"count"`
	Bytes    int64  `json:"bytes"`
	Oldest   Moment `json:"oldest,omitzero"`
	Until    string `json:"until" doc:"A moment, or the event that ends it"`
	Purpose  string `json:"purpose"`
	Basis    string `json:"basis"`
	Room     string `json:"room"`
}

// Access is one line of who opened what.
type Access struct {
	Seq     int64       `json:"seq" doc:"A missing number is an entry that somebody removed"`
	At      Moment      `json:"at"`
	Actor   string      `json:"actor" doc:"you, member, link, former (a former member), link:export or system:…"`
	Name    string      `json:"actor_name,omitempty" doc:"What you call the member or the link"`
	Action  string      `json:"action"`
	Camera  *id.Binding `json:"camera_id,omitempty"`
	Purpose string      `json:"purpose"`
	Client  string      `json:"client"`
}

// Consents is what was agreed to: the newest of each, and all there ever were.
type Consents struct {
	Current []Consent `json:"current" nullable:"false"`
	History []Consent `json:"history" nullable:"false"`
}

// Consent is one decision.
type Consent struct {
	ID       id.Consent  `json:"id"`
	Purpose  string      `json:"purpose"`
	Camera   *id.Binding `json:"camera_id,omitempty"`
	State    string      `json:"state" enum:"given,refused,withdrawn"`
	At       Moment      `json:"at"`
	TextHash string      `json:"text_hash"`
	Policy   string      `json:"policy_hash"`
	Language string      `json:"language"`
}

// Receipt shows that a goodbye was kept: what was done, and what was looked for and not found.
type Receipt struct {
	ID           id.Receipt `json:"id"`
	Token        string     `json:"token,omitempty" doc:"Opens the receipt at /api/v1/receipts/{token}; shown when it is made"`
	What         string     `json:"what" enum:"recording,purpose,camera,account"`
	RequestedAt  Moment     `json:"requested_at"`
	UnopenableAt Moment     `json:"unopenable_at,omitzero" doc:"From here on the system could not open it"`
	DoneAt       Moment     `json:"done_at,omitzero" doc:"Absent while the sweep goes on"`
	Steps        []Step     `json:"steps" nullable:"false"`
	LookedFor    []Looked   `json:"looked_for" nullable:"false"`
	Keys         int        `json:"keys_destroyed"`
	Swept        Swept      `json:"swept"`
	Logged       bool       `json:"logged" doc:"It is in the privacy log: /receipts/{token}/proof has what proves it"`
	Days         int        `json:"unrecoverable_by_days" doc:"Days until no medium we keep holds it"`
}

// Step is one step of a goodbye.
type Step struct {
	Step string `json:"step"`
	At   Moment `json:"at,omitzero"`
	Done bool   `json:"done"`
}

// Looked says where was looked for what should be gone.
type Looked struct {
	Where  string `json:"where"`
	Looked int64  `json:"looked"`
	Found  int64  `json:"found"`
}

// Swept counts what was removed.
type Swept struct {
	Objects int64 `json:"objects"`
	Bytes   int64 `json:"bytes"`
	Rows    int64 `json:"rows"`
}

func (r *Receipt) status() int {
	r.Steps, r.LookedFor = orEmpty(r.Steps), orEmpty(r.LookedFor)
	if r.DoneAt == 0 {
		return http.StatusAccepted
	}
	return http.StatusOK
}

type page struct {
	Cursor string `query:"cursor" maxLength:"32" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
}

type accessPage struct {
	Cursor string `query:"cursor" maxLength:"32" doc:"next_cursor of the page before"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50"`
	Camera string `query:"camera_id" doc:"Only this camera"`
}

func (a *API) privacy() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/privacy/held", ID: "listHeld", Summary: "What is held about you", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, _ *none) (*struct {
			Body []Held `nullable:"false"`
		}, error) {
			in := of(ctx)
			held, err := a.deps.Privacy.Held(ctx, in.permit, in.caller.Account)
			return &struct {
				Body []Held `nullable:"false"`
			}{orEmpty(held)}, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/privacy/access", ID: "listAccesses", Summary: "Who opened what", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, q *accessPage) (*struct {
			Link string `header:"Link"`
			Body struct {
				Accesses   []Access `json:"accesses" nullable:"false"`
				NextCursor string   `json:"next_cursor,omitempty"`
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
			var camera id.Binding
			if q.Camera != "" {
				b, ok := parse[id.Binding](q.Camera)
				if !ok {
					return nil, badQuery("camera_id")
				}
				camera = b
			}
			all, next, err := a.deps.Privacy.Accesses(ctx, in.permit, in.caller.Account, camera, before, q.Limit)
			if err != nil {
				return nil, err
			}
			out := &struct {
				Link string `header:"Link"`
				Body struct {
					Accesses   []Access `json:"accesses" nullable:"false"`
					NextCursor string   `json:"next_cursor,omitempty"`
				}
			}{}
			out.Body.Accesses = orEmpty(all)
			if next > 0 {
				out.Body.NextCursor = strconv.FormatInt(next, 36)
				out.Link = "<" + in.visit.BasePath + "/api/v1/privacy/access?limit=" + strconv.Itoa(q.Limit) + about(camera) + "&cursor=" + out.Body.NextCursor + `>; rel="next"`
			}
			return out, nil
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/consents", ID: "listConsents", Summary: "What you agreed to", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, _ *none) (*struct{ Body Consents }, error) {
			in := of(ctx)
			c, err := a.deps.Privacy.Consents(ctx, in.permit, in.caller.Account)
			c.Current, c.History = orEmpty(c.Current), orEmpty(c.History)
			return &struct{ Body Consents }{c}, err
		})

	operation(a, Route{Method: http.MethodPut, Path: "/api/v1/cameras/{id}/consents/{purpose}", ID: "decideConsent", Summary: "Agree, refuse or withdraw for a camera", Auth: Session, Action: permit.ConsentChange, Tag: "privacy"},
		func(ctx context.Context, d *struct {
			cameraPath
			Purpose string `path:"purpose"`
			Body    decision
		}) (*decided, error) {
			return a.decide(ctx, d.Purpose, d.Body)
		})

	operation(a, Route{Method: http.MethodPut, Path: "/api/v1/consents/{purpose}", ID: "decideConsentForAll", Summary: "Agree, refuse or withdraw for all cameras, or for yourself", Auth: Session, Action: permit.ConsentChange, Tag: "privacy"},
		func(ctx context.Context, d *struct {
			Purpose string `path:"purpose"`
			Body    decision
		}) (*decided, error) {
			return a.decide(ctx, d.Purpose, d.Body)
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/receipts/{token}/proof", ID: "getReceiptProof", Summary: "An erasure receipt as a file that can be checked without this server", Auth: Bearer, Tag: "privacy"},
		func(ctx context.Context, path *struct {
			Token string `path:"token" maxLength:"128"`
		}) (*struct{ Body json.RawMessage }, error) {
			if err := a.throttle.try("receipt "+of(ctx).visit.Client.String(), 60, 0.5e9); err != nil {
				return nil, err
			}
			b, err := a.deps.Privacy.Proof(ctx, path.Token)
			return &struct{ Body json.RawMessage }{b}, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/consents/{consent}/receipt", ID: "getConsentReceipt", Summary: "A consent record as a file that can be checked without this server", Auth: Session, Action: permit.PrivacyRead, Tag: "privacy"},
		func(ctx context.Context, path *struct {
			Consent string `path:"consent" maxLength:"64"`
		}) (*struct{ Body json.RawMessage }, error) {
			which, err := id.Read[id.Consent](path.Consent)
			if err != nil {
				return nil, problem.NotFound()
			}
			b, err := a.deps.Privacy.ConsentReceipt(ctx, of(ctx).permit, which)
			return &struct{ Body json.RawMessage }{b}, err
		})

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/receipts/{token}", ID: "getReceipt", Summary: "An erasure receipt, by its link", Auth: Bearer, Tag: "privacy"},
		func(ctx context.Context, path *struct {
			Token string `path:"token" maxLength:"128"`
		}) (*struct{ Body Receipt }, error) {
			if err := a.throttle.try("receipt "+of(ctx).visit.Client.String(), 60, 0.5e9); err != nil {
				return nil, err
			}
			r, err := a.deps.Privacy.Receipt(ctx, path.Token)
			r.status()
			r.Token = ""
			return &struct{ Body Receipt }{r}, err
		})
}

// about repeats a camera in a query.
func about(b id.Binding) string {
	if b.IsZero() {
		return ""
	}
	return "&camera_id=" + b.String()
}

type decision struct {
	State    string `json:"state" enum:"given,refused,withdrawn"`
	TextHash string `json:"text_hash" maxLength:"128" doc:"Hash of the text that was read"`
}

type decided struct {
	Body struct {
		Consent Consent  `json:"consent"`
		Receipt *Receipt `json:"receipt,omitempty" doc:"After withdrawing"`
	}
}

// decide writes down what was decided about the camera of the path, or about all.
func (a *API) decide(ctx context.Context, name string, d decision) (*decided, error) {
	in := of(ctx)
	purpose, err := a.asked(ctx, name, in.lang)
	if err != nil {
		return nil, err
	}
	out := &decided{}
	out.Body.Consent, out.Body.Receipt, err = a.deps.Privacy.Decide(context.WithoutCancel(ctx), in.permit, in.caller.Account, in.binding, purpose,
		Consented{State: d.State, TextHash: d.TextHash, Language: in.lang})
	if err != nil {
		return nil, err
	}
	if out.Body.Receipt != nil {
		out.Body.Receipt.status()
	}
	return out, nil
}

// asked is a purpose that rests on consent; any other is not there to be decided.
func (a *API) asked(ctx context.Context, name, lang string) (passport.Purpose, error) {
	all, err := a.deps.Policy.Purposes(ctx, of(ctx).caller, lang)
	if err != nil {
		return "", err
	}
	for _, p := range all {
		if p.ID == name && p.Optional {
			return passport.Purpose(name), nil
		}
	}
	return "", problem.NotFound()
}
