package config_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"candor/internal/config"
)

const reference = "../../ref/config.yaml"

func TestReferenceFileIsTheDefaultsAndDocumentsEachSettingOnce(t *testing.T) {
	text, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	got, err := config.Parse("config.yaml", strings.NewReader(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	want := config.Default()
	if fmt.Sprintf("%+v", got.Config) != fmt.Sprintf("%+v", want) {
		t.Errorf("the reference file says\n%+v\nthe code says\n%+v", got.Config, want)
	}
	for _, s := range config.Settings() {
		if _, ok := got.From[s.Path]; !ok {
			t.Errorf("%s is not in the reference file", s.Path)
		}
	}
	documented := false
	for i, line := range strings.Split(string(text), "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case trimmed == "":
			documented = false
		case strings.HasPrefix(trimmed, "#"):
			documented = true
		case strings.HasSuffix(trimmed, ":"):
		case !documented:
			t.Errorf("line %d has no comment above it: %s", i+1, line)
		}
	}
}

func TestFlagsWinOverEnvironmentWinOverFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "candor.yaml")
	if err := os.WriteFile(file, []byte("language: zh-Hans\nhttp:\n  listen: :1\nlog: {level: debug}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := config.Load(config.Sources{
		File:  file,
		Env:   []string{"HOME=/x", "CANDOR_HTTP_LISTEN=:2", "CANDOR_LOG_LEVEL=warn", "CANDOR_CAMERAS_NETWORKS=10.1.0.0/16, 10.2.0.0/16", "CANDOR_CUT=P1"},
		Flags: map[string]string{"http.listen": ":3", "recording.bytes": "1.5GiB"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if l.Language != "zh-Hans" || l.HTTP.Listen != ":3" || l.Log.Level != "warn" || len(l.Cameras.Networks) != 2 || l.Recording.Bytes != 3<<29 {
		t.Errorf("got %+v", l.Config)
	}
	want := map[string]string{"language": file + " line 1", "http.listen": "--http.listen", "log.level": "CANDOR_LOG_LEVEL",
		"cameras.networks": "CANDOR_CAMERAS_NETWORKS", "recording.bytes": "--recording.bytes"}
	if !reflect.DeepEqual(l.From, want) {
		t.Errorf("from %v\nwant %v", l.From, want)
	}
}

func TestMistakesAreNamed(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"typo", "language: en\nhttp:\n  lisen: :1\n", `candor.yaml line 3: "http.lisen" is not a setting; did you mean "http.listen"?`},
		{"typo at the top", "langage: en\n", `line 1: "langage" is not a setting; did you mean "language"?`},
		{"twice", "language: en\nlanguage: en\n", "line 2"},
		{"value for a group", "http: yes\n", "line 1: http wants settings below it"},
		{"group for a value", "language: {a: b}\n", "line 1: language wants one value"},
		{"not a list", "http:\n  domains: example.org\n", "line 2: http.domains wants a list"},
		{"bad network", "cameras:\n  networks:\n    - 10.0.0.0/8\n    - here\n", "line 4: cameras.networks"},
		{"bad mode", "http: {tls: on}\n", `line 1: http.tls: "on" is none of off, proxy, acme, local-ca`},
		{"bad number", "decode: {limit: many}\n", `"many" is not a whole number`},
		{"bad size", "recording: {bytes: lots}\n", `"lots" is not a size`},
		{"acme without a domain", "http: {tls: acme}\n", "http.domains: http.tls is acme"},
		{"proxy without trust", "http: {tls: proxy}\n", "http.trusted_proxies"},
		{"address without port", "http: {listen: localhost}\n", "candor.yaml line 1: http.listen"},
		{"alias", "language: &a en\ndata_dir: *a\n", "line 2: data_dir: anchors"},
		{"two documents", "language: en\n---\nlanguage: en\n", "more than one document"},
		{"base path", "http: {base_path: x/}\n", "http.base_path"},
		{"zero days", "recording: {days: 0}\n", "recording.days"},
		{"a handful of bytes", "recording: {bytes: 4096}\n", "line 1: recording.bytes: at least 64MiB"},
		{"operator on two lines", "operator: {name: \"a\\nb\"}\n", "operator.name: one line"},
		{"language", "language: fr\n", "none of en, zh-Hans"},
		{"sign-up", "accounts: {sign_up: all}\n", `line 1: accounts.sign_up: "all" is none of open, invited, closed`},
		{"mail without a server", "smtp: {from: a@example.org}\n", "line 1: smtp.from: smtp.host is missing"},
		{"mail without a sender", "smtp: {host: mail.example.org}\n", "smtp.from: \"\" is not an e-mail address"},
		{"mail in the open", "smtp: {host: mail.example.org, from: a@example.org, tls: none}\n", "line 1: smtp.tls: none is for a mail server on this machine"},
		{"user without a password", "smtp: {host: mail.example.org, from: a@example.org, username: a}\n", "belong together"},
		{"mail sent and shown", "smtp: {host: mail.example.org, from: a@example.org}\nmail: {outbox: true}\n", "line 2: mail.outbox: smtp.host is set as well"},
		{"mail port", "smtp: {host: mail.example.org, from: a@example.org, port: 0}\n", "smtp.port"},
		{"port", "webrtc: {udp_port: 70000}\n", "webrtc.udp_port"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := config.Parse("candor.yaml", strings.NewReader(c.text))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v\nwant … %s …", err, c.want)
			}
		})
	}
	for env, want := range map[string]string{
		"CANDOR_HTTP_LISTN=:1":   "CANDOR_HTTP_LISTN is not a setting; did you mean CANDOR_HTTP_LISTEN?",
		"CANDOR_DECODE_LIMIT=x":  "CANDOR_DECODE_LIMIT: \"x\" is not a whole number",
		"CANDOR_LOG_FORMAT=yaml": "none of text, json",
	} {
		if _, err := config.Load(config.Sources{Env: []string{env}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want … %s …", env, err, want)
		}
	}
	if _, err := config.Load(config.Sources{Flags: map[string]string{"http.port": "1"}}); err == nil || !strings.Contains(err.Error(), "--http.") {
		t.Errorf("unknown flag: %v", err)
	}
	if _, err := config.Load(config.Sources{File: filepath.Join(t.TempDir(), "none.yaml")}); err == nil {
		t.Error("a file that is not there was read")
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	l, err := config.Load(config.Sources{Env: []string{"CANDOR_DATABASE=postgres://u:canary@h/d", "CANDOR_SETUP_CODE=canary-canary",
		"CANDOR_SMTP_HOST=h", "CANDOR_SMTP_FROM=a@example.org", "CANDOR_SMTP_USERNAME=u", "CANDOR_SMTP_PASSWORD=canary"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, shown := range []string{fmt.Sprint(l.Config), fmt.Sprintf("%+v", l.Config), fmt.Sprintf("%#v", l.Config), fmt.Sprint(l.Database.LogValue())} {
		if strings.Contains(shown, "canary") {
			t.Errorf("a secret is shown: %s", shown)
		}
	}
	if l.Database.Reveal() != "postgres://u:canary@h/d" {
		t.Error("the secret is lost")
	}
}

func TestSizesRoundTrip(t *testing.T) {
	for text, want := range map[string]config.Size{"20GiB": 20 << 30, "500MB": 500e6, "7": 7, "1 TiB": 1 << 40, "0": 0} {
		var s, again config.Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want {
			t.Errorf("%s: %d, %v", text, s, err)
		}
		b, _ := s.MarshalText()
		if err := again.UnmarshalText(b); err != nil || again != s {
			t.Errorf("%s printed as %s and read as %d, %v", text, b, again, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	text, _ := os.ReadFile(reference)
	f.Add(string(text))
	f.Add("http:\n  lisen: :1\n")
	f.Add("{a: [1, {b: *c}]}")
	f.Add("http: !!binary x\n? [a]\n: b")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := config.Parse("f", strings.NewReader(text))
		if err == nil && (l.DataDir == "" || l.Recording.Days < 1) {
			t.Errorf("accepted %q as %+v", text, l.Config)
		}
	})
}
