package backup

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// folder is a backup folder that this process alone uses.
type folder struct {
	dir  string
	lock *os.File
}

type mark struct {
	Layout       int    `json:"layout"`
	Installation string `json:"installation"`
}

// enter opens a backup folder. With begin it may be empty or missing, and becomes this installation's.
func enter(dir, installation string, begin bool) (*folder, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) && begin {
		err = os.MkdirAll(dir, 0o700)
	}
	if err != nil {
		return nil, fmt.Errorf("the backup folder cannot be used: %w", err)
	}
	b, err := os.ReadFile(filepath.Join(dir, markFile))
	fresh := errors.Is(err, fs.ErrNotExist)
	entries = slices.DeleteFunc(entries, func(e fs.DirEntry) bool { return e.Name() == lockFile || e.Name() == "lost+found" })
	switch {
	case fresh && !begin:
		return nil, fmt.Errorf("%s is no backup of Candor (no %s in it); name the folder that `candor backup --to` was given", dir, markFile)
	case fresh && len(entries) > 0:
		return nil, fmt.Errorf("%s holds other things (%s …) and no backup of Candor; name an empty folder or a new one", dir, entries[0].Name())
	case !fresh && err != nil:
		return nil, fmt.Errorf("the backup folder cannot be used: %w", err)
	}
	f, err := lockFolder(dir)
	if err != nil {
		return nil, err
	}
	if fresh {
		if b, err = json.Marshal(mark{layout, installation}); err == nil {
			err = errors.Join(write(filepath.Join(dir, markFile), append(b, '\n')), syncDir(dir))
		}
		if err != nil {
			return nil, errors.Join(err, f.leave())
		}
	}
	if err := belongs(b, dir, installation); err != nil {
		return nil, errors.Join(err, f.leave())
	}
	return f, nil
}

// belongs reports a folder of another installation, or of a later build. Anybody's will do for "".
func belongs(b []byte, dir, installation string) error {
	var m mark
	if err := json.Unmarshal(b, &m); err != nil || m.Installation == "" {
		return fmt.Errorf("%s in %s cannot be read; it is damaged or no backup of Candor", markFile, dir)
	}
	if m.Layout > layout {
		return fmt.Errorf("%s has layout %d and this build knows %d; use a newer Candor", dir, m.Layout, layout)
	}
	if installation != "" && m.Installation != installation {
		return fmt.Errorf("%s holds the backup of another installation (%.8s…, this one is %.8s…); name a folder of its own", dir, m.Installation, installation)
	}
	return nil
}

func lockFolder(dir string) (*folder, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("the backup folder cannot be used: %w", roomy(err))
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another backup or restore is using %s; wait for it to end", dir), f.Close())
	}
	return &folder{dir, f}, nil
}

func (f *folder) leave() error { return f.lock.Close() }

func (f *folder) object(name string) string {
	return filepath.Join(f.dir, objectsDir, filepath.FromSlash(name))
}
func (f *folder) run(name string) string { return filepath.Join(f.dir, runsDir, name) }

// runs are the moments of the whole runs, oldest first.
func (f *folder) runs() ([]time.Time, error) { return runsIn(f.dir) }

func runsIn(dir string) (all []time.Time, err error) {
	entries, err := os.ReadDir(filepath.Join(dir, runsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, e := range entries {
		if at, err := time.Parse(stamp, e.Name()); err == nil {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all, nil
}

// Newest is when the newest whole run in a folder was taken, and zero if there is none.
func Newest(dir string) (time.Time, error) {
	all, err := runsIn(dir)
	if err != nil || len(all) == 0 {
		return time.Time{}, err
	}
	return all[len(all)-1], nil
}

// pieces are those of one run.
func (f *folder) pieces(at time.Time) (pieces, error) {
	b, err := os.ReadFile(filepath.Join(f.run(at.Format(stamp)), listFile))
	if err != nil {
		return nil, err
	}
	return readPieces(b)
}

// prune removes the runs from before a moment, but never the newest, and the pieces that no run names.
// A list that cannot be read keeps every piece: what it named is not known.
func (f *folder) prune(before time.Time) error {
	all, err := f.runs()
	if err != nil {
		return err
	}
	wanted := map[string]bool{}
	for i, at := range all {
		if at.Before(before) && i < len(all)-1 {
			if err := os.RemoveAll(f.run(at.Format(stamp))); err != nil {
				return fmt.Errorf("remove an old run: %w", err)
			}
			continue
		}
		p, err := f.pieces(at)
		if err != nil {
			return fmt.Errorf("old pieces stay, since the run %s is damaged; remove its folder if it is of no use: %w", at.Format(stamp), err)
		}
		for name := range p {
			wanted[name] = true
		}
	}
	root := filepath.Join(f.dir, objectsDir)
	err = filepath.WalkDir(root, func(at string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return ignoreMissing(err)
		}
		name, err := filepath.Rel(root, at)
		if err != nil || wanted[filepath.ToSlash(name)] {
			return err
		}
		if err := os.Remove(at); err != nil {
			return err
		}
		for dir := filepath.Dir(at); dir != root && os.Remove(dir) == nil; dir = filepath.Dir(dir) {
		}
		return nil
	})
	return err
}

// clear removes what an interrupted run left.
func (f *folder) clear() error {
	entries, err := os.ReadDir(filepath.Join(f.dir, runsDir))
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), part) {
			err = errors.Join(err, os.RemoveAll(f.run(e.Name())))
		}
	}
	return ignoreMissing(err)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
