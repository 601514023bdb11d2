// Package promise ties code and tests to the promises of the privacy policy.
//
// A promise is one testable sentence with a number that never changes ("P113"). Its wording
// and our reading of it live in policy/promises/. Three marks bind it to the program:
//
//   - a comment //promise:P113 on the line above the control, the code that keeps it;
//   - promise.Proves(t, "P113") at the start of a Go test that would fail if it were not kept,
//     or the tag @P113 in the title of a browser test;
//   - a cut, if promise.Cut("P113") { … }, which takes the control out. In a normal build Cut
//     is constantly false and the compiler removes it together with its branch. In a build
//     with the tag "cut" it reads the environment variable CANDOR_CUT.
//
// The mutation run (internal/promise/mutate) sets each cut in turn and expects the tests that
// prove the promise to fail. A promise whose tests stay green without its control is not
// tested, whatever its tests are called; the board (internal/promise/board) says so.
//
// Some promises hold because something is absent: no location is kept, no advertising kit is
// linked. They have no control to cut. Their test plants the forbidden thing instead, under
// the same Cut, and must find it.
//
// Every room may import this package. It imports nothing of ours and nothing heavy.
package promise

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
)

//go:embed ids.txt
var frozen string

// registry is the frozen list: number → first digits of the statement's SHA-256.
var registry = sync.OnceValue(func() map[string]string {
	known := map[string]string{}
	for line := range strings.Lines(frozen) {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		id, sum, _ := strings.Cut(line, " ")
		known[id] = sum
	}
	return known
})

// Known reports whether a promise of that number has been made.
func Known(id string) bool { _, ok := registry()[id]; return ok }

// Statements maps each promise's number to the first 16 hex digits of its statement's SHA-256.
// The list only grows; internal/policy compares its sources with it.
func Statements() map[string]string {
	out := make(map[string]string, len(registry()))
	for id, sum := range registry() {
		out[id] = sum
	}
	return out
}

// T is what Proves needs of a *testing.T or *testing.B. It is spelt out so that a program
// which only uses Cut does not link the testing package.
type T interface {
	Helper()
	Name() string
	Logf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// ProofMark begins the line that Proves writes into a test's log.
const ProofMark = "promise-proof:"

// Proves says that the test t fails if one of these promises is not kept. It writes one line
// per promise, "promise-proof: P113 TestName", from which the board is computed; the proof
// counts only if the test passes. A number that was never promised fails the test.
func Proves(t T, ids ...string) {
	t.Helper()
	if len(ids) == 0 {
		t.Fatalf("promise.Proves: no promise named")
	}
	for _, id := range ids {
		if !Known(id) {
			t.Fatalf("promise.Proves: %s was never promised", id)
		}
		t.Logf("%s %s %s", ProofMark, id, t.Name())
	}
}

// DrillMark begins the line that Drilled writes.
const DrillMark = "promise-drill:"

// Drilled says that in the test t a live probe of these promises was seen failing, each after what it looks for was planted. It
// counts only if the test passes.
func Drilled(t T, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if !Known(id) {
			t.Fatalf("promise.Drilled: %s was never promised", id)
		}
		t.Logf("%s %s %s", DrillMark, id, t.Name())
	}
}

// ParseDrill reads a line of test output and reports the promise whose probe was drilled, and the test.
func ParseDrill(line string) (id, test string, ok bool) { return parse(line, DrillMark) }

// ParseProof reads a line of test output and reports the promise and the test it names.
func ParseProof(line string) (id, test string, ok bool) { return parse(line, ProofMark) }

func parse(line, mark string) (id, test string, ok bool) {
	_, rest, found := strings.Cut(line, mark+" ")
	if !found {
		return "", "", false
	}
	n, err := fmt.Sscanf(rest, "%s %s", &id, &test)
	return id, test, err == nil && n == 2 && Known(id)
}
