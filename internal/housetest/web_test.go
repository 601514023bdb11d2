package housetest

import (
	"regexp"
	"strings"
	"testing"

	"candor/internal/config"
	"candor/internal/passport"
	"candor/internal/policy"
	"candor/internal/promise"
)

// power is something a browser lets a page do after asking, or without, that the app must not.
type power struct {
	promise string
	cut     bool
	name    string
	calls   *regexp.Regexp
	planted string
}

func powers() []power {
	p := func(id string, cut bool, name, calls, planted string) power {
		return power{id, cut, name, regexp.MustCompile(calls), planted}
	}
	return []power{
		p("P247", promise.Cut("P247"), "read the kind of network", `navigator\.connection|NetworkInformation`, "navigator.connection.type"),
		p("P219", promise.Cut("P219"), "track across sites", `requestStorageAccess|attributionsrc|browsingTopics|joinAdInterestGroup`, "document.browsingTopics()"),
		p("P099", promise.Cut("P099"), "work in the background", `backgroundFetch|periodicSync|SyncManager|\.sync\.register`, "registration.periodicSync.register('x')"),
		p("P221", promise.Cut("P221"), "count what is opened", `sendBeacon|pixel\.gif|utm_source`, "navigator.sendBeacon('/seen')"),
		p("P068", promise.Cut("P068"), "read files of the phone by itself", `showDirectoryPicker|webkitdirectory|getFileSystem`, "window.showDirectoryPicker()"),
		p("P253", promise.Cut("P253"), "read keys typed elsewhere", `EditContext|navigator\.keyboard`, "navigator.keyboard.getLayoutMap()"),
	}
}

// Candor's app is a page, so what it asks of the phone is what it calls in the browser.
func TestAppAsksForNoPowerItWasPromisedNotToUse(t *testing.T) {
	promise.Proves(t, "P247", "P219", "P099", "P221", "P068", "P253")
	source := webSource(t)
	for _, p := range powers() {
		if p.cut {
			source["planted.ts"] = p.planted
		}
	}
	for name, text := range source {
		for _, p := range powers() {
			if found := p.calls.FindString(text); found != "" {
				t.Errorf("%s: %s calls %s: the app must not %s", p.promise, name, found, p.name)
			}
		}
	}
}

func TestEachPowerWouldBeFound(t *testing.T) {
	for _, p := range powers() {
		if !p.calls.MatchString(p.planted) {
			t.Errorf("%s: %q is not found", p.promise, p.planted)
		}
	}
}

// loads finds an address that a page would load from somewhere: as an attribute, an import, a
// fetch or a style. A link that a person may follow (href of an <a>) loads nothing.
var loads = regexp.MustCompile(`(?i)(?:\bsrc=["'{]|\bimport\s+["']|\bfrom\s+["']|import\(\s*["']|fetch\(\s*["'` + "`" + `]|url\(\s*["']?|EventSource\(\s*["']|WebSocket\(\s*["']|<link[^>]+href=["'])(?:https?:|wss?:)?//[a-z0-9]`)

// Everything the app shows is served by the installation, so nobody else learns who looks.
func TestPagesLoadNothingFromElsewhere(t *testing.T) {
	promise.Proves(t, "P200")
	source := webSource(t)
	if promise.Cut("P200") {
		source["planted.html"] = `<script src="https://cdn.example/ad.js"></script>`
	}
	for name, text := range source {
		if found := loads.FindString(text); found != "" {
			t.Errorf("%s loads from another host: %s", name, found)
		}
	}
}

func TestLoadsWouldBeFound(t *testing.T) {
	for _, s := range []string{`<img src="https://x.example/1.gif">`, `import "https://x.example/a.js"`, `import a from 'https://x.example/a.js'`,
		"fetch(`https://x.example`)", `@import url(//x.example/a.css)`, `new WebSocket("wss://x.example")`, `<link rel="stylesheet" href="https://x.example/f.css">`} {
		if !loads.MatchString(s) {
			t.Errorf("%s is not found", s)
		}
	}
	for _, s := range []string{`<a href="https://x.example/help">`, `fetch("/api/v1/session")`, `xmlns="http://www.w3.org/2000/svg"`, `import a from './a'`} {
		if loads.MatchString(s) {
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

// Marketing is no purpose, under any name that the vocabularies have for it.
func TestMarketingIsNoPurpose(t *testing.T) {
	promise.Proves(t, "P223")
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	purposes := p.Purposes
	if promise.Cut("P223") {
		purposes = append(purposes[:len(purposes):len(purposes)], policy.Purpose{ID: "news", DPV: "dpv:DirectMarketing", Fideslang: "marketing.communications.email"})
	}
	for _, u := range purposes {
		if strings.HasPrefix(u.Fideslang, "marketing") || strings.Contains(u.DPV, "Marketing") || strings.Contains(u.DPV, "Advertis") || strings.Contains(u.DPV, "Promot") {
			t.Errorf("purpose %s is marketing (%s, %s)", u.ID, u.DPV, u.Fideslang)
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
