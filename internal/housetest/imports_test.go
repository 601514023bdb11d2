package housetest

import (
	"slices"
	"strings"
	"testing"
)

// What foreign code is about.
var (
	overHTTP = []string{"net/http", "github.com/danielgtaylor/huma/v2", "github.com/coder/websocket", "github.com/prometheus/client_golang"}
	overSQL  = []string{"database/sql", "github.com/uptrace/bun", "github.com/jackc/pgx/v5", "modernc.org/sqlite", "github.com/pressly/goose/v3"}
	ofMedia  = []string{"github.com/bluenviron", "github.com/pion", "github.com/abema/go-mp4", "github.com/y9o/go-openh264", "github.com/ebitengine/purego"}
	people   = []string{"internal/account", "internal/consent", "internal/device", "internal/gate", "internal/rights", "internal/translog", "internal/seal", "internal/permit"}
	doors    = []string{"internal/httpapi", "internal/webapp", "internal/cli", "internal/app", "internal/front"}
)

// rule forbids a room to reach something, directly or through other rooms.
type rule struct {
	room  string
	never []string
	why   string
	// direct limits the rule to the room's own imports.
	direct bool
	// owed names imports that the rule already meets in the source, with what excuses them. The
	// test fails when an excuse is no longer needed, so the list cannot outlive its reasons.
	owed map[string]string
}

var rules = []rule{
	{room: "internal/media", never: slices.Concat(people, doors, overHTTP, overSQL, []string{"internal/sqldb", "internal/bus"}),
		why: "media is the hot path: it knows units and streams, and nothing of people, SQL or HTTP"},
	{room: "internal/policy", never: slices.Concat(people, doors, overHTTP, overSQL, ofMedia, []string{"internal/sqldb", "internal/bus", "internal/media"}),
		why: "the policy must mean the same wherever it is read, so it knows neither how it is asked nor where data lies"},
	{room: "internal/gate", never: slices.Concat(doors, ofMedia, []string{"net/http", "internal/media", "internal/ingest", "internal/live", "internal/footage"}),
		why: "the gate decides who may; what is then delivered, and over which protocol, is not its business"},
	{room: "internal/gate", direct: true, never: slices.Concat(overSQL, []string{"internal/sqldb"}),
		why: "the gate asks what others know (consents, bindings, sessions); it must not look it up itself",
		owed: map[string]string{
			"internal/sqldb":         "it keeps the numbered revocations itself, in the database it is handed",
			"github.com/uptrace/bun": "the type of a transaction there",
		}},
	{room: "internal/permit", never: slices.Concat(doors, overHTTP, overSQL, ofMedia, []string{"internal/gate", "internal/seal", "internal/sqldb", "internal/media"}),
		why: "a permit is a value that everybody reads; it must not pull anybody in"},
	{room: "internal/seal", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/account", "internal/device", "internal/gate", "internal/rights", "internal/media"}),
		why: "sealing looks at the permit alone; it must not be able to ask who is calling or over which protocol"},
	{room: "internal/translog", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/gate", "internal/account", "internal/device"}),
		why: "records are written by whoever opens something; the log itself looks nobody up"},
	{room: "internal/footage", never: slices.Concat(doors, overHTTP, []string{"internal/account", "internal/device", "internal/consent", "internal/gate", "internal/live", "internal/ingest"}),
		why: "footage keeps sealed bytes for a camera it is told of; who may record or look is decided before"},
	{room: "internal/ingest", never: slices.Concat(doors, overSQL, []string{"internal/account", "internal/consent", "internal/gate", "internal/footage", "internal/live", "internal/sqldb"}),
		why: "taking a stream in ends at the hub; what happens to it there is for others"},
	{room: "internal/onvif", never: slices.Concat(doors, people, overSQL, ofMedia, []string{"internal/egress", "internal/media", "internal/ingest", "internal/sqldb"}),
		why: "asking strangers in the network needs a way out that is handed in, and keeps nothing"},
	{room: "internal/live", never: slices.Concat(doors, overSQL, []string{"internal/account", "internal/consent", "internal/gate", "internal/seal", "internal/footage", "internal/ingest", "internal/sqldb"}),
		why: "delivering a stream needs a lease and a stream, nothing else"},
	{room: "internal/decode", never: slices.Concat(doors, people, overSQL, []string{"internal/sqldb", "internal/footage", "internal/ingest"}),
		why: "pictures are decoded next to foreign code, so nothing worth stealing may be near"},
	{room: "internal/motion", never: slices.Concat(doors, overSQL, []string{"internal/account", "internal/consent", "internal/device", "internal/gate", "internal/seal", "internal/footage", "internal/ingest", "internal/sqldb"}),
		why: "motion says that something moves; whose camera it is and who is told are not its business"},
	{room: "cmd/candor-decode", never: slices.Concat(doors, people, overHTTP, overSQL, []string{"net", "internal/sqldb", "internal/media", "internal/promise"}),
		why: "the decoder meets hostile bytes with foreign C code: it has no keys, no network and no business with anything else"},
	{room: "internal/sqldb", never: slices.Concat(doors, people, overHTTP, ofMedia),
		why: "the database room opens databases; tables belong to other rooms"},
	{room: "internal/bus", never: slices.Concat(doors, people, overHTTP, ofMedia),
		why: "the bus carries ids; a bus that can look things up would soon carry what it found"},
	{room: "internal/account", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/media", "internal/live", "internal/ingest", "internal/footage"}),
		why: "accounts know nothing of cameras or of how they are asked"},
	{room: "internal/device", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/live", "internal/footage"}),
		why: "devices are named and bound here; their streams are elsewhere"},
	{room: "internal/consent", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/media", "internal/live", "internal/ingest", "internal/footage"}),
		why: "a consent is a record of words and answers"},
	{room: "internal/share", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/account", "internal/device", "internal/media", "internal/live", "internal/ingest", "internal/footage"}),
		why: "a share is a right and its terms; whose cameras stand where, and who somebody is, it asks"},
	{room: "internal/rights", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/footage", "internal/account", "internal/device", "internal/live", "internal/media"}),
		why: "rights reach each room through its Holder; knowing a room would tempt it to forget another"},
	{room: "internal/report", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/account", "internal/device", "internal/ingest", "internal/footage", "internal/media"}),
		why: "reports are what it is told of a connection; who connects, and to what, is elsewhere"},
	{room: "internal/notice", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/account", "internal/device", "internal/gate", "internal/notify", "internal/footage", "internal/media"}),
		why: "a notice is words and how far telling is; who people are, and how they are written to, it is handed"},
	{room: "internal/takeaway", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/footage", "internal/account", "internal/device", "internal/gate", "internal/live", "internal/media"}),
		why: "a copy is of whatever the holders say they hold; knowing a room would tempt it to copy that one otherwise"},
	{room: "internal/backup", never: slices.Concat(doors, overHTTP, ofMedia, []string{"internal/account", "internal/device", "internal/gate", "internal/rights", "internal/footage", "internal/media"}),
		why: "a backup copies files and a database whole; knowing a room would tempt it to copy that one otherwise"},
	{room: "internal/takeaway/archive", never: slices.Concat(people, overSQL, []string{"internal"}),
		why: "the archive lays bytes and names out and knows nothing else"},
	{room: "internal/egress", never: slices.Concat(doors, overSQL, ofMedia, []string{"internal/account", "internal/device", "internal/footage", "internal/media"}),
		why: "egress is told what to dial; it must not find out by itself"},
	{room: "internal/notify", never: slices.Concat(doors, ofMedia, []string{"internal/account", "internal/device", "internal/consent", "internal/footage", "internal/media", "internal/egress"}),
		why: "a channel carries what it is handed, over a connection it is handed; who is told what is decided before"},
	{room: "internal/watch", never: slices.Concat(doors, people, overSQL, ofMedia, []string{"internal/sqldb", "internal/footage", "internal/media"}),
		why: "a probe looks at what it is handed; a watch that knew the rooms could change them"},
	{room: "internal/promise", never: slices.Concat(doors, people, overHTTP, overSQL, ofMedia, []string{"testing"}),
		why: "every room imports promise, so promise imports no room and links no test code"},
}

// ground rooms may be imported by everybody and know only each other.
var ground = []string{"internal/id", "internal/clock", "internal/passport", "internal/problem", "internal/version", "internal/promise"}

func TestRoomsReachOnlyWhatTheyMay(t *testing.T) {
	for _, v := range violations(house(t), rules) {
		t.Error(v)
	}
}

// The rules themselves notice, also around a corner, and notice an excuse that outlived its reason.
func TestRulesNotice(t *testing.T) {
	h := planted(t, map[string]string{
		"internal/media/a.go":   `package media; import _ "candor/internal/corner"`,
		"internal/corner/a.go":  `package corner; import h "net/http"; var _ = h.Get`,
		"internal/policy/a.go":  `package policy; import "candor/internal/numbers"; var _ = numbers.N`,
		"internal/numbers/a.go": `package numbers; import "net/http"; var N = http.StatusOK`,
	})
	for name, c := range map[string]struct {
		rule rule
		says string
	}{
		"around a corner":  {rule{room: "internal/media", never: []string{"net/http"}, why: "hot"}, "internal/media → internal/corner → net/http"},
		"only numbers":     {rule{room: "internal/policy", never: []string{"net/http"}, why: "pure"}, ""},
		"direct":           {rule{room: "internal/media", never: []string{"net/http"}, why: "hot", direct: true}, ""},
		"excused":          {rule{room: "internal/corner", never: []string{"net/http"}, why: "hot", owed: map[string]string{"net/http": "for now"}}, ""},
		"excuse no longer": {rule{room: "internal/policy", never: []string{"net/http"}, why: "pure", owed: map[string]string{"net/http": "for now"}}, "no longer needs"},
	} {
		got := violations(h, []rule{c.rule})
		if c.says == "" && len(got) > 0 || c.says != "" && (len(got) != 1 || !strings.Contains(got[0], c.says)) {
			t.Errorf("%s: got %q, want %q", name, got, c.says)
		}
	}
}

// violations says what meets a rule, and which excuses nobody needs.
func violations(h *tree, rules []rule) []string {
	var found []string
	for _, r := range rules {
		needed := map[string]bool{}
		built := false
		for p := range h.pkgs {
			if !below(p, r.room) || joins(p) {
				continue
			}
			built = true
			for to, way := range h.ways(p, r.direct) {
				ours := strings.TrimPrefix(to, "candor/")
				switch {
				case to == "database/sql/driver": // how a value says what it is in SQL
				case below(to, r.room) || !slices.ContainsFunc(r.never, func(n string) bool { return below(to, n) }):
				case to == "net/http" && onlyNumbers(h, way):
				case r.owed[ours] != "":
					needed[ours] = true
				default:
					found = append(found, r.room+" must not reach "+to+": "+r.why+"\n\tthe way: "+way)
				}
			}
		}
		for to, excuse := range r.owed {
			if built && !needed[to] {
				found = append(found, r.room+" no longer needs its excuse for "+to+" ("+excuse+"): take it out of the table")
			}
		}
	}
	return found
}

// joins reports whether a sub-package joins its room to another one on purpose: held is a room's
// Holder for rights, the tools of promise read the policy, and test helpers know what they test.
func joins(p string) bool {
	return strings.HasSuffix(p, "/held") || helper(p) || strings.HasPrefix(p, "internal/promise/")
}

// helper reports whether a package helps tests: its name ends so, and the product may not use it.
func helper(p string) bool { return strings.HasSuffix(p, "test") }

func TestTestHelpersStayInTests(t *testing.T) {
	for p, one := range house(t).pkgs {
		for _, i := range one.imports() {
			if strings.HasPrefix(i, "candor/") && helper(i) && !helper(p) {
				t.Errorf("%s imports %s, which is for tests", p, i)
			}
		}
	}
}

// onlyNumbers reports whether the last of our packages on the way to net/http takes nothing from
// it but names of status codes and methods, which any room may.
func onlyNumbers(h *tree, way string) bool {
	steps := strings.Split(way, " → ")
	last := h.pkgs[steps[len(steps)-2]]
	only := true
	for _, f := range last.files {
		if f.test {
			continue
		}
		f.uses(func(path, name string, _ tokenPos) {
			if path == "net/http" && !strings.HasPrefix(name, "Status") && !strings.HasPrefix(name, "Method") {
				only = false
			}
		})
	}
	return only
}

func TestGroundKnowsOnlyGround(t *testing.T) {
	h := house(t)
	for _, g := range ground {
		p := h.pkgs[g]
		if p == nil {
			t.Errorf("%s is gone: take it out of the table", g)
			continue
		}
		for _, i := range p.imports() {
			if ours, ok := strings.CutPrefix(i, "candor/"); ok && !slices.Contains(ground, ours) {
				t.Errorf("%s imports %s: the ground carries the house and leans on nothing of it", g, ours)
			}
			if strings.Contains(i, ".") && i != "github.com/google/uuid" {
				t.Errorf("%s imports %s: the ground is ours and the standard library's", g, i)
			}
		}
	}
}

// Rooms meet through interfaces that the caller declares; one room knows everybody.
func TestOnlyAppKnowsEverybody(t *testing.T) {
	h := house(t)
	const many = 12
	for p, one := range h.pkgs {
		if below(p, "internal/app") || !below(p, "internal") {
			continue
		}
		var rooms []string
		for _, i := range one.imports() {
			ours, ok := strings.CutPrefix(i, "candor/internal/")
			if ok && !slices.Contains(ground, "internal/"+ours) && !below("internal/"+ours, p) {
				room, _, _ := strings.Cut(ours, "/")
				rooms = append(rooms, room)
			}
		}
		slices.Sort(rooms)
		if rooms = slices.Compact(rooms); len(rooms) > many {
			t.Errorf("%s imports %d rooms (%s): only internal/app knows everybody; declare the interface you need", p, len(rooms), strings.Join(rooms, " "))
		}
		if slices.Contains(rooms, "app") && !below(p, "internal/cli") {
			t.Errorf("%s imports internal/app: the wiring room is for main alone", p)
		}
	}
}

// The issuer of permits is made in one place and used in one. The bench opens rooms of its own,
// on a throw-away folder, without the gate before them.
func TestOnlyTheGateIssuesPermits(t *testing.T) {
	house(t).each(func(p *pkg, f *file) {
		f.uses(func(path, name string, at tokenPos) {
			if path != "candor/internal/permit" || helper(p.path) || below(p.path, "bench") {
				return
			}
			switch {
			case name == "NewIssuer" && !below(p.path, "internal/app"):
				t.Errorf("%s calls permit.NewIssuer: internal/app makes the one issuer", f.name)
			case name == "Issuer" && !below(p.path, "internal/app") && !below(p.path, "internal/gate"):
				t.Errorf("%s names permit.Issuer: only the gate may hold it", f.name)
			}
		})
	})
}
