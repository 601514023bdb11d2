package seal

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// An epoch file is magic ‖ number ‖ key ‖ CRC-32 of all before, 52 bytes.
const (
	epochMagic = "CANDOREK"
	epochSize  = len(epochMagic) + 4 + secretSize + 4
)

var errEpoch = errors.New("epoch key file is damaged")

func epochName(n uint32) string { return "epoch-" + strconv.FormatUint(uint64(n), 10) + ".key" }

// writeEpoch makes a new epoch key that is on the disk, with its name, before it returns.
func writeEpoch(dir string, n uint32) (*secret, error) {
	key := newSecret()
	b := make([]byte, 0, epochSize)
	b = append(b, epochMagic...)
	b = binary.BigEndian.AppendUint32(b, n)
	b = append(b, key[:]...)
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	defer clear(b)
	name := filepath.Join(dir, epochName(n))
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = syncDir(dir)
	}
	if err != nil {
		key.zero()
		return nil, errors.Join(fmt.Errorf("write %s: %w", epochName(n), err), shredFile(name))
	}
	return key, nil
}

func readEpoch(dir string, n uint32) (*secret, error) {
	b, err := os.ReadFile(filepath.Join(dir, epochName(n)))
	if err != nil {
		return nil, err
	}
	defer clear(b)
	return parseEpoch(b, n)
}

func parseEpoch(b []byte, n uint32) (*secret, error) {
	body := len(b) - 4
	if len(b) != epochSize || !bytes.HasPrefix(b, []byte(epochMagic)) ||
		binary.BigEndian.Uint32(b[len(epochMagic):]) != n ||
		binary.BigEndian.Uint32(b[body:]) != crc32.ChecksumIEEE(b[:body]) {
		return nil, errEpoch
	}
	return (*secret)(bytes.Clone(b[len(epochMagic)+4 : body])), nil
}

// epochFiles lists the numbers of the epoch files in dir.
func epochFiles(dir string) ([]uint32, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var out []uint32
	for _, e := range entries {
		middle, ok := strings.CutPrefix(e.Name(), "epoch-")
		middle, ok2 := strings.CutSuffix(middle, ".key")
		if n, err := strconv.ParseUint(middle, 10, 32); ok && ok2 && err == nil {
			out = append(out, uint32(n))
		}
	}
	return out, nil
}

// shredFile overwrites a file's bytes on the disk and then removes its name. On a medium that
// writes elsewhere (flash, copy-on-write) the old bytes may outlive this: that is why an epoch is
// short and a published deadline names the day after which no medium holds it.
func shredFile(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	info, err := f.Stat()
	for _, fill := range []func([]byte){func(b []byte) { _, _ = rand.Read(b) }, func(b []byte) { clear(b) }} {
		if err != nil {
			break
		}
		noise := make([]byte, info.Size())
		fill(noise)
		if _, err = f.WriteAt(noise, 0); err == nil {
			err = f.Sync()
		}
	}
	err = errors.Join(err, f.Close(), os.Remove(name))
	return errors.Join(err, syncDir(filepath.Dir(name)))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
