package front

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"candor/internal/clock"
)

// localCA is an authority made on this machine. Its root may only speak for names and addresses
// of home networks (and the operator's domains): whoever steals its key gains nothing on the
// internet from a phone that trusts it.
type localCA struct {
	root    *x509.Certificate
	rootPEM []byte
	key     crypto.Signer
	domains []string
	clock   clock.Clock

	mu     sync.Mutex
	leaves map[string]*tls.Certificate
}

const (
	rootYears = 10
	leafDays  = 200 // browsers refuse more than 825 even from a root one added oneself
	leafRenew = 60 * 24 * time.Hour
	maxLeaves = 64
)

// homeNames are the endings that exist in home networks only.
var homeNames = []string{"localhost", "local", "lan", "home", "internal", "home.arpa", "fritz.box"}

var homeNetworks = []string{"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "127.0.0.0/8", "169.254.0.0/16", "fc00::/7", "fe80::/10", "::1/128"}

// openLocalCA reads the authority in dir, or makes one.
func openLocalCA(dir string, domains []string, c clock.Clock) (*localCA, error) {
	ca := &localCA{clock: c, leaves: map[string]*tls.Certificate{}}
	for _, d := range domains {
		ca.domains = append(ca.domains, strings.ToLower(d))
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("local authority: %w", err)
	}
	certFile, keyFile := filepath.Join(dir, "local-ca.pem"), filepath.Join(dir, "local-ca.key")
	cert, err := os.ReadFile(certFile)
	if errors.Is(err, fs.ErrNotExist) {
		return ca, ca.make(certFile, keyFile)
	}
	if err != nil {
		return nil, fmt.Errorf("local authority: %w", err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("local authority: its certificate is there and its key is not; remove %s to make a new one that each device must trust anew: %w", certFile, err)
	}
	return ca, ca.read(cert, key)
}

func (ca *localCA) read(cert, key []byte) error {
	c, _ := pem.Decode(cert)
	k, _ := pem.Decode(key)
	if c == nil || k == nil {
		return errors.New("local authority: its files are damaged")
	}
	root, err := x509.ParseCertificate(c.Bytes)
	if err != nil {
		return fmt.Errorf("local authority: %w", err)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(k.Bytes)
	if err != nil {
		return fmt.Errorf("local authority: %w", err)
	}
	signer, ok := parsed.(*ecdsa.PrivateKey)
	if !ok || !signer.PublicKey.Equal(root.PublicKey) {
		return errors.New("local authority: key and certificate do not belong together")
	}
	for _, d := range ca.domains {
		if !underAny(d, root.PermittedDNSDomains) {
			return fmt.Errorf("local authority: it was made before %s was among http.domains and may not speak for it; remove local-ca.pem and local-ca.key to make a new one that each device must trust anew", d)
		}
	}
	ca.root, ca.key, ca.rootPEM = root, signer, cert
	return nil
}

func (ca *localCA) make(certFile, keyFile string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("local authority: %w", err)
	}
	var tag [3]byte
	_, _ = rand.Read(tag[:])
	now := ca.clock.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: "Candor at home " + hex.EncodeToString(tag[:])},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(rootYears, 0, 0),
		IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		PermittedDNSDomainsCritical: true, PermittedDNSDomains: append(slices.Clone(homeNames), ca.domains...),
	}
	if h := hostname(); h != "" && !strings.Contains(h, ".") {
		template.PermittedDNSDomains = append(template.PermittedDNSDomains, h)
	}
	for _, n := range homeNetworks {
		_, ipnet, err := net.ParseCIDR(n)
		if err != nil {
			return err
		}
		template.PermittedIPRanges = append(template.PermittedIPRanges, ipnet)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return fmt.Errorf("local authority: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("local authority: %w", err)
	}
	ca.key, ca.rootPEM = key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if ca.root, err = x509.ParseCertificate(der); err != nil {
		return fmt.Errorf("local authority: %w", err)
	}
	if err := os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: pkcs8}), 0o600); err != nil {
		return fmt.Errorf("local authority: %w", err)
	}
	if err := os.WriteFile(certFile, ca.rootPEM, 0o644); err != nil {
		return fmt.Errorf("local authority: %w", err)
	}
	return nil
}

func serial() *big.Int {
	var b [16]byte
	_, _ = rand.Read(b[:])
	b[0] &= 0x7f
	return new(big.Int).SetBytes(b[:])
}

func hostname() string {
	h, err := os.Hostname()
	if err != nil || !plainHost.MatchString(h) {
		return ""
	}
	return strings.ToLower(h)
}

// certificate makes, keeps and renews a certificate for the name or address a browser came by.
func (ca *localCA) certificate(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	name := strings.ToLower(strings.TrimSuffix(hello.ServerName, "."))
	if name == "" {
		a, err := netip.ParseAddrPort(hello.Conn.LocalAddr().String())
		if err != nil {
			return nil, errors.New("local authority: no name and no address asked for")
		}
		name = a.Addr().Unmap().WithZone("").String()
	}
	if !ca.speaksFor(name) {
		return nil, fmt.Errorf("local authority: does not speak for %q", name)
	}
	ca.mu.Lock()
	defer ca.mu.Unlock()
	if c := ca.leaves[name]; c != nil && ca.clock.Now().Before(c.Leaf.NotAfter.Add(-leafRenew)) {
		return c, nil
	}
	c, err := ca.leaf(name)
	if err != nil {
		return nil, err
	}
	if len(ca.leaves) >= maxLeaves {
		clear(ca.leaves)
	}
	ca.leaves[name] = c
	return c, nil
}

func (ca *localCA) speaksFor(name string) bool {
	if a, err := netip.ParseAddr(name); err == nil {
		return slices.ContainsFunc(ca.root.PermittedIPRanges, func(n *net.IPNet) bool { return n.Contains(a.AsSlice()) })
	}
	return plainHost.MatchString(name) && underAny(name, ca.root.PermittedDNSDomains)
}

func underAny(name string, domains []string) bool {
	return slices.ContainsFunc(domains, func(d string) bool { return name == d || strings.HasSuffix(name, "."+d) })
}

func (ca *localCA) leaf(name string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("local authority: %w", err)
	}
	now := ca.clock.Now()
	template := &x509.Certificate{
		SerialNumber: serial(), Subject: pkix.Name{CommonName: name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(0, 0, leafDays),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if a, err := netip.ParseAddr(name); err == nil {
		template.IPAddresses = []net.IP{a.AsSlice()}
	} else {
		template.DNSNames = []string{name}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, ca.root, key.Public(), ca.key)
	if err != nil {
		return nil, fmt.Errorf("local authority: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("local authority: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{der, ca.root.Raw}, PrivateKey: key, Leaf: leaf}, nil
}
