package app

import (
	"bytes"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/democam"
	"candor/internal/httpapi"
	"candor/internal/id"
	"candor/internal/promise"
)

// made is a new share with what opens it.
type made struct {
	Share struct{ ID string }
	Token string
	URL   string
}

// invites makes an invite for a camera.
func (p *person) invites(camera string, more map[string]any) made {
	p.t.Helper()
	body := map[string]any{"camera_id": camera, "confirmed": true}
	maps.Copy(body, more)
	var m made
	p.call("POST", "/shares", body, &m)
	return m
}

// opens is a browser in which a link was opened, and where its routes begin.
func (w *world) opens(t *testing.T, m made) (*person, string) {
	t.Helper()
	v := w.visitor(t)
	var view struct{ ID string }
	v.call("POST", "/links/"+m.Token+"/open", nil, &view)
	return v, "/link/" + view.ID
}

// openTo says which ability opens a route about a camera to others. What is not here is its owner's alone.
var openTo = map[string]string{
	"getCamera": "see",
	"getStill":  "live", "watchWHEP": "live", "watchMSE": "live",
	"getTimeline": "playback", "listDays": "playback", "getFootage": "playback", "getFrame": "playback",
	"getFootage?download=1": "export",
	"listCameraEvents":      "alarms", "getEvent": "alarms", "getEventPicture": "alarms",
	"chooseAlerts": "alarms", "pauseCameraAlerts": "alarms", "resumeCameraAlerts": "alarms",
}

// TestWhoReachesWhat goes through every route about a camera as owner, as a member with each single ability, as a
// former member, as who holds a link, as a stranger and as nobody.
func TestWhoReachesWhat(t *testing.T) {
	promise.Proves(t, "P123", "P125")
	w, p := share(t)
	p.live(p.camera)
	p.recorded(p.camera, time.Second)
	guest := w.join(t, identity{"Gil Gast", "gil@house.example", "a white scooter 74"})
	stranger := w.join(t, identity{"Sol Fremd", "sol@house.example", "a black scooter 75"})
	clip, live := made{}, made{}
	p.call("POST", "/links", map[string]any{"camera_id": p.camera, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:01:00Z", "confirmed": true}, &clip)
	p.refused("POST", "/links", map[string]any{"camera_id": p.camera, "live": true, "confirmed": true}, http.StatusForbidden, "session.step_up")
	p.call("POST", "/session/step-up", map[string]any{"password": anna.password}, nil)
	p.call("POST", "/links", map[string]any{"camera_id": p.camera, "live": true, "confirmed": true}, &live)
	clipped, clipPath := w.opens(t, clip)
	watching, livePath := w.opens(t, live)
	nobody := w.visitor(t)
	body := bodies(guest)
	tried := 0
	walk := func(who string, by *person, want func(name string) string) {
		for _, r := range w.api.Routes() {
			if !r.Camera() {
				continue
			}
			names := []string{r.ID}
			if r.Export != "" {
				names = append(names, r.ID+"?download=1")
			}
			for _, name := range names {
				tried++
				a := by.routed(r, body[r.ID], p.camera, strings.Contains(name, "?"))
				switch got, want := a.problem().Code, want(name); {
				case want == "yes" && (slices.Contains([]string{"share.not_included", "share.owner_only", "session.needed"}, got) || got == "not_found" && !strings.Contains(r.Path, "{event}")):
					t.Errorf("%s: %s is refused with %d %s", who, name, a.status, got)
				case want != "yes" && got != want:
					t.Errorf("%s: %s answers %d %s, want %s", who, name, a.status, got, want)
				}
			}
		}
	}
	for _, ability := range []string{"live", "playback", "talk", "alarms", "export"} {
		m := p.invites(p.camera, map[string]any{"abilities": []string{ability}, "label": "Gil"})
		guest.call("POST", "/invites/"+m.Token+"/accept", nil, nil)
		walk("a member with "+ability, guest, func(name string) string {
			switch openTo[name] {
			case "":
				return "share.owner_only"
			case "see", ability:
				return "yes"
			}
			return "share.not_included"
		})
		if ability == "live" {
			guest.liveOnly(p)
		}
		p.call("DELETE", "/shares/"+m.Share.ID, nil, nil)
		walk("a former member", guest, func(string) string { return "not_found" })
	}
	walk("a stranger", stranger, func(string) string { return "not_found" })
	for who, by := range map[string]*person{"nobody": nobody, "who holds a clip's link": clipped, "who holds a live link": watching} {
		walk(who, by, func(string) string { return "session.needed" })
	}
	if tried < 12*12 {
		t.Errorf("only %d calls were made", tried)
	}
	// The routes of links: each opens what it is for, in the browser that opened it.
	links := func(who string, by *person, path string, want map[string]string) {
		for _, r := range w.api.Routes() {
			if r.Auth != httpapi.Link || r.ID == "endLinkWHEP" {
				continue
			}
			a := by.routed(r, body[r.ID], strings.TrimPrefix(path, "/link/"), false)
			code := want[r.ID]
			if all := want["*"]; code == "" {
				code = all
			}
			if got := a.problem().Code; got != code && !(code == "yes" && got != "share.not_included" && got != "not_found" && got != "link.over") {
				t.Errorf("%s: %s answers %d %s, want %s", who, r.ID, a.status, got, code)
			}
		}
	}
	links("a clip's link", clipped, clipPath, map[string]string{"getLink": "yes", "getLinkClip": "footage.none", "*": "share.not_included"})
	links("a live link", watching, livePath, map[string]string{"getLink": "yes", "getLinkStill": "yes", "watchLinkWHEP": "yes", "watchLinkMSE": "yes", "*": "share.not_included"})
	for who, by := range map[string]*person{"the owner": p, "a stranger": stranger, "nobody": nobody, "who holds another link": clipped} {
		links(who, by, livePath, map[string]string{"*": "not_found"})
	}
	if a := clipped.do("GET", clipPath+"/clip.mp4?download=1", nil); a.problem().Code != "share.not_included" {
		t.Errorf("a clip that may not be saved: %d %s", a.status, a.body)
	}
	for _, m := range []made{clip, live} {
		p.call("DELETE", "/shares/"+m.Share.ID, nil, nil)
		nobody.refused("POST", "/links/"+m.Token+"/open", nil, http.StatusGone, "link.over")
	}
	links("a clip's link, revoked", clipped, clipPath, map[string]string{"*": "link.over"})
	links("a live link, revoked", watching, livePath, map[string]string{"*": "link.over"})
}

// routed calls a route with an id in its path, the camera's or the link's.
func (p *person) routed(r httpapi.Route, body any, camera string, file bool) answer {
	p.t.Helper()
	if r.Auth == httpapi.Link {
		r.Path = strings.ReplaceAll(r.Path, "{link}", camera)
	}
	if r.ID == "watchMSE" || r.ID == "watchLinkMSE" { // asked without the upgrade: who may watch is told that it is missing
		r.ID = ""
	}
	if file {
		r.Path += "?download=1&" + strings.TrimPrefix(queries[r.ID], "?")
		r.ID = ""
	}
	return p.route(r, body, camera, id.Make[id.Session]().String(), id.Make[id.Viewing]().String())
}

// liveOnly wants a guest with the live picture alone to reach no footage, to give nothing on, and to learn
// neither address nor settings.
func (p *person) liveOnly(owner *person) {
	p.t.Helper()
	now := time.Now().UTC()
	for _, path := range []string{
		"/timeline?from=" + now.Add(-time.Hour).Format(time.RFC3339) + "&to=" + now.Format(time.RFC3339), "/days",
		"/frame.jpg?at=" + now.Add(-time.Second).Format(time.RFC3339),
		strings.TrimPrefix(moviePath(owner.camera, span{now.Add(-time.Minute), now}), "/cameras/"+owner.camera),
	} {
		p.refused("GET", "/cameras/"+owner.camera+path, nil, http.StatusForbidden, "share.not_included")
	}
	p.refused("POST", "/links", map[string]any{"camera_id": owner.camera, "from": "2026-01-01T00:00:00Z", "to": "2026-01-01T00:01:00Z", "confirmed": true}, http.StatusNotFound, "not_found")
	p.refused("POST", "/shares", map[string]any{"camera_id": owner.camera, "abilities": []string{"playback"}, "confirmed": true}, http.StatusNotFound, "not_found")
	list := p.do("GET", "/cameras", nil)
	if !strings.Contains(string(list.body), owner.camera) || !strings.Contains(string(list.body), `"relation":"member","abilities":["live"]`) {
		p.t.Errorf("the guest's list: %s", list.body)
	}
	for _, secret := range []string{"rtsp", "127.0.0.1", owner.account.String(), anna.email} {
		if !owner.account.IsZero() && strings.Contains(string(list.body), secret) {
			p.t.Errorf("the guest's list tells %s: %s", secret, list.body)
		}
	}
	var access struct {
		Accesses []struct{ Actor, Name, Action string }
	}
	a := owner.do("GET", "/privacy/access?limit=200", nil)
	if !strings.Contains(string(a.body), `"actor":"member","actor_name":"Gil"`) {
		p.t.Errorf("the owner's records do not name the member: %s, %v", a.body, access)
	}
}

// TestARevokedShareEndsWhatRuns takes shares back while a member and a visitor watch and download over thin lines.
func TestARevokedShareEndsWhatRuns(t *testing.T) {
	w, _ := share(t)
	p := w.join(t, identity{"Runa Rose", "runa@house.example", "a grey unicycle 76"})
	guest := w.join(t, identity{"Gus Gast", "gus@house.example", "a pink unicycle 77"})
	camera := p.addRecorded(startDevice(t, &democam.Server{Main: noisyClip(t)}), "Yard")
	of := p.recorded(camera, 3*time.Second)
	m := p.invites(camera, map[string]any{"abilities": []string{"live", "playback", "export"}})
	guest.call("POST", "/invites/"+m.Token+"/accept", nil, nil)
	download, mse, whep := guest.download(camera, of), guest.watchSlowly(camera), guest.whep(camera)
	eventually(t, "the member is served", func() bool {
		a, _ := download.seen()
		b, _ := mse.seen()
		c, _ := whep.seen()
		return a > 20_000 && b > 20_000 && c > 20
	})
	took, asked := figures{}, time.Now()
	p.call("DELETE", "/shares/"+m.Share.ID, nil, nil)
	gone(t, "download", download, took, asked)
	gone(t, "MSE", mse, took, asked)
	eventually(t, "no picture comes by WebRTC", func() bool {
		_, last := whep.seen()
		return time.Since(last) > 2*time.Second
	})
	_, last := whep.seen()
	took.note("WebRTC", asked, last)
	t.Logf("a share's end reaches:\n%v", took)
	guest.refused("GET", "/cameras/"+camera, nil, http.StatusNotFound, "not_found")
	if got := guest.cameras(); len(got) != 0 {
		t.Errorf("the former member still sees %v", got)
	}
}

// TestHistoryBeginsWhereTheOwnerSays: of footage a second before "history from" nothing shows, by any way.
func TestHistoryBeginsWhereTheOwnerSays(t *testing.T) {
	w, p := share(t)
	p.live(p.camera)
	of := p.recorded(p.camera, 6*time.Second)
	from := of.From.Add(4 * time.Second)
	guest := w.join(t, identity{"Hal Halb", "hal@house.example", "a brown scooter 78"})
	m := p.invites(p.camera, map[string]any{"abilities": []string{"playback", "export"}, "history_from": from.UTC().Format(time.RFC3339Nano)})
	guest.call("POST", "/invites/"+m.Token+"/accept", nil, nil)
	defer p.call("DELETE", "/shares/"+m.Share.ID, nil, nil)
	for _, r := range guest.timeline(p.camera).Ranges {
		if r.From.Before(from.Truncate(time.Millisecond)) {
			t.Errorf("the timeline shows %v, before %v", r.From, from)
		}
	}
	at := from.Add(-time.Second).UTC().Format(time.RFC3339Nano)
	guest.refused("GET", "/cameras/"+p.camera+"/frame.jpg?at="+at, nil, http.StatusNotFound, "footage.none")
	before := span{of.From, from.Add(-time.Millisecond)}
	guest.refused("GET", moviePath(p.camera, before), nil, http.StatusNotFound, "footage.none")
	guest.refused("GET", moviePath(p.camera, before)+"&download=1", nil, http.StatusNotFound, "footage.none")
	whole, after := len(p.do("GET", moviePath(p.camera, of), nil).body), guest.do("GET", moviePath(p.camera, of), nil)
	if after.status != http.StatusOK || len(after.body) >= whole {
		t.Errorf("of %d bytes the guest gets %d (%d)", whole, len(after.body), after.status)
	}
	var days struct {
		Days []struct{ Seconds float64 }
	}
	guest.call("GET", "/cameras/"+p.camera+"/days", nil, &days)
	sum := 0.0
	for _, d := range days.Days {
		sum += d.Seconds
	}
	if all := time.Since(from).Seconds(); sum > all {
		t.Errorf("the days hold %.1f s of the %.1f s there can be", sum, all)
	}
	// The owner thinks better of it: all of the past, and no files.
	p.call("PUT", "/shares/"+m.Share.ID, map[string]any{"abilities": []string{"playback"}, "label": "Hal"}, nil)
	if a := guest.do("GET", strings.ReplaceAll(moviePath(p.camera, before), "download=1", "download=0"), nil); a.status != http.StatusOK {
		t.Errorf("what was opened up: %d %s", a.status, a.body)
	}
	guest.refused("GET", moviePath(p.camera, before), nil, http.StatusForbidden, "share.not_included")
}

// TestClosingAnAccountEndsItsShares, on either side, and leaves the other's whole.
func TestClosingAnAccountEndsItsShares(t *testing.T) {
	w, _ := share(t)
	p := w.join(t, identity{"Orla Ost", "orla@house.example", "a lilac unicycle 79"})
	camera := p.addRecorded(startDevice(t, &democam.Server{Main: noisyClip(t)}), "Shed")
	p.live(camera)
	var guests []*person
	for i, password := range []string{"a beige unicycle 80", "a mauve unicycle 81"} {
		g := w.join(t, identity{"Guest", fmt.Sprintf("guest%d@house.example", i), password})
		m := p.invites(camera, map[string]any{"abilities": []string{"live"}, "label": fmt.Sprintf("Guest %d", i)})
		g.call("POST", "/invites/"+m.Token+"/accept", nil, nil)
		g.call("GET", "/cameras/"+camera, nil, nil)
		if a := g.do("GET", "/cameras/"+camera+"/still.jpg", nil); a.status != http.StatusOK {
			t.Fatalf("%d %s", a.status, a.body)
		}
		guests = append(guests, g)
	}
	guests[0].call("DELETE", "/account", map[string]any{"password": "a beige unicycle 80"}, nil)
	var shares struct {
		Given []struct {
			State, Label string
			Former       bool
		}
	}
	p.call("GET", "/shares", nil, &shares)
	for _, s := range shares.Given {
		if (s.Label == "Guest 0") != s.Former || (s.State == "ended") != s.Former {
			t.Errorf("after the member left: %+v", s)
		}
	}
	if a := string(p.do("GET", "/privacy/access", nil).body); !strings.Contains(a, `"actor":"former"`) || !strings.Contains(a, `"actor_name":"Guest 1"`) {
		t.Errorf("the records say %s", a)
	}
	p.call("DELETE", "/account", map[string]any{"password": "a lilac unicycle 79"}, nil)
	guests[1].refused("GET", "/cameras/"+camera, nil, http.StatusNotFound, "not_found")
	if a := string(guests[1].do("GET", "/shares", nil).body); !strings.Contains(a, `"over":true`) || !strings.Contains(a, `"by":"Orla Ost"`) {
		t.Errorf("the member is left with %s", a)
	}
	guests[1].call("DELETE", "/account", map[string]any{"password": "a mauve unicycle 81"}, nil)
}

// accessList is what an owner's page of accesses says.
type accessList struct {
	Accesses []struct {
		Seq                 int64
		Actor, Action       string
		Name                string `json:"actor_name"`
		Camera              string `json:"camera_id"`
		At, Purpose, Client string
	}
}

// A member closes their account: theirs is gone, and the owner has all they had. That somebody looked stays on
// record, without saying any more who it was.
func TestAMemberLeavesAndTheOwnersDataStays(t *testing.T) {
	w, _ := share(t)
	p := w.join(t, identity{"Rosa Rabe", "rosa@house.example", "a copper ferry 31"})
	camera := p.addRecorded(startDevice(t, &democam.Server{Main: noisyClip(t)}), "Yard")
	p.live(camera)
	guest := w.join(t, identity{"Gero Gast", "gero@house.example", "a pewter ferry 32"})
	m := p.invites(camera, map[string]any{"abilities": []string{"live", "playback"}, "label": "Gero next door"})
	guest.call("POST", "/invites/"+m.Token+"/accept", nil, nil)
	kept := p.recorded(camera, 2*time.Second)
	if a := guest.do("GET", "/cameras/"+camera+"/still.jpg", nil); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if a := guest.do("GET", strings.Replace(moviePath(camera, kept), "download=1&", "", 1), nil); a.status != http.StatusOK {
		t.Fatalf("%d %s", a.status, a.body)
	}
	before := map[string]string{}
	same := []string{"/account", "/sites", "/consents", "/cameras/" + camera + "/motion"}
	for _, path := range same {
		before[path] = string(p.do("GET", path, nil).body)
	}
	film := p.do("GET", moviePath(camera, kept), nil).body
	var had, has accessList
	p.call("GET", "/privacy/access", nil, &had)

	guest.call("DELETE", "/account", map[string]any{"password": "a pewter ferry 32"}, nil)

	for _, path := range same {
		if a := p.do("GET", path, nil); a.status != http.StatusOK || string(a.body) != before[path] {
			t.Errorf("%s was %s and is %d %s", path, before[path], a.status, a.body)
		}
	}
	if got := p.do("GET", moviePath(camera, kept), nil).body; len(film) == 0 || !bytes.Equal(got, film) {
		t.Errorf("the film had %d bytes and has %d", len(film), len(got))
	}
	if c := p.see(camera); c.Name != "Yard" || c.State.Phase != "live" {
		t.Errorf("the camera is %+v", c)
	}
	p.recorded(camera, kept.long()+2*time.Second) // and is recorded on
	p.call("GET", "/privacy/access", nil, &has)
	at := map[int64]int{}
	for i, line := range has.Accesses {
		at[line.Seq] = i
	}
	former := 0
	for _, was := range had.Accesses {
		i, there := at[was.Seq]
		if !there {
			t.Errorf("entry %d is gone", was.Seq)
			continue
		}
		want := was
		if was.Actor == "member" {
			former++
			want.Actor, want.Name = "former", ""
		}
		if has.Accesses[i] != want {
			t.Errorf("entry %d was %+v and is %+v", was.Seq, was, has.Accesses[i])
		}
	}
	if former < 2 {
		t.Errorf("%d of %+v were the member's", former, had.Accesses)
	}
	var given struct {
		Given []struct {
			State  string
			Former bool
		}
	}
	p.call("GET", "/shares", nil, &given)
	if len(given.Given) != 1 || !given.Given[0].Former || given.Given[0].State != "ended" {
		t.Errorf("the owner's list says %+v", given.Given)
	}
	for _, path := range append(same, "/privacy/access", "/shares") {
		if a := string(p.do("GET", path, nil).body); strings.Contains(a, "Gero Gast") || strings.Contains(a, "gero@house.example") {
			t.Errorf("%s still says who it was: %s", path, a)
		}
	}
}
