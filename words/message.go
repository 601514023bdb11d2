package words

import (
	"fmt"
	"strconv"
	"strings"
)

// part is a piece of a message: text, an argument, or a choice by an argument's value.
type part struct {
	text   string
	name   string            // of the argument
	cases  map[string][]part // of a choice; nil for a plain argument
	plural bool              // the choice is by number
	number bool              // "#" within a plural: the number itself
}

// parse reads an ICU message: {name}, {name, select, a {…} other {…}}, {name, plural, one {…} other {…}}
// and, within a plural, #. An apostrophe quotes a brace or itself.
func parse(message string) ([]part, error) {
	p := &parser{s: message}
	parts, err := p.message(false, false)
	if err == nil && p.at < len(p.s) {
		err = p.bad("a stray }")
	}
	return parts, err
}

type parser struct {
	s  string
	at int
}

func (p *parser) bad(what string) error { return fmt.Errorf("%s at %d in %q", what, p.at, p.s) }

func (p *parser) message(inside, plural bool) ([]part, error) {
	var parts []part
	var text strings.Builder
	flush := func() {
		if text.Len() > 0 {
			parts = append(parts, part{text: text.String()})
			text.Reset()
		}
	}
	for p.at < len(p.s) {
		c := p.s[p.at]
		switch {
		case c == '}':
			if !inside {
				return nil, p.bad("a stray }")
			}
			flush()
			return parts, nil
		case c == '\'' && p.at+1 < len(p.s) && strings.IndexByte("'{}", p.s[p.at+1]) >= 0:
			quoted := p.s[p.at+1]
			text.WriteByte(quoted)
			p.at += 2
			if quoted != '\'' && p.at < len(p.s) && p.s[p.at] == '\'' {
				p.at++
			}
		case c == '#' && plural:
			flush()
			parts = append(parts, part{number: true})
			p.at++
		case c == '{':
			flush()
			p.at++
			a, err := p.argument()
			if err != nil {
				return nil, err
			}
			parts = append(parts, a)
		default:
			text.WriteByte(c)
			p.at++
		}
	}
	if inside {
		return nil, p.bad("a missing }")
	}
	flush()
	return parts, nil
}

func (p *parser) argument() (part, error) {
	a := part{name: p.word()}
	if a.name == "" {
		return a, p.bad("a missing name")
	}
	if p.sign('}') {
		return a, nil
	}
	if !p.sign(',') {
		return a, p.bad("a missing comma")
	}
	switch kind := p.word(); kind {
	case "number":
		if !p.sign('}') {
			return a, p.bad("a missing }")
		}
		return a, nil
	case "plural", "select":
		a.plural, a.cases = kind == "plural", map[string][]part{}
	default:
		return a, p.bad("the unknown kind " + kind)
	}
	if !p.sign(',') {
		return a, p.bad("a missing comma")
	}
	for !p.sign('}') {
		name := p.word()
		if name == "" || !p.sign('{') {
			return a, p.bad("a broken case")
		}
		inner, err := p.message(true, a.plural)
		if err != nil {
			return a, err
		}
		p.at++ // the }
		a.cases[name] = inner
	}
	if _, ok := a.cases["other"]; !ok {
		return a, p.bad("a choice without other")
	}
	return a, nil
}

func (p *parser) space() {
	for p.at < len(p.s) && strings.IndexByte(" \t\n", p.s[p.at]) >= 0 {
		p.at++
	}
}

func (p *parser) word() string {
	p.space()
	start := p.at
	for p.at < len(p.s) && strings.IndexByte(" \t\n{},", p.s[p.at]) < 0 {
		p.at++
	}
	return p.s[start:p.at]
}

func (p *parser) sign(c byte) bool {
	p.space()
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

// format fills a parsed message. A value is put in as it is: braces in it mean nothing.
func format(b *strings.Builder, parts []part, lang string, args map[string]string, number string) {
	for _, p := range parts {
		value, given := args[p.name]
		switch {
		case p.number:
			b.WriteString(number)
		case p.name == "":
			b.WriteString(p.text)
		case p.cases != nil:
			format(b, p.choose(lang, value), lang, args, value)
		case given:
			b.WriteString(value)
		default:
			b.WriteString("{" + p.name + "}")
		}
	}
}

func (p part) choose(lang, value string) []part {
	if c, ok := p.cases["="+value]; ok && p.plural {
		return c
	}
	name := value
	if p.plural {
		name = "other"
		// English has two forms, Chinese one.
		if n, err := strconv.Atoi(value); err == nil && n == 1 && lang == "en" {
			name = "one"
		}
	}
	if c, ok := p.cases[name]; ok {
		return c
	}
	return p.cases["other"]
}

// arguments collects the names a message uses.
func arguments(parts []part, into map[string]bool) map[string]bool {
	for _, p := range parts {
		if p.name != "" {
			into[p.name] = true
		}
		for _, c := range p.cases {
			arguments(c, into)
		}
	}
	return into
}
