package archive_test

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"candor/internal/takeaway/archive"
)

var at = time.Date(2031, 5, 6, 15, 10, 8, 0, time.UTC)

// made are entries with content that is made up as it is read.
type made struct {
	entries []archive.Entry
	seed    []byte
}

func fill(b []byte, entry int, off int64) {
	for i := range b {
		n := off + int64(i)
		b[i] = byte(n) ^ byte(n>>8) ^ byte(n>>16) ^ byte(entry*37)
	}
}

func (m *made) add(name string, size int64) {
	i := len(m.entries)
	sum := crc32.NewIEEE()
	buf := make([]byte, 1<<16)
	for off := int64(0); off < size; {
		k := min(size-off, int64(len(buf)))
		fill(buf[:k], i, off)
		sum.Write(buf[:k])
		off += k
	}
	m.entries = append(m.entries, archive.Entry{Name: name, Size: size, CRC: sum.Sum32(), At: at})
}

func (m *made) reader(t testing.TB) (*archive.Reader, int64) {
	t.Helper()
	l, err := archive.Lay(m.entries)
	if err != nil {
		t.Fatal(err)
	}
	return l.Reader(func(entry int, b []byte, off int64) error {
		if off < 0 || off+int64(len(b)) > m.entries[entry].Size {
			t.Errorf("entry %d was asked for [%d, %d)", entry, off, off+int64(len(b)))
		}
		fill(b, entry, off)
		return nil
	}), l.Size
}

func few() *made {
	m := &made{}
	for i, size := range []int64{700, 0, 1, 65_536, 70_001, 0, 12} {
		m.add(fmt.Sprintf("rooms/部屋 %d/lines.jsonl", i), size)
	}
	return m
}

// TestAForeignReaderReadsIt: the standard library's, Python's, Info-ZIP's and 7-Zip's, where they are installed.
func TestAForeignReaderReadsIt(t *testing.T) {
	m := few()
	r, size := m.reader(t)
	whole, err := io.ReadAll(r)
	if err != nil || int64(len(whole)) != size {
		t.Fatalf("%d bytes of %d, %v", len(whole), size, err)
	}
	z, err := zip.NewReader(bytes.NewReader(whole), size)
	if err != nil || len(z.File) != len(m.entries) {
		t.Fatal(err)
	}
	for i, f := range z.File {
		body, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body) // it compares the CRC
		if e := m.entries[i]; err != nil || int64(len(got)) != e.Size || f.Name != e.Name || !f.Modified.Equal(at) || f.Mode() != 0o644 {
			t.Errorf("%s: %d bytes, %v, %v", f.Name, len(got), f.Modified, err)
		}
	}
	file := filepath.Join(t.TempDir(), "copy.zip")
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	foreign(t, file)
}

// foreign has every reader that the machine has test the file.
func foreign(t *testing.T, file string) {
	t.Helper()
	tried := 0
	for _, command := range [][]string{
		{"unzip", "-tqq", file}, {"7z", "t", file}, {"7zz", "t", file}, {"bsdtar", "-tf", file},
		{"python3", "-c", "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert z.testzip() is None and z.namelist()", file},
	} {
		if _, err := exec.LookPath(command[0]); err != nil {
			continue
		}
		tried++
		if out, err := exec.Command(command[0], command[1:]...).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", command[0], err, out)
		}
	}
	t.Logf("%d foreign readers", tried)
}

// TestBeyondFourGigabytes: a large entry, one behind it, and more entries than 16 bits count. Of the
// large one only the ends are read: its content is nowhere.
func TestBeyondFourGigabytes(t *testing.T) {
	const large = 5 << 30
	entries := []archive.Entry{{Name: "film.mp4", Size: large, At: at}}
	small := []byte("behind it\n")
	for i := range 70_000 {
		entries = append(entries, archive.Entry{Name: fmt.Sprintf("e/%d", i), Size: int64(len(small)), CRC: crc32.ChecksumIEEE(small), At: at})
	}
	l, err := archive.Lay(entries)
	if err != nil {
		t.Fatal(err)
	}
	r := l.Reader(func(entry int, b []byte, off int64) error {
		if entry == 0 {
			clear(b)
			return nil
		}
		copy(b, small[off:])
		return nil
	})
	z, err := zip.NewReader(r, l.Size)
	if err != nil || len(z.File) != len(entries) {
		t.Fatalf("%d entries, %v", len(z.File), err)
	}
	if f := z.File[0]; f.UncompressedSize64 != large || f.CompressedSize64 != large {
		t.Errorf("the film has %d bytes", f.UncompressedSize64)
	}
	for _, i := range []int{1, 2, 40_000, 70_000} {
		body, err := z.File[i].Open()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := io.ReadAll(body); err != nil || !bytes.Equal(got, small) {
			t.Errorf("%s: %q, %v", z.File[i].Name, got, err)
		}
	}
	if python, err := exec.LookPath("python3"); err == nil { // a sparse file stands for the film
		file := filepath.Join(t.TempDir(), "large.zip")
		sparse(t, r, l.Size, file)
		script := "import sys, zipfile\nz = zipfile.ZipFile(sys.argv[1])\nassert len(z.infolist()) == 70001 and z.getinfo('film.mp4').file_size == 5 << 30\n" +
			"assert z.read('e/69999') == b'behind it\\n'"
		if out, err := exec.Command(python, "-c", script, file).CombinedOutput(); err != nil {
			t.Errorf("python: %v\n%s", err, out)
		}
	}
}

// sparse writes the archive without the middle of its first entry.
func sparse(t *testing.T, r io.ReaderAt, size int64, file string) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	const rest = 5 << 30
	for _, span := range [][2]int64{{0, 1 << 16}, {rest, size}} {
		if _, err := io.Copy(io.NewOffsetWriter(f, span[0]), io.NewSectionReader(r, span[0], span[1]-span[0])); err != nil {
			t.Fatal(err)
		}
	}
}

// TestAnyRangeIsThatOfTheWhole is what makes a broken-off download go on.
func TestAnyRangeIsThatOfTheWhole(t *testing.T) {
	m := few()
	r, size := m.reader(t)
	whole, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		t.Fatal(err)
	}
	if err := iotest.TestReader(r, whole); err != nil {
		t.Error(err)
	}
	rng := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		off := rng.Int64N(size)
		b := make([]byte, 1+rng.Int64N(min(size-off, 9000)))
		if n, err := r.ReadAt(b, off); err != nil || n != len(b) || !bytes.Equal(b, whole[off:off+int64(n)]) {
			t.Fatalf("[%d, %d): %d bytes, %v", off, off+int64(len(b)), n, err)
		}
	}
}

func TestAContentThatFailsIsNoEnd(t *testing.T) {
	m := few()
	l, err := archive.Lay(m.entries)
	if err != nil {
		t.Fatal(err)
	}
	gone := errors.New("gone")
	r := l.Reader(func(entry int, b []byte, off int64) error {
		if entry == 4 && off > 1000 {
			return gone
		}
		fill(b, entry, off)
		return nil
	})
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, gone) || !errors.Is(r.Err(), gone) {
		t.Errorf("%v, %v", err, r.Err())
	}
	var touched []int
	l.Touched(0, l.Size, func(e int) bool { touched = append(touched, e); return true })
	if fmt.Sprint(touched) != "[0 2 3 4 6]" {
		t.Errorf("touched %v", touched)
	}
	l.Touched(l.Size-1, l.Size, func(e int) bool { t.Errorf("the directory needs entry %d", e); return true })
}

func TestNamesThatLeadElsewhereAreRefused(t *testing.T) {
	for _, names := range [][]string{{""}, {"/etc/passwd"}, {"../up"}, {"a/../b"}, {"a\\b"}, {"a\x00"}, {strings.Repeat("a", 2000)}, {"twice", "twice"}} {
		var entries []archive.Entry
		for _, n := range names {
			entries = append(entries, archive.Entry{Name: n})
		}
		if _, err := archive.Lay(entries); err == nil {
			t.Errorf("%q were laid out", names)
		}
	}
	if _, err := archive.Lay([]archive.Entry{{Name: "a", Size: -1}}); err == nil {
		t.Error("an entry without a size was laid out")
	}
}

// FuzzRange reads any range of an archive of any entries.
func FuzzRange(f *testing.F) {
	f.Add(uint16(3), uint16(0), uint16(5), uint16(100))
	f.Fuzz(func(t *testing.T, a, b, off, n uint16) {
		m := &made{}
		m.add("a", int64(a))
		m.add("b", int64(b))
		r, size := m.reader(t)
		whole, err := io.ReadAll(r)
		if err != nil || int64(len(whole)) != size {
			t.Fatal(err)
		}
		part := make([]byte, n)
		k, err := r.ReadAt(part, int64(off))
		if want := max(0, min(int(n), len(whole)-int(off))); k != want || err != nil && !errors.Is(err, io.EOF) {
			t.Fatalf("%d bytes, want %d, %v", k, want, err)
		}
		if k > 0 && !bytes.Equal(part[:k], whole[int(off):int(off)+k]) {
			t.Fatal("the range differs")
		}
	})
}
