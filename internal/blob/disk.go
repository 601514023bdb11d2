package blob

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Disk keeps objects as files under one directory. Drafts lie flat in "open"; committing moves a
// file to its place under "kept". Only "open" is looked through at a start, however much is kept.
type Disk struct {
	// Coarse has files and folders tell only the UTC day on which they changed. Set it before use, for
	// objects whose moment is nobody's business.
	Coarse bool

	open, kept string

	mu   sync.Mutex
	made map[string]bool // directories known to exist
}

var _ Store = (*Disk)(nil)

// OpenDisk opens or begins a store in dir.
func OpenDisk(dir string) (*Disk, error) {
	d := &Disk{open: filepath.Join(dir, "open"), kept: filepath.Join(dir, "kept"), made: map[string]bool{}}
	for _, p := range []string{dir, d.open, d.kept} {
		if err := os.MkdirAll(p, 0o700); err != nil {
			return nil, fmt.Errorf("make the object folder: %w", err)
		}
	}
	return d, syncDir(dir)
}

// check refuses names that could lead elsewhere or that two objects could share.
func check(name string) error {
	if name == "" || len(name) > 240 {
		return ErrName
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' {
			return ErrName
		}
		for _, c := range []byte(part) {
			if !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '_' || c == '.') {
				return ErrName
			}
		}
	}
	return nil
}

// flat is a draft's file name; '+' occurs in no name.
func flat(name string) string { return strings.ReplaceAll(name, "/", "+") }

func (d *Disk) draft(name string) string { return filepath.Join(d.open, flat(name)) }
func (d *Disk) place(name string) string { return filepath.Join(d.kept, filepath.FromSlash(name)) }

// Create begins a file in "open".
func (d *Disk) Create(name string) (Draft, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	if _, err := os.Lstat(d.place(name)); err == nil {
		return nil, fs.ErrExist
	}
	f, err := os.OpenFile(d.draft(name), os.O_RDWR|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	return &diskDraft{disk: d, name: name, f: f}, nil
}

// Resume opens a file of "open" again.
func (d *Disk) Resume(name string, size int64) (Draft, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(d.draft(name), os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, notFound(err)
	}
	r := &diskDraft{disk: d, name: name, f: f}
	info, err := f.Stat()
	if err == nil && info.Size() != size {
		err = f.Truncate(size)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return r, nil
}

// Open finds the file in either place. A commit between the two looks is found by a third.
func (d *Disk) Open(name string) (Object, error) {
	if err := check(name); err != nil {
		return nil, err
	}
	var err error
	for _, at := range []string{d.place(name), d.draft(name), d.place(name)} {
		var f *os.File
		if f, err = os.Open(at); err == nil {
			return diskObject{f}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return nil, notFound(err)
}

// Delete unlinks the file and the directories it leaves empty.
func (d *Disk) Delete(name string) error {
	if err := check(name); err != nil {
		return err
	}
	for _, at := range []string{d.draft(name), d.place(name)} {
		if err := os.Remove(at); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if os.Remove(d.place(dir)) != nil {
			d.coarsen(d.place(dir))
			break
		}
		delete(d.made, dir)
	}
	return nil
}

// coarsen cuts the times of a file or folder to the day, if that is wanted. What cannot be cut stays.
func (d *Disk) coarsen(at string) {
	if !d.Coarse {
		return
	}
	if info, err := os.Stat(at); err == nil {
		day := info.ModTime().UTC().Truncate(24 * time.Hour)
		_ = os.Chtimes(at, day, day)
	}
}

// Drafts lists "open".
func (d *Disk) Drafts() ([]string, error) {
	entries, err := os.ReadDir(d.open)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := strings.ReplaceAll(e.Name(), "+", "/")
		if e.Type().IsRegular() && check(name) == nil {
			names = append(names, name)
		}
	}
	return names, nil
}

// List walks "kept" beneath the prefix.
func (d *Disk) List(ctx context.Context, prefix string) iter.Seq2[Info, error] {
	return func(yield func(Info, error) bool) {
		if prefix != "" && check(prefix) != nil {
			yield(Info{}, ErrName)
			return
		}
		stop := errors.New("stop")
		err := filepath.WalkDir(d.place(prefix), func(at string, e fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case errors.Is(err, fs.ErrNotExist):
				return nil
			case err != nil:
				return err
			case !e.Type().IsRegular():
				return nil
			}
			info, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			name, err := filepath.Rel(d.kept, at)
			if err != nil {
				return err
			}
			if !yield(Info{Name: filepath.ToSlash(name), Size: info.Size()}, nil) {
				return stop
			}
			return nil
		})
		if err != nil && !errors.Is(err, stop) {
			yield(Info{}, err)
		}
	}
}

// Free asks the file system.
func (d *Disk) Free() (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(d.open, &s); err != nil {
		return 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// ensure makes the directory of a name and syncs those it made.
func (d *Disk) ensure(dir string) error {
	if dir == "." || d.made[dir] {
		return nil
	}
	up := path.Dir(dir)
	if err := d.ensure(up); err != nil {
		return err
	}
	err := os.Mkdir(d.place(dir), 0o700)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err == nil {
		if err := syncDir(d.place(up)); err != nil {
			return err
		}
	}
	d.made[dir] = true
	return nil
}

func notFound(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return ErrNotFound
	}
	return err
}

func syncDir(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

type diskObject struct{ *os.File }

func (o diskObject) Size() (int64, error) {
	info, err := o.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}
