// Package media carries units from a camera to whoever may see them.
//
// A Stream has one writer (an ingest) and any number of viewers. It keeps the units since the
// last key picture, so that a viewer who joins sees a picture at once, and gives each viewer a
// ring of its own: a viewer who is slow loses pictures up to the next key picture and hurts
// nobody. A unit is copied never and allocated once.
//
// The package knows nothing of people, permits, SQL or HTTP; a dependency test says so.
package media
