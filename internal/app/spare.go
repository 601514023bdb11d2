package app

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// spare holds space on the disk for the rows of a goodbye: deleting rows needs room too, and on
// a disk that is full to the last byte there is none. The keys have a reserve of their own, so
// nothing opens any more by then; this lets the sweep behind it come to its end.
type spare struct {
	file string
	log  *slog.Logger
}

const (
	spareSize = 8 << 20
	spareRoom = 64 << 20 // so much must be free before it is made anew
)

// keep makes the file if it is not there and the disk has room for more than it.
func (s spare) keep() {
	if info, err := os.Stat(s.file); err == nil && info.Size() == spareSize {
		return
	}
	var disk unix.Statfs_t
	if unix.Statfs(filepath.Dir(s.file), &disk) == nil && int64(disk.Bavail)*int64(disk.Bsize) < spareRoom {
		return
	}
	noise := make([]byte, spareSize)
	_, _ = rand.Read(noise) // a file system that squeezes zeros would hold no space
	if err := os.WriteFile(s.file, noise, 0o600); err != nil {
		s.log.Warn("no room for the reserve that lets a full disk erase", "err", err)
		s.give()
	}
}

// give gives the space back, and reports whether there was any.
func (s spare) give() bool {
	err := os.Remove(s.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("reserve stays", "err", err)
	}
	return err == nil
}
