package blob

import (
	"errors"
	"os"
	"path"
)

// diskDraft is a file in "open".
type diskDraft struct {
	disk  *Disk
	name  string
	f     *os.File
	named bool // the directory entry is on the medium
}

func (d *diskDraft) Write(b []byte) (int, error) { return d.f.Write(b) }

func (d *diskDraft) Truncate(size int64) error { return d.f.Truncate(size) }

func (d *diskDraft) Sync() error {
	if err := d.f.Sync(); err != nil {
		return err
	}
	if d.named {
		return nil
	}
	if err := syncDir(d.disk.open); err != nil {
		return err
	}
	d.named = true
	return nil
}

// Commit renames the file into its place. Should the rename be lost in a power cut, the file is
// still in "open", and whoever owns it commits it again.
func (d *diskDraft) Commit() error {
	err := d.f.Close()
	disk := d.disk
	disk.mu.Lock()
	defer disk.mu.Unlock()
	if err == nil {
		err = disk.ensure(path.Dir(d.name))
	}
	if err == nil {
		err = os.Rename(disk.draft(d.name), disk.place(d.name))
	}
	if errors.Is(err, os.ErrNotExist) { // somebody removed a directory we knew
		disk.made = map[string]bool{}
		if err = disk.ensure(path.Dir(d.name)); err == nil {
			err = os.Rename(disk.draft(d.name), disk.place(d.name))
		}
	}
	if err == nil {
		disk.coarsen(disk.place(d.name))
		disk.coarsen(disk.place(path.Dir(d.name)))
		disk.coarsen(disk.open)
	}
	return notFound(err)
}

func (d *diskDraft) Close() error { return d.f.Close() }
