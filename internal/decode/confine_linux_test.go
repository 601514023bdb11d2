package decode

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

func TestTheChildIsShutIn(t *testing.T) {
	p := pool(t, "")
	if d := p.Describe(t.Context()); d.Engine == "" {
		t.Fatal(d.Reason)
	}
	s := <-p.slots
	defer func() { p.slots <- s }()
	pid := s.child.cmd.Process.Pid
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		t.Fatal(err)
	}
	if !regexp.MustCompile(`(?m)^NoNewPrivs:\s+1$`).Match(status) {
		t.Errorf("it may gain privileges:\n%s", status)
	}
	if regexp.MustCompile(`(?m)^Uid:.*\b0\b`).Match(status) {
		t.Errorf("it is root:\n%s", status)
	}
	if !regexp.MustCompile(`(?m)^CapEff:\s+0+$`).Match(status) {
		t.Errorf("it has capabilities:\n%s", status)
	}
	if os.Geteuid() == 0 {
		ours, _ := os.Readlink("/proc/self/ns/net")
		its, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/net", pid))
		if err != nil || its == ours {
			t.Errorf("it is in our network namespace (%s, %s, %v)", its, ours, err)
		}
	}
	limits, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", pid))
	if err != nil || !regexp.MustCompile(`(?m)^Max file size\s+0\s+0`).Match(limits) {
		t.Errorf("it may write files:\n%s %v", limits, err)
	}
	env, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	if err == nil && regexp.MustCompile(`CANDOR|HOME=|SECRET`).Match(env) {
		t.Errorf("it inherited %q", env)
	}
}
