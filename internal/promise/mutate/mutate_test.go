package mutate_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"testing"
	"time"

	"candor/internal/promise/board"
	"candor/internal/promise/mutate"
)

// The example package has one control whose test notices its cut, and one whose does not.
func TestRunTellsNoticedFromUnnoticed(t *testing.T) {
	const pkg = "internal/promise/mutate/testdata/example"
	c := board.Controls{
		"P113": {Cuts: []string{"x"}, Proofs: []string{pkg + " TestNotices"}},
		"P020": {Cuts: []string{"x"}, Proofs: []string{pkg + " TestDoesNotNotice"}},
		"P001": {Cuts: []string{"x"}, Proofs: []string{pkg + " TestPanics"}},
		"P104": {Proofs: []string{pkg + " TestNotices"}},
		"P002": {Cuts: []string{"x"}, Proofs: []string{pkg + " TestOfSomethingElse"}},
	}
	var out bytes.Buffer
	r := mutate.Runner{Root: "../../..", Log: slog.New(slog.DiscardHandler), Timeout: time.Minute, Output: &out}
	got, err := r.Run(context.Background(), c)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for id, want := range map[string]struct {
		cut     board.Colour
		passed  []string
		noticed []string
	}{
		"P113": {board.Red, []string{pkg + " TestNotices"}, []string{pkg + " TestNotices"}},
		"P020": {board.Green, []string{pkg + " TestDoesNotNotice"}, nil},
		"P001": {board.Red, []string{pkg + " TestPanics"}, []string{pkg + " TestPanics"}},
		"P104": {"", nil, nil}, // TestNotices does not say that it proves this
		"P002": {"", nil, nil}, // there is no such test
	} {
		s := got[id]
		if s.Cut != want.cut || !slices.Equal(s.Passed, want.passed) || !slices.Equal(s.Noticed, want.noticed) {
			t.Errorf("%s: got %+v, want %+v", id, s, want)
		}
	}
}
