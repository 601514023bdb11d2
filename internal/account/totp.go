package account

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1" // what RFC 6238 and every app use; HMAC does not rest on collisions
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// Codes of an authenticator app (RFC 6238), with the parameters that every app knows.
const (
	totpKey    = 20 // bytes, as long as the hash (RFC 4226, section 4)
	totpDigits = 6
	totpPeriod = 30 // seconds
	totpSlack  = 1  // steps before and after now: clocks differ, and typing takes time
)

var base32Plain = base32.StdEncoding.WithPadding(base32.NoPadding)

func newTOTPKey() []byte {
	key := make([]byte, totpKey)
	_, _ = rand.Read(key)
	return key
}

// totpStep is the number of the step that a moment is in.
func totpStep(now time.Time) int64 { return now.Unix() / totpPeriod }

// totpCode is the code of a step (RFC 4226, section 5.3).
func totpCode(key []byte, step int64) string {
	var counter [8]byte
	binary.BigEndian.PutUint64(counter[:], uint64(step))
	h := hmac.New(sha1.New, key)
	h.Write(counter[:])
	sum := h.Sum(nil)
	at := sum[len(sum)-1] & 15
	return fmt.Sprintf("%0*d", totpDigits, binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1_000_000)
}

// totpFind gives the step whose code was typed, if it is near now and later than the newest one used.
// Every near step is compared, so the time taken tells nothing.
func totpFind(key []byte, code string, now time.Time, used int64) (step int64, ok bool) {
	for s := totpStep(now) - totpSlack; s <= totpStep(now)+totpSlack; s++ {
		if subtle.ConstantTimeCompare([]byte(totpCode(key, s)), []byte(code)) == 1 && s > used {
			step, ok = s, true
		}
	}
	return step, ok
}

// totpAddress is what an authenticator app reads from the QR code.
func totpAddress(key []byte, email string) string {
	q := url.Values{"secret": {base32Plain.EncodeToString(key)}, "issuer": {"Candor"}}
	return "otpauth://totp/" + url.PathEscape("Candor:"+email) + "?" + q.Encode()
}

// grouped is text in groups of four, as people copy it.
func grouped(s, between string) string {
	var parts []string
	for ; len(s) > 4; s = s[4:] {
		parts = append(parts, s[:4])
	}
	return strings.Join(append(parts, s), between)
}
