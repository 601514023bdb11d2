package egress

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"candor/internal/config"
	"candor/internal/id"
	"candor/internal/passport"
	"candor/internal/problem"
	"candor/internal/promise"
)

// names is a resolver of fixed answers; each look-up takes the next one.
type names map[string][][]string

func (n names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	answers := n[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	var out []netip.Addr
	for _, a := range answers[0] {
		out = append(out, netip.MustParseAddr(a))
	}
	if len(answers) > 1 {
		n[host] = answers[1:]
	}
	return out, nil
}

// watched is a room that dials nothing and writes down where it would have.
func watched(o Options) (*Room, *[]string) {
	r, dialled := New(o), &[]string{}
	r.connect = func(_ context.Context, _ string, to netip.AddrPort) (net.Conn, error) {
		*dialled = append(*dialled, netip.AddrPortFrom(to.Addr().Unmap(), to.Port()).String())
		a, b := net.Pipe()
		b.Close()
		return a, nil
	}
	return r, dialled
}

func TestCamerasAreReachedInAllowedNetworksOnly(t *testing.T) {
	dns := names{
		"camera.home.arpa": {{"192.168.1.20"}},
		"public.example":   {{"93.184.216.34"}},
		"mixed.example":    {{"169.254.169.254", "127.0.0.1", "10.0.0.9", "8.8.8.8"}},
		"empty.example":    {{}},
		"six.example":      {{"::ffff:127.0.0.1"}},
	}
	r, dialled := watched(Options{Networks: config.Default().Cameras.Networks, Resolver: dns})
	for _, c := range []struct{ address, dials, code string }{
		{"192.168.1.20:554", "192.168.1.20:554", ""},
		{"10.0.0.1:554", "10.0.0.1:554", ""},
		{"172.31.255.255:1", "172.31.255.255:1", ""},
		{"[fd12:3456::1]:554", "[fd12:3456::1]:554", ""},
		{"[::ffff:192.168.1.20]:554", "192.168.1.20:554", ""},
		{"camera.home.arpa:554", "192.168.1.20:554", ""},
		{"mixed.example:554", "10.0.0.9:554", ""},

		{"93.184.216.34:554", "", "camera.forbidden_network"},
		{"public.example:554", "", "camera.forbidden_network"},
		{"172.32.0.1:554", "", "camera.forbidden_network"},
		{"100.64.0.1:554", "", "camera.forbidden_network"},
		{"127.0.0.1:554", "", "camera.forbidden_network"},
		{"127.255.255.254:554", "", "camera.forbidden_network"},
		{"[::1]:554", "", "camera.forbidden_network"},
		{"0.0.0.0:554", "", "camera.forbidden_network"},
		{"[::]:554", "", "camera.forbidden_network"},
		{"[::ffff:127.0.0.1]:554", "", "camera.forbidden_network"},
		{"[::ffff:169.254.169.254]:80", "", "camera.forbidden_network"},
		{"[::ffff:0.0.0.0]:80", "", "camera.forbidden_network"},
		{"[::127.0.0.1]:80", "", "camera.forbidden_network"},
		{"169.254.169.254:80", "", "camera.forbidden_network"},
		{"100.100.100.200:80", "", "camera.forbidden_network"},
		{"[fd00:ec2::254]:80", "", "camera.forbidden_network"},
		{"[fe80::1]:554", "", "camera.forbidden_network"},
		{"[fe80::1%eth0]:554", "", "camera.forbidden_network"},
		{"[fd12::1%eth0]:554", "", "camera.forbidden_network"},
		{"[64:ff9b::a9fe:a9fe]:80", "", "camera.forbidden_network"},
		{"[64:ff9b:1::7f00:1]:80", "", "camera.forbidden_network"},
		{"[2002:7f00:1::]:80", "", "camera.forbidden_network"},
		{"[2001:0:7f00:1::]:80", "", "camera.forbidden_network"},
		{"[fd12::5efe:7f00:1]:80", "", "camera.forbidden_network"},
		{"224.0.0.1:554", "", "camera.forbidden_network"},
		{"255.255.255.255:554", "", "camera.forbidden_network"},
		{"[ff02::1]:554", "", "camera.forbidden_network"},
		{"six.example:554", "", "camera.forbidden_network"},

		{"2130706433:554", "", "camera.address"},
		{"0x7f000001:554", "", "camera.address"},
		{"0x7f.1:554", "", "camera.address"},
		{"0177.0.0.1:554", "", "camera.address"},
		{"127.1:554", "", "camera.address"},
		{"192.168.1:554", "", "camera.address"},
		{"192.168.001.020:554", "", "camera.address"},
		{"a..b:554", "", "camera.address"},
		{"-a.example:554", "", "camera.address"},
		{"user@host:554", "", "camera.address"},
		{"１２７.0.0.1:554", "", "camera.address"},
		{"192.168.1.20:0", "", "camera.address"},
		{"192.168.1.20:rtsp", "", "camera.address"},
		{"192.168.1.20", "", "camera.address"},
		{":554", "", "camera.address"},

		{"none.example:554", "", "camera.unreachable"},
		{"empty.example:554", "", "camera.unreachable"},
	} {
		t.Run(c.address, func(t *testing.T) {
			*dialled = nil
			conn, err := r.Device(id.Binding{1}).DialContext(t.Context(), "tcp", c.address)
			if conn != nil {
				conn.Close()
			}
			if c.code != "" {
				if !problem.Is(err, c.code) {
					t.Errorf("got %v, want %s", err, c.code)
				}
				if len(*dialled) != 0 {
					t.Errorf("dialled %v", *dialled)
				}
				return
			}
			if err != nil || len(*dialled) != 1 || (*dialled)[0] != c.dials {
				t.Errorf("dialled %v, %v; want %s", *dialled, err, c.dials)
			}
		})
	}
}

func TestANameThatChangesItsAnswerGainsNothing(t *testing.T) {
	dns := names{"rebind.example": {{"192.168.1.20"}, {"127.0.0.1"}}}
	r, dialled := watched(Options{Networks: config.Default().Cameras.Networks, Resolver: dns})
	d := r.Device(id.Binding{1})
	if _, err := d.DialContext(t.Context(), "tcp", "rebind.example:554"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.DialContext(t.Context(), "tcp", "rebind.example:554"); !problem.Is(err, "camera.forbidden_network") {
		t.Errorf("the second answer was dialled: %v", err)
	}
	if len(*dialled) != 1 || (*dialled)[0] != "192.168.1.20:554" {
		t.Errorf("dialled %v", *dialled)
	}
}

func TestThisMachineIsReachedOnlyWhereAllowed(t *testing.T) {
	r, _ := watched(Options{Networks: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0"), netip.MustParsePrefix("::/0")}})
	dial := func(a string) error {
		_, err := r.Device(id.Binding{1}).DialContext(t.Context(), "tcp", a)
		return err
	}
	if err := dial("127.0.0.1:8554"); err == nil {
		t.Error("a wide network opened loopback")
	}
	if err := dial("169.254.169.254:80"); err == nil {
		t.Error("a wide network opened the metadata address")
	}
	if err := dial("8.8.8.8:554"); err != nil {
		t.Errorf("a network the operator allowed: %v", err)
	}
	r.AllowDemo(netip.MustParseAddrPort("127.0.0.1:8554"))
	if err := dial("127.0.0.1:8554"); err != nil {
		t.Errorf("the demo camera: %v", err)
	}
	for _, a := range []string{"127.0.0.1:8555", "127.0.0.2:8554", "[::1]:8554"} {
		if err := dial(a); err == nil {
			t.Errorf("%s was opened by the demo camera", a)
		}
	}
	r.AllowDemo()
	if err := dial("127.0.0.1:8554"); err == nil {
		t.Error("the demo camera's port stayed open")
	}
	open, _ := watched(Options{AllowLoopback: true})
	for _, a := range []string{"127.0.0.1:1", "[::1]:1"} {
		if _, err := open.Device(id.Binding{1}).DialContext(t.Context(), "tcp", a); err != nil {
			t.Errorf("%s with allow_loopback: %v", a, err)
		}
	}
	for _, a := range []string{"0.0.0.0:1", "[::]:1", "10.0.0.1:1"} {
		if _, err := open.Device(id.Binding{1}).DialContext(t.Context(), "tcp", a); err == nil {
			t.Errorf("allow_loopback opened %s", a)
		}
	}
	if _, err := open.Device(id.Binding{1}).DialContext(t.Context(), "unix", "/run/x"); err == nil {
		t.Error("a socket file was dialled")
	}
}

func TestARealConnectionIsMade(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	r := New(Options{AllowLoopback: true})
	c, err := r.Device(id.Binding{1}).DialContext(t.Context(), "tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

// ledger is a Ledger in memory.
type ledger struct {
	lines []Sending
	err   error
}

func (l *ledger) Send(_ context.Context, s Sending) error {
	l.lines = append(l.lines, s)
	return l.err
}

// Receives makes it a register as well.
func (l *ledger) Receives(recipient string) ([]string, bool) {
	return []string{"domain name"}, recipient == "acme" || recipient == "push"
}

func TestARecipientIsReachedAtItsHostsAfterTheLedgerKnows(t *testing.T) {
	promise.Proves(t, "P228")
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("somebody else was reached") }))
	defer elsewhere.Close()
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/redirect" {
			http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "elsewhere.example", 1), http.StatusFound)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}))
	defer there.Close()
	u, _ := url.Parse(there.URL)
	book := &ledger{}
	r := New(Options{Ledger: book, Register: book, Resolver: names{"ca.example": {{"127.0.0.1"}}, "elsewhere.example": {{"127.0.0.1"}}}})
	d, err := r.Third(Recipient{Name: "acme", Purpose: passport.Security, Hosts: []string{"ca.example"}, Private: true})
	if err != nil {
		t.Fatal(err)
	}
	base := "http://ca.example:" + u.Port()
	res, err := d.Client().Get(base + "/")
	if err != nil || res.StatusCode != http.StatusNoContent {
		t.Fatalf("%v, %v", res, err)
	}
	res.Body.Close()
	if len(book.lines) != 1 || book.lines[0] != (Sending{"acme", passport.Security, "ca.example"}) {
		t.Errorf("ledger %v", book.lines)
	}
	if _, err := d.Client().Get(base + "/redirect"); !errors.Is(err, ErrRecipient) {
		t.Errorf("a redirect to somebody else: %v", err)
	}
	book.err = errors.New("disk full")
	if _, err := d.Client().Get(base + "/"); err == nil {
		t.Error("something was sent though the ledger could not be written")
	}
	public, _ := r.Third(Recipient{Name: "push", Purpose: passport.Security, Hosts: []string{"ca.example"}})
	if _, err := public.Client().Get(base); !errors.Is(err, ErrRecipient) {
		t.Errorf("a public recipient at a private address: %v", err)
	}
	if _, err := r.Third(Recipient{Name: "x"}); err == nil {
		t.Error("a recipient without purpose and hosts was accepted")
	}
}

// Who is not in the register gets nothing, whoever it is, and nobody gets more than it says there.
func TestWhoIsNotRegisteredGetsNothing(t *testing.T) {
	promise.Proves(t, "P229", "P233")
	to := func(name string, fields ...string) Recipient {
		return Recipient{Name: name, Purpose: passport.Security, Fields: fields, Hosts: []string{"x.example"}}
	}
	r := New(Options{Register: &ledger{}})
	for _, ok := range []Recipient{to("acme"), to("acme", "domain name")} {
		if _, err := r.Third(ok); err != nil {
			t.Errorf("%s, sent %v: %v", ok.Name, ok.Fields, err)
		}
	}
	for _, no := range []Recipient{to("affiliate"), to("affiliate", "domain name"), to("acme", "domain name", "e-mail address")} {
		if _, err := r.Third(no); !errors.Is(err, ErrRecipient) {
			t.Errorf("%s, sent %v: %v", no.Name, no.Fields, err)
		}
	}
	if _, err := New(Options{}).Third(to("acme")); !errors.Is(err, ErrRecipient) {
		t.Errorf("without a register: %v", err)
	}
}

func FuzzDevice(f *testing.F) {
	for _, s := range []string{"192.168.1.1:554", "[::ffff:127.0.0.1]:1", "0x7f.1:2", "2130706433:80", "[64:ff9b::1]:3", "a.b:4", "[fe80::1%1]:5"} {
		f.Add(s)
	}
	nets := config.Default().Cameras.Networks
	f.Fuzz(func(t *testing.T, address string) {
		r, dialled := watched(Options{Networks: nets, Resolver: names{}})
		c, _ := r.Device(id.Binding{1}).DialContext(context.Background(), "tcp", address)
		if c != nil {
			c.Close()
		}
		for _, d := range *dialled {
			a := netip.MustParseAddrPort(d).Addr()
			if !a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
				t.Errorf("%q dialled %s", address, d)
			}
		}
	})
}
