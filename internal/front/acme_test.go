package front_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"candor/internal/egress"
	"candor/internal/front"
	"candor/internal/passport"

	"context"
)

// authority is a small ACME server (RFC 8555): it believes signatures, but it does go and look
// whether the domain answers its challenge, by TLS-ALPN-01.
type authority struct {
	t    *testing.T
	url  string
	key  *ecdsa.PrivateKey
	root *x509.Certificate
	door func() netip.AddrPort

	mu      sync.Mutex
	valid   bool
	chain   []byte
	asked   int
	problem string
}

func newAuthority(t *testing.T) *authority {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	root, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	a := &authority{t: t, key: key, root: root}
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	u, _ := url.Parse(s.URL)
	a.url = "http://ca.example:" + u.Port()
	return a
}

func (a *authority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Replay-Nonce", fmt.Sprint(time.Now().UnixNano()))
	w.Header().Set("Content-Type", "application/json")
	var jws struct{ Payload string }
	_ = json.NewDecoder(r.Body).Decode(&jws)
	payload, _ := base64.RawURLEncoding.DecodeString(jws.Payload)
	status := func(ok string) string {
		if a.valid {
			return ok
		}
		return "pending"
	}
	order := func() string {
		s := `{"status":"` + status("ready") + `","identifiers":[{"type":"dns","value":"cameras.example"}],"authorizations":["` + a.url + `/authz"],"finalize":"` + a.url + `/finalize"`
		if a.chain != nil {
			s = strings.Replace(s, `"ready"`, `"valid"`, 1) + `,"certificate":"` + a.url + `/cert"`
		}
		return s + "}"
	}
	challenge := func() string {
		return `{"type":"tls-alpn-01","url":"` + a.url + `/challenge","token":"token-of-the-test","status":"` + status("valid") + `"}`
	}
	switch r.URL.Path {
	case "/dir":
		fmt.Fprintf(w, `{"newNonce":"%[1]s/nonce","newAccount":"%[1]s/account","newOrder":"%[1]s/order"}`, a.url)
	case "/nonce":
	case "/account":
		a.asked++
		w.Header().Set("Location", a.url+"/account/1")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, `{"status":"valid"}`)
	case "/order":
		w.Header().Set("Location", a.url+"/order/1")
		w.WriteHeader(http.StatusCreated)
		fmt.Fprint(w, order())
	case "/order/1":
		fmt.Fprint(w, order())
	case "/authz":
		fmt.Fprintf(w, `{"status":"%s","identifier":{"type":"dns","value":"cameras.example"},"challenges":[%s]}`, status("valid"), challenge())
	case "/challenge":
		a.look()
		fmt.Fprint(w, challenge())
	case "/finalize":
		a.sign(payload)
		w.Header().Set("Location", a.url+"/order/1")
		fmt.Fprint(w, order())
	case "/cert":
		w.Header().Set("Content-Type", "application/pem-certificate-chain")
		_, _ = w.Write(a.chain)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// look asks the domain itself.
func (a *authority) look() {
	c, err := tls.Dial("tcp", a.door().String(), &tls.Config{ServerName: "cameras.example", NextProtos: []string{"acme-tls/1"}, InsecureSkipVerify: true}) //nolint:gosec // RFC 8737
	if err != nil {
		a.problem = err.Error()
		return
	}
	defer c.Close()
	for _, e := range c.ConnectionState().PeerCertificates[0].Extensions {
		if e.Id.String() == "1.3.6.1.5.5.7.1.31" {
			a.valid = true
		}
	}
}

func (a *authority) sign(payload []byte) {
	var in struct{ CSR string }
	_ = json.Unmarshal(payload, &in)
	der, _ := base64.RawURLEncoding.DecodeString(in.CSR)
	csr, err := x509.ParseCertificateRequest(der)
	if err != nil || !a.valid {
		return
	}
	leaf := &x509.Certificate{SerialNumber: big.NewInt(2), DNSNames: csr.DNSNames, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(20 * time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	cert, err := x509.CreateCertificate(rand.Reader, leaf, a.root, csr.PublicKey, a.key)
	if err != nil {
		return
	}
	a.chain = append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.root.Raw})...)
}

type here struct{}

func (here) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// book is a ledger and a register in memory.
type book struct {
	mu    sync.Mutex
	hosts []string
}

func (b *book) Send(_ context.Context, s egress.Sending) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.hosts = append(b.hosts, s.Recipient+" "+s.Host)
	return nil
}

func (b *book) Receives(recipient string) ([]string, bool) {
	return []string{"domain"}, recipient == "acme"
}

func TestAnOwnDomainGetsItsCertificateThroughEgress(t *testing.T) {
	ca, ledger := newAuthority(t), &book{}
	out := egress.New(egress.Options{Resolver: here{}, Ledger: ledger, Register: ledger})
	third, err := out.Third(egress.Recipient{Name: "acme", Purpose: passport.Security, Fields: []string{"domain"}, Hosts: []string{"ca.example"}, Private: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	var f *front.Front
	ready := make(chan struct{})
	ca.door = func() netip.AddrPort { <-ready; return f.SecureAddr() }
	o := front.Options{Mode: front.ACME, Domains: []string{"cameras.example"}, Dir: dir, Authority: front.Authority{Directory: ca.url + "/dir", Client: third.Client()}}
	f = start(t, o, echo)
	close(ready)
	pool := x509.NewCertPool()
	pool.AddCert(ca.root)
	if !eventually(30*time.Second, func() bool { return speaks(f, pool) }) {
		ca.mu.Lock()
		defer ca.mu.Unlock()
		t.Fatalf("no certificate; the authority says %q, valid %v", ca.problem, ca.valid)
	}
	if len(ledger.hosts) == 0 || ledger.hosts[0] != "acme ca.example" {
		t.Errorf("ledger %v", ledger.hosts)
	}
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Get("http://" + f.Addr().String() + "/x?y=1")
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if want := fmt.Sprintf("https://cameras.example:%d/x?y=1", f.SecureAddr().Port()); res.Header.Get("Location") != want {
		t.Errorf("forwarded to %s, want %s", res.Header.Get("Location"), want)
	}
	// After a restart the certificate is on disk: nobody is asked again.
	ca.mu.Lock()
	ca.door, ca.chain, ca.valid = nil, nil, false
	asked := ca.asked
	ca.mu.Unlock()
	again := start(t, o, echo)
	if !eventually(10*time.Second, func() bool { return speaks(again, pool) }) || ca.asked != asked {
		t.Error("the certificate was not kept")
	}
}

func speaks(f *front.Front, pool *x509.CertPool) bool {
	c, err := tls.Dial("tcp", f.SecureAddr().String(), &tls.Config{ServerName: "cameras.example", RootCAs: pool})
	if err != nil {
		return false
	}
	c.Close()
	return true
}

func eventually(within time.Duration, ok func() bool) bool {
	for end := time.Now().Add(within); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}
