package logging_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"candor/internal/config"
	"candor/internal/logging"
	"candor/internal/logging/logtest"
	"candor/internal/promise"
)

func TestKeysWithoutAPassportAreDropped(t *testing.T) {
	promise.Proves(t, "P190")
	var out bytes.Buffer
	var unknown []string
	log, _ := logging.New(&out, logging.Options{Unknown: func(k string) { unknown = append(unknown, k) }})
	logging.Room(log, "camera").With("owner", "canary").Info("hello", "status", 7, "email", "canary",
		slog.Group("request", "method", "GET", "cookie", "canary"), slog.Group("body", "count", "canary"))
	if s := out.String(); strings.Contains(s, "canary") || !strings.Contains(s, "room=camera") || !strings.Contains(s, "status=7") || !strings.Contains(s, "GET") {
		t.Errorf("wrote %s", s)
	}
	if want := []string{"owner", "email", "cookie", "body"}; !slices.Equal(unknown, want) {
		t.Errorf("dropped %v, want %v", unknown, want)
	}
}

func TestADroppedKeyIsToldOnce(t *testing.T) {
	var out bytes.Buffer
	log, _ := logging.New(&out, logging.Options{Format: "json"})
	log.Info("a", "shoe", 1)
	log.Info("b", "shoe", 2)
	if n := strings.Count(out.String(), `"key":"shoe"`); n != 1 {
		t.Errorf("told %d times: %s", n, &out)
	}
}

func TestValuesAreCleaned(t *testing.T) {
	promise.Proves(t, "P292")
	var out bytes.Buffer
	log, _ := logging.New(&out, logging.Options{Format: "json"})
	log.Info("x", "err", errors.New(`rtsp://admin:canary@cam/1: bad`), "setting", config.Secret("canary"), "reason", struct{ Name string }{"canary"})
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "canary") {
		t.Errorf("wrote %s", &out)
	}
	if at, err := time.Parse(time.RFC3339, line["time"].(string)); err != nil || !strings.HasSuffix(line["time"].(string), "Z") || at.IsZero() {
		t.Errorf("time %v, %v", line["time"], err)
	}
}

func TestClean(t *testing.T) {
	promise.Proves(t, "P292")
	for _, c := range [][2]string{
		{"dial tcp 192.168.1.20:554: connection refused", "dial tcp [address]:554: connection refused"},
		{"dial tcp [fd12::20]:554: i/o timeout", "dial tcp [address]:554: i/o timeout"},
		{"listen tcp 127.0.0.1:80: bind", "listen tcp 127.0.0.1:80: bind"},
		{"listen tcp [::1]:80 and [::]:80", "listen tcp [::1]:80 and [::]:80"},
		{"https://u:p@host/x", "https://…@host/x"},
		{`invalid URL (rtsp://u:p@anna-garden.lan:554/x?y=1)`, "invalid URL (rtsp://[address]"},
		{"RTSPS://anna-garden.lan/x: bad", "RTSPS://[address] bad"},
		{"lookup anna-garden.lan on 192.168.1.1:53: no such host", "lookup [host] on [address]:53: no such host"},
		{"lookup anna-garden: no such host", "lookup [host]: no such host"},
		{"x509: certificate is valid for cam.lan, *.cam.lan, not anna-garden.lan", "x509: certificate is valid for [host]"},
		{"account anna.li@example.org unknown", "account [e-mail] unknown"},
		{`Digest username="anna", response="abc"`, `Digest username=…, response=…`},
		{"GET /x?token=abc&w=2", "GET /x?token=…&w=2"},
		{"at 52.520008, 13.404954", "at [place]"},
		{"took 12:30:05, version 1.2.3", "took 12:30:05, version 1.2.3"},
	} {
		if got := logging.Clean(c[0]); got != c[1] {
			t.Errorf("%s\ngot  %s\nwant %s", c[0], got, c[1])
		}
	}
	if got := logging.Clean(strings.Repeat("x", 1<<20)); len(got) > 3000 {
		t.Errorf("a value of %d bytes", len(got))
	}
}

func TestAStormIsCounted(t *testing.T) {
	var out bytes.Buffer
	var end []func()
	log, flush := logging.New(&out, logging.Options{After: func(_ time.Duration, f func()) { end = append(end, f) }})
	for i := range 100 {
		log.Warn("packet lost", "count", i)
	}
	log.Warn("something else")
	if n := strings.Count(out.String(), "packet lost"); n != 5 {
		t.Errorf("%d lines before the window ended", n)
	}
	end[0]()
	if n := strings.Count(out.String(), "packet lost"); n != 6 || !strings.Contains(out.String(), "count=99 repeated=95") {
		t.Errorf("after the window: %s", &out)
	}
	for range 10 {
		log.Warn("packet lost")
	}
	flush()
	if !strings.Contains(out.String(), "repeated=5") || strings.Contains(out.String(), "something else\" repeated") {
		t.Errorf("after the flush: %s", &out)
	}
	flush()
}

func TestATestLoggerFailsOnUnknownKeys(t *testing.T) {
	fake := &tb{TB: t}
	logtest.New(fake).Info("x", "email", "a", "err", "b")
	if len(fake.errs) != 1 || !strings.Contains(fake.errs[0], "email") {
		t.Errorf("errors %v", fake.errs)
	}
}

func TestPassportsAreComplete(t *testing.T) {
	all := logging.Passports()
	if len(all) == 0 {
		t.Fatal("no passports")
	}
	for _, p := range all {
		if err := p.Check(); err != nil {
			t.Error(err)
		}
		if key, _ := strings.CutPrefix(p.Where, "log:"); !logging.Known(key) {
			t.Errorf("%s is not known", key)
		}
	}
	for _, k := range []string{"email", "name_of_camera", "password", "token", "ip", "client", "account", "latitude"} {
		if logging.Known(k) {
			t.Errorf("%s may be logged", k)
		}
	}
}

// What a line of the log says of a request has no place for who asked, from where and for what.
func TestNoKeyForAPerson(t *testing.T) {
	promise.Proves(t, "P186", "P187")
	var have []string
	for _, p := range logging.Passports() {
		key, _ := strings.CutPrefix(p.Where, "log:")
		have = append(have, key)
	}
	if promise.Cut("P187") {
		have = append(have, "query")
	}
	if promise.Cut("P186") {
		have = append(have, "ssid")
	}
	if len(have) < 20 {
		t.Fatalf("only %d keys", len(have))
	}
	for _, no := range []string{
		"query", "search", "address", "ip", "remote", "browser", "user_agent", "agent", "carrier", "language", "referrer", "url", "account", "subject", "session",
		"token", "ssid", "network", "email", "latitude", "longitude", "place", "zone",
	} {
		if slices.Contains(have, no) {
			t.Errorf("the log has a key %q", no)
		}
	}
}

func FuzzClean(f *testing.F) {
	f.Add("rtsp://a:b@c", "x")
	f.Add("::::::::1.2.3.4%%", "y")
	f.Fuzz(func(t *testing.T, a, b string) {
		logging.Clean(a + " " + b)
		if got := logging.Clean("rtsp://admin:canary-pass@" + "cam/" + a); strings.Contains(got, "canary-pass") {
			t.Errorf("%q keeps the password: %q", a, got)
		}
	})
}

// tb is a testing.TB that remembers errors instead of failing.
type tb struct {
	testing.TB
	errs []string
}

func (t *tb) Helper()        {}
func (t *tb) Log(...any)     {}
func (t *tb) Cleanup(func()) {}
func (t *tb) Errorf(f string, a ...any) {
	b, _ := json.Marshal(a)
	t.errs = append(t.errs, f+string(b))
}
