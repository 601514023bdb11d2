package canary_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"

	"candor/internal/rights/canary"
)

const needle = "Zoë Quill <zoe.quill@example.org>"

func wide(s string) []byte {
	var out []byte
	for _, u := range utf16.Encode([]rune(s)) {
		out = append(out, byte(u), byte(u>>8))
	}
	return out
}

func write(t *testing.T, dir, name string, content []byte) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestEveryFormIsFound(t *testing.T) {
	json := func(s string) []byte { return []byte(`{"name":"` + s + `"}`) }
	for name, c := range map[string]struct {
		content []byte
		form    string
	}{
		"raw":              {[]byte("x" + needle + "y"), "raw"},
		"another case":     {[]byte(strings.ReplaceAll(strings.ToUpper(needle), "Ë", "ë")), "raw"},
		"hex":              {[]byte(strings.ToUpper(hex.EncodeToString([]byte(needle)))), "hex"},
		"utf-16":           {wide("to: " + needle), "utf-16"},
		"percent":          {[]byte("q=Zo%C3%AB+Quill+%3Czoe.quill%40example.org%3E&x"), "percent"},
		"base64":           {[]byte(base64.StdEncoding.EncodeToString(json(needle))), "base64"},
		"base64 shifted 1": {[]byte(base64.StdEncoding.EncodeToString(json("x" + needle))), "base64"},
		"base64 shifted 2": {[]byte(base64.URLEncoding.EncodeToString(json("xy" + needle + "more"))), "base64"},
		"across an edge":   {append(bytes.Repeat([]byte{0}, 1<<20-5), needle...), "raw"},
		"far behind":       {append(bytes.Repeat([]byte{0}, 3<<20+77), needle...), "raw"},
		"nothing":          {[]byte("Zoë Quill, and elsewhere zoe.quill"), ""},
	} {
		dir := t.TempDir()
		write(t, dir, "deep/down/file", c.content)
		hits, err := canary.Hunt(dir, []string{needle, "another needle"})
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case c.form == "" && len(hits) > 0:
			t.Errorf("%s: found %v", name, hits)
		case c.form != "" && (len(hits) != 1 || hits[0].Form != c.form || hits[0].Needle != needle || hits[0].File != filepath.Join("deep", "down", "file")):
			t.Errorf("%s: found %v, want one %s", name, hits, c.form)
		}
		if len(hits) == 1 && name != "another case" && c.form == "raw" && hits[0].Offset != int64(bytes.Index(c.content, []byte(needle))) {
			t.Errorf("%s: at %d", name, hits[0].Offset)
		}
	}
}

func TestNamesOfFilesAreHuntedToo(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "Front-Door-Canary.mp4", nil)
	hits, err := canary.Hunt(dir, []string{"front-door-canary"})
	if err != nil || len(hits) != 1 || hits[0].Offset != -1 {
		t.Errorf("found %v, %v", hits, err)
	}
}

func TestShortNeedlesAreRefused(t *testing.T) {
	if hits, err := canary.Hunt(t.TempDir(), []string{"ada"}); err == nil {
		t.Errorf("hunted for three letters: %v", hits)
	}
	if _, err := canary.Hunt(filepath.Join(t.TempDir(), "absent"), nil); err == nil {
		t.Error("a folder that is not there has no hits and no error")
	}
}
