package backup

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// copyFile copies a file to a name that it gets when it is whole and on the disk, and says its SHA-256.
// The times of the copy tell the day alone, as those of the originals do.
func copyFile(ctx context.Context, from, to string) (sum string, size int64, err error) {
	in, err := os.Open(from)
	if err != nil {
		return "", 0, err
	}
	defer in.Close()
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return "", 0, roomy(err)
	}
	half := filepath.Join(filepath.Dir(to), part+filepath.Base(to))
	out, err := os.OpenFile(half, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return "", 0, roomy(err)
	}
	h := sha256.New()
	size, err = io.Copy(io.MultiWriter(out, h), reader{ctx, in})
	err = errors.Join(err, out.Sync(), out.Close())
	if err == nil {
		day := time.Now().UTC().Truncate(24 * time.Hour)
		if info, err := in.Stat(); err == nil {
			day = info.ModTime().UTC().Truncate(24 * time.Hour)
		}
		_ = os.Chtimes(half, day, day)
		err = os.Rename(half, to)
	}
	if err != nil {
		_ = os.Remove(half)
		return "", 0, roomy(err)
	}
	return hex.EncodeToString(h.Sum(nil)), size, syncDir(filepath.Dir(to))
}

// reader stops when its context does.
type reader struct {
	ctx context.Context
	in  io.Reader
}

func (r reader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(b)
}

func sumOf(ctx context.Context, file string) (string, error) {
	in, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer in.Close()
	h := sha256.New()
	_, err = io.Copy(h, reader{ctx, in})
	return hex.EncodeToString(h.Sum(nil)), err
}

// write writes a small file as copyFile would.
func write(to string, b []byte) error {
	f, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return roomy(err)
	}
	_, err = f.Write(b)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(roomy(err), os.Remove(to))
	}
	return nil
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// roomy says what a full disk means here.
func roomy(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fmt.Errorf("there is no room for the copy; make some, or copy to a larger disk; the runs that were there are untouched: %w", err)
	}
	return err
}
