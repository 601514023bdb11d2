package housetest

import (
	"regexp"
	"slices"
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
		p("P043", promise.Cut("P043"), "change the network it is joined to", `onnectionManager|mozWifiManager|wifi\.associate`, `navigator.mozWifiManager.associate(network)`),
		p("P045", promise.Cut("P045"), "change the state of the Wi-Fi", `wifi\.(enable|disable|connect)|setWifiEnabled`, `navigator.wifi.disable()`),
		p("P050", promise.Cut("P050"), "override settings of the Wi-Fi", `wifi\.override|setNetworkSelection`, `navigator.wifi.override(settings)`),
		p("P046", promise.Cut("P046"), "receive multicast", `UDPSocket|multicastController`, `new UDPSocket({ multicastAllowAddressSharing: true })`),
		p("P056", promise.Cut("P056"), "receive multicast", `joinGroup\(|UDPSocket`, `socket.multicastController.joinGroup('239.255.255.250')`),
		p("P102", promise.Cut("P102"), "start with the phone", `run_on_os_login|runOnOsLogin`, `run_on_os_login: 'windowed'`),
		p("P107", promise.Cut("P107"), "change settings of sound", `audioSession|setSinkId|selectAudioOutput`, `player.setSinkId('speaker')`),
		p("P218", promise.Cut("P218"), "draw over other apps", `documentPictureInPicture|getScreenDetails`, `documentPictureInPicture.requestWindow()`),
		p("P246", promise.Cut("P246"), "ask for the network", `local-network-access|targetAddressSpace`, `fetch(url, { targetAddressSpace: 'private' })`),
		p("P248", promise.Cut("P248"), "change settings of the system", `mozSettings|systemLanguage\s*=`, `navigator.mozSettings.createLock()`),
		p("P249", promise.Cut("P249"), "turn off the key lock", `keyguard|DISABLE_KEYGUARD`, `navigator.keyguard.disable()`),
		p("P250", promise.Cut("P250"), "change settings of the system", `WRITE_SETTINGS|navigator\.settings`, `navigator.settings.write({})`),
		p("P251", promise.Cut("P251"), "change settings of syncing", `WRITE_SYNC_SETTINGS|navigator\.sync\b`, `navigator.sync.configure({})`),
		p("P252", promise.Cut("P252"), "tell one connection from another", `effectiveType|saveData|downlink`, `if (net.effectiveType === '4g') start()`),
		p("P256", promise.Cut("P256"), "use tools of the system", `getInstalledRelatedApps|registerProtocolHandler|launchQueue`, `navigator.getInstalledRelatedApps()`),
		p("P071", promise.Cut("P071"), "read the album", `showOpenFilePicker|accept=[\"']image`, `<input type="file" accept="image/*">`),
		p("P072", promise.Cut("P072"), "write to the album by itself", `mediaLibrary|saveToAlbum|showSaveFilePicker`, `window.showSaveFilePicker({ startIn: 'pictures' })`),
		p("P073", promise.Cut("P073"), "send a file of the phone", `type=[\"']file|new FormData|FileReader`, `<input type="file">`),
		p("P149", promise.Cut("P149"), "read files that nobody picked", `showDirectoryPicker|requestFileSystem|webkitRequestFileSystem`, `webkitRequestFileSystem(0, 1 << 20, read)`),
		p("P150", promise.Cut("P150"), "write files that nobody asked for", `createWritable|createSyncAccessHandle|storage\.getDirectory`, `const dir = await navigator.storage.getDirectory()`),
		p("P184", promise.Cut("P184"), "write photos by itself", `showSaveFilePicker|createWritable`, `const out = await handle.createWritable()`),
	}
}

// Candor's app is a page, so what it asks of the phone is what it calls in the browser.
func TestAppAsksForNoPowerItWasPromisedNotToUse(t *testing.T) {
	promise.Proves(t, "P247", "P219", "P099", "P221", "P068", "P253")
	promise.Proves(t, "P043", "P045", "P050", "P046", "P056", "P102", "P107", "P218", "P246", "P248", "P249")
	promise.Proves(t, "P250", "P251", "P252", "P256", "P071", "P072", "P073", "P149", "P150", "P184")
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

// noPurpose is something that data must not serve, with what the vocabularies call it.
type noPurpose struct {
	promise string
	cut     bool
	dpv     []string // parts of the name
	planted policy.Purpose
}

func noPurposes() []noPurpose {
	return []noPurpose{
		{"P223", promise.Cut("P223"), []string{"Marketing", "Advertis", "Promot"}, policy.Purpose{ID: "news", DPV: "dpv:DirectMarketing", Fideslang: "marketing.communications.email"}},
		{"P226", promise.Cut("P226"), []string{"Contest", "Sweepstake", "Lottery", "Prize"}, policy.Purpose{ID: "raffle", DPV: "dpv:ContestParticipation", Fideslang: "functional.contest"}},
		{"P188", promise.Cut("P188"), []string{"Improve", "Optimi", "Research", "Develop", "Analytics"}, policy.Purpose{ID: "better", DPV: "dpv:ImproveExistingProductsAndServices", Fideslang: "functional.improve"}},
		{"P189", promise.Cut("P189"), []string{"Personali", "Profil", "Recommend", "Search"}, policy.Purpose{ID: "fit", DPV: "dpv:ServicePersonalisation", Fideslang: "functional.fit"}},
	}
}

// What is no purpose under any name that the vocabularies have for it has no permit and no passport.
func TestNoPurposeThatIsNotForThePersonsOwnCameras(t *testing.T) {
	promise.Proves(t, "P223", "P226", "P188", "P189")
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	purposes := p.Purposes
	for _, n := range noPurposes() {
		if n.cut {
			purposes = append(purposes[:len(purposes):len(purposes)], n.planted)
		}
	}
	for _, u := range purposes {
		for _, n := range noPurposes() {
			if n.forbids(u) {
				t.Errorf("%s: purpose %s (%s, %s) has one of %q", n.promise, u.ID, u.DPV, u.Fideslang, n.dpv)
			}
		}
		if strings.HasPrefix(u.Fideslang, "marketing") {
			t.Errorf("purpose %s is marketing (%s)", u.ID, u.Fideslang)
		}
	}
}

func (n noPurpose) forbids(u policy.Purpose) bool {
	return slices.ContainsFunc(n.dpv, func(part string) bool { return strings.Contains(u.DPV, part) })
}

func TestEachPurposeWouldBeFound(t *testing.T) {
	for _, n := range noPurposes() {
		if !n.forbids(n.planted) {
			t.Errorf("%s: %s has none of %q", n.promise, n.planted.DPV, n.dpv)
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
