package httpapi

import (
	"context"
	"net/http"
	"time"

	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Shares is whom owners let in.
type Shares interface {
	// List shows what a person gave to others, and what was given to them.
	List(ctx context.Context, p permit.Permit, a id.Account) (Shared, error)
	// Invite makes an invite; the letter goes out where there is mail. Origin and path of the app are
	// what its address begins with.
	Invite(ctx context.Context, p permit.Permit, a id.Account, n NewInvite, app, lang string) (Made, error)
	Link(ctx context.Context, p permit.Permit, a id.Account, n NewLink) (Made, error)
	// Change gives a member's share or an invite other terms; what rests on the old ones has ended when it returns.
	Change(ctx context.Context, p permit.Permit, a id.Account, s id.Share, c ChangedTerms) (Share, error)
	// End takes a share back, or forgets one that has ended. What rests on it has ended when it returns.
	End(ctx context.Context, p permit.Permit, a id.Account, s id.Share) error
	// Leave gives back what was shared with the person.
	Leave(ctx context.Context, p permit.Permit, a id.Account, s id.Share) error
	// Letter is what an invite says to whoever has its token.
	Letter(ctx context.Context, t id.Tenant, token string) (Invitation, error)
	Accept(ctx context.Context, p permit.Permit, a id.Account, token string) (Received, error)
	// Enter exchanges a link's token for one of the browser's own.
	Enter(ctx context.Context, t id.Tenant, token string) (v LinkView, own string, until time.Time, err error)
	// Visitor finds the link that a browser's own token belongs to: otherwise not_found, or link.over.
	Visitor(ctx context.Context, t id.Tenant, link id.Share, own string) (Visitor, error)
	Look(ctx context.Context, t id.Tenant, link id.Share) (LinkView, error)
}

// Visitor is who holds a link.
type Visitor struct {
	Link    id.Share
	Binding id.Binding
}

// Span is one stretch of the week.
type Span struct {
	Days []int `json:"days" nullable:"false" minItems:"1" maxItems:"7" doc:"1 Monday to 7 Sunday"`
	From int   `json:"from" minimum:"0" maximum:"1439" doc:"Minutes after midnight"`
	To   int   `json:"to" minimum:"1" maximum:"1440" doc:"Minutes after midnight; not after from: on the next day"`
}

// Terms are what a share allows.
type Terms struct {
	Abilities []string `json:"abilities" nullable:"false"`
	Hours     []Span   `json:"hours" nullable:"false" doc:"In the time zone of the place; none: any time"`
	From      Moment   `json:"from,omitzero" doc:"Footage begins here"`
	To        Moment   `json:"to,omitzero" doc:"Footage ends here"`
	Until     Moment   `json:"until,omitzero" doc:"Absent: until it is taken back"`
}

// Share is what an owner gave, or offers.
type Share struct {
	ID    id.Share    `json:"id"`
	Kind  string      `json:"kind" enum:"member,link"`
	State string      `json:"state" enum:"invited,open,ended"`
	Site  *id.Site    `json:"site_id,omitempty"`
	Cam   *id.Binding `json:"camera_id,omitempty"`
	Terms
	Label      string `json:"label"`
	Email      string `json:"email,omitempty"`
	Former     bool   `json:"former" doc:"The member has left"`
	AcceptBy   Moment `json:"accept_by,omitzero"`
	CreatedAt  Moment `json:"created_at"`
	AcceptedAt Moment `json:"accepted_at,omitzero"`
	EndedAt    Moment `json:"ended_at,omitzero"`
	Uses       []Use  `json:"uses" nullable:"false" doc:"The newest first, from the access records"`
}

// Use is one use of a share.
type Use struct {
	At     Moment      `json:"at"`
	Action string      `json:"action"`
	Camera *id.Binding `json:"camera_id,omitempty"`
	Client string      `json:"client"`
}

// Received is what was shared with a person.
type Received struct {
	ID    id.Share    `json:"id"`
	By    string      `json:"by" doc:"As the owner was called when it was accepted"`
	Place string      `json:"place"`
	Over  bool        `json:"over"`
	Cam   *id.Binding `json:"camera_id,omitempty" doc:"Absent: all cameras of the place"`
	Terms
	AcceptedAt Moment `json:"accepted_at"`
}

// Shared is both sides.
type Shared struct {
	Given    []Share    `json:"given" nullable:"false"`
	Received []Received `json:"received" nullable:"false"`
	Mail     bool       `json:"mail" doc:"Invites can be sent by e-mail"`
}

// NewInvite is an invite to make.
type NewInvite struct {
	Site        *id.Site    `json:"site_id,omitempty"`
	Camera      *id.Binding `json:"camera_id,omitempty"`
	Abilities   []string    `json:"abilities" nullable:"false" maxItems:"8"`
	Hours       []Span      `json:"hours,omitempty" nullable:"false" maxItems:"21"`
	HistoryFrom Moment      `json:"history_from,omitempty"`
	Until       Moment      `json:"until,omitempty"`
	Label       string      `json:"label,omitempty" maxLength:"400"`
	Email       string      `json:"email,omitempty" maxLength:"254"`
	Confirmed   bool        `json:"confirmed" doc:"The person agrees to be entered here, and you know that what is shared can spread"`
}

// ChangedTerms are what a member's share or an invite is to allow from now on, whole: what is absent is gone.
type ChangedTerms struct {
	Abilities   []string `json:"abilities" nullable:"false" maxItems:"8"`
	Hours       []Span   `json:"hours,omitempty" nullable:"false" maxItems:"21"`
	HistoryFrom Moment   `json:"history_from,omitempty"`
	Until       Moment   `json:"until,omitempty"`
	Label       string   `json:"label,omitempty" maxLength:"400"`
}

// NewLink is a link to make: to a clip, or live.
type NewLink struct {
	Camera    id.Binding `json:"camera_id"`
	From      Moment     `json:"from,omitempty"`
	To        Moment     `json:"to,omitempty"`
	Live      bool       `json:"live,omitempty" doc:"Needs the password to have been entered within ten minutes"`
	Export    bool       `json:"export,omitempty" doc:"The clip can also be saved as a file"`
	Named     bool       `json:"named,omitempty" doc:"The page tells the camera's name and the moment"`
	Until     Moment     `json:"until,omitempty" doc:"Absent: for a day"`
	Label     string     `json:"label,omitempty" maxLength:"400"`
	Confirmed bool       `json:"confirmed" doc:"You know that what is shared can spread"`
}

// Made is a new share, and the token that opens it, which is told once.
type Made struct {
	Share Share  `json:"share"`
	Token string `json:"token"`
	URL   string `json:"url"`
	Sent  bool   `json:"sent" doc:"A letter is on its way"`
}

// Invitation is what an invite says.
type Invitation struct {
	By        string `json:"by"`
	Place     string `json:"place"`
	All       bool   `json:"all" doc:"All cameras of the place"`
	Terms     Terms  `json:"terms"`
	AcceptBy  Moment `json:"accept_by"`
	Addressed bool   `json:"addressed" doc:"Only the account with the invited address can accept it"`
}

func (t *Terms) whole() { t.Abilities, t.Hours = orEmpty(t.Abilities), orEmpty(t.Hours) }

type madeOutput struct{ Body Made }

func (a *API) shares() {
	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/shares", ID: "listShares", Summary: "Whom you let in, and what was shared with you", Auth: Session, Action: permit.ShareRead, Tag: "shares"},
		func(ctx context.Context, _ *none) (*struct{ Body Shared }, error) {
			in := of(ctx)
			all, err := a.deps.Shares.List(ctx, in.permit, in.caller.Account)
			if err != nil {
				return nil, err
			}
			all.Given, all.Received = orEmpty(all.Given), orEmpty(all.Received)
			for i := range all.Given {
				all.Given[i].whole()
				all.Given[i].Uses = orEmpty(all.Given[i].Uses)
			}
			for i := range all.Received {
				all.Received[i].whole()
			}
			return &struct{ Body Shared }{all}, nil
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/shares", ID: "inviteMember", Summary: "Invite somebody", Auth: Session, Action: permit.ShareChange, Replay: true, Tag: "shares"},
		func(ctx context.Context, want *struct{ Body NewInvite }) (*madeOutput, error) {
			in := of(ctx)
			made, err := a.deps.Shares.Invite(ctx, in.permit, in.caller.Account, want.Body, in.app(), in.lang)
			return a.made(in, made, "invite/", err)
		}, http.StatusCreated)

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/links", ID: "makeLink", Summary: "Make a link to a clip, or to the live picture", Auth: Session, Action: permit.ShareChange, Replay: true, Tag: "shares"},
		func(ctx context.Context, want *struct{ Body NewLink }) (*madeOutput, error) {
			in := of(ctx)
			if want.Body.Live {
				if err := a.fresh.check(in.caller.Session); err != nil {
					return nil, err
				}
			}
			made, err := a.deps.Shares.Link(ctx, in.permit, in.caller.Account, want.Body)
			return a.made(in, made, "l/", err)
		}, http.StatusCreated)

	operation(a, Route{Method: http.MethodPut, Path: "/api/v1/shares/{share}", ID: "changeShare", Summary: "Give a member's share or an invite other terms", Auth: Session, Action: permit.ShareChange, Tag: "shares"},
		func(ctx context.Context, want *struct {
			Share string `path:"share"`
			Body  ChangedTerms
		}) (*struct{ Body Share }, error) {
			in := of(ctx)
			s, ok := parse[id.Share](want.Share)
			if !ok {
				return nil, problem.NotFound()
			}
			a.replays.forget(in.caller.Account)
			changed, err := a.deps.Shares.Change(context.WithoutCancel(ctx), in.permit, in.caller.Account, s, want.Body)
			changed.whole()
			changed.Uses = orEmpty(changed.Uses)
			return &struct{ Body Share }{changed}, err
		})

	ended := func(end func(ctx context.Context, p permit.Permit, a id.Account, s id.Share) error) func(context.Context, *sharePath) (*none, error) {
		return func(ctx context.Context, path *sharePath) (*none, error) {
			in := of(ctx)
			s, ok := parse[id.Share](path.Share)
			if !ok {
				return nil, problem.NotFound()
			}
			a.replays.forget(in.caller.Account)
			return &none{}, end(context.WithoutCancel(ctx), in.permit, in.caller.Account, s)
		}
	}
	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/shares/{share}", ID: "endShare", Summary: "Take a share back; forget one that has ended", Auth: Session, Action: permit.ShareChange, Tag: "shares"},
		ended(func(ctx context.Context, p permit.Permit, who id.Account, s id.Share) error {
			return a.deps.Shares.End(ctx, p, who, s)
		}), http.StatusNoContent)
	operation(a, Route{Method: http.MethodDelete, Path: "/api/v1/memberships/{share}", ID: "leaveShare", Summary: "Give back what was shared with you", Auth: Session, Action: permit.ShareChange, Tag: "shares"},
		ended(func(ctx context.Context, p permit.Permit, who id.Account, s id.Share) error {
			return a.deps.Shares.Leave(ctx, p, who, s)
		}), http.StatusNoContent)

	operation(a, Route{Method: http.MethodGet, Path: "/api/v1/invites/{token}", ID: "getInvite", Summary: "What an invite says", Auth: Bearer, Tag: "shares"},
		func(ctx context.Context, path *tokenPath) (*struct{ Body Invitation }, error) {
			if err := a.guess(ctx); err != nil {
				return nil, err
			}
			l, err := a.deps.Shares.Letter(ctx, a.deps.Tenant, path.Token)
			l.Terms.whole()
			return &struct{ Body Invitation }{l}, err
		})

	operation(a, Route{Method: http.MethodPost, Path: "/api/v1/invites/{token}/accept", ID: "acceptInvite", Summary: "Accept an invite", Auth: Session, Action: permit.ShareChange, Tag: "shares"},
		func(ctx context.Context, path *tokenPath) (*struct{ Body Received }, error) {
			in := of(ctx)
			if err := a.guess(ctx); err != nil {
				return nil, err
			}
			got, err := a.deps.Shares.Accept(context.WithoutCancel(ctx), in.permit, in.caller.Account, path.Token)
			got.whole()
			return &struct{ Body Received }{got}, err
		})
}

type sharePath struct {
	Share string `path:"share"`
}

type tokenPath struct {
	Token string `path:"token" maxLength:"128"`
}

// guess slows down who tries tokens.
func (a *API) guess(ctx context.Context) error {
	return a.throttle.try("token "+place(ctx), 60, time.Second/2)
}

// made tells the address that opens a new share.
func (a *API) made(in *inside, m Made, page string, err error) (*madeOutput, error) {
	if err != nil {
		return nil, err
	}
	m.URL = in.app() + page + m.Token
	m.Share.whole()
	m.Share.Uses = orEmpty(m.Share.Uses)
	return &madeOutput{m}, nil
}

// app is the address of the app, as the browser has it.
func (in *inside) app() string { return in.visit.Origin() + in.visit.BasePath + "/" }
