package httpapi_test

import (
	"encoding/json"
	"flag"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"

	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/promise"
)

var update = flag.Bool("update", false, "write ref/openapi.json anew")

const reference = "../../ref/openapi.json"

func TestRegistryAndDocumentAgree(t *testing.T) {
	w := newWorld(t)
	var doc struct {
		OpenAPI string
		Paths   map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(w.api.OpenAPI(), &doc); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s", doc.OpenAPI)
	}
	var documented, registered []string
	for path, item := range doc.Paths {
		for method := range item {
			documented = append(documented, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range w.api.Routes() {
		registered = append(registered, r.Method+" "+r.Path)
	}
	slices.Sort(documented)
	slices.Sort(registered)
	if !slices.Equal(documented, registered) {
		t.Errorf("documented %v\nregistered %v", documented, registered)
	}
	for _, r := range w.api.Routes() {
		if strings.HasPrefix(r.Path, "/api/v1/") && r.Auth == httpapi.Session && r.Action == "" && r.ID != "endWHEP" {
			t.Errorf("%s asks nothing of the gate", r.ID)
		}
		if r.Auth != httpapi.Session && r.Auth != httpapi.Link && r.Action != "" {
			t.Errorf("%s asks the gate about nobody", r.ID)
		}
	}
	if strings.Contains(string(w.api.OpenAPI()), "$schema") {
		t.Error("the document has $schema links")
	}
}

func TestReferenceDocumentIsCurrent(t *testing.T) {
	got := newWorld(t).api.OpenAPI()
	if *update {
		if err := os.WriteFile(reference, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("ref/openapi.json is not what the code serves: go test ./internal/httpapi -run Reference -update")
	}
	w := newWorld(t)
	if served := w.do(request{method: "GET", path: "/api/openapi.json"}); served.Body.String() != string(want) {
		t.Error("/api/openapi.json serves something else")
	}
}

// bodies are valid bodies, so that a refusal is about the person and not about the form.
var bodies = map[string]string{
	"beginSetup":        `{"code":"ABCD-EFGH","name":"A","email":"a@example.org","password":"x","language":"en","recording":"refused","recording_text_hash":""}`,
	"signIn":            `{"email":"anna@example.org","password":"right"}`,
	"changeAccount":     `{"name":"B"}`,
	"setPassword":       `{"current":"a","new":"b"}`,
	"finishSignIn":      `{"token":"t","code":"123456"}`,
	"offerSecondStep":   `{"password":"right"}`,
	"confirmSecondStep": `{"code":"123456"}`,
	"dropSecondStep":    `{"password":"right","code":"123456"}`,
	"eraseAccount":      `{"password":"right"}`,
	"checkCamera":       `{"address":"rtsp://10.0.0.1/"}`,
	"addCamera":         `{"address":"rtsp://10.0.0.1/","name":"x"}`,
	"changeCamera":      `{"name":"x"}`,
	"removeCamera":      `{}`,
	"watchWHEP":         "v=0",
	"decideConsent":     `{"state":"withdrawn","text_hash":"h"}`,
	"markEventsSeen":    `{"events":["6f0e6b2e-8f1c-4b7a-9b1e-0f5c2d3e4a5b"],"seen":true}`,
	"changeMotion":      `{"sensitivity":4}`,
	"stepUp":            `{"password":"right"}`,
	"changeShare":       `{"abilities":["live"]}`,
	"inviteMember":      `{"camera_id":"01935e2a-0000-7000-8000-000000000009","abilities":["live"],"confirmed":true}`,
	"makeLink":          `{"camera_id":"01935e2a-0000-7000-8000-000000000009","from":"2026-01-01T00:00:00Z","to":"2026-01-01T00:01:00Z","confirmed":true}`,
	"acceptInvite":      "nothing",
	"openLink":          "nothing",
	"watchLinkWHEP":     "v=0",

	"beginExport":   `{"password":"right"}`,
	"askSignUp":     `{"email":"max@example.org","language":"en"}`,
	"signUp":        `{"request":"r","email":"max@example.org","code":"1234 5678","name":"Max","password":"x","language":"en"}`,
	"askReset":      `{"email":"max@example.org","language":"en"}`,
	"resetPassword": `{"request":"r","email":"max@example.org","code":"1234 5678","password":"x"}`,
	"askEmail":      `{"email":"max@example.org","password":"right"}`,
	"setEmail":      `{"request":"r","email":"max@example.org","code":"1234 5678"}`,

	"markNoticeSeen":      `{"seen":true}`,
	"answerPolicy":        `{"policy_hash":"0000000000000000000000000000000000000000000000000000000000000000","answer":"declined"}`,
	"decideConsentForAll": `{"state":"withdrawn","text_hash":"h"}`,

	"discoverCameras": `{}`,
	"cameraProfiles":  `{"host":"10.0.0.1"}`,
}

var queries = map[string]string{
	"getTimeline":      "?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
	"getFootage":       "?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
	"getFrame":         "?at=2026-01-01T00:00:00Z",
	"listCameraEvents": "?from=2026-01-01T00:00:00Z&to=2026-01-01T01:00:00Z",
}

// call is a valid call of a route with the ids of whose.
func (w *world) call(r httpapi.Route, whose person, viewing string) request {
	path := strings.NewReplacer("{id}", whose.camera.String(), "{session}", whose.session.String(), "{viewing}", viewing,
		"{purpose}", "recording", "{token}", "unknown", "{event}", "6f0e6b2e-8f1c-4b7a-9b1e-0f5c2d3e4a5b", "{export}", newID[id.Export]().String(), "{file}", "unknown.zip", "{share}", w.link.String(), "{link}", w.link.String(), "{device}", newID[id.Row]().String(), "{ticket}", "unknown", "{notice}", newID[id.Row]().String(), "{consent}", newID[id.Row]().String()).Replace(r.Path)
	q := request{method: r.Method, path: path + queries[r.ID], body: bodies[r.ID]}
	if r.ID == "watchWHEP" || r.ID == "watchLinkWHEP" {
		q.header = map[string]string{"Content-Type": "application/sdp"}
	}
	if (r.Method == "POST" || r.Method == "PATCH" || r.Method == "PUT") && q.body == "" {
		w.t.Fatalf("route %s needs a body in this test's table", r.ID)
	}
	return q
}

func TestAnotherAccountsIdsLookAbsent(t *testing.T) {
	w := newWorld(t)
	rec := w.do(request{as: &w.anna, method: "POST", path: "/api/v1/cameras/" + w.anna.camera.String() + "/whep", body: "v=0", header: map[string]string{"Content-Type": "application/sdp"}})
	w.want(rec, http.StatusCreated, "")
	viewing := strings.TrimPrefix(rec.Header().Get("Location"), "/api/v1/whep/")
	tried := 0
	for _, r := range w.api.Routes() {
		if !strings.Contains(strings.ReplaceAll(r.Path, "{purpose}", ""), "{") { // a purpose is nobody's
			continue
		}
		tried++
		t.Run(r.ID, func(t *testing.T) {
			w.mu.Lock()
			w.calls = nil
			w.mu.Unlock()
			q := w.call(r, w.anna, viewing)
			q.as = &w.ben
			foreign := w.do(q)
			w.want(foreign, http.StatusNotFound, "not_found")
			for _, c := range w.reached() {
				if c != "end" && c != "device" && c != "ticket" { // whose they are, the room knows
					t.Errorf("the room was reached: %s", c)
				}
			}
			// What does not exist at all looks the same, to the byte but for the request id.
			nobody := person{camera: newID[id.Binding](), session: newID[id.Session]()}
			q = w.call(r, nobody, newID[id.Viewing]().String())
			q.as = &w.ben
			absent := w.do(q)
			strip := func(s string) string {
				var m map[string]any
				_ = json.Unmarshal([]byte(s), &m)
				delete(m, "request_id")
				b, _ := json.Marshal(m)
				return string(b)
			}
			if strip(absent.Body.String()) != strip(foreign.Body.String()) || absent.Code != foreign.Code {
				t.Errorf("a foreign id answers %s, an unknown one %s", foreign.Body, absent.Body)
			}
			for _, bad := range []string{"x", "..%2f..", strings.Repeat("a", 3000)} {
				broken := strings.NewReplacer("{id}", bad, "{session}", bad, "{viewing}", bad, "{purpose}", bad, "{token}", bad, "{event}", bad, "{export}", bad, "{file}", bad, "{share}", bad, "{link}", bad, "{device}", bad, "{ticket}", bad).Replace(r.Path)
				q.path = broken + queries[r.ID]
				if rec := w.do(q); rec.Code != http.StatusNotFound && !(strings.Contains(r.Path, "{token}") && rec.Code == http.StatusUnprocessableEntity) {
					t.Errorf("%.40s answers %d", q.path, rec.Code)
				}
			}
		})
	}
	if tried < 12 {
		t.Errorf("only %d routes with ids", tried)
	}
	if w.open() != 1 {
		t.Errorf("%d leases are open, want Anna's viewing alone", w.open())
	}
}

func TestNothingWithoutASession(t *testing.T) {
	promise.Proves(t, "P001")
	w := newWorld(t)
	open := []string{ // what has nothing of anybody, or opens by a code or link
		"askReset", "askSignUp", "beginSetup", "downloadExport", "getInvite", "getOutbox", "openLink", "getPolicy", "listOpenNotices", "getReceiptProof", "getReceipt", "getSetup", "getSignUp", "resetPassword", "signUp", "healthz", "listPromises", "listPurposes", "metrics", "openapi", "readyz", "signIn", "stopMail", "finishSignIn",
	}
	for _, r := range w.api.Routes() {
		if r.Auth == httpapi.Link {
			q := w.call(r, w.anna, newID[id.Viewing]().String())
			for _, cookie := range []string{"", "candor_session=forged", "candor_session=a; candor_session=b; candor_session=c; candor_session=d; candor_session=own"} {
				q.cookie = cookie
				w.want(w.do(q), http.StatusNotFound, "not_found")
			}
			q.as = &w.anna
			w.want(w.do(q), http.StatusNotFound, "not_found") // a session is no visit
			q.as, q.cookie = nil, "candor_session=late"
			w.want(w.do(q), http.StatusGone, "link.over")
			continue
		}
		if r.Auth != httpapi.Session {
			if !slices.Contains(open, r.ID) {
				t.Errorf("%s is open to anybody", r.ID)
			}
			continue
		}
		q := w.call(r, w.anna, newID[id.Viewing]().String())
		w.want(w.do(q), http.StatusUnauthorized, "session.needed")
		q.cookie = "__Host-candor_session=forged"
		w.want(w.do(q), http.StatusUnauthorized, "session.ended")
		q.cookie = "candor_session=" + w.anna.token // the name that plain HTTP could plant
		w.want(w.do(q), http.StatusUnauthorized, "session.needed")
	}
	if len(w.reached()) != 0 || len(w.asked) != 0 {
		t.Errorf("rooms %v, gate %v", w.reached(), w.asked)
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	w := newWorld(t)
	for _, r := range w.api.Routes() {
		for _, h := range []map[string]string{
			{"Origin": "https://evil.example"},
			{"Origin": "http://cameras.example"},
			{"Origin": "https://cameras.example.evil.example"},
			{"Origin": "null"},
			{"Sec-Fetch-Site": "cross-site"},
			{"Sec-Fetch-Site": "same-site"},
			{"Sec-Fetch-Site": "cross-site", "Origin": "https://cameras.example"},
			{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-Fetch-Site": "same-origin"},
		} {
			q := w.call(r, w.anna, newID[id.Viewing]().String())
			q.as = &w.anna
			if q.header == nil {
				q.header = map[string]string{}
			}
			for k, v := range h {
				q.header[k] = v
			}
			w.want(w.do(q), http.StatusForbidden, "request.cross_origin")
		}
	}
	if len(w.reached()) != 0 || w.adds != 0 {
		t.Errorf("rooms were reached: %v", w.reached())
	}
	// Our own page, and a person who follows a link to a receipt, get through.
	w.want(w.do(request{as: &w.anna, method: "PATCH", path: "/api/v1/account", body: `{"name":"B"}`, header: map[string]string{"Origin": "https://cameras.example", "Sec-Fetch-Site": "same-origin"}}), 200, "")
	w.want(w.do(request{method: "GET", path: "/api/v1/receipts/kept", header: map[string]string{"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}}), 200, "")
}

func TestOnlyTheSessionCookieIsEverSet(t *testing.T) {
	promise.Proves(t, "P220")
	w := newWorld(t)
	w.fresh = true
	seen := 0
	for _, r := range w.api.Routes() {
		if r.ID == "watchMSE" || r.ID == "listen" || r.ID == "watchLinkMSE" {
			continue
		}
		q := w.call(r, w.anna, newID[id.Viewing]().String())
		if r.Auth == httpapi.Session {
			q.as = &w.anna
		}
		w.mu.Lock()
		w.sessions[w.anna.token] = httpapi.Caller{Tenant: id.DefaultTenant, Account: w.anna.account, Session: w.anna.session}
		w.mu.Unlock()
		for _, c := range w.do(q).Result().Cookies() {
			seen++
			if c.Name != "__Host-candor_session" {
				t.Errorf("%s sets the cookie %s", r.ID, c.Name)
			}
		}
	}
	// A visit by link is a session too, on the paths of that link alone.
	for _, c := range w.do(request{method: "POST", path: "/api/v1/links/linked/open", body: "nothing"}).Result().Cookies() {
		seen++
		if c.Name != "candor_session" || c.Path != "/api/v1/link/"+w.link.String() || !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.MaxAge != 3600 {
			t.Errorf("opening a link sets %v", c)
		}
	}
	if seen == 0 {
		t.Error("no cookie was seen at all")
	}
}
