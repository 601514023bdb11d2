package movie

import "candor/internal/media"

// entry writes the sample entry of a track's codec.
func (f *file) entry(t *media.Track) {
	switch t.Codec {
	case media.H264:
		f.avc1(t)
	case media.AAC:
		f.sound("mp4a", t, t.SampleRate, func() { f.esds(t) })
	case media.Opus:
		f.sound("Opus", t, 48000, func() {
			f.box("dOps", func() {
				f.bytes(0, byte(max(t.Channels, 1)))
				f.u16(0) // pre-skip: the cut is from the middle of a stream
				f.u32(48000)
				f.u16(0)
				f.bytes(0)
			})
		})
	case media.PCMU:
		f.sound("ulaw", t, t.SampleRate, func() {})
	case media.PCMA:
		f.sound("alaw", t, t.SampleRate, func() {})
	}
}

func (f *file) avc1(t *media.Track) {
	kind := "avc1"
	if f.b.inband {
		kind = "avc3" // parameter sets may be in band
	}
	f.box(kind, func() {
		f.zero(6)
		f.u16(1)
		f.zero(16)
		f.u16(uint16(t.Width))
		f.u16(uint16(t.Height))
		f.u32(72 << 16)
		f.u32(72 << 16)
		f.u32(0)
		f.u16(1)
		f.zero(32)
		f.u16(24)
		f.u16(0xffff)
		f.box("avcC", func() { // ISO/IEC 14496-15, 5.3.3.1
			profile := [3]byte{}
			if len(t.SPS) >= 4 {
				copy(profile[:], t.SPS[1:4])
			}
			f.bytes(1, profile[0], profile[1], profile[2], 0xff, 0xe1)
			f.u16(uint16(len(t.SPS)))
			f.bytes(t.SPS...)
			f.bytes(1)
			f.u16(uint16(len(t.PPS)))
			f.bytes(t.PPS...)
		})
	})
}

func (f *file) sound(kind string, t *media.Track, rate int, more func()) {
	f.box(kind, func() {
		f.zero(6)
		f.u16(1)
		f.zero(8)
		f.u16(uint16(max(t.Channels, 1)))
		f.u16(16)
		f.u32(0)
		if rate > 0xffff {
			rate = 0 // does not fit; the codec's own configuration tells it
		}
		f.u32(uint32(rate) << 16)
		more()
	})
}

// esds is the elementary stream descriptor of AAC (ISO/IEC 14496-1, 7.2.6.5).
func (f *file) esds(t *media.Track) {
	n := min(len(t.Config), 64)
	f.full("esds", 0, 0, func() {
		f.bytes(0x03, byte(23+n), 0, 0, 0)
		f.bytes(0x04, byte(15+n), 0x40, 0x15, 0, 0, 0)
		f.u32(0)
		f.u32(0)
		f.bytes(0x05, byte(n))
		f.bytes(t.Config[:n]...)
		f.bytes(0x06, 1, 2)
	})
}
