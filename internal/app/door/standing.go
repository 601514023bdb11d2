package door

import (
	"context"
	"strings"

	"candor/internal/consent"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/policy"
)

// Standing is which version holds for a person, and what waits for their answer.
func (p Policy) Standing(ctx context.Context, may permit.Permit, a id.Account, lang string) (httpapi.Standing, error) {
	g, err := granted(may)
	if err != nil {
		return httpapi.Standing{}, err
	}
	st, declined, err := p.Versions.Standing(ctx, g.Tenant, id.SubjectOf(a))
	if err != nil {
		return httpapi.Standing{}, err
	}
	answers, err := p.Versions.Answers(ctx, may, g.Tenant, id.SubjectOf(a))
	if err != nil {
		return httpapi.Standing{}, err
	}
	out := httpapi.Standing{Under: p.dates(st.Under), Waiting: p.step(st.Waiting, lang), Coming: p.step(st.Coming, lang)}
	if out.Waiting != nil {
		out.Waiting.Declined = declined
	}
	for _, one := range answers {
		out.Answers = append(out.Answers, httpapi.PolicyAnswer{PolicyHash: one.PolicyHash, Answer: string(one.Answer), At: httpapi.Moment(one.At)})
	}
	return out, nil
}

// Answer keeps what a person says to a version.
func (p Policy) Answer(ctx context.Context, may permit.Permit, a id.Account, policyHash, answer string) error {
	g, err := granted(may)
	if err != nil {
		return err
	}
	return p.Versions.Reply(ctx, consent.Reply{
		Tenant: g.Tenant, Subject: id.SubjectOf(a), PolicyHash: policyHash, Answer: consent.Answer(answer), How: "app", Actor: g.Actor,
	})
}

// joined keeps that somebody new agreed to the version in effect, which is the one they could read.
func joined(ctx context.Context, v *consent.Versions, t id.Tenant, a id.Account, s id.Session) error {
	return v.Reply(ctx, consent.Reply{
		Tenant: t, Subject: id.SubjectOf(a), PolicyHash: v.History.InEffect(v.Clock.Now()).Hash(), Answer: consent.Agreed, How: "sign-up", Actor: permit.Person(a, s),
	})
}

func (p Policy) step(s *policy.Step, lang string) *httpapi.PolicyStep {
	if s == nil {
		return nil
	}
	names := s.To.Names(lang)
	out := &httpapi.PolicyStep{To: p.dates(s.To), Changes: []httpapi.PolicyChange{}, Suspended: []string{}}
	for _, c := range s.Changes {
		one := httpapi.PolicyChange{Name: c.Name, Class: string(c.Class), About: about(c.Name, names), Cut: c.Cut}
		if span(c.Name) { // other registers are lists of identifiers, which the text says in words
			one.Was, one.Is = c.Was, c.Is
		}
		out.Changes = append(out.Changes, one)
	}
	for _, one := range s.Suspended {
		out.Suspended = append(out.Suspended, names.Purposes[string(one)].Name)
	}
	return out
}

// span reports whether a change is of a stretch of time or of a name, which reads well as it stands.
func span(change string) bool {
	register, _, _ := strings.Cut(change, ".")
	return register == "retention" || register == "controller" || register == "contact" || strings.HasSuffix(register, "_days")
}

// about is what a change is about, in the words of the policy.
func about(change string, names policy.Names) string {
	register, rest, _ := strings.Cut(change, ".")
	which, _, _ := strings.Cut(rest, ".")
	switch register {
	case "purpose":
		return names.Purposes[which].Name
	case "category", "retention":
		return names.Categories[which].Name
	case "recipient":
		return names.Recipients[which].Name
	case "right":
		return names.Rights[which].Name
	case "prohibited":
		return names.Prohibited[which]
	case "absent":
		return names.Absent[which]
	}
	return ""
}
