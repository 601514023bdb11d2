package app

import (
	"context"
	"errors"
	"path"
	"path/filepath"
	"time"

	"candor/internal/account"
	"candor/internal/backup"
	"candor/internal/clock"
	"candor/internal/config"
	"candor/internal/problem"
	"candor/internal/seal"
	"candor/internal/sqldb"
	"candor/internal/version"
)

// finished is where blob.Disk has what is finished.
const finished = "kept"

func databaseAt(c config.Config) string {
	if at := c.Database.Reveal(); at != "" {
		return at
	}
	return filepath.Join(c.DataDir, databaseFile)
}

// backupOf is what a backup takes: what the folder holds but keys, locks, reserves and copies that people
// asked for (these end by themselves and can be asked for again).
func backupOf(c config.Config, keys string, now clock.Clock) (backup.Source, error) {
	_, p, err := obeyed(c, now.Now())
	if err != nil {
		return backup.Source{}, err
	}
	return backup.Source{
		Data: c.DataDir, Database: databaseAt(c), Keys: keys, Program: version.Version, Days: p.BackupDays, Now: now.Now,
		Objects: []string{path.Join(footageDir, finished), path.Join(eventsDir, finished)},
		Files:   []string{pushKeyFile, tlsFolder},
	}, nil
}

// Backup copies the data to a folder. The server may run meanwhile.
func Backup(ctx context.Context, c config.Config, to string) (backup.Run, error) {
	if !exists(c.DataDir, keysFolder) {
		return backup.Run{}, problem.Conflict("data.none").With("folder", c.DataDir)
	}
	keys, err := seal.IdentityIn(ctx, filepath.Join(c.DataDir, keysFolder))
	if err != nil {
		return backup.Run{}, err
	}
	s, err := backupOf(c, keys, clock.Wall)
	if err != nil {
		return backup.Run{}, err
	}
	return s.Take(ctx, to)
}

// Restore puts a backup back into a data folder that holds nothing but keys, and ends the sessions in it.
func Restore(ctx context.Context, c config.Config, from, at string) (out backup.Restored, err error) {
	release, err := lock(c.DataDir)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, release()) }()
	keys, err := seal.IdentityIn(ctx, filepath.Join(c.DataDir, keysFolder))
	if err != nil {
		return out, err
	}
	t := backup.Target{Data: c.DataDir, Database: databaseAt(c), Keys: keys, Beside: []string{keysFolder, lockFile, spareFile}}
	if out, err = t.Restore(ctx, from, at); err != nil {
		return out, err
	}
	db, err := sqldb.Open(ctx, databaseAt(c))
	if err != nil {
		return out, err
	}
	return out, errors.Join(account.EndSessions(ctx, db), db.Close())
}

// MirrorKeys seals a copy of the keys to the operator's recovery key. The server may run meanwhile.
func MirrorKeys(ctx context.Context, c config.Config, to, recipient string) (file string, days int, err error) {
	if !exists(c.DataDir, keysFolder) {
		return "", 0, problem.Conflict("data.none").With("folder", c.DataDir)
	}
	now := time.Now()
	_, p, err := obeyed(c, now)
	if err != nil {
		return "", 0, err
	}
	keys, err := seal.Open(ctx, seal.Options{Dir: filepath.Join(c.DataDir, keysFolder), Clock: clock.Wall})
	if err != nil {
		return "", 0, err
	}
	file, err = backup.Mirror(ctx, keys, to, recipient, now, p.BackupDays)
	return file, p.BackupDays, errors.Join(err, keys.Close())
}

// RestoreKeys opens a key mirror and puts the keys into a data folder that has none.
func RestoreKeys(_ context.Context, c config.Config, file, identity string) (err error) {
	release, err := lock(c.DataDir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, release()) }()
	return backup.Unmirror(file, identity, filepath.Join(c.DataDir, keysFolder))
}
