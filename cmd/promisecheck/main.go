// Command promisecheck keeps what the promise board is computed from. It is for builders and is
// not part of the product.
//
//	promisecheck scan            read the source, write policy/controls.json
//	promisecheck mutate [P113…]  scan, run the proofs with and without their controls, write
//	                             policy/evidence.json; with numbers, only those
//	promisecheck drill           run the drills of the live probes, write who was seen failing into policy/evidence.json
//	promisecheck sample N [SEED] cut N controls chosen at random, and fail if the tests of one stay green
//	promisecheck board           print how many promises are in which state, and what is weak
//
// Run it from the module's root.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"time"

	"candor/internal/policy"
	"candor/internal/promise/board"
	"candor/internal/promise/mutate"
	"candor/internal/promise/scan"
)

const (
	controlsFile = "policy/controls.json"
	evidenceFile = "policy/evidence.json"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "promisecheck:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("say scan, mutate, drill, sample or board")
	}
	found, err := scan.Tree(os.DirFS("."))
	if err != nil {
		return err
	}
	switch args[0] {
	case "scan":
		return write(controlsFile, found)
	case "mutate":
		if err := write(controlsFile, found); err != nil {
			return err
		}
		return tryAll(ctx, found, args[1:])
	case "drill":
		return drill(ctx, found)
	case "sample":
		return sample(ctx, found, args[1:])
	case "board":
		return show(found)
	default:
		return fmt.Errorf("%q is none of scan, mutate, drill, sample and board", args[0])
	}
}

// tryAll keeps earlier evidence only for promises it was not asked to try.
func tryAll(ctx context.Context, found board.Controls, only []string) error {
	seen := board.Evidence{}
	if err := read(evidenceFile, &seen); err != nil {
		return err
	}
	for id, s := range seen {
		if len(only) == 0 || slices.Contains(only, id) {
			seen[id] = board.Shown{Drilled: s.Drilled} // drills are runs of their own
		}
	}
	r := mutate.Runner{Root: ".", Log: slog.New(slog.NewTextHandler(os.Stderr, nil)), Timeout: 3 * time.Minute, Output: os.Stderr}
	got, failed := r.Run(ctx, found, only...)
	for id, s := range got {
		s.Drilled = seen[id].Drilled
		seen[id] = s
	}
	maps.DeleteFunc(seen, func(_ string, s board.Shown) bool { return len(s.Passed) == 0 && len(s.Drilled) == 0 })
	if err := write(evidenceFile, seen); err != nil {
		return err
	}
	return errors.Join(failed, show(found))
}

func show(found board.Controls) error {
	p, err := policy.Load(os.DirFS("policy"))
	if err != nil {
		return err
	}
	var seen board.Evidence
	if err := read(evidenceFile, &seen); err != nil {
		return err
	}
	b := board.Make(p, found, seen)
	for _, r := range b.Promises {
		if bound := found[r.ID]; r.State != board.Tested && r.State != board.Watched && (len(bound.Controls) > 0 || len(r.Proofs) > 0) {
			fmt.Printf("%s %-8s %s\n", r.ID, r.State, r.Why)
		}
	}
	for _, s := range []board.State{board.Declared, board.Enforced, board.Tested, board.Watched} {
		fmt.Printf("%-8s %d\n", s, b.Count[s])
	}
	return nil
}

func read(name string, out any) error {
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return json.Unmarshal(data, out)
}

func write(name string, v any) error {
	data, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append(data, '\n'), 0o644)
}
