package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor/internal/policy"
	"candor/internal/promise"
	source "candor/policy"
)

// ownPolicy writes this build's policy with edits {file, old, new} into a folder, with older versions beside it.
func ownPolicy(t *testing.T, older []*policy.Policy, edits ...[3]string) (folder string, p *policy.Policy) {
	t.Helper()
	folder = t.TempDir()
	if err := os.CopyFS(folder, source.Files); err != nil {
		t.Fatal(err)
	}
	for _, e := range edits {
		name := filepath.Join(folder, e[0])
		was, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(was), e[1]) {
			t.Fatalf("%s does not contain %q, %v", e[0], e[1], err)
		}
		if err := os.WriteFile(name, []byte(strings.Replace(string(was), e[1], e[2], 1)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for i, one := range older {
		if err := os.MkdirAll(filepath.Join(folder, "archive"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "archive", string(rune('1'+i))+".json"), one.Pack(), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	h, err := History(folder)
	if err != nil {
		t.Fatal(err)
	}
	return folder, h.Newest()
}

var (
	longAgo = [][3]string{{"policy.yaml", `published: "2026-11-22"`, `published: "2026-01-01"`}, {"policy.yaml", `effective: "2026-11-22"`, `effective: "2026-01-01"`}}
	since   = [][3]string{
		{"policy.yaml", "version: 1\n", "version: 2\n"}, {"policy.yaml", `published: "2026-11-22"`, `published: "2026-02-01"`},
		{"policy.yaml", `effective: "2026-11-22"`, `effective: "2026-03-01"`},
		// The push services would be sent one field more.
		{"recipients.yaml", "[endpoint, encrypted text, urgency, time to live]", "[endpoint, encrypted text, urgency, time to live, language]"},
	}
)

type stands struct {
	Under   struct{ Version, Hash string }
	Waiting *struct {
		To        struct{ Version, Hash string }
		Changes   []struct{ Name, Class, About string }
		Suspended []string
		Declined  bool
	}
	Answers []struct{ Answer string }
}

// TestAVersionHoldsForWhoAgreedToIt: through two starts of the same house, the second with a policy that sends more out.
func TestAVersionHoldsForWhoAgreedToIt(t *testing.T) {
	promise.Proves(t, "P326", "P327")
	first, one := ownPolicy(t, nil, longAgo...)
	dir := filepath.Join(t.TempDir(), "data")
	c := settings(dir, binary(t, "candor-decode"))
	start := func(folder string) (*world, error) {
		c.Policy.Folder = folder
		return begin(dir, c)
	}
	w, err := start(first)
	if err != nil {
		t.Fatal(err)
	}
	p := w.visitor(t)
	p.setUp(t, anna, "given")
	var s stands
	p.call("GET", "/policy/standing", nil, &s)
	if s.Under.Hash != one.Hash() || s.Waiting != nil || len(s.Answers) != 1 || s.Answers[0].Answer != "agreed" {
		t.Errorf("after set-up: %+v", s)
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}

	second, two := ownPolicy(t, []*policy.Policy{one}, since...)
	if w, err = start(second); err != nil {
		t.Fatal(err)
	}
	p = w.visitor(t)
	p.call("POST", "/session", map[string]any{"email": anna.email, "password": anna.password}, nil)
	p.call("GET", "/policy/standing", nil, &s)
	if s.Under.Hash != one.Hash() || s.Waiting == nil || s.Waiting.To.Hash != two.Hash() || len(s.Waiting.Changes) != 1 ||
		s.Waiting.Changes[0].Class != "recipients" || s.Waiting.Changes[0].About == "" || len(s.Waiting.Suspended) != 1 {
		t.Fatalf("under the second version: %+v", s)
	}
	push := func() (hash string, off bool) {
		var all []struct {
			ID, Hash  string
			NotAgreed bool `json:"not_agreed"`
		}
		p.call("GET", "/purposes", nil, &all)
		for _, one := range all {
			if one.ID == "push" {
				hash, off = one.Hash, one.NotAgreed
			} else if one.NotAgreed {
				t.Errorf("%s is off, and nothing changed about it", one.ID)
			}
		}
		return hash, off
	}
	if _, off := push(); !off {
		t.Error("push is on, and more would be sent out than was agreed to")
	}
	p.know()
	eventually(t, "recording goes on as agreed", func() bool {
		var camera struct{ Recording struct{ Actual bool } }
		p.call("GET", "/cameras/"+p.camera, nil, &camera)
		return camera.Recording.Actual
	})
	p.refused("POST", "/policy/answers", map[string]any{"policy_hash": strings.Repeat("0", 64), "answer": "agreed"}, 409, "policy.unknown_version")
	p.refused("POST", "/policy/answers", map[string]any{"policy_hash": one.Hash(), "answer": "agreed"}, 409, "policy.not_newest")
	p.call("POST", "/policy/answers", map[string]any{"policy_hash": two.Hash(), "answer": "declined"}, &s)
	if s.Waiting == nil || !s.Waiting.Declined || s.Under.Hash != one.Hash() {
		t.Errorf("after not now: %+v", s)
	}
	if _, off := push(); !off {
		t.Error("push is on after not now")
	}
	p.call("POST", "/policy/answers", map[string]any{"policy_hash": two.Hash(), "answer": "agreed"}, &s)
	s.Waiting = nil
	p.call("GET", "/policy/standing", nil, &s)
	if s.Under.Hash != two.Hash() || s.Waiting != nil || len(s.Answers) != 3 {
		t.Errorf("after a yes: %+v", s)
	}
	hash, off := push()
	if off {
		t.Error("push is off after a yes")
	}
	p.call("PUT", "/consents/push", map[string]any{"state": "given", "text_hash": hash}, nil)
	if err := w.end(); err != nil {
		t.Fatal(err)
	}

	// A version that somebody agreed to cannot be taken out of the archive, or be altered in it.
	altered, _ := ownPolicy(t, nil, append(longAgo, [3]string{"texts/en/policy.md", "Nobody else receives anything.", "Nobody else gets anything."})...)
	if w, err := start(altered); err == nil {
		_ = w.end()
		t.Error("a house starts with a policy that lacks what people agreed to")
	} else if !strings.Contains(err.Error(), one.Hash()) || !strings.Contains(err.Error(), "archive") {
		t.Errorf("the refusal does not say what to do: %v", err)
	}
}

// TestNoVersionIsKeptForNobody: a build that would keep something longer than an older version allows does not start with it.
func TestNoVersionIsKeptForNobody(t *testing.T) {
	_, one := ownPolicy(t, nil, append(longAgo, [3]string{"retention.yaml", "days: 365\n", "days: 30\n"})...)
	folder, _ := ownPolicy(t, []*policy.Policy{one}, since[:3]...)
	h, err := History(folder)
	if err != nil {
		t.Fatal(err)
	}
	if err := KeepsAll(h); err == nil || !strings.Contains(err.Error(), "who agreed to version 1") {
		t.Errorf("kept: %v", err)
	}
}
