// Package whep sends a camera's live picture to a browser over WebRTC (WHEP).
//
// Pictures are put into RTP payloads once per stream and the payloads are shared by all viewers;
// each viewer has its own sequence numbers, time stamps and encryption. There is no transcoding:
// a stream with B-frames is refused (live.reorder), AAC is left out or refused (live.audio).
//
// Who joins gets the units since the last key picture in one paced burst, one tick apart and
// ending at the newest one's true time, so that a real picture shows at once and the live edge
// follows as fast as the browser decodes. When that would take long and the camera has a sub
// stream, the burst is the sub stream's, and main takes over at its next key picture on the
// same track. Sender reports begin after the burst. No playback trick can replace decoding: see
// the design page about joining.
//
// The server is ICE-lite: it answers whoever reaches its one UDP port (or TCP port) and never
// sends anything to an address because somebody wrote it into an offer.
//
// A lease is asked before every packet, a repeated one included. Paused: nothing is sent.
// Ended: the peer connection is closed at once.
package whep
