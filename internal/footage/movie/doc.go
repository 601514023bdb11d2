// Package movie lays a range of footage out as one MP4 file without writing one.
//
// Make looks at the frame entries of opened segments and works out a file: its head (ftyp, moov
// and the mdat header, a few bytes a frame) and the spans of segment chunks that follow it. The
// size is known before the first byte of media is read, any byte range can be served by opening
// only the chunks it touches, and the same footage always gives the same bytes, so the ETag is
// strong. Nothing on disk is rewritten.
//
// The cut begins at the key picture before the asked-for moment and an edit list hides what
// leads in. Where the camera changed its parameters the video track gets another sample entry;
// sound of another codec gets a track of its own. Time that was not recorded is left out, and
// Parts tells where.
//
// ISO/IEC 14496-12 (boxes), 14496-14 (mp4a), 14496-15 (avc1); Opus as in "Encapsulation of Opus
// in ISO Base Media File Format"; G.711 by the QuickTime entries ulaw and alaw.
//
// The package knows the segment format and nothing of keys, files, SQL or people.
package movie
