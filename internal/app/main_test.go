package app

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

// binaries builds candor and candor-decode into one folder, as they are installed, and the smoke run.
var binaries = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "candor-app-"); err != nil {
		return "", err
	}
	out, err := exec.Command("go", "build", "-tags=noui", "-ldflags=-s -w", "-o", dir+"/", "candor/cmd/candor", "candor/cmd/candor-decode", "candor/smoke").CombinedOutput()
	if err != nil {
		return dir, fmt.Errorf("%w: %s", err, out)
	}
	return dir, os.Chmod(dir, 0o755) // the decoder runs as nobody
})

func binary(t testing.TB, name string) string {
	t.Helper()
	dir, err := binaries()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, name)
}

func TestMain(m *testing.M) {
	flag.Parse()
	if err := flag.Set("test.parallel", "6"); err != nil { // they wait for cameras far more than they compute
		panic(err)
	}
	code := m.Run()
	if err := closeShared(); err != nil {
		fmt.Fprintln(os.Stderr, "the shared house did not close well:", err)
		code = max(code, 1)
	}
	if dir, err := binaries(); err == nil {
		if err := os.RemoveAll(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
			fmt.Fprintln(os.Stderr, err)
		}
	}
	os.Exit(code)
}
