package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"candor/internal/app"
	"candor/internal/passport"
	pol "candor/internal/policy"
)

type policy struct {
	Check policyCheck `cmd:"" help:"Check a policy's source: whether it makes sense, whether it may follow its older versions, and whether this build keeps it."`
	Diff  policyDiff  `cmd:"" help:"List what changed between two versions, and which of it is material. Exit code 1 if the second may not follow the first."`
	Pack  policyPack  `cmd:"" help:"Write a source as one file, for archive/ of the version that follows."`
}

// opened reads a source's folder, a packed policy, or with no name the policy of this build.
func opened(name string) (*pol.Policy, error) {
	if name == "" {
		return pol.Built()
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return pol.Load(os.DirFS(name))
	}
	packed, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return pol.Unpack(packed)
}

type policyCheck struct {
	Source string `arg:"" optional:"" help:"The folder of the source; the policy of this build if there is none."`
}

func (c policyCheck) Run(r *run) error {
	h, err := app.History(c.Source)
	if err != nil {
		return err
	}
	p := h.Newest()
	if err := app.KeepsAll(h); err != nil {
		return fmt.Errorf("this build cannot keep it: %w", err)
	}
	fmt.Fprintf(r.out, "Version %d, in effect from %s, sha256 %s\n", p.Version, p.Effective, p.Hash())
	fmt.Fprintf(r.out, "%d purposes, %d categories, %d recipients, %d rights, %d promises, in %s.\n",
		len(p.Purposes), len(p.Categories), len(p.Recipients), len(p.Rights), len(p.Promises), strings.Join(p.Languages, " and "))
	fmt.Fprintln(r.out, "It makes sense, and this build keeps it.")
	return nil
}

type policyDiff struct {
	Old  string `arg:"" help:"The older version: a source's folder, or a packed policy."`
	New  string `arg:"" optional:"" help:"The newer; the policy of this build if there is none."`
	JSON bool   `help:"As JSON, one object a change."`
}

func (d policyDiff) Run(r *run) error {
	was, err := opened(d.Old)
	if err != nil {
		return err
	}
	is, err := opened(d.New)
	if err != nil {
		return err
	}
	changes := pol.Diff(was, is)
	if d.JSON {
		enc := json.NewEncoder(r.out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(append([]pol.Change{}, changes...)); err != nil {
			return err
		}
	} else {
		d.print(r, changes)
	}
	return pol.Follows(was, is)
}

func (d policyDiff) print(r *run, changes []pol.Change) {
	material := pol.Material(changes)
	fmt.Fprintf(r.out, "%d changes, %d of them material.\n", len(changes), len(material))
	for _, c := range material {
		fmt.Fprintf(r.out, "  %-10s  %s\n", c.Class, c)
		if c.Cut {
			fmt.Fprintln(r.out, "              takes something from people: whoever has not agreed keeps what they had")
		}
		if len(c.Suspends) > 0 {
			fmt.Fprintf(r.out, "              off, or only as wide as it was, until agreed to: %s\n", names(c.Suspends))
		}
	}
	for _, c := range changes {
		if !c.Material() {
			fmt.Fprintf(r.out, "  %-10s  %s\n", "minor", c)
		}
	}
}

func names(purposes []passport.Purpose) string {
	var all []string
	for _, p := range slices.Sorted(slices.Values(purposes)) {
		all = append(all, string(p))
	}
	return strings.Join(all, ", ")
}

type policyPack struct {
	Source string `arg:"" help:"The folder of the source."`
	File   string `arg:"" optional:"" help:"Where to write; SOURCE/archive/VERSION.json if there is none."`
}

func (p policyPack) Run(r *run) error {
	packed, err := pol.Load(os.DirFS(p.Source))
	if err != nil {
		return err
	}
	file := p.File
	if file == "" {
		file = filepath.Join(p.Source, "archive", fmt.Sprintf("%d.json", packed.Version))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
	}
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return fmt.Errorf("an archived version is never written over: %w", err)
	}
	if _, err := out.Write(packed.Pack()); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "%s holds version %d, sha256 %s. Now raise version in policy.yaml and change what has to change.\n", file, packed.Version, packed.Hash())
	return nil
}
