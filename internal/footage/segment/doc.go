// Package segment reads and writes the segment: the immutable sealed object that footage is
// kept in. ref/footage-format.md is the byte format; this is its one implementation.
//
// A segment is a header and a row of chunks. The header tells in clear who it belongs to, when
// it begins and which key opens it, and holds everything else sealed. A chunk is about a second
// of pictures and sound, sealed by AES-256-GCM and written in one piece; it begins with its own
// frame entries, so a segment needs nothing beside it. A segment that was closed in order ends
// with one more chunk, the index, which repeats every frame entry; a segment that a crash ended
// has none and is read by walking its chunks.
//
// What the bytes promise: cut off anywhere, everything in whole chunks before the cut reads;
// changed anywhere, the changed chunk is refused and nothing false comes out; a chunk moved to
// another place or another segment is refused. A segment without its index says so (Whole).
//
// Survey needs no key: it finds the last whole chunk by length and checksum, so a machine that
// starts again can repair what it cannot read.
//
// The package knows tracks and frames, and nothing of files, SQL, permits or time zones. It does
// not keep keys: it is handed a cipher.
package segment
