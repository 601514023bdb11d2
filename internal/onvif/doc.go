// Package onvif finds cameras in the networks of a house and asks them where their pictures are, so
// that nobody has to know an RTSP address.
//
// Seek asks by WS-Discovery who is there. Look signs in to one camera and gives its main and its
// smaller stream, with codec and size. A password is tried once: Look asks without it first, learns
// from the refusal which way of signing in the camera wants, and uses that one, because cameras
// lock their owner out after a few wrong tries.
//
// Whatever is heard comes from strangers in the network: answers are bounded in size and number, only
// those from allowed networks are read (the Asker sees to that), and an address they name is used
// only where cameras may be. Nothing is kept, nothing is logged.
//
// Package soap below is the language, package brand knows where cameras without ONVIF stream. Events,
// moving the camera and its settings are not spoken here.
package onvif
