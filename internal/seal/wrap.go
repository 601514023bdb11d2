package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"

	"candor/internal/id"
)

const secretSize = 32

// secret is one unwrapped key. Whoever makes one zeroes it.
type secret [secretSize]byte

func (s *secret) zero() { clear(s[:]) }

func (s *secret) clone() *secret { c := *s; return &c }

func newSecret() *secret {
	s := new(secret)
	_, _ = rand.Read(s[:]) // never fails: crypto/rand ends the program instead
	return s
}

// wrappedSize is epoch ‖ nonce ‖ key ‖ tag. It never varies, so a slot can be rewritten in place.
const wrappedSize = 4 + nonceSize + secretSize + tagSize

var errUnwrap = errors.New("key does not unwrap")

// derive makes a working key for one use of the secret material. The result is the caller's to zero.
func derive(use string, context []byte, material ...[]byte) (*secret, error) {
	joined := make([]byte, 0, 2*secretSize)
	for _, m := range material {
		joined = append(joined, m...)
	}
	defer clear(joined)
	out, err := hkdf.Key(sha256.New, joined, nil, "candor/seal/1/"+use+"\x00"+string(context), secretSize)
	if err != nil {
		return nil, err
	}
	defer clear(out)
	return (*secret)(append([]byte(nil), out...)), nil
}

func gcm(key *secret) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// wrap seals key for keys.db under the epoch and its parent (nil for a key without one). Each key
// has a wrapping key of its own, because its id is part of the derivation.
func wrap(key *secret, epoch uint32, epochKey, parent *secret, name id.Key, aad []byte) ([]byte, error) {
	aead, err := wrapper(epochKey, parent, name)
	if err != nil {
		return nil, err
	}
	out := make([]byte, 4+nonceSize, wrappedSize)
	binary.BigEndian.PutUint32(out, epoch)
	_, _ = rand.Read(out[4:])
	return aead.Seal(out, out[4:4+nonceSize], key[:], aad), nil
}

func unwrap(wrapped []byte, epochKey, parent *secret, name id.Key, aad []byte) (*secret, error) {
	if len(wrapped) != wrappedSize {
		return nil, errUnwrap
	}
	aead, err := wrapper(epochKey, parent, name)
	if err != nil {
		return nil, err
	}
	key := new(secret)
	if _, err := aead.Open(key[:0], wrapped[4:4+nonceSize], wrapped[4+nonceSize:], aad); err != nil {
		return nil, errUnwrap
	}
	return key, nil
}

func wrapper(epochKey, parent *secret, name id.Key) (cipher.AEAD, error) {
	material := [][]byte{epochKey[:]}
	if parent != nil {
		material = append(material, parent[:])
	}
	kek, err := derive("wrap", name[:], material...)
	if err != nil {
		return nil, err
	}
	defer kek.zero()
	return gcm(kek)
}

func epochOf(wrapped []byte) uint32 {
	if len(wrapped) != wrappedSize {
		return 0
	}
	return binary.BigEndian.Uint32(wrapped)
}
