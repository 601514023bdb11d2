package rtsp

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"os"
	"testing"
	"time"

	"github.com/bluenviron/gortsplib/v5/pkg/format"
	"github.com/pion/rtp"

	"candor/internal/clock"
	"candor/internal/media"
)

// Parameter sets of the clips: Main without reordering, Main with, and a small one.
var (
	spsSub     = []byte{103, 77, 64, 12, 217, 129, 129, 223, 150, 106, 12, 12, 12, 128, 0, 0, 3, 0, 128, 0, 0, 10, 7, 138, 21, 52}
	ppsSub     = []byte{104, 233, 113, 75, 32}
	spsReorder = []byte{103, 77, 64, 31, 150, 82, 129, 128, 111, 77, 65, 129, 129, 144, 0, 0, 3, 0, 16, 0, 0, 3, 1, 72, 64}
	ppsReorder = []byte{104, 233, 9, 53, 32}
)

func TestReadSPS(t *testing.T) {
	f, err := readSPS(spsSub)
	if err != nil || f.width != 384 || f.height != 216 || f.fps != 10 || f.profile != "avc1.4d400c" || f.reorder != orderKept {
		t.Errorf("%+v, %v", f, err)
	}
	f, err = readSPS(spsReorder)
	if err != nil || f.width != 768 || f.height != 432 || f.reorder != orderUnknown {
		t.Errorf("%+v, %v", f, err)
	}
	for _, bad := range [][]byte{nil, {103}, {103, 77, 64, 12}, {104, 233, 113, 75}, spsSub[:8], bytes.Repeat([]byte{0xff}, 40)} {
		if f, err := readSPS(bad); err == nil {
			t.Errorf("%v reads as %+v", bad, f)
		}
	}
}

func FuzzReadSPS(f *testing.F) {
	f.Add(spsSub)
	f.Add(spsReorder)
	f.Add(spsSub[:9])
	f.Add(bytes.Repeat([]byte{0x67}, 64))
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := readSPS(b)
		if err != nil {
			return
		}
		if x.width < 16 || x.width > maxSide || x.height < 16 || x.height > maxSide || x.fps < 0 || x.fps > maxFPS || x.delay > 16 {
			t.Fatalf("%+v", x)
		}
		if len(x.profile) != len("avc1.4d400c") {
			t.Fatalf("profile %q", x.profile)
		}
	})
}

// packed joins NAL units for the fuzzer, each behind two bytes of length.
func packed(nals ...[]byte) []byte {
	var b []byte
	for _, n := range nals {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(n))), n...)
	}
	return b
}

func unpacked(b []byte) [][]byte {
	var nals [][]byte
	for len(b) >= 2 {
		n := min(int(binary.BigEndian.Uint16(b)), len(b)-2)
		nals = append(nals, b[2:2+n])
		b = b[2+n:]
	}
	return nals
}

func FuzzUnwrap(f *testing.F) {
	idr, p, b := []byte{0x65, 0x88, 0x80}, []byte{0x41, 0x9a, 0x00}, []byte{0x01, 0x9e, 0x40}
	f.Add(packed([]byte{9, 0x10}, spsSub, ppsSub, ppsReorder, idr))
	f.Add(packed(p, b, []byte{6, 5, 1, 0}, []byte{12, 0xff}, nil, []byte{0x80}))
	f.Fuzz(func(t *testing.T, data []byte) {
		pic := unwrap(unpacked(data))
		out := pic.data()
		used, idr := 0, false
		for nal := range media.NALs(out) {
			if len(nal) == 0 {
				t.Fatal("an empty NAL unit")
			}
			switch kind := nal[0] & 0x1f; {
			case kind == nalSPS, kind == nalAUD, kind == nalFiller, kind == 0, kind > 21, nal[0]&0x80 != 0:
				t.Fatalf("NAL type %d got through", kind)
			case kind == nalIDR:
				idr = true
			}
			used += 4 + len(nal)
		}
		if used != len(out) || idr != pic.key {
			t.Fatalf("%d of %d bytes, IDR %v, key %v", used, len(out), idr, pic.key)
		}
		if pic.key && !pic.shows() {
			t.Fatal("a key picture that shows nothing")
		}
		_ = pic.bidirectional()
	})
}

// FuzzIntake feeds what a camera might send, packet by packet, to all that stands behind the
// connection: nothing may crash, and time must not go back.
func FuzzIntake(f *testing.F) {
	f.Add([]byte{}, true)
	clip, err := os.ReadFile("testdata/packets.bin")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(clip, true)
	f.Add(clip, false)
	f.Fuzz(func(t *testing.T, data []byte, sdp bool) {
		stream := media.NewHub().Open(media.Key{})
		viewer := stream.Join(media.JoinOptions{Size: 1 << 10})
		in := newIntake(stream, clock.NewVirtual(time.Unix(1, 0)), slog.New(slog.DiscardHandler), func() bool { return true })
		if sdp {
			in.connect(spsReorder, ppsReorder, nil)
		} else {
			in.connect(nil, nil, nil)
		}
		d, err := (&format.H264{PacketizationMode: 1}).CreateDecoder()
		if err != nil {
			t.Fatal(err)
		}
		a := assembler{decoder: d}
		now := in.line.begin
		for len(data) >= 7 {
			// 1 byte marker, 4 bytes time stamp, 2 bytes length, payload
			n := min(int(binary.BigEndian.Uint16(data[5:])), len(data)-7)
			p := &rtp.Packet{Payload: bytes.Clone(data[7 : 7+n])}
			p.Marker, p.Timestamp = data[0]&1 == 1, binary.BigEndian.Uint32(data[1:])
			data = data[7+n:]
			if au, at, err := a.add(p); err == nil && au != nil {
				in.pictureIn(au, at, now)
			}
			now = now.Add(10 * time.Millisecond)
		}
		last := int64(-1)
		for range stream.Written() {
			u, err := viewer.Next(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if u.DTS <= last || u.PTS < u.DTS || len(u.Data) == 0 || u.Track.Width == 0 {
				t.Fatalf("unit %+v after %d", u, last)
			}
			last = u.DTS
		}
	})
}
