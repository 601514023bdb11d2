package onvif

import (
	"bytes"
	"context"
	"net/netip"
	"net/url"
	"strings"
	"unicode"

	"github.com/google/uuid"

	"candor/internal/onvif/soap"
)

// Group is where discovery is spoken.
var Group = netip.MustParseAddrPort("239.255.255.250:3702")

// Asker asks everybody in the allowed networks; egress is one.
type Asker interface {
	Ask(ctx context.Context, group netip.AddrPort, datagram []byte, answer func(from netip.AddrPort, b []byte)) ([]netip.Prefix, error)
	// May reports why host:port must not be dialled; nil means it may.
	May(address string) error
}

// Match is a camera that answered.
type Match struct {
	Endpoint string // its own name for itself, mostly urn:uuid:…
	Address  string // of its device service: http://192.168.1.20/onvif/device_service
	Host     string // "192.168.1.20", or with a port if it is not 80
	Name     string // what it says of itself; may be empty
	Hardware string
	Maker    string
}

// The bounds of a search.
const (
	maxMatches  = 256 // cameras
	maxInAnswer = 16
	maxText     = 128 // characters of a name
)

// Seek asks the networks for cameras until ctx ends and calls found for each new one. It says which
// networks were asked.
func Seek(ctx context.Context, ask Asker, found func(Match)) ([]netip.Prefix, error) {
	probe := uuid.New().String()
	known := map[string]bool{}
	return ask.Ask(ctx, Group, Probe(probe), func(from netip.AddrPort, b []byte) {
		for _, m := range Matches(b, probe, from, ask.May) {
			if !known[m.Endpoint] && !known[m.Address] && len(known) < 2*maxMatches {
				known[m.Endpoint], known[m.Address] = true, true
				found(m)
			}
		}
	})
}

// Probe is the question: which network video transmitters are there?
func Probe(id string) []byte {
	return soap.Envelope(
		`<a:Action s:mustUnderstand="1">`+soap.Discovery+`/Probe</a:Action><a:MessageID>urn:uuid:`+soap.Text(id)+`</a:MessageID>`+
			`<a:ReplyTo><a:Address>`+soap.Addressing+`/role/anonymous</a:Address></a:ReplyTo>`+
			`<a:To s:mustUnderstand="1">urn:schemas-xmlsoap-org:ws:2005:04:discovery</a:To>`,
		`<d:Probe><d:Types>dn:NetworkVideoTransmitter</d:Types></d:Probe>`)
}

// answer is what comes back.
type answer struct {
	RelatesTo string `xml:"Header>RelatesTo"`
	Matches   []struct {
		Endpoint string `xml:"EndpointReference>Address"`
		Types    string `xml:"Types"`
		Scopes   string `xml:"Scopes"`
		XAddrs   string `xml:"XAddrs"`
	} `xml:"Body>ProbeMatches>ProbeMatch"`
}

// Matches reads an answer to a probe. Who answers something else, is no camera, or names no address
// that may be reached is left out, without a word: printers and computers speak this too.
func Matches(b []byte, probe string, from netip.AddrPort, may func(address string) error) []Match {
	var a answer
	if err := soap.Read(bytes.NewReader(b), &a); err != nil {
		return nil
	}
	if r := strings.TrimSpace(a.RelatesTo); r != "" && !strings.Contains(strings.ToLower(r), strings.ToLower(probe)) {
		return nil // to somebody else's question
	}
	var out []Match
	for i, m := range a.Matches {
		if i == maxInAnswer {
			break
		}
		if !strings.Contains(m.Types, "NetworkVideoTransmitter") && !strings.Contains(m.Scopes, "onvif://") {
			continue
		}
		address, host := pick(m.XAddrs, from, may)
		if address == "" {
			continue
		}
		s := scopes(m.Scopes)
		one := Match{Endpoint: cut(m.Endpoint), Address: address, Host: host, Name: s["name"], Hardware: s["hardware"], Maker: s["manufacturer"]}
		if one.Endpoint == "" {
			one.Endpoint = address
		}
		out = append(out, one)
	}
	return out
}

// pick chooses among the addresses of a camera: one at the host that answered if there is such, else
// the first that may be reached.
func pick(list string, from netip.AddrPort, may func(string) error) (address, host string) {
	for i, text := range strings.Fields(list) {
		if i == maxInAnswer {
			break
		}
		at, h, ok := service(text, may)
		if !ok {
			continue
		}
		if address == "" {
			address, host = at, h
		}
		if to, err := netip.ParseAddr(strings.Split(h, ":")[0]); err == nil && to == from.Addr() {
			return at, h
		}
	}
	return address, host
}

// service reads the address of a device service. Only an IPv4 address that may be reached will do.
func service(text string, may func(string) error) (address, host string, ok bool) {
	if len(text) > 512 {
		return "", "", false
	}
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" || u.User != nil || u.Opaque != "" {
		return "", "", false
	}
	ip, err := netip.ParseAddr(u.Hostname())
	if err != nil || !ip.Is4() {
		return "", "", false
	}
	port := u.Port()
	if port == "" {
		port = "80"
	}
	if may(ip.String()+":"+port) != nil {
		return "", "", false
	}
	host = ip.String()
	if port != "80" {
		host += ":" + port
	}
	return (&url.URL{Scheme: "http", Host: host, Path: u.Path, RawQuery: u.RawQuery}).String(), host, true
}

// scopes are what a camera says of itself: onvif://www.onvif.org/name/Front%20Door.
func scopes(list string) map[string]string {
	out := map[string]string{}
	for i, s := range strings.Fields(list) {
		if i == 64 {
			break
		}
		rest, ok := strings.CutPrefix(s, "onvif://www.onvif.org/")
		if !ok {
			continue
		}
		kind, value, _ := strings.Cut(rest, "/")
		kind = strings.ToLower(kind)
		if plain, err := url.PathUnescape(value); err == nil && out[kind] == "" {
			out[kind] = cut(plain)
		}
	}
	return out
}

// cut makes what a stranger wrote fit to be shown: one line, readable, not long.
func cut(s string) string {
	s = strings.Join(strings.FieldsFunc(strings.ToValidUTF8(s, ""), func(r rune) bool {
		return unicode.IsSpace(r) || unicode.IsControl(r) || !unicode.IsPrint(r)
	}), " ")
	if runes := []rune(s); len(runes) > maxText {
		s = string(runes[:maxText])
	}
	return s
}
