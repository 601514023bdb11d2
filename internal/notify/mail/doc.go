// Package mail sends letters: plain text, one recipient each, by the operator's SMTP server.
//
// Send takes a letter and returns at once; one goroutine carries letters to the server, so a slow
// server holds up no request. A letter that the server cannot take now is tried again, each time
// after twice the wait, until its time is over; one that it refuses for good (5xx) ends there. While
// the server itself is down or does not let us in, nothing else is tried either. How many letters may
// wait is bounded, in all and for each person.
//
// # What is kept
//
// A letter to somebody with an account waits in SQL, sealed under that person's key, and survives a
// restart. Two kinds wait in memory only: letters to somebody without an account, under whose key
// they could be sealed, and fleeting ones, which carry a code that is worth nothing soon. No address,
// subject or text is logged; the server's own words are not either, since they repeat the address.
//
// # The way out
//
// Every connection is dialled by egress for the registered recipient "smtp": it has its line in the
// ledger before the first byte, and TLS with a name that is checked. Without TLS only this machine is
// talked to.
//
// # The outbox
//
// Where the operator says so (mail.outbox, as in the demo) nothing is sent: letters lie in an outbox
// that only this machine can read, in memory, the newest few. So somebody who tries Candor out can
// read the code that they were sent.
//
// Front doors and rooms that write to people are handed Send through an interface of their own; only
// app imports this package.
package mail
