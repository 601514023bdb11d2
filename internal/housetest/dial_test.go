package housetest

import (
	"go/ast"
	"slices"
	"strings"
	"testing"

	"candor/internal/policy"
	"candor/internal/promise"
)

// dialling are the names with which the standard library and our modules open connections.
var dialling = map[string][]string{
	"net":                          {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer"},
	"crypto/tls":                   {"Dial", "DialWithDialer", "Dialer"},
	"net/http":                     {"Get", "Post", "PostForm", "Head", "DefaultClient", "DefaultTransport", "Client", "Transport"},
	"net/smtp":                     {"Dial", "SendMail"},
	"github.com/wneessen/go-mail":  {"QuickSend"},
	"github.com/coder/websocket":   {"Dial"},
	"github.com/gorilla/websocket": {"DefaultDialer", "Dialer"},
}

// mayDial are the folders that open connections, each with to whom.
var mayDial = map[string]string{
	"internal/egress": "the one way out: cameras in allowed networks and registered recipients",
	"internal/cli":    "asks the server on this machine, on loopback",
	"smoke":           "drives a server on loopback from outside",
	"bench":           "drives servers on loopback from outside",
}

// pointers are the places where a type is named as something to be handed in: *http.Client.
func (f *file) pointers() map[tokenPos]bool {
	at := map[tokenPos]bool{}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if star, ok := n.(*ast.StarExpr); ok {
			at[star.X.Pos()] = true
		}
		return true
	})
	return at
}

// diallers are the places outside mayDial that could open a connection.
func diallers(h *tree) []string {
	var found []string
	h.each(func(p *pkg, f *file) {
		if helper(p.path) {
			return
		}
		for dir := range mayDial {
			if below(p.path, dir) {
				return
			}
		}
		handed := f.pointers()
		f.uses(func(path, name string, at tokenPos) {
			if slices.Contains(dialling[path], name) && !(handed[at] && slices.Contains([]string{"Client", "Transport", "Dialer"}, name)) {
				found = append(found, f.name+" uses "+path+"."+name)
			}
		})
	})
	return found
}

// Nothing dials but egress, so an installation tells nobody that it exists, and looks for no
// updates.
func TestNothingDialsButEgress(t *testing.T) {
	promise.Proves(t, "P141", "P147")
	h := house(t)
	if promise.Cut("P141") || promise.Cut("P147") {
		h = h.with(t, "internal/planted/a.go", `package planted; import "net/http"; func Report() { http.Get("https://updates.example/") }`)
	}
	for _, place := range diallers(h) {
		t.Errorf("%s: connections are opened by internal/egress, which checks where to and keeps a record", place)
	}
}

func TestDialRuleNotices(t *testing.T) {
	for _, src := range []string{
		`package x; import "net"; func F() { net.Dial("tcp", "192.0.2.1:80") }`,
		`package x; import n "net"; var d n.Dialer`,
		`package x; import "net/http"; var c = http.DefaultClient`,
		`package x; import "net/http"; var c = &http.Client{}`,
		`package x; import "net/http"; var c = new(http.Client)`,
		`package x; import "crypto/tls"; func F() { tls.Dial("tcp", "", nil) }`,
	} {
		if got := diallers(planted(t, map[string]string{"internal/x/a.go": src})); len(got) != 1 {
			t.Errorf("%s: found %q", src, got)
		}
	}
	if got := diallers(planted(t, map[string]string{"internal/x/a.go": `package x; import "net/http"; type Options struct{ Client *http.Client }`})); len(got) != 0 {
		t.Errorf("a client that is handed in: %q", got)
	}
	if got := diallers(planted(t, map[string]string{"internal/egress/a.go": `package egress; import "net"; var d net.Dialer`})); len(got) != 0 {
		t.Errorf("egress itself: %q", got)
	}
}

// recipients are whom the policy knows, each with exactly what it receives. The certificate authority
// learns nothing about people; the mail server carries what is written to a person, a push service
// what only a person's browser can read, after they agreed. All are there only where the operator
// configured them.
var recipients = map[string]string{
	"acme": "infrastructure: domain name, operator e-mail address",
	"smtp": "e-mail: e-mail address, subject and text of the message",
	"push": "messages: endpoint, encrypted text, urgency, time to live",
}

func TestNobodyIsARecipientOfPeoplesData(t *testing.T) {
	promise.Proves(t, "P199", "P288", "P186")
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	all := p.Recipients
	if promise.Cut("P199") || promise.Cut("P288") {
		all = append(slices.Clone(all), policy.Recipient{ID: "reach-figures", Role: "analysis", When: "always", People: true})
	}
	if promise.Cut("P186") {
		all = append(slices.Clone(all), policy.Recipient{ID: "crash-reports", Role: "support", When: "configured", Fields: []string{"log"}})
	}
	for _, r := range all {
		if recipients[r.ID] != r.Role+": "+strings.Join(r.Fields, ", ") || r.People && r.Role != "e-mail" && r.Role != "messages" || r.When != "configured" {
			t.Errorf("recipient %s (%s, %s) receives %v: this test does not know it", r.ID, r.Role, r.When, r.Fields)
		}
	}
}
