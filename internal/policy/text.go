package policy

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"candor/internal/passport"
	"candor/internal/promise"
)

// Facts are what an installation's operator adds to the text.
type Facts struct {
	Operator   string   // who runs this installation; empty is said to be missing
	Contact    string   // where to write about privacy
	Configured []string // ids of the recipients that are turned on
}

// sampleFacts try out the template when the policy is loaded.
var sampleFacts = Facts{Operator: "Example", Contact: "privacy@example.org", Configured: []string{"acme"}}

// Text is the published policy in one language.
type Text struct {
	Language  string
	Version   int
	Effective string
	Hash      string // of the whole source
	Markdown  string
	HTML      string // the same, as safe HTML without attributes
}

// Text renders the policy in the language nearest to lang.
func (p *Policy) Text(lang string, f Facts) (Text, error) {
	lang = p.Nearest(lang)
	//promise:P166
	if promise.Cut("P166") {
		f.Operator, f.Contact = "", ""
	}
	md, err := p.render(lang, f)
	if err != nil {
		return Text{}, fmt.Errorf("policy text %s: %w", lang, err)
	}
	return Text{Language: lang, Version: p.Version, Effective: p.Effective, Hash: p.hash, Markdown: md, HTML: HTML(md)}, nil
}

// view is what the template sees.
type view struct {
	Facts
	Version, BackupDays, ReceiptDays, RequestDays, NoticeDays int

	Published, Effective, Hash  string
	Purposes                    []purposeView
	Categories                  []categoryView
	Recipients                  []recipientView
	Rights                      []rightView
	Absent, Prohibited          []string
	FootageDays, FootageMaxDays int
	AccessDays                  int
}

type purposeView struct {
	Named
	Basis    string
	Optional bool
}

type categoryView struct {
	Named
	Days  int
	Until string
}

type rightView struct {
	Named
	Self bool
}

type recipientView struct {
	Named
	On bool
}

func (p *Policy) render(lang string, f Facts) (string, error) {
	tmpl, err := template.New("policy.md").Option("missingkey=error").Parse(p.texts[lang])
	if err != nil {
		return "", err
	}
	var b strings.Builder
	if err := tmpl.Execute(&b, p.view(lang, f)); err != nil {
		return "", err
	}
	return b.String(), nil
}

func (p *Policy) view(lang string, f Facts) view {
	n := p.names[lang]
	v := view{
		Facts: f, Version: p.Version, Published: p.Published, Effective: p.Effective, Hash: p.hash,
		BackupDays: p.BackupDays, ReceiptDays: p.ReceiptDays, RequestDays: p.RequestDays, NoticeDays: NoticeDays,
	}
	v.Operator, v.Contact = cmp.Or(p.Controller, f.Operator), cmp.Or(p.Contact, f.Contact)
	for _, u := range p.Purposes {
		v.Purposes = append(v.Purposes, purposeView{n.Purposes[string(u.ID)], n.Bases[string(u.Basis)], u.Optional()})
	}
	for _, c := range p.Categories {
		l, _ := p.Lifetime(c.ID)
		v.Categories = append(v.Categories, categoryView{n.Categories[string(c.ID)], l.Days, n.Until[l.Until]})
	}
	//promise:P229,P235
	for _, r := range p.Recipients {
		if promise.Cut("P229") || promise.Cut("P235") {
			break
		}
		on := r.When == "always" || slices.Contains(f.Configured, r.ID)
		v.Recipients = append(v.Recipients, recipientView{n.Recipients[r.ID], on})
	}
	for _, r := range p.Rights {
		v.Rights = append(v.Rights, rightView{n.Rights[r.ID], r.Self()})
	}
	for _, a := range p.Absent {
		v.Absent = append(v.Absent, n.Absent[a])
	}
	for _, no := range p.Prohibited {
		v.Prohibited = append(v.Prohibited, n.Prohibited[no.ID])
	}
	footage, _ := p.Lifetime(passport.Footage)
	access, _ := p.Lifetime(passport.AccessLog)
	v.FootageDays, v.FootageMaxDays, v.AccessDays = footage.Default, footage.Days, access.Days
	return v
}
