package scan_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"candor/internal/promise/board"
	"candor/internal/promise/scan"
)

func file(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }

func TestTreeFindsMarksCutsAndProofs(t *testing.T) {
	got, err := scan.Tree(fstest.MapFS{
		"internal/a/a.go": file(`package a
import "candor/internal/promise"
// Do does.
// promise:P113,P020
func (a *A) Do() {
	//promise:P001
	if promise.Cut("P113") { return }
}
`),
		"internal/a/a_test.go": file(`package a
import ("testing"; "candor/internal/promise")
//promise:P007
func TestDo(t *testing.T) { promise.Proves(t, "P113", "P001"); _ = promise.Cut("P104") }
`),
		"internal/b/b.go":            file("package b\n// It says //promise:P002 in passing.\nvar x = `//promise:P003`\n"),
		"internal/b/m.sql":           file("--promise:P004\nCREATE TABLE t (a);"),
		"web/src/A.svelte":           file("<script>\n//promise:P005\n</script>"),
		"web/node_modules/x/x.ts":    file("//promise:P006"),
		"web/e2e/home.spec.ts":       file("test('asks first @P240 @P257', async () => {}); test(`no tag`, f)"),
		"internal/b/testdata/bad.go": file("not Go"),
	})
	if err != nil {
		t.Fatal(err)
	}
	want := board.Controls{
		"P001": {Controls: []string{"internal/a/a.go:(*A).Do"}, Proofs: []string{"internal/a TestDo"}},
		"P004": {Controls: []string{"internal/b/m.sql"}},
		"P005": {Controls: []string{"web/src/A.svelte"}},
		"P020": {Controls: []string{"internal/a/a.go:(*A).Do"}},
		"P104": {Cuts: []string{"internal/a/a_test.go:TestDo"}},
		"P113": {Controls: []string{"internal/a/a.go:(*A).Do"}, Cuts: []string{"internal/a/a.go:(*A).Do"}, Proofs: []string{"internal/a TestDo"}},
		"P240": {Browser: []string{"web/e2e/home.spec.ts asks first"}},
		"P257": {Browser: []string{"web/e2e/home.spec.ts asks first"}},
	}
	if !reflect.DeepEqual(got, want) {
		t.Fatalf("got  %v\nwant %v", got, want)
	}
}

func TestTreeRefusesUnknownAndUnreadableNumbers(t *testing.T) {
	for says, src := range map[string]string{
		"P999 was never promised": "//promise:P999\nfunc F() {}",
		"P998 was never promised": `func F() bool { return promise.Cut("P998") }`,
		"literal":                 `func F(id string) bool { return promise.Cut(id) }`,
	} {
		_, err := scan.Tree(fstest.MapFS{"internal/a/a.go": file("package a\nimport \"candor/internal/promise\"\n" + src + "\n")})
		if err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: got %v", src, err)
		}
	}
}

// policy/controls.json is what the board of a binary is computed from, so it must fit.
func TestControlsFileFitsTheSource(t *testing.T) {
	found, err := scan.Tree(os.DirFS("../../.."))
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("../../../policy/controls.json")
	if err != nil {
		t.Fatal(err)
	}
	var written board.Controls
	if err := json.Unmarshal(data, &written); err != nil {
		t.Fatal(err)
	}
	for id := range written {
		if _, ok := found[id]; !ok {
			found[id] = board.Binding{}
		}
	}
	for id, b := range found {
		if !reflect.DeepEqual(b, written[id]) {
			t.Errorf("%s: policy/controls.json says %v, the source says %v; run: go run ./cmd/promisecheck scan", id, written[id], b)
		}
	}
}
