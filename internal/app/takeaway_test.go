package app

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"candor/internal/democam"
	"candor/internal/gate"
	"candor/internal/id"
	"candor/internal/permit"
	"candor/internal/promise"
	"candor/internal/rights"
)

// copied is a copy of everything as the API shows it.
type copied struct {
	ID          string
	State       string
	Why         string `json:"ended_because"`
	Link        string
	Size        int64
	Done, Total int64
}

// takeCopy asks for a copy and waits until it is made.
func (p *person) takeCopy(password string) copied {
	p.t.Helper()
	var asked, now copied
	p.call("POST", "/privacy/exports", map[string]any{"password": password}, &asked)
	eventually(p.t, "the copy is made", func() bool {
		p.call("GET", "/privacy/exports/"+asked.ID, nil, &now)
		return now.State != "preparing"
	})
	if now.State != "ready" || now.Size == 0 || now.Link != "" || !strings.HasPrefix(asked.Link, "api/v1/exports/") {
		p.t.Fatalf("asked %+v, made %+v", asked, now)
	}
	now.Link = "/" + strings.TrimPrefix(asked.Link, "api/v1/")
	return now
}

// TestEveryRoomExportsWhatItCounts: the inventory and a copy are two views of the same.
func TestEveryRoomExportsWhatItCounts(t *testing.T) {
	w, p := share(t)
	p.recorded(p.camera, time.Second)
	p.live(p.camera)
	l, err := w.gate.Lease(t.Context(), gate.Request{Tenant: w.tenant, Actor: permit.System(gate.Rights), Action: permit.PrivacyExport, Account: p.account})
	if err != nil {
		t.Fatal(err)
	}
	defer l.End(nil)
	whose := rights.Whose{Tenant: w.tenant, Subject: id.SubjectOf(p.account)}
	for _, h := range w.office.Holders {
		same := func() (held, lines int64) {
			counted, err := h.Count(t.Context(), l.Permit(), whose)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range counted {
				held += c.Count
			}
			var out bytes.Buffer
			if err := h.Export(t.Context(), l.Permit(), whose, &out); err != nil {
				t.Fatal(err)
			}
			for line := range strings.Lines(out.String()) {
				if !json.Valid([]byte(line)) {
					t.Errorf("%s exports %q", h.Room(), line)
				}
				lines++
			}
			return held, lines
		}
		var held, lines int64
		for range 20 { // what is recorded or looked at just then may come between the two
			if held, lines = same(); held == lines {
				break
			}
		}
		if held != lines {
			t.Errorf("%s counts %d and exports %d lines", h.Room(), held, lines)
		}
	}
}

// TestACopyOfEverything of an account with two cameras: foreign programs open it and play its films.
func TestACopyOfEverything(t *testing.T) {
	promise.Proves(t, "P266")
	w, owner := share(t)
	who := identity{"Tom Tanne", "tom@house.example", "a silver tram 84"}
	p := w.join(t, who)
	yard := startDevice(t, &democam.Server{Main: noisyClip(t)}) // fills buffers on the way
	cams := []string{p.add(map[string]any{"demo": true, "name": "Hall", "recording": "given"}).ID, p.addRecorded(yard, "Yard")}
	for _, c := range cams {
		p.recorded(c, 4*time.Second)
		p.call("PATCH", "/cameras/"+c, map[string]any{"recording_mode": "paused"}, nil) // closes its segment
		eventually(t, "recording is paused", func() bool { return !p.see(c).Recording.Actual })
	}
	p.refused("POST", "/privacy/exports", map[string]any{"password": "not it"}, http.StatusForbidden, "password.wrong")
	made := p.takeCopy(who.password)
	p.refused("POST", "/privacy/exports", map[string]any{"password": who.password}, http.StatusConflict, "export.ready")

	whole := p.do("GET", "/exports/"+made.ID+".zip", nil)
	if whole.status != http.StatusOK || int64(len(whole.body)) != made.Size {
		t.Fatalf("downloaded %d, %d of %d bytes", whole.status, len(whole.body), made.Size)
	}
	nobody := w.visitor(t)
	if a := nobody.do("GET", made.Link, nil); !bytes.Equal(a.body, whole.body) || a.header.Get("ETag") != whole.header.Get("ETag") {
		t.Errorf("by the link: %d, %d bytes", a.status, len(a.body))
	}
	at := len(whole.body) / 3
	rest := nobody.do("GET", made.Link, nil, "Range", fmt.Sprintf("bytes=%d-", at), "If-Range", whole.header.Get("ETag"))
	if rest.status != http.StatusPartialContent || !bytes.Equal(rest.body, whole.body[at:]) {
		t.Errorf("gone on with: %d, %d bytes", rest.status, len(rest.body))
	}
	for _, stranger := range []*person{nobody, owner} {
		want := http.StatusNotFound
		if stranger == nobody {
			want = http.StatusUnauthorized
		}
		if a := stranger.do("GET", "/exports/"+made.ID+".zip", nil); a.status != want {
			t.Errorf("another's copy: %d", a.status)
		}
	}
	opened(t, whole.body, cams, who)

	// Who took it is in the list of who looked; who only had the link is told apart.
	var log struct {
		Accesses []struct{ Actor, Action string }
	}
	p.call("GET", "/privacy/access", nil, &log)
	took := map[string]bool{}
	for _, a := range log.Accesses {
		if a.Action == "privacy.export" {
			took[a.Actor] = true
		}
	}
	if !took["you"] || !took["link:export"] {
		t.Errorf("who took it: %v", took)
	}
	// Taking a consent back ends it, and its link says so.
	kept(t, p.decide(cams[0], "withdrawn"))
	if a := nobody.do("GET", made.Link, nil); a.status != http.StatusGone || a.problem().Code != "export.ended" {
		t.Errorf("after a withdrawal: %d %s", a.status, a.body)
	}
	var after copied
	p.call("GET", "/privacy/exports/"+made.ID, nil, &after)
	if after.State != "ended" || after.Why != "changed" {
		t.Errorf("%+v", after)
	}
	// A download that runs is cut off when its person ends the copy, and when the account closes.
	asked := p.takeCopy(who.password)
	slowly := p.downloadSlowly("/exports/" + asked.ID + ".zip")
	p.call("DELETE", "/privacy/exports/"+asked.ID, nil, &asked)
	if asked.State != "ended" || asked.Why != "deleted" {
		t.Errorf("deleted: %+v", asked)
	}
	cutOff(t, slowly)
	last := p.takeCopy(who.password)
	slowly = nobody.downloadSlowly(last.Link)
	p.call("DELETE", "/account", map[string]any{"password": who.password}, nil)
	cutOff(t, slowly)
	if a := nobody.do("GET", last.Link, nil); a.status != http.StatusNotFound && a.status != http.StatusGone {
		t.Errorf("the copy of a closed account: %d", a.status)
	}
	if left, err := filepath.Glob(filepath.Join(w.path(exportsDir), "kept", "*", strings.ReplaceAll(p.account.String(), "-", ""), "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// downloadSlowly begins a download over a thin line.
func (p *person) downloadSlowly(path string) *slow {
	p.t.Helper()
	req, err := http.NewRequest("GET", p.world.base+"/api/v1"+path, nil)
	if err != nil {
		p.t.Fatal(err)
	}
	req.Header.Set("Cookie", p.cookies())
	res, err := slowClient().Do(req)
	if err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatalf("download: %v %v", res, err)
	}
	p.t.Cleanup(func() { res.Body.Close() })
	s := &slow{ended: make(chan error, 1)}
	go func() {
		s.read(res.Body)
		select {
		case s.ended <- nil:
		default:
		}
	}()
	eventually(p.t, "it is being served", func() bool { n, _ := s.seen(); return n > 1000 })
	return s
}

func cutOff(t *testing.T, s *slow) {
	t.Helper()
	select {
	case err := <-s.ended:
		if err == nil {
			t.Error("a slow reader took the cut for the end")
		}
	case <-time.After(20 * time.Second):
		t.Error("a slow reader is still being served")
	}
}

// opened looks into a copy with the standard library, unzip, Python and ffprobe.
func opened(t *testing.T, whole []byte, cams []string, who identity) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(whole), int64(len(whole)))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "copy.zip")
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{{"unzip", "-tqq", file}, {"python3", "-m", "zipfile", "-t", file}} {
		if _, err := exec.LookPath(command[0]); err != nil {
			continue
		}
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command[0], err, out)
		}
	}
	films := map[string]int{}
	texts := map[string]string{}
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Fatalf("%s: %v", f.Name, err)
		}
		if !strings.HasSuffix(f.Name, ".mp4") {
			texts[f.Name] = string(b)
			continue
		}
		film := filepath.Join(dir, "film.mp4")
		if err := os.WriteFile(film, b, 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command("ffprobe", "-v", "error", "-count_packets", "-select_streams", "v:0", "-show_entries", "stream=codec_name,nb_read_packets", "-of", "csv=p=0", film).CombinedOutput()
		if err != nil || !strings.HasPrefix(string(out), "h264,") {
			t.Errorf("%s: %v %s", f.Name, err, out)
		}
		films[strings.Split(f.Name, "/")[1]]++
	}
	for _, c := range cams {
		if films[c] == 0 {
			t.Errorf("camera %s has no film in %v", c, films)
		}
	}
	for name, want := range map[string]string{
		"account/account.jsonl": who.email, "device/device.jsonl": "Hall", "consent/consent.jsonl": "dpv:ConsentGiven", "translog/translog.jsonl": `"kind":"access"`,
		"footage/footage.jsonl": ".mp4", "README.txt": "manifest.json", "manifest.json": "candor.copy.1",
	} {
		if !strings.Contains(texts[name], want) {
			t.Errorf("%s does not say %q: %.300s", name, want, texts[name])
		}
	}
	if strings.Contains(string(whole), who.password) {
		t.Error("the copy holds the password")
	}
}
