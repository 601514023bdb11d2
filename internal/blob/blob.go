// Package blob keeps objects: named, immutable once committed, read at any offset.
//
// A writer makes a Draft, appends to it and commits it; a reader sees it under its name from the
// beginning, so footage can be looked at while it is recorded. A draft that a crash left behind is
// found again by Drafts. What Sync returned from is on the medium, with its name.
//
// Names are slash-separated and neutral (identifiers and days), made by the room that owns the
// prefix. A name has only letters, digits, '-', '_' and '.', and no part of it begins with a dot.
//
// Disk is the store of an installation without object storage. A store knows nothing of what the
// bytes mean and never holds a key.
package blob

import (
	"context"
	"errors"
	"io"
	"iter"
)

// ErrNotFound is an object that is not there.
var ErrNotFound = errors.New("no such object")

// ErrName is a name that no store takes.
var ErrName = errors.New("not an object name")

// Store keeps objects.
type Store interface {
	// Create begins an object. It fails if one of that name exists.
	Create(name string) (Draft, error)
	// Open opens an object or a draft of that name for reading.
	Open(name string) (Object, error)
	// Delete takes an object or draft away; one that is not there is no error. Readers that have
	// it open keep it until they close it.
	Delete(name string) error
	// Drafts are the names of what was begun and neither committed nor deleted.
	Drafts() ([]string, error)
	// Resume opens a draft that a crash left, cut to size bytes, to be committed or deleted.
	Resume(name string, size int64) (Draft, error)
	// List walks the committed objects whose name begins with prefix (a whole number of parts).
	List(ctx context.Context, prefix string) iter.Seq2[Info, error]
	// Free is how many bytes there is room for.
	Free() (int64, error)
}

// Draft is an object that is being written. One goroutine uses it.
type Draft interface {
	io.Writer
	// Truncate takes back what was written beyond size.
	Truncate(size int64) error
	// Sync returns once everything written, and the name, is on the medium.
	Sync() error
	// Commit ends the draft and gives it its final place. It syncs nothing that Sync has not.
	Commit() error
	// Close leaves the draft as it is, to be resumed.
	Close() error
}

// Object is an object opened for reading.
type Object interface {
	io.ReaderAt
	io.Closer
	Size() (int64, error)
}

// Info is one object in a list.
type Info struct {
	Name string
	Size int64
}
