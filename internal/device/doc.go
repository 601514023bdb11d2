// Package device knows sites, cameras and whose they are.
//
// A camera is a binding: the tie of a device to its one owner. Its name, its addresses and its
// credentials are sealed under the key of that binding and go with it; a site's name and time zone
// are sealed under the key of the person. In clear are random ids, states and settings that tell
// nothing: recording on or paused, how many days, when it was added.
//
// Credentials are kept apart from addresses. No answer of this package holds a password, except
// Spec, which needs the permit to connect to the camera (camera.pull) that only the ingest gets.
// They are only ever sent to the hosts they were given for: an address on another host needs
// them anew.
//
// Releasing a camera makes it nobody's at once: the gate finds no owner and denies everything about
// it. Who asks for it then revokes the right at the gate and says the goodbye (package rights),
// which destroys the key and erases the row.
//
// The package knows no HTTP and no codec, and connects to nothing.
package device
