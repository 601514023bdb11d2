package privlog_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"crypto/rand"
	"golang.org/x/mod/sumdb/note"

	"candor/internal/clock"
	"candor/internal/egress"
	"candor/internal/id"
	"candor/internal/privlog"
	"candor/internal/privlog/receipt"
	"candor/internal/problem"
	"candor/internal/sqldb"
	"candor/internal/sqldb/sqltest"
)

// stated is something that a log commits to.
type stated struct {
	What string  `json:"what"`
	N    int     `json:"n"`
	At   float64 `json:"at"`
}

func open(t *testing.T, db *sqldb.DB, dir string) *privlog.Log {
	t.Helper()
	l := &privlog.Log{DB: db, Dir: dir, Tenant: id.DefaultTenant, Clock: clock.Wall, Log: slog.New(slog.DiscardHandler), Client: egress.Nobody()}
	if err := l.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// entered is a leaf with what proves it.
type entered struct {
	leaf    id.Row
	opening []byte
	what    stated
}

func enter(t *testing.T, l *privlog.Log, db *sqldb.DB, what stated) entered {
	t.Helper()
	commitment, opening, err := privlog.Statement(what)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := l.Enter(t.Context(), db.Write, privlog.Erasure, commitment)
	if err != nil {
		t.Fatal(err)
	}
	return entered{leaf, opening, what}
}

// proven waits until a leaf is in the log.
func proven(t *testing.T, l *privlog.Log, e entered) receipt.Document {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		d, err := l.Receipt(t.Context(), e.leaf, e.what, e.opening)
		if err == nil {
			return d
		}
		if !problem.Is(err, "log.pending") || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// What was entered can be proven from a file, with the log's key and nothing else.
func TestAReceiptIsCheckedWithoutTheLog(t *testing.T) {
	sqltest.Each(t, func(t *testing.T, db *sqldb.DB) {
		l := open(t, db, t.TempDir())
		var all []entered
		for i := range 300 { // more than a tile
			all = append(all, enter(t, l, db, stated{"camera", i, 1.5}))
		}
		for _, i := range []int{0, 1, 255, 256, 299} {
			d := proven(t, l, all[i])
			file, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			read, err := receipt.Read(bytes.NewReader(file))
			if err != nil {
				t.Fatal(err)
			}
			got, err := read.Check(l.Key(), "")
			if err != nil || got.Leaf.Kind != privlog.Erasure || got.Size <= d.Index {
				t.Fatalf("leaf %d: %+v, %v", i, got, err)
			}
		}
	})
}

// Each part of a receipt that is changed is noticed, and said which.
func TestAForgedReceipt(t *testing.T) {
	db := sqltest.SQLite(t)
	l := open(t, db, t.TempDir())
	one, two := enter(t, l, db, stated{"camera", 1, 1}), enter(t, l, db, stated{"account", 2, 2})
	good, other := proven(t, l, one), proven(t, l, two)
	_, stranger, err := note.GenerateKey(rand.Reader, "candor-log/stranger")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(d *receipt.Document)
		key    string
		want   error
	}{
		"as it is":                {func(*receipt.Document) {}, l.Key(), nil},
		"spaces in the statement": {func(d *receipt.Document) { d.Statement = json.RawMessage(`{ "n":1, "at":1e0 , "what":"camera"}`) }, l.Key(), nil},
		"another statement":       {func(d *receipt.Document) { d.Statement = other.Statement }, l.Key(), receipt.ErrCommitment},
		"another number":          {func(d *receipt.Document) { d.Statement = bytes.Replace(d.Statement, []byte("1"), []byte("2"), 1) }, l.Key(), receipt.ErrCommitment},
		"no JSON":                 {func(d *receipt.Document) { d.Statement = json.RawMessage(`{"n":`) }, l.Key(), receipt.ErrCommitment},
		"two statements": {func(d *receipt.Document) {
			d.Statement = append(append(json.RawMessage{}, d.Statement...), d.Statement...)
		}, l.Key(), receipt.ErrCommitment},
		"another opening":      {func(d *receipt.Document) { d.Opening = other.Opening }, l.Key(), receipt.ErrCommitment},
		"another's leaf":       {func(d *receipt.Document) { d.Leaf = other.Leaf }, l.Key(), receipt.ErrCommitment},
		"a leaf made up":       {func(d *receipt.Document) { d.Leaf = bytes.Replace(d.Leaf, []byte("erasure"), []byte("consent"), 1) }, l.Key(), receipt.ErrProof},
		"no leaf":              {func(d *receipt.Document) { d.Leaf = []byte("x") }, l.Key(), receipt.ErrLeaf},
		"another place":        {func(d *receipt.Document) { d.Index = other.Index }, l.Key(), receipt.ErrProof},
		"a place outside":      {func(d *receipt.Document) { d.Index = 1 << 40 }, l.Key(), receipt.ErrProof},
		"a shorter proof":      {func(d *receipt.Document) { d.Proof = d.Proof[:0] }, l.Key(), receipt.ErrProof},
		"another proof":        {func(d *receipt.Document) { d.Proof = [][]byte{make([]byte, 32)} }, l.Key(), receipt.ErrProof},
		"a checkpoint made up": {func(d *receipt.Document) { d.Checkpoint = strings.Replace(d.Checkpoint, "\n2\n", "\n3\n", 1) }, l.Key(), receipt.ErrKey},
		"no checkpoint":        {func(d *receipt.Document) { d.Checkpoint = "" }, l.Key(), receipt.ErrKey},
		"a stranger's key":     {func(*receipt.Document) {}, stranger, receipt.ErrKey},
		"no key":               {func(*receipt.Document) {}, "x", receipt.ErrKey},
	} {
		d := good
		c.change(&d)
		if _, err := d.Check(c.key, ""); !errors.Is(err, c.want) || err != nil && c.want == nil {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

// A leaf that was written while the log was down is entered at the next start; one that lies in the log is not entered again.
func TestWhatWaitsIsEntered(t *testing.T) {
	db, dir := sqltest.SQLite(t), t.TempDir()
	l := open(t, db, dir)
	first := enter(t, l, db, stated{"camera", 1, 1})
	before := proven(t, l, first)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	second := enter(t, l, db, stated{"camera", 2, 2})
	again := open(t, db, dir)
	if again.Key() != l.Key() {
		t.Error("the log began anew though nothing was lost")
	}
	d := proven(t, again, second)
	if c, err := d.Check(l.Key(), ""); err != nil || c.Size != 2 || before.Index != 0 || d.Index != 1 {
		t.Errorf("%+v, %v; first at %d, second at %d", c, err, before.Index, d.Index)
	}
}

// A log whose folder is lost begins anew under another key, with every leaf that SQL has; receipts from before stay good.
func TestALostLogBeginsAnew(t *testing.T) {
	db, dir := sqltest.SQLite(t), t.TempDir()
	l := open(t, db, dir)
	e := enter(t, l, db, stated{"camera", 1, 1})
	before, key := proven(t, l, e), l.Key()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	again := open(t, db, dir)
	if again.Key() == key {
		t.Fatal("the key came back by itself")
	}
	if _, err := proven(t, again, e).Check(again.Key(), ""); err != nil {
		t.Errorf("in the new log: %v", err)
	}
	if _, err := before.Check(key, ""); err != nil {
		t.Errorf("from the old log: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := &privlog.Log{DB: db, Dir: dir, Tenant: id.DefaultTenant, Clock: clock.Wall, Log: slog.New(slog.DiscardHandler), Client: egress.Nobody()}
	if err := bad.Start(t.Context()); err == nil {
		t.Error("a key that is none was taken")
	}
}

// Only what belongs to the log is served, whatever the path.
func TestOnlyTheLogIsServed(t *testing.T) {
	db, dir := sqltest.SQLite(t), t.TempDir()
	l := open(t, db, dir)
	proven(t, l, enter(t, l, db, stated{"camera", 1, 1}))
	for _, path := range []string{"key", "checkpoint", "tile/0/000.p/1", "tile/entries/000.p/1"} {
		if b, _, err := l.File(context.Background(), path); err != nil || len(b) == 0 || bytes.Contains(b, []byte("PRIVATE")) {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
	for _, path := range []string{"", "..", "../key", "tile", "tile/", "tile/0/../../key", "tile/9/x", "tile/entries/../../../key", "tile/0/001", ".state/treeState", "tiles/checkpoint"} {
		if b, _, err := l.File(context.Background(), path); !problem.Is(err, "not_found") {
			t.Errorf("%s: %q, %v", path, b, err)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"candor_receipt":1,"statement":{"a":1},"opening":"AA==","leaf":"e30=","index":0,"proof":[],"checkpoint":"x","key":"y"}`))
	f.Add([]byte(`{"candor_receipt":2}`))
	f.Add([]byte(`[]`))
	_, key, err := note.GenerateKey(rand.Reader, "candor-log/fuzz")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := receipt.Read(bytes.NewReader(b))
		if err != nil {
			return
		}
		if _, err := d.Check(key, ""); err == nil {
			t.Error("something that nobody signed is good")
		}
	})
}
