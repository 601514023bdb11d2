package blob_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"candor/internal/blob"
)

func disk(t *testing.T) (*blob.Disk, string) {
	t.Helper()
	dir := t.TempDir()
	d, err := blob.OpenDisk(dir)
	if err != nil {
		t.Fatal(err)
	}
	return d, dir
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, d *blob.Disk, name string) string {
	t.Helper()
	o, err := d.Open(name)
	must(t, err)
	defer o.Close()
	n, err := o.Size()
	must(t, err)
	b := make([]byte, n)
	if n > 0 {
		_, err = o.ReadAt(b, 0)
		must(t, err)
	}
	return string(b)
}

func names(t *testing.T, d *blob.Disk, prefix string) (out []string) {
	t.Helper()
	for info, err := range d.List(context.Background(), prefix) {
		must(t, err)
		out = append(out, info.Name)
	}
	slices.Sort(out)
	return out
}

func TestDraftIsReadableAndCommitMovesIt(t *testing.T) {
	d, _ := disk(t)
	draft, err := d.Create("a/b/one")
	must(t, err)
	_, err = draft.Write([]byte("hello"))
	must(t, err)
	if got := read(t, d, "a/b/one"); got != "hello" {
		t.Fatalf("draft reads %q", got)
	}
	if got := names(t, d, ""); len(got) != 0 {
		t.Fatalf("a draft is listed: %v", got)
	}
	if _, err := d.Create("a/b/one"); !errors.Is(err, os.ErrExist) {
		t.Fatalf("second draft of one name: %v", err)
	}
	must(t, draft.Sync())
	must(t, draft.Commit())
	if got := names(t, d, "a"); !slices.Equal(got, []string{"a/b/one"}) {
		t.Fatalf("listed: %v", got)
	}
	if drafts, _ := d.Drafts(); len(drafts) != 0 {
		t.Fatalf("drafts after commit: %v", drafts)
	}
	if _, err := d.Create("a/b/one"); !errors.Is(err, os.ErrExist) {
		t.Fatalf("draft over an object: %v", err)
	}
	if got := read(t, d, "a/b/one"); got != "hello" {
		t.Fatalf("object reads %q", got)
	}
}

func TestCrashedDraftIsResumedAndCut(t *testing.T) {
	d, dir := disk(t)
	draft, err := d.Create("a/one")
	must(t, err)
	_, err = draft.Write([]byte("whole and torn"))
	must(t, err)
	must(t, draft.Close())
	d, err = blob.OpenDisk(dir)
	must(t, err)
	drafts, err := d.Drafts()
	must(t, err)
	if !slices.Equal(drafts, []string{"a/one"}) {
		t.Fatalf("drafts: %v", drafts)
	}
	draft, err = d.Resume("a/one", 5)
	must(t, err)
	must(t, draft.Sync())
	must(t, draft.Commit())
	if got := read(t, d, "a/one"); got != "whole" {
		t.Fatalf("resumed object reads %q", got)
	}
}

func TestDeleteLeavesNothing(t *testing.T) {
	d, dir := disk(t)
	for _, name := range []string{"a/b/one", "a/b/two", "a/c/three"} {
		draft, err := d.Create(name)
		must(t, err)
		must(t, draft.Commit())
	}
	open, err := d.Create("a/b/four")
	must(t, err)
	must(t, open.Close())
	for _, name := range []string{"a/b/one", "a/b/two", "a/b/four", "a/b/four"} {
		must(t, d.Delete(name))
	}
	if got := names(t, d, ""); !slices.Equal(got, []string{"a/c/three"}) {
		t.Fatalf("left: %v", got)
	}
	if _, err := os.Stat(filepath.Join(dir, "kept", "a", "b")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("an empty directory stays: %v", err)
	}
	if _, err := d.Open("a/b/one"); !errors.Is(err, blob.ErrNotFound) {
		t.Errorf("open after delete: %v", err)
	}
	draft, err := d.Create("a/b/one") // its directory is made again
	must(t, err)
	must(t, draft.Commit())
}

func TestNamesThatLeadElsewhereAreRefused(t *testing.T) {
	d, _ := disk(t)
	for _, name := range []string{"", "/a", "a/", "a//b", "..", "a/../b", ".a", "a/.b", "a\\b", "a+b", "a b", "a\x00", "ä"} {
		if _, err := d.Create(name); !errors.Is(err, blob.ErrName) {
			t.Errorf("create %q: %v", name, err)
		}
		if _, err := d.Open(name); !errors.Is(err, blob.ErrName) {
			t.Errorf("open %q: %v", name, err)
		}
		if err := d.Delete(name); !errors.Is(err, blob.ErrName) {
			t.Errorf("delete %q: %v", name, err)
		}
	}
}

func TestFree(t *testing.T) {
	d, _ := disk(t)
	if n, err := d.Free(); err != nil || n <= 0 {
		t.Fatalf("free: %d, %v", n, err)
	}
}
