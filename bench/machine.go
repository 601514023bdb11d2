package main

import (
	"context"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine is where figures come from.
type machine struct {
	CPU        string    `json:"cpu_model"`
	Cores      int       `json:"cores"`
	Memory     float64   `json:"memory_gib"`
	Kernel     string    `json:"kernel"`
	Go         string    `json:"go_version"`
	Candor     string    `json:"candor_version"`
	Commit     string    `json:"commit"`
	Chromium   string    `json:"chromium"`
	At         time.Time `json:"at"`
	LoadBefore string    `json:"load_before"` // of 1, 5 and 15 minutes
	LoadAfter  string    `json:"load_after"`
}

func describeMachine(ctx context.Context, binary string) (machine, error) {
	m := machine{Cores: runtime.NumCPU(), Go: runtime.Version(), At: time.Now().UTC().Truncate(time.Second), LoadBefore: loadNow()}
	m.CPU = field("/proc/cpuinfo", "model name")
	kb, _ := strconv.ParseFloat(strings.TrimSuffix(field("/proc/meminfo", "MemTotal"), " kB"), 64)
	m.Memory = round(kb / (1 << 20))
	b, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return m, err
	}
	m.Kernel = strings.TrimSpace(string(b))
	if m.Candor, err = output(ctx, binary, "version"); err != nil {
		return m, err
	}
	m.Commit, _ = output(ctx, "git", "rev-parse", "--short", "HEAD") // a copy without git still measures
	m.Chromium, _ = output(ctx, browser(), "--version")
	return m, nil
}

func output(ctx context.Context, name string, args ...string) (string, error) {
	b, err := exec.CommandContext(ctx, name, args...).Output()
	return strings.TrimSpace(string(b)), err
}

// field is the value of the first line that begins with name.
func field(file, name string) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

func loadNow() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

// browser is the Chromium that measures.
func browser() string {
	if b := os.Getenv("CHROMIUM"); b != "" {
		return b
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			return p
		}
	}
	return "chromium"
}
