package app

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"filippo.io/age"

	"candor/internal/backup"
	"candor/internal/id"
	"candor/internal/promise"
	"candor/internal/rights"
)

// TestALostDiskIsNotALostHome: the data folder of a running server is backed up and its keys are
// mirrored, then all of it is gone. What was recorded plays again, and only with both.
func TestALostDiskIsNotALostHome(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	dir, data, keys, recovery := filepath.Join(home, "data"), filepath.Join(home, "backup"), filepath.Join(home, "mirror"), filepath.Join(home, "recovery.txt")
	secret, err := age.GenerateX25519Identity()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(recovery, []byte(secret.String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	args := []string{"demo", "--data", dir, "--listen", "127.0.0.1:0", "--webrtc.udp_port", "0", "--webrtc.tcp_port", "0"}
	server := run(t, args...)
	who := identity{"Ida Igel", "ida@house.example", "a grey balloon 81"}
	p := server.visitor(t)
	p.setUp(t, who, "given")
	got := p.recorded(p.camera, 3*time.Second)
	server.stop(t) // ends the segment
	server = run(t, args...)
	well(t, "Backup", "backup", "--to", data, "--data_dir", dir)
	well(t, "The keys are in", "keys", "mirror", "--to", keys, "--recipient", secret.Recipient().String(), "--data_dir", dir)
	well(t, "Backup", "backup", "--to", data, "--data_dir", dir) // again, beside the server
	unwell(t, "lie in one another", "backup", "--to", filepath.Join(dir, "backup"), "--data_dir", dir)
	server.kill()
	if err := os.Rename(dir, filepath.Join(home, "gone")); err != nil {
		t.Fatal(err)
	}
	well(t, "Everybody has to sign in again", "restore", "--from", data, "--data_dir", dir)
	unwell(t, "is not empty", "restore", "--from", data, "--data_dir", dir)
	refusesToStart(t, dir, "keys.db")
	mirrors, _ := filepath.Glob(filepath.Join(keys, "candor-keys-*.age"))
	if len(mirrors) != 1 {
		t.Fatalf("mirrors: %q", mirrors)
	}
	well(t, "The keys are in", "keys", "restore", "--from", mirrors[0], "--identity", recovery, "--data_dir", dir)
	unwell(t, "has keys already", "keys", "restore", "--from", mirrors[0], "--identity", recovery, "--data_dir", dir)

	server = run(t, args...)
	p.world = server.world
	if a := p.do("GET", "/account", nil); a.status != http.StatusUnauthorized {
		t.Error("a session of the backup goes on")
	}
	p = server.visitor(t)
	p.signIn(t, who)
	p.know()
	a := p.do("GET", moviePath(p.camera, got), nil)
	if a.status != http.StatusOK {
		t.Fatalf("the movie: %d %s", a.status, a.body)
	}
	if n, complaints := probe(t, a.body); n == 0 || complaints != "" {
		t.Errorf("%d pictures; %s", n, complaints)
	}
	server.stop(t)
}

// TestARestoredBackupBringsNobodyBack: somebody who left after the backup stays gone, and whoever stayed
// has everything.
func TestARestoredBackupBringsNobodyBack(t *testing.T) {
	promise.Proves(t, "P271")
	t.Parallel()
	home := t.TempDir()
	dir, data := filepath.Join(home, "data"), filepath.Join(home, "backup")
	c := settings(dir, "")
	w, err := begin(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	stays, leaves := identity{"Ole Otter", "ole@house.example", "a white tandem 82"}, identity{"Pia Pilz", "pia@house.example", "a black canoe 83"}
	w.visitor(t).setUp(t, stays, "refused")
	gone := w.join(t, leaves)
	if _, err := Backup(t.Context(), c, data); err != nil {
		t.Fatal(err)
	}
	var r receipt
	gone.call("DELETE", "/account", map[string]any{"password": leaves.password}, &r)
	kept(t, &r)
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(home, "again")
	takeKeys(t, dir, again)
	c = settings(again, "")
	if _, err := Restore(t.Context(), c, data, ""); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(filepath.Join(again, databaseFile))
	if err != nil || !bytes.Contains(b, gone.account[:]) {
		t.Fatalf("the backup did not hold whom this is about: %v", err)
	}
	if w, err = begin(again, c); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := w.end(); err != nil {
			t.Error(err)
		}
	}()
	var rows int
	if err := w.db.Read.NewRaw("SELECT count(*) FROM account_account").Scan(t.Context(), &rows); err != nil || rows != 1 {
		t.Errorf("%d accounts after the start, %v", rows, err)
	}
	if a := w.visitor(t).do("POST", "/session", map[string]any{"email": leaves.email, "password": leaves.password}); a.status != http.StatusUnauthorized {
		t.Errorf("signing in: %d %s", a.status, a.body)
	}
	p := w.visitor(t)
	p.signIn(t, stays)
	if a := p.do("GET", "/account", nil); a.status != http.StatusOK || !strings.Contains(string(a.body), stays.name) {
		t.Errorf("who stayed: %d %s", a.status, a.body)
	}
	for _, h := range w.office.Holders {
		left, err := h.Scan(t.Context(), rights.Whose{Tenant: w.tenant, Subject: id.Subject(gone.account)})
		if err != nil {
			t.Error(err)
		}
		for _, f := range left {
			if f.Found > 0 {
				t.Errorf("%d of who left are in %s", f.Found, f.Where)
			}
		}
	}
}

// TestARestoredBackupGivesNoConsentBack: who withdrew after the backup is not recorded after the restore,
// and who agreed again is.
func TestARestoredBackupGivesNoConsentBack(t *testing.T) {
	t.Parallel()
	home := t.TempDir()
	dir, data := filepath.Join(home, "data"), filepath.Join(home, "backup")
	decoder := binary(t, "candor-decode")
	w, err := begin(dir, settings(dir, decoder))
	if err != nil {
		t.Fatal(err)
	}
	p := w.visitor(t)
	who := identity{"Udo Uhu", "udo@house.example", "a brown hammock 84"}
	p.setUp(t, who, "given")
	p.recorded(p.camera, 2*time.Second)
	if _, err := Backup(t.Context(), settings(dir, decoder), data); err != nil {
		t.Fatal(err)
	}
	path := "/cameras/" + p.camera + "/consents/recording"
	var out struct{ Receipt receipt }
	p.call("PUT", path, map[string]any{"state": "withdrawn", "text_hash": p.consentHash()}, &out)
	kept(t, &out.Receipt)
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	again := filepath.Join(home, "again")
	takeKeys(t, dir, again)
	c := settings(again, decoder)
	if _, err := Restore(t.Context(), c, data, ""); err != nil {
		t.Fatal(err)
	}
	state := func() string {
		t.Helper()
		var ledger agreed
		p.call("GET", "/consents", nil, &ledger)
		for _, one := range ledger.Current {
			if one.Purpose == "recording" && one.Camera == p.camera {
				return one.State
			}
		}
		return "none"
	}
	start := func() {
		t.Helper()
		if w, err = begin(again, c); err != nil {
			t.Fatal(err)
		}
		p = w.visitor(t)
		p.signIn(t, who)
		p.know()
	}
	start()
	if s := state(); s != "withdrawn" {
		t.Errorf("after the restore the consent is %s", s)
	}
	p.call("PUT", path, map[string]any{"state": "given", "text_hash": p.consentHash()}, nil)
	p.recorded(p.camera, time.Second)
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
	start() // and says nothing twice
	if s := state(); s != "given" {
		t.Errorf("agreed to again, and after a start the consent is %s", s)
	}
	if err := w.end(); err != nil {
		t.Fatal(err)
	}
}

// A folder is one installation's, and keys of another are not taken for a backup's.
func TestABackupOfAnotherInstallation(t *testing.T) {
	t.Parallel()
	a, b := settings(installed(t), ""), settings(installed(t), "")
	folder := filepath.Join(t.TempDir(), "backup")
	if _, err := Backup(t.Context(), a, folder); err != nil {
		t.Fatal(err)
	}
	if _, err := Backup(t.Context(), b, folder); err == nil || !strings.Contains(err.Error(), "another installation") {
		t.Errorf("backing up over another: %v", err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, keysFolder), os.DirFS(filepath.Join(b.DataDir, keysFolder))); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), settings(dir, ""), folder, ""); err == nil || !strings.Contains(err.Error(), "keys") {
		t.Errorf("restoring under other keys: %v", err)
	}
	if at, err := backup.Newest(folder); err != nil || at.IsZero() {
		t.Errorf("newest: %v, %v", at, err)
	}
}

// takeKeys puts the keys of one data folder into another that has nothing yet.
func takeKeys(t *testing.T, from, to string) {
	t.Helper()
	if err := os.CopyFS(filepath.Join(to, keysFolder), os.DirFS(filepath.Join(from, keysFolder))); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(to, 0o700); err != nil {
		t.Fatal(err)
	}
}

// well runs a command that is to succeed and say something.
func well(t *testing.T, says string, args ...string) {
	t.Helper()
	if out, errs, exit := say(t, args...); exit != 0 || !strings.Contains(out, says) {
		t.Fatalf("%v: %d %s %s", args, exit, out, errs)
	}
}

// unwell runs one that is to fail with a sentence.
func unwell(t *testing.T, says string, args ...string) {
	t.Helper()
	_, errs, exit := say(t, args...)
	told(t, errs, exit, says)
}
