package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	cpuWindow = 20 * time.Second
	cpuRuns   = 3
	settle    = 5 * time.Second
	// clockTicks is the kernel's USER_HZ, 100 wherever Linux runs.
	clockTicks = 100
)

// costs measures what cameras cost. Three servers pull from one camera at the same time, each in
// a process of its own, so that noise falls on all of them alike: Candor without recording, Candor
// recording, and go2rtc.
func costs(ctx context.Context, b *bench) error {
	runs := b.n
	if runs == 0 {
		runs = cpuRuns
	}
	clip, err := makeClip(ctx, b.clips, 720, 2, 1500)
	if err != nil {
		return err
	}
	cam, err := startCamera(ctx, clip)
	if err != nil {
		return err
	}
	defer cam.stop()
	subjects := []*subject{{name: "ingest"}, {name: "record", record: true}}
	for _, s := range subjects {
		if s.server, err = startServer(ctx, b, s.name); err != nil {
			return err
		}
		defer s.server.stop()
		s.pid = s.server.cmd.Process.Pid
	}
	rival, err := buildPeer(ctx, b)
	if err != nil {
		say("cpu: go2rtc is left out: %v", err)
	}
	if err := idle(ctx, b, subjects, rival); err != nil {
		return err
	}
	have := 0
	for _, n := range []int{1, 10} {
		for ; have < n; have++ {
			var adding errgroup.Group
			for _, s := range subjects {
				adding.Go(func() error {
					_, err := s.server.addCamera(ctx, fmt.Sprintf("camera %d", have), cam.main, "", s.record)
					return err
				})
			}
			if err := adding.Wait(); err != nil {
				return err
			}
		}
		all := subjects
		if rival != "" {
			p, err := startPeer(ctx, b, rival, n, cam.main)
			if err != nil {
				return err
			}
			defer p.stop()
			all = append(all[:len(all):len(all)], &subject{name: "go2rtc", pid: p.cmd.Process.Pid})
		}
		if err := pause(ctx, settle); err != nil {
			return err
		}
		if err := windows(ctx, b, all, n, runs); err != nil {
			return err
		}
	}
	return nil
}

// subject is a process that is measured.
type subject struct {
	name   string
	record bool
	pid    int
	server *server
	cpu    []float64 // seconds of CPU in each window
	child  []float64
	rss    []float64
}

// windows measures some windows with n cameras.
func windows(ctx context.Context, b *bench, all []*subject, n, runs int) error {
	for run := range runs {
		say("cpu: %d cameras, window %d of %d, load %s", n, run+1, runs, loadNow())
		if err := window(ctx, all, cpuWindow); err != nil {
			return err
		}
	}
	// of a stream for an hour
	hour := func(s []float64) (out []float64) {
		for _, v := range s {
			out = append(out, v/cpuWindow.Seconds()/float64(n)*3600)
		}
		return out
	}
	for _, s := range all {
		b.add(of(fmt.Sprintf("cpu_%s_%d_s_per_stream_hour", s.name, n), "CPU s", 0.5, hour(s.cpu)))
		if s.server != nil {
			b.add(of(fmt.Sprintf("cpu_%s_%d_decode_child_s_per_stream_hour", s.name, n), "CPU s", 0.5, hour(s.child)))
		}
		b.add(of(fmt.Sprintf("rss_%s_%d_mib", s.name, n), "MiB", 0.5, s.rss))
	}
	// In pairs, window by window.
	pair := func(name string, of2, to []float64, f func(a, b float64) float64, unit string) {
		var out []float64
		for i := range of2 {
			out = append(out, f(of2[i], to[i]))
		}
		b.add(of(name, unit, 0.5, out))
	}
	pair(fmt.Sprintf("cpu_recording_alone_%d_s_per_stream_hour", n), hour(all[1].cpu), hour(all[0].cpu), func(a, b float64) float64 { return a - b }, "CPU s")
	if len(all) > 2 {
		pair(fmt.Sprintf("cpu_ingest_to_go2rtc_%d", n), all[0].cpu, all[2].cpu, func(a, b float64) float64 { return a / max(b, 0.01) }, "ratio")
	}
	for _, s := range all {
		s.cpu, s.child, s.rss = nil, nil, nil
	}
	return nil
}

func window(ctx context.Context, all []*subject, d time.Duration) error {
	type reading struct{ own, child float64 }
	read := func() (out []reading, err error) {
		for _, s := range all {
			own, child, err := spent(s.pid)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			out = append(out, reading{own, child})
		}
		return out, nil
	}
	before, err := read()
	if err != nil {
		return err
	}
	if err := pause(ctx, d); err != nil {
		return err
	}
	after, err := read()
	if err != nil {
		return err
	}
	for i, s := range all {
		s.cpu = append(s.cpu, after[i].own-before[i].own)
		s.child = append(s.child, after[i].child-before[i].child)
		s.rss = append(s.rss, resident(s.pid))
	}
	return nil
}

// idle measures the servers without a camera.
func idle(ctx context.Context, b *bench, subjects []*subject, rival string) error {
	all := subjects[:1:1]
	if rival != "" {
		p, err := startPeer(ctx, b, rival, 0, "")
		if err != nil {
			return err
		}
		defer p.stop()
		all = append(all, &subject{name: "go2rtc", pid: p.cmd.Process.Pid})
	}
	if err := pause(ctx, settle); err != nil {
		return err
	}
	const quiet = 10 * time.Second
	say("cpu: no camera, one window of %s", quiet)
	if err := window(ctx, all, quiet); err != nil {
		return err
	}
	for _, s := range all {
		name := s.name
		if s.server != nil {
			name = "candor"
		}
		b.add(one("rss_"+name+"_idle_mib", "MiB", s.rss[0]), one("cpu_"+name+"_idle_s_per_hour", "CPU s", s.cpu[0]/quiet.Seconds()*3600))
		s.cpu, s.child, s.rss = nil, nil, nil
	}
	return nil
}

// spent is the CPU time of a process, and that of its children, dead or alive.
func spent(pid int) (own, children float64, err error) {
	f, err := stat(pid)
	if err != nil {
		return 0, 0, err
	}
	own, children = ticks(f[11])+ticks(f[12]), ticks(f[13])+ticks(f[14])
	list, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "task", strconv.Itoa(pid), "children"))
	if err != nil {
		return own, children, nil // a kernel that does not tell; then only the dead ones count
	}
	for _, c := range strings.Fields(string(list)) {
		id, err := strconv.Atoi(c)
		if err != nil {
			continue
		}
		if f, err := stat(id); err == nil {
			children += ticks(f[11]) + ticks(f[12])
		}
	}
	return own, children, nil
}

// stat is /proc/PID/stat from the state on: field 14 of the manual is 11 here.
func stat(pid int) ([]string, error) {
	b, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "stat"))
	if err != nil {
		return nil, err
	}
	s := string(b)
	f := strings.Fields(s[strings.LastIndexByte(s, ')')+1:])
	if len(f) < 15 {
		return nil, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f))
	}
	return f, nil
}

func ticks(s string) float64 {
	v, _ := strconv.ParseFloat(s, 64)
	return v / clockTicks
}

// resident is a process's resident memory in MiB.
func resident(pid int) float64 {
	kb, _ := strconv.ParseFloat(strings.TrimSuffix(field(fmt.Sprintf("/proc/%d/status", pid), "VmRSS"), " kB"), 64)
	return kb / 1024
}
