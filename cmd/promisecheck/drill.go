package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"time"

	"candor/internal/promise"
	"candor/internal/promise/board"
	"candor/internal/promise/mutate"
)

// where the probes of a running installation are drilled.
const drills = "internal/app"

// drill writes down which live probes were seen failing. A run that fails is no evidence.
func drill(ctx context.Context, found board.Controls) error {
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-v", "-timeout", "5m", "-run", "^TestDrill", "./"+drills)
	out, err := cmd.CombinedOutput()
	if err != nil {
		os.Stderr.Write(out)
		return fmt.Errorf("the drills: %w", err)
	}
	seen := board.Evidence{}
	if err := read(evidenceFile, &seen); err != nil {
		return err
	}
	for id, s := range seen {
		s.Drilled = nil
		seen[id] = s
	}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		if id, test, ok := promise.ParseDrill(lines.Text()); ok {
			s := seen[id]
			s.Drilled = append(s.Drilled, drills+" "+test)
			slices.Sort(s.Drilled)
			s.Drilled = slices.Compact(s.Drilled)
			seen[id] = s
		}
	}
	if err := write(evidenceFile, seen); err != nil {
		return err
	}
	return show(found)
}

// sample cuts controls chosen at random. It writes nothing: it looks whether the committed evidence still holds.
func sample(ctx context.Context, found board.Controls, args []string) error {
	if len(args) == 0 {
		return errors.New("say how many: promisecheck sample 20")
	}
	n, err := strconv.Atoi(args[0])
	if err != nil || n < 1 {
		return fmt.Errorf("%q is no number of promises", args[0])
	}
	seed := rand.Uint64()
	if len(args) > 1 {
		if seed, err = strconv.ParseUint(args[1], 10, 64); err != nil {
			return fmt.Errorf("%q is no seed", args[1])
		}
	}
	var seen board.Evidence
	if err := read(evidenceFile, &seen); err != nil {
		return err
	}
	var red []string
	for id, s := range seen {
		if s.Cut == board.Red && len(found[id].Proofs) > 0 {
			red = append(red, id)
		}
	}
	slices.Sort(red)
	rand.New(rand.NewPCG(seed, 20)).Shuffle(len(red), func(i, j int) { red[i], red[j] = red[j], red[i] })
	red = red[:min(n, len(red))]
	slices.Sort(red)
	fmt.Printf("seed %d: cutting %v\n", seed, red)
	r := mutate.Runner{Root: ".", Log: slog.New(slog.DiscardHandler), Timeout: 3 * time.Minute, Output: os.Stderr}
	got, failed := r.Run(ctx, found, red...)
	var errs []error
	for _, id := range red {
		if got[id].Cut != board.Red {
			errs = append(errs, fmt.Errorf("%s: its tests stay green with its control cut (promisecheck mutate %s shows more)", id, id))
		}
	}
	if err := errors.Join(append(errs, failed)...); err != nil {
		return err
	}
	fmt.Printf("the tests of all %d notice\n", len(red))
	return nil
}
