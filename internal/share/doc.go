// Package share knows whom an owner let in: members, who have an account, and visitors, who hold a
// link.
//
// A share is a scoped, timed right: all cameras of a place, also later ones, or one camera; a set of
// abilities; a stretch of footage; for members hours of the week, for all an end. An invite is a
// share that nobody has accepted yet. The room answers the gate (gate.Shares) and is asked nothing
// else when somebody watches: who may is decided there, from here.
//
// # Two rows
//
// A share to a member is one row about the owner (whom it is for, as the owner calls them) and one
// about the member (what place it is, as the member was told), each sealed under its own person's
// key. Whoever closes their account takes their row along and leaves the other's whole: a share
// without a member has ended, and is "a former member"; one without an owner is over.
//
// # Tokens
//
// An invite and a link are opened by a token of 128 random bits. Only its hash is kept. An invite's
// token works once and for seven days; where the invite was addressed, an HMAC of the address under
// the token is kept as well, so that the address can be compared but not guessed from the database.
// A link's token is exchanged for one of the browser's own (Open), which is all that goes with its
// requests. Of a link that was deleted the hashes stay for a month and nothing else, so that who
// comes with one is told that it is over.
//
// # Time
//
// What is over by the clock stays over when the clock is set back: the room remembers the latest
// moment it has seen, and Expire writes the end down. Hours of the week are the place's own, in its
// time zone, and follow the clock.
//
// Ending a share changes its state, then revokes it at the gate, which ends within the second
// whatever rests on it. In clear are ids, states, abilities and ends; hours, stretches, names and
// addresses are sealed. The gate reads sealed terms through a permit for exactly that (share.weigh).
//
// The package knows no HTTP and no codec, and sends nothing: the invite's letter is the door's.
package share
