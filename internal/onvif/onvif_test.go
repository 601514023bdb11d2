package onvif_test

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"candor/internal/democam"
	"candor/internal/egress"
	"candor/internal/id"
	"candor/internal/media"
	"candor/internal/onvif"
	"candor/internal/onvif/soap"
	"candor/internal/problem"
)

const clips = "../../clips/"

func camera(t *testing.T, change func(*democam.Server)) *democam.Server {
	t.Helper()
	s := &democam.Server{Main: clips + "people.mp4", Sub: clips + "people.sub.mp4", ONVIF: true, Username: "admin", Password: "tall & grass"}
	change(s)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func way(loopback bool) onvif.Way {
	room := egress.New(egress.Options{AllowLoopback: loopback, Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}})
	return onvif.Way{Client: room.Device(id.Binding{}).Client(5 * time.Second), May: room.May, Now: func() time.Time { return time.Now().UTC() }}
}

func TestACameraSaysWhereItStreams(t *testing.T) {
	for name, change := range map[string]func(*democam.Server){
		"token":                           func(*democam.Server) {},
		"HTTP digest":                     func(s *democam.Server) { s.Digest = true },
		"no password":                     func(s *democam.Server) { s.Username, s.Password = "", "" },
		"a clock hours ahead":             func(s *democam.Server) { s.ClockOff = 7 * time.Hour },
		"a clock that has never been set": func(s *democam.Server) { s.ClockOff = -50 * 365 * 24 * time.Hour },
	} {
		t.Run(name, func(t *testing.T) {
			s := camera(t, change)
			got, err := onvif.Look(t.Context(), way(true), s.Service(), s.Username, s.Password)
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Channels) != 1 {
				t.Fatalf("got %+v", got)
			}
			main, sub := got.Channels[0].Main, got.Channels[0].Sub
			if main.URL != s.URL(media.Main) || main.Codec != "h264" || main.Width != 768 || main.Height != 432 || sub == nil || sub.URL != s.URL(media.Sub) || sub.Width != 384 {
				t.Errorf("got %+v, %+v", main, sub)
			}
			if got.Maker != "Candor" || got.Model != "Demo camera" || s.Refused() != 0 {
				t.Errorf("got %q %q, %d refused", got.Maker, got.Model, s.Refused())
			}
			if off := got.ClockOffset - s.ClockOff; off.Abs() > time.Minute {
				t.Errorf("its clock is said to be %v off", got.ClockOffset)
			}
		})
	}
}

// Cameras lock their owner out, so a password that is refused is sent once.
func TestAWrongPasswordIsTriedOnce(t *testing.T) {
	for _, digest := range []bool{false, true} {
		s := camera(t, func(s *democam.Server) { s.Digest = digest })
		if _, err := onvif.Look(t.Context(), way(true), s.Service(), "admin", "wrong"); !problem.Is(err, onvif.CodePassword) {
			t.Errorf("a wrong password: %v", err)
		}
		if s.Refused() != 1 {
			t.Errorf("it was sent %d times", s.Refused())
		}
		if _, err := onvif.Look(t.Context(), way(true), s.Service(), "", ""); !problem.Is(err, onvif.CodeNeeds) || s.Refused() != 1 {
			t.Errorf("no password: %v, %d refused", err, s.Refused())
		}
	}
}

func TestWhatIsNoCameraGetsASentence(t *testing.T) {
	s := camera(t, func(*democam.Server) {})
	rtsp := strings.TrimPrefix(s.URL(media.Main), "rtsp://")
	for where, code := range map[string]string{
		strings.TrimSuffix(rtsp, "/main"):          onvif.CodeNone, // speaks RTSP
		"127.0.0.1:1":                              onvif.CodeNone,
		"http://198.51.100.7/onvif/device_service": "camera.forbidden_network",
		"198.51.100.7":                             "camera.forbidden_network",
		"https://127.0.0.1/onvif/device_service":   "camera.forbidden_network",
		"":                                         "camera.address",
		"a b":                                      "camera.address",
		"user:secret@10.0.0.1":                     "camera.address",
		"[::1]:80":                                 "camera.address",
		"10.0.0.1:0":                               "camera.forbidden_network",
		"2130706433":                               "camera.forbidden_network",
	} {
		if _, err := onvif.Look(t.Context(), way(true), where, "a", "b"); !problem.Is(err, code) {
			t.Errorf("%q: %v, want %s", where, err, code)
		}
	}
	if _, err := onvif.Look(t.Context(), way(false), s.Service(), "admin", s.Password); !problem.Is(err, "camera.forbidden_network") {
		t.Errorf("loopback that is not allowed: %v", err)
	}
}

// The demo camera answers discovery on loopback; whoever else does so is left alone.
func TestACameraIsFoundBySearch(t *testing.T) {
	s := camera(t, func(s *democam.Server) { s.Discover, s.Name = true, "Front door & hall" })
	room := egress.New(egress.Options{AllowLoopback: true})
	seek := func(r *egress.Room, enough func(onvif.Match) bool) []netip.Prefix {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		asked, err := onvif.Seek(ctx, r, func(m onvif.Match) {
			if enough(m) {
				cancel()
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		return asked
	}
	var found onvif.Match
	asked := seek(room, func(m onvif.Match) bool {
		if m.Address == s.Service() {
			found = m
		}
		return found.Address != ""
	})
	if found.Name != "Front door & hall" || found.Hardware != "demo" || !strings.HasPrefix(s.Service(), "http://"+found.Host+"/") || len(asked) == 0 {
		t.Errorf("found %+v in %v", found, asked)
	}
	// Where loopback is not allowed nobody asks there.
	closed := egress.New(egress.Options{Networks: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}})
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if asked, err := onvif.Seek(ctx, closed, func(m onvif.Match) { t.Errorf("found %+v", m) }); err != nil || len(asked) != 0 {
		t.Errorf("asked %v, %v", asked, err)
	}
}

func TestAnswersOfStrangersAreReadWithCare(t *testing.T) {
	may := egress.New(egress.Options{Networks: []netip.Prefix{netip.MustParsePrefix("192.168.1.0/24")}}).May
	from := netip.MustParseAddrPort("192.168.1.20:3702")
	message := func(relates, types, scopes, xaddrs string) []byte {
		return soap.Envelope(`<a:RelatesTo>`+relates+`</a:RelatesTo>`, `<d:ProbeMatches><d:ProbeMatch><a:EndpointReference><a:Address>urn:uuid:1</a:Address></a:EndpointReference><d:Types>`+
			types+`</d:Types><d:Scopes>`+scopes+`</d:Scopes><d:XAddrs>`+xaddrs+`</d:XAddrs></d:ProbeMatch></d:ProbeMatches>`)
	}
	const nvt, at = "dn:NetworkVideoTransmitter tds:Device", "http://192.168.1.20/onvif/device_service"
	for _, c := range []struct {
		name, relates, types, scopes, xaddrs string
		want                                 string // the address, "" for nobody
	}{
		{"a camera", "urn:uuid:P-1", nvt, "", at, at},
		{"an id in other letters", "uuid:p-1", nvt, "", at, at},
		{"a port", "urn:uuid:P-1", nvt, "", "http://192.168.1.20:8000/onvif/device_service", "http://192.168.1.20:8000/onvif/device_service"},
		{"known by its scopes", "", "tds:Device", "onvif://www.onvif.org/name/x", at, at},
		{"several addresses, one of them where it is", "", nvt, "", "http://169.254.3.4/x http://[fe80::1]/x http://192.168.1.99/x " + at, at},
		{"a printer", "urn:uuid:P-1", "wsdp:Device pub:Computer", "", at, ""},
		{"another question", "urn:uuid:P-2", nvt, "", at, ""},
		{"elsewhere", "", nvt, "", "http://203.0.113.9/onvif/device_service", ""},
		{"this machine", "", nvt, "", "http://127.0.0.1/onvif/device_service", ""},
		{"a name", "", nvt, "", "http://camera.example/onvif/device_service", ""},
		{"a number in disguise", "", nvt, "", "http://3232235796/onvif/device_service", ""},
		{"with a password", "", nvt, "", "http://a:b@192.168.1.20/onvif/device_service", ""},
		{"no address", "", nvt, "", "", ""},
		{"a file", "", nvt, "", "file:///etc/passwd", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := onvif.Matches(message(c.relates, c.types, c.scopes, soap.Text(c.xaddrs)), "P-1", from, may)
			if c.want == "" && len(got) > 0 || c.want != "" && (len(got) != 1 || got[0].Address != c.want) {
				t.Errorf("got %+v, want %q", got, c.want)
			}
		})
	}
	long := onvif.Matches(message("", nvt, "onvif://www.onvif.org/name/"+strings.Repeat("%E5%89%8D", 500)+"%0A%1b onvif://www.onvif.org/hardware/%zz", at), "P-1", from, may)
	if len(long) != 1 || len([]rune(long[0].Name)) > 128 || strings.ContainsAny(long[0].Name, "\n\x1b") || long[0].Hardware != "" {
		t.Errorf("got %+v", long)
	}
}

// asker hands answers to whoever asks, without a network.
type asker struct {
	answers [][]byte
	mu      sync.Mutex
	may     []string
}

func (a *asker) Ask(_ context.Context, _ netip.AddrPort, q []byte, answer func(netip.AddrPort, []byte)) ([]netip.Prefix, error) {
	_, id, _ := strings.Cut(string(q), "<a:MessageID>")
	id, _, _ = strings.Cut(id, "</")
	for _, b := range a.answers {
		answer(netip.MustParseAddrPort("10.0.0.9:3702"), []byte(strings.ReplaceAll(string(b), "{id}", id)))
	}
	return nil, nil
}

func (a *asker) May(address string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.may = append(a.may, address)
	if !strings.HasPrefix(address, "10.") {
		return errors.New("no")
	}
	return nil
}

func TestACameraIsShownOnceAndManyAreBounded(t *testing.T) {
	var a asker
	for i := range 2000 {
		ip := netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}).String()
		one := soap.Envelope(`<a:RelatesTo>{id}</a:RelatesTo>`, `<d:ProbeMatches><d:ProbeMatch><d:Types>dn:NetworkVideoTransmitter</d:Types><d:XAddrs>http://`+ip+`/x</d:XAddrs></d:ProbeMatch></d:ProbeMatches>`)
		a.answers = append(a.answers, one, one, []byte("noise"))
	}
	var got []string
	if _, err := onvif.Seek(t.Context(), &a, func(m onvif.Match) { got = append(got, m.Address) }); err != nil {
		t.Fatal(err)
	}
	if n := len(got); n < 100 || n > 600 {
		t.Errorf("%d cameras", n)
	}
	if slices.Sort(got); len(slices.Compact(slices.Clone(got))) != len(got) {
		t.Error("a camera was shown twice")
	}
}

func FuzzMatches(f *testing.F) {
	f.Add(soap.Envelope("", `<d:ProbeMatches><d:ProbeMatch><d:Types>dn:NetworkVideoTransmitter</d:Types><d:Scopes>onvif://www.onvif.org/name/a%20b</d:Scopes><d:XAddrs>http://10.0.0.1:80/x http://[::1]/y</d:XAddrs></d:ProbeMatch></d:ProbeMatches>`))
	f.Add(onvif.Probe("x"))
	may := egress.New(egress.Options{Networks: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}).May
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, m := range onvif.Matches(b, "x", netip.MustParseAddrPort("10.0.0.1:3702"), may) {
			if !strings.HasPrefix(m.Address, "http://10.") || strings.ContainsAny(m.Name+m.Hardware+m.Endpoint, "\r\n\x00") {
				t.Errorf("%+v", m)
			}
		}
	})
}
