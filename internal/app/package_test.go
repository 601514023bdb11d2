package app

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The Debian package holds what it should, and what comes out of it runs.
func TestDebianPackageIsWholeAndRuns(t *testing.T) {
	t.Parallel()
	out := t.TempDir()
	cmd := exec.CommandContext(t.Context(), "../../scripts/package", "v1.2.3", out)
	cmd.Env = append(os.Environ(), "BIN="+filepath.Dir(binary(t, "candor")))
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	file := strings.TrimSpace(string(said))
	run := func(name string, args ...string) string {
		t.Helper()
		b, err := exec.CommandContext(t.Context(), name, args...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v: %s", name, err, b)
		}
		return string(b)
	}
	list := run("dpkg-deb", "--contents", file)
	for _, want := range []string{
		`-rwxr-xr-x root/root .* \./usr/bin/candor\n`, `-rwxr-xr-x root/root .* \./usr/lib/candor/candor-decode\n`,
		`-rw-r----- root/root .* \./etc/candor/config.yaml\n`, `-rw-r--r-- root/root .* \./usr/lib/systemd/system/candor.service\n`, `\./usr/share/doc/candor/copyright\n`,
	} {
		if !regexp.MustCompile(want).MatchString(list) {
			t.Errorf("%s is not in\n%s", want, list)
		}
	}
	if regexp.MustCompile(`(?m)^.{7}(w|.w).* root/root`).MatchString(strings.ReplaceAll(list, "lrwxrwxrwx", "")) {
		t.Errorf("others may write: %s", list)
	}
	if strings.Contains(list, "/var/lib") {
		t.Error("the package brings data of its own")
	}
	if i := run("dpkg-deb", "--info", file); !strings.Contains(i, "Version: 1.2.3\n") || !strings.Contains(i, "conffiles") {
		t.Errorf("it says of itself %s", i)
	}
	root := filepath.Join(out, "root")
	run("dpkg-deb", "--extract", file, root)
	for _, script := range []string{"postinst", "prerm", "postrm"} {
		run("sh", "-n", "../../packaging/deb/"+script)
	}
	program, config := filepath.Join(root, "usr/bin/candor"), filepath.Join(root, "etc/candor/config.yaml")
	data := "--data_dir=" + filepath.Join(out, "data")
	doctor := run(program, "doctor", "--config", config, data)
	if !strings.Contains(doctor, filepath.Join(root, "usr/lib/candor/candor-decode")) && !strings.Contains(doctor, "libopenh264") && !strings.Contains(doctor, "ffmpeg") {
		t.Errorf("it does not find its decoder:\n%s", doctor)
	}
	serves(t, program, "serve", "--config", config, data, "--http.listen=127.0.0.1:0", "--webrtc.udp_port=0", "--webrtc.tcp_port=0")
	if path, err := exec.LookPath("systemd-analyze"); err == nil {
		b, _ := exec.CommandContext(t.Context(), path, "verify", "--man=no", "--root="+root, "/usr/lib/systemd/system/candor.service").CombinedOutput()
		for line := range strings.Lines(string(b)) { // units of the machine itself are not in the folder
			if strings.Contains(line, "candor.service:") && !strings.Contains(line, "not found") {
				t.Errorf("the unit: %s", line)
			}
		}
	}
}

// serves starts a server and waits for its address and its set-up code, then ends it.
func serves(t *testing.T, program string, args ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, program, args...)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := ""
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said += lines.Text() + "\n"
		if strings.Contains(said, "http://localhost:") && strings.Contains(said, "Set-up code") && strings.Contains(said, "Data ") {
			break
		}
	}
	if !strings.Contains(said, "Set-up code") {
		t.Errorf("it says %q", said)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("it ended with %v", err)
	}
}
