// Command bench measures what the README of this folder lists: how soon a picture shows, what a
// camera costs, how fast things are forgotten, what looking for motion costs, how soon a message is on its way, how
// soon a share has ended, how fast a copy streams, what keeping promises costs beside plain rows. It writes bench/out/<group>.json and
// bench/out/machine.json and prints a table. Nothing here passes or fails on time.
//
//	go run ./bench                      all groups, about forty minutes
//	go run ./bench -only join,erase     some
//	go run ./bench -n 30                so many joins a row, windows of CPU and erasures
//	go run ./bench -keep FILE           also write what bench/out holds as one file
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// group is one family of figures.
type group struct {
	name string
	run  func(ctx context.Context, b *bench) error
}

var groups = []group{{"join", joins}, {"cpu", costs}, {"erase", erasures}, {"motion", motions}, {"notify", notices}, {"revoke", revocations}, {"export", exports}, {"gdpr", gdpr}}

// bench is what groups are handed.
type bench struct {
	n       int    // samples a row; 0: each group's own number
	only    string // join: only rows whose name contains it
	dir     string // throw-away
	clips   string // throw-away too, but shared by the groups
	binary  string
	figures []figure
}

func main() {
	if len(os.Args) > 1 && os.Args[1] == cameraVerb {
		os.Exit(playCamera(os.Args[2:]))
	}
	var (
		only = flag.String("only", "join,cpu,erase,motion,notify,revoke,export,gdpr", "groups to run")
		n    = flag.Int("n", 0, "samples a row (0: join 15, cpu 3, erase 10 and 3, notify 4 rounds, revoke 15, export 7, gdpr 3 rounds)")
		rows = flag.String("rows", "", "join: only the rows whose name contains this")
		keep = flag.String("keep", "", "write everything in bench/out as one file")
	)
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, strings.Split(*only, ","), *n, *rows, *keep); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, only []string, n int, rows, keep string) error {
	for _, name := range only {
		if !slices.ContainsFunc(groups, func(g group) bool { return g.name == name }) {
			return fmt.Errorf("no group %q; there are join, cpu, erase, motion, notify, revoke, export and gdpr", name)
		}
	}
	binary := os.Getenv("BENCH_BINARY")
	if binary == "" {
		binary = filepath.Join("bin", "candor")
	}
	if _, err := os.Stat(binary); err != nil {
		return fmt.Errorf("%w (make build makes it)", err)
	}
	dir, err := os.MkdirTemp("", "candor-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.MkdirAll(outDir, 0o755); err != nil {
		return err
	}
	m, err := describeMachine(ctx, binary)
	if err != nil {
		return err
	}
	for _, g := range groups {
		if !slices.Contains(only, g.name) {
			continue
		}
		began := time.Now()
		say("%s: begins, load %s", g.name, loadNow())
		b := &bench{n: n, only: rows, dir: filepath.Join(dir, g.name), clips: dir, binary: binary}
		if err := os.MkdirAll(b.dir, 0o700); err != nil {
			return err
		}
		if err := g.run(ctx, b); err != nil {
			return fmt.Errorf("%s: %w", g.name, err)
		}
		if err := writeJSON(filepath.Join(outDir, g.name+".json"), b.figures); err != nil {
			return err
		}
		table(os.Stdout, b.figures)
		say("%s: done after %s, load %s", g.name, time.Since(began).Round(time.Second), loadNow())
	}
	m.LoadAfter = loadNow()
	if err := writeJSON(filepath.Join(outDir, "machine.json"), m); err != nil {
		return err
	}
	if keep != "" {
		return keepAll(keep)
	}
	return nil
}

var started = time.Now()

// say prints one line of progress.
func say(format string, args ...any) {
	fmt.Printf("%6.1fs  %s\n", time.Since(started).Seconds(), fmt.Sprintf(format, args...))
}
