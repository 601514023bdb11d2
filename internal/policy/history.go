package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
	"time"

	source "candor/policy"
)

// archive is where a source keeps its older versions, one file each: 1.json, 2.json, …
const archive = "archive"

// Pack is the whole source in one piece: its RFC 8785 JSON, of which Hash is the digest. Unpack
// reads it.
func (p *Policy) Pack() []byte { return slices.Clone(p.packed) }

// Unpack reads what Pack wrote. It was checked when it was published and is not judged by
// today's rules, but it has to be understood.
func Unpack(packed []byte) (*Policy, error) {
	d := json.NewDecoder(bytes.NewReader(packed))
	var parts map[string]json.RawMessage
	if err := d.Decode(&parts); err != nil || d.More() {
		return nil, fmt.Errorf("policy: not a packed policy: %w", cause(err, "something follows it"))
	}
	files := map[string][]byte{}
	for name, content := range parts {
		files[name] = content // JSON is YAML
		if path.Ext(name) != ".md" {
			continue
		}
		var text string
		if err := json.Unmarshal(content, &text); err != nil {
			return nil, fmt.Errorf("policy: %s: %w", name, err)
		}
		files[name] = []byte(text)
	}
	p, err := read(files)
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	if !bytes.Equal(p.packed, bytes.TrimSpace(packed)) {
		return nil, errors.New("policy: not as it was packed: its canonical form is another")
	}
	return p, nil
}

func cause(err error, otherwise string) error {
	if err != nil {
		return err
	}
	return errors.New(otherwise)
}

// History is a policy with its older versions.
type History struct {
	versions []*Policy // by number; the last is the source's own

	mu        sync.Mutex
	standings map[standingKey]*Standing // that were asked for
}

// BuiltHistory is that of this build.
var BuiltHistory = sync.OnceValues(func() (*History, error) { return LoadHistory(source.Files) })

// LoadHistory reads a source with its archive and checks that each version may follow the one before.
func LoadHistory(fsys fs.FS) (*History, error) {
	newest, err := Load(fsys)
	if err != nil {
		return nil, err
	}
	names, err := fs.Glob(fsys, archive+"/*.json")
	if err != nil {
		return nil, fmt.Errorf("policy: %w", err)
	}
	h := &History{versions: []*Policy{newest}}
	for _, name := range names {
		packed, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, fmt.Errorf("policy: %w", err)
		}
		p, err := Unpack(packed)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if path.Base(name) != fmt.Sprintf("%d.json", p.Version) {
			return nil, fmt.Errorf("policy: %s: holds version %d", name, p.Version)
		}
		h.versions = append(h.versions, p)
	}
	slices.SortFunc(h.versions, func(a, b *Policy) int { return a.Version - b.Version })
	if h.Newest() != newest {
		return nil, fmt.Errorf("policy: %s holds version %d, and the source says it is version %d", archive, h.Newest().Version, newest.Version)
	}
	return h, h.check()
}

func (h *History) check() error {
	if len(h.versions) != h.Newest().Version {
		return fmt.Errorf("policy: version %d needs every older one in %s; there are %d", h.Newest().Version, archive, len(h.versions)-1)
	}
	var errs []error
	for i, p := range h.versions[1:] {
		if err := Follows(h.versions[i], p); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Newest is the version that this build keeps. It may not be in effect yet.
func (h *History) Newest() *Policy { return h.versions[len(h.versions)-1] }

// Versions are all of them, the newest first.
func (h *History) Versions() []*Policy {
	all := slices.Clone(h.versions)
	slices.Reverse(all)
	return all
}

// InEffect is the version that applies on the day of now, in UTC, to somebody who joins. Before the first
// one's day it is the first.
func (h *History) InEffect(now time.Time) *Policy {
	today := now.UTC().Format(time.DateOnly)
	for _, p := range slices.Backward(h.versions) {
		if p.Effective <= today {
			return p
		}
	}
	return h.versions[0]
}

// Governing is what a build obeys on the day of now: of the newest version nothing before it takes
// effect, and of the one in effect nothing that the newest has dropped.
// The spans that cannot differ from person to person are the best that any version promised: people may
// stand under each of them.
func (h *History) Governing(now time.Time) *Policy {
	p := *Meet(h.InEffect(now), h.Newest())
	for _, v := range h.versions {
		p.BackupDays, p.RequestDays, p.ReceiptDays = min(p.BackupDays, v.BackupDays), min(p.RequestDays, v.RequestDays), max(p.ReceiptDays, v.ReceiptDays)
	}
	return &p
}

// ByHash finds a version.
func (h *History) ByHash(hash string) (*Policy, bool) {
	for _, p := range slices.Backward(h.versions) {
		if p.hash == hash {
			return p, true
		}
	}
	return nil, false
}

// Until is the last day on which a version applied to who joined, or "" for the newest.
func (h *History) Until(p *Policy) string {
	for _, next := range h.versions {
		if next.Version == p.Version+1 {
			day, _ := time.Parse(time.DateOnly, next.Effective)
			return day.AddDate(0, 0, -1).Format(time.DateOnly)
		}
	}
	return ""
}
