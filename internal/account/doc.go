// Package account knows the people who signed up and the browsers they are signed in with.
//
// Name, e-mail address, settings and the password's verifier are sealed under the person's key, so
// destroying that key ends signing in as well. The way from an e-mail address to an account is
// the sign-in directory of package seal, which keeps a keyed digest of it; there is no e-mail
// address and no digest of one in SQL. An address belongs to one account of a tenant.
//
// # Passwords
//
// A password has at least ten characters and is not one of the most common; there is no other
// rule. It is kept as an argon2id verifier with its parameters, and made anew with today's
// parameters when its owner signs in. An unknown address costs as much work as a wrong password.
//
// Guessing is slowed down, per address on the network, per e-mail address, and most for the two
// together: after a few tries each next one has to wait twice as long, up to a limit of seconds
// or minutes. Nobody is locked out: waiting always helps, a try made too early does not count, and
// a place somebody has signed in from is not held up by what others try elsewhere. What is remembered
// for this is in memory, under keyed digests, for an hour.
//
// # Codes
//
// Who signs up, forgot a password or moves to another address proves with a one-time code that they read
// mail at the address. It has eight digits, lasts a quarter of an hour and is spent once. Only its keyed
// hash is kept, in memory; a restart ends it.
//
// Asking is answered alike, with as much work, whether the address has an account or not: to sign up, an
// address that has one is sent a letter that says so instead of a code; for a new password, an address that
// has none is sent nothing. What the answer holds is the request: a random token that goes back with the code.
//
// The request is what keeps others out. A code is of use only with its own request, and a wrong code costs a
// try of that request alone: after five it is over and a new one can be made. A stranger does not have the
// token, so no try of theirs touches the code that somebody waits for, and asking again ends no code
// that is under way.
//
// Asking is bounded for each place on the network and for each address from a place; neither counts what
// others do elsewhere. It is bounded for an address as a whole too, or its owner's mailbox would fill.
// Somebody who asks after that bound is reached, through many places that ask for the same address, is not
// refused: no further letter is sent, and the newest code that was sent there serves their request
// as well, within a number of tries that those who share it have together. A place that somebody has
// signed in from is not under that bound. So holding somebody up takes a hundred places that never
// stop, and guessing has at most some thousand tries an hour among a hundred million codes.
//
// # Notices
//
// A new password, a new address (at the old one) and a sign-in with a kind of browser that was not used
// before are worth a letter, where letters can be sent. The kinds that were used are kept, sealed.
//
// # The second step
//
// Who wants more than a password turns a second step on with an authenticator app: codes of RFC 6238, SHA-1, six
// digits, half a minute, one step of slack on either side. A right password is then answered with a token of
// 128 bits for ten minutes and five codes instead of a session. A code works once. Ten recovery codes of 80
// bits stand in for a lost telephone, once each; they are shown once and kept as salted hashes. The key, the
// newest code used and the hashes are one sealed value, replaced only by whoever read it as it still is.
//
// A second step that does not open is an error and lets nobody in. A new password by mail keeps it, because
// whoever reads the mail has one of two things; whoever runs the machine can take it away, and its owner is
// told where the room has Mail. Tries are slowed down as with passwords, and five wrong codes in a row are told to the owner,
// once an hour at most, because whoever tries codes has the password. What waits, and what is counted for
// this, is in memory.
//
// # Sessions
//
// A session is a random token of 256 bits; only its SHA-256 is kept. It ends thirty days after its
// last use and 180 days after it began, both counted in days, because the moment of use is nobody's
// business. Of the client only its kind is kept ("Chrome on Android"), sealed; the network
// address is not.
//
// Only front doors and wiring use this package. It knows no HTTP.
package account
