package seal

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// KeyFile is one file of a key folder. Its bytes are secret: whoever gets them zeroes them.
type KeyFile struct {
	Name  string
	Bytes []byte
}

// Zero lets go of the bytes.
func (f KeyFile) Zero() { clear(f.Bytes) }

// Export is the key folder as of one moment: keys.db and the epoch key that opens it (two while another
// process turns the epoch). Nothing is made or destroyed meanwhile, here or in another process, so
// everything is read into memory and nothing is written under the locks.
//
// What it gives opens whatever is not erased yet. Once the epoch has turned it is worth as much as it was
// at that moment, no more: the reason why a copy is sealed, kept apart from the data and for a published
// number of days only.
func (k *Keeper) Export(ctx context.Context) (files []KeyFile, err error) {
	k.turning.Lock()
	defer k.turning.Unlock()
	err = k.write(ctx, func(ctx context.Context, tx *sql.Tx) error {
		var epoch, next uint32
		if err := tx.QueryRowContext(ctx, "SELECT epoch, next FROM state WHERE one = 1").Scan(&epoch, &next); err != nil {
			return err
		}
		info, err := k.raw.Stat()
		if err != nil {
			return err
		}
		// The transaction has written nothing and keeps others from writing: the file is whole.
		b, err := io.ReadAll(io.NewSectionReader(k.raw, 0, info.Size()))
		files = append(files, KeyFile{fileName, b})
		if err != nil {
			return fmt.Errorf("read %s: %w", fileName, err)
		}
		for _, n := range []uint32{epoch, next} {
			if n == 0 {
				continue
			}
			b, err := os.ReadFile(filepath.Join(k.dir, epochName(n)))
			if err != nil {
				return fmt.Errorf("read epoch key: %w", err)
			}
			files = append(files, KeyFile{epochName(n), b})
		}
		return nil
	})
	if err != nil {
		for _, f := range files {
			f.Zero()
		}
		return nil, err
	}
	return files, nil
}

// Import puts an exported key folder where none is. It writes over nothing: newer keys always win.
func Import(dir string, files []KeyFile) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("make the key folder: %w", err)
	}
	if err := vacant(dir); err != nil {
		return err
	}
	if err := complete(files); err != nil {
		return err
	}
	for i := range files { // keys.db last: while it is missing nothing starts on the rest
		f := files[len(files)-1-i]
		if err := place(filepath.Join(dir, f.Name), f.Bytes); err != nil {
			return fmt.Errorf("put %s back: %w", f.Name, err)
		}
	}
	return syncDir(dir)
}

func vacant(dir string) error {
	_, err := os.Stat(filepath.Join(dir, fileName))
	if err == nil {
		return fmt.Errorf("%s has keys already, and an older copy would bring back what was erased since; move the folder away if those keys are lost", dir)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	old, err := epochFiles(dir)
	if err == nil && len(old) > 0 {
		return fmt.Errorf("%s has an epoch key without %s; move it away first", dir, fileName)
	}
	return err
}

// complete reports what is missing in, or foreign to, an export.
func complete(files []KeyFile) error {
	if len(files) < 2 || files[0].Name != fileName {
		return errors.New("the copy holds no keys.db with its epoch key")
	}
	for _, f := range files[1:] {
		var n uint32
		if _, err := fmt.Sscanf(f.Name, "epoch-%d.key", &n); err != nil || f.Name != epochName(n) {
			return fmt.Errorf("the copy holds %q, which is no key file", f.Name)
		}
		key, err := parseEpoch(f.Bytes, n)
		if err != nil {
			return fmt.Errorf("%s in the copy: %w", f.Name, err)
		}
		key.zero()
	}
	return nil
}

func place(name string, b []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	return errors.Join(err, f.Sync(), f.Close())
}

// Identity is a random number that keys.db is born with and keeps. It opens nothing: it tells whether
// keys and data belong to one another.
func (k *Keeper) Identity(ctx context.Context) (string, error) {
	var id []byte
	err := k.read(ctx, func(ctx context.Context, q querier) error {
		return q.QueryRowContext(ctx, "SELECT id FROM key WHERE kind = ?", int(kindDirectory)).Scan(&id)
	})
	return hex.EncodeToString(id), err
}

// IdentityIn reads the Identity of the keys in a folder without opening or changing anything. There may
// be no keys: then it is empty. Not for a process that has these keys open.
func IdentityIn(ctx context.Context, dir string) (string, error) {
	file := filepath.Join(dir, fileName)
	if _, err := os.Stat(file); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	db, err := sql.Open("sqlite", dsn(file)+"&mode=ro")
	if err != nil {
		return "", err
	}
	var id []byte
	err = db.QueryRowContext(ctx, "SELECT id FROM key WHERE kind = ?", int(kindDirectory)).Scan(&id)
	if err = errors.Join(err, db.Close()); err != nil {
		return "", fmt.Errorf("read whose keys are in %s: %w", dir, err)
	}
	return hex.EncodeToString(id), nil
}
