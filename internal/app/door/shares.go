package door

import (
	"context"
	"strings"
	"time"

	"candor/internal/account"
	"candor/internal/clock"
	"candor/internal/device"
	"candor/internal/gate"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/ingest"
	"candor/internal/permit"
	"candor/internal/problem"
	"candor/internal/share"
	"candor/internal/translog"
	"candor/words"
)

// Shares lets others in.
type Shares struct {
	Room    *share.Room
	People  *account.Room
	Devices *device.Room
	Puller  *ingest.Supervisor
	Gate    *gate.Gate
	Log     *translog.Log
	Mail    Mailer // nil: invites are handed over by their owner
	Tell    func(kind string, a id.Account, b id.Binding)
}

// Mailer writes a letter to somebody who may have no account.
type Mailer interface {
	Can() bool
	Letter(ctx context.Context, t id.Tenant, to, subject, text string, until time.Time) error
}

var _ httpapi.Shares = Shares{}

// List shows both sides, and who used what.
func (s Shares) List(ctx context.Context, p permit.Permit, a id.Account) (httpapi.Shared, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Shared{}, err
	}
	given, err := s.Room.Given(ctx, p, g.Tenant, a)
	if err != nil {
		return httpapi.Shared{}, err
	}
	uses, err := s.uses(ctx, p, g.Tenant, a)
	if err != nil {
		return httpapi.Shared{}, err
	}
	received, err := s.Room.Received(ctx, p, g.Tenant, a)
	if err != nil {
		return httpapi.Shared{}, err
	}
	out := httpapi.Shared{Mail: s.Mail != nil && s.Mail.Can()}
	for _, one := range given {
		line := givenOf(one)
		line.Uses = uses(one)
		out.Given = append(out.Given, line)
	}
	for _, one := range received {
		out.Received = append(out.Received, receivedOf(one))
	}
	return out, nil
}

const (
	usesLooked = 500 // newest access records that are looked at
	usesShown  = 5
)

// uses finds the newest uses of each share among an owner's access records.
func (s Shares) uses(ctx context.Context, p permit.Permit, t id.Tenant, a id.Account) (func(share.Given) []httpapi.Use, error) {
	page, _, err := s.Log.List(ctx, p, t, id.SubjectOf(a), 0, usesLooked)
	if err != nil {
		return nil, err
	}
	return func(g share.Given) (out []httpapi.Use) {
		for _, e := range page {
			mine := e.Actor.Link == g.ID || g.Kind == share.Member && !g.Member.IsZero() && e.Actor.Account == g.Member &&
				(g.Binding.IsZero() || e.Binding == g.Binding) && clock.At(e.At) >= g.Accepted && (g.Ended == 0 || clock.At(e.At) <= g.Ended)
			if mine && len(out) < usesShown {
				out = append(out, httpapi.Use{At: httpapi.Moment(clock.At(e.At)), Action: string(e.Action), Camera: ptrTo(e.Binding), Client: e.Client})
			}
		}
		return out
	}, nil
}

func ptrTo[K any](v id.ID[K]) *id.ID[K] {
	if v.IsZero() {
		return nil
	}
	return &v
}

func terms(t share.Terms) httpapi.Terms {
	out := httpapi.Terms{From: httpapi.Moment(t.From), To: httpapi.Moment(t.To), Until: httpapi.Moment(t.Until), Abilities: abilities(t.Abilities)}
	for _, h := range t.Hours {
		out.Hours = append(out.Hours, httpapi.Span(h))
	}
	return out
}

// termsOf are a member's terms as they were asked for.
func termsOf(abilities []string, hours []httpapi.Span, from, until httpapi.Moment) share.Terms {
	out := share.Terms{From: from.Millis(), Until: until.Millis()}
	for _, name := range abilities {
		out.Abilities = append(out.Abilities, permit.Ability(name))
	}
	for _, h := range hours {
		out.Hours = append(out.Hours, share.Span(h))
	}
	return out
}

func abilities(all []permit.Ability) (out []string) {
	for _, a := range all {
		out = append(out, string(a))
	}
	return out
}

func givenOf(g share.Given) httpapi.Share {
	return httpapi.Share{
		ID: g.ID, Kind: string(g.Kind), State: string(g.State), Site: ptrTo(g.Site), Cam: ptrTo(g.Binding), Terms: terms(g.Terms), Label: g.Label, Email: g.Email,
		Former:   g.Kind == share.Member && g.Member.IsZero() && g.AcceptBy == 0,
		AcceptBy: httpapi.Moment(g.AcceptBy), CreatedAt: httpapi.Moment(g.Created), AcceptedAt: httpapi.Moment(g.Accepted), EndedAt: httpapi.Moment(g.Ended),
	}
}

func receivedOf(r share.Received) httpapi.Received {
	return httpapi.Received{ID: r.ID, By: r.By, Place: r.Place, Over: r.Over, Cam: ptrTo(r.Binding), Terms: terms(r.Terms), AcceptedAt: httpapi.Moment(r.Accepted)}
}

// Invite makes an invite and sends its letter, where there is mail and an address.
func (s Shares) Invite(ctx context.Context, p permit.Permit, a id.Account, n httpapi.NewInvite, app, lang string) (httpapi.Made, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Made{}, err
	}
	me, err := s.me(ctx, g)
	if err != nil {
		return httpapi.Made{}, err
	}
	w := share.Wanted{Terms: termsOf(n.Abilities, n.Hours, n.HistoryFrom, n.Until), Label: n.Label, By: me.Name, Confirmed: n.Confirmed}
	if n.Email != "" {
		if w.Email, err = account.CheckEmail(n.Email); err != nil {
			return httpapi.Made{}, err
		}
		if strings.EqualFold(w.Email, me.Email) {
			return httpapi.Made{}, problem.Conflict("share.self")
		}
	}
	if n.Site != nil {
		w.Site = *n.Site
	}
	if n.Camera != nil {
		w.Binding = *n.Camera
	}
	if w.Place, err = s.called(ctx, p, g, w.Scope); err != nil {
		return httpapi.Made{}, err
	}
	made, token, err := s.Room.Invite(ctx, p, g.Tenant, a, w)
	if err != nil {
		return httpapi.Made{}, err
	}
	out := httpapi.Made{Share: givenOf(made), Token: token}
	if w.Email != "" && s.Mail != nil && s.Mail.Can() {
		args := map[string]string{"by": made.By, "place": made.Place, "url": app + "invite/" + token}
		err := s.Mail.Letter(ctx, g.Tenant, w.Email, words.Sentence(lang, "mail.invite.subject", args), words.Sentence(lang, "mail.invite.text", args), made.AcceptBy.Time())
		out.Sent = err == nil // where it cannot be sent its owner hands it over
	}
	return out, nil
}

// me is the profile of who asks.
func (s Shares) me(ctx context.Context, g permit.Grant) (account.Profile, error) {
	p, err := s.Gate.Permit(ctx, gate.Request{Tenant: g.Tenant, Actor: g.Actor, Action: permit.AccountRead, Account: g.Actor.Account})
	if err != nil {
		return account.Profile{}, err
	}
	return s.People.Get(ctx, p, g.Tenant, g.Actor.Account)
}

// called is the name of what is shared. What is not the person's own is not there.
func (s Shares) called(ctx context.Context, p permit.Permit, g permit.Grant, of share.Scope) (string, error) {
	a := g.Actor.Account
	if !of.Binding.IsZero() {
		ref, err := s.Devices.Ref(ctx, g.Tenant, of.Binding)
		if err != nil || ref.Account != a {
			return "", problem.NotFound()
		}
		cam, err := s.Devices.Get(ctx, p, g.Tenant, of.Binding)
		return cam.Name, err
	}
	all, err := s.Devices.Sites(ctx, p, g.Tenant, a)
	if err != nil {
		return "", err
	}
	for _, site := range all {
		if site.ID == of.Site {
			return site.Name, nil
		}
	}
	if of.Site.IsZero() {
		return "", problem.Invalid("share.scope")
	}
	return "", problem.NotFound()
}

// Link makes a link.
func (s Shares) Link(ctx context.Context, p permit.Permit, a id.Account, n httpapi.NewLink) (httpapi.Made, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Made{}, err
	}
	w := share.Wanted{
		Scope: share.Scope{Binding: n.Camera}, Terms: share.Terms{From: n.From.Millis(), To: n.To.Millis(), Until: n.Until.Millis()}, Label: n.Label,
		Named: n.Named, Confirmed: n.Confirmed,
	}
	switch {
	case n.Live:
		w.Abilities = []permit.Ability{permit.LiveView}
	case n.Export:
		w.Abilities = []permit.Ability{permit.Playback, permit.Export}
	default:
		w.Abilities = []permit.Ability{permit.Playback}
	}
	if w.Place, err = s.called(ctx, p, g, w.Scope); err != nil {
		return httpapi.Made{}, err
	}
	made, token, err := s.Room.Link(ctx, p, g.Tenant, a, w)
	return httpapi.Made{Share: givenOf(made), Token: token}, err
}

// Change gives a share other terms, and tells the browsers of both sides.
func (s Shares) Change(ctx context.Context, p permit.Permit, a id.Account, which id.Share, c httpapi.ChangedTerms) (httpapi.Share, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Share{}, err
	}
	changed, err := s.Room.Change(ctx, p, g.Tenant, a, which, c.Label, termsOf(c.Abilities, c.Hours, c.HistoryFrom, c.Until))
	if err != nil {
		return httpapi.Share{}, err
	}
	sides, err := s.Room.Sides(ctx, g.Tenant, which)
	if err != nil {
		return httpapi.Share{}, err
	}
	s.tell(sides...)
	return givenOf(changed), nil
}

// End takes a share back.
func (s Shares) End(ctx context.Context, p permit.Permit, a id.Account, which id.Share) error {
	return s.gone(ctx, p, a, which, s.Room.End)
}

// Leave gives one back.
func (s Shares) Leave(ctx context.Context, p permit.Permit, a id.Account, which id.Share) error {
	return s.gone(ctx, p, a, which, s.Room.Leave)
}

// gone ends a share and tells the browsers of both sides.
func (s Shares) gone(ctx context.Context, p permit.Permit, a id.Account, which id.Share, end func(context.Context, permit.Permit, id.Tenant, id.Account, id.Share) error) error {
	g, err := granted(p)
	if err != nil {
		return err
	}
	sides, err := s.Room.Sides(ctx, g.Tenant, which)
	if err != nil {
		return err
	}
	if err := end(ctx, p, g.Tenant, a, which); err != nil {
		return err
	}
	s.tell(sides...)
	return nil
}

func (s Shares) tell(sides ...id.Account) {
	for _, a := range sides {
		s.Tell("share.changed", a, id.Binding{})
	}
}

// Letter is what an invite says.
func (s Shares) Letter(ctx context.Context, t id.Tenant, token string) (httpapi.Invitation, error) {
	l, err := s.Room.Letter(ctx, t, token)
	if err != nil {
		return httpapi.Invitation{}, err
	}
	return httpapi.Invitation{By: l.By, Place: l.Place, All: l.Site, Terms: terms(l.Terms), AcceptBy: httpapi.Moment(l.AcceptBy), Addressed: l.Addressed}, nil
}

// Accept lets the person in.
func (s Shares) Accept(ctx context.Context, p permit.Permit, a id.Account, token string) (httpapi.Received, error) {
	g, err := granted(p)
	if err != nil {
		return httpapi.Received{}, err
	}
	me, err := s.me(ctx, g)
	if err != nil {
		return httpapi.Received{}, err
	}
	got, err := s.Room.Accept(ctx, g.Tenant, token, a, me.Email)
	if err != nil {
		return httpapi.Received{}, err
	}
	sides, err := s.Room.Sides(ctx, g.Tenant, got.ID)
	if err != nil {
		return httpapi.Received{}, err
	}
	s.tell(sides...)
	return receivedOf(share.Received{ID: got.ID, Place: got.Place, By: got.By, Scope: got.Scope, Terms: got.Terms, Accepted: got.Accepted}), nil
}

// Enter opens a link in a browser.
func (s Shares) Enter(ctx context.Context, t id.Tenant, token string) (httpapi.LinkView, string, time.Time, error) {
	v, own, err := s.Room.Enter(ctx, t, token)
	if err != nil {
		return httpapi.LinkView{}, "", time.Time{}, err
	}
	return s.view(ctx, t, v), own, v.Until.Time(), nil
}

// Visitor finds who came.
func (s Shares) Visitor(ctx context.Context, t id.Tenant, link id.Share, own string) (httpapi.Visitor, error) {
	v, err := s.Room.Visitor(ctx, t, link, own)
	return httpapi.Visitor{Link: v.ID, Binding: v.Binding}, err
}

// Look is what the page tells.
func (s Shares) Look(ctx context.Context, t id.Tenant, link id.Share) (httpapi.LinkView, error) {
	v, err := s.Room.Look(ctx, t, link)
	if err != nil {
		return httpapi.LinkView{}, err
	}
	return s.view(ctx, t, v), nil
}

// view leaves out what the owner did not tick: the name, and when the clip was taken.
func (s Shares) view(ctx context.Context, t id.Tenant, v share.View) httpapi.LinkView {
	out := httpapi.LinkView{ID: v.ID, Kind: "live", Until: httpapi.Moment(v.Until), Name: v.Place}
	if v.To != 0 {
		out.Kind, out.Seconds = "clip", float64(v.To-v.From)/1000
	}
	for _, a := range v.Abilities {
		out.Export = out.Export || a == permit.Export
	}
	if v.Named && v.From != 0 {
		out.At = httpapi.Moment(v.From)
		if zone, err := s.Room.ZoneOf(ctx, t, v.Owner, v.Binding); err == nil {
			out.TimeZone = zone.String()
		}
	}
	if ref, err := s.Devices.Ref(ctx, t, v.Binding); err == nil && out.Kind == "live" {
		now := s.Puller.State(ref.Device)
		out.Phase, out.Streams = string(now.Phase), streams(now)
	}
	return out
}
