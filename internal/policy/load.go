package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
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
	Effective   string   // date from which it applies
	Languages   []string // "en", "zh-Hans"; the first is the fallback
	Purposes    []Purpose
	Prohibited  []Prohibited
	Categories  []Category
	Absent      []string
	Recipients  []Recipient
	Retention   []Lifetime
	Regions     []Region
	Promises    []Promise // ordered by number
	BackupDays  int       // D: no copy of a destroyed key that we keep is older
	ReceiptDays int
	RequestDays int

	hash     string
	names    map[string]Names                            // by language
	consents map[string]map[passport.Purpose]ConsentText // by language
	texts    map[string]string                           // policy.md by language
}

// Built is the policy of this build.
var Built = sync.OnceValues(func() (*Policy, error) { return Load(source.Files) })

// Load reads the source below fsys and checks it. Any doubt is an error.
func Load(fsys fs.FS) (*Policy, error) {
	l := loader{fsys: fsys, source: map[string]any{}}
	p := &Policy{names: map[string]Names{}, consents: map[string]map[passport.Purpose]ConsentText{}, texts: map[string]string{}}

	var head policyFile
	var purposes purposesFile
	var categories categoriesFile
	var recipients recipientsFile
	var retention retentionFile
	var regions regionsFile
	l.yaml("policy.yaml", &head)
	l.yaml("purposes.yaml", &purposes)
	l.yaml("categories.yaml", &categories)
	l.yaml("recipients.yaml", &recipients)
	l.yaml("retention.yaml", &retention)
	l.yaml("regions.yaml", &regions)
	p.Version, p.Effective, p.Languages = head.Version, head.Effective, head.Languages
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
		return nil, fmt.Errorf("policy: %w", l.err)
	}
	canonical, err := Canonical(l.source)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	p.hash = digest(canonical)
	if err := p.check(); err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
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
	fsys   fs.FS
	source map[string]any
	err    error
}

func (l *loader) fail(format string, a ...any) {
	if l.err == nil {
		l.err = fmt.Errorf(format, a...)
	}
}

func (l *loader) read(name string) []byte {
	if l.err != nil {
		return nil
	}
	data, err := fs.ReadFile(l.fsys, name)
	if err != nil {
		l.fail("%w", err)
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

func (l *loader) glob(pattern string) []string {
	names, err := fs.Glob(l.fsys, pattern)
	if err != nil {
		l.fail("%w", err)
	}
	return names
}

// nothingElse refuses a file that looks like source and was not read: a text in a language that
// is not listed, a register with a misspelt name.
func (l *loader) nothingElse() {
	if l.err != nil {
		return
	}
	err := fs.WalkDir(l.fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		if ext := path.Ext(name); ext != ".yaml" && ext != ".yml" && ext != ".md" {
			return nil
		}
		if _, read := l.source[name]; !read {
			return fmt.Errorf("%s: is part of nothing", name)
		}
		return nil
	})
	if err != nil {
		l.fail("%w", err)
	}
}
