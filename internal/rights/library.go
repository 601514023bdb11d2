package rights

import (
	"context"
	"io"

	"candor/internal/clock"
	"candor/internal/id"
	"candor/internal/permit"
)

// File is something a room gives along beside its lines: a film, a picture. It does not change while
// it is there; it may go at any time.
type File struct {
	Path    string       `json:"path"` // below the room's own folder; neutral: ids and times, no names
	Binding id.Binding   `json:"binding"`
	From    clock.Millis `json:"from"`
	To      clock.Millis `json:"to"`
	Until   clock.Millis `json:"until"` // when its oldest part goes at the latest; 0 if no timer ends it
	Ref     string       `json:"ref"`   // the room's own, to find it again
}

// Content is an opened File. The same file has the same ETag and the same bytes, whenever and by
// whomever it is opened.
type Content interface {
	io.ReaderAt
	io.Closer
	Size() int64
	ETag() string
}

// Library is a Holder that has files. Where a holder keeps films or pictures, its Export says what
// they are, and these give their bytes.
type Library interface {
	Holder
	Files(ctx context.Context, p permit.Permit, w Whose) ([]File, error)
	// Open opens a file for as long as the lease lasts. One that is gone is a problem of status 410.
	// Whoever opens it closes it, at the latest when the lease ends.
	Open(ctx context.Context, l *permit.Lease, w Whose, f File) (Content, error)
}
