package watch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime/debug"
	"strings"

	"candor/internal/policy"
	"candor/internal/promise/absent"
)

// Page is something that the installation answers with.
type Page struct {
	Path   string
	Header http.Header
	Body   string
}

// Pages gets everything that browsers are served: the app's files, and what the API says to who is not signed in.
type Pages func(ctx context.Context) ([]Page, error)

var errNoPages = errors.New("nothing is served")

func (get Pages) all(ctx context.Context) ([]Page, error) {
	pages, err := get(ctx)
	if err == nil && len(pages) == 0 {
		err = errNoPages
	}
	return pages, err
}

// Vendors looks whether code or addresses of a promised-absent vendor are in the program, in what it serves or in its register.
func Vendors(get Pages, obeyed func() *policy.Policy) Probe {
	p := Probe{Name: "vendors"}
	for _, v := range absent.Vendors {
		p.Promises = append(p.Promises, v.Promise)
	}
	p.Look = func(ctx context.Context) (broken []Broken, err error) {
		pages, err := get.all(ctx)
		if err != nil {
			return nil, err
		}
		build, ok := debug.ReadBuildInfo()
		if !ok {
			return nil, errors.New("the program does not say what it is made of")
		}
		var parts []string
		for _, m := range build.Deps {
			parts = append(parts, "module "+m.Path)
		}
		for _, page := range pages {
			for _, m := range absent.Host.FindAllStringSubmatch(page.Body+" "+policyOf(page), -1) {
				parts = append(parts, "host "+m[1]+" in "+page.Path)
			}
		}
		for _, r := range obeyed().Recipients {
			parts = append(parts, "recipient "+r.ID)
		}
		for _, part := range parts {
			for _, v := range absent.Vendors {
				if n := v.In(part); n != "" {
					broken = append(broken, Broken{v.Promise, part})
				}
			}
		}
		return broken, nil
	}
	return p
}

func policyOf(p Page) string { return p.Header.Get("Content-Security-Policy") }

// Powers looks whether the app, as it is served, calls what it was promised not to.
func Powers(get Pages) Probe {
	p := Probe{Name: "powers"}
	for _, one := range absent.Powers {
		p.Promises = append(p.Promises, one.Promise)
	}
	p.Look = func(ctx context.Context) (broken []Broken, err error) {
		pages, err := get.all(ctx)
		if err != nil {
			return nil, err
		}
		for _, page := range pages {
			for _, one := range absent.Powers {
				if found := one.Calls.FindString(page.Body); found != "" {
					broken = append(broken, Broken{one.Promise, page.Path + " calls " + found + ": the app must not " + one.Name})
				}
			}
		}
		return broken, nil
	}
	return p
}

// Own looks whether pages load from this installation alone and set no cookie by themselves.
func Own(get Pages) Probe {
	return Probe{Name: "own", Promises: []string{"P200", "P254", "P220"}, Look: func(ctx context.Context) (broken []Broken, err error) {
		pages, err := get.all(ctx)
		if err != nil {
			return nil, err
		}
		for _, page := range pages {
			if found := absent.Loads.FindString(page.Body); found != "" {
				broken = append(broken, Broken{"P200", page.Path + " loads " + found})
			}
			if why := foreign(policyOf(page)); why != "" {
				broken = append(broken, Broken{"P254", page.Path + ": " + why})
			}
			if len(page.Header.Values("Set-Cookie")) > 0 {
				broken = append(broken, Broken{"P220", page.Path + " sets a cookie before anybody signed in"})
			}
		}
		return broken, nil
	}}
}

// foreign is what in a content security policy lets a page reach another host; an empty policy lets it reach all.
func foreign(csp string) string {
	closed := false
	for directive := range strings.SplitSeq(csp, ";") {
		words := strings.Fields(directive)
		if len(words) == 0 {
			continue
		}
		closed = closed || words[0] == "default-src" && len(words) == 2 && words[1] == "'none'"
		if !strings.HasSuffix(words[0], "-src") {
			continue
		}
		for _, from := range words[1:] {
			switch {
			case strings.HasPrefix(from, "'"), from == "data:", from == "blob:", strings.HasPrefix(from, "ws"): // ws names this host
			default:
				return fmt.Sprintf("%s allows %s", words[0], from)
			}
		}
	}
	if !closed {
		return "it does not say default-src 'none'"
	}
	return ""
}
