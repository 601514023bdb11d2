package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"

	"candor/internal/passport"
	source "candor/policy"
)

// Policy is a checked policy. It does not change after Load; read its lists, do not write them.
type Policy struct {
	Version     int
	Published   string   // date on which people could read it
	Effective   string   // date from which it applies
	Languages   []string // "en", "zh-Hans"; the first is the fallback
	Controller  string   // who decides; empty: the operator that the settings name
	Contact     string   // where to write; empty: as the settings say
	Assessed    string   // date of the newest assessment
	Risk        string   // that it found: low, medium or high
	Cuts        []string // what this version takes away, by the names of changes
	Purposes    []Purpose
	Prohibited  []Prohibited
	Categories  []Category
	Absent      []string
	Recipients  []Recipient
	Retention   []Lifetime
	Regions     []Region
	Rights      []Right
	Promises    []Promise // ordered by number
	BackupDays  int       // D: no copy of a destroyed key that we keep is older
	ReceiptDays int
	RequestDays int

	hash     string
	packed   []byte                                      // canonical JSON of the source
	names    map[string]Names                            // by language
	consents map[string]map[passport.Purpose]ConsentText // by language
	texts    map[string]string                           // policy.md by language
}

// Built is the policy of this build.
var Built = sync.OnceValues(func() (*Policy, error) { return Load(source.Files) })

// Load reads the source below fsys and checks it. Any doubt is an error.
func Load(fsys fs.FS) (*Policy, error) {
	files, err := sources(fsys)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p, err := read(files)
	if err == nil {
		err = p.check()
	}
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	return p, nil
}

// sources are the files that are part of a policy. Those of older versions lie below archive.
func sources(fsys fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	return files, fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" && ext != ".md" {
			return nil
		}
		files[name], err = fs.ReadFile(fsys, name)
		return err
	})
}

// read understands the files of one policy, whether or not it makes sense.
func read(files map[string][]byte) (*Policy, error) {
	l := loader{files: files, source: map[string]any{}}
	p := &Policy{names: map[string]Names{}, consents: map[string]map[passport.Purpose]ConsentText{}, texts: map[string]string{}}

	var head policyFile
	var purposes purposesFile
	var categories categoriesFile
	var recipients recipientsFile
	var retention retentionFile
	var regions regionsFile
	var rights rightsFile
	l.yaml("policy.yaml", &head)
	l.yaml("purposes.yaml", &purposes)
	l.yaml("categories.yaml", &categories)
	l.yaml("recipients.yaml", &recipients)
	l.yaml("retention.yaml", &retention)
	l.yaml("regions.yaml", &regions)
	l.yaml("rights.yaml", &rights)
	p.Version, p.Published, p.Effective, p.Languages = head.Version, head.Published, head.Effective, head.Languages
	p.Controller, p.Contact, p.Assessed, p.Risk, p.Cuts = head.Controller, head.Contact, head.Assessed, head.Risk, head.Cuts
	p.Rights = rights.Rights
	p.Purposes, p.Prohibited = purposes.Purposes, purposes.Prohibited
	p.Categories, p.Absent = categories.Categories, categories.Absent
	p.Recipients, p.Regions = recipients.Recipients, regions.Regions
	p.Retention, p.BackupDays = retention.Retention, retention.BackupDays
	p.ReceiptDays, p.RequestDays = retention.ReceiptDays, retention.RequestDays

	p.loadPromises(&l)
	for _, lang := range p.Languages {
		p.loadTexts(&l, lang)
	}
	l.nothingElse()
	if l.err != nil {
		return nil, l.err
	}
	canonical, err := Canonical(l.source)
	if err != nil {
		return nil, err
	}
	p.packed, p.hash = canonical, digest(canonical)
	return p, nil
}

// Hash identifies this version of the whole source: 64 hex digits.
func (p *Policy) Hash() string { return p.hash }

func (p *Policy) loadPromises(l *loader) {
	for _, name := range l.glob("promises/*.yaml") {
		var f promisesFile
		l.yaml(name, &f)
		if l.err == nil && path.Base(name) != f.Area+".yaml" {
			l.fail("%s: is about area %q", name, f.Area)
		}
		for _, one := range f.Promises {
			one.Area = f.Area
			p.Promises = append(p.Promises, one)
		}
	}
	slices.SortFunc(p.Promises, func(a, b Promise) int { return strings.Compare(a.ID, b.ID) })
}

func (p *Policy) loadTexts(l *loader, lang string) {
	dir := "texts/" + lang + "/"
	var names Names
	l.yaml(dir+"names.yaml", &names)
	p.names[lang] = names
	p.texts[lang] = l.text(dir + "policy.md")
	p.consents[lang] = map[passport.Purpose]ConsentText{}
	for _, name := range l.glob(dir + "consent/*.yaml") {
		var c ConsentText
		value := l.yaml(name, &c)
		if l.err != nil {
			return
		}
		if path.Base(name) != string(c.Purpose)+".yaml" {
			l.fail("%s: is about purpose %q", name, c.Purpose)
		}
		canonical, err := Canonical(map[string]any{"language": lang, "consent": value})
		if err != nil {
			l.fail("%s: %v", name, err)
		}
		c.Hash = digest(canonical)
		p.consents[lang][c.Purpose] = c
	}
}

func digest(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// loader reads files, keeps what they stand for, and keeps the first error.
type loader struct {
	files  map[string][]byte
	source map[string]any
	err    error
}

func (l *loader) fail(format string, a ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format, a...)
	}
}

func (l *loader) read(name string) []byte {
	data, ok := l.files[name]
	if !ok {
		l.fail("%s: is missing", name)
	}
	return data
}

func (l *loader) yaml(name string, out any) any {
	data := l.read(name)
	if l.err != nil {
		return nil
	}
	value, err := decodeStrict(name, data, out)
	if err != nil {
		l.fail("%w", err)
		return nil
	}
	l.source[name] = value
	return value
}

func (l *loader) text(name string) string {
	s := string(l.read(name))
	l.source[name] = s
	return s
}

// glob lists the files that match, in order.
func (l *loader) glob(pattern string) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			names = append(names, name)
		}
	}
	return names
}

// nothingElse refuses a file that looks like source and was not read: a text in a language that
// is not listed, a register with a misspelt name.
func (l *loader) nothingElse() {
	for _, name := range slices.Sorted(maps.Keys(l.files)) {
		if _, read := l.source[name]; !read {
			l.fail("%s: is part of nothing", name)
		}
	}
}
