package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"candor/internal/cli"
)

// What is typed, what comes back, and what does not.
func TestCommands(t *testing.T) {
	dir := t.TempDir()
	typo := filepath.Join(dir, "typo.yaml")
	if err := os.WriteFile(typo, []byte("http:\n  lisen: :1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args, env string
		code      int
		out, err  string
	}{
		{"--help", "", 0, "doctor", ""},
		{"serve --help", "", 0, "Run the server.", ""},
		{"version", "", 0, "candor ", ""},
		{"version --modules", "", 0, "candor ", ""},
		{"promises", "", 0, "P350", ""},
		{"promises --json", "", 0, `"statement"`, ""},
		{"policy check", "", 0, "this build keeps it", ""},
		{"policy check ../../policy", "", 0, "this build keeps it", ""},
		{"policy check " + dir, "", 1, "", "policy.yaml: is missing"},
		{"policy diff ../../policy", "", 1, "0 changes, 0 of them material", "the version after 1 is 2, not 1"},
		{"policy diff --json ../../policy", "", 1, "[]", "the version after 1 is 2, not 1"},
		{"policy diff " + typo, "", 1, "", "not a packed policy"},
		{"policy pack ../../policy " + typo, "", 1, "", "never written over"},
		{"openapi", "", 0, `"openapi": "3.1`, ""},
		{"", "", 2, "", "expected one of"},
		{"frobnicate", "", 2, "", "unexpected argument"},
		{"user reset", "", 2, "", "<email>"},
		{"serve --http.listen", "", 2, "", "--http.listen needs a value"},
		{"serve --http.lisen :1", "", 2, "", "did you mean --http.listen?"},
		{"serve --config " + typo, "", 2, "", `typo.yaml line 2: "http.lisen" is not a setting; did you mean "http.listen"?`},
		{"doctor", "CANDOR_HTTP_LISTN=:1", 2, "", "did you mean CANDOR_HTTP_LISTEN?"},
		{"serve --http.tls acme", "", 2, "", "at least one domain name is needed"},
		{"serve --http.tls proxy", "", 2, "", "http.trusted_proxies"},
		{"setup-code --data_dir " + dir, "", 1, "", "There is no set-up code in " + dir},
		{"user reset a@example.org --data_dir " + dir, "", 1, "", "There is no installation in " + dir},
	} {
		t.Run(c.args, func(t *testing.T) {
			var out, errOut bytes.Buffer
			code := cli.Main(t.Context(), strings.Fields(c.args), []string{c.env}, &out, &errOut)
			if code != c.code || !strings.Contains(out.String(), c.out) || !strings.Contains(errOut.String(), c.err) {
				t.Errorf("exit code %d, want %d\n%s%s", code, c.code, out.String(), errOut.String())
			}
			if c.code == 0 && errOut.Len() > 0 || c.code != 0 && strings.Contains(errOut.String(), "goroutine") {
				t.Errorf("it complains: %s", errOut.String())
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*")); len(left) != 1 {
		t.Errorf("commands that only look left %v", left)
	}
}

// An older version that was packed is what its source was.
func TestAPackedPolicyIsItsSource(t *testing.T) {
	file := filepath.Join(t.TempDir(), "1.json")
	run := func(args ...string) (int, string) {
		var out, errOut bytes.Buffer
		return cli.Main(t.Context(), append([]string{"policy"}, args...), nil, &out, &errOut), out.String() + errOut.String()
	}
	if code, said := run("pack", "../../policy", file); code != 0 || !strings.Contains(said, "holds version 1") {
		t.Fatalf("pack: %d %s", code, said)
	}
	if _, said := run("diff", file, "../../policy"); !strings.Contains(said, "0 changes") {
		t.Errorf("diff: %s", said)
	}
}
