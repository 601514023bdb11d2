// Package backup copies the data of an installation to a folder, beside the running server, and puts it
// back. It also keeps the key mirror, which is another thing under other rules: no data backup contains
// a key, and no mirror contains data.
//
// A backup folder:
//
//	candor-backup.json        which installation's it is
//	lock                      one backup or restore at a time
//	objects/footage/kept/…    finished pieces, sealed; each is copied once and never changes
//	objects/events/kept/…
//	runs/20300504T100000Z/    one run: everything else, as of one moment
//	    candor.db             or candor.dump, where rows are in PostgreSQL
//	    push.key, tls/…
//	    objects.sha256        the pieces that belong to this run; `sha256sum -c` reads it too
//	    backup.json           what the run is, with the SHA-256 of the files above
//
// A run is made in runs/.part-… and renamed when everything in it is on the disk: a run that has its
// name is whole. Pieces are copied, then the database, then the pieces that were finished meanwhile, so
// that what the database names is there. What was being recorded is not: at most the last minute.
//
// Runs older than the published number of days go with the next backup, and with them every piece that
// no run names any more; the newest run stays. A piece that was erased or whose time was over therefore
// leaves the folder with the last run that names it. Until then it does not open: its keys are gone.
//
// The rooms that own tables and objects need not know of it; a restore is a data folder as it was, and
// the next start sweeps what was erased since (internal/rights). This package knows no room but the ground.
package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"candor/internal/sqldb"
)

// layout is the number of the layout above.
const layout = 1

const (
	markFile   = "candor-backup.json"
	lockFile   = "lock"
	objectsDir = "objects"
	runsDir    = "runs"
	runFile    = "backup.json"
	listFile   = "objects.sha256"
	part       = ".part-"
	stamp      = "20060102T150405Z"
)

// Run is one backup.
type Run struct {
	Layout       int               `json:"layout"`
	Installation string            `json:"installation"`
	Keys         string            `json:"keys"` // which keys.db belongs to it; a random number that opens nothing
	Program      string            `json:"program"`
	Schema       int64             `json:"schema"`
	Database     sqldb.Dialect     `json:"database"`
	At           time.Time         `json:"at"`
	Objects      int               `json:"objects"`
	Bytes        int64             `json:"bytes"` // of objects and files together
	Files        map[string]string `json:"files"` // SHA-256
}

// Name is the run's folder.
func (r Run) Name() string { return r.At.UTC().Format(stamp) }

// readRun reads backup.json. Names in it lead nowhere else.
func readRun(b []byte) (Run, error) {
	var r Run
	if err := json.Unmarshal(b, &r); err != nil {
		return r, fmt.Errorf("%s cannot be read: %w", runFile, err)
	}
	switch {
	case r.Layout > layout:
		return r, fmt.Errorf("the backup has layout %d and this build knows %d; use the Candor that made it (%s) or a newer one", r.Layout, layout, r.Program)
	case r.Layout < 1 || r.Installation == "" || r.At.IsZero() || r.Database != sqldb.SQLite && r.Database != sqldb.Postgres:
		return r, errors.New(runFile + " does not say what it is of")
	case r.Files[r.Database.Dump()] == "" || r.Files[listFile] == "":
		return r, errors.New(runFile + " names no database or no list of pieces")
	}
	for name, sum := range r.Files {
		if !local(name) || len(sum) != 64 {
			return r, fmt.Errorf("%s names %q, which is no file of a backup", runFile, name)
		}
	}
	return r, nil
}

// local reports a slash-separated name that stays below where it is looked for.
func local(name string) bool {
	return filepath.IsLocal(filepath.FromSlash(name)) && filepath.ToSlash(filepath.Clean(name)) == name && name != "."
}
