package app

import (
	"crypto/sha256"
	"database/sql"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// print is what lies in a folder: names, modes and contents.
func print(t *testing.T, dir string) string {
	t.Helper()
	h := sha256.New()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		fmt.Fprintf(h, "%s %v\n", rel, info.Mode())
		if d.IsDir() || rel == lockFile {
			return nil
		}
		b, err := os.ReadFile(path)
		_, _ = h.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// installed is the data folder of a house that has been set up and has stopped.
func installed(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "data")
	c := settings(dir, "")
	w, err := begin(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	w.visitor(t).setUp(t, identity{"Sam Seide", "sam@house.example", "a purple sledge 75"}, "refused")
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	return dir
}

// refusesToStart wants a start to fail with one sentence, and the folder to stay as it is.
func refusesToStart(t *testing.T, dir string, sentence ...string) {
	t.Helper()
	before := print(t, filepath.Dir(dir))
	_, errs, exit := say(t, "serve", "--data_dir", dir, "--http.listen", "127.0.0.1:0", "--webrtc.udp_port", "0", "--webrtc.tcp_port", "0")
	told(t, errs, exit, sentence...)
	if after := print(t, filepath.Dir(dir)); after != before {
		t.Error("the folder has changed")
	}
}

// told wants one sentence on stderr that says all of this.
func told(t *testing.T, errs string, exit int, parts ...string) {
	t.Helper()
	if exit != 1 && exit != 2 {
		t.Errorf("exit code %d", exit)
	}
	var lines []string
	for line := range strings.Lines(errs) {
		if strings.Contains(line, "level=WARN") || strings.Contains(line, "level=ERROR") || strings.Contains(line, "goroutine ") {
			t.Errorf("besides the sentence: %s", line)
		}
		if !strings.HasPrefix(line, "time=") {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	if len(lines) != 1 || !strings.HasPrefix(lines[0], "candor: ") || strings.Contains(lines[0], "problem.") || strings.Contains(lines[0], "{") {
		t.Fatalf("not one sentence: %q", errs)
	}
	for _, part := range parts {
		if !strings.Contains(lines[0], part) {
			t.Errorf("%q does not say %q", lines[0], part)
		}
	}
}

func TestADatabaseOfANewerVersion(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	db, err := sql.Open("sqlite", filepath.Join(dir, databaseFile))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO sqldb_version (version_id, is_applied) VALUES (9999, 1)"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	refusesToStart(t, dir, "9999", "newer")
}

func TestKeysThatAreMissing(t *testing.T) {
	t.Parallel()
	dir := installed(t)
	keys := filepath.Join(dir, keysFolder)
	epochs, _ := filepath.Glob(filepath.Join(keys, "epoch-*.key"))
	if len(epochs) != 1 {
		t.Fatalf("epoch keys: %q", epochs)
	}
	away := filepath.Join(t.TempDir(), "away")
	if err := os.Rename(epochs[0], away); err != nil {
		t.Fatal(err)
	}
	refusesToStart(t, dir, filepath.Base(epochs[0]))
	if err := os.Rename(away, epochs[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(keys, away); err != nil {
		t.Fatal(err)
	}
	refusesToStart(t, dir, "keys.db")
	if _, err := os.Stat(keys); err == nil {
		t.Error("new keys were made for an old database")
	}
	// With them back all is well.
	if err := os.Rename(away, keys); err != nil {
		t.Fatal(err)
	}
	w, err := begin(dir, settings(dir, ""))
	if err != nil {
		t.Fatal(err)
	}
	w.visitor(t).signIn(t, identity{email: "sam@house.example", password: "a purple sledge 75"})
	if err := w.end(); err != nil {
		t.Error(err)
	}
}

func TestADataFolderThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	top := t.TempDir()
	file := filepath.Join(top, "file")
	if err := os.WriteFile(file, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	refusesToStart(t, file, file)
	refusesToStart(t, filepath.Join(file, "below"), file)

	fixed := filepath.Join(top, "fixed")
	if err := os.Mkdir(fixed, 0o555); err != nil {
		t.Fatal(err)
	}
	cmd := command(t, "serve", "--data_dir", fixed, "--http.listen", "127.0.0.1:0")
	if os.Geteuid() == 0 { // root may write everywhere
		if err := os.Chmod(top, 0o755); err != nil {
			t.Fatal(err)
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: 65534, Gid: 65534}
	}
	var errs strings.Builder
	cmd.Stderr = &errs
	_ = cmd.Run()
	told(t, errs.String(), cmd.ProcessState.ExitCode(), fixed)
	if left, _ := os.ReadDir(fixed); len(left) > 0 {
		t.Errorf("something was written: %v", left)
	}
}

func TestADataFolderAndAPortThatAreTaken(t *testing.T) {
	w, p := share(t)
	_, errs, exit := say(t, "serve", "--data_dir", w.dir, "--http.listen", "127.0.0.1:0")
	told(t, errs, exit, w.dir)
	if c := p.see(p.camera); c.ID != p.camera {
		t.Error("the house that has the folder was disturbed")
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	at := l.Addr().String()
	_, errs, exit = say(t, "serve", "--data_dir", filepath.Join(t.TempDir(), "data"), "--http.listen", at, "--webrtc.udp_port", "0", "--webrtc.tcp_port", "0")
	told(t, errs, exit, at)
	_, errs, exit = say(t, "serve", "--data_dir", filepath.Join(t.TempDir(), "data"), "--http.listen", "127.0.0.1:0", "--webrtc.udp_port", "0",
		"--webrtc.tcp_port", fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
	told(t, errs, exit, fmt.Sprint(l.Addr().(*net.TCPAddr).Port))
}

func TestAMisspeltSetting(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "candor.yaml")
	if err := os.WriteFile(file, []byte("language: en\nhttp:\n  lisen: 127.0.0.1:1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	data := filepath.Join(dir, "data")
	_, errs, exit := say(t, "serve", "--config", file, "--data_dir", data)
	told(t, errs, exit, "candor.yaml", "3", "lisen", "http.listen")
	_, errs, exit = say(t, "serve", "--data_dir", data, "--http.lisen", "127.0.0.1:1")
	told(t, errs, exit, "http.lisen", "http.listen")
	_, errs, exit = say(t, "serve", "--data_dir", data, "--recording.days", "never")
	told(t, errs, exit, "recording.days", "never")
	if _, err := os.Stat(data); err == nil {
		t.Error("a data folder was made all the same")
	}
}
