// Package democam is a camera made of a clip: an RTSP server of our own that plays MP4 files in
// a loop, in real time, with wall-clock sender reports.
//
// It is the demo camera of a fresh installation and the camera in the tests, the smoke run and
// the benches. Candor reaches it through the same door as any other camera and nothing in Candor
// knows that it is not one. It plays H.264 with or without reordered pictures, and Opus or AAC
// sound or none; the loop is seamless: time stamps go on where the clip ends.
//
// Asked to, it also speaks as much ONVIF as finding and adding a camera takes (discovery, device and
// media service), so that this way too can be tried without buying one. Its answers are our own: a
// foreign client judges them in a test.
//
// The methods that misbehave on purpose (Stall, Jump, Garbage, Switch) are for tests.
package democam
