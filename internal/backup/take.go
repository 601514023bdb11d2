package backup

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"candor/internal/sqldb"
)

// Source is the installation that is copied.
type Source struct {
	Data     string   // the data folder
	Database string   // a file of SQLite or the address of PostgreSQL
	Keys     string   // the identity of the keys that belong to it
	Objects  []string // folders in it that hold finished pieces: "footage/kept"
	Files    []string // files and folders in it that belong to a run: "push.key", "tls"
	Program  string
	Days     int // how long runs are kept
	Now      func() time.Time
}

// Take makes one run in a folder.
func (s Source) Take(ctx context.Context, to string) (Run, error) {
	if err := apart(s.Data, to); err != nil {
		return Run{}, err
	}
	who, err := sqldb.Identify(ctx, s.Database)
	if err != nil {
		return Run{}, err
	}
	if who.Installation == "" {
		return Run{}, errors.New("there is nothing to back up: the database holds no installation yet")
	}
	f, err := enter(to, who.Installation, true)
	if err != nil {
		return Run{}, err
	}
	r := Run{
		Layout: layout, Installation: who.Installation, Keys: s.Keys, Program: s.Program, Schema: who.Version,
		Database: sqldb.DialectOf(s.Database), At: s.Now().UTC().Truncate(time.Second), Files: map[string]string{},
	}
	err = s.take(ctx, f, &r)
	return r, errors.Join(err, f.leave())
}

func (s Source) take(ctx context.Context, f *folder, r *Run) error {
	oldest := r.At.AddDate(0, 0, -s.Days)
	if err := errors.Join(f.clear(), f.prune(oldest)); err != nil { // first: it makes room
		return err
	}
	for exists(f.run(r.Name())) { // a run of this very second; names go by seconds
		r.At = r.At.Add(time.Second)
	}
	half := f.run(part + r.Name())
	if err := os.MkdirAll(half, 0o700); err != nil {
		return roomy(err)
	}
	err := s.fill(ctx, f, r, half)
	if err == nil {
		err = os.Rename(half, f.run(r.Name()))
	}
	if err != nil {
		return errors.Join(roomy(err), os.RemoveAll(half))
	}
	return errors.Join(syncDir(filepath.Join(f.dir, runsDir)), f.prune(oldest))
}

func exists(name string) bool {
	_, err := os.Lstat(name)
	return err == nil
}

// fill copies pieces, database, and the pieces that were finished meanwhile.
func (s Source) fill(ctx context.Context, f *folder, r *Run, half string) error {
	known, err := f.known()
	if err != nil {
		return err
	}
	if _, _, err := s.gather(ctx, f, known); err != nil {
		return err
	}
	dump := r.Database.Dump()
	if err := sqldb.Copy(ctx, s.Database, filepath.Join(half, dump)); err != nil {
		return err
	}
	there, size, err := s.gather(ctx, f, known)
	if err != nil {
		return err
	}
	r.Objects, r.Bytes = len(there), size
	for _, name := range s.Files {
		if err := s.file(ctx, r, half, name); err != nil {
			return err
		}
	}
	if err := write(filepath.Join(half, listFile), there.bytes()); err != nil {
		return err
	}
	for _, name := range []string{dump, listFile} {
		if err := r.note(ctx, half, name); err != nil {
			return err
		}
	}
	b, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(write(filepath.Join(half, runFile), append(b, '\n')), syncDir(half))
}

// known are the sums of pieces that earlier runs have.
func (f *folder) known() (pieces, error) {
	all, err := f.runs()
	known := pieces{}
	for _, at := range all {
		p, err := f.pieces(at)
		if err != nil {
			continue // prune has complained; its pieces are summed up anew
		}
		for name, sum := range p {
			known[name] = sum
		}
	}
	return known, err
}

// gather copies the pieces that are not in the folder yet, and lists those there are now.
func (s Source) gather(ctx context.Context, f *folder, known pieces) (there pieces, size int64, err error) {
	there = pieces{}
	for _, dir := range s.Objects {
		err := filepath.WalkDir(filepath.Join(s.Data, filepath.FromSlash(dir)), func(at string, e fs.DirEntry, err error) error {
			if err != nil || !e.Type().IsRegular() {
				return ignoreMissing(err)
			}
			rel, err := filepath.Rel(s.Data, at)
			if err != nil {
				return err
			}
			name := filepath.ToSlash(rel)
			sum, n, err := s.piece(ctx, f, at, name, known[name])
			if errors.Is(err, fs.ErrNotExist) {
				return nil // deleted meanwhile
			}
			if err == nil {
				known[name], there[name] = sum, sum
				size += n
			}
			return err
		})
		if err != nil {
			return nil, 0, fmt.Errorf("copy %s: %w", dir, err)
		}
	}
	return there, size, nil
}

// piece copies one piece unless the folder has it. Pieces never change, so its size tells.
func (s Source) piece(ctx context.Context, f *folder, at, name, sum string) (string, int64, error) {
	if err := ctx.Err(); err != nil {
		return "", 0, err
	}
	from, err := os.Stat(at)
	if err != nil {
		return "", 0, err
	}
	if info, err := os.Stat(f.object(name)); err == nil && info.Size() == from.Size() {
		if sum == "" { // of a run that was interrupted
			sum, err = sumOf(ctx, f.object(name))
		}
		return sum, info.Size(), err
	}
	return copyFile(ctx, at, f.object(name))
}

// file copies a file or a folder of the data folder, if it is there.
func (s Source) file(ctx context.Context, r *Run, half, name string) error {
	return filepath.WalkDir(filepath.Join(s.Data, name), func(at string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return ignoreMissing(err)
		}
		rel, err := filepath.Rel(s.Data, at)
		if err != nil {
			return err
		}
		sum, n, err := copyFile(ctx, at, filepath.Join(half, rel))
		if err == nil {
			r.Files[filepath.ToSlash(rel)] = sum
			r.Bytes += n
		}
		return ignoreMissing(err)
	})
}

// note takes down the sum of a file that is in the run.
func (r *Run) note(ctx context.Context, half, name string) error {
	info, err := os.Stat(filepath.Join(half, name))
	if err != nil {
		return err
	}
	r.Bytes += info.Size()
	r.Files[name], err = sumOf(ctx, filepath.Join(half, name))
	return err
}

// apart reports a backup folder inside the data folder, or around it: it would copy itself, and go with
// the disk it should outlive.
func apart(data, to string) error {
	a, err := real(data)
	if err != nil {
		return err
	}
	b, err := real(to)
	if err != nil {
		return err
	}
	if within(a, b) || within(b, a) {
		return fmt.Errorf("the backup folder %s and the data folder %s lie in one another; name a folder elsewhere, best on another disk", to, data)
	}
	return nil
}

func within(dir, what string) bool {
	rel, err := filepath.Rel(dir, what)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator))
}

// real is the absolute name without links, also of what is not there yet.
func real(name string) (string, error) {
	abs, err := filepath.Abs(name)
	if err != nil {
		return "", err
	}
	if got, err := filepath.EvalSymlinks(abs); err == nil {
		return got, nil
	}
	up := filepath.Dir(abs)
	if up == abs {
		return abs, nil
	}
	up, err = real(up)
	return filepath.Join(up, filepath.Base(abs)), err
}
