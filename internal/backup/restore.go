package backup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"candor/internal/sqldb"
)

// Target is where a backup is put back. Its data folder has been locked.
type Target struct {
	Data     string   // a data folder that holds no data; keys may be there already
	Database string   // a file that is not there, or a PostgreSQL database with nothing in it
	Keys     string   // the identity of the keys there; "" while there are none
	Beside   []string // what may lie in the data folder: keys, locks, reserves
}

// Restored is what was put back. Lost are the pieces that the folder should have and has not, or has
// damaged: they were left out.
type Restored struct {
	Run
	Lost int
}

// Restore puts back the run of a moment, or the newest. The database is put there last: a restore that
// was interrupted leaves nothing that starts.
func (t Target) Restore(ctx context.Context, from, at string) (Restored, error) {
	f, err := enter(from, "", false)
	if err != nil {
		return Restored{}, err
	}
	r, err := t.restore(ctx, f, at)
	return r, errors.Join(err, f.leave())
}

func (t Target) restore(ctx context.Context, f *folder, at string) (out Restored, err error) {
	run, err := f.choose(at)
	if err != nil {
		return out, err
	}
	out.Run = run
	dir := f.run(run.Name())
	if err := t.fits(ctx, run); err != nil {
		return out, err
	}
	if err := sound(ctx, dir, run); err != nil {
		return out, err
	}
	list, err := f.pieces(run.At)
	if err != nil {
		return out, err
	}
	for name, sum := range list {
		if err := t.object(ctx, f, name, sum); errors.Is(err, errLost) {
			out.Lost++
		} else if err != nil {
			return out, fmt.Errorf("put %s back: %w", name, err)
		}
	}
	dump := run.Database.Dump()
	for name := range run.Files {
		if name == dump || name == listFile {
			continue
		}
		if _, _, err := copyFile(ctx, filepath.Join(dir, filepath.FromSlash(name)), filepath.Join(t.Data, filepath.FromSlash(name))); err != nil {
			return out, fmt.Errorf("put %s back: %w", name, err)
		}
	}
	return out, roomy(sqldb.Restore(ctx, filepath.Join(dir, dump), t.Database))
}

var errLost = errors.New("piece is not what it was")

func (t Target) object(ctx context.Context, f *folder, name, sum string) error {
	to := filepath.Join(t.Data, filepath.FromSlash(name))
	got, _, err := copyFile(ctx, f.object(name), to)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errLost
	case err == nil && got != sum:
		return errors.Join(errLost, os.Remove(to))
	}
	return err
}

// choose finds a run by what a person wrote of its moment: its folder's name or the beginning of it.
func (f *folder) choose(at string) (Run, error) {
	all, err := f.runs()
	if err != nil {
		return Run{}, err
	}
	if len(all) == 0 {
		return Run{}, fmt.Errorf("%s holds no whole run; was the first backup interrupted?", f.dir)
	}
	found := all[len(all)-1]
	if at != "" {
		i := slices.IndexFunc(all, func(t time.Time) bool { return t.Format(stamp) == at })
		if i < 0 {
			return Run{}, fmt.Errorf("there is no run %s; the oldest is %s, the newest %s (`ls %s`)",
				at, all[0].Format(stamp), found.Format(stamp), filepath.Join(f.dir, runsDir))
		}
		found = all[i]
	}
	b, err := os.ReadFile(filepath.Join(f.run(found.Format(stamp)), runFile))
	if err != nil {
		return Run{}, fmt.Errorf("the run %s is damaged; choose another with --at: %w", found.Format(stamp), err)
	}
	r, err := readRun(b)
	if err == nil && !r.At.Equal(found) {
		err = fmt.Errorf("%s is of %s; was the folder renamed?", runFile, r.Name())
	}
	if err != nil {
		return Run{}, fmt.Errorf("the run %s is damaged; choose another with --at: %w", found.Format(stamp), err)
	}
	return r, nil
}

// fits reports why this run cannot be put back here.
func (t Target) fits(ctx context.Context, r Run) error {
	if d := sqldb.DialectOf(t.Database); d != r.Database {
		return fmt.Errorf("the backup holds a %s database and the setting `database` names %s; set it as it was", r.Database, d)
	}
	if t.Keys != "" && r.Keys != "" && t.Keys != r.Keys {
		return fmt.Errorf("the keys in %s are of another installation and would open nothing of this backup; put its own there, or none", t.Data)
	}
	entries, err := os.ReadDir(t.Data)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !slices.Contains(t.Beside, e.Name()) {
			return fmt.Errorf("%s is not empty (%s …); a backup is put back into a folder that holds nothing but keys, so move the rest away", t.Data, e.Name())
		}
	}
	if r.Database == sqldb.Postgres {
		who, err := sqldb.Identify(ctx, t.Database)
		if err != nil {
			return err
		}
		if who.Installation != "" {
			return errors.New("the PostgreSQL database is not empty; make an empty one (createdb) and name it in the setting `database`")
		}
	}
	return nil
}

// sound compares the run's files with what was written down of them.
func sound(ctx context.Context, dir string, r Run) error {
	for name, want := range r.Files {
		got, err := sumOf(ctx, filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || got != want {
			return errors.Join(fmt.Errorf("the run %s is damaged: %s is not what was written; choose another with --at", r.Name(), name), err)
		}
	}
	return nil
}
