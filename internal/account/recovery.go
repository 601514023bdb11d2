package account

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"strings"
)

// Recovery codes have 80 random bits each, so a fast hash keeps them as well as a slow one would.
const (
	recoveryCodes = 10
	recoveryBytes = 10
	recoverySalt  = 16
)

// recovery is what is kept of a person's recovery codes.
type recovery struct {
	Salt   []byte   `json:"salt"`
	Hashes [][]byte `json:"hashes"` // of those that were not used
}

// newRecovery makes codes and what is kept of them.
func newRecovery() (codes []string, kept recovery) {
	kept.Salt = make([]byte, recoverySalt)
	_, _ = rand.Read(kept.Salt)
	for range recoveryCodes {
		var raw [recoveryBytes]byte
		_, _ = rand.Read(raw[:])
		code := base32Plain.EncodeToString(raw[:])
		codes = append(codes, strings.ToLower(grouped(code, "-")))
		kept.Hashes = append(kept.Hashes, kept.hash(code))
	}
	return codes, kept
}

func (k recovery) hash(plain string) []byte {
	sum := sha256.Sum256(append(append([]byte{}, k.Salt...), plain...))
	return sum[:]
}

// use takes a code out. The one that is left has one less.
func (k recovery) use(code string) (left recovery, ok bool) {
	left.Salt = k.Salt
	hash := k.hash(strings.ToUpper(typed(code)))
	for _, h := range k.Hashes {
		if subtle.ConstantTimeCompare(h, hash) == 1 {
			ok = true
			continue
		}
		left.Hashes = append(left.Hashes, h)
	}
	return left, ok
}
