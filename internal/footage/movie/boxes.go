package movie

import (
	"encoding/binary"

	"candor/internal/clock"
	"candor/internal/media"
)

// file writes the head of a layout.
type file struct {
	b       *builder
	shown   window
	created clock.Millis
	wide    bool // more than 4 GiB: 64-bit offsets
	out     []byte
}

// since1904 is the MP4 epoch, in seconds before 1970.
const since1904 = 2082844800

// head is everything before the media data, which begins at front. Its length does not depend on front.
func (f *file) head(front int64) []byte {
	f.out = nil
	f.box("ftyp", func() { f.str("isom", "\x00\x00\x02\x00", "isom", "iso2", "avc1", "mp41") })
	f.box("moov", func() {
		f.mvhd()
		for i, t := range f.b.tracks {
			f.trak(i, t, front)
		}
	})
	if f.wide {
		f.u32(1)
		f.str("mdat")
		f.u64(uint64(f.b.bytes) + 16)
	} else {
		f.u32(uint32(f.b.bytes) + 8)
		f.str("mdat")
	}
	return f.out
}

func (f *file) box(kind string, body func()) {
	at := len(f.out)
	f.u32(0)
	f.str(kind)
	body()
	binary.BigEndian.PutUint32(f.out[at:], uint32(len(f.out)-at))
}

func (f *file) full(kind string, version byte, flags uint32, body func()) {
	f.box(kind, func() {
		f.u32(uint32(version)<<24 | flags)
		body()
	})
}

func (f *file) str(parts ...string) {
	for _, p := range parts {
		f.out = append(f.out, p...)
	}
}
func (f *file) bytes(b ...byte) { f.out = append(f.out, b...) }
func (f *file) zero(n int)      { f.out = append(f.out, make([]byte, n)...) }
func (f *file) u16(v uint16)    { f.out = binary.BigEndian.AppendUint16(f.out, v) }
func (f *file) u32(v uint32)    { f.out = binary.BigEndian.AppendUint32(f.out, v) }
func (f *file) u64(v uint64)    { f.out = binary.BigEndian.AppendUint64(f.out, v) }

func (f *file) times() {
	s := uint64(f.created/1000) + since1904
	f.u64(s)
	f.u64(s)
}

func (f *file) matrix() {
	for _, v := range []uint32{1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30} {
		f.u32(v)
	}
}

func (f *file) mvhd() {
	f.full("mvhd", 1, 0, func() {
		f.times()
		f.u32(media.TickRate)
		f.u64(uint64(f.shown.end - f.shown.start))
		f.u32(1 << 16)
		f.u16(1 << 8)
		f.zero(10)
		f.matrix()
		f.zero(24)
		f.u32(uint32(len(f.b.tracks) + 1))
	})
}

func (f *file) trak(i int, t *track, front int64) {
	edits := t.edits(f.shown)
	total := int64(0)
	for _, e := range edits {
		total += e.length
	}
	f.box("trak", func() {
		f.full("tkhd", 1, 3, func() {
			f.times()
			f.u32(uint32(i + 1))
			f.u32(0)
			f.u64(uint64(total))
			f.zero(8)
			f.u16(0)
			group, volume := uint16(0), uint16(0)
			if !t.video {
				group, volume = 1, 1<<8
			}
			f.u16(group)
			f.u16(volume)
			f.u16(0)
			f.matrix()
			w, h := t.extent()
			f.u32(uint32(w) << 16)
			f.u32(uint32(h) << 16)
		})
		f.box("edts", func() {
			f.full("elst", 1, 0, func() {
				f.u32(uint32(len(edits)))
				for _, e := range edits {
					f.u64(uint64(e.length))
					f.u64(uint64(e.from))
					f.u32(1 << 16)
				}
			})
		})
		f.box("mdia", func() { f.mdia(t, front) })
	})
}

func (f *file) mdia(t *track, front int64) {
	f.full("mdhd", 1, 0, func() {
		f.times()
		f.u32(t.rate)
		f.u64(uint64(t.scale(t.end)))
		f.u16(0x55c4) // "und"
		f.u16(0)
	})
	kind, name := "vide", "video\x00"
	if !t.video {
		kind, name = "soun", "audio\x00"
	}
	f.full("hdlr", 0, 0, func() {
		f.u32(0)
		f.str(kind)
		f.zero(12)
		f.str(name)
	})
	f.box("minf", func() {
		if t.video {
			f.full("vmhd", 0, 1, func() { f.zero(8) })
		} else {
			f.full("smhd", 0, 0, func() { f.zero(4) })
		}
		f.box("dinf", func() {
			f.full("dref", 0, 0, func() {
				f.u32(1)
				f.full("url ", 0, 1, func() {})
			})
		})
		f.box("stbl", func() { f.stbl(t, front) })
	})
}
