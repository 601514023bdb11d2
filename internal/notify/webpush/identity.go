package webpush

import (
	"crypto/ecdh"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Identity is the key pair by which push services know this installation (VAPID, RFC 8292). A
// browser's subscription belongs to the public half: losing the pair loses every subscription.
type Identity struct {
	Public  string // base64url of the uncompressed point: what a page hands to subscribe()
	private string
}

// Keep reads the pair from a file that only its owner can read, and makes it once.
func Keep(file string) (Identity, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return begin(file)
	}
	if err != nil {
		return Identity{}, fmt.Errorf("read the push key: %w", err)
	}
	return load(string(text))
}

// begin makes the pair and has it on the disk, whole, before it is used.
func begin(file string) (Identity, error) {
	key, err := ecdh.P256().GenerateKey(rand.Reader)
	if err != nil {
		return Identity{}, fmt.Errorf("make the push key: %w", err)
	}
	text := base64.RawURLEncoding.EncodeToString(key.Bytes())
	f, err := os.CreateTemp(filepath.Dir(file), ".push-*") // 0600
	if err != nil {
		return Identity{}, fmt.Errorf("keep the push key: %w", err)
	}
	_, err = f.WriteString(text + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return Identity{}, errors.Join(fmt.Errorf("keep the push key: %w", err), os.Remove(f.Name()))
	}
	return load(text)
}

func load(text string) (Identity, error) {
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return Identity{}, fmt.Errorf("read the push key: %w", err)
	}
	key, err := ecdh.P256().NewPrivateKey(raw)
	if err != nil {
		return Identity{}, fmt.Errorf("read the push key: %w", err)
	}
	return Identity{
		Public:  base64.RawURLEncoding.EncodeToString(key.PublicKey().Bytes()),
		private: base64.RawURLEncoding.EncodeToString(raw),
	}, nil
}
