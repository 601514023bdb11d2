package app

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestTheOperatorBesideARunningServer types commands while the server runs.
func TestTheOperatorBesideARunningServer(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data")
	server := run(t, "demo", "--data", dir, "--listen", "127.0.0.1:0", "--webrtc.udp_port", "0", "--webrtc.tcp_port", "0")
	out, errs, exit := say(t, "setup-code", "--data_dir", dir)
	if strings.TrimSpace(out) != server.code || exit != 0 {
		t.Errorf("setup-code: %d %q %q, want %q", exit, out, errs, server.code)
	}
	who := identity{"Mara Mohn", "mara@house.example", "a pink rickshaw 79"}
	p := server.visitor(t)
	p.setUp(t, who, "given")
	if out, errs, exit = say(t, "setup-code", "--data_dir", dir); exit != 1 || out != "" || strings.Count(errs, "\n") != 1 {
		t.Errorf("setup-code after set-up: %d %q %q", exit, out, errs)
	}
	phone := server.visitor(t)
	phone.signIn(t, who)
	p.recorded(p.camera, time.Second)

	if out, errs, exit = say(t, "doctor", "--data_dir", dir); !strings.Contains(out, "ok    database (sqlite)") || strings.Contains(out, "WRONG database") {
		t.Errorf("doctor: %d %s %s", exit, out, errs)
	}
	for _, private := range []string{who.email, who.name, p.account.String()} {
		if strings.Contains(out, private) {
			t.Errorf("doctor says %q", private)
		}
	}

	if out, errs, exit = say(t, "user", "reset", "nobody@house.example", "--data_dir", dir); exit != 1 || out != "" {
		t.Errorf("resetting nobody: %d %q %q", exit, out, errs)
	}
	out, errs, exit = say(t, "user", "reset", who.email, "--data_dir", dir)
	fresh := regexp.MustCompile(`New password: (\S+)`).FindStringSubmatch(out)
	if exit != 0 || fresh == nil || errs != "" {
		t.Fatalf("user reset: %d %q %q", exit, out, errs)
	}
	eventually(t, "every session has ended", func() bool {
		return p.do("GET", "/account", nil).status == http.StatusUnauthorized && phone.do("GET", "/account", nil).status == http.StatusUnauthorized
	})
	if a := phone.do("POST", "/session", map[string]any{"email": who.email, "password": who.password}); a.status != http.StatusUnauthorized {
		t.Errorf("the old password: %d %s", a.status, a.body)
	}
	who.password = fresh[1]
	p.signIn(t, who)
	before := p.timeline(p.camera).Newest
	eventually(t, "recording went on", func() bool { return p.timeline(p.camera).Newest.After(before.Add(time.Second)) })
	var r receipt
	p.call("DELETE", "/account", map[string]any{"password": who.password}, &r)
	kept(t, &r)
	server.stop(t)
	for line := range strings.Lines(server.errs.String()) {
		if strings.Contains(line, "level=ERROR") {
			t.Errorf("the server complains: %s", line)
		}
	}
}

func TestWhatTheBinarySaysOfItself(t *testing.T) {
	t.Parallel()
	out, errs, exit := say(t, "version")
	if !strings.HasPrefix(out, "candor ") || errs != "" || exit != 0 {
		t.Errorf("version: %d %q %q", exit, out, errs)
	}
	out, _, _ = say(t, "promises", "--json")
	var board struct {
		Promises []struct{ ID, State, Statement string }
	}
	if err := json.Unmarshal([]byte(out), &board); err != nil {
		if err := json.Unmarshal([]byte(out), &board.Promises); err != nil {
			t.Fatalf("promises: %v %.200s", err, out)
		}
	}
	states := map[string]int{}
	ids := map[string]bool{}
	for _, row := range board.Promises {
		states[row.State]++
		ids[row.ID] = true
		if row.Statement == "" {
			t.Errorf("%s says nothing", row.ID)
		}
	}
	if len(board.Promises) != 350 || len(ids) != 350 || states["declared"]+states["enforced"]+states["tested"]+states["watched"] != 350 {
		t.Errorf("%d promises, %d ids, %v", len(board.Promises), len(ids), states)
	}
	t.Logf("promises: %v", states)
	out, _, _ = say(t, "openapi")
	want, err := os.ReadFile(filepath.Join("..", "..", "ref", "openapi.json"))
	if err != nil || out != string(want) {
		t.Errorf("ref/openapi.json is not what the binary prints (%v)", err)
	}
}
