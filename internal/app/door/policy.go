package door

import (
	"context"
	"encoding/json"
	"strconv"

	"candor/internal/consent"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/policy"
	"candor/internal/problem"
	"candor/internal/promise/board"
	"candor/internal/watch"
)

// Policy shows the policy that is in force.
type Policy struct {
	Policy   *policy.Policy
	History  *policy.History
	Versions *consent.Versions
	Facts    policy.Facts
	Seen     func() map[string]watch.Seen
}

var _ httpapi.Policy = Policy{}

// Version names the policy and gives its hash.
func (p Policy) Version() (version, hash string) {
	return strconv.Itoa(p.Policy.Version), p.Policy.Hash()
}

// Purposes lists what data is used for.
func (p Policy) Purposes(ctx context.Context, c httpapi.Caller, lang string) ([]httpapi.Purpose, error) {
	holds := p.Policy
	if !c.Account.IsZero() {
		st, _, err := p.Versions.Standing(ctx, c.Tenant, id.SubjectOf(c.Account))
		if err != nil {
			return nil, err
		}
		holds = st.Policy
	}
	var out []httpapi.Purpose
	for _, pu := range p.Policy.Purposes {
		from := holds
		_, agreed := holds.Purpose(pu.ID)
		if !agreed && pu.Basis != passport.Obligation {
			from = p.Policy
		}
		text, hash := from.ConsentText(pu.ID, lang)
		if text == "" {
			text = from.Names(lang).Purposes[string(pu.ID)].Text
		}
		out = append(out, httpapi.Purpose{ID: string(pu.ID), Basis: string(pu.Basis), Text: text, Hash: hash, Optional: pu.Optional(), NotAgreed: from != holds})
	}
	return out, nil
}

// Consent is the question for a purpose.
func (p Policy) Consent(_ context.Context, purpose, lang string) (httpapi.ConsentText, error) {
	text, hash := p.Policy.ConsentText(passport.Purpose(purpose), lang)
	if text == "" {
		return httpapi.ConsentText{}, problem.NotFound()
	}
	return httpapi.ConsentText{Text: text, Hash: hash}, nil
}

// Text is a version of the policy for people.
func (p Policy) Text(_ context.Context, lang, hash string) (httpapi.PolicyText, error) {
	one := p.Policy
	if hash != "" {
		var ok bool
		if one, ok = p.History.ByHash(hash); !ok {
			return httpapi.PolicyText{}, problem.NotFound()
		}
	}
	t, err := one.Text(lang, p.Facts)
	if err != nil {
		return httpapi.PolicyText{}, err
	}
	out := httpapi.PolicyText{PolicyVersion: p.dates(one), Language: t.Language, Markdown: t.Markdown, HTML: t.HTML}
	for _, v := range p.History.Versions() {
		out.Versions = append(out.Versions, p.dates(v))
	}
	return out, nil
}

func (p Policy) dates(one *policy.Policy) httpapi.PolicyVersion {
	return httpapi.PolicyVersion{
		Version: strconv.Itoa(one.Version), Hash: one.Hash(), Published: one.Published, Effective: one.Effective, Until: p.History.Until(one),
	}
}

// looks are what the watch saw; why is for the log.
func (p Policy) looks() map[string]board.Look {
	out := map[string]board.Look{}
	for id, s := range p.Seen() {
		out[id] = board.Look{At: s.At, Kept: s.Kept}
	}
	return out
}

// Promises is the board.
func (p Policy) Promises(context.Context) (json.RawMessage, error) {
	b, err := board.Built()
	if err != nil {
		return nil, err
	}
	return json.Marshal(b.With(p.looks()))
}
