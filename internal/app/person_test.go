package app

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"candor/internal/id"
)

// person is a browser: it keeps its cookie and speaks to the doors only.
type person struct {
	t       testing.TB
	world   *world
	client  *http.Client
	account id.Account
	camera  string // the first camera's id
}

// visitor is somebody who has just typed the address.
func (w *world) visitor(t testing.TB) *person {
	jar, _ := cookiejar.New(nil)
	tr := &http.Transport{MaxIdleConnsPerHost: 8}
	t.Cleanup(tr.CloseIdleConnections)
	return &person{t: t, world: w, client: &http.Client{Jar: jar, Transport: tr, Timeout: time.Minute}}
}

// with is the same browser in another test.
func (p *person) with(t testing.TB) *person {
	q := *p
	q.t = t
	return &q
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// trouble is a problem as RFC 9457 writes it.
type trouble struct {
	Status              int
	Code, Title, Detail string
}

func (a answer) problem() trouble {
	var p trouble
	_ = json.Unmarshal(a.body, &p)
	return p
}

// do sends one request below /api/v1. A string body is sent as it is, with the type given.
func (p *person) do(method, path string, body any, header ...string) answer {
	p.t.Helper()
	var r io.Reader
	kind := ""
	switch b := body.(type) {
	case nil:
	case string:
		r = strings.NewReader(b)
	default:
		j, err := json.Marshal(b)
		if err != nil {
			p.t.Fatal(err)
		}
		r, kind = bytes.NewReader(j), "application/json"
	}
	req, err := http.NewRequest(method, p.world.base+"/api/v1"+path, r)
	if err != nil {
		p.t.Fatal(err)
	}
	if kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	res, err := p.client.Do(req)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		p.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer{res.StatusCode, res.Header, b}
}

// call wants the request to succeed, and reads the answer into out.
func (p *person) call(method, path string, in, out any) {
	p.t.Helper()
	a := p.do(method, path, in)
	if a.status >= 300 {
		p.t.Fatalf("%s %s: %d %s", method, path, a.status, a.body)
	}
	if out != nil {
		if err := json.Unmarshal(a.body, out); err != nil {
			p.t.Fatalf("%s %s: %v in %s", method, path, err, a.body)
		}
	}
}

// refused wants the request to be refused so.
func (p *person) refused(method, path string, in any, status int, code string) trouble {
	p.t.Helper()
	a := p.do(method, path, in)
	got := a.problem()
	if a.status != status || got.Code != code {
		p.t.Fatalf("%s %s: %d %s, want %d %s", method, path, a.status, a.body, status, code)
	}
	if got.Detail == "" || strings.Contains(got.Detail, "{") {
		p.t.Errorf("%s %s: no sentence for %s: %s", method, path, code, a.body)
	}
	return got
}

// setUp goes through the set-up page with the demo camera.
func (p *person) setUp(t testing.TB, n identity, recording string) {
	t.Helper()
	var state struct {
		Texts struct{ Recording struct{ Hash string } }
	}
	p.call("GET", "/setup", nil, &state)
	p.call("POST", "/setup", map[string]any{
		"code": p.world.code, "name": n.name, "email": n.email, "password": n.password, "language": "en", "time_zone": "Europe/Berlin",
		"recording": recording, "recording_text_hash": state.Texts.Recording.Hash, "add_demo_camera": true,
	}, nil)
	p.know()
}

func (p *person) signIn(t testing.TB, n identity) {
	t.Helper()
	p.call("POST", "/session", map[string]any{"email": n.email, "password": n.password}, nil)
}

// know looks up whose account it is and which camera is the first.
func (p *person) know() {
	p.t.Helper()
	var me struct{ ID id.Account }
	p.call("GET", "/account", nil, &me)
	p.account = me.ID
	if all := p.cameras(); len(all) > 0 {
		p.camera = all[0].ID
	}
}

// seen is a camera as the API shows it.
type seen struct {
	ID    string
	Name  string
	State struct {
		Phase, Code, Sentence string
		NextTry               time.Time `json:"next_try"`
	}
	Recording struct {
		Mode, Consent, Sentence string
		Actual                  bool
	}
	Streams []struct {
		Profile       string
		Width, Height int
		Reorder       bool
	}
}

func (p *person) cameras() []seen {
	p.t.Helper()
	var list struct{ Cameras []seen }
	p.call("GET", "/cameras", nil, &list)
	return list.Cameras
}

func (p *person) see(camera string) seen {
	p.t.Helper()
	var c seen
	p.call("GET", "/cameras/"+camera, nil, &c)
	return c
}

// consentHash is the hash of the text about recording.
func (p *person) consentHash() string {
	p.t.Helper()
	var all []struct{ ID, Hash string }
	p.call("GET", "/purposes", nil, &all)
	for _, one := range all {
		if one.ID == "recording" {
			return one.Hash
		}
	}
	p.t.Fatal("no purpose called recording")
	return ""
}

// decide answers the question about recording.
func (p *person) decide(camera, state string) *receipt {
	p.t.Helper()
	var out struct{ Receipt *receipt }
	p.call("PUT", "/cameras/"+camera+"/consents/recording", map[string]any{"state": state, "text_hash": p.consentHash()}, &out)
	return out.Receipt
}

// add adds a camera.
func (p *person) add(in map[string]any) seen {
	p.t.Helper()
	if in["recording"] != nil {
		in["recording_text_hash"] = p.consentHash()
	}
	var c seen
	p.call("POST", "/cameras", in, &c)
	return c
}

// receipt is what a goodbye leaves in a person's hands.
type receipt struct {
	Token         string
	What          string
	KeysDestroyed int        `json:"keys_destroyed"`
	RequestedAt   time.Time  `json:"requested_at"`
	UnopenableAt  time.Time  `json:"unopenable_at"`
	DoneAt        *time.Time `json:"done_at"`
	LookedFor     []struct {
		Where         string
		Looked, Found int
	} `json:"looked_for"`
}

// line is a timeline.
type line struct {
	Ranges []span
	Gaps   []struct {
		span
		Reason, Sentence string
	}
	Newest time.Time
	Bytes  int64
}

type span struct{ From, To time.Time }

func (s span) long() time.Duration { return s.To.Sub(s.From) }

// timeline is that of the last hour.
func (p *person) timeline(camera string) line {
	p.t.Helper()
	var l line
	now := time.Now().UTC()
	q := url.Values{"from": {now.Add(-time.Hour).Format(time.RFC3339Nano)}, "to": {now.Add(time.Minute).Format(time.RFC3339Nano)}}
	p.call("GET", "/cameras/"+camera+"/timeline?"+q.Encode(), nil, &l)
	return l
}

// recorded waits until so much footage is acknowledged in one piece, and returns it.
func (p *person) recorded(camera string, long time.Duration) span {
	p.t.Helper()
	var got span
	eventually(p.t, long.String()+" of footage", func() bool {
		for _, r := range p.timeline(camera).Ranges {
			if r.long() >= long {
				got = r
				return true
			}
		}
		return false
	})
	return got
}

// moviePath is where a stretch of footage is downloaded.
func moviePath(camera string, s span) string {
	q := url.Values{"from": {s.From.Format(time.RFC3339Nano)}, "to": {s.To.Format(time.RFC3339Nano)}, "download": {"1"}}
	return "/cameras/" + camera + "/footage.mp4?" + q.Encode()
}

// live waits until a camera is connected.
func (p *person) live(camera string) {
	p.t.Helper()
	eventually(p.t, "camera is live", func() bool { c := p.see(camera); return c.State.Phase == "live" && len(c.Streams) > 0 })
}

// cookies are what the browser sends.
func (p *person) cookies() string {
	u, _ := url.Parse(p.world.base)
	var all []string
	for _, c := range p.client.Jar.Cookies(u) {
		all = append(all, c.String())
	}
	return strings.Join(all, "; ")
}

// watch opens the MSE socket.
func (p *person) watch(camera, quality string) *websocket.Conn {
	p.t.Helper()
	at := "ws" + strings.TrimPrefix(p.world.base, "http") + "/api/v1/cameras/" + camera + "/mse?quality=" + quality
	c, _, err := websocket.Dial(p.t.Context(), at, &websocket.DialOptions{HTTPHeader: http.Header{"Cookie": {p.cookies()}, "Origin": {p.world.base}}})
	if err != nil {
		p.t.Fatal(err)
	}
	c.SetReadLimit(64 << 20)
	p.t.Cleanup(func() { c.CloseNow() })
	return c
}

// page gets what lies beside the API.
func (p *person) page(path string) string {
	p.t.Helper()
	res, err := p.client.Get(p.world.base + path)
	if err != nil {
		p.t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatalf("%s: %d %s %v", path, res.StatusCode, b, err)
	}
	return string(b)
}
