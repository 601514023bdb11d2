package app

import (
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

var noRoute = regexp.MustCompile(`(?m)^NOROUTE (\d+)$`)

// alone runs a command in a network where only this machine is, and counts the packets that
// something wanted to send elsewhere.
func alone(t *testing.T, script string, args ...string) (said string, astray int) {
	t.Helper()
	count := `
		v4=$(awk '/^Ip: [0-9]/ {print $13}' /proc/net/snmp)
		v6=$(awk '/^Ip6OutNoRoutes/ {print $2}' /proc/net/snmp6)
		echo "NOROUTE $((v4 + v6))"`
	name, all := apart("n", "ip link set lo up || exit 9\n"+script+"\ncode=$?"+count+"\nexit $code", args...)
	cmd := commandOf(t, name, all...)
	cmd.Dir = filepath.Join("..", "..")
	cmd.Env = append(cmd.Env, "SMOKE_BINARY="+binary(t, "candor"), "SMOKE_SECONDS=120", "TMPDIR="+t.TempDir())
	out, err := cmd.CombinedOutput()
	m := noRoute.FindStringSubmatch(string(out))
	if err != nil || m == nil {
		t.Fatalf("%v: %s", err, out)
	}
	astray, err = strconv.Atoi(m[1])
	if err != nil {
		t.Fatal(err)
	}
	return string(out), astray
}

// TestNothingIsDialled: the main job, from set-up to the last receipt, where every packet to
// elsewhere would be counted.
func TestNothingIsDialled(t *testing.T) {
	t.Parallel()
	said, astray := alone(t, `"$1"`, binary(t, "smoke"))
	if astray != 0 {
		t.Errorf("%d packets were meant for elsewhere: %s", astray, said)
	}
	if !strings.Contains(said, "ok    hunt for what should be gone") || strings.Contains(said, "FAIL") {
		t.Errorf("the journey: %s", said)
	}
	// A dial that is planted is noticed.
	if _, astray := alone(t, `bash -c ': < /dev/tcp/192.0.2.1/443' 2> /dev/null; true`); astray == 0 {
		t.Error("a dial to elsewhere was not counted")
	}
}
