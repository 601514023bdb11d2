// Package board says of every promise how far it can be relied on.
//
// It joins three things: the policy (what was promised), the bindings found in the source
// (controls, cuts, proofs; policy/controls.json, written by internal/promise/scan) and the
// evidence of the last mutation run (policy/evidence.json, written by internal/promise/mutate).
// All three are compiled in, so a binary reports on the source it was built from.
//
// Front doors print the board; nothing else should need it.
package board

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"candor/internal/policy"
	source "candor/policy"
)

// State is how far a promise can be relied on.
type State string

// The states, weakest first.
const (
	Declared State = "declared" // written down; nothing shows that it is kept
	Enforced State = "enforced" // there is a control in the code, or a test of the absence
	Tested   State = "tested"   // a test passes, and failed when the control was cut out
	Watched  State = "watched"  // and a running installation checks it as well
)

// Binding is what the source says about one promise. A place is "file:function".
type Binding struct {
	Controls []string `json:"controls,omitempty"` // //promise: marks
	Cuts     []string `json:"cuts,omitempty"`     // promise.Cut calls
	Proofs   []string `json:"proofs,omitempty"`   // "internal/gate TestPermit"
	Browser  []string `json:"browser,omitempty"`  // "web/e2e/steps/begin.js title"
}

// Controls are the bindings of all promises that have any, by number.
type Controls map[string]Binding

// Shown is what a mutation run saw for one promise.
type Shown struct {
	Passed  []string `json:"passed,omitempty"`  // proofs that passed with the control in place
	Noticed []string `json:"noticed,omitempty"` // proofs that failed with it cut out
	Cut     Colour   `json:"cut,omitempty"`
	Drilled []string `json:"drilled,omitempty"` // tests that saw its live probe fail
}

// Colour is how the proofs of a promise took its cut.
type Colour string

// Red is good news: at least one proof failed. Green means that all passed without the control.
const (
	Red   Colour = "red"
	Green Colour = "green"
)

// Evidence is what mutation runs saw, by number.
type Evidence map[string]Shown

// Row is one promise on the board.
type Row struct {
	ID        string   `json:"id"`
	Area      string   `json:"area"`
	Kind      string   `json:"kind"`
	Seeds     []string `json:"seeds"`
	Statement string   `json:"statement"`
	Reading   string   `json:"reading"`
	Default   string   `json:"default"`
	By        string   `json:"by"`
	Check     string   `json:"check"`
	State     State    `json:"state"`
	Why       string   `json:"why"` // for the state, in words
	Controls  []string `json:"controls"`
	Proofs    []string `json:"proofs"`
	Drills    []string `json:"drills"`          // tests that saw its live probe fail
	Watch     *Look    `json:"watch,omitempty"` // the last look of the installation that answers
}

// Look is what a running installation saw.
type Look struct {
	At   time.Time `json:"at"`
	Kept bool      `json:"kept"`
}

// Board is the state of all promises.
type Board struct {
	Policy   string        `json:"policy"` // hash of the policy
	Count    map[State]int `json:"count"`
	Promises []Row         `json:"promises"`
}

// Built is the board of this build.
var Built = sync.OnceValues(func() (*Board, error) {
	p, err := policy.Built()
	if err != nil {
		return nil, err
	}
	var c Controls
	var e Evidence
	if err := read("controls.json", &c); err != nil {
		return nil, err
	}
	if err := read("evidence.json", &e); err != nil {
		return nil, err
	}
	return Make(p, c, e), nil
})

func read(name string, out any) error {
	data, err := source.Files.ReadFile(name)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(data, out); err != nil {
		return fmt.Errorf("policy/%s: %w", name, err)
	}
	return nil
}

// With is the board with what an installation saw at its last look. A promise that it saw broken is not watched over well: it
// falls back to declared.
func (b *Board) With(seen map[string]Look) *Board {
	out := &Board{Policy: b.Policy, Count: maps.Clone(b.Count), Promises: slices.Clone(b.Promises)}
	for i := range out.Promises {
		r := &out.Promises[i]
		look, ok := seen[r.ID]
		if !ok {
			continue
		}
		r.Watch = &look
		if !look.Kept {
			out.Count[r.State]--
			r.State, r.Why = Declared, "this installation found it not kept"
			out.Count[r.State]++
		}
	}
	return out
}

// Make judges every promise of p.
func Make(p *policy.Policy, c Controls, e Evidence) *Board {
	b := &Board{Policy: p.Hash(), Count: map[State]int{Declared: 0, Enforced: 0, Tested: 0, Watched: 0}}
	for _, one := range p.Promises {
		bound := c[one.ID]
		r := Row{
			ID: one.ID, Area: one.Area, Kind: one.Kind, Seeds: one.Seeds, Statement: one.Statement, Reading: one.Reading,
			Default: one.Default, By: one.By, Check: one.Check,
			Controls: append([]string{}, bound.Controls...),
			Proofs:   append(append([]string{}, bound.Proofs...), bound.Browser...),
		}
		r.State, r.Why = judge(one, bound, e[one.ID])
		r.Drills = append([]string{}, e[one.ID].Drilled...)
		if r.State == Tested && len(r.Drills) > 0 {
			r.State, r.Why = Watched, "tested, and looked after while the program runs, by a probe that was seen failing"
		}
		b.Count[r.State]++
		b.Promises = append(b.Promises, r)
	}
	return b
}

// judge errs on the side of the weaker state: evidence counts only for proofs, controls and
// cuts that are still in the source.
func judge(one policy.Promise, bound Binding, shown Shown) (State, string) {
	absence := one.By == "absence"
	proofs := slices.Concat(bound.Proofs, bound.Browser)
	held := len(bound.Controls) > 0 || absence && len(proofs) > 0
	still := func(seen []string) bool {
		return slices.ContainsFunc(seen, func(s string) bool { return slices.Contains(proofs, s) })
	}
	switch {
	case !held:
		return Declared, "nothing in the code is bound to it"
	case len(proofs) == 0:
		return Enforced, "there is a control and no test"
	case len(bound.Cuts) == 0:
		return Enforced, "its tests have not been tried without what keeps it"
	case shown.Cut == Green && still(shown.Passed):
		return Declared, "its tests stayed green without what keeps it"
	case shown.Cut == Red && still(shown.Noticed) && still(shown.Passed):
		if absence {
			return Tested, "a test finds it absent, and noticed when it was planted"
		}
		return Tested, "a test passes, and failed when the control was cut out"
	default:
		return Enforced, "its tests have not been run since they were bound to it"
	}
}
