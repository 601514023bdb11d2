package seal

import (
	"encoding/binary"

	"candor/internal/id"
	"candor/internal/promise"
)

// Value is a sealed value as stored: version ‖ key id ‖ nonce ‖ ciphertext and tag.
// It tells its key and its length, and nothing else.
type Value []byte

const (
	valueVersion = 1
	nonceSize    = 12
	tagSize      = 16
	valueHead    = 1 + 16 + nonceSize
	// MaxValue bounds a sealed value; larger things are objects.
	MaxValue = 16 << 20
)

// Key is the key the value is sealed under, and false if the bytes are no sealed value.
func (v Value) Key() (id.Key, bool) {
	if len(v) < valueHead+tagSize || len(v) > valueHead+tagSize+MaxValue || v[0] != valueVersion {
		return id.Key{}, false
	}
	k := id.Key(v[1:17])
	return k, !k.IsZero()
}

// frame joins parts so that no two lists of parts give the same bytes: each is led by its length.
func frame(parts ...[]byte) []byte {
	n := 0
	for _, p := range parts {
		n += 4 + len(p)
	}
	out := make([]byte, 0, n)
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}

// aad is what a value's seal says about its place.
//
// promise:P291
func (p Place) aad() []byte {
	if promise.Cut("P291") {
		return nil
	}
	return frame([]byte("candor.value.1"), p.Tenant[:], p.Subject[:], []byte(p.Passport), p.Row[:])
}

// aad is what a wrapped key says about itself: moved to another scope it does not unwrap.
func (s Scope) aad(k kind, key id.Key, epoch uint32) []byte {
	return frame([]byte("candor.key.1"), []byte{byte(k)}, key[:], s.Tenant[:], s.Subject[:], s.Binding[:],
		binary.BigEndian.AppendUint32(nil, uint32(s.Bucket.Day)), []byte(s.Bucket.Category), []byte(s.Bucket.Class),
		s.Export[:], binary.BigEndian.AppendUint32(nil, epoch))
}
