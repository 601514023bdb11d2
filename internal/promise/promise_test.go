package promise_test

import (
	"fmt"
	"strings"
	"testing"

	"candor/internal/promise"
)

// listener stands in for a test and keeps what it was told.
type listener struct {
	log   []string
	fatal string
}

func (l *listener) Helper()                      {}
func (l *listener) Name() string                 { return "TestListener/part" }
func (l *listener) Logf(format string, a ...any) { l.log = append(l.log, fmt.Sprintf(format, a...)) }
func (l *listener) Fatalf(format string, a ...any) {
	l.fatal = fmt.Sprintf(format, a...)
}

var _ promise.T = (*testing.T)(nil)

func TestProvesWritesALineThatParses(t *testing.T) {
	var l listener
	promise.Proves(&l, "P113", "P020")
	if l.fatal != "" || len(l.log) != 2 {
		t.Fatalf("fatal %q, log %q", l.fatal, l.log)
	}
	id, test, ok := promise.ParseProof("    x_test.go:12: " + l.log[1])
	if !ok || id != "P020" || test != "TestListener/part" {
		t.Fatalf("got %q %q %v", id, test, ok)
	}
}

func TestProvesRefusesWhatWasNeverPromised(t *testing.T) {
	for _, ids := range [][]string{{"P999"}, {"p113"}, {""}, {}} {
		var l listener
		promise.Proves(&l, ids...)
		if l.fatal == "" {
			t.Errorf("%q passed", ids)
		}
	}
}

func TestParseProofRefusesOtherLines(t *testing.T) {
	for _, line := range []string{"", "--- PASS: TestX", promise.ProofMark, promise.ProofMark + " P999 TestX", promise.ProofMark + " P113"} {
		if id, test, ok := promise.ParseProof(line); ok {
			t.Errorf("%q read as %s %s", line, id, test)
		}
	}
}

func TestThePromisesOfTheFirstImportAreAllThere(t *testing.T) {
	for n := 1; n <= 350; n++ {
		if id := fmt.Sprintf("P%03d", n); !promise.Known(id) {
			t.Errorf("%s is missing", id)
		}
	}
	for id, sum := range promise.Statements() {
		if len(sum) != 16 || strings.Trim(sum, "0123456789abcdef") != "" {
			t.Errorf("%s: %q is no digest", id, sum)
		}
	}
}

func TestNothingIsCutUnlessAsked(t *testing.T) {
	for id := range promise.Statements() {
		if promise.Cut(id) {
			t.Fatalf("%s is cut", id)
		}
	}
}
