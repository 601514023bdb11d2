package segment_test

import (
	"bytes"
	"testing"

	"candor/internal/footage/segment"
)

func FuzzHeader(f *testing.F) {
	tracks, units := small()
	var out recorder
	write(f, &out, header(), aead(f, 1), tracks, units, true)
	h, err := segment.ReadHeader(bytes.NewReader(out.Bytes()))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes()[:h.Size])
	f.Add([]byte("\x89CNDR\r\n\x1a\x00\x01\x00\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := segment.ParseHeader(b)
		if err != nil {
			return
		}
		if h.Size != int64(len(b)) {
			t.Fatalf("header of %d bytes says %d", len(b), h.Size)
		}
		_, _ = h.Open(aead(t, 1))
	})
}

// transparent "seals" by appending 16 bytes that it does not look at, so that fuzzing gets past
// the seal and into what parses plain text.
type transparent struct{}

func (transparent) NonceSize() int { return 12 }
func (transparent) Overhead() int  { return 16 }
func (transparent) Seal(dst, _, plain, _ []byte) []byte {
	return append(append(dst, plain...), make([]byte, 16)...)
}
func (transparent) Open(dst, _, sealed, _ []byte) ([]byte, error) {
	return append(dst, sealed[:len(sealed)-16]...), nil
}

func FuzzChunks(f *testing.F) {
	tracks, units := small()
	var front []byte
	for _, whole := range []bool{true, false} {
		var out recorder
		write(f, &out, header(), transparent{}, tracks, units, whole)
		h, err := segment.ReadHeader(bytes.NewReader(out.Bytes()))
		if err != nil {
			f.Fatal(err)
		}
		front = bytes.Clone(out.Bytes()[:h.Size])
		f.Add(bytes.Clone(out.Bytes()[h.Size:]))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		all := append(bytes.Clone(front), b...)
		r := bytes.NewReader(all)
		found, err := segment.Survey(r, int64(len(all)))
		if err != nil || found.Size > int64(len(all)) {
			t.Fatalf("survey: %+v, %v", found, err)
		}
		s, err := segment.Open(r, int64(len(all)), found.Header, transparent{})
		if err != nil {
			return
		}
		var room []byte
		for n := range s.Chunks {
			plain, err := s.ReadChunk(r, n, &room)
			if err != nil {
				continue
			}
			for _, frames := range s.Chunks[n].Tracks {
				for _, fr := range frames {
					_ = plain[fr.At : fr.At+fr.Size]
				}
			}
		}
	})
}
