package housetest

import (
	"regexp"
	"strings"
	"testing"

	"candor/internal/config"
	"candor/internal/passport"
	"candor/internal/policy"
	"candor/internal/promise"
	"candor/internal/promise/absent"
)

// plantedPowers are the promises whose absent thing is planted in this build.
var plantedPowers = map[string]bool{
	"P247": promise.Cut("P247"), "P219": promise.Cut("P219"), "P099": promise.Cut("P099"), "P221": promise.Cut("P221"),
	"P068": promise.Cut("P068"), "P253": promise.Cut("P253"), "P043": promise.Cut("P043"), "P045": promise.Cut("P045"),
	"P050": promise.Cut("P050"), "P046": promise.Cut("P046"), "P056": promise.Cut("P056"), "P102": promise.Cut("P102"),
	"P107": promise.Cut("P107"), "P218": promise.Cut("P218"), "P246": promise.Cut("P246"), "P248": promise.Cut("P248"),
	"P249": promise.Cut("P249"), "P250": promise.Cut("P250"), "P251": promise.Cut("P251"), "P252": promise.Cut("P252"),
	"P256": promise.Cut("P256"), "P071": promise.Cut("P071"), "P072": promise.Cut("P072"), "P073": promise.Cut("P073"),
	"P149": promise.Cut("P149"), "P150": promise.Cut("P150"), "P184": promise.Cut("P184"),
}

// Candor's app is a page, so what it asks of the phone is what it calls in the browser.
func TestAppAsksForNoPowerItWasPromisedNotToUse(t *testing.T) {
	promise.Proves(t, "P247", "P219", "P099", "P221", "P068", "P253")
	promise.Proves(t, "P043", "P045", "P050", "P046", "P056", "P102", "P107", "P218", "P246", "P248", "P249")
	promise.Proves(t, "P250", "P251", "P252", "P256", "P071", "P072", "P073", "P149", "P150", "P184")
	source := webSource(t)
	for _, p := range absent.Powers {
		if plantedPowers[p.Promise] {
			source["planted.ts"] = p.Example
		}
	}
	for name, text := range source {
		for _, p := range absent.Powers {
			if found := p.Calls.FindString(text); found != "" {
				t.Errorf("%s: %s calls %s: the app must not %s", p.Promise, name, found, p.Name)
			}
		}
	}
}

// used are the parts of the browser that the app uses, each with why. Whatever is not here would be
// a power that nobody thought about.
var used = map[string]string{
	"clipboard":     "copies a link on a tap",
	"serviceWorker": "opens without a network, and shows messages while the app is closed, where somebody chose that",
	"userAgent":     "says how to put the app on the home screen of this phone",
	"onLine":        "tells a phone without a network from a server that does not answer",
	"language":      "begins in the reader's language",
}

var member = regexp.MustCompile(`navigator\??\.([A-Za-z]+)`)

func TestAppUsesNoOtherPartOfTheBrowser(t *testing.T) {
	seen := map[string]bool{}
	source := webSource(t)
	for name, text := range source {
		for _, m := range member.FindAllStringSubmatch(text, -1) {
			seen[m[1]] = true
			if used[m[1]] == "" {
				t.Errorf("%s uses navigator.%s: say in this test why", name, m[1])
			}
		}
	}
	for part := range used {
		if !seen[part] {
			t.Errorf("navigator.%s is not used any more", part)
		}
	}
}

func TestEachPowerWouldBeFound(t *testing.T) {
	for _, p := range absent.Powers {
		if !p.Calls.MatchString(p.Example) {
			t.Errorf("%s: %q is not found", p.Promise, p.Example)
		}
	}
}

// Everything the app shows is served by the installation, so nobody else learns who looks.
func TestPagesLoadNothingFromElsewhere(t *testing.T) {
	promise.Proves(t, "P200")
	source := webSource(t)
	if promise.Cut("P200") {
		source["planted.html"] = `<script src="https://cdn.example/ad.js"></script>`
	}
	for name, text := range source {
		if found := absent.Loads.FindString(text); found != "" {
			t.Errorf("%s loads from another host: %s", name, found)
		}
	}
}

func TestLoadsWouldBeFound(t *testing.T) {
	for _, s := range []string{`<img src="https://x.example/1.gif">`, `import "https://x.example/a.js"`, `import a from 'https://x.example/a.js'`,
		"fetch(`https://x.example`)", `@import url(//x.example/a.css)`, `new WebSocket("wss://x.example")`, `<link rel="stylesheet" href="https://x.example/f.css">`} {
		if !absent.Loads.MatchString(s) {
			t.Errorf("%s is not found", s)
		}
	}
	for _, s := range []string{`<a href="https://x.example/help">`, `fetch("/api/v1/session")`, `xmlns="http://www.w3.org/2000/svg"`, `import a from './a'`} {
		if absent.Loads.MatchString(s) {
			t.Errorf("%s is taken for a load", s)
		}
	}
}

func webSource(t *testing.T) map[string]string {
	t.Helper()
	source := map[string]string{}
	walk(t, []string{"web/src", "web/public", "web/index.html"}, []string{".ts", ".js", ".svelte", ".html", ".css", ".webmanifest"}, func(name, text string) {
		if !strings.Contains(name, "/api/schema") {
			source[name] = text
		}
	})
	if len(source) < 10 {
		t.Fatalf("only %d files of the web app found", len(source))
	}
	return source
}

// plantedPurposes are the promises whose absent thing is planted in this build.
var plantedPurposes = map[string]bool{
	"P223": promise.Cut("P223"), "P226": promise.Cut("P226"), "P188": promise.Cut("P188"), "P189": promise.Cut("P189"),
}

// What is no purpose under any name that the vocabularies have for it has no permit and no passport.
func TestNoPurposeThatIsNotForThePersonsOwnCameras(t *testing.T) {
	promise.Proves(t, "P223", "P226", "P188", "P189")
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	purposes := p.Purposes
	for _, n := range absent.Purposes {
		if plantedPurposes[n.Promise] {
			purposes = append(purposes[:len(purposes):len(purposes)], n.Example)
		}
	}
	for _, u := range purposes {
		for _, n := range absent.Purposes {
			if n.In(u) {
				t.Errorf("%s: purpose %s (%s, %s) has one of %q", n.Promise, u.ID, u.DPV, u.Fideslang, n.DPV)
			}
		}
		if strings.HasPrefix(u.Fideslang, "marketing") {
			t.Errorf("purpose %s is marketing (%s)", u.ID, u.Fideslang)
		}
	}
}

func TestEachPurposeWouldBeFound(t *testing.T) {
	for _, n := range absent.Purposes {
		if !n.In(n.Example) {
			t.Errorf("%s: %s has none of %q", n.Promise, n.Example.DPV, n.DPV)
		}
	}
}

// The policy's text and the settings name the same number of days.
func TestSettingsBeginWithWhatThePolicySays(t *testing.T) {
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	l, _ := p.Lifetime(passport.Footage)
	if got := config.Default().Recording.Days; got != l.Default {
		t.Errorf("recording.days begins with %d, policy/retention.yaml says %d", got, l.Default)
	}
}
