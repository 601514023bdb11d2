package app

import (
	"context"
	"crypto/rand"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"candor/internal/config"
	"candor/internal/problem"
)

// setupCode guards the set-up page until the first account exists. It is kept in a file that
// only the operator can read, so that `candor setup-code` can print it again; it never expires.
type setupCode struct {
	mu   sync.Mutex
	file string
	code string
}

// alphabet leaves out what is misread: 0 O 1 I L.
const alphabet = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"

// load reads the code, or makes one.
func (c *setupCode) load(dir, wanted string) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.file = filepath.Join(dir, codeFile)
	if wanted != "" {
		c.code = wanted
		return os.WriteFile(c.file, []byte(c.code+"\n"), 0o600)
	}
	b, err := os.ReadFile(c.file)
	if err == nil && len(b) > 0 {
		c.code = strings.TrimSpace(string(b))
		return nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	c.code = newCode()
	return os.WriteFile(c.file, []byte(c.code+"\n"), 0o600)
}

// newCode is 59 random bits as XXXX-XXXX-XXXX.
func newCode() string {
	var b strings.Builder
	for b.Len() < 14 {
		if b.Len() == 4 || b.Len() == 9 {
			b.WriteByte('-')
		}
		var r [1]byte
		_, _ = rand.Read(r[:])
		if int(r[0]) < 256/len(alphabet)*len(alphabet) {
			b.WriteByte(alphabet[int(r[0])%len(alphabet)])
		}
	}
	return b.String()
}

func (c *setupCode) get() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.code
}

// done forgets the code: the first account exists.
func (c *setupCode) done() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.code = ""
	_ = os.Remove(c.file)
}

// SetupCode is the code of an installation that is not set up yet.
func SetupCode(ctx context.Context, c config.Config) (string, error) {
	b, err := os.ReadFile(filepath.Join(c.DataDir, codeFile))
	if errors.Is(err, fs.ErrNotExist) {
		return "", problem.Conflict("setup.no_code").With("folder", c.DataDir)
	}
	if err != nil {
		return "", problem.Unavailable("data.unusable").With("folder", c.DataDir).Because(err)
	}
	return strings.TrimSpace(string(b)), nil
}

// ResetUser gives a person a new password. The server may run meanwhile.
func ResetUser(ctx context.Context, c config.Config, email string) (password string, err error) {
	err = beside(ctx, c, func(h *house) (err error) {
		password, err = h.people.Reset(ctx, h.tenant, email)
		return err
	})
	if p, ok := problem.Of(err); ok && p.Status == http.StatusNotFound {
		return "", problem.Conflict("account.nobody").With("folder", c.DataDir) // the operator may know that nobody has it
	}
	return password, err
}
