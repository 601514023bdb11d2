package webpush_test

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"candor/internal/config"
	"candor/internal/notify/webpush"
	"candor/internal/notify/webpush/pushtest"
	"candor/internal/problem"
)

// known are the services that a new installation begins with.
func known() webpush.Services { return config.Default().Push.Services }

func sender(t *testing.T, s *pushtest.Service) *webpush.Sender {
	t.Helper()
	who, err := webpush.Keep(filepath.Join(t.TempDir(), "push.key"))
	if err != nil {
		t.Fatal(err)
	}
	return &webpush.Sender{Identity: who, Services: webpush.Services{s.Host()}, Client: s.Client(), Contact: "ops@house.example", Patience: 30 * time.Second}
}

func parse(t *testing.T, b *pushtest.Browser, s webpush.Services) webpush.Subscription {
	t.Helper()
	sub, err := webpush.Parse(b.JSON(), s)
	if err != nil {
		t.Fatal(err)
	}
	return sub
}

// What leaves is signed by us and opens with the browser's key alone.
func TestAMessageArrives(t *testing.T) {
	s := pushtest.Start(t)
	w := sender(t, s)
	b := s.Subscribe(w.Identity.Public)
	sub := parse(t, b, w.Services)
	text := []byte(`{"web_push":8030,"notification":{"title":"Front door","body":"Motion · Front door · 14:32"}}`)
	a := w.Send(t.Context(), sub, webpush.Message{Payload: text, Topic: "front_door-1", TTL: 90 * time.Minute, Urgent: true})
	if a.Outcome != webpush.Handed || a.Err != nil {
		t.Fatalf("%+v", a)
	}
	got := s.Wait(1)[0]
	if !bytes.Equal(got.Payload, text) || got.Topic != "front_door-1" || got.TTL != 5400 || got.Urgency != "high" || got.Browser != b {
		t.Errorf("%+v", got)
	}
	if a := w.Send(t.Context(), sub, webpush.Message{Payload: bytes.Repeat([]byte("x"), 3993), TTL: time.Minute}); a.Outcome != webpush.Handed {
		t.Errorf("the largest message: %+v", a)
	}
	if a := w.Send(t.Context(), sub, webpush.Message{Payload: bytes.Repeat([]byte("x"), 3994)}); a.Outcome != webpush.Refused || s.Tries() != 2 {
		t.Errorf("a message that is too large: %+v", a)
	}
}

func TestWhatAServiceAnswers(t *testing.T) {
	s := pushtest.Start(t)
	w := sender(t, s)
	sub := parse(t, s.Subscribe(""), w.Services)
	for status, want := range map[int]webpush.Outcome{
		404: webpush.Gone, 410: webpush.Gone, 429: webpush.TryLater, 500: webpush.TryLater, 503: webpush.TryLater, 408: webpush.TryLater,
		400: webpush.Refused, 401: webpush.Refused, 403: webpush.Refused, 413: webpush.Refused, 307: webpush.Refused,
	} {
		s.Answers(func(_ *pushtest.Browser, h http.Header) int {
			h.Set("Retry-After", "7")
			h.Set("Location", "https://elsewhere.example/")
			return status
		})
		a := w.Send(t.Context(), sub, webpush.Message{TTL: time.Minute})
		if a.Outcome != want || a.Status != status || a.Err == nil || (a.After == 7*time.Second) != (want == webpush.TryLater) {
			t.Errorf("%d: %+v, want %s", status, a, want)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	a := w.Send(gone, sub, webpush.Message{})
	if a.Outcome != webpush.TryLater || a.Err == nil || strings.Contains(a.Err.Error(), sub.Endpoint) {
		t.Errorf("nobody there: %+v", a)
	}
	w.Services = known()
	if a := w.Send(t.Context(), sub, webpush.Message{}); a.Outcome != webpush.Refused {
		t.Errorf("a service that was taken off the list: %+v", a)
	}
}

// The example of RFC 8291, section 5 and appendix A: our tests' own reading of it is right.
func TestTheExampleOfTheStandardOpens(t *testing.T) {
	b64 := func(s string) []byte {
		b, err := base64.RawURLEncoding.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	key, err := ecdh.P256().NewPrivateKey(b64("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"))
	if err != nil {
		t.Fatal(err)
	}
	body := b64("DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN")
	got, err := pushtest.Open(key, b64("BTBZMqHH6r4Tts7J_aSIgg"), body)
	if err != nil || string(got) != "When I grow up, I want to be a watermelon" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTheKeyIsMadeOnceAndKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "push.key")
	first, err := webpush.Keep(file)
	if err != nil {
		t.Fatal(err)
	}
	second, err := webpush.Keep(file)
	if err != nil || second != first || len(first.Public) != 87 {
		t.Errorf("%+v, then %+v, %v", first, second, err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	if err := os.WriteFile(file, []byte("half a k"), 0o600); err != nil {
		t.Fatal(err)
	}
	if who, err := webpush.Keep(file); err == nil {
		t.Errorf("a damaged key gave %+v", who)
	}
	if text, _ := os.ReadFile(file); string(text) != "half a k" {
		t.Error("a damaged key was written over")
	}
}

func TestOnlyKnownServicesAreTaken(t *testing.T) {
	s := pushtest.Start(t)
	good := s.Subscribe("")
	services := append(known(), "push.house.example:8443", s.Host())
	for endpoint, code := range map[string]string{
		good.Endpoint: "",
		"https://fcm.googleapis.com/fcm/send/abc":                 "",
		"https://updates.push.services.mozilla.com/wpush/v2/gAAA": "",
		"https://web.push.apple.com/QGk":                          "",
		"https://WEB.PUSH.APPLE.COM:443/QGk":                      "",
		"https://wns2-par02p.notify.windows.com/w/?token=B":       "",
		"https://push.house.example:8443/up/1":                    "",
		"https://push.house.example/up/1":                         "push.service",
		"https://fcm.googleapis.com:8443/fcm/send/abc":            "push.service",
		"https://push.apple.com/x":                                "push.service",
		"https://web.push.apple.com.evil.example/x":               "push.service",
		"https://evilnotify.windows.com/x":                        "push.service",
		"https://127.0.0.1/x":                                     "push.service",
		"https://169.254.169.254/latest/meta-data":                "push.service",
		"http://fcm.googleapis.com/fcm/send/abc":                  "push.subscription",
		"https://user@fcm.googleapis.com/x":                       "push.subscription",
		"https:fcm.googleapis.com/x":                              "push.subscription",
		"//fcm.googleapis.com/x":                                  "push.subscription",
		"https://fcm.googleapis.com/" + strings.Repeat("a", 2048): "push.subscription",
		"": "push.subscription",
	} {
		var m map[string]any
		_ = json.Unmarshal(good.JSON(), &m)
		m["endpoint"] = endpoint
		body, _ := json.Marshal(m)
		_, err := webpush.Parse(body, services)
		if code == "" && err != nil || code != "" && !problem.Is(err, code) {
			t.Errorf("%.60s: %v, want %q", endpoint, err, code)
		}
	}
	for _, hosts := range services.Hosts() {
		if strings.ContainsAny(hosts, "*:") {
			t.Errorf("egress would not know the host %q", hosts)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"endpoint":"https://fcm.googleapis.com/fcm/send/x","expirationTime":null,"keys":{"p256dh":"BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8","auth":"BTBZMqHH6r4Tts7J_aSIgg"}}`))
	f.Add([]byte(`{"endpoint":"https://a.push.apple.com/","keys":{"p256dh":"BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8=","auth":"BTBZMqHH6r4Tts7J_aSIgg=="}}`))
	f.Add([]byte(`{"endpoint":"https://127.0.0.1\\@fcm.googleapis.com/","keys":{}}`))
	f.Add([]byte(`{}`))
	f.Add([]byte(`[`))
	services := known()
	f.Fuzz(func(t *testing.T, b []byte) {
		sub, err := webpush.Parse(b, services)
		if err != nil {
			if sub != (webpush.Subscription{}) {
				t.Fatalf("refused, and yet %+v", sub)
			}
			return
		}
		if err := services.Check(sub.Endpoint); err != nil || !strings.HasPrefix(strings.ToLower(sub.Endpoint), "https:") {
			t.Fatalf("%+v was taken: %v", sub, err)
		}
		again, _ := json.Marshal(map[string]any{"endpoint": sub.Endpoint, "keys": map[string]string{"p256dh": sub.P256dh, "auth": sub.Auth}})
		if back, err := webpush.Parse(again, services); err != nil || back != sub {
			t.Fatalf("%+v became %+v, %v", sub, back, err)
		}
	})
}
