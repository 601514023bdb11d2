// Package receipt is what a person takes away and can check without us: a statement, what opens its leaf in the privacy
// log, the proof that the leaf is in the log, and the checkpoint that the proof leads to.
//
// Checking takes the document and the log's public key and nothing else: no network, no database, no permit. It says of each
// step what was looked at, so that whoever reads it knows what a good result means and what it does not.
package receipt

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"

	"candor/internal/policy"
)

// Layout is the number of the document's form.
const Layout = 1

const maxDocument = 1 << 20

// Document is a receipt as a file.
type Document struct {
	Layout     int             `json:"candor_receipt"`
	Statement  json.RawMessage `json:"statement"`  // what is stated: a deletion, a consent record
	Opening    []byte          `json:"opening"`    // the key that the leaf's commitment was made with
	Leaf       []byte          `json:"leaf"`       // as it lies in the log
	Index      uint64          `json:"index"`      // where
	Proof      [][]byte        `json:"proof"`      // hashes from the leaf to the root, RFC 6962
	Checkpoint string          `json:"checkpoint"` // the root, signed by the log: a C2SP signed note
	Key        string          `json:"key"`        // the log's own word for its key; compare it
}

// Leaf is an entry of the log. It holds nothing about anybody: once the opening is gone, nothing ties it to what it states.
type Leaf struct {
	V          int    `json:"v"`
	Kind       string `json:"kind"` // erasure, consent, policy
	Day        string `json:"day"`  // UTC
	Commitment []byte `json:"commitment"`
}

// Commit is the commitment to a statement under a key: HMAC-SHA-256 over its canonical JSON (RFC 8785).
func Commit(opening []byte, statement json.RawMessage) ([]byte, error) {
	var v any
	in := json.NewDecoder(bytes.NewReader(statement))
	in.UseNumber()
	if err := in.Decode(&v); err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	if in.More() {
		return nil, errors.New("statement: more than one value")
	}
	canonical, err := policy.Canonical(numbers(v))
	if err != nil {
		return nil, fmt.Errorf("statement: %w", err)
	}
	mac := hmac.New(sha256.New, opening)
	mac.Write(canonical)
	return mac.Sum(nil), nil
}

// numbers turns what the decoder kept as text into what the canonical form knows.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, err := v.Float64()
		if err != nil {
			return v.String()
		}
		return f
	case map[string]any:
		for k, one := range v {
			v[k] = numbers(one)
		}
	case []any:
		for i, one := range v {
			v[i] = numbers(one)
		}
	}
	return v
}

// Origin is the name of the log that a key signs for.
func Origin(key string) (string, error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return "", fmt.Errorf("the key %q: %w", key, err)
	}
	return v.Name(), nil
}

// Read reads a document.
func Read(from io.Reader) (Document, error) {
	var d Document
	b, err := io.ReadAll(io.LimitReader(from, maxDocument+1))
	if err != nil {
		return d, err
	}
	if len(b) > maxDocument {
		return d, errors.New("it is larger than 1 MiB, so no receipt")
	}
	in := json.NewDecoder(bytes.NewReader(b))
	in.DisallowUnknownFields()
	if err := in.Decode(&d); err != nil {
		return d, fmt.Errorf("it is no receipt: %w", err)
	}
	if in.More() {
		return d, errors.New("something follows the receipt")
	}
	if d.Layout != Layout {
		return d, fmt.Errorf("it is a receipt of form %d; this program knows form %d", d.Layout, Layout)
	}
	return d, nil
}

// Checked is what a good document says.
type Checked struct {
	Leaf   Leaf
	Origin string
	Size   uint64 // of the log at the checkpoint
	Root   []byte
}

// The ways in which a document is not good.
var (
	ErrKey        = errors.New("the checkpoint is not signed by this key")
	ErrCommitment = errors.New("the statement is not the one that the leaf commits to")
	ErrProof      = errors.New("the proof does not lead from the leaf to the checkpoint")
	ErrLeaf       = errors.New("the leaf is none")
)

// Check looks whether a document holds under the log's key. With checkpoint its proof is checked against that instead of the one
// it brings.
func (d Document) Check(key, checkpoint string) (Checked, error) {
	var c Checked
	if checkpoint == "" {
		checkpoint = d.Checkpoint
	}
	v, err := note.NewVerifier(key)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrKey, err)
	}
	root, _, _, err := log.ParseCheckpoint([]byte(checkpoint), v.Name(), v)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrKey, err)
	}
	if err := json.Unmarshal(d.Leaf, &c.Leaf); err != nil || c.Leaf.V != 1 {
		return c, fmt.Errorf("%w: %v", ErrLeaf, err)
	}
	want, err := Commit(d.Opening, d.Statement)
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrCommitment, err)
	}
	if !hmac.Equal(want, c.Leaf.Commitment) {
		return c, ErrCommitment
	}
	hash := rfc6962.DefaultHasher.HashLeaf(d.Leaf)
	if err := proof.VerifyInclusion(rfc6962.DefaultHasher, d.Index, root.Size, hash, d.Proof, root.Hash); err != nil {
		return c, fmt.Errorf("%w: %w", ErrProof, err)
	}
	c.Origin, c.Size, c.Root = v.Name(), root.Size, root.Hash
	return c, nil
}

// Fingerprint is a short name of a key that people can compare.
func Fingerprint(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:9])
}
