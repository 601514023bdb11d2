// Package rtsp pulls a camera's stream over RTSP or RTSPS, always over TCP.
//
// A Source keeps one profile of one camera connected: it depacketises once, gives every unit a
// time on a line that never goes back, writes it to a media.Stream, and comes back by itself
// after any failure, saying why and when. Check looks at an address once and says what is
// there, or precisely what is wrong.
//
// Three clocks meet here. Durations come from the camera's RTP clock. The stream's line (90 kHz)
// is that clock, joined over reconnects and jumps so that it only moves forward. Our wall clock
// is tied to the line by when units arrive, corrected by at most 500 ppm, and tied anew, with a
// line in the log, when it is off by more than two seconds (design: media pacing is monotonic
// and never injected; the wall clock is injected).
//
// Nothing here dials by itself: every connection goes through the Dialer it is given.
package rtsp
