package backup

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"filippo.io/age"

	"candor/internal/seal"
)

// A mirror is one file, candor-keys-<moment>.age: a tar of the key folder, sealed to a recovery key
// whose other half the operator keeps off this machine. Candor can make mirrors and cannot open them.

const (
	mirrorBegin = "candor-keys-"
	mirrorEnd   = ".age"
	mostKeys    = 4 << 30 // of a mirror that is read back
)

// Exporter gives the key folder as of one moment; *seal.Keeper is one.
type Exporter interface {
	Export(ctx context.Context) ([]seal.KeyFile, error)
}

// Mirror seals the keys into a new file in a folder and removes the mirrors older than days. Of each UTC
// day one stays, the newest: a mirror opens what was erased after it was made, so there are no more than
// somebody would want to go back to.
func Mirror(ctx context.Context, keys Exporter, folder, recipient string, now time.Time, days int) (file string, err error) {
	to, err := age.ParseRecipients(strings.NewReader(recipient))
	if err != nil {
		return "", fmt.Errorf("%q is no recipient of age; `age-keygen -o recovery.txt` makes a recovery key and prints its recipient, age1…: %w", recipient, err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("the folder for key mirrors cannot be used: %w", roomy(err))
	}
	files, err := keys.Export(ctx)
	if err != nil {
		return "", err
	}
	defer func() {
		for _, f := range files {
			f.Zero()
		}
	}()
	var sealed bytes.Buffer
	if err := sealTo(&sealed, to, files, now); err != nil {
		return "", err
	}
	file = filepath.Join(folder, mirrorBegin+now.UTC().Format(stamp)+mirrorEnd)
	half := filepath.Join(folder, part+filepath.Base(file))
	_ = os.Remove(half)
	err = write(half, sealed.Bytes())
	if err == nil {
		err = errors.Join(os.Rename(half, file), syncDir(folder))
	}
	if err != nil {
		return "", err
	}
	return file, thin(folder, now, days)
}

func sealTo(to io.Writer, recipients []age.Recipient, files []seal.KeyFile, now time.Time) error {
	w, err := age.Encrypt(to, recipients...)
	if err != nil {
		return err
	}
	t := tar.NewWriter(w)
	for _, f := range files {
		err := t.WriteHeader(&tar.Header{Name: f.Name, Mode: 0o600, Size: int64(len(f.Bytes)), ModTime: now.UTC().Truncate(time.Second)})
		if err != nil {
			return err
		}
		if _, err := t.Write(f.Bytes); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), w.Close())
}

// Unmirror opens a mirror with the recovery key and puts the keys into a key folder that has none.
func Unmirror(file, identity, dir string) error {
	secret, err := os.Open(identity)
	if err != nil {
		return fmt.Errorf("the recovery key cannot be read: %w", err)
	}
	defer secret.Close()
	ids, err := age.ParseIdentities(secret)
	if err != nil {
		return fmt.Errorf("%s holds no recovery key (AGE-SECRET-KEY-…): %w", identity, err)
	}
	in, err := os.Open(file)
	if err != nil {
		return fmt.Errorf("the key mirror cannot be read: %w", err)
	}
	defer in.Close()
	files, err := openFrom(in, ids)
	defer func() {
		for _, f := range files {
			f.Zero()
		}
	}()
	if err != nil {
		return fmt.Errorf("%s does not open: %w", file, err)
	}
	return seal.Import(dir, files)
}

func openFrom(in io.Reader, ids []age.Identity) (files []seal.KeyFile, err error) {
	plain, err := age.Decrypt(in, ids...)
	if err != nil {
		return nil, fmt.Errorf("it is damaged, no key mirror, or sealed to another recovery key: %w", err)
	}
	plain = io.LimitReader(plain, mostKeys)
	for t := tar.NewReader(plain); ; {
		h, err := t.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return files, err
		}
		b, err := io.ReadAll(t)
		files = append(files, seal.KeyFile{Name: h.Name, Bytes: b})
		if err != nil {
			return files, err
		}
	}
	_, err = io.Copy(io.Discard, plain) // to the end, where age says that nothing was cut off
	return files, err
}

// mirrors are the moments of the mirrors in a folder, oldest first.
func mirrors(folder string) (all []time.Time, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		middle, ok := strings.CutPrefix(e.Name(), mirrorBegin)
		middle, ok2 := strings.CutSuffix(middle, mirrorEnd)
		if at, err := time.Parse(stamp, middle); ok && ok2 && err == nil {
			all = append(all, at)
		}
	}
	slices.SortFunc(all, time.Time.Compare)
	return all, ignoreMissing(err)
}

// NewestMirror is when the newest mirror in a folder was made, and zero if there is none.
func NewestMirror(folder string) (time.Time, error) {
	all, err := mirrors(folder)
	if err != nil || len(all) == 0 {
		return time.Time{}, err
	}
	return all[len(all)-1], nil
}

// thin removes mirrors older than days, whatever else is there, and all but the newest of a day.
//
// The published number of days rests on it.
func thin(folder string, now time.Time, days int) error {
	all, err := mirrors(folder)
	if err != nil {
		return err
	}
	oldest := now.AddDate(0, 0, -days)
	for i, at := range all {
		again := i+1 < len(all) && all[i+1].Format(time.DateOnly) == at.Format(time.DateOnly)
		if at.Before(oldest) || again {
			err = errors.Join(err, os.Remove(filepath.Join(folder, mirrorBegin+at.Format(stamp)+mirrorEnd)))
		}
	}
	return err
}
