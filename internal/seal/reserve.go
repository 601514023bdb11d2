package seal

import (
	"crypto/rand"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
)

// The reserve is a file of noise that holds space on the disk for the rollback journal of a
// goodbye: forgetting must not wait for room.
const (
	reserveName = "keys.reserve"
	reserveSize = 2 << 20
)

// keepReserve makes the reserve if it is not there. On a full disk it is made at the next chance.
func (k *Keeper) keepReserve() {
	name := filepath.Join(k.dir, reserveName)
	if info, err := os.Stat(name); err == nil && info.Size() == reserveSize {
		return
	}
	noise := make([]byte, reserveSize)
	_, _ = rand.Read(noise) // a file system that squeezes zeros would hold no space
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err == nil {
		_, err = f.Write(noise)
		err = errors.Join(err, f.Sync(), f.Close())
	}
	if err != nil {
		k.log.Warn("no room for the reserve that lets a full disk erase", slog.Any("err", err))
		k.dropReserve()
	}
}

func (k *Keeper) dropReserve() {
	if err := os.Remove(filepath.Join(k.dir, reserveName)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		k.log.Warn("reserve stays", slog.Any("err", err))
	}
}
