package egress

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// denied are networks no camera is in, whatever an operator allows: each with what it is.
var denied = []struct {
	prefix netip.Prefix
	why    string
}{
	{netip.MustParsePrefix("0.0.0.0/8"), "the address means this machine"},
	{netip.MustParsePrefix("127.0.0.0/8"), "the address is this machine's own"},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local and metadata addresses are never allowed"},
	{netip.MustParsePrefix("100.100.100.200/32"), "metadata addresses are never allowed"},
	{netip.MustParsePrefix("168.63.129.16/32"), "metadata addresses are never allowed"},
	{netip.MustParsePrefix("192.0.0.0/24"), "protocol and metadata addresses are never allowed"},
	{netip.MustParsePrefix("224.0.0.0/4"), "the address is multicast"},
	{netip.MustParsePrefix("240.0.0.0/4"), "the address is reserved"},
	{netip.MustParsePrefix("::/96"), "the address carries another one"}, // also :: and ::1
	{netip.MustParsePrefix("64:ff9b::/96"), "the address carries another one (NAT64)"},
	{netip.MustParsePrefix("64:ff9b:1::/48"), "the address carries another one (NAT64)"},
	{netip.MustParsePrefix("2001::/32"), "the address carries another one (Teredo)"},
	{netip.MustParsePrefix("2002::/16"), "the address carries another one (6to4)"},
	{netip.MustParsePrefix("fe80::/10"), "link-local addresses are never allowed"},
	{netip.MustParsePrefix("fec0::/10"), "site-local addresses are never allowed"},
	{netip.MustParsePrefix("fd00:ec2::/32"), "metadata addresses are never allowed"},
	{netip.MustParsePrefix("fd20:ce::/32"), "metadata addresses are never allowed"},
	{netip.MustParsePrefix("ff00::/8"), "the address is multicast"},
}

// never says why an address must not be dialled by anybody; "" means nothing speaks against it.
// The address must be unmapped: IPv4 inside IPv6 is checked as IPv4.
func never(a netip.Addr) string {
	if !a.IsValid() {
		return "not an address"
	}
	for _, d := range denied {
		if d.prefix.Contains(a) {
			return d.why
		}
	}
	// ISATAP: ::0:5efe:a.b.c.d in the lower half of any prefix.
	if b := a.As16(); a.Is6() && b[8]&^2 == 0 && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe {
		return "the address carries another one (ISATAP)"
	}
	return ""
}

// splitPort takes host and port apart; both are needed.
func splitPort(address string) (string, uint16, error) {
	host, text, err := net.SplitHostPort(address)
	if err != nil {
		return "", 0, fmt.Errorf("address: %w", err)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil || port == 0 {
		return "", 0, errors.New("the port is not a number from 1 to 65535")
	}
	if host == "" {
		return "", 0, errors.New("the host is missing")
	}
	return host, uint16(port), nil
}

// checkName lets through what can only be a DNS name. "2130706433", "0x7f.1" and "0177.0.0.1"
// are numbers to some resolvers and names to others: they are refused. So is any name whose
// last label is a number (WHATWG URL, "ends in a number").
func checkName(host string) error {
	name := strings.TrimSuffix(host, ".")
	if name == "" || len(name) > 253 {
		return errors.New("the host is not a name")
	}
	labels := strings.Split(name, ".")
	for _, l := range labels {
		if l == "" || len(l) > 63 || l[0] == '-' || l[len(l)-1] == '-' {
			return errors.New("the host is not a name")
		}
		for i := range len(l) {
			c := l[i]
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_') {
				return errors.New("the host is not a name")
			}
		}
	}
	if last := strings.ToLower(labels[len(labels)-1]); isNumber(last) {
		return errors.New("the host is a number in disguise")
	}
	return nil
}

func isNumber(label string) bool {
	if hex, ok := strings.CutPrefix(label, "0x"); ok {
		return strings.Trim(hex, "0123456789abcdef") == ""
	}
	return strings.Trim(label, "0123456789") == ""
}
