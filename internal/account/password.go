package account

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"sync"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"candor/internal/problem"
	"candor/internal/promise"
)

// Cost is how dear it is to try a password (RFC 9106).
type Cost struct {
	Time    uint32 // passes
	Memory  uint32 // KiB
	Threads uint8
}

// DefaultCost is OWASP's first choice: 46 MiB, one pass.
var DefaultCost = Cost{Time: 1, Memory: 46 * 1024, Threads: 1}

const (
	saltSize    = 16
	keySize     = 32
	minPassword = 10
	maxPassword = 1024
	atOnce      = 2 // hashes at the same time: each takes Cost.Memory
)

//go:embed common.txt
var commonList string

// common are the most common passwords of ten or more characters, in lower case.
var common = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for line := range strings.Lines(commonList) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			all[line] = true
		}
	}
	return all
})

// CheckPassword says whether a password may be chosen: problem password.weak or password.long.
//
// promise:P301
func CheckPassword(password string) error {
	switch n := utf8.RuneCountInString(password); {
	case promise.Cut("P301"):
		return nil
	case n > maxPassword || len(password) > 4*maxPassword:
		return problem.Invalid("password.long")
	case n < minPassword || common()[strings.ToLower(strings.TrimSpace(password))] || same(password):
		return problem.Invalid("password.weak")
	}
	return nil
}

// same reports whether a password is one character again and again.
func same(password string) bool {
	first, _ := utf8.DecodeRuneInString(password)
	return strings.Trim(password, string(first)) == ""
}

// verifier is a password as kept.
type verifier struct {
	cost Cost
	salt []byte
	key  []byte
}

// String is the PHC form: $argon2id$v=19$m=47104,t=1,p=1$salt$key.
func (v verifier) String() string {
	b := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, v.cost.Memory, v.cost.Time, v.cost.Threads, b.EncodeToString(v.salt), b.EncodeToString(v.key))
}

var errVerifier = errors.New("password verifier has another form")

// parseVerifier reads the PHC form. Costs beyond reason are refused: they would stop the server.
func parseVerifier(s string) (verifier, error) {
	part := strings.Split(s, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return verifier{}, errVerifier
	}
	var v verifier
	if n, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &v.cost.Memory, &v.cost.Time, &v.cost.Threads); err != nil || n != 3 {
		return verifier{}, errVerifier
	}
	if c := v.cost; c.Time < 1 || c.Time > 16 || c.Memory < 8 || c.Memory > 1<<20 || c.Threads < 1 || c.Threads > 16 {
		return verifier{}, errVerifier
	}
	var err1, err2 error
	v.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(part[4])
	v.key, err2 = base64.RawStdEncoding.Strict().DecodeString(part[5])
	if err1 != nil || err2 != nil || len(v.salt) != saltSize || len(v.key) != keySize || v.String() != s {
		return verifier{}, errVerifier
	}
	return v, nil
}

// hasher does the costly part, a few at a time.
type hasher struct {
	slots chan struct{}
	runs  func() // told of each run; tests count
}

func newHasher() *hasher { return &hasher{slots: make(chan struct{}, atOnce), runs: func() {}} }

func (h *hasher) derive(ctx context.Context, password string, salt []byte, c Cost) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-h.slots }()
	h.runs()
	return argon2.IDKey([]byte(password), salt, c.Time, c.Memory, c.Threads, keySize), nil
}

// make makes the verifier of a password.
func (h *hasher) make(ctx context.Context, password string, c Cost) (verifier, error) {
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt)
	key, err := h.derive(ctx, password, salt, c)
	return verifier{c, salt, key}, err
}

// matches compares a password with its verifier.
func (h *hasher) matches(ctx context.Context, password string, v verifier) (bool, error) {
	key, err := h.derive(ctx, password, v.salt, v.cost)
	return err == nil && subtle.ConstantTimeCompare(key, v.key) == 1, err
}
