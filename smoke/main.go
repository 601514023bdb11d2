// Command smoke does the main job end to end through the public API of the real binary, on a
// throw-away data folder: set up, see the camera, record, cut an MP4, see an event and get the message about
// it, let a member in and out, share a clip and take it back, take a copy of everything, withdraw, erase, scan.
// It prints one line a step with its time and exits with 1 at the first step that fails.
//
//	SMOKE_CLIP=file.mp4   what the camera shows (default: the demo camera's own clips)
//	SMOKE_SECONDS=60      bound on the whole run
//	SMOKE_BINARY=path     default bin/candor
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"
)

func main() {
	limit := 150 * time.Second
	if s, err := strconv.Atoi(os.Getenv("SMOKE_SECONDS")); err == nil && s > 0 {
		limit = time.Duration(s) * time.Second
	}
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "smoke:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	s, err := start(ctx)
	if err != nil {
		return err
	}
	defer s.stop()
	for _, step := range steps {
		began := time.Now()
		said, err := step.do(ctx, s)
		took := time.Since(began).Round(time.Millisecond)
		if err != nil {
			fmt.Printf("FAIL  %-28s %8s  %v\n", step.name, took, err)
			return fmt.Errorf("step %q failed; the server's log: %s", step.name, s.logFile)
		}
		fmt.Printf("ok    %-28s %8s  %s\n", step.name, took, said)
	}
	s.passed = true
	return nil
}
