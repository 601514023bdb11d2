package archive

import (
	"encoding/binary"
	"fmt"
	"sort"
	"strings"
	"time"
)

// Entry is one file of an archive.
type Entry struct {
	Name string // slash-separated, relative
	Size int64
	CRC  uint32 // CRC-32 (IEEE) of its content
	At   time.Time
}

// Layout is a whole archive: what is written between the entries, and where they lie.
type Layout struct {
	Size  int64
	parts []part
}

// part is a stretch of the file: either literal bytes or an entry's content.
type part struct {
	at      int64
	literal []byte
	entry   int // where literal is nil
	size    int64
}

const (
	wide16 = 0xffff     // look into the Zip64 records
	wide32 = 0xffffffff // look into the extra field

	localMagic    = 0x04034b50
	centralMagic  = 0x02014b50
	endMagic      = 0x06054b50
	end64Magic    = 0x06064b50
	locator64     = 0x07064b50
	version64     = 45
	utf8Name      = 1 << 11
	unixMade      = 3 << 8
	regularFile   = 0o100644 << 16
	zip64Extra    = 1
	longestName   = 1 << 10
	localHead     = 30
	centralHead   = 46
	zip64EndBytes = 56
)

// Lay computes the file. Names must be different, relative and of at most 1 KiB.
func Lay(entries []Entry) (*Layout, error) {
	l := &Layout{}
	offsets := make([]int64, len(entries))
	seen := make(map[string]bool, len(entries))
	for i, e := range entries {
		if err := e.check(seen); err != nil {
			return nil, err
		}
		offsets[i] = l.Size
		l.literal(e.local())
		if e.Size > 0 {
			l.parts = append(l.parts, part{at: l.Size, entry: i, size: e.Size})
			l.Size += e.Size
		}
	}
	start := l.Size
	var directory []byte
	for i, e := range entries {
		directory = e.central(directory, offsets[i])
	}
	directory = end(directory, start, len(entries))
	l.literal(directory)
	return l, nil
}

func (e Entry) check(seen map[string]bool) error {
	switch {
	case e.Name == "" || len(e.Name) > longestName || e.Name[0] == '/' || strings.ContainsAny(e.Name, "\\\x00") || strings.Contains("/"+e.Name+"/", "/../"):
		return fmt.Errorf("archive: %q is no name of an entry", e.Name)
	case seen[e.Name]:
		return fmt.Errorf("archive: two entries are called %q", e.Name)
	case e.Size < 0:
		return fmt.Errorf("archive: %q has no size", e.Name)
	}
	seen[e.Name] = true
	return nil
}

func (l *Layout) literal(b []byte) {
	l.parts = append(l.parts, part{at: l.Size, literal: b, size: int64(len(b))})
	l.Size += int64(len(b))
}

// local is what stands in front of an entry's content.
func (e Entry) local() []byte {
	b := make([]byte, 0, localHead+len(e.Name)+20)
	b = le32(b, localMagic)
	b = e.common(b, e.Size >= wide32)
	var extra []byte
	if e.Size >= wide32 {
		b = le32(le32(b, wide32), wide32)
		extra = le64(le64(le16(le16(nil, zip64Extra), 16), e.Size), e.Size)
	} else {
		b = le32(le32(b, uint32(e.Size)), uint32(e.Size))
	}
	b = le16(le16(b, uint16(len(e.Name))), uint16(len(extra)))
	return append(append(b, e.Name...), extra...)
}

// common are the fields that both headers share: version, flags, method, time, CRC.
func (e Entry) common(b []byte, wide bool) []byte {
	version := uint16(20)
	if wide {
		version = version64
	}
	day, clock := dos(e.At)
	b = le16(le16(le16(b, version), utf8Name), 0) // stored
	return le32(le16(le16(b, clock), day), e.CRC)
}

// central adds an entry's line of the directory.
func (e Entry) central(b []byte, at int64) []byte {
	var extra []byte
	size, offset := uint32(e.Size), uint32(at)
	if e.Size >= wide32 {
		size = wide32
		extra = le64(le64(extra, e.Size), e.Size)
	}
	if at >= wide32 {
		offset = wide32
		extra = le64(extra, at)
	}
	if len(extra) > 0 {
		extra = append(le16(le16(nil, zip64Extra), uint16(len(extra))), extra...)
	}
	b = le16(le32(b, centralMagic), unixMade|version64)
	b = e.common(b, len(extra) > 0)
	b = le32(le32(b, size), size)
	b = le16(le16(b, uint16(len(e.Name))), uint16(len(extra)))
	b = le16(le16(le16(b, 0), 0), 0) // comment, disk, internal attributes
	b = le32(le32(b, regularFile), offset)
	return append(append(b, e.Name...), extra...)
}

// end closes the directory, which begins at start and is what b holds.
func end(b []byte, start int64, entries int) []byte {
	size := int64(len(b))
	count, size32, start32 := uint16(entries), uint32(size), uint32(start)
	if entries >= wide16 || size >= wide32 || start >= wide32 {
		at := start + size
		b = le64(le32(b, end64Magic), zip64EndBytes-12)
		b = le32(le32(le16(le16(b, unixMade|version64), version64), 0), 0)
		b = le64(le64(le64(le64(b, int64(entries)), int64(entries)), size), start)
		b = le32(le64(le32(le32(b, locator64), 0), at), 1)
		count, size32, start32 = wide16, wide32, wide32
	}
	b = le16(le16(le32(b, endMagic), 0), 0)
	b = le32(le32(le16(le16(b, count), count), size32), start32)
	return le16(b, 0)
}

// dos is a moment as zip writes it, in steps of two seconds.
func dos(at time.Time) (day, clock uint16) {
	at = at.UTC()
	if at.Year() < 1980 {
		return 1<<5 | 1, 0
	}
	day = uint16(min(at.Year()-1980, 127))<<9 | uint16(at.Month())<<5 | uint16(at.Day())
	return day, uint16(at.Hour())<<11 | uint16(at.Minute())<<5 | uint16(at.Second()/2)
}

func le16(b []byte, v uint16) []byte { return binary.LittleEndian.AppendUint16(b, v) }
func le32(b []byte, v uint32) []byte { return binary.LittleEndian.AppendUint32(b, v) }
func le64(b []byte, v int64) []byte  { return binary.LittleEndian.AppendUint64(b, uint64(v)) }

// find is the part that holds the byte at off.
func (l *Layout) find(off int64) int {
	return sort.Search(len(l.parts), func(i int) bool { return l.parts[i].at > off }) - 1
}

// Touched calls f for each entry of which a read of [from, to) needs something, in order, until it
// returns false.
func (l *Layout) Touched(from, to int64, f func(entry int) bool) {
	if from < 0 || from >= l.Size {
		return
	}
	for i := l.find(from); i < len(l.parts) && l.parts[i].at < to; i++ {
		if l.parts[i].literal == nil && !f(l.parts[i].entry) {
			return
		}
	}
}
