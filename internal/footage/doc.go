// Package footage keeps what cameras see and hear, for as long as its owner wants, and shows any
// stretch of it again.
//
// It promises:
//
//   - A recording rests on a lease. Each write looks at it; within a second of its end nothing is
//     written any more.
//   - Killed at any moment, the program loses at most a second of each recording; a power cut at
//     most ten; what Timeline has reported as recorded is on the medium and stays.
//   - A disk that is slow, full or read-only costs footage and never the camera, other cameras or
//     erasing; the gap says why.
//   - On the disk everything is sealed under keys of one day and camera (package seal). In clear
//     are random ids and a segment's start, duration and size. Destroying a day's key ends that
//     day, whatever copies exist.
//   - Nothing is recorded from before the lease, and nothing is sealed after its end: a camera
//     whose owner has withdrawn gets no new keys.
//
// The byte format is package segment, playing is package movie, and design/footage.md tells why.
//
// How it hangs together: a Recording writes segments into drafts of a blob.Store, and when one is
// closed, syncs it, adds its SQL row together with the sealed summary of the hour, and then
// commits the draft, so that a start after a crash finds everything unsettled among the drafts.
//
// The room owns its tables (footage_*) and its objects. It knows media, permits and seals, and
// nothing of HTTP, accounts or consent. Cameras are told to it; who may record is decided by
// whoever hands out the lease.
package footage
