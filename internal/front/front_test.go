package front_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"candor/internal/clock"
	"candor/internal/front"
	"candor/internal/logging/logtest"
	"candor/internal/promise"
	"candor/internal/visit"
)

// seen is what a handler learns about a request.
type seen struct {
	visit.Visit
	Path    string
	Headers http.Header
}

var echo = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	_ = json.NewEncoder(w).Encode(seen{visit.Of(r), r.URL.Path, r.Header})
})

func start(t *testing.T, o front.Options, h http.Handler) *front.Front {
	t.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.TLSListen == "" {
		o.TLSListen = "127.0.0.1:0"
	}
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	o.Log = logtest.New(t)
	o.StopWithin = 2 * time.Second
	f, err := front.New(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Stop(context.Background()) })
	return f
}

func ask(t *testing.T, f *front.Front, path string, header ...string) (seen, int) {
	t.Helper()
	r, _ := http.NewRequest("GET", "http://"+f.Addr().String()+path, nil)
	r.Host = "door.local"
	for i := 0; i < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	res, err := (&http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var s seen
	_ = json.NewDecoder(res.Body).Decode(&s)
	return s, res.StatusCode
}

var forged = []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "cameras.example", "X-Forwarded-For", "203.0.113.7", "X-Ingress-Path", "/x", "Forwarded", "for=1.2.3.4", "X-Real-Ip", "1.2.3.4"}

func TestHeadersOfAStrangerAreNotBelieved(t *testing.T) {
	f := start(t, front.Options{Mode: front.Off, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, echo)
	s, _ := ask(t, f, "/a", forged...)
	if s.Secure || s.Host != "door.local" || s.BasePath != "" || s.Framed || !s.Client.IsLoopback() || s.Path != "/a" {
		t.Errorf("got %+v", s)
	}
	for k := range s.Headers {
		if strings.HasPrefix(k, "X-") || k == "Forwarded" {
			t.Errorf("the header %s went through", k)
		}
	}
}

func TestATrustedProxyIsBelieved(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("10.9.0.0/16")}
	f := start(t, front.Options{Mode: front.Proxy, TrustedProxies: trusted}, echo)
	for _, c := range []struct {
		name   string
		header []string
		want   visit.Visit
	}{
		{"all", []string{"X-Forwarded-Proto", "https", "X-Forwarded-Host", "cameras.example:8443", "X-Forwarded-For", "203.0.113.7"}, visit.Visit{Secure: true, Host: "cameras.example:8443", Client: netip.MustParseAddr("203.0.113.7")}},
		{"what a visitor wrote on the left is not", []string{"X-Forwarded-For", "127.0.0.1, 203.0.113.7, 10.9.1.1"}, visit.Visit{Host: "door.local", Client: netip.MustParseAddr("203.0.113.7")}},
		{"two headers", []string{"X-Forwarded-For", "1.1.1.1", "X-Forwarded-For", "203.0.113.7"}, visit.Visit{Host: "door.local", Client: netip.MustParseAddr("203.0.113.7")}},
		{"garbage address", []string{"X-Forwarded-For", "1.1.1.1, evil"}, visit.Visit{Host: "door.local", Client: netip.MustParseAddr("127.0.0.1")}},
		{"six", []string{"X-Forwarded-For", "[2001:db8::1]:443"}, visit.Visit{Host: "door.local", Client: netip.MustParseAddr("2001:db8::1")}},
		{"ingress", []string{"X-Ingress-Path", "/api/hassio_ingress/Ab-1_~"}, visit.Visit{Host: "door.local", BasePath: "/api/hassio_ingress/Ab-1_~", Framed: true, Client: netip.MustParseAddr("127.0.0.1")}},
		{"prefix", []string{"X-Forwarded-Prefix", "/cameras/"}, visit.Visit{Host: "door.local", BasePath: "/cameras", Client: netip.MustParseAddr("127.0.0.1")}},
		{"prefix that is none", []string{"X-Forwarded-Prefix", `/"><script>`}, visit.Visit{Host: "door.local", Client: netip.MustParseAddr("127.0.0.1")}},
		{"prefix upwards", []string{"X-Forwarded-Prefix", "/a/../b"}, visit.Visit{Host: "door.local", Client: netip.MustParseAddr("127.0.0.1")}},
		{"prefix of another host", []string{"X-Ingress-Path", "//evil.example"}, visit.Visit{Host: "door.local", Client: netip.MustParseAddr("127.0.0.1")}},
		{"host that is none", []string{"X-Forwarded-Host", "a b"}, visit.Visit{Host: "door.local", Client: netip.MustParseAddr("127.0.0.1")}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := ask(t, f, "/a", c.header...)
			if s.Visit != c.want || s.Path != "/a" {
				t.Errorf("got  %+v %s\nwant %+v", s.Visit, s.Path, c.want)
			}
		})
	}
	if s, _ := ask(t, f, "/cameras/a", "X-Forwarded-Prefix", "/cameras"); s.Path != "/a" {
		t.Errorf("a prefix the proxy left on: %s", s.Path)
	}
}

func TestANameOfStrangersIsNotOurs(t *testing.T) {
	f := start(t, front.Options{Mode: front.Off, Domains: []string{"Cameras.Example"}, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}}, echo)
	for host, want := range map[string]int{
		"localhost:8780": 200, "127.0.0.1:8780": 200, "[::1]:8780": 200, "192.168.1.20": 200, "nas": 200, "nas.local:80": 200, "cam.home.arpa": 200, "cameras.example": 200, "cameras.example.:8780": 200,
		"evil.example": 421, "evil.example:8780": 421, "localhost.evil.example": 421, "127.0.0.1.evil.example": 421, "x.cameras.example": 421, "notlocal.example": 421,
	} {
		c, err := net.Dial("tcp", f.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(c, "GET /api/v1/setup HTTP/1.1\r\nHost: %s\r\nX-Forwarded-Host: localhost\r\nConnection: close\r\n\r\n", host)
		res, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != want {
			t.Errorf("%s is answered with %d, want %d", host, res.StatusCode, want)
		}
		c.Close()
	}
	behind := start(t, front.Options{Mode: front.Proxy, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}, echo)
	r, _ := http.NewRequest("GET", "http://"+behind.Addr().String(), nil)
	r.Host = "cameras.example"
	if res, err := http.DefaultClient.Do(r); err != nil || res.StatusCode != 200 {
		t.Errorf("a trusted proxy's name: %v %v", res, err)
	}
}

func TestAConnectionCanBeCut(t *testing.T) {
	f := start(t, front.Options{Mode: front.Off}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { visit.Cut(r.Context()) }))
	if res, err := http.Get("http://" + f.Addr().String()); err == nil {
		t.Errorf("answered with %s", res.Status)
	}
}

func TestBasePathOfOnesOwn(t *testing.T) {
	f := start(t, front.Options{Mode: front.Off, BasePath: "/cameras"}, echo)
	if s, _ := ask(t, f, "/cameras/a"); s.Path != "/a" || s.BasePath != "/cameras" {
		t.Errorf("got %+v", s)
	}
	if _, code := ask(t, f, "/a"); code != 404 {
		t.Errorf("outside of it: %d", code)
	}
	if _, code := ask(t, f, "/cameras"); code != http.StatusPermanentRedirect {
		t.Errorf("without slash: %d", code)
	}
	if u := f.URLs(); len(u) != 1 || !strings.HasPrefix(u[0], "http://localhost:") || !strings.HasSuffix(u[0], "/cameras/") {
		t.Errorf("URLs %v", u)
	}
}

func TestLocalAuthority(t *testing.T) {
	promise.Proves(t, "P289")
	dir := t.TempDir()
	o := front.Options{Mode: front.LocalCA, Dir: dir, Domains: []string{"cameras.example"}, Words: func(lang, key string, args map[string]string) string {
		return lang + ":" + key + args["file"] + "\n<second>"
	}}
	f := start(t, o, echo)
	plain := "http://" + f.Addr().String()
	root := fetch(t, plain+"/trust/candor-root.crt")
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM([]byte(root)) || root != string(f.Root()) {
		t.Fatal("the root cannot be downloaded")
	}
	dial := func(name string) (*tls.Conn, error) {
		return tls.Dial("tcp", f.SecureAddr().String(), &tls.Config{RootCAs: pool, ServerName: name})
	}
	for _, name := range []string{"localhost", "candor.local", "cameras.example", "127.0.0.1"} {
		c, err := dial(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		leaf := c.ConnectionState().PeerCertificates[0]
		if leaf.IsCA || leaf.NotAfter.Sub(leaf.NotBefore) > 398*24*time.Hour {
			t.Errorf("%s: certificate %v", name, leaf.NotAfter)
		}
		c.Close()
	}
	for _, name := range []string{"bank.example", "cameras.example.evil.example", "xlocal"} {
		if c, err := dial(name); err == nil {
			c.Close()
			t.Errorf("the authority speaks for %s", name)
		}
	}
	if _, err := tls.Dial("tcp", f.SecureAddr().String(), &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("an old version of TLS is spoken")
	}
	again := start(t, o, echo)
	if string(again.Root()) != root {
		t.Error("the authority is another one after a restart")
	}
	guide := fetch(t, plain+"/trust")
	if page, print := f.Trust(); !strings.HasSuffix(page, "/trust") || !strings.Contains(guide, print) || len(print) != 32*3-1 {
		t.Errorf("told to compare %s with %s", page, print)
	}
	for _, want := range []string{"en:trust.ios.steps", "candor-root.mobileconfig", "&lt;second&gt;", ":"} {
		if !strings.Contains(guide, want) {
			t.Errorf("the guide lacks %s", want)
		}
	}
	if strings.Contains(guide, "<script") || strings.Contains(guide, "<second>") {
		t.Error("the guide has scripts")
	}
	if p := fetch(t, plain+"/trust/candor-root.mobileconfig"); !strings.Contains(p, "com.apple.security.root") {
		t.Errorf("profile %s", p)
	}
	if s, code := ask(t, f, "/cameras/x?y=z"); code != http.StatusPermanentRedirect || s.Path != "" {
		t.Errorf("plain HTTP answers %d %v", code, s)
	}
	o.Domains = []string{"other.example"}
	if _, err := front.New(o); err == nil || !strings.Contains(err.Error(), "other.example") {
		t.Errorf("a domain the root may not speak for: %v", err)
	}
}

func fetch(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != 200 {
		t.Fatalf("%s: %d %v", url, res.StatusCode, err)
	}
	return string(b)
}

func TestLeavesAreRenewed(t *testing.T) {
	c := clock.NewVirtual(time.Now())
	f := start(t, front.Options{Mode: front.LocalCA, Clock: c}, echo)
	serial := func() string {
		conn, err := tls.Dial("tcp", f.SecureAddr().String(), &tls.Config{InsecureSkipVerify: true, ServerName: "localhost"}) //nolint:gosec // only the number is read
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber.String()
	}
	first := serial()
	if serial() != first {
		t.Error("a new certificate for each connection")
	}
	c.Advance(150 * 24 * time.Hour)
	if serial() == first {
		t.Error("the certificate is not renewed")
	}
}

func TestStopWaitsForOpenRequestsAndEndsEndlessOnes(t *testing.T) {
	end := make(chan struct{})
	began := make(chan struct{}, 2)
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began <- struct{}{}
		if r.URL.Path == "/endless" {
			<-end
			return
		}
		time.Sleep(100 * time.Millisecond)
		_, _ = io.WriteString(w, "finished")
	})
	f := start(t, front.Options{Mode: front.Off, OnStop: func() { close(end) }}, h)
	url := "http://" + f.Addr().String()
	got := make(chan string, 1)
	go func() { got <- fetchOr(url + "/slow") }()
	go func() { fetchOr(url + "/endless") }()
	<-began
	<-began
	if err := f.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	if s := <-got; s != "finished" {
		t.Errorf("the slow request got %q", s)
	}
	if _, err := net.DialTimeout("tcp", f.Addr().String(), time.Second); err == nil {
		t.Error("the door is still open")
	}
	select {
	case err := <-f.Failed():
		t.Errorf("stopping counts as a failure: %v", err)
	default:
	}
}

func fetchOr(url string) string {
	res, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer res.Body.Close()
	b, _ := io.ReadAll(res.Body)
	return string(b)
}

func TestADeadlineOfOneRequestDoesNotReachTheNext(t *testing.T) {
	f := start(t, front.Options{Mode: front.Off}, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/first" {
			_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		}
		_, _ = io.WriteString(w, r.URL.Path)
	}))
	c, err := net.Dial("tcp", f.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReader(c)
	for _, path := range []string{"/first", "/second"} {
		_, _ = io.WriteString(c, "GET "+path+" HTTP/1.1\r\nHost: door.local\r\n\r\n")
		res, err := http.ReadResponse(in, nil)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if b, err := io.ReadAll(res.Body); err != nil || string(b) != path {
			t.Errorf("%s answers %s, %v", path, b, err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	if err := f.Also("127.0.0.1:0", echo); err != nil {
		t.Error(err)
	}
	if err := f.Also(f.Addr().String(), echo); err == nil {
		t.Error("a door was opened twice")
	}
}

func TestADoorThatIsTakenIsSaid(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	f, err := front.New(front.Options{Mode: front.Off, Listen: l.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Start(t.Context(), echo); err == nil || !strings.Contains(err.Error(), "front door") {
		t.Errorf("got %v", err)
	}
	if _, err := front.New(front.Options{Mode: "x"}); err == nil {
		t.Error("an unknown mode")
	}
	if _, err := front.New(front.Options{Mode: front.ACME}); err == nil {
		t.Error("acme without a domain")
	}
}

func FuzzForwardedHeaders(f *testing.F) {
	f.Add("https", "a.example", "1.2.3.4, [::1]:5", "/x", "/y")
	f.Add("", "::", ",,,", "//", "/%2e")
	door, err := front.New(front.Options{Mode: front.Proxy, TrustedProxies: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, proto, host, from, ingress, prefix string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "127.0.0.1:1"
		for k, v := range map[string]string{"X-Forwarded-Proto": proto, "X-Forwarded-Host": host, "X-Forwarded-For": from, "X-Ingress-Path": ingress, "X-Forwarded-Prefix": prefix} {
			r.Header[k] = []string{v}
		}
		v := door.Visit(r)
		if strings.ContainsAny(v.Host+v.BasePath, " \"'<>\\\r\n") || strings.Contains(v.BasePath, "//") || strings.Contains(v.BasePath, "..") || strings.HasSuffix(v.BasePath, "/") {
			t.Errorf("accepted %+v", v)
		}
		if !v.Client.IsValid() {
			t.Errorf("no client in %+v", v)
		}
	})
}
