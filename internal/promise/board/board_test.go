package board_test

import (
	"slices"
	"testing"

	"candor/internal/policy"
	"candor/internal/promise/board"
)

func TestStates(t *testing.T) {
	p, err := policy.Built()
	if err != nil {
		t.Fatal(err)
	}
	by := func(by string) string {
		i := slices.IndexFunc(p.Promises, func(one policy.Promise) bool { return one.By == by })
		return p.Promises[i].ID
	}
	control, cut, proof := []string{"a.go:F"}, []string{"a.go:F"}, []string{"a TestF"}
	for name, c := range map[string]struct {
		by    string
		bound board.Binding
		shown board.Shown
		watch bool
		want  board.State
	}{
		"nothing":                      {"keeping", board.Binding{}, board.Shown{}, false, board.Declared},
		"a test and no control":        {"keeping", board.Binding{Proofs: proof}, board.Shown{Passed: proof}, false, board.Declared},
		"a control and no test":        {"keeping", board.Binding{Controls: control}, board.Shown{}, false, board.Enforced},
		"no cut":                       {"keeping", board.Binding{Controls: control, Proofs: proof}, board.Shown{Passed: proof}, false, board.Enforced},
		"never run":                    {"keeping", board.Binding{Controls: control, Cuts: cut, Proofs: proof}, board.Shown{}, false, board.Enforced},
		"red when cut":                 {"keeping", board.Binding{Controls: control, Cuts: cut, Proofs: proof}, board.Shown{Passed: proof, Noticed: proof, Cut: board.Red}, false, board.Tested},
		"red, and watched":             {"keeping", board.Binding{Controls: control, Cuts: cut, Proofs: proof}, board.Shown{Passed: proof, Noticed: proof, Cut: board.Red}, true, board.Watched},
		"green when cut":               {"keeping", board.Binding{Controls: control, Cuts: cut, Proofs: proof}, board.Shown{Passed: proof, Cut: board.Green}, true, board.Declared},
		"red, and the test is gone":    {"keeping", board.Binding{Controls: control, Cuts: cut, Proofs: []string{"a TestG"}}, board.Shown{Passed: proof, Noticed: proof, Cut: board.Red}, false, board.Enforced},
		"red, and the cut is gone":     {"keeping", board.Binding{Controls: control, Proofs: proof}, board.Shown{Passed: proof, Noticed: proof, Cut: board.Red}, false, board.Enforced},
		"red, and the control is gone": {"keeping", board.Binding{Cuts: cut, Proofs: proof}, board.Shown{Passed: proof, Noticed: proof, Cut: board.Red}, false, board.Declared},
		"absent and noticed":           {"absence", board.Binding{Cuts: cut, Proofs: proof}, board.Shown{Passed: proof, Noticed: proof, Cut: board.Red}, false, board.Tested},
		"absent, never planted":        {"absence", board.Binding{Proofs: proof}, board.Shown{Passed: proof}, false, board.Enforced},
		"absent, planted, not noticed": {"absence", board.Binding{Cuts: cut, Proofs: proof}, board.Shown{Passed: proof, Cut: board.Green}, false, board.Declared},
	} {
		t.Run(name, func(t *testing.T) {
			id := by(c.by)
			if c.watch {
				c.shown.Drilled = []string{"a TestDrill"}
			}
			b := board.Make(p, board.Controls{id: c.bound}, board.Evidence{id: c.shown})
			i := slices.IndexFunc(b.Promises, func(r board.Row) bool { return r.ID == id })
			if r := b.Promises[i]; r.State != c.want || r.Why == "" {
				t.Fatalf("%s is %s (%s), want %s", id, r.State, r.Why, c.want)
			}
		})
	}
}

// What an installation found not kept is not tested there, whatever the tests of the build say.
func TestABrokenPromiseFallsBack(t *testing.T) {
	b, err := board.Built()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(b.Promises, func(r board.Row) bool { return r.State == board.Tested || r.State == board.Watched })
	was := b.Promises[i]
	got := b.With(map[string]board.Look{was.ID: {Kept: false}})
	if r := got.Promises[i]; r.State != board.Declared || r.Watch == nil || got.Count[was.State] != b.Count[was.State]-1 || b.Promises[i].State != was.State {
		t.Errorf("%+v, counts %v", r, got.Count)
	}
	if r := b.With(map[string]board.Look{was.ID: {Kept: true}}).Promises[i]; r.State != was.State || !r.Watch.Kept {
		t.Errorf("%+v", r)
	}
}

func TestBuiltBoardHasEveryPromise(t *testing.T) {
	b, err := board.Built()
	if err != nil {
		t.Fatal(err)
	}
	p, _ := policy.Built()
	sum := 0
	for _, n := range b.Count {
		sum += n
	}
	if len(b.Promises) != len(p.Promises) || sum != len(p.Promises) || b.Policy != p.Hash() {
		t.Fatalf("%d rows, %d counted, of %d promises", len(b.Promises), sum, len(p.Promises))
	}
}
