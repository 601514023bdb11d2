package app

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor/internal/id"
	"candor/internal/problem"
)

// proof waits for a receipt that can be checked elsewhere, as a file.
func (p *person) proof(path string) (file string) {
	p.t.Helper()
	var got answer
	eventually(p.t, path+" is in the log", func() bool {
		got = p.do("GET", path, nil)
		if got.status != http.StatusOK && got.problem().Code != "log.pending" {
			p.t.Fatalf("%s: %d %s", path, got.status, got.body)
		}
		return got.status == http.StatusOK
	})
	file = filepath.Join(p.t.TempDir(), "receipt.json")
	if err := os.WriteFile(file, got.body, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return file
}

// A consent and a deletion leave receipts that the program checks without the server, with the key that anybody can fetch.
func TestReceiptsAreCheckedWithoutTheServer(t *testing.T) {
	t.Parallel()
	w := fresh(t)
	owner := w.visitor(t)
	owner.setUp(t, anna, "given")
	get := func(path string) (int, string, http.Header) {
		t.Helper()
		res, err := http.Get(w.base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(b), res.Header
	}
	_, key, _ := get("/log/key")

	var consents struct {
		History []struct{ ID, Purpose, State string }
	}
	owner.call("GET", "/consents", nil, &consents)
	consent := owner.proof("/consents/" + consents.History[0].ID + "/receipt")
	gone := owner.decide(owner.camera, "withdrawn")
	erasure := owner.proof("/receipts/" + gone.Token + "/proof")

	for file, kind := range map[string]string{consent: "consent", erasure: "erasure"} {
		out, errs, exit := say(t, "verify", file, "--key", strings.TrimSpace(key))
		if exit != 0 || strings.Count(out, "ok    ") != 3 || !strings.Contains(out, "kind "+kind) {
			t.Errorf("verify %s: %d %q %q", kind, exit, out, errs)
		}
		if out, _, exit := say(t, "verify", file); exit != 0 || !strings.Contains(out, "Compare it") {
			t.Errorf("without a key: %d %q", exit, out)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var d struct{ Statement, Leaf json.RawMessage }
		if err := json.Unmarshal(b, &d); err != nil {
			t.Fatal(err)
		}
		if kind == "erasure" && (strings.Contains(string(b), gone.Token) || strings.Contains(string(d.Statement), `"opening":"`)) {
			t.Errorf("the proof holds what opens the receipt: %s", b)
		}
		forged := strings.Replace(string(b), "2026", "2025", 1)
		if forged == string(b) {
			forged = strings.Replace(string(b), `"what":"`, `"what":"x`, 1)
		}
		other := filepath.Join(t.TempDir(), "forged.json")
		if err := os.WriteFile(other, []byte(forged), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, errs, exit := say(t, "verify", other, "--key", strings.TrimSpace(key)); exit != 1 || out != "" || !strings.Contains(errs, "NOT GOOD") {
			t.Errorf("a forged one: %d %q %q", exit, out, errs)
		}
	}

	// Nobody else gets a consent's receipt, and a link that leads nowhere has no proof.
	stranger := w.join(t, identity{"Ben", "ben@house.example", "a green kettle 21"})
	stranger.refused("GET", "/consents/"+consents.History[0].ID+"/receipt", nil, http.StatusNotFound, "not_found")
	stranger.refused("GET", "/receipts/"+strings.Repeat("A", 22)+"/proof", nil, http.StatusNotFound, "not_found")

	// The log is public and says nothing about anybody.
	status, checkpoint, header := get("/log/checkpoint")
	if status != http.StatusOK || !strings.HasPrefix(checkpoint, "candor-log/") || header.Get("Cache-Control") != "no-cache" || header.Get("Set-Cookie") != "" {
		t.Errorf("checkpoint: %d %q %v", status, checkpoint, header)
	}
	for _, path := range []string{"/log/", "/log/../keys/keys.db", "/log/key/x", "/log/tiles/checkpoint"} {
		if status, body, _ := get(path); status == http.StatusOK && !strings.Contains(body, "<!doctype html>") {
			t.Errorf("%s: %d %.80q", path, status, body)
		}
	}
	bundle, _, err := w.proofs.File(t.Context(), "tile/entries/000.p/2")
	if err != nil && !problem.Is(err, "not_found") {
		t.Fatal(err)
	}
	for _, about := range []string{owner.account.String(), owner.camera, anna.email, id.SubjectOf(owner.account).String(), "recording"} {
		if strings.Contains(string(bundle), about) {
			t.Errorf("the log names %s", about)
		}
	}
}
