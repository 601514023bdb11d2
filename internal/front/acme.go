package front

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/caddyserver/certmagic"
	"github.com/mholt/acmez/v3"
	"github.com/mholt/acmez/v3/acme"
	"go.uber.org/zap"
)

// ownDomain gets and renews certificates for own domains. certmagic keeps, serves and renews
// them; the conversation with the authority is ours to lead (over acmez), because certmagic's own
// issuer opens its connections itself and here only egress may.
type ownDomain struct {
	o      Options
	log    *slog.Logger
	magic  *certmagic.Config
	cache  *certmagic.Cache
	solver *solver
	mu     sync.Mutex // one conversation at a time
}

var _ certmagic.Issuer = (*ownDomain)(nil)

func newACME(o Options) (*ownDomain, error) {
	a := &ownDomain{o: o, log: o.Log, solver: &solver{open: map[string]acme.Challenge{}}}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	silent := zap.NewNop() // what matters comes by OnEvent
	a.cache = certmagic.NewCache(certmagic.CacheOptions{Logger: silent, GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.magic, nil }})
	a.magic = certmagic.New(a.cache, certmagic.Config{
		Storage: &certmagic.FileStorage{Path: o.Dir},
		Issuers: []certmagic.Issuer{a},
		OCSP:    certmagic.OCSPConfig{DisableStapling: true}, // would open connections of its own
		OnEvent: a.event, Logger: silent, DisableARI: true, DisableStorageCheck: true,
	})
	return a, nil
}

// start begins to look after the domains. It does not wait: the first certificate needs the
// listeners that are opened next.
func (a *ownDomain) start(ctx context.Context) error {
	if err := a.magic.ManageAsync(ctx, a.o.Domains); err != nil {
		return fmt.Errorf("certificates: %w", err)
	}
	return nil
}

func (a *ownDomain) event(ctx context.Context, event string, data map[string]any) error {
	switch event {
	case "cert_obtained":
		a.log.InfoContext(ctx, "certificate obtained", "certificate", fmt.Sprint(data["identifier"]))
	case "cert_failed":
		err, _ := data["error"].(error)
		a.log.ErrorContext(ctx, "no certificate yet; trying again", "certificate", fmt.Sprint(data["identifier"]), "err", err)
	}
	return nil
}

// certificate serves a challenge's certificate to the authority and the domain's to everybody else.
func (a *ownDomain) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if slices.Equal(hello.SupportedProtos, []string{"acme-tls/1"}) {
		c, ok := a.solver.find(acme.ChallengeTypeTLSALPN01, hello.ServerName)
		if !ok {
			return nil, errors.New("no challenge is open for that name")
		}
		return acmez.TLSALPN01ChallengeCert(c)
	}
	return a.magic.GetCertificate(hello)
}

const challengePath = "/.well-known/acme-challenge/"

// challenge answers the authority's question by plain HTTP.
func (a *ownDomain) challenge(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token, ok := strings.CutPrefix(r.URL.Path, challengePath); ok {
			if c, ok := a.solver.token(token); ok && r.Method == http.MethodGet {
				w.Header().Set("Content-Type", "text/plain")
				_, _ = w.Write([]byte(c.KeyAuthorization))
				return
			}
			http.NotFound(w, r)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// IssuerKey names the authority, so that certificates of another one are not mistaken for its own.
func (a *ownDomain) IssuerKey() string {
	return strings.NewReplacer("https://", "", "http://", "", "/", "-", ":", "-").Replace(a.o.Authority.Directory)
}

// Issue leads one conversation with the authority.
func (a *ownDomain) Issue(ctx context.Context, request *x509.CertificateRequest) (*certmagic.IssuedCertificate, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	client := acmez.Client{
		Client: &acme.Client{Directory: a.o.Authority.Directory, HTTPClient: a.o.Authority.Client, UserAgent: "candor"},
		ChallengeSolvers: map[string]acmez.Solver{
			acme.ChallengeTypeTLSALPN01: a.solver, acme.ChallengeTypeHTTP01: a.solver,
		},
	}
	account, err := a.account(ctx, client.Client)
	if err != nil {
		return nil, err
	}
	params, err := acmez.OrderParametersFromCSR(account, request)
	if err != nil {
		return nil, fmt.Errorf("acme order: %w", err)
	}
	chains, err := client.ObtainCertificate(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("acme: %w", err)
	}
	if len(chains) == 0 {
		return nil, errors.New("acme: the authority gave no certificate")
	}
	return &certmagic.IssuedCertificate{Certificate: chains[0].ChainPEM}, nil
}

// kept is the account with the authority as it is kept on disk.
type kept struct {
	Account acme.Account `json:"account"`
	Key     string       `json:"key"`
}

// account finds our account with the authority, or makes one. Setting http.tls to acme agrees to
// its terms, as the setting's comment says.
func (a *ownDomain) account(ctx context.Context, c *acme.Client) (acme.Account, error) {
	file := filepath.Join(a.o.Dir, "acme-account-"+a.IssuerKey()+".json")
	b, err := os.ReadFile(file)
	if err == nil {
		return readAccount(b)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return acme.Account{}, fmt.Errorf("acme account: %w", err)
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return acme.Account{}, fmt.Errorf("acme account: %w", err)
	}
	account := acme.Account{TermsOfServiceAgreed: true, PrivateKey: key}
	if a.o.Authority.Email != "" {
		account.Contact = []string{"mailto:" + a.o.Authority.Email}
	}
	if account, err = c.NewAccount(ctx, account); err != nil {
		return account, fmt.Errorf("acme account: %w", err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return account, fmt.Errorf("acme account: %w", err)
	}
	b, err = json.Marshal(kept{account, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}))})
	if err == nil {
		err = os.WriteFile(file, b, 0o600)
	}
	if err != nil {
		return account, fmt.Errorf("acme account: %w", err)
	}
	return account, nil
}

func readAccount(b []byte) (acme.Account, error) {
	var k kept
	if err := json.Unmarshal(b, &k); err != nil {
		return acme.Account{}, fmt.Errorf("acme account: %w", err)
	}
	block, _ := pem.Decode([]byte(k.Key))
	if block == nil {
		return acme.Account{}, errors.New("acme account: its key is damaged")
	}
	key, err := x509.ParseECPrivateKey(block.Bytes)
	if err != nil {
		return acme.Account{}, fmt.Errorf("acme account: %w", err)
	}
	k.Account.PrivateKey = key
	return k.Account, nil
}

// solver remembers the challenges that are open; certificate and challenge answer them.
type solver struct {
	mu   sync.Mutex
	open map[string]acme.Challenge
}

var _ acmez.Solver = (*solver)(nil)

// Present opens a challenge.
func (s *solver) Present(_ context.Context, c acme.Challenge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open[c.Token] = c
	return nil
}

// CleanUp closes it.
func (s *solver) CleanUp(_ context.Context, c acme.Challenge) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c.Token)
	return nil
}

func (s *solver) find(kind, name string) (acme.Challenge, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.open {
		if c.Type == kind && strings.EqualFold(c.Identifier.Value, name) {
			return c, true
		}
	}
	return acme.Challenge{}, false
}

func (s *solver) token(token string) (acme.Challenge, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.open[token]
	return c, ok && c.Type == acme.ChallengeTypeHTTP01
}
