package id

import (
	"bytes"

	"github.com/google/uuid"
)

// Random makes an identifier that tells nothing of when it was made (a UUIDv4), for things whose
// moment is sealed.
func Random[T ~[16]byte]() T { return T(uuid.New()) }

// Compare orders identifiers by their bytes.
func Compare[K any](a, b ID[K]) int { return bytes.Compare(a[:], b[:]) }
