package share

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/problem"
)

// Kind says who holds a share.
type Kind string

// The kinds.
const (
	Member Kind = "member" // an account
	Link   Kind = "link"   // whoever holds the link
)

// State is where a share stands.
type State string

// The states.
const (
	Invited State = "invited" // nobody has accepted it yet
	Open    State = "open"
	Ended   State = "ended"
)

// Scope is what is shared: all cameras of a site, or one camera.
type Scope struct {
	Site    id.Site
	Binding id.Binding
}

func (s Scope) check() error {
	if s.Site.IsZero() == s.Binding.IsZero() {
		return problem.Invalid("share.scope")
	}
	return nil
}

// Terms are what a share allows, beside its scope. They are what the gate decides by.
type Terms struct {
	Abilities []permit.Ability
	Hours     Hours        // none: at any time
	From, To  clock.Millis // the stretch of footage; 0: open on that side
	Until     clock.Millis // 0: until it is revoked
}

// Abilities that can be given, in the order they are listed.
var Abilities = []permit.Ability{permit.LiveView, permit.Playback, permit.Talk, permit.Alarms, permit.Export}

// set brings abilities into their order, without doubles; unknown ones, or none at all, are refused.
func set(all []permit.Ability) ([]permit.Ability, error) {
	var out []permit.Ability
	for _, a := range Abilities {
		if slices.Contains(all, a) {
			out = append(out, a)
		}
	}
	for _, a := range all {
		if !slices.Contains(Abilities, a) {
			out = nil
		}
	}
	if len(out) == 0 {
		return nil, problem.Invalid("share.abilities")
	}
	return out, nil
}

func joined(all []permit.Ability) string {
	names := make([]string, len(all))
	for i, a := range all {
		names[i] = string(a)
	}
	return strings.Join(names, ",")
}

func split(s string) []permit.Ability {
	var out []permit.Ability
	for name := range strings.SplitSeq(s, ",") {
		out = append(out, permit.Ability(name))
	}
	return out
}

// About is what the owner keeps of a share: whom it is for, and what they are told.
type About struct {
	Label     string       `json:"label,omitempty"` // the owner's own: "Ana", "the plumber"
	Email     string       `json:"email,omitempty"` // whom the invite is addressed to
	By        string       `json:"by"`              // the owner's name, as the invited person is told
	Place     string       `json:"place"`           // the name of the site or camera, likewise
	Named     bool         `json:"named,omitempty"` // a link's page tells name and moment
	Confirmed clock.Millis `json:"confirmed"`       // the owner has read that what is shared can spread, and has the invited person's consent
}

// Given is a share as its owner sees it.
type Given struct {
	ID    id.Share
	Kind  Kind
	State State
	Scope
	Terms
	About
	AcceptBy clock.Millis // of an invite; 0: it was accepted
	Created  clock.Millis
	Accepted clock.Millis // 0: never, or by somebody who has left
	Ended    clock.Millis // 0: not
	Member   id.Account   // zero: not accepted, or a former member
}

// Received is a share as its member sees it.
type Received struct {
	ID        id.Share
	Owner     id.Account
	Place, By string // as told when it was accepted
	Over      bool
	Scope
	Terms
	Accepted clock.Millis
}

// The limits.
const (
	inviteFor     = 7 * 24 * time.Hour
	linkFor       = 24 * time.Hour           // when nothing else is said
	longestLink   = 30 * 24 * time.Hour      // of a link
	longestShare  = 5 * 366 * 24 * time.Hour // of a member's share that has an end
	keepEnded     = 365 * 24 * time.Hour     // as long as the access records that name it
	maxShares     = 200                      // open ones and invites, of one owner
	maxInvites    = 40                       // made in a day
	maxLinks      = 60                       // open at once
	maxLinksDaily = 200                      // made in a day
	maxVisits     = 50                       // browsers that opened one link
	maxLabel      = 100                      // characters
	maxClip       = 24 * time.Hour
)

func checkLabel(s string) (string, error) {
	s = strings.TrimSpace(norm.NFC.String(s))
	if utf8.RuneCountInString(s) > maxLabel || !utf8.ValidString(s) || strings.ContainsFunc(s, unicode.IsControl) {
		return "", problem.Invalid("share.label").With("longest", strconv.Itoa(maxLabel))
	}
	return s, nil
}

// check brings terms into form.
func (t *Terms) check(now clock.Millis, longest time.Duration) (err error) {
	if t.Abilities, err = set(t.Abilities); err != nil {
		return err
	}
	if err := t.Hours.check(); err != nil {
		return err
	}
	switch {
	case t.From < 0 || t.To < 0 || t.To != 0 && t.To <= t.From:
		return problem.Invalid("share.window")
	case t.Until < 0 || t.Until != 0 && (t.Until <= now || t.Until > now+clock.Millis(longest.Milliseconds())):
		return problem.Invalid("share.until").With("days", strconv.Itoa(int(longest/(24*time.Hour))))
	}
	return nil
}

// Answers to who comes with a token.
func inviteOver() error  { return problem.Gone("invite.over") }
func inviteUsed() error  { return problem.Gone("invite.used") }
func inviteOther() error { return problem.Forbidden("invite.other") }
func linkOver() error    { return problem.Gone("link.over") }

func tooMany(code string) error {
	return problem.New(http.StatusTooManyRequests, code).With("retry_after", "3600")
}
