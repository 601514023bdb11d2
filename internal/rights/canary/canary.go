// Package canary hunts planted words in every file of a data folder, byte for byte.
//
// A test plants what no text contains by chance (a name, an address, a camera's title), uses the
// system, says goodbye, and hunts: in databases, their logs, objects, file names. Each needle is
// looked for as it is, as hexadecimal, as Base64 at each of its three alignments in both
// alphabets, as UTF-16 in both byte orders, and percent-encoded; letters are compared in any case
// wherever case does not change the meaning. What is compressed or encrypted is not found: a
// sealed value is not a hit, and neither would be a zipped leak, so nothing of ours is zipped.
//
// Hunt from outside of the process that has the databases open, or after it has closed them:
// closing a descriptor of a file drops SQLite's locks on it.
package canary

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"unicode/utf16"
)

// Hit is one place where a needle lies.
type Hit struct {
	File   string // below the folder
	Offset int64  // -1: in the file's name
	Needle string
	Form   string // "raw", "hex", "base64", "utf-16", "percent"
}

func (h Hit) String() string {
	return fmt.Sprintf("%s at %d: %q (%s)", h.File, h.Offset, h.Needle, h.Form)
}

// Shortest is the shortest needle: a shorter one is found by chance.
const Shortest = 6

// Hunt looks for the needles in every regular file below dir and in the files' names. Each needle
// is reported once per file and form. A file that goes away meanwhile is no error.
func Hunt(dir string, needles []string) ([]Hit, error) {
	h := &hunter{at: map[uint16][]pattern{}}
	for _, n := range needles {
		if len(n) < Shortest {
			return nil, fmt.Errorf("needle %q is too short to tell from chance", n)
		}
		h.add(n)
	}
	var hits []Hit
	err := filepath.WalkDir(dir, func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		below, err := filepath.Rel(dir, name)
		if err != nil {
			return err
		}
		for _, hit := range h.look(fold([]byte(e.Name())), map[found]bool{}) {
			hits = append(hits, Hit{below, -1, hit.needle, hit.form})
		}
		if !e.Type().IsRegular() {
			return nil
		}
		got, err := h.file(name)
		for _, g := range got {
			hits = append(hits, Hit{below, g.offset, g.needle, g.form})
		}
		return err
	})
	return hits, err
}

type found struct{ needle, form string }

type match struct {
	found
	offset int64
}

type pattern struct {
	found
	bytes []byte
}

// hunter has all patterns by their first two bytes, so that a file is read once.
type hunter struct {
	at      map[uint16][]pattern
	first   [1 << 16]bool
	longest int
}

func (h *hunter) add(needle string) {
	forms := []pattern{
		{found{needle, "raw"}, []byte(needle)},
		{found{needle, "hex"}, []byte(hex.EncodeToString([]byte(needle)))},
		{found{needle, "percent"}, []byte(url.QueryEscape(needle))},
		{found{needle, "percent"}, []byte(url.PathEscape(needle))},
	}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		var wide []byte
		for _, unit := range utf16.Encode([]rune(needle)) {
			wide = order.AppendUint16(wide, unit)
		}
		forms = append(forms, pattern{found{needle, "utf-16"}, wide})
	}
	for shift := range 3 {
		for _, alphabet := range []*base64.Encoding{base64.RawStdEncoding, base64.RawURLEncoding} {
			forms = append(forms, pattern{found{needle, "base64"}, shifted(alphabet, needle, shift)})
		}
	}
	plain := fold([]byte(needle))
	for _, p := range forms {
		p.bytes = fold(p.bytes)
		if p.form != "raw" && bytes.Equal(p.bytes, plain) {
			continue // nothing to escape
		}
		first := binary.BigEndian.Uint16(p.bytes)
		h.at[first] = append(h.at[first], p)
		h.first[first] = true
		h.longest = max(h.longest, len(p.bytes))
	}
}

// shifted is what Base64 makes of the needle when shift bytes stand before it: only the
// characters that depend on nothing but the needle.
func shifted(alphabet *base64.Encoding, needle string, shift int) []byte {
	b := append(make([]byte, shift), needle...)
	out := alphabet.EncodeToString(b)
	from := (shift*8 + 5) / 6
	to := len(b) * 8 / 6
	return []byte(out[from:to])
}

// fold makes ASCII letters lower case. For Base64 that finds a little too much, never too little.
func fold(b []byte) []byte {
	out := bytes.Clone(b)
	for i, c := range out {
		if 'A' <= c && c <= 'Z' {
			out[i] = c + 'a' - 'A'
		}
	}
	return out
}

// look finds the patterns in folded bytes that were not seen before.
func (h *hunter) look(b []byte, seen map[found]bool) []match {
	var out []match
	for i := 0; i+1 < len(b); i++ {
		first := binary.BigEndian.Uint16(b[i:])
		if !h.first[first] {
			continue
		}
		for _, p := range h.at[first] {
			if !seen[p.found] && bytes.HasPrefix(b[i:], p.bytes) {
				seen[p.found] = true
				out = append(out, match{p.found, int64(i)})
			}
		}
	}
	return out
}

func (h *hunter) file(name string) (out []match, err error) {
	f, err := os.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	buf := make([]byte, 1<<20+h.longest)
	seen := map[found]bool{}
	kept, base := 0, int64(0)
	for {
		n, err := io.ReadFull(f, buf[kept:])
		b := fold(buf[:kept+n])
		for _, m := range h.look(b, seen) {
			m.offset += base
			out = append(out, m)
		}
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		keep := min(h.longest-1, kept+n)
		base += int64(kept + n - keep)
		copy(buf, buf[kept+n-keep:kept+n])
		kept = keep
	}
}
