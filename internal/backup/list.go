package backup

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// pieces are objects by name, with their SHA-256.
type pieces map[string]string

// bytes are the lines that sha256sum -c reads.
func (p pieces) bytes() []byte {
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(p)) {
		fmt.Fprintf(&b, "%s  %s\n", p[name], name)
	}
	return b.Bytes()
}

// readPieces reads such lines. A name that leads out of the folder of objects is an error.
func readPieces(b []byte) (pieces, error) {
	p := pieces{}
	for lines := bufio.NewScanner(bytes.NewReader(b)); lines.Scan(); {
		sum, name, ok := strings.Cut(lines.Text(), "  ")
		raw, err := hex.DecodeString(sum)
		if !ok || err != nil || len(raw) != 32 || !local(name) || p[name] != "" {
			return nil, fmt.Errorf("%s: line %d names no piece", listFile, len(p)+1)
		}
		p[name] = sum
	}
	if !bytes.Equal(p.bytes(), b) { // as it was written: sorted, whole to the last line
		return nil, fmt.Errorf("%s is not whole", listFile)
	}
	return p, nil
}
