package policy_test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"candor/internal/passport"
	"candor/internal/policy"
	"candor/internal/promise"
)

// next is the source of the version that follows, with edits {file, old, new}.
func next(t *testing.T, edits ...[3]string) fstest.MapFS {
	t.Helper()
	m := copyOf(t)
	edits = append(edits,
		[3]string{"policy.yaml", "version: 1\n", "version: 2\n"},
		[3]string{"policy.yaml", `published: "2026-11-22"`, `published: "2026-12-01"`},
		[3]string{"policy.yaml", `effective: "2026-11-22"`, `effective: "2026-12-15"`})
	for _, e := range edits {
		was := string(m[e[0]].Data)
		is := strings.Replace(was, e[1], e[2], 1)
		if was == is {
			t.Fatalf("%s does not contain %q", e[0], e[1])
		}
		m[e[0]] = &fstest.MapFile{Data: []byte(is)}
	}
	return m
}

func load(t *testing.T, m fs.FS) *policy.Policy {
	t.Helper()
	p, err := policy.Load(m)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

const newPurpose = `purposes:
  - id: analytics
    dpv: dpv:ServiceOptimisation
    fideslang: analytics.reporting
    basis: eu-gdpr:A6-1-b
    categories: [technical]
`

// named are words for a purpose that the test adds.
func named(t *testing.T, m fstest.MapFS, under, id string) fstest.MapFS {
	t.Helper()
	for _, lang := range []string{"en", "zh-Hans"} {
		file := "texts/" + lang + "/names.yaml"
		m[file] = &fstest.MapFile{Data: []byte(strings.Replace(string(m[file].Data), under+":\n", under+":\n  "+id+":\n    name: New\n    text: new\n", 1))}
	}
	return m
}

// Which changes are material is found by comparison, and each of the six classes is one.
func TestDiffFindsEachClassOfMaterialChange(t *testing.T) {
	promise.Proves(t, "P328")
	was := built(t)
	for name, c := range map[string]struct {
		edits    [][3]string
		change   string // the one material change, or "" for none
		class    policy.Class
		cut      bool
		suspends []passport.Purpose
	}{
		"nothing but a version":       {},
		"other words":                 {edits: [][3]string{{"texts/en/policy.md", "Nobody else receives anything.", "Nobody else gets anything."}}},
		"a shorter stay of reports":   {edits: [][3]string{{"retention.yaml", "days: 90", "days: 60"}}, change: "retention.event", class: policy.Processing},
		"a longer stay":               {edits: [][3]string{{"retention.yaml", "days: 90", "days: 120"}}, change: "retention.event", class: policy.Processing, suspends: []passport.Purpose{"motion", "alerts", "message_picture", "push", "rights", "retention"}},
		"a wider purpose":             {edits: [][3]string{{"purposes.yaml", "categories: [device, technical]", "categories: [device, identity, technical]"}}, change: "purpose.diagnostics.categories", class: policy.Processing, suspends: []passport.Purpose{"diagnostics"}},
		"a narrower purpose":          {edits: [][3]string{{"purposes.yaml", "[device, footage, picture, technical]", "[device, footage, technical]"}}, change: "purpose.recording.categories", class: policy.Processing},
		"another controller":          {edits: [][3]string{{"policy.yaml", `controller: ""`, `controller: Brand Ltd`}}, change: "controller", class: policy.Controller},
		"another contact":             {edits: [][3]string{{"policy.yaml", `contact: ""`, `contact: privacy@brand.example`}}, change: "contact", class: policy.ContactOf},
		"a risk found high":           {edits: [][3]string{{"policy.yaml", "risk: low", "risk: high"}}, change: "risk", class: policy.HighRisk},
		"a risk found medium":         {edits: [][3]string{{"policy.yaml", "risk: low", "risk: medium"}}},
		"a recipient with more":       {edits: [][3]string{{"recipients.yaml", "[endpoint, encrypted text, urgency, time to live]", "[endpoint, encrypted text, urgency, time to live, device model]"}}, change: "recipient.push", class: policy.Receivers, suspends: []passport.Purpose{"push"}},
		"a recipient elsewhere":       {edits: [][3]string{{"recipients.yaml", "region: chosen by the person with their browser", "region: US"}}, change: "recipient.push", class: policy.Receivers, suspends: []passport.Purpose{"push"}},
		"a right on request only":     {edits: [][3]string{{"rights.yaml", "law: eu-gdpr:A17\n    by: self", "law: eu-gdpr:A17\n    by: request"}}, change: "right.erasure", class: policy.RightsOf, cut: true},
		"a right in the app":          {edits: [][3]string{{"rights.yaml", "law: eu-gdpr:A18\n    by: request", "law: eu-gdpr:A18\n    by: self"}}, change: "right.restriction", class: policy.RightsOf},
		"an earlier answer":           {edits: [][3]string{{"retention.yaml", "request_days: 15", "request_days: 10"}}, change: "request_days", class: policy.RightsOf},
		"copies of keys kept longer":  {edits: [][3]string{{"retention.yaml", "backup_days: 30", "backup_days: 31"}}, change: "backup_days", class: policy.RightsOf, cut: true},
		"a purpose no longer refused": {edits: [][3]string{{"purposes.yaml", "prohibited:\n  - id: advertising\n    dpv: dpv:Advertising\n    fideslang: marketing.advertising\n", "prohibited:\n"}}, change: "prohibited.advertising", class: policy.RightsOf, cut: true},
		"a kind no longer absent":     {edits: [][3]string{{"categories.yaml", "[location, ", "["}}, change: "absent.location", class: policy.RightsOf, cut: true},
	} {
		t.Run(name, func(t *testing.T) {
			is := load(t, next(t, c.edits...))
			all := policy.Material(policy.Diff(was, is))
			if c.change == "" {
				if len(all) > 0 {
					t.Fatalf("%v is called material", all)
				}
				return
			}
			if len(all) != 1 || all[0].Name != c.change || all[0].Class != c.class || all[0].Cut != c.cut || !slices.Equal(all[0].Suspends, c.suspends) {
				t.Errorf("got %+v", all)
			}
		})
	}
	t.Run("a new purpose", func(t *testing.T) {
		m := named(t, next(t, [3]string{"purposes.yaml", "purposes:\n", newPurpose}), "purposes", "analytics")
		all := policy.Material(policy.Diff(was, load(t, m)))
		if len(all) != 1 || all[0].Name != "purpose.analytics" || !slices.Equal(all[0].Suspends, []passport.Purpose{"analytics"}) {
			t.Errorf("got %+v", all)
		}
	})
}

// A version that takes something from people says so, or is refused; some things none may take.
func TestAVersionCannotCutRightsInSilence(t *testing.T) {
	was := built(t)
	self := [3]string{"rights.yaml", "law: eu-gdpr:A17\n    by: self", "law: eu-gdpr:A17\n    by: request"}
	for name, c := range map[string]struct {
		edits [][3]string
		says  string
	}{
		"said":                        {edits: [][3]string{self, {"policy.yaml", "cuts: []", "cuts: [right.erasure]"}}},
		"not said":                    {edits: [][3]string{self}, says: "cuts does not name it: right.erasure"},
		"said of what is none":        {edits: [][3]string{{"policy.yaml", "cuts: []", "cuts: [right.erasure]"}}, says: "names what is no change"},
		"too early":                   {edits: [][3]string{{"policy.yaml", "risk: low", "risk: high"}, {"policy.yaml", `effective: "2026-11-22"`, `effective: "2026-12-14"`}}, says: "2026-12-15 at the earliest"},
		"a skipped number":            {edits: [][3]string{{"policy.yaml", "version: 1\n", "version: 3\n"}}, says: "the version after 1 is 2"},
		"before the other":            {edits: [][3]string{{"policy.yaml", `published: "2026-11-22"`, `published: "2026-11-01"`}}, says: "before the version that it follows"},
		"in clear":                    {edits: [][3]string{{"categories.yaml", "sealed: true", "sealed: false"}, {"policy.yaml", "cuts: []", "cuts: [category.identity.sealed]"}}, says: "no version may do this"},
		"a consent turned to a must":  {edits: [][3]string{{"purposes.yaml", "fideslang: functional.service.diagnostics\n    basis: eu-gdpr:A6-1-a", "fideslang: functional.service.diagnostics\n    basis: eu-gdpr:A6-1-b"}}, says: "cuts does not name it: purpose.diagnostics.basis"},
		"a promise that reads easier": {edits: [][3]string{{"promises/ptz.yaml", "statement: \"", "statement: \"Perhaps: "}}, says: "no version may do this"},
	} {
		t.Run(name, func(t *testing.T) {
			m := copyOf(t)
			// Edits of a date or number stand in for those that next would make.
			var rest [][3]string
			version := map[string]bool{}
			for _, e := range c.edits {
				rest = append(rest, e)
				version[e[1]] = true
			}
			for _, e := range [][3]string{
				{"policy.yaml", "version: 1\n", "version: 2\n"}, {"policy.yaml", `published: "2026-11-22"`, `published: "2026-12-01"`},
				{"policy.yaml", `effective: "2026-11-22"`, `effective: "2026-12-15"`},
			} {
				if !version[e[1]] {
					rest = append(rest, e)
				}
			}
			for _, e := range rest {
				if !strings.Contains(string(m[e[0]].Data), e[1]) {
					t.Fatalf("%s does not contain %q", e[0], e[1])
				}
				m[e[0]] = &fstest.MapFile{Data: []byte(strings.Replace(string(m[e[0]].Data), e[1], e[2], 1))}
			}
			if name == "a consent turned to a must" {
				delete(m, "texts/en/consent/diagnostics.yaml")
				delete(m, "texts/zh-Hans/consent/diagnostics.yaml")
			}
			err := policy.Follows(was, load(t, m))
			if (err == nil) != (c.says == "") || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want something about %q", err, c.says)
			}
		})
	}
}

// Whoever agreed to one version is never under anything wider, whatever the other says.
func TestMeetIsNeverWiderThanWhatWasAgreed(t *testing.T) {
	agreed := built(t)
	if policy.Meet(agreed, agreed) != agreed {
		t.Error("a version does not meet itself")
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	following := load(t, next(t))
	for range 1000 {
		kept := changed(following, rnd)
		m := policy.Meet(agreed, kept)
		if m.Hash() != agreed.Hash() || m.Version != agreed.Version {
			t.Fatal("it names another version than the agreed one")
		}
		for _, u := range m.Purposes {
			was, ok := agreed.Purpose(u.ID)
			is, still := kept.Purpose(u.ID)
			for _, c := range u.Categories {
				if !ok || !still || !slices.Contains(was.Categories, c) || !slices.Contains(is.Categories, c) {
					t.Fatalf("%s may touch %s", u.ID, c)
				}
			}
			if u.Basis != was.Basis {
				t.Fatalf("%s rests on %s", u.ID, u.Basis)
			}
		}
		for _, l := range m.Retention {
			was, _ := agreed.Lifetime(l.Category)
			if was.Days > 0 && (l.Days == 0 || l.Days > was.Days) || l.Default > was.Default {
				t.Fatalf("%s stays %d days, %d agreed", l.Category, l.Days, was.Days)
			}
		}
		for _, r := range m.Recipients {
			was, ok := agreed.Recipient(r.ID)
			for _, f := range r.Fields {
				if !ok || !slices.Contains(was.Fields, f) {
					t.Fatalf("%s receives %s", r.ID, f)
				}
			}
		}
		for _, no := range agreed.Prohibited {
			if !slices.ContainsFunc(m.Prohibited, func(p policy.Prohibited) bool { return p.ID == no.ID }) {
				t.Fatalf("%s is no longer prohibited", no.ID)
			}
		}
		for _, r := range agreed.Rights {
			at := slices.IndexFunc(m.Rights, func(k policy.Right) bool { return k.ID == r.ID })
			if at < 0 || r.Self() && !m.Rights[at].Self() {
				t.Fatalf("the right of %s became less", r.ID)
			}
		}
		if m.RequestDays > agreed.RequestDays || m.BackupDays > agreed.BackupDays || m.ReceiptDays < agreed.ReceiptDays {
			t.Fatal("a span became worse")
		}
		if s := policy.Suspended(agreed, kept); (len(s) == 0) != (fmt.Sprint(wider(agreed, kept)) == "[]") {
			t.Fatalf("suspended %v, wider %v", s, wider(agreed, kept))
		}
	}
}

// changed is a policy with registers drawn at random from those of the build. It need not make sense.
func changed(from *policy.Policy, r *rand.Rand) *policy.Policy {
	p := *from
	p.Purposes = slices.Clone(p.Purposes)
	for i := range p.Purposes {
		p.Purposes[i].Categories = nil
		for _, c := range p.Categories {
			if r.IntN(2) == 0 {
				p.Purposes[i].Categories = append(p.Purposes[i].Categories, c.ID)
			}
		}
		if r.IntN(4) == 0 {
			p.Purposes[i].Basis = passport.Contract
		}
	}
	p.Purposes = p.Purposes[r.IntN(3):]
	p.Prohibited, p.Rights = p.Prohibited[r.IntN(3):], slices.Clone(p.Rights[r.IntN(3):])
	for i := range p.Rights {
		p.Rights[i].By = []string{"self", "request"}[r.IntN(2)]
	}
	p.Retention = slices.Clone(p.Retention)
	for i := range p.Retention {
		p.Retention[i].Days = r.IntN(400)
	}
	p.Recipients = slices.Clone(p.Recipients)
	for i := range p.Recipients {
		p.Recipients[i].Fields = append(slices.Clone(p.Recipients[i].Fields), fmt.Sprint("field ", r.IntN(3)))[r.IntN(2):]
	}
	p.BackupDays, p.ReceiptDays, p.RequestDays = 1+r.IntN(60), 1+r.IntN(60), 1+r.IntN(15)
	return &p
}

// wider are purposes that may do more in one version than in the other, found in another way than Diff does.
func wider(was, is *policy.Policy) []passport.Purpose {
	var all []passport.Purpose
	for _, u := range is.Purposes {
		old, ok := was.Purpose(u.ID)
		more := !ok || old.Basis == passport.Consent && u.Basis != old.Basis
		for _, c := range u.Categories {
			a, _ := was.Lifetime(c)
			b, _ := is.Lifetime(c)
			more = more || !slices.Contains(old.Categories, c) || a.Days > 0 && (b.Days == 0 || b.Days > a.Days)
		}
		if more {
			all = append(all, u.ID)
		}
	}
	for _, r := range is.Recipients {
		old, _ := was.Recipient(r.ID)
		for _, f := range r.Fields {
			if !slices.Contains(old.Fields, f) {
				all = append(all, r.Purpose)
			}
		}
	}
	return all
}

func TestAPackIsThePolicy(t *testing.T) {
	p := built(t)
	same, err := policy.Unpack(p.Pack())
	if err != nil {
		t.Fatal(err)
	}
	if same.Hash() != p.Hash() || len(policy.Diff(p, same)) > 0 {
		t.Errorf("%s became %s", p.Hash(), same.Hash())
	}
	a, err := p.Text("zh", policy.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	if b, err := same.Text("zh", policy.Facts{}); err != nil || a != b {
		t.Errorf("its text became another: %v", err)
	}
	for name, packed := range map[string]string{
		"nothing":         "",
		"something else":  `{"version":1}`,
		"a touched one":   strings.Replace(string(p.Pack()), `"backup_days":30`, `"backup_days":99999999999999999999`, 1),
		"with more":       string(p.Pack()) + "{}",
		"with two of one": strings.Replace(string(p.Pack()), `"backup_days":30`, `"backup_days":30,"backup_days":30`, 1),
	} {
		if _, err := policy.Unpack([]byte(packed)); err == nil {
			t.Errorf("%s was unpacked", name)
		}
	}
}

func FuzzUnpack(f *testing.F) {
	p, err := policy.Built()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(p.Pack())
	f.Add([]byte(`{"policy.yaml":{"version":1,"languages":["en"]}}`))
	f.Add([]byte(`{"texts/en/policy.md":"# Hello"}`))
	f.Fuzz(func(t *testing.T, packed []byte) {
		if p, err := policy.Unpack(packed); err == nil && len(p.Hash()) != 64 {
			t.Error("a policy without hash")
		}
	})
}

func TestOlderVersionsStayReadable(t *testing.T) {
	one := built(t)
	m := next(t, [3]string{"policy.yaml", "risk: low", "risk: high"})
	if _, err := policy.LoadHistory(m); err == nil || !strings.Contains(err.Error(), "needs every older one") {
		t.Errorf("a second version without the first: %v", err)
	}
	m["archive/1.json"] = &fstest.MapFile{Data: one.Pack()}
	h, err := policy.LoadHistory(m)
	if err != nil {
		t.Fatal(err)
	}
	if p, ok := h.ByHash(one.Hash()); !ok || p.Version != 1 || h.Until(p) != "2026-12-14" || h.Until(h.Newest()) != "" {
		t.Errorf("the first version is %v, until %s", p, h.Until(p))
	}
	for day, version := range map[string]int{"2026-11-01": 1, "2026-12-14": 1, "2026-12-15": 2, "2027-01-01": 2} {
		if got := h.InEffect(at(t, day)).Version; got != version {
			t.Errorf("on %s version %d is in effect", day, got)
		}
	}
	m["archive/1.json"] = &fstest.MapFile{Data: h.Newest().Pack()}
	if _, err := policy.LoadHistory(m); err == nil || !strings.Contains(err.Error(), "holds version 2") {
		t.Errorf("a version under another's name: %v", err)
	}
}

func at(t *testing.T, day string) time.Time {
	t.Helper()
	when, err := time.Parse(time.DateOnly, day)
	if err != nil {
		t.Fatal(err)
	}
	return when.Add(12 * time.Hour)
}
