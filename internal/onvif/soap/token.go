package soap

import (
	"crypto/rand"
	"crypto/sha1" // the profile names it
	"crypto/subtle"
	"encoding/base64"
	"strings"
	"time"
)

// Token is who asks, without the password: its digest over a number used once and the time.
type Token struct {
	Username string `xml:"Username"`
	Password string `xml:"Password"` // Base64(SHA1(nonce + created + password))
	Nonce    string `xml:"Nonce"`    // Base64
	Created  string `xml:"Created"`
}

// Sign makes a token. at is the time on the device's clock: most refuse one that is some minutes off.
func Sign(username, password string, at time.Time) Token {
	nonce := make([]byte, 16)
	_, _ = rand.Read(nonce) // never fails
	t := Token{Username: username, Nonce: base64.StdEncoding.EncodeToString(nonce), Created: at.UTC().Format("2006-01-02T15:04:05.000Z")}
	t.Password = digestOf(nonce, t.Created, password)
	return t
}

func digestOf(nonce []byte, created, password string) string {
	h := sha1.New()
	h.Write(nonce)
	h.Write([]byte(created))
	h.Write([]byte(password))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// Fits reports whether the token is that of a password, made within a while of now. The device's
// side of Sign.
func (t Token) Fits(password string, now time.Time, within time.Duration) bool {
	nonce, err := base64.StdEncoding.DecodeString(strings.TrimSpace(t.Nonce))
	if err != nil {
		return false
	}
	at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(t.Created))
	if err != nil || now.Sub(at).Abs() > within {
		return false
	}
	want := digestOf(nonce, strings.TrimSpace(t.Created), password)
	return subtle.ConstantTimeCompare([]byte(want), []byte(strings.TrimSpace(t.Password))) == 1
}

// Header is the token as a SOAP header.
func (t Token) Header() string {
	return `<wsse:Security s:mustUnderstand="1" xmlns:wsse="` + security + `" xmlns:wsu="` + utility + `"><wsse:UsernameToken>` +
		`<wsse:Username>` + Text(t.Username) + `</wsse:Username>` +
		`<wsse:Password Type="` + digest + `">` + t.Password + `</wsse:Password>` +
		`<wsse:Nonce EncodingType="` + base64Kind + `">` + t.Nonce + `</wsse:Nonce>` +
		`<wsu:Created>` + t.Created + `</wsu:Created></wsse:UsernameToken></wsse:Security>`
}
