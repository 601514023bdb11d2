// Package mse sends a camera's live picture as fragmented MP4 over a WebSocket, for the Media
// Source Extensions of a browser. It carries what WebRTC cannot: B-frames and AAC.
//
// # Messages
//
// Everything flows from server to browser. Text messages are JSON objects with a type; binary
// messages are one MP4 segment each.
//
//	{"type":"hello", "mime":"video/mp4; codecs=\"avc1.4d0016,opus\"", "profile":"main",
//	 "width":768, "height":432, "start":60.0, "edge":65.2, "wall":"2026-11-22T10:00:00.000Z",
//	 "reorder":0.2, "gop_units":53, "audio":"opus", "reason":""}
//
// comes first. Times are media seconds, as in the segments. The next message is the initialisation
// segment, the one after it a fragment with the gop_units pictures since the last key picture; if
// gop_units is 0 there is none, and start and edge are not known. Then one fragment per picture
// or sound follows as it comes.
//
// From start to edge everything is there; wall is the moment at edge. With B-frames single
// pictures lie up to reorder seconds beyond the edge, and so does the end of what a browser has
// buffered: a player stays that much further behind. Such a stream has a duration of a month,
// because browsers drop B-frames of one without; the others have none. audio is empty when no sound is carried,
// and reason then says why, if the camera has any.
//
//	{"type":"switch", … the fields of hello …}
//
// says that the next message is a new initialisation segment, because the camera changed its
// parameters or main takes over from sub. Times go on. The player calls changeType when mime
// differs from before.
//
//	{"type":"skip", "from":70.1, "to":74.0}
//
// says that what lies between was lost because the connection was too slow: the player seeks
// over the hole.
//
// # Close codes
//
//	4403 live.ended      the right to watch ended
//	4404 live.gone       the camera's stream was closed
//	4408 live.slow       nothing was taken for ten seconds
//	4409 live.changed    the camera's tracks changed: connect again
//	4415 live.audio      the sound cannot be carried, and was asked for strictly
//	4429 live.busy       too many viewers
//	4503 live.not_ready  no picture yet
//
// The close reason is the code's message key.
//
// A lease is asked before every write, and within a large one at every 64 KiB. Paused: nothing
// is sent. Ended: within a second the last byte has left; what lies in the kernel for a slow
// reader is thrown away by resetting the connection.
package mse
