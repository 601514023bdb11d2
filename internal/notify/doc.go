// Package notify tells people what happened in front of their cameras, as they chose to be told.
//
// Nobody is told anything until they chose it: a Rule is one person's choice for one camera and one
// kind of happening, with the channels, the hours of the week and whether pictures come along. The
// channels are the app itself (an event of the feed), Web Push (package webpush) and mail.
//
// # From a happening to a message
//
// Hear takes happenings and never waits: those of one camera that come faster than they are looked
// at become one, counted. For each person with a rule, the gate is asked whether they may be told
// now; then the hours and the pauses are looked at. What passes becomes part of the camera's series
// for that person: the first is told at once, what follows within the cooldown is counted and told
// in one update when the cooldown is over, under the same tag, so that a flood shows as one line with
// a count. A series ends after half an hour of quiet.
//
// Messages wait in notify_outbox, at most one for each browser and camera, which a newer one
// replaces. The gate is asked again right before each is handed over: a share that was revoked, a
// consent that was withdrawn, stop what is queued as well. A push service that is busy is tried
// again with growing pauses; one that says a browser is gone has it dropped, and its owner is told
// in the app.
//
// # Pauses and clocks
//
// A pause has a length and ends by itself. While the program runs its end is counted on the
// monotonic clock (Room.Uptime), so a wall clock that is set back or forward moves it by nothing.
// Once a minute what is left is written down together with the wall time of writing. After a restart
// the wall clock says how much of it passed meanwhile, between nothing and all of it: a clock set back
// while the program was down costs at most the time it was down, never more than what was left.
//
// # Pictures
//
// A message is text. If the owner agreed to pictures in messages and the person chose them, it
// carries a ticket of 128 random bits, with which the app fetches the event's picture once, within
// ten minutes, signed in as that person. Only the ticket's hash is kept.
//
// In clear are random ids, states and days. What was chosen, addresses of browsers, messages and the
// log of what was sent are sealed under the key of the person who is told.
package notify
