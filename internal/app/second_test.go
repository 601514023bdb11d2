package app

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	bigendian "encoding/binary"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// totp is what an authenticator app shows, half minutes ahead of now.
func totp(t *testing.T, key string, ahead int64) string {
	t.Helper()
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(strings.ReplaceAll(key, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, secret)
	mac.Write(bigendian.BigEndian.AppendUint64(nil, uint64(time.Now().Unix()/30+ahead)))
	sum := mac.Sum(nil)
	return fmt.Sprintf("%06d", (bigendian.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff)%1_000_000)
}

// TestThePasswordAloneOpensNothing, once there is a second step.
func TestThePasswordAloneOpensNothing(t *testing.T) {
	w := fresh(t)
	p := w.visitor(t)
	p.setUp(t, anna, "refused")
	p.refused("POST", "/account/second", map[string]any{"password": "not hers"}, 403, "password.wrong")
	var offer struct{ Key, Address string }
	p.call("POST", "/account/second", map[string]any{"password": anna.password}, &offer)
	p.refused("PUT", "/account/second", map[string]any{"code": totp(t, offer.Key, 9)}, 403, "step.wrong")
	var made struct {
		Codes []string `json:"recovery_codes"`
	}
	p.call("PUT", "/account/second", map[string]any{"code": totp(t, offer.Key, 0)}, &made)
	if len(made.Codes) != 10 || !strings.HasPrefix(offer.Address, "otpauth://totp/") {
		t.Fatalf("%d recovery codes, %s", len(made.Codes), offer.Address)
	}

	other := w.visitor(t)
	enter := func() string {
		t.Helper()
		a := other.do("POST", "/session", map[string]any{"email": anna.email, "password": anna.password})
		var waits struct {
			Account *struct{}
			Step    struct{ Token string }
		}
		if err := json.Unmarshal(a.body, &waits); err != nil {
			t.Fatal(err)
		}
		if a.status != http.StatusAccepted || waits.Account != nil || waits.Step.Token == "" || a.header.Get("Set-Cookie") != "" {
			t.Fatalf("the right password: %d %s, cookie %q", a.status, a.body, a.header.Get("Set-Cookie"))
		}
		return waits.Step.Token
	}
	token := enter()
	other.refused("GET", "/session", nil, 401, "session.needed")
	other.refused("POST", "/session/second", map[string]any{"token": token, "code": "000000"}, 403, "step.wrong")
	other.refused("POST", "/session/second", map[string]any{"token": "x", "code": made.Codes[0]}, 410, "step.over")
	if a := other.do("POST", "/session/second", map[string]any{"token": token, "code": made.Codes[0]}); a.status != http.StatusCreated || a.header.Get("Set-Cookie") == "" {
		t.Fatalf("a recovery code: %d %s", a.status, a.body)
	}
	other.call("GET", "/session", nil, nil)
	other.refused("POST", "/session/second", map[string]any{"token": token, "code": made.Codes[1]}, 410, "step.over")
	other.refused("POST", "/session/second", map[string]any{"token": enter(), "code": made.Codes[0]}, 403, "step.wrong")

	p.refused("POST", "/session/step-up", map[string]any{"password": anna.password}, 403, "step.needed")
	p.refused("POST", "/session/step-up", map[string]any{"password": anna.password, "code": made.Codes[0]}, 403, "step.wrong")
	p.call("POST", "/session/step-up", map[string]any{"password": anna.password, "code": made.Codes[2]}, nil)
	p.refused("POST", "/session/step-up", map[string]any{"password": anna.password, "code": made.Codes[2]}, 403, "step.wrong")
	p.refused("DELETE", "/account/second", map[string]any{"password": anna.password, "code": made.Codes[0]}, 403, "step.wrong")
	p.call("DELETE", "/account/second", map[string]any{"password": anna.password, "code": made.Codes[1]}, nil)
	if a := other.do("POST", "/session", map[string]any{"email": anna.email, "password": anna.password}); a.status != http.StatusCreated {
		t.Errorf("after it was turned off: %d %s", a.status, a.body)
	}
}
