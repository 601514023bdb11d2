// Package rights does what people may ask for: an inventory of what is held about them, and the
// three goodbyes: withdraw a purpose (for a camera or for all), remove a camera, close an account.
//
// A goodbye has one order. The right is revoked and every lease of it ends; the keys are destroyed
// and a tombstone is left; each room's rows and objects are swept; the write-ahead log is emptied;
// a scan looks for what should be gone; a receipt says all of this. Nothing is waited for before
// the keys are destroyed: neither the privacy log, nor the bus, nor room on the disk, nor a slow
// room. What opens nothing any more may lie about for a while; what opens must not.
//
// rights knows rooms only as Holders. It keeps no personal data itself: random identifiers, steps
// and counts. No door may import it for anything but its results.
package rights
