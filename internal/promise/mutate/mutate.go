// Package mutate shows whether the tests of a promise notice when it is not kept.
//
// For each package with proofs it builds the test binary once with the tag "cut". It runs the
// proving tests as they are, which must pass, and then once per promise with CANDOR_CUT set to
// its number, which takes the control out (or plants what should be absent). At least one of
// the promise's proofs must then fail. Only proving tests are run, so a whole run takes about
// as long as those tests times the number of promises they prove.
package mutate

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"candor/internal/promise"
	"candor/internal/promise/board"
)

// Runner runs proofs with and without their controls.
type Runner struct {
	Root    string        // the module's root
	Log     *slog.Logger  // one line per run
	Timeout time.Duration // of one run of one package's proofs
	Output  io.Writer     // what failing baselines printed
}

// Run tries the promises that only names, or all of them, and returns what it saw. A baseline
// that fails is an error: no evidence can come from it.
func (r *Runner) Run(ctx context.Context, c board.Controls, only ...string) (board.Evidence, error) {
	dir, err := os.MkdirTemp("", "candor-mutate-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)

	seen := board.Evidence{}
	var errs []error
	for i, pkg := range packages(c, only) {
		bin := filepath.Join(dir, fmt.Sprintf("%d.test", i))
		if err := r.tryPackage(ctx, pkg, bin, c, only, seen); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", pkg, err))
		}
		os.Remove(bin)
	}
	for id, s := range seen {
		slices.Sort(s.Passed)
		slices.Sort(s.Noticed)
		seen[id] = s
	}
	return seen, errors.Join(errs...)
}

// packages are the folders with Go proofs of the wanted promises.
func packages(c board.Controls, only []string) []string {
	var list []string
	for id, b := range c {
		if !wanted(id, only) {
			continue
		}
		for _, p := range b.Proofs {
			pkg, _, _ := strings.Cut(p, " ")
			list = append(list, pkg)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

func wanted(id string, only []string) bool { return len(only) == 0 || slices.Contains(only, id) }

func (r *Runner) tryPackage(ctx context.Context, pkg, bin string, c board.Controls, only []string, seen board.Evidence) error {
	build := exec.CommandContext(ctx, "go", "test", "-c", "-tags", "cut", "-o", bin, "./"+pkg)
	build.Dir = r.Root
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build: %w\n%s", err, out)
	}
	tests := func(id string) []string { return testsOf(c[id], pkg) }
	var all, ids []string
	for id := range c {
		if t := tests(id); len(t) > 0 && wanted(id, only) {
			ids, all = append(ids, id), append(all, t...)
		}
	}
	slices.Sort(ids)

	base, out, err := r.run(ctx, pkg, bin, all, "")
	if err != nil {
		r.Output.Write(out)
		return fmt.Errorf("its proofs do not pass as they are: %w", err)
	}
	for _, id := range ids {
		s := seen[id]
		for _, t := range tests(id) {
			if base.passed[t] && base.proves(id, t) {
				s.Passed = append(s.Passed, pkg+" "+t)
			}
		}
		if len(c[id].Cuts) > 0 && len(s.Passed) > 0 {
			got, _, _ := r.run(ctx, pkg, bin, tests(id), id)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if s.Cut == "" {
				s.Cut = board.Green
			}
			for _, t := range tests(id) {
				if base.passed[t] && base.proves(id, t) && !got.passed[t] {
					s.Noticed, s.Cut = append(s.Noticed, pkg+" "+t), board.Red
				}
			}
			r.Log.Info("tried", "promise", id, "package", pkg, "cut", string(s.Cut), "noticed", len(s.Noticed))
		}
		seen[id] = s
	}
	return nil
}

// testsOf are the names of the top-level tests of a package that prove a promise.
func testsOf(b board.Binding, pkg string) []string {
	var list []string
	for _, p := range b.Proofs {
		if in, test, _ := strings.Cut(p, " "); in == pkg {
			list = append(list, test)
		}
	}
	return list
}

// result is what one run of a test binary said.
type result struct {
	passed map[string]bool     // top-level tests
	proofs map[string][]string // promise → tests, with their parts
}

// proves reports whether the top-level test said that it proves the promise.
func (r result) proves(id, test string) bool {
	return slices.ContainsFunc(r.proofs[id], func(name string) bool {
		top, _, _ := strings.Cut(name, "/")
		return top == test
	})
}

var verdict = regexp.MustCompile(`^--- (PASS|FAIL|SKIP): (\S+) \(`)

func (r *Runner) run(ctx context.Context, pkg, bin string, tests []string, cut string) (result, []byte, error) {
	res := result{passed: map[string]bool{}, proofs: map[string][]string{}}
	// The binary ends itself at its own limit; ours only catches one that does not.
	ctx, cancel := context.WithTimeout(ctx, r.Timeout+10*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, bin, "-test.v=test2json", "-test.timeout", r.Timeout.String(), "-test.run", "^("+strings.Join(tests, "|")+")$")
	cmd.Dir = filepath.Join(r.Root, pkg)
	cmd.Env = append(os.Environ(), "CANDOR_CUT="+cut)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	lines := bufio.NewScanner(bytes.NewReader(out))
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		line := strings.TrimPrefix(lines.Text(), "\x16")
		if id, test, ok := promise.ParseProof(line); ok {
			res.proofs[id] = append(res.proofs[id], test)
		}
		if m := verdict.FindStringSubmatch(line); m != nil {
			res.passed[m[2]] = m[1] == "PASS"
		}
	}
	return res, out, err
}
