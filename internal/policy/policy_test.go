package policy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"candor/internal/passport"
	"candor/internal/policy"
	"candor/internal/promise"
	source "candor/policy"
)

func built(t *testing.T) *policy.Policy {
	t.Helper()
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// The words of the policy and the constants of the code are the same list.
func TestPurposesAndCategoriesAreThoseOfTheCode(t *testing.T) {
	p := built(t)
	var purposes []passport.Purpose
	for _, u := range p.Purposes {
		purposes = append(purposes, u.ID)
	}
	want := []passport.Purpose{passport.Account, passport.Security, passport.Live, passport.Recording, passport.Sharing, passport.Motion,
		passport.Alerts, passport.Pictures, passport.Push, passport.Reports, passport.Rights, passport.Retention}
	if !slices.Equal(purposes, want) {
		t.Errorf("purposes: policy has %v, code has %v", purposes, want)
	}
	var categories []passport.Category
	for _, c := range p.Categories {
		categories = append(categories, c.ID)
	}
	code := []passport.Category{passport.Identity, passport.Contact, passport.Credential, passport.Setting, passport.DeviceData, passport.Footage,
		passport.Picture, passport.Event, passport.LiveMedia, passport.AccessLog, passport.ConsentLog, passport.Technical}
	slices.Sort(categories)
	slices.Sort(code)
	if !slices.Equal(categories, code) {
		t.Errorf("categories: policy has %v, code has %v", categories, code)
	}
}

// Promises are added, never renumbered, reworded or dropped.
func TestPromisesAreAppendOnly(t *testing.T) {
	frozen := promise.Statements()
	for _, one := range built(t).Promises {
		sum := sha256.Sum256([]byte(one.Statement))
		if got, want := hex.EncodeToString(sum[:])[:16], frozen[one.ID]; got != want {
			t.Errorf("%s: statement has digest %s, the frozen list (internal/promise/ids.txt) says %q", one.ID, got, want)
		}
		delete(frozen, one.ID)
	}
	for id := range frozen {
		t.Errorf("%s was promised and is in no file of policy/promises", id)
	}
}

func TestHashChangesWithMeaningOnly(t *testing.T) {
	before := built(t).Hash()
	if len(before) != 64 {
		t.Fatalf("hash %q", before)
	}
	comment := edit(t, "retention.yaml", "backup_days: 30", "backup_days:    30 # another comment")
	if p, err := policy.Load(comment); err != nil || p.Hash() != before {
		t.Errorf("a comment changed the hash, or: %v", err)
	}
	for _, change := range [][3]string{
		{"retention.yaml", "backup_days: 30", "backup_days: 29"},
		{"texts/en/policy.md", "Privacy policy", "Privacy Policy"},
		{"texts/zh-Hans/consent/recording.yaml", "不录像", "拒绝"},
		{"promises/location.yaml", "by: absence", "by: keeping"},
	} {
		if p, err := policy.Load(edit(t, change[0], change[1], change[2])); err != nil || p.Hash() == before {
			t.Errorf("%s: changed, and the hash stayed, or: %v", change[0], err)
		}
	}
}

// What is in the source is either read or refused, and refusals come before any use.
func TestLoadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ file, old, new, says string }{
		"an unknown field":                {"retention.yaml", "backup_days:", "backup_dayz: 3\nbackup_days:", "backup_dayz"},
		"a field given twice":             {"policy.yaml", "version: 1", "version: 1\nversion: 2", "twice"},
		"an ambiguous word":               {"promises/account.yaml", `default: "on"`, "default: on", "quotes"},
		"an anchor":                       {"policy.yaml", "version: 1", "version: &v 1", "anchors"},
		"a tag":                           {"policy.yaml", "version: 1", "version: !!int 1", "tags"},
		"a date that is no string":        {"policy.yaml", `"2026-11-22"`, "2026-11-22", "quotes"},
		"a second document":               {"policy.yaml", "version: 1", "version: 1\n---\nversion: 2", "document"},
		"an empty value":                  {"policy.yaml", `"2026-11-22"`, "", "neither"},
		"a purpose without basis":         {"purposes.yaml", "basis: eu-gdpr:A6-1-b", `basis: ""`, "basis"},
		"a purpose with unknown category": {"purposes.yaml", "[device, footage, picture, technical]", "[device, location, technical]", "location"},
		"a prohibited purpose":            {"purposes.yaml", "dpv: dpv:AccountManagement", "dpv: dpv:Advertising", "prohibited"},
		"a category that must not exist":  {"categories.yaml", "id: setting", "id: location", "absent"},
		"a category without retention":    {"retention.yaml", "  - category: setting\n    days: 0\n    until: account closed\n", "", "no retention"},
		"an endless stay":                 {"retention.yaml", "days: 0\n    until: camera deleted", "days: 0", "needs days"},
		"an answer later than 15 days":    {"retention.yaml", "request_days: 15", "request_days: 30", "request_days"},
		"a consent without question":      {"texts/en/consent/recording.yaml", "question: May this camera record?", `question: ""`, "empty part"},
		"a template with an unknown fact": {"texts/en/policy.md", "{{.Version}}", "{{.Nothing}}", "Nothing"},
		"a promise without number":        {"promises/ptz.yaml", "id: P110", "id: X110", "malformed"},
		"a promise given twice":           {"promises/ptz.yaml", "id: P110", "id: P111", "twice"},
		"a promise without a reading":     {"promises/ptz.yaml", "reading: ", "reading: \"\" # ", "reading"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := policy.Load(edit(t, c.file, c.old, c.new))
			if err == nil || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want something about %q", err, c.says)
			}
		})
	}
}

// All data lies in one place, and the policy cannot name another.
func TestThereIsOneRegion(t *testing.T) {
	promise.Proves(t, "P313")
	refused(t, "regions.yaml", "transfers:", "  - id: away\n    place: somewhere else\ntransfers:", "one region")
}

func TestSaleAndAdvertisingCannotBePurposes(t *testing.T) {
	promise.Proves(t, "P236")
	for _, c := range [][2]string{
		{"dpv: dpv:AccountManagement", "dpv: dpv:SellDataToThirdParties"},
		{"fideslang: essential.service.security", "fideslang: marketing.email"},
		{"fideslang: essential.service.security", "fideslang: train_ai_system"},
	} {
		refused(t, "purposes.yaml", c[0], c[1], "prohibited")
	}
}

func TestRecipientsOfPeoplesDataNeedAContract(t *testing.T) {
	promise.Proves(t, "P230")
	refused(t, "recipients.yaml", "people: false", "people: true", "contract")
	refused(t, "recipients.yaml", "categories: [technical]", "categories: [technical, identity]", "contract")
}

func TestRecipientsAreOfAKnownKind(t *testing.T) {
	promise.Proves(t, "P231")
	refused(t, "recipients.yaml", "role: infrastructure", "role: advertising", "kinds of provider")
	refused(t, "recipients.yaml", "role: infrastructure", `role: ""`, "kinds of provider")
}

func TestTheMoreSensitiveStaysNoLonger(t *testing.T) {
	promise.Proves(t, "P284")
	refused(t, "retention.yaml", "  - category: technical\n    days: 0\n", "  - category: technical\n    days: 7\n", "more sensitive than technical")
}

func TestThePolicyNamesWhoIsResponsible(t *testing.T) {
	promise.Proves(t, "P166")
	p := built(t)
	for _, lang := range p.Languages {
		text, err := p.Text(lang, policy.Facts{Operator: "Example Operator", Contact: "privacy@example.org"})
		if err != nil || !strings.Contains(text.Markdown, "Example Operator") || !strings.Contains(text.Markdown, "privacy@example.org") {
			t.Errorf("%s: %v, or operator or contact is not named", lang, err)
		}
		blank, err := p.Text(lang, policy.Facts{})
		if err != nil || len(blank.Markdown) == 0 || strings.Contains(blank.Markdown, "****") {
			t.Errorf("%s: a policy without operator reads badly: %v", lang, err)
		}
		if says := map[string]string{"en": "not entered a contact", "zh-Hans": "尚未填写联系方式"}[lang]; !strings.Contains(blank.Markdown, says) {
			t.Errorf("%s: does not say that the contact is missing", lang)
		}
	}
}

// refused expects that the source with one change does not load, and why.
func refused(t *testing.T, file, old, new, says string) {
	t.Helper()
	if _, err := policy.Load(edit(t, file, old, new)); err == nil || !strings.Contains(err.Error(), says) {
		t.Errorf("%s with %q: got %v, want something about %q", file, new, err, says)
	}
}

func TestLoadRefusesAMissingOrStrayFile(t *testing.T) {
	missing := copyOf(t)
	delete(missing, "texts/zh-Hans/consent/recording.yaml")
	if _, err := policy.Load(missing); err == nil {
		t.Error("a purpose on consent without a question in Chinese was accepted")
	}
	stray := copyOf(t)
	stray["texts/fr/policy.md"] = &fstest.MapFile{Data: []byte("Bonjour")}
	if _, err := policy.Load(stray); err == nil {
		t.Error("a text in a language that is not listed was ignored")
	}
}

func TestConsentTexts(t *testing.T) {
	p := built(t)
	hashes := map[string]bool{}
	for _, lang := range p.Languages {
		text, hash := p.ConsentText(passport.Recording, lang)
		if text == "" || len(hash) != 64 || hashes[hash] {
			t.Errorf("%s: %q %q", lang, text, hash)
		}
		hashes[hash] = true
		if got, ok := p.ConsentHash(passport.Recording, hash); !ok || got != lang {
			t.Errorf("%s: its own hash is taken for %q, %v", lang, got, ok)
		}
		if _, ok := p.ConsentHash(passport.Live, hash); ok {
			t.Errorf("%s: the answer to one question is taken for another", lang)
		}
	}
	if text, hash := p.ConsentText(passport.Live, "en"); text != "" || hash != "" {
		t.Error("a purpose that rests on contract asks for consent")
	}
	if _, ok := p.ConsentHash(passport.Recording, ""); ok {
		t.Error("an empty hash is taken for a question")
	}
}

func TestNearestLanguage(t *testing.T) {
	p := built(t)
	for in, want := range map[string]string{"en": "en", "en-GB": "en", "zh-CN": "zh-Hans", "zh-hans": "zh-Hans", "ZH": "zh-Hans", "fr": "en", "": "en"} {
		if got := p.Nearest(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestTextNamesEverythingInEveryLanguage(t *testing.T) {
	promise.Proves(t, "P229", "P235")
	p := built(t)
	for _, lang := range p.Languages {
		text, err := p.Text(lang, policy.Facts{Operator: "Ex <b>ample</b>", Contact: "me@example.org"})
		if err != nil {
			t.Fatal(err)
		}
		n := p.Names(lang)
		for _, u := range p.Purposes {
			if !strings.Contains(text.Markdown, n.Purposes[string(u.ID)].Name) {
				t.Errorf("%s: purpose %s is not named", lang, u.ID)
			}
		}
		for _, c := range p.Categories {
			if !strings.Contains(text.Markdown, n.Categories[string(c.ID)].Text) {
				t.Errorf("%s: category %s is not named", lang, c.ID)
			}
		}
		for _, r := range p.Recipients {
			if name := n.Recipients[r.ID].Name; name == "" || !strings.Contains(text.Markdown, name) {
				t.Errorf("%s: recipient %s is not named", lang, r.ID)
			}
		}
		if !strings.Contains(text.Markdown, p.Hash()) || strings.Contains(text.Markdown, "{{") || strings.Contains(text.Markdown, "<no value>") {
			t.Errorf("%s: hash missing or template left over", lang)
		}
		if strings.Contains(text.HTML, "<b>") || !strings.Contains(text.HTML, "<h1>") || !strings.Contains(text.HTML, "<td>") {
			t.Errorf("%s: HTML is not as expected", lang)
		}
	}
}

func TestJudge(t *testing.T) {
	p := built(t)
	fits := passport.Passport{ID: "account.email", Where: "a.b", Category: passport.Identity, Purposes: []passport.Purpose{passport.Account},
		Sealed: true, Until: "account closed", Erasure: passport.Shred, Owner: "a.id"}
	if err := p.Judge(fits); err != nil {
		t.Errorf("refused: %v", err)
	}
	for name, change := range map[string]func(*passport.Passport){
		"an unknown category":    func(q *passport.Passport) { q.Category = "location" },
		"an unknown purpose":     func(q *passport.Passport) { q.Purposes = []passport.Purpose{"advertising"} },
		"a purpose that may not": func(q *passport.Passport) { q.Purposes = []passport.Purpose{passport.Recording} },
		"footage kept too long": func(q *passport.Passport) {
			q.Category, q.Purposes, q.Retention = passport.Footage, []passport.Purpose{passport.Recording}, 366*24*time.Hour
		},
		"live media kept at all": func(q *passport.Passport) {
			q.Category, q.Purposes = passport.LiveMedia, []passport.Purpose{passport.Live}
		},
		"a passport that lacks parts": func(q *passport.Passport) { q.Until = "" },
	} {
		q := fits
		change(&q)
		if p.Judge(q) == nil {
			t.Errorf("%s was accepted", name)
		}
	}
}

func FuzzHTML(f *testing.F) {
	f.Add("# a\n\n| b |\n|---|\n| <script> |\n- c **d** `e`\n")
	f.Fuzz(func(t *testing.T, md string) {
		out := policy.HTML(md)
		for _, tag := range []string{"h1", "h2", "h3", "h4", "p", "ul", "li", "table", "thead", "tbody", "tr", "th", "td", "strong", "code"} {
			out = strings.ReplaceAll(strings.ReplaceAll(out, "<"+tag+">", ""), "</"+tag+">", "")
		}
		if strings.ContainsAny(out, "<>") {
			t.Fatalf("markup got through: %q from %q", out, md)
		}
	})
}

// copyOf is the source of this build as a file system that a test may change.
func copyOf(t *testing.T) fstest.MapFS {
	t.Helper()
	m := fstest.MapFS{}
	err := fs.WalkDir(source.Files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(source.Files, name)
		m[name] = &fstest.MapFile{Data: data}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// edit is that source with every occurrence of old in one file replaced.
func edit(t *testing.T, file, old, new string) fstest.MapFS {
	t.Helper()
	m := copyOf(t)
	data := string(m[file].Data)
	if !strings.Contains(data, old) {
		t.Fatalf("%s does not contain %q", file, old)
	}
	m[file] = &fstest.MapFile{Data: []byte(strings.ReplaceAll(data, old, new))}
	return m
}
