// Package takeaway gives people a copy of everything that is held about them: one zip file with a
// folder for each room, the room's lines in it, films and pictures beside them, and a manifest.
//
// The file exists nowhere. Lines are frozen when the copy is made, into one sealed object under a
// key of the copy's own (seal.Scope.Export); films and pictures stay where they are and are read
// again, by byte range, under the lease of whoever downloads. Their sums are computed once, while
// the copy is made. So a copy may be larger than the disk, a download that broke off goes on
// exactly where it was, and what was erased meanwhile is in no copy.
//
// It promises:
//
//   - A room has as many lines in the copy as its inventory counts.
//   - A copy lives seven days, and shorter when its person ends it, takes a consent back, deletes
//     a camera or leaves: then its key is destroyed at once, and running downloads end.
//   - A part that is not there any more ends the download, visibly broken off; what comes is always
//     what was promised or nothing.
//   - Of the link only a hash is kept. A person has one copy at a time and can ask for three a day.
//
// Films that would reach the end of their time within a day are left out, since a download could
// not be as quick; the manifest and the lines say which they are.
//
// The room owns table takeaway_export and the objects under exports. It knows rooms as holders
// (package rights) and nothing of HTTP.
package takeaway
