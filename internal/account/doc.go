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
// # Sessions
//
// A session is a random token of 256 bits; only its SHA-256 is kept. It ends thirty days after its
// last use and 180 days after it began, both counted in days, because the moment of use is nobody's
// business. Of the client only its kind is kept ("Chrome on Android"), sealed; the network
// address is not.
//
// Only front doors and wiring use this package. It knows no HTTP.
package account
