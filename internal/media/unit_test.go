package media

import (
	"encoding/binary"
	"testing"
)

func FuzzNALs(f *testing.F) {
	f.Add([]byte{})
	f.Add([]byte{0, 0, 0, 1, 0x65})
	f.Add([]byte{0, 0, 0, 2, 0x65, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0x41})
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 1, 2, 3})
	f.Add([]byte{0, 0, 0, 9, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		used := 0
		for nal := range NALs(data) {
			if int(binary.BigEndian.Uint32(data[used:])) != len(nal) {
				t.Fatal("a unit of another length than said")
			}
			used += 4 + len(nal)
		}
		if used > len(data) {
			t.Fatal("read past the end")
		}
	})
}

func TestDescriptionFindsTracks(t *testing.T) {
	var none *Description
	if none.Video() != nil || none.Audio() != nil {
		t.Error("a description that is not known has tracks")
	}
	d := &Description{Tracks: []*Track{sound, picture}}
	if d.Video() != picture || d.Audio() != sound {
		t.Error("tracks are mixed up")
	}
}
