// Package pushtest is a push service and the browsers that use it, for tests: it checks who signed
// a request and decrypts what it carries with the browser's private key, by code of its own.
package pushtest

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdh"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// Message is what reached a browser.
type Message struct {
	Browser *Browser
	Payload []byte
	Topic   string
	Urgency string
	TTL     int
	At      time.Time
}

// Service is a push service on this machine. Answer may be set to misbehave: a status other than
// 201 is answered in place of taking the message.
type Service struct {
	t      testing.TB
	server *httptest.Server

	mu       sync.Mutex
	browsers map[string]*Browser
	got      []Message
	tries    int
	answer   func(b *Browser, header http.Header) int
	news     chan struct{}
}

// Browser is one subscriber.
type Browser struct {
	Endpoint string
	path     string
	key      *ecdh.PrivateKey
	auth     []byte
	owner    string // the key of the application server it subscribed for; "": of anybody
}

// Start starts a service that ends with the test.
func Start(t testing.TB) *Service {
	s := &Service{t: t, browsers: map[string]*Browser{}, news: make(chan struct{}, 1)}
	s.server = httptest.NewTLSServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.server.Close)
	return s
}

// Host is the service as the setting push.services names it.
func (s *Service) Host() string { return strings.TrimPrefix(s.server.URL, "https://") }

// Roots vouch for the service.
func (s *Service) Roots() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(s.server.Certificate())
	return pool
}

// Certificate is the service's own, in DER.
func (s *Service) Certificate() []byte { return s.server.Certificate().Raw }

// Client reaches the service.
func (s *Service) Client() *http.Client {
	c := s.server.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return c
}

// Answers has requests answered by f; 0 or 201 takes the message.
func (s *Service) Answers(f func(b *Browser, header http.Header) int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = f
}

// Subscribe makes a browser that takes messages signed by the application server with that key.
func (s *Service) Subscribe(server string) *Browser {
	s.t.Helper()
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		s.t.Fatal(err)
	}
	auth, name := make([]byte, 16), make([]byte, 16)
	_, _ = rand.Read(auth)
	_, _ = rand.Read(name)
	b := &Browser{path: "/push/" + base64.RawURLEncoding.EncodeToString(name), key: key, auth: auth, owner: server}
	b.Endpoint = s.server.URL + b.path
	s.mu.Lock()
	defer s.mu.Unlock()
	s.browsers[b.path] = b
	return b
}

// JSON is the subscription as a browser's page sends it.
func (b *Browser) JSON() []byte {
	out, _ := json.Marshal(map[string]any{
		"endpoint": b.Endpoint, "expirationTime": nil, "keys": map[string]string{
			"p256dh": base64.RawURLEncoding.EncodeToString(b.key.PublicKey().Bytes()), "auth": base64.RawURLEncoding.EncodeToString(b.auth),
		},
	})
	return out
}

// Messages are those that were taken, in order.
func (s *Service) Messages() []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Message(nil), s.got...)
}

// Tries is how many requests came, taken or not.
func (s *Service) Tries() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.tries
}

// Wait returns when so many messages have been taken.
func (s *Service) Wait(n int) []Message {
	s.t.Helper()
	patience := time.NewTimer(30 * time.Second)
	defer patience.Stop()
	for {
		if got := s.Messages(); len(got) >= n {
			return got
		}
		select {
		case <-s.news:
		case <-patience.C:
			s.t.Fatalf("%d messages, want %d", len(s.Messages()), n)
		}
	}
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 4097))
	s.mu.Lock()
	b, answer := s.browsers[r.URL.Path], s.answer
	s.tries++
	s.mu.Unlock()
	if b == nil {
		w.WriteHeader(http.StatusNotFound)
		return
	}
	if answer != nil {
		if status := answer(b, w.Header()); status != 0 && status != http.StatusCreated {
			w.WriteHeader(status)
			return
		}
	}
	if err == nil {
		err = s.check(r, b, len(body))
	}
	m := Message{Browser: b, Topic: r.Header.Get("Topic"), Urgency: r.Header.Get("Urgency"), At: time.Now()}
	if err == nil {
		m.TTL, err = strconv.Atoi(r.Header.Get("TTL"))
	}
	if err == nil {
		m.Payload, err = b.Open(body)
	}
	if err != nil {
		s.t.Errorf("the push service was sent something wrong: %v", err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	s.got = append(s.got, m)
	s.mu.Unlock()
	select {
	case s.news <- struct{}{}:
	default:
	}
	w.WriteHeader(http.StatusCreated)
}

// check checks the form of a request and its signature (RFC 8292).
func (s *Service) check(r *http.Request, b *Browser, size int) error {
	if r.Method != http.MethodPost || r.Header.Get("Content-Encoding") != "aes128gcm" || size > 4096 || len(r.Header.Get("Topic")) > 32 {
		return fmt.Errorf("%s with %v of %d bytes", r.Method, r.Header, size)
	}
	var token, key string
	for part := range strings.SplitSeq(strings.TrimPrefix(r.Header.Get("Authorization"), "vapid "), ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch name {
		case "t":
			token = value
		case "k":
			key = value
		}
	}
	if b.owner != "" && key != b.owner {
		return errors.New("signed by another application server")
	}
	return signed(token, key, s.server.URL)
}

func signed(token, key, audience string) error {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return fmt.Errorf("no token: %q", token)
	}
	point, err1 := base64.RawURLEncoding.DecodeString(key)
	header, err2 := base64.RawURLEncoding.DecodeString(parts[0])
	claims, err3 := base64.RawURLEncoding.DecodeString(parts[1])
	sig, err4 := base64.RawURLEncoding.DecodeString(parts[2])
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return err
	}
	if len(sig) != 64 {
		return fmt.Errorf("a signature of %d bytes", len(sig))
	}
	public, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), point)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(parts[0] + "." + parts[1]))
	if !ecdsa.Verify(public, sum[:], new(big.Int).SetBytes(sig[:32]), new(big.Int).SetBytes(sig[32:])) {
		return errors.New("the signature is wrong")
	}
	var h struct{ Typ, Alg string }
	var c struct {
		Aud, Sub string
		Exp      int64
	}
	if err := errors.Join(json.Unmarshal(header, &h), json.Unmarshal(claims, &c)); err != nil {
		return err
	}
	left := time.Until(time.Unix(c.Exp, 0))
	if h.Alg != "ES256" || c.Aud != audience || left <= 0 || left > 24*time.Hour {
		return fmt.Errorf("claims %s %s", header, claims)
	}
	if u, err := url.Parse(c.Sub); err != nil || u.Scheme != "mailto" && u.Scheme != "https" {
		return fmt.Errorf("nobody to write to: %q", c.Sub)
	}
	return nil
}

// Open decrypts what was sent to the browser (RFC 8291, RFC 8188).
func (b *Browser) Open(body []byte) ([]byte, error) {
	return Open(b.key, b.auth, body)
}

// Open decrypts with a subscriber's keys.
func Open(key *ecdh.PrivateKey, auth, body []byte) ([]byte, error) {
	if len(body) < 21 || len(body) < 21+int(body[20])+16 {
		return nil, errors.New("too short")
	}
	salt, record, id := body[:16], binary.BigEndian.Uint32(body[16:20]), body[21:21+int(body[20])]
	sealed := body[21+len(id):]
	if uint32(len(sealed)) > record || record < 18 {
		return nil, errors.New("more than one record")
	}
	sender, err := ecdh.P256().NewPublicKey(id)
	if err != nil {
		return nil, err
	}
	shared, err := key.ECDH(sender)
	if err != nil {
		return nil, err
	}
	info := "WebPush: info\x00" + string(key.PublicKey().Bytes()) + string(id)
	ikm, err1 := hkdf.Key(sha256.New, shared, auth, info, 32)
	cek, err2 := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: aes128gcm\x00", 16)
	nonce, err3 := hkdf.Key(sha256.New, ikm, salt, "Content-Encoding: nonce\x00", 12)
	block, err4 := aes.NewCipher(cek)
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nonce, sealed, nil)
	if err != nil {
		return nil, err
	}
	text := strings.TrimRight(string(plain), "\x00")
	if !strings.HasSuffix(text, "\x02") {
		return nil, errors.New("no mark at the end of the last record")
	}
	return []byte(strings.TrimSuffix(text, "\x02")), nil
}
