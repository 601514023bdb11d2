package backup

import (
	"bytes"
	"strings"
	"testing"
)

// Whatever lies in a backup folder, names in it lead nowhere else.
func FuzzReadPieces(f *testing.F) {
	sum := strings.Repeat("ab", 32)
	f.Add([]byte(sum + "  footage/kept/a/b\n" + sum + "  footage/kept/c\n"))
	f.Add([]byte(sum + "  ../x\n"))
	f.Add([]byte(sum + "  /etc/passwd"))
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := readPieces(b)
		if err != nil {
			return
		}
		for name := range p {
			if !local(name) || strings.Contains(name, "..") && strings.HasPrefix(name, "..") {
				t.Errorf("%q leads out", name)
			}
		}
		if !bytes.Equal(p.bytes(), b) {
			t.Errorf("%q is read as %q", b, p.bytes())
		}
	})
}

func FuzzReadRun(f *testing.F) {
	sum := strings.Repeat("ab", 32)
	f.Add([]byte(`{"layout":1,"installation":"x","at":"2030-05-04T10:00:00Z","database":"sqlite","files":{"candor.db":"` + sum + `","objects.sha256":"` + sum + `"}}`))
	f.Add([]byte(`{"layout":1,"installation":"x","at":"2030-05-04T10:00:00Z","database":"sqlite","files":{"candor.db":"` + sum + `","objects.sha256":"` + sum + `","../x":"` + sum + `"}}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := readRun(b)
		if err != nil {
			return
		}
		for name := range r.Files {
			if !local(name) || strings.HasPrefix(name, "/") || strings.HasPrefix(name, "../") {
				t.Errorf("%q leads out", name)
			}
		}
	})
}
